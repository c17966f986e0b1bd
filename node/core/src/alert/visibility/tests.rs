//! Who sees what: case by case, and against an independent restatement of the rules.

use proptest::prelude::*;

use super::*;
use crate::alert::sample::{codes, parties, party};

fn caller(country: &str, authority: &str, role: Role) -> Caller {
    Caller { country: country.into(), authority: authority.into(), system: "system".into(), role }
}

fn viewer(country: &str, authority: &str, role: Role) -> Viewer {
    Viewer::new(caller(country, authority, role), None)
}

/// An active United Kingdom arrest of the National Crime Agency.
fn label() -> Label {
    Label {
        state: pb::AlertState::Active as i32,
        partition: Partition::Open,
        source: "UK".into(),
        owner_party: "GB".into(),
        owner_authority: "nca".into(),
        category: "arrest".into(),
        subject_kind: pb::SubjectKind::Person as i32,
        object_classes: BTreeSet::new(),
        handling: BTreeSet::new(),
        jurisdictions: BTreeSet::new(),
        allow: BTreeSet::new(),
        deny: BTreeSet::new(),
        suspended_in: BTreeSet::new(),
        blocked: false,
    }
}

fn set(values: &[&str]) -> BTreeSet<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

fn label_with(change: impl FnOnce(&mut Label)) -> Label {
    let mut label = label();
    change(&mut label);
    label
}

fn covert() -> Label {
    label_with(|label| {
        label.partition = Partition::Covert;
        label.category = "discreet-check".into();
    })
}

/// France may see arrests.
fn terms() -> pb::Agreement {
    pb::Agreement {
        id: "FR-1".into(),
        partner: party("FR"),
        categories: codes("category", &["arrest"]),
        state: pb::AgreementState::Active as i32,
        ..Default::default()
    }
}

fn france(change: impl FnOnce(&mut pb::Agreement)) -> Viewer {
    let mut terms = terms();
    change(&mut terms);
    Viewer::new(caller("FR", "pj", Role::Partner), Some(Agreement::new(&terms)))
}

#[test]
fn each_role_sees_an_open_and_a_covert_alert_as_its_office_allows() {
    for (role, open, hidden) in [
        (Role::Bureau, Sight::Domestic, Sight::Domestic),
        (Role::Search, Sight::Domestic, Sight::Domestic),
        (Role::SearchOpen, Sight::Domestic, Sight::Hidden),
        (Role::Partner, Sight::Hidden, Sight::Hidden),
        (Role::Node, Sight::Hidden, Sight::Hidden),
        (Role::Operator, Sight::Hidden, Sight::Hidden),
        (Role::Auditor, Sight::Hidden, Sight::Hidden),
        (Role::Policy, Sight::Hidden, Sight::Hidden),
    ] {
        let viewer = viewer("GB", "met", role);
        assert_eq!((viewer.sight(&label()), viewer.sight(&covert())), (open, hidden), "{role:?}");
        // Abroad, no role but that of a partner sees anything.
        let abroad = super::Viewer::new(caller("FR", "met", role), None);
        assert_eq!((abroad.sight(&label()), abroad.sight(&covert())), (Sight::Hidden, Sight::Hidden), "{role:?}");
    }
}

#[test]
fn partitions_are_sought_only_with_the_right() {
    for role in [Role::Bureau, Role::Search] {
        assert_eq!(viewer("GB", "met", role).partitions(), [Partition::Open, Partition::Covert]);
    }
    for role in [Role::SearchOpen, Role::Partner, Role::Operator] {
        assert_eq!(viewer("GB", "met", role).partitions(), [Partition::Open]);
    }
    assert_eq!(france(|_| {}).partitions(), [Partition::Open]);
    assert_eq!(france(|terms| terms.covert = true).partitions(), [Partition::Open, Partition::Covert]);
}

#[test]
fn the_owners_bureau_sees_its_alert_in_every_state_and_under_every_restriction() {
    let own = viewer("GB", "nca", Role::Bureau);
    for state in 0..=7 {
        let label = label_with(|label| {
            label.state = state;
            label.blocked = true;
            label.suspended_in = set(&["*"]);
            label.deny = set(&["GB"]);
            label.partition = Partition::Covert;
        });
        assert_eq!(own.sight(&label), Sight::Owner);
        for other in
            [viewer("GB", "met", Role::Bureau), viewer("GB", "nca", Role::Search), viewer("FR", "nca", Role::Bureau)]
        {
            assert_eq!(other.sight(&label), Sight::Hidden);
        }
    }
}

#[test]
fn nobody_else_sees_an_alert_that_is_not_active() {
    for state in [0, 1, 2, 3, 4, 6, 7, 99] {
        let label = label_with(|label| label.state = state);
        for viewer in [viewer("GB", "met", Role::Bureau), viewer("GB", "met", Role::Search), france(|_| {})] {
            assert_eq!(viewer.sight(&label), Sight::Hidden, "state {state}");
        }
    }
}

#[test]
fn a_suspension_hides_the_alert_where_it_holds_and_nowhere_else() {
    let scotland = viewer("GB", "police-scotland", Role::Search).in_territory("GB-SCT");
    let london = viewer("GB", "met", Role::Search).in_territory("GB-ENG");
    let suspended = |territories: &[&str]| label_with(|label| label.suspended_in = set(territories));
    let seen = |territories: &[&str]| {
        let label = suspended(territories);
        [&scotland, &london, &france(|_| {})].map(|viewer| viewer.sight(&label) != Sight::Hidden)
    };
    assert_eq!(seen(&[]), [true, true, true]);
    assert_eq!(seen(&["GB-SCT"]), [false, true, true]);
    assert_eq!(seen(&["GB-EAW"]), [true, false, true]);
    assert_eq!(seen(&["GB"]), [false, false, true]);
    assert_eq!(seen(&["FR"]), [true, true, false]);
    assert_eq!(seen(&["*"]), [false, false, false]);
}

#[test]
fn a_partner_stands_where_its_agreement_places_it() {
    let label = label_with(|label| label.suspended_in = set(&["MC"]));
    assert_eq!(france(|_| {}).sight(&label), Sight::Partner);
    assert_eq!(france(|terms| terms.territory = party("MCO")).sight(&label), Sight::Hidden);
}

#[test]
fn a_blocked_alert_is_for_its_owner_only() {
    let label = label_with(|label| label.blocked = true);
    assert_eq!(viewer("GB", "met", Role::Search).sight(&label), Sight::Hidden);
    assert_eq!(france(|_| {}).sight(&label), Sight::Hidden);
}

#[test]
fn distribution_goes_by_country_and_denial_is_stronger() {
    let seen = |allow: &[&str], deny: &[&str]| {
        let label = label_with(|label| (label.allow, label.deny) = (set(allow), set(deny)));
        [viewer("GBR", "met", Role::Search), france(|_| {})].map(|viewer| viewer.sight(&label) != Sight::Hidden)
    };
    assert_eq!(seen(&[], &[]), [true, true]);
    assert_eq!(seen(&["FR"], &[]), [false, true]);
    assert_eq!(seen(&["GB"], &[]), [true, false]);
    assert_eq!(seen(&[], &["FR"]), [true, false]);
    assert_eq!(seen(&["FR", "GB"], &["FR"]), [true, false]);
}

#[test]
fn a_partner_sees_what_its_agreement_names_and_no_more() {
    let sees = |viewer: Viewer, label: Label| viewer.sight(&label) == Sight::Partner;
    assert!(sees(france(|_| {}), label()));
    // Categories.
    assert!(!sees(france(|terms| terms.categories.clear()), label()));
    assert!(!sees(france(|_| {}), label_with(|label| label.category = "missing".into())));
    // Owners: the United Kingdom's alone unless said (the third-party rule).
    let foreign = || label_with(|label| label.owner_party = "XPO".into());
    assert!(!sees(france(|_| {}), foreign()));
    assert!(sees(france(|terms| terms.owners = parties(&["INTERPOL"])), foreign()));
    assert!(!sees(france(|terms| terms.owners = parties(&["INTERPOL"])), label()));
    // Sources.
    assert!(sees(france(|terms| terms.sources = vec!["UK".into()]), label()));
    assert!(!sees(france(|terms| terms.sources = vec!["BILATERAL".into()]), label()));
    // Object classes: every one of the alert.
    let objects = || label_with(|label| label.object_classes = set(&["vehicle", "firearm"]));
    assert!(sees(france(|_| {}), objects()));
    assert!(!sees(france(|terms| terms.object_classes = codes("object-class", &["vehicle"])), objects()));
    assert!(sees(france(|terms| terms.object_classes = codes("object-class", &["firearm", "vehicle"])), objects()));
    // Handling: every code of the alert must be named.
    let handled = || label_with(|label| label.handling = set(&["medical"]));
    assert!(!sees(france(|_| {}), handled()));
    assert!(sees(france(|terms| terms.handling = codes("handling", &["medical", "child"])), handled()));
    // Jurisdictions: one in common; an alert of none is of all.
    let scottish = || label_with(|label| label.jurisdictions = set(&["scotland"]));
    assert!(sees(france(|_| {}), scottish()));
    assert!(!sees(france(|terms| terms.jurisdictions = codes("jurisdiction", &["northern-ireland"])), scottish()));
    assert!(sees(france(|terms| terms.jurisdictions = codes("jurisdiction", &["scotland"])), scottish()));
    assert!(sees(france(|terms| terms.jurisdictions = codes("jurisdiction", &["scotland"])), label()));
    // Covert categories need the right and the category.
    let named = |terms: &mut pb::Agreement| terms.categories = codes("category", &["arrest", "discreet-check"]);
    assert!(!sees(france(named), covert()));
    assert!(!sees(france(|terms| terms.covert = true), covert()));
    assert!(sees(
        france(|terms| {
            named(terms);
            terms.covert = true;
        }),
        covert()
    ));
}

#[test]
fn an_agreement_serves_its_own_partner_only() {
    let agreement = || Some(Agreement::new(&terms()));
    assert_eq!(Viewer::new(caller("FRA", "pj", Role::Partner), agreement()).sight(&label()), Sight::Partner);
    assert_eq!(Viewer::new(caller("DE", "pj", Role::Partner), agreement()).sight(&label()), Sight::Hidden);
    let named = pb::Agreement { authorities: codes("authority", &["douane"]), ..terms() };
    assert_eq!(
        Viewer::new(caller("FR", "pj", Role::Partner), Some(Agreement::new(&named))).sight(&label()),
        Sight::Hidden
    );
    assert_eq!(
        Viewer::new(caller("FR", "douane", Role::Partner), Some(Agreement::new(&named))).sight(&label()),
        Sight::Partner
    );
}

#[test]
fn an_agreement_is_in_force_while_active_and_within_its_dates() {
    let in_force = |change: &dyn Fn(&mut pb::Agreement), now_ms| {
        let mut terms = terms();
        change(&mut terms);
        Agreement::new(&terms).in_force(now_ms)
    };
    let dated = |terms: &mut pb::Agreement| {
        (terms.valid_from, terms.valid_until) = (Some(time::from_ms(100)), Some(time::from_ms(200)));
    };
    assert!(in_force(&|_| {}, 0));
    assert_eq!([99, 100, 199, 200].map(|now| in_force(&dated, now)), [false, true, true, false]);
    for state in [pb::AgreementState::Unspecified, pb::AgreementState::Suspended, pb::AgreementState::Ended] {
        assert!(!in_force(&|terms| terms.state = state as i32, 0), "{state:?}");
    }
}

/// The rules of visibility said once more, from the domain and not from the code: one reason to hide after the other.
fn restated(caller: &Caller, terms: Option<&pb::Agreement>, extra_territory: Option<&str>, label: &Label) -> Sight {
    if caller.role == Role::Bureau && caller.country == label.owner_party && caller.authority == label.owner_authority {
        return Sight::Owner;
    }
    let terms = terms.filter(|terms| {
        terms.partner.as_ref().unwrap().code == caller.country
            && (terms.authorities.is_empty() || terms.authorities.iter().any(|code| code.value == caller.authority))
    });
    let mut stands_in = vec![match terms {
        Some(terms) => terms.territory.as_ref().or(terms.partner.as_ref()).unwrap().code.clone(),
        None => caller.country.clone(),
    }];
    stands_in.extend(extra_territory.map(str::to_owned));
    let mut reasons_to_hide = 0;
    reasons_to_hide += i32::from(label.state != 5);
    reasons_to_hide += i32::from(label.blocked);
    for territory in &label.suspended_in {
        reasons_to_hide += i32::from(territory == "*" || stands_in.contains(territory));
    }
    reasons_to_hide += i32::from(label.deny.iter().any(|denied| *denied == caller.country));
    reasons_to_hide += i32::from(!label.allow.is_empty() && !label.allow.iter().any(|to| *to == caller.country));
    let covert = label.partition == Partition::Covert;
    let british = caller.country == "GB";
    match caller.role {
        Role::Bureau | Role::Search => reasons_to_hide += i32::from(!british),
        Role::SearchOpen => reasons_to_hide += i32::from(!british || covert),
        Role::Partner => match terms {
            None => reasons_to_hide += 1,
            Some(terms) => {
                let names = |codes: &[pb::Code], value: &str| codes.iter().any(|code| code.value == value);
                reasons_to_hide += i32::from(!names(&terms.categories, &label.category));
                reasons_to_hide += i32::from(covert && !terms.covert);
                reasons_to_hide += i32::from(!terms.sources.is_empty() && !terms.sources.contains(&label.source));
                let of_owner = |party: &pb::Party| party.code == label.owner_party;
                reasons_to_hide += i32::from(if terms.owners.is_empty() {
                    label.owner_party != "GB"
                } else {
                    !terms.owners.iter().any(of_owner)
                });
                for class in &label.object_classes {
                    let unnamed = !terms.object_classes.is_empty() && !names(&terms.object_classes, class);
                    reasons_to_hide += i32::from(unnamed);
                }
                for handling in &label.handling {
                    reasons_to_hide += i32::from(!names(&terms.handling, handling));
                }
                let elsewhere = !terms.jurisdictions.is_empty()
                    && !label.jurisdictions.is_empty()
                    && !label.jurisdictions.iter().any(|jurisdiction| names(&terms.jurisdictions, jurisdiction));
                reasons_to_hide += i32::from(elsewhere);
            }
        },
        Role::Node | Role::Operator | Role::Auditor | Role::Policy => reasons_to_hide += 1,
    }
    match (reasons_to_hide, caller.role) {
        (0, Role::Partner) => Sight::Partner,
        (0, _) => Sight::Domestic,
        _ => Sight::Hidden,
    }
}

fn one_of(values: &'static [&'static str]) -> impl Strategy<Value = String> {
    proptest::sample::select(values).prop_map(str::to_owned)
}

/// Mostly empty, so that alerts are seen often enough.
fn some_of(values: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    prop_oneof![
        5 => Just(Vec::new()),
        2 => proptest::sample::subsequence(values, 1..=values.len())
            .prop_map(|values| values.into_iter().map(str::to_owned).collect()),
    ]
}

fn any_label() -> impl Strategy<Value = Label> {
    let sets = (
        some_of(&["vehicle", "boat"]),
        some_of(&["medical", "child"]),
        some_of(&["scotland", "northern-ireland"]),
        some_of(&["GB", "FR", "DE"]),
        some_of(&["GB", "FR", "DE"]),
        some_of(&["*", "GB", "FR", "MC", "GB-SCT"]),
    );
    let plain = (
        prop_oneof![9 => Just(5), 1 => 0..9i32],
        any::<bool>(),
        one_of(&["UK", "BILATERAL"]),
        one_of(&["GB", "FR"]),
        one_of(&["nca", "met"]),
        one_of(&["arrest", "missing"]),
        proptest::bool::weighted(0.1),
    );
    (plain, sets).prop_map(|((state, covert, source, owner_party, owner_authority, category, blocked), sets)| Label {
        state,
        partition: if covert { Partition::Covert } else { Partition::Open },
        source,
        owner_party,
        owner_authority,
        category,
        subject_kind: 1,
        object_classes: sets.0.into_iter().collect(),
        handling: sets.1.into_iter().collect(),
        jurisdictions: sets.2.into_iter().collect(),
        allow: sets.3.into_iter().collect(),
        deny: sets.4.into_iter().collect(),
        suspended_in: sets.5.into_iter().collect(),
        blocked,
    })
}

fn any_terms() -> impl Strategy<Value = pb::Agreement> {
    let lists = (
        some_of(&["nca", "met"]),
        some_of(&["UK", "BILATERAL"]),
        some_of(&["GB", "FR"]),
        proptest::sample::subsequence(vec!["arrest", "missing"], 0..=2),
        some_of(&["vehicle", "boat"]),
        some_of(&["medical", "child"]),
        some_of(&["scotland", "northern-ireland"]),
    );
    let territory = proptest::option::of(one_of(&["MC", "DE"]));
    (lists, any::<bool>(), one_of(&["FR", "FR", "FR", "DE"]), territory).prop_map(
        |(lists, covert, partner, territory)| {
            let named = |list: &str, values: Vec<String>| -> Vec<pb::Code> {
                values.into_iter().map(|value| pb::Code { list: list.into(), value }).collect()
            };
            pb::Agreement {
                id: "1".into(),
                partner: party(&partner),
                authorities: named("authority", lists.0),
                sources: lists.1,
                owners: lists.2.into_iter().map(|code| pb::Party { code }).collect(),
                categories: named("category", lists.3.into_iter().map(str::to_owned).collect()),
                object_classes: named("object-class", lists.4),
                handling: named("handling", lists.5),
                jurisdictions: named("jurisdiction", lists.6),
                covert,
                territory: territory.map(|code| pb::Party { code }),
                ..Default::default()
            }
        },
    )
}

fn any_caller() -> impl Strategy<Value = Caller> {
    let role = prop_oneof![
        2 => Just(Role::Bureau),
        1 => Just(Role::Search),
        1 => Just(Role::SearchOpen),
        5 => Just(Role::Partner),
        1 => proptest::sample::select(Role::NAMES.map(|(role, _)| role).to_vec()),
    ];
    (one_of(&["GB", "GB", "FR", "FR", "FR", "DE"]), one_of(&["nca", "met"]), role)
        .prop_map(|(country, authority, role)| caller(&country, &authority, role))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn the_decision_is_the_one_the_domain_states(
        caller in any_caller(),
        terms in proptest::option::weighted(0.9, any_terms()),
        extra in proptest::option::of(one_of(&["GB-SCT", "GB-NIR"])),
        label in any_label(),
    ) {
        let mut viewer = Viewer::new(caller.clone(), terms.as_ref().map(Agreement::new));
        if let Some(territory) = &extra {
            viewer = viewer.in_territory(territory);
        }
        let expected = restated(&caller, terms.as_ref(), extra.as_deref(), &label);
        prop_assert_eq!(viewer.sight(&label), expected);
        // What a viewer may see lies in a partition that its searches seek, or is its own.
        if !matches!(expected, Sight::Hidden | Sight::Owner) {
            prop_assert!(viewer.partitions().contains(&label.partition));
        }
    }
}

#[test]
fn the_random_cases_meet_every_sight() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let cases = (any_caller(), any_terms(), any_label());
    let mut met = [0; 4];
    for _ in 0..5_000 {
        let (caller, terms, label) = cases.new_tree(&mut runner).unwrap().current();
        met[Viewer::new(caller, Some(Agreement::new(&terms))).sight(&label) as usize] += 1;
    }
    assert!(met.iter().all(|count| *count > 50), "hidden, partner, domestic, owner: {met:?}");
}

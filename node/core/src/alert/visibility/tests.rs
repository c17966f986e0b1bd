//! Who sees what: case by case, and against an independent restatement of the rules.

mod restated;

use super::*;
use crate::alert::sample::{self, codes, parties, party};

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

#[test]
fn officers_stand_where_their_authority_does() {
    let label = label_with(|label| label.suspended_in = set(&["GB-SCT"]));
    let sees = |country: &str, authority: &str| {
        let caller = caller(country, authority, Role::Search);
        Viewer::of_authority(caller, None, sample::rules()).sight(&label) != Sight::Hidden
    };
    assert!(!sees("GB", "police-scotland"));
    assert!(!sees("GBR", "police-scotland"));
    assert!(sees("GB", "met") && sees("GB", "psni") && sees("GB", "nca") && sees("GB", "unheard-of"));
    // A partner called like a British force stands in its own country.
    let france = Viewer::of_authority(caller("FR", "police-scotland", Role::Partner), None, sample::rules());
    assert_eq!(*france.territories(), set(&["FR"]));
}

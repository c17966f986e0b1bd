//! The rules of visibility once more, from the domain and not from the code, compared on random cases.

use proptest::prelude::*;

use super::{super::*, caller, party};

/// One reason to hide after the other.
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

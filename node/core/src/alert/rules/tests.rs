use super::*;
use crate::{
    alert::{fault, party},
    pb::rules::Rules as Kind,
};

#[test]
fn the_shipped_rules_are_complete_and_sound() {
    let rules = RuleSet::from_documents(RuleSet::default_rules()).unwrap();
    let one = RuleSetVersions { code_lists: 1, retention: 1, compatibility: 1, search_profile: 1, minimum_fields: 1 };
    assert_eq!(rules.versions(), one);
    // Each category has a retention period and a rank of its own, and stands beside itself.
    for (category, _) in rules.list(lists::CATEGORY).unwrap().entries() {
        assert_eq!(rules.retention(category, "UK").category, category);
        assert_ne!(rules.rank(category), usize::MAX, "{category}");
        assert!(rules.are_compatible(category, category), "{category}");
        assert!(rules.minimum_fields(category, "UK").is_some());
    }
}

/// Every code list that the contract names in a comment, and those that the core asks for.
#[test]
fn every_list_of_the_contract_is_shipped_and_not_empty() {
    let rules = RuleSet::defaults();
    let contract = concat!(
        include_str!("../../../../../proto/alertstore/v1/model.proto"),
        include_str!("../../../../../proto/alertstore/v1/hits.proto"),
        include_str!("../../../../../proto/alertstore/v1/context.proto"),
        include_str!("../../../../../proto/alertstore/v1/alerts.proto"),
        include_str!("../../../../../proto/alertstore/v1/agreements.proto"),
    );
    let mut named = Vec::new();
    // `List "category"`; vehicle models are free text.
    for rest in contract.split("List \"").skip(1) {
        named.extend(rest.split('"').next());
    }
    for rest in contract.split("Lists \"").skip(1) {
        named.extend(rest.lines().next().into_iter().flat_map(|line| line.split('"').step_by(2)));
    }
    named.retain(|name| *name != "vehicle-model");
    assert!(named.len() > 35, "{named:?}");
    for name in named {
        assert!(rules.list(name).is_some_and(|list| list.entries().count() > 0), "list \"{name}\"");
    }
}

#[test]
fn partitions_and_priorities_come_from_the_list() {
    let rules = RuleSet::defaults();
    for category in ["discreet-check", "inquiry-check", "specific-check", "information-alert"] {
        assert_eq!(rules.partition(category), Partition::Covert, "{category}");
    }
    for category in ["arrest", "missing", "object-seizure"] {
        assert_eq!(rules.partition(category), Partition::Open, "{category}");
    }
    assert_eq!(rules.partition("unheard-of"), Partition::Covert, "the safe side");
    let priority = |category: &str| rules.category(category).unwrap().priority;
    let most_urgent = rules.list(lists::CATEGORY).unwrap().entries().map(|(category, _)| priority(category)).min();
    assert_eq!(most_urgent, Some(0));
    assert_eq!(priority("arrest"), 0);
    assert!(priority("child-at-risk") < priority("missing") && priority("missing") < priority("object-seizure"));
}

#[test]
fn values_are_known_withdrawn_or_unknown() {
    let mut documents = RuleSet::default_rules();
    let Some(Kind::CodeLists(content)) = &mut documents[0].rules else { panic!("code lists come first") };
    let gender = content.lists.iter_mut().find(|list| list.name == "gender").unwrap();
    gender.entries.iter_mut().find(|entry| entry.value == "other").unwrap().withdrawn = true;
    let rules = RuleSet::from_documents(documents).unwrap();
    assert!(matches!(rules.code("gender", "female"), CodeStatus::Known(entry) if entry.label("cy") == Some("Female")));
    assert!(matches!(rules.code("gender", "other"), CodeStatus::Withdrawn(_)));
    assert_eq!(rules.code("gender", "x"), CodeStatus::Unknown { closed: true });
    assert_eq!(rules.code("vehicle-make", "x"), CodeStatus::Unknown { closed: false });
    assert_eq!(rules.code("gendre", "female"), CodeStatus::NoSuchList);
}

#[test]
fn the_most_specific_rule_counts() {
    let mut documents = RuleSet::default_rules();
    let Some(Kind::Retention(content)) = &mut documents[1].rules else { panic!("retention comes second") };
    let rule = |category: &str, source: &str, period_months| pb::RetentionRule {
        category: category.into(),
        source: source.into(),
        period_months,
        warn_months_before: 1,
        history_months: 36,
        ..Default::default()
    };
    content.rules = vec![rule("", "", 11), rule("arrest", "", 22), rule("", "S", 33), rule("arrest", "S", 44)];
    let rules = RuleSet::from_documents(documents).unwrap();
    let months = |category, source| rules.retention(category, source).period_months;
    assert_eq!(months("arrest", "S"), 44);
    assert_eq!(months("missing", "S"), 33);
    assert_eq!(months("arrest", "T"), 22);
    assert_eq!(months("missing", "T"), 11);
}

#[test]
fn compatibility_holds_both_ways() {
    let rules = RuleSet::defaults();
    for (a, b, compatible) in [
        ("arrest", "refusal-of-entry", true),
        ("arrest", "missing", true),
        ("arrest", "judicial-procedure", true),
        ("arrest", "discreet-check", false),
        ("arrest", "specific-check", false),
        ("refusal-of-entry", "missing", false),
        ("refusal-of-entry", "judicial-procedure", false),
        ("missing", "judicial-procedure", true),
        ("discreet-check", "specific-check", false),
        ("discreet-check", "discreet-check", true),
        ("arrest", "unheard-of", false),
    ] {
        assert_eq!(rules.are_compatible(a, b), compatible, "{a} {b}");
        assert_eq!(rules.are_compatible(b, a), compatible, "{b} {a}");
    }
    assert!(rules.rank("arrest") < rules.rank("discreet-check"));
    assert!(rules.rank("discreet-check") < rules.rank("judicial-procedure"));
    assert!(rules.rank("modus-operandi") < rules.rank("unheard-of"));
}

#[test]
fn all_that_is_wrong_with_documents_is_told_at_once() {
    let mut documents = RuleSet::default_rules();
    documents.remove(4);
    documents.push(documents[2].clone());
    documents.push(pb::Rules::default());
    let Some(Kind::Retention(content)) = &mut documents[1].rules else { panic!("retention comes second") };
    content.rules[3].period_months = 0;
    let faults = RuleSet::from_documents(documents).unwrap_err();
    let told: Vec<_> = faults.iter().map(|fault| (fault.field_path.as_str(), fault.code.as_str())).collect();
    for expected in [
        ("compatibility", fault::DUPLICATE),
        ("rules", fault::REQUIRED),
        ("minimum_fields", fault::REQUIRED),
        ("retention.rules[3].period_months", fault::OUT_OF_RANGE),
    ] {
        assert!(told.contains(&expected), "{expected:?} in {told:?}");
    }
}

#[test]
fn jurisdictions_and_substitutes_lead_somewhere() {
    let rules = RuleSet::defaults();
    for (jurisdiction, entry) in rules.list(lists::JURISDICTION).unwrap().entries() {
        let territory = entry.attribute(codes::attributes::TERRITORY).unwrap();
        assert!(territory == "*" || party::normalise(territory) == Some(territory), "{jurisdiction}");
    }
    for (class, entry) in rules.list(lists::OBJECT_CLASS).unwrap().entries() {
        assert!(entry.attribute(codes::attributes::DETAIL).is_some(), "{class}");
    }
    // What stands in for an action has effect by itself: no chain of substitutes.
    let name = codes::attributes::WITHOUT_LOCAL_EFFECT;
    for (action, entry) in rules.list(lists::ACTION).unwrap().entries() {
        if let Some(other) = entry.attribute(name) {
            assert_eq!(rules.attribute(lists::ACTION, other, name), None, "{action} -> {other}");
        }
    }
}

#[test]
fn the_same_documents_encode_to_the_same_bytes() {
    let bytes = |rules: &pb::Rules| prost::Message::encode_to_vec(rules);
    for (one, other) in RuleSet::default_rules().iter().zip(RuleSet::default_rules()) {
        assert_eq!(bytes(one), bytes(&other));
        let decoded: pb::Rules = prost::Message::decode(bytes(one).as_slice()).unwrap();
        assert_eq!(bytes(&decoded), bytes(one));
    }
}

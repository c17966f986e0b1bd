use super::{super::*, *};
use crate::pb::rules::Rules as Kind;

fn defaults() -> Vec<pb::Rules> {
    RuleSet::default_rules()
}

/// Faults of a changed copy of the code lists as a successor of the shipped ones.
fn lists_with(change: impl FnOnce(&mut Vec<pb::CodeList>)) -> Vec<String> {
    let mut document = defaults().remove(0);
    let Some(Kind::CodeLists(content)) = &mut document.rules else { panic!("code lists come first") };
    change(&mut content.lists);
    blocking(&validate_rules(&document, sample::rules()))
}

fn list<'a>(lists: &'a mut [pb::CodeList], name: &str) -> &'a mut pb::CodeList {
    lists.iter_mut().find(|list| list.name == name).unwrap()
}

/// Paths depend on where a list stands; tests look at the end of them.
fn ends(faults: &[String], end: &str) -> bool {
    faults.iter().any(|fault| fault.ends_with(end))
}

#[test]
fn the_shipped_documents_may_follow_themselves_without_a_word() {
    for document in defaults() {
        assert_eq!(validate_rules(&document, sample::rules()), [], "{:?}", document.rules);
    }
}

#[test]
fn a_value_may_be_added_or_withdrawn_but_never_dropped() {
    let added = lists_with(|lists| {
        let entry = pb::CodeEntry {
            value: "purple-check".into(),
            labels: vec![pb::LocalisedText { language: "en".into(), text: "New".into() }],
            attributes: [("subjects".into(), "person".into()), ("covert".into(), "true".into())].into(),
            ..Default::default()
        };
        list(lists, "category").entries.push(entry);
    });
    assert_eq!(added, [""; 0]);
    assert_eq!(lists_with(|lists| list(lists, "gender").entries[0].withdrawn = true), [""; 0]);
    let dropped = lists_with(|lists| drop(list(lists, "gender").entries.remove(0)));
    assert!(dropped.len() == 1 && ends(&dropped, ".entries FORBIDDEN_CHANGE"), "{dropped:?}");
    let dropped = lists_with(|lists| lists.retain(|list| list.name != "calibre"));
    assert_eq!(dropped, ["code_lists.lists FORBIDDEN_CHANGE"]);
}

#[test]
fn a_category_never_moves_between_open_and_covert() {
    for (category, covert) in [("arrest", "true"), ("discreet-check", "false")] {
        let faults = lists_with(|lists| {
            let category = list(lists, "category").entries.iter_mut().find(|entry| entry.value == category).unwrap();
            category.attributes.insert("covert".into(), covert.into());
        });
        assert!(faults.len() == 1 && ends(&faults, ".attributes.covert FORBIDDEN_CHANGE"), "{faults:?}");
    }
    let faults = lists_with(|lists| {
        let category =
            list(lists, "category").entries.iter_mut().find(|entry| entry.value == "discreet-check").unwrap();
        category.attributes.remove("covert");
    });
    assert!(ends(&faults, ".attributes.covert FORBIDDEN_CHANGE"), "{faults:?}");
}

#[test]
fn attributes_with_a_meaning_must_be_readable() {
    for (name, text) in
        [("priority", "256"), ("priority", "high"), ("urgent", "yes"), ("subjects", "ship"), ("subjects", "")]
    {
        let faults = lists_with(|lists| {
            list(lists, "category").entries[0].attributes.insert(name.into(), text.into());
        });
        assert!(ends(&faults, &format!(".attributes.{name} BAD_FORMAT")), "{name}={text}: {faults:?}");
    }
    let faults = lists_with(|lists| drop(list(lists, "category").entries[0].attributes.remove("subjects")));
    assert!(ends(&faults, ".attributes.subjects REQUIRED"), "{faults:?}");
    let faults = lists_with(|lists| {
        list(lists, "action").entries[0].attributes.insert("without-local-effect".into(), "fly".into());
    });
    assert!(ends(&faults, ".attributes.without-local-effect UNKNOWN_CODE"), "{faults:?}");
}

#[test]
fn lists_and_values_have_plain_names_once_each() {
    let faults = lists_with(|lists| {
        let twin = lists[0].clone();
        lists.push(twin);
        let twin = lists[1].entries[0].clone();
        lists[1].entries.push(twin);
        lists[2].entries[0].labels.clear();
    });
    assert!(ends(&faults, ".name DUPLICATE") && ends(&faults, ".value DUPLICATE") && ends(&faults, ".labels REQUIRED"));
    let faults = lists_with(|lists| {
        lists.push(pb::CodeList { name: "a b".into(), ..Default::default() });
        lists.push(pb::CodeList { name: String::new(), ..Default::default() });
    });
    assert_eq!(faults.iter().filter(|fault| fault.ends_with(".name BAD_FORMAT")).count(), 2, "{faults:?}");
}

fn retention_with(change: impl FnOnce(&mut Vec<pb::RetentionRule>)) -> Vec<String> {
    let mut document = defaults().remove(1);
    let Some(Kind::Retention(content)) = &mut document.rules else { panic!("retention comes second") };
    change(&mut content.rules);
    blocking(&validate_rules(&document, sample::rules()))
}

#[test]
fn retention_has_a_rule_for_everything_and_sensible_periods() {
    assert_eq!(retention_with(|rules| drop(rules.remove(0))), ["retention.rules REQUIRED"]);
    assert_eq!(
        retention_with(|rules| rules[1].period_months = 0),
        ["retention.rules[1].period_months OUT_OF_RANGE", "retention.rules[1].warn_months_before INCONSISTENT",]
    );
    assert_eq!(
        retention_with(|rules| rules[1].warn_months_before = 60),
        ["retention.rules[1].warn_months_before INCONSISTENT"]
    );
    assert_eq!(
        retention_with(|rules| rules[1].period_months_when_decision_lasts_longer = 6),
        ["retention.rules[1].period_months_when_decision_lasts_longer OUT_OF_RANGE"]
    );
    assert_eq!(
        retention_with(|rules| rules[1].category = "unheard-of".into()),
        ["retention.rules[1].category UNKNOWN_CODE"]
    );
    assert_eq!(retention_with(|rules| rules[1].category = rules[2].category.clone()), ["retention.rules[2] DUPLICATE"]);
}

#[test]
fn compatibility_names_categories_and_ranks_each_once() {
    let with = |change: &dyn Fn(&mut pb::CompatibilityRules)| {
        let mut document = defaults().remove(2);
        let Some(Kind::Compatibility(content)) = &mut document.rules else { panic!("compatibility comes third") };
        change(content);
        let faults = validate_rules(&document, sample::rules());
        (blocking(&faults), warnings(&faults))
    };
    assert_eq!(with(&|content| content.compatible[0].b = "x".into()).0, ["compatibility.compatible[0].b UNKNOWN_CODE"]);
    assert_eq!(with(&|content| content.priority[1] = "arrest".into()).0, ["compatibility.priority[1] DUPLICATE"]);
    let twice = with(&|content| {
        let pair = content.compatible[1].clone();
        content.compatible.push(pb::CategoryPair { a: pair.b, b: pair.a });
    });
    assert!(twice.0.is_empty() && twice.1.len() == 1, "{twice:?}");
}

#[test]
fn a_search_profile_stays_within_its_limits_and_may_go_back_to_an_older_normaliser() {
    let with = |change: &dyn Fn(&mut pb::SearchProfile)| {
        let mut document = defaults().remove(3);
        let Some(Kind::SearchProfile(profile)) = &mut document.rules else { panic!("the profile comes fourth") };
        change(profile);
        blocking(&validate_rules(&document, sample::rules()))
    };
    assert_eq!(with(&|profile| profile.budget_seeks = 0), ["search_profile.budget_seeks OUT_OF_RANGE"]);
    assert_eq!(with(&|profile| profile.budget_postings = u32::MAX), ["search_profile.budget_postings OUT_OF_RANGE"]);
    assert_eq!(with(&|profile| profile.threshold = 10_001), ["search_profile.threshold OUT_OF_RANGE"]);
    assert_eq!(
        with(&|profile| profile.date_conflict_points = i32::MIN),
        ["search_profile.date_conflict_points OUT_OF_RANGE"]
    );
    assert_eq!(
        with(&|profile| profile.name_weight = u32::MAX),
        ["search_profile.name_weight INCONSISTENT", "search_profile.name_weight OUT_OF_RANGE",]
    );
    assert_eq!(with(&|profile| profile.normaliser_version = 0), ["search_profile.normaliser_version OUT_OF_RANGE"]);
    assert_eq!(
        with(&|profile| profile.normaliser_version = 65_536),
        ["search_profile.normaliser_version OUT_OF_RANGE"],
        "keys have two bytes for it"
    );
    // Its index is built anew: a bad normaliser can be taken back.
    let mut newer = defaults();
    let Some(Kind::SearchProfile(profile)) = &mut newer[3].rules else { panic!("the profile comes fourth") };
    profile.normaliser_version += 1;
    let newer = RuleSet::from_documents(newer).unwrap();
    assert!(blocking(&validate_rules(&defaults()[3], &newer)).is_empty());
}

#[test]
fn minimum_fields_ask_only_for_fields_there_are() {
    let mut document = defaults().remove(4);
    let Some(Kind::MinimumFields(content)) = &mut document.rules else { panic!("minimum fields come last") };
    content.rules[0].required.push("core.category | core.shoe_size".into());
    assert_eq!(
        blocking(&validate_rules(&document, sample::rules())),
        ["minimum_fields.rules[0].required[2] UNKNOWN_CODE"]
    );
    for path in minimum_field_paths() {
        let section = path.split('.').next().unwrap();
        assert!(crate::alert::sections::NAMES.iter().any(|(_, name)| *name == section), "{path}");
    }
}

#[test]
fn a_document_without_content_is_refused() {
    assert_eq!(blocking(&validate_rules(&pb::Rules::default(), sample::rules())), ["rules REQUIRED"]);
}

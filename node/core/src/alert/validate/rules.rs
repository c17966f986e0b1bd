//! Rule documents: each by itself, and as the successor of the one in force.

use std::collections::BTreeSet;

use super::{checker::is_forbidden, minimum};
use crate::{
    alert::{
        EVERYWHERE, RuleSet,
        fault::{self, fault, warning},
        party,
        rules::{
            build::subject_kinds,
            codes::{attributes, lists},
        },
    },
    limits::{
        CODE_BYTES_MAX, FEED_DAYS_DEFAULT, FEED_DAYS_MAX, NORMALISER_VERSION_MAX, SEARCH_CANDIDATES_MAX,
        SHORT_TEXT_BYTES_MAX,
    },
    pb::{self, rules::Rules as Kind},
};

/// Lists the store itself looks at: without them it cannot work.
const LISTS_NEEDED: [&str; 14] = [
    lists::ACTION,
    lists::AUTHORITY,
    lists::CATEGORY,
    lists::DATE_QUALIFIER,
    lists::DELETION_REASON,
    lists::HANDLING,
    lists::IDENTITY_KIND,
    lists::JURISDICTION,
    lists::MISSING_PERSON_CASE,
    lists::OBJECT_CLASS,
    lists::PURPOSE,
    lists::QUALITY_FLAG,
    lists::SOURCE_SYSTEM,
    lists::URGENCY,
];
/// A hundred years.
const MONTHS_MAX: u32 = 1200;
const POINTS_MAX: u32 = 10_000;
const EXPANSIONS_MAX: u32 = 10_000;
const SEEKS_MAX: u32 = 100_000;
const POSTINGS_MAX: u32 = 10_000_000;
const SCORES_MAX: u32 = 1_000_000;

/// Faults of one document by itself. `is_category` knows the categories in force.
///
/// Stored documents must pass it too, or no node can build its rules: a check added here later may look at new fields and
/// values only, or must be a check of [`validate_rules`].
pub(crate) fn rule_document_faults(rules: &pb::Rules, is_category: &dyn Fn(&str) -> bool) -> Vec<pb::Fault> {
    let mut found = Vec::new();
    match &rules.rules {
        None => found.push(fault("rules", fault::REQUIRED, "a rule document without content")),
        Some(Kind::CodeLists(content)) => code_lists(content, &mut found),
        Some(Kind::Retention(content)) => retention(content, is_category, &mut found),
        Some(Kind::Compatibility(content)) => compatibility(content, is_category, &mut found),
        Some(Kind::SearchProfile(content)) => search_profile(content, &mut found),
        Some(Kind::MinimumFields(content)) => minimum_fields(content, is_category, &mut found),
    }
    found
}

/// All faults of a document that is to replace the one in force. Beside its own: what stored records or index keys could
/// not follow. A list never loses a value (withdraw it instead), and a category never moves between the open and the
/// covert partition, of which every index key is made.
pub fn validate_rules(rules: &pb::Rules, current: &RuleSet) -> Vec<pb::Fault> {
    let mut found = rule_document_faults(rules, &|category| current.category(category).is_some());
    if let Some(Kind::CodeLists(content)) = &rules.rules {
        succession(content, current, &mut found);
    }
    found
}

fn succession(content: &pb::CodeLists, current: &RuleSet, found: &mut Vec<pb::Fault>) {
    for name in current.list_names() {
        let Some(index) = content.lists.iter().position(|list| list.name == name) else {
            let message = format!("list \"{name}\" is in use and cannot go");
            found.push(fault("code_lists.lists", fault::FORBIDDEN_CHANGE, message));
            continue;
        };
        let list = &content.lists[index];
        let path = format!("code_lists.lists[{index}]");
        let values: BTreeSet<&str> = list.entries.iter().map(|entry| entry.value.as_str()).collect();
        let before = current.list(name).into_iter().flat_map(|list| list.entries());
        for (value, _) in before.filter(|(value, _)| !values.contains(value)) {
            let message = format!("value \"{value}\" of list \"{name}\" cannot go; withdraw it");
            found.push(fault(format!("{path}.entries"), fault::FORBIDDEN_CHANGE, message));
        }
        if name == lists::CATEGORY {
            categories_stay(list, &path, current, found);
        }
    }
}

fn categories_stay(list: &pb::CodeList, path: &str, current: &RuleSet, found: &mut Vec<pb::Fault>) {
    for (index, entry) in list.entries.iter().enumerate() {
        let covert = entry.attributes.get(attributes::COVERT).map(String::as_str) == Some("true");
        if current.category(&entry.value).is_some_and(|category| category.covert != covert) {
            let message =
                format!("category \"{}\" cannot move between open and covert: index keys hold it", entry.value);
            let path = format!("{path}.entries[{index}].attributes.{}", attributes::COVERT);
            found.push(fault(path, fault::FORBIDDEN_CHANGE, message));
        }
    }
}

fn code_lists(content: &pb::CodeLists, found: &mut Vec<pb::Fault>) {
    let mut names = BTreeSet::new();
    for (index, list) in content.lists.iter().enumerate() {
        let path = format!("code_lists.lists[{index}]");
        if !is_code(&list.name) {
            found.push(fault(format!("{path}.name"), fault::BAD_FORMAT, "1 to 64 plain characters without spaces"));
        }
        if !names.insert(list.name.as_str()) {
            found.push(fault(format!("{path}.name"), fault::DUPLICATE, "two lists of one name"));
        }
        code_list(list, &path, found);
    }
    for name in LISTS_NEEDED.into_iter().filter(|name| !names.contains(name)) {
        found.push(fault("code_lists.lists", fault::REQUIRED, format!("the store needs list \"{name}\"")));
    }
}

fn code_list(list: &pb::CodeList, path: &str, found: &mut Vec<pb::Fault>) {
    let mut values = BTreeSet::new();
    for (index, entry) in list.entries.iter().enumerate() {
        let path = format!("{path}.entries[{index}]");
        if !is_code(&entry.value) {
            found.push(fault(format!("{path}.value"), fault::BAD_FORMAT, "1 to 64 plain characters without spaces"));
        }
        if !values.insert(entry.value.as_str()) {
            found.push(fault(format!("{path}.value"), fault::DUPLICATE, "the same value twice"));
        }
        if !entry.labels.iter().any(|label| label.language == "en" && !label.text.is_empty()) {
            found.push(fault(format!("{path}.labels"), fault::REQUIRED, "English words for people"));
        }
        let too_long = |text: &String| text.len() > SHORT_TEXT_BYTES_MAX;
        if entry.labels.iter().any(|label| too_long(&label.text)) || entry.attributes.values().any(too_long) {
            found.push(fault(path.clone(), fault::TOO_LONG, format!("at most {SHORT_TEXT_BYTES_MAX} bytes a text")));
        }
        for (name, text) in &entry.attributes {
            if let Some(message) = wrong_attribute(&list.name, name, text) {
                found.push(fault(format!("{path}.attributes.{name}"), fault::BAD_FORMAT, message));
            }
        }
        if list.name == lists::CATEGORY && !entry.attributes.contains_key(attributes::SUBJECTS) {
            let path = format!("{path}.attributes.{}", attributes::SUBJECTS);
            found.push(fault(path, fault::REQUIRED, "a category says which kinds of subject it takes"));
        }
    }
    without_effect(list, path, found);
}

/// An attribute that names another value of its list must name one.
fn without_effect(list: &pb::CodeList, path: &str, found: &mut Vec<pb::Fault>) {
    if list.name != lists::ACTION {
        return;
    }
    for (index, entry) in list.entries.iter().enumerate() {
        if let Some(other) = entry.attributes.get(attributes::WITHOUT_LOCAL_EFFECT)
            && !list.entries.iter().any(|entry| entry.value == *other)
        {
            let path = format!("{path}.entries[{index}].attributes.{}", attributes::WITHOUT_LOCAL_EFFECT);
            found.push(fault(path, fault::UNKNOWN_CODE, "no value of this list"));
        }
    }
}

/// Attributes with a meaning to the store must be readable; others are anybody's.
fn wrong_attribute(list: &str, name: &str, text: &str) -> Option<&'static str> {
    const FLAGS: [&str; 8] = [
        attributes::COVERT,
        attributes::URGENT,
        attributes::SENSITIVE,
        attributes::NAMELESS,
        attributes::NEEDS_REASON,
        attributes::NEEDS_REPORT,
        attributes::MISUSED,
        attributes::GATEWAY,
    ];
    if FLAGS.contains(&name) && !["true", "false"].contains(&text) {
        return Some("\"true\" or \"false\"");
    }
    if name == attributes::PRIORITY && text.parse::<u8>().is_err() {
        return Some("a number from 0 (most urgent) to 255");
    }
    if name == attributes::TERRITORY && text != EVERYWHERE && party::normalise(text) != Some(text) {
        return Some("a territory code such as \"GB-SCT\", or \"*\"");
    }
    if list == lists::CATEGORY && name == attributes::SUBJECTS && subject_kinds(text).is_none() {
        return Some("words out of person, organisation, object");
    }
    None
}

fn retention(content: &pb::RetentionRules, is_category: &dyn Fn(&str) -> bool, found: &mut Vec<pb::Fault>) {
    let keys: Vec<_> = content.rules.iter().map(|rule| (rule.category.as_str(), rule.source.as_str())).collect();
    scopes("retention", &keys, is_category, found);
    if !keys.contains(&("", "")) {
        found.push(fault("retention.rules", fault::REQUIRED, "a rule for any category and source"));
    }
    if content.feed_days > FEED_DAYS_MAX {
        let message = format!("at most {FEED_DAYS_MAX} days; 0 = {FEED_DAYS_DEFAULT}");
        found.push(fault("retention.feed_days", fault::OUT_OF_RANGE, message));
    }
    for (index, rule) in content.rules.iter().enumerate() {
        let path = |field: &str| format!("retention.rules[{index}].{field}");
        for (field, months) in [("period_months", rule.period_months), ("history_months", rule.history_months)] {
            if !(1..=MONTHS_MAX).contains(&months) {
                found.push(fault(path(field), fault::OUT_OF_RANGE, format!("1 to {MONTHS_MAX} months")));
            }
        }
        let longer = rule.period_months_when_decision_lasts_longer;
        if longer != 0 && !(rule.period_months..=MONTHS_MAX).contains(&longer) {
            let message = format!("not below period_months, and at most {MONTHS_MAX}; 0 = no longer period");
            found.push(fault(path("period_months_when_decision_lasts_longer"), fault::OUT_OF_RANGE, message));
        }
        if rule.warn_months_before >= rule.period_months.max(1) {
            found.push(fault(
                path("warn_months_before"),
                fault::INCONSISTENT,
                "the warning comes before the period begins",
            ));
        }
    }
}

fn compatibility(content: &pb::CompatibilityRules, is_category: &dyn Fn(&str) -> bool, found: &mut Vec<pb::Fault>) {
    let mut pairs = BTreeSet::new();
    for (index, pair) in content.compatible.iter().enumerate() {
        for (field, category) in [("a", &pair.a), ("b", &pair.b)] {
            if !is_category(category) {
                let path = format!("compatibility.compatible[{index}].{field}");
                found.push(fault(path, fault::UNKNOWN_CODE, "no category in force"));
            }
        }
        if !pairs.insert((pair.a.as_str().min(&pair.b), pair.a.as_str().max(&pair.b))) {
            found.push(warning(format!("compatibility.compatible[{index}]"), fault::DUPLICATE, "the same pair twice"));
        }
    }
    let mut ranked = BTreeSet::new();
    for (index, category) in content.priority.iter().enumerate() {
        let path = format!("compatibility.priority[{index}]");
        if !is_category(category) {
            found.push(fault(path, fault::UNKNOWN_CODE, "no category in force"));
        } else if !ranked.insert(category) {
            found.push(fault(path, fault::DUPLICATE, "a category has one rank"));
        }
    }
}

fn minimum_fields(content: &pb::MinimumFieldRules, is_category: &dyn Fn(&str) -> bool, found: &mut Vec<pb::Fault>) {
    let keys: Vec<_> = content.rules.iter().map(|rule| (rule.category.as_str(), rule.source.as_str())).collect();
    scopes("minimum_fields", &keys, is_category, found);
    for (index, rule) in content.rules.iter().enumerate() {
        for (position, requirement) in rule.required.iter().enumerate() {
            if !minimum::alternatives(requirement).all(minimum::is_known_path) {
                let path = format!("minimum_fields.rules[{index}].required[{position}]");
                found.push(fault(path, fault::UNKNOWN_CODE, "no field that a rule can ask for; see docs/model.md"));
            }
        }
    }
}

/// Categories known or empty, sources plain, each scope once.
fn scopes(kind: &str, keys: &[(&str, &str)], is_category: &dyn Fn(&str) -> bool, found: &mut Vec<pb::Fault>) {
    let mut seen = BTreeSet::new();
    for (index, (category, source)) in keys.iter().enumerate() {
        let path = format!("{kind}.rules[{index}]");
        if !category.is_empty() && !is_category(category) {
            found.push(fault(format!("{path}.category"), fault::UNKNOWN_CODE, "no category in force"));
        }
        if !source.is_empty() && !is_code(source) {
            found.push(fault(format!("{path}.source"), fault::BAD_FORMAT, "1 to 64 plain characters without spaces"));
        }
        if !seen.insert((category, source)) {
            found.push(fault(path, fault::DUPLICATE, "two rules for one category and source"));
        }
    }
}

fn search_profile(profile: &pb::SearchProfile, found: &mut Vec<pb::Fault>) {
    let amounts = [
        ("threshold", profile.threshold, 1, POINTS_MAX),
        ("max_candidates", profile.max_candidates, 1, SEARCH_CANDIDATES_MAX),
        ("name_weight", profile.name_weight, 0, POINTS_MAX),
        ("date_weight", profile.date_weight, 0, POINTS_MAX),
        ("typing_error_points", profile.typing_error_points, 0, POINTS_MAX),
        ("variant_points", profile.variant_points, 0, POINTS_MAX),
        ("initial_points", profile.initial_points, 0, POINTS_MAX),
        ("missing_part_points", profile.missing_part_points, 0, POINTS_MAX),
        ("budget_expansions", profile.budget_expansions, 1, EXPANSIONS_MAX),
        ("budget_seeks", profile.budget_seeks, 1, SEEKS_MAX),
        ("budget_postings", profile.budget_postings, 1, POSTINGS_MAX),
        ("budget_scores", profile.budget_scores, 1, SCORES_MAX),
        ("normaliser_version", profile.normaliser_version, 1, NORMALISER_VERSION_MAX),
        ("coincidence_ppm_max", profile.coincidence_ppm_max, 0, u32::MAX),
    ];
    for (field, amount, least, most) in amounts {
        if !(least..=most).contains(&amount) {
            found.push(fault(format!("search_profile.{field}"), fault::OUT_OF_RANGE, format!("{least} to {most}")));
        }
    }
    let points = [
        ("date_swapped_points", profile.date_swapped_points),
        ("date_digit_points", profile.date_digit_points),
        ("date_year_near_points", profile.date_year_near_points),
        ("date_year_points", profile.date_year_points),
        ("date_conflict_points", profile.date_conflict_points),
        ("date_unknown_points", profile.date_unknown_points),
        ("gender_conflict_points", profile.gender_conflict_points),
        ("nationality_match_points", profile.nationality_match_points),
        ("nationality_conflict_points", profile.nationality_conflict_points),
    ];
    for (field, points) in points {
        if points.unsigned_abs() > POINTS_MAX {
            let message = format!("-{POINTS_MAX} to {POINTS_MAX} points");
            found.push(fault(format!("search_profile.{field}"), fault::OUT_OF_RANGE, message));
        }
    }
    if u64::from(profile.name_weight) + u64::from(profile.date_weight) != u64::from(POINTS_MAX) {
        let message = format!("name_weight and date_weight together are {POINTS_MAX}");
        found.push(fault("search_profile.name_weight", fault::INCONSISTENT, message));
    }
}

fn is_code(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= CODE_BYTES_MAX
        && !text.chars().any(|character| character.is_whitespace() || is_forbidden(character, false))
}

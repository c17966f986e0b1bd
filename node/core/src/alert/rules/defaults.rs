//! The documents a new cluster starts with, out of `node/core/rules/*.toml`. Data, not code: each value stands there
//! with its source, and a cluster changes its copy without a new version of this program.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use crate::pb::{self, rules::Rules as Kind};

/// The code lists, by subject. The order of files and lists is part of the documents' bytes.
const CODE_LIST_FILES: &[(&str, &str)] = &[
    ("code-lists/alert.toml", include_str!("../../../rules/code-lists/alert.toml")),
    ("code-lists/person.toml", include_str!("../../../rules/code-lists/person.toml")),
    ("code-lists/object.toml", include_str!("../../../rules/code-lists/object.toml")),
    ("code-lists/organisation.toml", include_str!("../../../rules/code-lists/organisation.toml")),
    ("code-lists/procedure.toml", include_str!("../../../rules/code-lists/procedure.toml")),
];
const RETENTION: &str = include_str!("../../../rules/retention.toml");
const COMPATIBILITY: &str = include_str!("../../../rules/compatibility.toml");
const SEARCH_PROFILE: &str = include_str!("../../../rules/search-profile.toml");
const MINIMUM_FIELDS: &str = include_str!("../../../rules/minimum-fields.toml");

/// The shipped documents, in the order of `pb::RuleKind`. Parsed once.
pub(super) fn documents() -> &'static [pb::Rules] {
    static DOCUMENTS: LazyLock<Vec<pb::Rules>> = LazyLock::new(|| {
        let kinds = [
            Kind::CodeLists(code_lists()),
            Kind::Retention(parse::<Retention>("retention.toml", RETENTION).into()),
            Kind::Compatibility(parse::<Compatibility>("compatibility.toml", COMPATIBILITY).into()),
            Kind::SearchProfile(parse::<Profile>("search-profile.toml", SEARCH_PROFILE).into()),
            Kind::MinimumFields(parse::<MinimumFields>("minimum-fields.toml", MINIMUM_FIELDS).into()),
        ];
        kinds.into_iter().map(|rules| pb::Rules { version: 1, rules: Some(rules) }).collect()
    });
    &DOCUMENTS
}

fn parse<'a, T: Deserialize<'a>>(file: &str, text: &'a str) -> T {
    toml::from_str(text).unwrap_or_else(|error| panic!("rules/{file} is part of this program and broken: {error}"))
}

fn code_lists() -> pb::CodeLists {
    let lists = CODE_LIST_FILES.iter().flat_map(|(file, text)| {
        parse::<BTreeMap<String, List>>(file, text).into_iter().map(|(name, list)| pb::CodeList {
            name,
            closed: list.closed,
            entries: list.entries.into_iter().map(|(value, entry)| entry.into_code_entry(value)).collect(),
        })
    });
    pb::CodeLists { lists: lists.collect() }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    /// False: values outside the list are taken with a warning.
    #[serde(default = "closed")]
    closed: bool,
    entries: BTreeMap<String, ListEntry>,
}

fn closed() -> bool {
    true
}

/// Either the English words alone, or a table of words and attributes.
#[derive(Deserialize)]
#[serde(untagged)]
enum ListEntry {
    Words(String),
    Full {
        en: String,
        #[serde(default)]
        withdrawn: bool,
        #[serde(flatten)]
        attributes: BTreeMap<String, Attribute>,
    },
}

/// Attributes are texts in the contract; the files may write numbers and booleans as such.
#[derive(Deserialize)]
#[serde(untagged)]
enum Attribute {
    Text(String),
    Flag(bool),
    Number(i64),
}

impl ListEntry {
    fn into_code_entry(self, value: String) -> pb::CodeEntry {
        let (text, withdrawn, attributes) = match self {
            Self::Words(text) => (text, false, BTreeMap::new()),
            Self::Full { en, withdrawn, attributes } => (en, withdrawn, attributes),
        };
        let attributes = attributes.into_iter().map(|(name, attribute)| {
            let text = match attribute {
                Attribute::Text(text) => text,
                Attribute::Flag(flag) => flag.to_string(),
                Attribute::Number(number) => number.to_string(),
            };
            (name, text)
        });
        let labels = vec![pb::LocalisedText { language: "en".into(), text }];
        pb::CodeEntry { value, labels, withdrawn, attributes: attributes.collect() }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Retention {
    feed_days: u32,
    rules: Vec<RetentionRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RetentionRule {
    #[serde(default)]
    category: String,
    #[serde(default)]
    source: String,
    period_months: u32,
    #[serde(default)]
    period_months_when_decision_lasts_longer: u32,
    warn_months_before: u32,
    history_months: u32,
}

impl From<Retention> for pb::RetentionRules {
    fn from(file: Retention) -> Self {
        let rule = |rule: RetentionRule| pb::RetentionRule {
            category: rule.category,
            source: rule.source,
            period_months: rule.period_months,
            period_months_when_decision_lasts_longer: rule.period_months_when_decision_lasts_longer,
            warn_months_before: rule.warn_months_before,
            history_months: rule.history_months,
        };
        Self { rules: file.rules.into_iter().map(rule).collect(), feed_days: file.feed_days }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Compatibility {
    compatible: Vec<(String, String)>,
    priority: Vec<String>,
}

impl From<Compatibility> for pb::CompatibilityRules {
    fn from(file: Compatibility) -> Self {
        let compatible = file.compatible.into_iter().map(|(a, b)| pb::CategoryPair { a, b }).collect();
        Self { compatible, priority: file.priority }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MinimumFields {
    rules: Vec<MinimumFieldRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MinimumFieldRule {
    #[serde(default)]
    category: String,
    #[serde(default)]
    source: String,
    required: Vec<String>,
    #[serde(default)]
    accept_with_flags: bool,
}

impl From<MinimumFields> for pb::MinimumFieldRules {
    fn from(file: MinimumFields) -> Self {
        let rule = |rule: MinimumFieldRule| pb::MinimumFieldRule {
            category: rule.category,
            source: rule.source,
            required: rule.required,
            accept_with_flags: rule.accept_with_flags,
        };
        Self { rules: file.rules.into_iter().map(rule).collect() }
    }
}

macro_rules! profile {
    ($($field:ident: $type:ty,)*) => {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Profile { $($field: $type,)* }

        impl From<Profile> for pb::SearchProfile {
            fn from(file: Profile) -> Self {
                Self { $($field: file.$field,)* }
            }
        }
    };
}

profile! {
    threshold: u32,
    max_candidates: u32,
    name_weight: u32,
    date_weight: u32,
    date_swapped_points: i32,
    date_digit_points: i32,
    date_year_near_points: i32,
    date_year_points: i32,
    date_conflict_points: i32,
    date_unknown_points: i32,
    gender_conflict_points: i32,
    nationality_match_points: i32,
    nationality_conflict_points: i32,
    typing_error_points: u32,
    variant_points: u32,
    initial_points: u32,
    missing_part_points: u32,
    budget_expansions: u32,
    budget_seeks: u32,
    budget_postings: u32,
    budget_scores: u32,
    normaliser_version: u32,
    coincidence_ppm_max: u32,
}

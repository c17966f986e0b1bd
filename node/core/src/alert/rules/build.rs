//! From rule documents to a [`RuleSet`], with all faults at once.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Category, CodeList, RuleSet, RuleSetVersions, Scoped,
    codes::{attributes, lists},
};
use crate::{
    alert::{
        fault::{self, fault},
        validate::rule_document_faults,
    },
    pb::{self, rules::Rules as Kind},
};

pub(super) fn from_documents(documents: impl IntoIterator<Item = pb::Rules>) -> Result<RuleSet, Vec<pb::Fault>> {
    let mut parts = Parts::default();
    let mut faults = Vec::new();
    for document in documents {
        parts.take(document, &mut faults);
    }
    let lists: BTreeMap<String, CodeList> =
        parts.code_lists.1.lists.iter().map(|list| (list.name.clone(), CodeList::new(list))).collect();
    let categories = categories(&lists);
    parts.missing(&mut faults);
    for (document, _) in parts.documents() {
        faults.extend(rule_document_faults(&document, &|category| categories.contains_key(category)));
    }
    faults.retain(|fault| !fault.warning);
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(RuleSet {
        versions: RuleSetVersions {
            code_lists: parts.code_lists.0,
            retention: parts.retention.0,
            compatibility: parts.compatibility.0,
            search_profile: parts.search_profile.0,
            minimum_fields: parts.minimum_fields.0,
        },
        feed_days: parts.retention.1.feed_days,
        retention: scoped(parts.retention.1.rules, |rule| (&rule.category, &rule.source)),
        compatible: pairs(&parts.compatibility.1),
        ranks: parts.compatibility.1.priority.iter().enumerate().map(|(rank, name)| (name.clone(), rank)).collect(),
        minimum_fields: scoped(parts.minimum_fields.1.rules, |rule| (&rule.category, &rule.source)),
        search_profile: parts.search_profile.1,
        next_profile: None,
        lists,
        categories,
    })
}

/// Version and content of each kind as far as it was given.
#[derive(Default)]
struct Parts {
    seen: BTreeSet<&'static str>,
    code_lists: (u64, pb::CodeLists),
    retention: (u64, pb::RetentionRules),
    compatibility: (u64, pb::CompatibilityRules),
    search_profile: (u64, pb::SearchProfile),
    minimum_fields: (u64, pb::MinimumFieldRules),
}

/// Field names of the kinds in `pb::Rules`.
const KINDS: [&str; 5] = ["code_lists", "retention", "compatibility", "search_profile", "minimum_fields"];

impl Parts {
    fn take(&mut self, document: pb::Rules, faults: &mut Vec<pb::Fault>) {
        let version = document.version;
        let kind = match document.rules {
            None => return faults.push(fault("rules", fault::REQUIRED, "a rule document without content")),
            Some(Kind::CodeLists(content)) => {
                self.code_lists = (version, content);
                KINDS[0]
            }
            Some(Kind::Retention(content)) => {
                self.retention = (version, content);
                KINDS[1]
            }
            Some(Kind::Compatibility(content)) => {
                self.compatibility = (version, content);
                KINDS[2]
            }
            Some(Kind::SearchProfile(content)) => {
                self.search_profile = (version, content);
                KINDS[3]
            }
            Some(Kind::MinimumFields(content)) => {
                self.minimum_fields = (version, content);
                KINDS[4]
            }
        };
        if !self.seen.insert(kind) {
            faults.push(fault(kind, fault::DUPLICATE, "two documents of one kind"));
        }
    }

    fn missing(&self, faults: &mut Vec<pb::Fault>) {
        for kind in KINDS.into_iter().filter(|kind| !self.seen.contains(kind)) {
            faults.push(fault(kind, fault::REQUIRED, "a cluster needs one document of each kind of rule"));
        }
    }

    fn documents(&self) -> Vec<(pb::Rules, &'static str)> {
        let documents = [
            (self.code_lists.0, Kind::CodeLists(self.code_lists.1.clone())),
            (self.retention.0, Kind::Retention(self.retention.1.clone())),
            (self.compatibility.0, Kind::Compatibility(self.compatibility.1.clone())),
            (self.search_profile.0, Kind::SearchProfile(self.search_profile.1)),
            (self.minimum_fields.0, Kind::MinimumFields(self.minimum_fields.1.clone())),
        ];
        let rules = documents.into_iter().map(|(version, rules)| pb::Rules { version, rules: Some(rules) });
        rules.zip(KINDS).filter(|(_, kind)| self.seen.contains(kind)).collect()
    }
}

/// The typed form of list "category". Attributes that do not parse are faults of the document; here they are the safe
/// side: covert, least urgent.
fn categories(lists: &BTreeMap<String, CodeList>) -> BTreeMap<String, Category> {
    let entries = lists.get(lists::CATEGORY).into_iter().flat_map(CodeList::entries);
    let category = |entry: &super::Entry| Category {
        covert: entry.attribute(attributes::COVERT).is_some_and(|value| value != "false"),
        priority: entry
            .attribute(attributes::PRIORITY)
            .and_then(|value| value.parse().ok())
            .unwrap_or(super::PRIORITY_LOWEST),
        urgent: entry.has(attributes::URGENT),
        sensitive: entry.has(attributes::SENSITIVE),
        subjects: subject_kinds(entry.attribute(attributes::SUBJECTS).unwrap_or_default()).unwrap_or_default(),
    };
    entries.map(|(value, entry)| (value.to_owned(), category(entry))).collect()
}

/// "person organisation" -> kinds; `None` when a word is no kind or there is none.
pub(crate) fn subject_kinds(text: &str) -> Option<Vec<pb::SubjectKind>> {
    let kinds: Vec<_> = text
        .split_whitespace()
        .map(|word| match word {
            "person" => Some(pb::SubjectKind::Person),
            "organisation" => Some(pb::SubjectKind::Organisation),
            "object" => Some(pb::SubjectKind::Object),
            _ => None,
        })
        .collect::<Option<_>>()?;
    if kinds.is_empty() { None } else { Some(kinds) }
}

fn pairs(rules: &pb::CompatibilityRules) -> BTreeMap<String, BTreeSet<String>> {
    let mut pairs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for pair in &rules.compatible {
        pairs.entry(pair.a.clone()).or_default().insert(pair.b.clone());
        pairs.entry(pair.b.clone()).or_default().insert(pair.a.clone());
    }
    pairs
}

fn scoped<T>(rules: Vec<T>, scope: impl Fn(&T) -> (&String, &String)) -> Scoped<T> {
    let mut scoped: Scoped<T> = BTreeMap::new();
    for rule in rules {
        let (category, source) = scope(&rule);
        let (category, source) = (category.clone(), source.clone());
        scoped.entry(category).or_default().insert(source, rule);
    }
    scoped
}

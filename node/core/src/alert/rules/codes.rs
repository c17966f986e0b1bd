//! Code lists, and the attributes of their values that mean something to the store.

use std::collections::BTreeMap;

use crate::pb;

/// Names of the lists whose values the store itself looks at. All other lists are only checked.
pub mod lists {
    pub const ACTION: &str = "action";
    pub const AUTHORITY: &str = "authority";
    pub const CATEGORY: &str = "category";
    pub const DATE_QUALIFIER: &str = "date-qualifier";
    pub const DELETION_REASON: &str = "deletion-reason";
    pub const HANDLING: &str = "handling";
    pub const IDENTITY_KIND: &str = "identity-kind";
    pub const JURISDICTION: &str = "jurisdiction";
    pub const MISSING_PERSON_CASE: &str = "missing-person-case";
    pub const OBJECT_CLASS: &str = "object-class";
    pub const PURPOSE: &str = "purpose";
    pub const QUALITY_FLAG: &str = "quality-flag";
    pub const HIT_OUTCOME: &str = "hit-outcome";
    pub const SOURCE_SYSTEM: &str = "source-system";
    pub const URGENCY: &str = "urgency";
}

/// Names of the attributes that mean something to the store.
pub mod attributes {
    /// On a category: "true" = covert partition.
    pub const COVERT: &str = "covert";
    /// On a category, missing-person case or urgency: 0 (most urgent) to 255.
    pub const PRIORITY: &str = "priority";
    /// On a category or missing-person case: "true" = a hit needs an answer at once.
    pub const URGENT: &str = "urgent";
    /// On a category: "true" = special care in showing it.
    pub const SENSITIVE: &str = "sensitive";
    /// On a category: which kinds of subject it takes, space-separated: person, organisation, object.
    pub const SUBJECTS: &str = "subjects";
    /// On an authority: "true" = it keeps the alerts of foreign owners on their behalf.
    pub const GATEWAY: &str = "gateway";
    /// On an object class: the name of the `Object.detail` that fits.
    pub const DETAIL: &str = "detail";
    /// On a jurisdiction: its territory code; "*" = every jurisdiction of the United Kingdom. On an authority: the
    /// jurisdiction that its officers stand in; absent = several.
    pub const TERRITORY: &str = "territory";
    /// On an object class: "optional" = a description may stand in for a number.
    pub const IDENTIFIER: &str = "identifier";
    /// On a category: "true" = its subjects have no known name.
    pub const NAMELESS: &str = "nameless";
    /// On an identity kind: "true" = the identity belongs to somebody else, the victim.
    pub const MISUSED: &str = "misused";
    /// On a hit's outcome: "true" = it needs a reason.
    pub const NEEDS_REASON: &str = "needs-reason";
    /// On a hit's outcome: "true" = it needs a report.
    pub const NEEDS_REPORT: &str = "needs-report";
    /// On an action of a foreign alert: what a United Kingdom caller is shown without a local effect.
    pub const WITHOUT_LOCAL_EFFECT: &str = "without-local-effect";
}

/// One list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeList {
    closed: bool,
    entries: BTreeMap<String, Entry>,
}

/// One value of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    withdrawn: bool,
    /// Language -> text.
    labels: BTreeMap<String, String>,
    attributes: BTreeMap<String, String>,
}

/// What the lists say of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeStatus<'a> {
    /// In force.
    Known(&'a Entry),
    /// For records that have it already.
    Withdrawn(&'a Entry),
    /// Not in the list. A list that is not closed takes it with a warning.
    Unknown {
        /// Whether the list refuses values outside it.
        closed: bool,
    },
    /// There is no list of that name.
    NoSuchList,
}

impl CodeList {
    pub(super) fn new(list: &pb::CodeList) -> Self {
        let entries = list.entries.iter().map(|entry| (entry.value.clone(), Entry::new(entry))).collect();
        Self { closed: list.closed, entries }
    }

    /// False: values outside the list are taken with a warning.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// One value, withdrawn or not.
    pub fn entry(&self, value: &str) -> Option<&Entry> {
        self.entries.get(value)
    }

    /// All values, sorted.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(value, entry)| (value.as_str(), entry))
    }

    pub(super) fn status(&self, value: &str) -> CodeStatus<'_> {
        match self.entries.get(value) {
            Some(entry) if entry.withdrawn => CodeStatus::Withdrawn(entry),
            Some(entry) => CodeStatus::Known(entry),
            None => CodeStatus::Unknown { closed: self.closed },
        }
    }
}

impl Entry {
    fn new(entry: &pb::CodeEntry) -> Self {
        Self {
            withdrawn: entry.withdrawn,
            labels: entry.labels.iter().map(|label| (label.language.clone(), label.text.clone())).collect(),
            attributes: entry.attributes.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        }
    }

    /// No longer for new alerts.
    pub fn is_withdrawn(&self) -> bool {
        self.withdrawn
    }

    /// The words for people, in the language asked for or else in English.
    pub fn label(&self, language: &str) -> Option<&str> {
        self.labels.get(language).or_else(|| self.labels.get("en")).map(String::as_str)
    }

    /// A value with a meaning to the store.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// True when an attribute is there and says "true".
    pub fn has(&self, name: &str) -> bool {
        self.attribute(name) == Some("true")
    }
}

/// What a category means to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// Whoever may not know of it gets no hit.
    pub covert: bool,
    /// 0 = most urgent.
    pub priority: u8,
    /// A hit needs an answer at once.
    pub urgent: bool,
    /// Special care in showing it.
    pub sensitive: bool,
    /// Kinds of subject it takes.
    pub subjects: Vec<pb::SubjectKind>,
}

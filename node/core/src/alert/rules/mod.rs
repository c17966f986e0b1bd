//! The rules in force: code lists, retention, compatibility, minimum fields and the search profile, out of replicated
//! documents of which each kind has a version of its own. Rules are data: nothing here knows a category by name.
//!
//! * `codes`: code lists and the attributes that mean something to the store
//! * `build`: from documents, with all faults at once
//! * `defaults`: the documents a new cluster starts with

pub(crate) mod build;
pub(crate) mod codes;
mod defaults;

use std::collections::{BTreeMap, BTreeSet};

pub use codes::{Category, CodeList, CodeStatus, Entry, attributes, lists};

use super::Partition;
use crate::{limits, pb};

/// Least urgent; also that of an unknown category.
pub const PRIORITY_LOWEST: u8 = u8::MAX;

/// Versions of the rule documents; 0 = there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RuleSetVersions {
    /// Of the code lists.
    pub code_lists: u64,
    /// Of the retention rules.
    pub retention: u64,
    /// Of the compatibility rules.
    pub compatibility: u64,
    /// Of the search profile.
    pub search_profile: u64,
    /// Of the minimum fields.
    pub minimum_fields: u64,
}

/// All rules in force, typed and indexed. Built once per change of rules and shared.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleSet {
    versions: RuleSetVersions,
    lists: BTreeMap<String, CodeList>,
    categories: BTreeMap<String, Category>,
    feed_days: u32,
    retention: Scoped<pb::RetentionRule>,
    /// Category -> those that may stand beside it; both orders of each pair.
    compatible: BTreeMap<String, BTreeSet<String>>,
    /// Category -> rank, 0 = wins over all others.
    ranks: BTreeMap<String, usize>,
    minimum_fields: Scoped<pb::MinimumFieldRule>,
    search_profile: pb::SearchProfile,
    /// A whole document: version and profile.
    next_profile: Option<pb::Rules>,
}

impl RuleSet {
    /// The documents a new cluster starts with, one per kind, each version 1, in the order of `pb::RuleKind`.
    pub fn default_rules() -> Vec<pb::Rules> {
        defaults::documents().to_vec()
    }

    /// The rule set of [`RuleSet::default_rules`], for tests and tools.
    pub fn defaults() -> Self {
        Self::from_documents(Self::default_rules()).expect("the shipped rules are checked by a test")
    }

    /// From the documents in force: exactly one of each kind. All faults at once; warnings are left out.
    pub fn from_documents(documents: impl IntoIterator<Item = pb::Rules>) -> Result<Self, Vec<pb::Fault>> {
        build::from_documents(documents)
    }

    /// The version of each document.
    pub fn versions(&self) -> RuleSetVersions {
        self.versions
    }

    /// A code list by name.
    pub fn list(&self, name: &str) -> Option<&CodeList> {
        self.lists.get(name)
    }

    /// Names of all code lists, sorted.
    pub fn list_names(&self) -> impl Iterator<Item = &str> {
        self.lists.keys().map(String::as_str)
    }

    /// Whether a list holds a value.
    pub fn code(&self, list: &str, value: &str) -> CodeStatus<'_> {
        match self.lists.get(list) {
            None => CodeStatus::NoSuchList,
            Some(list) => list.status(value),
        }
    }

    /// An attribute of a value, known or withdrawn.
    pub fn attribute(&self, list: &str, value: &str, name: &str) -> Option<&str> {
        self.lists.get(list)?.entry(value)?.attribute(name)
    }

    /// A category with what it means to the store; withdrawn ones too, for alerts that still carry them.
    pub fn category(&self, value: &str) -> Option<&Category> {
        self.categories.get(value)
    }

    /// The index partition of a category. An unknown category is covert: the safe side.
    pub fn partition(&self, category: &str) -> Partition {
        match self.categories.get(category) {
            Some(category) if !category.covert => Partition::Open,
            _ => Partition::Covert,
        }
    }

    /// How long a change stays in the feed, in milliseconds.
    pub fn feed_retention_ms(&self) -> u64 {
        let days = if self.feed_days == 0 { limits::FEED_DAYS_DEFAULT } else { self.feed_days };
        u64::from(days) * 24 * 60 * 60 * 1000
    }

    /// The retention rule that counts: both match, else by source, else by category, else the rule for any. A source's
    /// own rule is stronger than a category's: a foreign record lives by the rules of the system it came from.
    pub fn retention(&self, category: &str, source: &str) -> &pb::RetentionRule {
        most_specific(&self.retention, category, source).expect("built only with a rule for any category and source")
    }

    /// The minimum fields that count, by the same order as [`RuleSet::retention`].
    pub fn minimum_fields(&self, category: &str, source: &str) -> Option<&pb::MinimumFieldRule> {
        most_specific(&self.minimum_fields, category, source)
    }

    /// True when alerts of the two categories may stand beside each other on one subject.
    pub fn are_compatible(&self, a: &str, b: &str) -> bool {
        self.compatible.get(a).is_some_and(|others| others.contains(b))
    }

    /// The rank among incompatible categories: the lower one wins. A category not ranked loses to every ranked one.
    pub fn rank(&self, category: &str) -> usize {
        self.ranks.get(category).copied().unwrap_or(usize::MAX)
    }

    /// Weights, threshold and budgets of search.
    pub fn search_profile(&self) -> &pb::SearchProfile {
        &self.search_profile
    }

    /// The same rules, with the search profile that is to come into force once its index is built.
    pub fn with_next_profile(mut self, document: Option<pb::Rules>) -> Self {
        self.next_profile = document;
        self
    }

    /// The document of the search profile that waits for its index.
    pub fn next_profile(&self) -> Option<&pb::Rules> {
        self.next_profile.as_ref()
    }

    /// The normaliser of [`RuleSet::next_profile`].
    pub fn next_normaliser(&self) -> Option<u32> {
        match self.next_profile.as_ref()?.rules.as_ref()? {
            pb::rules::Rules::SearchProfile(profile) => Some(profile.normaliser_version),
            _ => None,
        }
    }
}

/// Category -> source -> rule; empty = any.
type Scoped<T> = BTreeMap<String, BTreeMap<String, T>>;

fn most_specific<'a, T>(rules: &'a Scoped<T>, category: &str, source: &str) -> Option<&'a T> {
    [(category, source), ("", source), (category, ""), ("", "")]
        .into_iter()
        .find_map(|(category, source)| rules.get(category)?.get(source))
}

#[cfg(test)]
mod tests;

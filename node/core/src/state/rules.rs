//! The rules in force, typed, and kept in memory until they change.

use std::sync::Arc;

use prost::Message;

use super::{Meta, View, ViewError, family, family::Family};
use crate::{alert::RuleSet, pb};

/// The rule set of one `Meta::rules_revision`.
#[derive(Debug, Default)]
pub struct RuleCache {
    held: Option<(u64, Arc<RuleSet>)>,
}

impl RuleCache {
    /// The rules as of `view`, whose counters are `meta`.
    pub fn get(&mut self, view: &dyn View, meta: &Meta) -> Result<Arc<RuleSet>, ViewError> {
        match &self.held {
            Some((revision, rules)) if *revision == meta.rules_revision => Ok(Arc::clone(rules)),
            _ => {
                let rules = Arc::new(read_rules(view)?);
                self.held = Some((meta.rules_revision, Arc::clone(&rules)));
                Ok(rules)
            }
        }
    }
}

/// Every rule document in `view`; a kind that was never set has the default that each version ships.
pub fn read_rules(view: &dyn View) -> Result<RuleSet, ViewError> {
    let mut documents = Vec::new();
    for default in RuleSet::default_rules() {
        let kind = rule_kind(&default);
        documents.push(match view.get(Family::Rules, &family::rules(kind as i32))? {
            Some(bytes) => pb::Rules::decode(bytes.as_slice()).map_err(|error| ViewError(format!("rules: {error}")))?,
            None => default,
        });
    }
    let rules = RuleSet::from_documents(documents)
        .map_err(|faults| ViewError(format!("stored rules are not valid: {} faults", faults.len())))?;
    Ok(rules.with_next_profile(read_next_profile(view)?))
}

/// The search profile that waits until every member has built its index.
pub fn read_next_profile(view: &dyn View) -> Result<Option<pb::Rules>, ViewError> {
    let bytes = view.get(Family::Rules, &family::next_rules(pb::RuleKind::SearchProfile as i32))?;
    bytes
        .map(|bytes| pb::Rules::decode(bytes.as_slice()).map_err(|error| ViewError(format!("next profile: {error}"))))
        .transpose()
}

/// Which kind of rules a document holds.
pub fn rule_kind(rules: &pb::Rules) -> pb::RuleKind {
    use pb::rules::Rules;
    match &rules.rules {
        None => pb::RuleKind::Unspecified,
        Some(Rules::CodeLists(_)) => pb::RuleKind::CodeLists,
        Some(Rules::Retention(_)) => pb::RuleKind::Retention,
        Some(Rules::Compatibility(_)) => pb::RuleKind::Compatibility,
        Some(Rules::SearchProfile(_)) => pb::RuleKind::SearchProfile,
        Some(Rules::MinimumFields(_)) => pb::RuleKind::MinimumFields,
    }
}

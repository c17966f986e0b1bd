//! The rules in force, typed, and kept in memory until they change; and those that a cluster begins with.

use std::sync::Arc;

use prost::Message;

use super::{
    Meta, View, ViewError,
    command::{Command, Outcome},
    context::{Applied, first_fault, undecodable},
    family,
    family::Family,
    indexing::normaliser_in_force,
    writer::Writer,
};
use crate::{alert::RuleSet, pb};

/// The rule set of one `Meta::rules_revision`.
#[derive(Debug, Default)]
pub struct RuleCache {
    held: Option<(u64, Arc<RuleSet>)>,
}

impl RuleCache {
    /// The rules as of `view`, whose counters are `meta`; `None` before the cluster is founded.
    pub fn get(&mut self, view: &dyn View, meta: &Meta) -> Result<Option<Arc<RuleSet>>, ViewError> {
        if let Some((revision, rules)) = &self.held
            && *revision == meta.rules_revision
        {
            return Ok(Some(Arc::clone(rules)));
        }
        let rules = read_rules(view)?.map(Arc::new);
        self.held = rules.as_ref().map(|rules| (meta.rules_revision, Arc::clone(rules)));
        Ok(rules)
    }
}

/// Every kind of rules there is.
pub const RULE_KINDS: [pb::RuleKind; 5] = [
    pb::RuleKind::CodeLists,
    pb::RuleKind::Retention,
    pb::RuleKind::Compatibility,
    pb::RuleKind::SearchProfile,
    pb::RuleKind::MinimumFields,
];

/// Every rule document in `view`; `None` before the cluster is founded. What a node ships never stands in for what is
/// not stored: nodes of two releases would decide differently.
pub fn read_rules(view: &dyn View) -> Result<Option<RuleSet>, ViewError> {
    let mut documents = Vec::new();
    for kind in RULE_KINDS {
        documents.extend(read_rule_document(view, kind)?);
    }
    if documents.is_empty() {
        return Ok(None);
    }
    let rules = RuleSet::from_documents(documents)
        .map_err(|faults| ViewError(format!("stored rules are not valid: {} faults", faults.len())))?;
    Ok(Some(rules.with_next_profile(read_next_profile(view)?)))
}

/// The document of one kind that is in force.
pub fn read_rule_document(view: &dyn View, kind: pb::RuleKind) -> Result<Option<pb::Rules>, ViewError> {
    read_document(view, &family::rules(kind as i32))
}

/// The search profile that waits until every member has built its index.
pub fn read_next_profile(view: &dyn View) -> Result<Option<pb::Rules>, ViewError> {
    read_document(view, &family::next_rules(pb::RuleKind::SearchProfile as i32))
}

fn read_document(view: &dyn View, key: &[u8]) -> Result<Option<pb::Rules>, ViewError> {
    let bytes = view.get(Family::Rules, key)?;
    bytes
        .map(|bytes| pb::Rules::decode(bytes.as_slice()))
        .transpose()
        .map_err(|error| ViewError(format!("rules: {error}")))
}

/// True once the cluster has the rules that it began with.
pub fn is_founded(view: &dyn View) -> Result<bool, ViewError> {
    Ok(view.get(Family::Rules, &family::rules(pb::RuleKind::CodeLists as i32))?.is_some())
}

/// What founds a cluster with the rules that this version ships.
pub fn founding() -> Command {
    Command::Found { rules: RuleSet::default_rules().iter().map(Message::encode_to_vec).collect() }
}

/// Stores the rules that the cluster begins with. They are what revision 0 holds: nobody has changed anything yet.
pub(super) fn found(writer: &mut Writer<'_>, rules: &[Vec<u8>]) -> Applied {
    if is_founded(writer.view())? {
        return Ok(writer.done_without_id(Outcome::Unchanged));
    }
    let documents: Vec<pb::Rules> =
        rules.iter().map(|bytes| pb::Rules::decode(bytes.as_slice())).collect::<Result<_, _>>().map_err(undecodable)?;
    match RuleSet::from_documents(documents.iter().cloned()) {
        Ok(rules) => drop(normaliser_in_force(&rules, writer.caches.normalisers)?),
        Err(faults) => first_fault(faults)?,
    }
    for (document, bytes) in documents.iter().zip(rules) {
        writer.set(Family::Rules, family::rules(rule_kind(document) as i32), Some(bytes.clone()))?;
    }
    Ok(writer.done_without_id(Outcome::Created))
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

//! Faults of rule documents.

use crate::{alert::RuleSet, pb};

/// Faults of one document by itself. `is_category` knows the categories in force.
pub(crate) fn rule_document_faults(_rules: &pb::Rules, _is_category: &dyn Fn(&str) -> bool) -> Vec<pb::Fault> {
    Vec::new()
}

/// Faults of a document that is to replace the one in force.
pub fn validate_rules(_rules: &pb::Rules, _current: &RuleSet) -> Vec<pb::Fault> {
    Vec::new()
}

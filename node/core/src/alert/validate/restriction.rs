//! Small messages that change an alert from outside: restrictions, links, a new owner.

use super::{
    checker::{
        Checker,
        Need::{Optional, Required},
    },
    core,
};
use crate::{
    alert::{AlertId, RuleSet, fault, rules::codes::lists},
    pb,
};

/// All faults of a restriction as it is asked for. Its number and its lifting are the store's.
pub fn validate_restriction(restriction: &pb::Restriction, rules: &RuleSet, now_ms: u64) -> Vec<pb::Fault> {
    let mut check = Checker::new(rules, now_ms);
    let walk = &mut check;
    let kind = walk.enumeration::<pb::RestrictionKind>("kind", restriction.kind, Required);
    walk.parties("territories", &restriction.territories);
    let flagged = kind == Some(pb::RestrictionKind::Flagged);
    let need = if flagged { Required } else { Optional };
    walk.code("substitute_action", &restriction.substitute_action, lists::ACTION, need);
    if !flagged && restriction.substitute_action.is_some() {
        walk.fault_at("substitute_action", fault::INCONSISTENT, "only a flag replaces the action");
    }
    if kind == Some(pb::RestrictionKind::Blocked) && !restriction.territories.is_empty() {
        walk.warn_at("territories", fault::INCONSISTENT, "a block holds everywhere");
    }
    walk.text("requested_by", &restriction.requested_by, Required);
    walk.long_text("decision", &restriction.decision, Required);
    let from = walk.time("from", &restriction.from);
    let until = walk.time("until", &restriction.until);
    if matches!((from, until), (Some(from), Some(until)) if until <= from) {
        walk.fault_at("until", fault::INCONSISTENT, "ends before it begins");
    }
    if until.is_some_and(|until| until <= now_ms) {
        walk.fault_at("until", fault::OUT_OF_RANGE, "has passed already");
    }
    check.finish()
}

/// All faults of a link as it is asked for. Its id, owner and time are the store's.
pub fn validate_link(link: &pb::Link, rules: &RuleSet) -> Vec<pb::Fault> {
    let mut check = Checker::new(rules, 0);
    let walk = &mut check;
    let (a, b) = (link.alert_a.parse::<AlertId>(), link.alert_b.parse::<AlertId>());
    for (field, id) in [("alert_a", &a), ("alert_b", &b)] {
        if id.is_err() {
            walk.fault_at(field, fault::BAD_FORMAT, "no hyphenated UUID");
        }
    }
    if a.is_ok() && a == b {
        walk.fault_at("alert_b", fault::INCONSISTENT, "an alert cannot be linked with itself");
    }
    walk.code("kind", &link.kind, "link-kind", Required);
    walk.long_text("note", &link.note, Optional);
    check.finish()
}

/// All faults of an owner that an alert is to be handed to.
pub fn validate_owner(owner: &pb::Owner, rules: &RuleSet) -> Vec<pb::Fault> {
    let mut check = Checker::new(rules, 0);
    core::owner(&mut check, owner);
    check.finish()
}

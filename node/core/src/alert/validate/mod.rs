//! All that is wrong with a message, at once: each fault with its field path, a stable code (`fault`) and a sentence that
//! quotes no personal data. Warnings never block.
//!
//! * `checker`: walks a message and collects; `parts`, `date`: what several sections share
//! * `core`, `person`, `object`, `rest`: the sections of an alert
//! * `minimum`: minimum fields by category and source, quality flags
//! * `agreement`, `hit`, `rules`, `restriction`: the other messages that are stored

mod agreement;
mod checker;
mod core;
mod date;
mod hit;
mod minimum;
mod object;
mod parts;
mod person;
mod rest;
mod restriction;
mod rules;

use prost::Message;

pub use agreement::{CANDIDATE_FIELDS, RECORD_FIELDS, validate_agreement};
use checker::Checker;
pub use hit::validate_hit;
pub use minimum::{minimum_field_paths, quality_flags};
use parts::{mrz, number, place, place_fields};
pub use restriction::{validate_link, validate_owner, validate_restriction};
pub(crate) use rules::rule_document_faults;
pub use rules::validate_rules;

use super::{AlertId, RuleSet, fault};
use crate::{limits::RECORD_BYTES_MAX, pb};

/// All faults of a new alert as its owner sends it. The life cycle section and the data key are the store's own and are
/// not looked at.
pub fn validate(alert: &pb::Alert, rules: &RuleSet, now_ms: u64) -> Vec<pb::Fault> {
    let mut check = Checker::new(rules, now_ms);
    walk(&mut check, alert);
    check.finish()
}

/// All faults of new content for an alert that exists: as [`validate`], but withdrawn codes that the alert had before
/// may stay.
pub fn validate_update(old: &pb::Alert, new: &pb::Alert, rules: &RuleSet, now_ms: u64) -> Vec<pb::Fault> {
    let mut before = Checker::new(rules, now_ms);
    walk(&mut before, old);
    let mut check = Checker::new(rules, now_ms);
    check.kept_codes = before.withdrawn_codes;
    walk(&mut check, new);
    check.finish()
}

fn walk(check: &mut Checker, alert: &pb::Alert) {
    let bytes = alert.encoded_len();
    if bytes > RECORD_BYTES_MAX {
        check.fault(fault::TOO_LARGE, &format!("{bytes} bytes; at most {RECORD_BYTES_MAX} are allowed"));
    }
    if !alert.id.is_empty() && alert.id.parse::<AlertId>().is_err() {
        check.fault_at("id", fault::BAD_FORMAT, "no hyphenated UUID");
    }
    let mut kind = pb::SubjectKind::Unspecified;
    match &alert.core {
        Some(section) => {
            check.within("core", |check| core::core(check, &alert.id, section));
            kind = pb::SubjectKind::try_from(section.subject_kind).unwrap_or_default();
        }
        None => check.fault_at("core", fault::REQUIRED, "an alert needs its core section"),
    }
    if let Some(section) = &alert.identities {
        check.within("identities", |check| person::identities(check, section));
    }
    if let Some(section) = &alert.victims {
        check.within("victims", |check| rest::victims(check, alert, section));
    }
    if let Some(section) = &alert.objects {
        check.within("objects", |check| object::objects(check, section));
    }
    if let Some(section) = &alert.action {
        check.within("action", |check| rest::action(check, alert, section));
    }
    if let Some(section) = &alert.internal {
        check.within("internal", |check| rest::internal(check, section));
    }
    if let Some(section) = &alert.attachments {
        check.within("attachments", |check| rest::attachments(check, section));
    }
    let lenient = minimum::rule(alert, check.rules).is_some_and(|rule| rule.accept_with_flags);
    person::subject(check, alert, kind, lenient);
    object::subject(check, alert, kind);
    minimum::minimum_fields(check, alert);
}

#[cfg(test)]
mod tests;

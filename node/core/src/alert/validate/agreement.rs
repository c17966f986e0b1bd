//! Agreements with partners.

use super::checker::{
    Checker,
    Need::{Optional, Required},
};
use crate::{
    alert::{RuleSet, UNITED_KINGDOM, fault, rules::codes::lists},
    limits::LIST_ITEMS_MAX,
    pb,
};

/// Sections that an agreement can give a right to; single kinds of attachment as "attachments.photo".
pub const RECORD_FIELDS: [&str; 4] = ["identities", "objects", "action", "attachments"];
/// Fields of a candidate that an agreement can give a right to. The id, version, score and category are always there.
pub const CANDIDATE_FIELDS: [&str; 12] = [
    "explanation",
    "identity_kind",
    "action",
    "action_texts",
    "markers",
    "owner",
    "has_photo",
    "subject_kind",
    "title",
    "object_class",
    "source",
    "urgency",
];
const ATTACHMENT_KIND_PREFIX: &str = "attachments.";
/// Searches per second that no partner reaches: one more digit than the largest member of the Schengen system makes.
const PER_SECOND_MAX: u32 = 100_000;

/// All faults of an agreement. Its version is the store's.
pub fn validate_agreement(agreement: &pb::Agreement, rules: &RuleSet) -> Vec<pb::Fault> {
    let mut check = Checker::new(rules, 0);
    let check_all = &mut check;
    check_all.token("id", &agreement.id, Required);
    partner(check_all, agreement);
    scope(check_all, agreement);
    fields(check_all, agreement);
    check_all.text("legal_regime", &agreement.legal_regime, Required);
    check_all.text("transfer_basis", &agreement.transfer_basis, Required);
    quota(check_all, agreement);
    validity(check_all, agreement);
    check.finish()
}

fn partner(check: &mut Checker, agreement: &pb::Agreement) {
    let partner = check.acting_party("partner", &agreement.partner, Required);
    if partner.is_some_and(|partner| partner.code == UNITED_KINGDOM) {
        check.fault_at("partner", fault::INCONSISTENT, "the United Kingdom needs no agreement with itself");
    }
    check.codes("authorities", &agreement.authorities, lists::AUTHORITY);
    check.acting_party("territory", &agreement.territory, Optional);
}

/// What it may see.
fn scope(check: &mut Checker, agreement: &pb::Agreement) {
    check.each("sources", &agreement.sources, LIST_ITEMS_MAX, |check, source| {
        if check.rules.list(lists::SOURCE_SYSTEM).is_some_and(|list| list.entry(source).is_none()) {
            check.warn(fault::UNKNOWN_CODE, "list \"source-system\" does not name this system");
        }
        check.token("", source, Required);
    });
    check.parties("owners", &agreement.owners);
    check.codes("categories", &agreement.categories, lists::CATEGORY);
    check.codes("object_classes", &agreement.object_classes, lists::OBJECT_CLASS);
    check.codes("handling", &agreement.handling, lists::HANDLING);
    check.codes("jurisdictions", &agreement.jurisdictions, lists::JURISDICTION);
    check.codes("purposes", &agreement.purposes, lists::PURPOSE);
    check.codes("actions_expected", &agreement.actions_expected, lists::ACTION);
    if agreement.categories.is_empty() {
        check.warn_at("categories", fault::REQUIRED, "without categories the partner sees nothing");
    }
    if agreement.purposes.is_empty() {
        check.fault_at("purposes", fault::REQUIRED, "a partner calls for a purpose that the agreement names");
    }
    let is_covert = |code: &pb::Code| check.rules.category(&code.value).is_some_and(|category| category.covert);
    let covert_named = agreement.categories.iter().any(is_covert);
    match (covert_named, agreement.covert) {
        (true, false) => {
            check.warn_at(
                "covert",
                fault::INCONSISTENT,
                "covert categories are named, but not seen without this right",
            );
        }
        (false, true) => {
            check.warn_at("covert", fault::INCONSISTENT, "the right to covert alerts, but no covert category is named");
        }
        _ => {}
    }
}

fn fields(check: &mut Checker, agreement: &pb::Agreement) {
    let empty = pb::FieldRights::default();
    let record = agreement.record_fields.as_ref().unwrap_or(&empty);
    let candidate = agreement.candidate_fields.as_ref().unwrap_or(&empty);
    check.within("record_fields", |check| {
        check.each("fields", &record.fields, LIST_ITEMS_MAX, |check, field| {
            let kind = field.strip_prefix(ATTACHMENT_KIND_PREFIX);
            let is_kind = |kind| check.rules.list("attachment-kind").is_some_and(|list| list.entry(kind).is_some());
            if !RECORD_FIELDS.contains(&field.as_str()) && !kind.is_some_and(is_kind) {
                let message = format!("one of {}, or attachments.<kind>", RECORD_FIELDS.join(", "));
                check.fault(fault::UNKNOWN_CODE, &message);
            }
        });
    });
    check.within("candidate_fields", |check| {
        check.each("fields", &candidate.fields, LIST_ITEMS_MAX, |check, field| {
            if !CANDIDATE_FIELDS.contains(&field.as_str()) {
                check.fault(fault::UNKNOWN_CODE, &format!("one of {}", CANDIDATE_FIELDS.join(", ")));
            }
        });
    });
}

fn quota(check: &mut Checker, agreement: &pb::Agreement) {
    let Some(quota) = &agreement.quota else { return };
    if quota.per_second > PER_SECOND_MAX {
        check.fault_at("quota.per_second", fault::OUT_OF_RANGE, &format!("at most {PER_SECOND_MAX}; 0 = no limit"));
    }
    if quota.burst != 0 && quota.burst < quota.per_second {
        check.fault_at("quota.burst", fault::INCONSISTENT, "a burst is not below the rate per second");
    }
    if quota.per_second == 0 && quota.burst != 0 {
        check.warn_at("quota.burst", fault::INCONSISTENT, "a burst without a rate per second has no effect");
    }
}

fn validity(check: &mut Checker, agreement: &pb::Agreement) {
    let from = check.time("valid_from", &agreement.valid_from);
    let until = check.time("valid_until", &agreement.valid_until);
    if matches!((from, until), (Some(from), Some(until)) if until <= from) {
        check.fault_at("valid_until", fault::INCONSISTENT, "ends before it begins");
    }
    check.enumeration::<pb::AgreementState>("state", agreement.state, Optional);
    if agreement.sharing_timescale.as_ref().is_some_and(|timescale| timescale.seconds < 0 || timescale.nanos < 0) {
        check.fault_at("sharing_timescale", fault::OUT_OF_RANGE, "no negative time");
    }
    if let Some(proof) = &agreement.purge_proof {
        check.within("purge_proof", |check| {
            check.long_text("statement", &proof.statement, Required);
            check.text("stated_by", &proof.stated_by, Required);
            check.time("stated_at", &proof.stated_at);
            check.text("contents_hash", &proof.contents_hash, Optional);
        });
    }
}

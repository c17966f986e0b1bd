//! The least an alert must hold, by category and source, and the quality flags of foreign records that hold less.

use super::{checker::Checker, object::has_identifier};
use crate::{
    alert::{RuleSet, fault, rules::codes::lists},
    pb::{self, object::Detail},
};

type Present = fn(&pb::Alert) -> bool;

/// Every path that a rule may ask for. A path with `[]` holds when at least one element has the field.
const PATHS: &[(&str, Present)] = &[
    ("core.owner.contact", |alert| {
        core(alert, |core| core.owner.as_ref().is_some_and(|owner| owner.contact.is_some()))
    }),
    ("core.category", |alert| core(alert, |core| core.category.is_some())),
    ("core.reason", |alert| core(alert, |core| core.reason.is_some())),
    ("core.decision", |alert| core(alert, |core| core.decision.is_some())),
    ("core.decision.reference", |alert| decision(alert, |decision| !decision.reference.is_empty())),
    ("core.decision.authority", |alert| decision(alert, |decision| !decision.authority.is_empty())),
    ("core.decision.decided_at", |alert| decision(alert, |decision| decision.decided_at.is_some())),
    ("core.decision.ends_at", |alert| decision(alert, |decision| decision.ends_at.is_some())),
    ("core.offences", |alert| core(alert, |core| !core.offences.is_empty())),
    ("core.missing_person_case", |alert| core(alert, |core| core.missing_person_case.is_some())),
    ("core.urgency", |alert| core(alert, |core| core.urgency.is_some())),
    ("core.requested_expiry", |alert| core(alert, |core| core.requested_expiry.is_some())),
    ("identities.identities", |alert| identity(alert, |_| true)),
    ("identities.identities[].names", |alert| identity(alert, |identity| !identity.names.is_empty())),
    ("identities.identities[].birth_dates", |alert| identity(alert, |identity| !identity.birth_dates.is_empty())),
    ("identities.identities[].birth_places", |alert| identity(alert, |identity| !identity.birth_places.is_empty())),
    ("identities.identities[].gender", |alert| identity(alert, |identity| identity.gender.is_some())),
    ("identities.identities[].nationalities", |alert| identity(alert, |identity| !identity.nationalities.is_empty())),
    ("identities.identities[].documents", |alert| identity(alert, |identity| !identity.documents.is_empty())),
    ("identities.identities[].national_numbers", |alert| {
        identity(alert, |identity| !identity.national_numbers.is_empty())
    }),
    ("identities.identities[].physical_marks", |alert| identity(alert, |identity| !identity.physical_marks.is_empty())),
    ("identities.markers", |alert| alert.identities.as_ref().is_some_and(|section| !section.markers.is_empty())),
    ("identities.roles", |alert| alert.identities.as_ref().is_some_and(|section| !section.roles.is_empty())),
    ("identities.organisations", |alert| organisation(alert, |_| true)),
    ("identities.organisations[].names", |alert| organisation(alert, |organisation| !organisation.names.is_empty())),
    ("identities.organisations[].registration_numbers", |alert| {
        organisation(alert, |organisation| !organisation.registration_numbers.is_empty())
    }),
    ("objects.objects", |alert| object(alert, |_| true)),
    ("objects.objects[].identifier", |alert| object(alert, has_identifier)),
    ("objects.objects[].status", |alert| object(alert, |object| object.status.is_some())),
    ("objects.objects[].description", |alert| object(alert, |object| !object.description.is_empty())),
    ("objects.objects[].document.issuing_country", |alert| {
        object(
            alert,
            |object| matches!(&object.detail, Some(Detail::Document(document)) if document.issuing_country.is_some()),
        )
    }),
    ("action.action", |alert| alert.action.as_ref().is_some_and(|section| section.action.is_some())),
    ("action.texts", |alert| alert.action.as_ref().is_some_and(|section| !section.texts.is_empty())),
    ("attachments.attachments", |alert| {
        alert.attachments.as_ref().is_some_and(|section| !section.attachments.is_empty())
    }),
    ("internal.case_reference", |alert| {
        alert.internal.as_ref().is_some_and(|section| !section.case_reference.is_empty())
    }),
];

fn core(alert: &pb::Alert, holds: impl Fn(&pb::Core) -> bool) -> bool {
    alert.core.as_ref().is_some_and(holds)
}

fn decision(alert: &pb::Alert, holds: impl Fn(&pb::DecisionReference) -> bool) -> bool {
    core(alert, |core| core.decision.as_ref().is_some_and(&holds))
}

fn identity(alert: &pb::Alert, holds: impl Fn(&pb::Identity) -> bool) -> bool {
    alert.identities.as_ref().is_some_and(|section| section.identities.iter().any(holds))
}

fn organisation(alert: &pb::Alert, holds: impl Fn(&pb::OrganisationIdentity) -> bool) -> bool {
    alert.identities.as_ref().is_some_and(|section| section.organisations.iter().any(holds))
}

fn object(alert: &pb::Alert, holds: impl Fn(&pb::Object) -> bool) -> bool {
    alert.objects.as_ref().is_some_and(|section| section.objects.iter().any(holds))
}

/// The alternatives of one requirement ("a | b").
pub(super) fn alternatives(requirement: &str) -> impl Iterator<Item = &str> {
    requirement.split('|').map(str::trim)
}

/// True for a path that a rule may ask for.
pub(super) fn is_known_path(path: &str) -> bool {
    PATHS.iter().any(|(known, _)| *known == path)
}

/// Every path that a rule of minimum fields may ask for.
pub fn minimum_field_paths() -> impl Iterator<Item = &'static str> {
    PATHS.iter().map(|(path, _)| *path)
}

fn is_met(alert: &pb::Alert, requirement: &str) -> bool {
    alternatives(requirement).any(|path| PATHS.iter().any(|(known, present)| *known == path && present(alert)))
}

/// The rule that counts for an alert.
pub(super) fn rule<'a>(alert: &pb::Alert, rules: &'a RuleSet) -> Option<&'a pb::MinimumFieldRule> {
    let core = alert.core.as_ref();
    let category = core.and_then(|core| core.category.as_ref()).map_or("", |code| code.value.as_str());
    let source = core.and_then(|core| core.source.as_ref()).map_or("", |source| source.system.as_str());
    rules.minimum_fields(category, source)
}

fn shortfalls<'a>(alert: &'a pb::Alert, rule: &'a pb::MinimumFieldRule) -> impl Iterator<Item = &'a str> {
    rule.required.iter().map(String::as_str).filter(|requirement| !is_met(alert, requirement))
}

pub(super) fn minimum_fields(check: &mut Checker, alert: &pb::Alert) {
    let Some(rule) = rule(alert, check.rules) else { return };
    for requirement in shortfalls(alert, rule) {
        let path = alternatives(requirement).next().unwrap_or_default().replace("[]", "[0]");
        let message = "needed for this category and source";
        if rule.accept_with_flags {
            check.warn_at(&path, fault::MINIMUM_FIELD, message);
        } else {
            check.fault_at(&path, fault::MINIMUM_FIELD, message);
        }
    }
}

/// The quality flags that a record deserves where its source's rule takes records that fall short: one per missing field
/// (`missing-birth-dates`), as list "quality-flag" names it, or else `incomplete`. Flags it has already are left out.
/// Whoever takes the record in adds them to `Core.quality_flags` before its bytes are made.
pub fn quality_flags(alert: &pb::Alert, rules: &RuleSet) -> Vec<pb::Code> {
    let Some(rule) = rule(alert, rules).filter(|rule| rule.accept_with_flags) else { return Vec::new() };
    let mut flags: Vec<pb::Code> = Vec::new();
    let present = alert.core.as_ref().map(|core| core.quality_flags.as_slice()).unwrap_or_default();
    for requirement in shortfalls(alert, rule) {
        let path = alternatives(requirement).next().unwrap_or_default();
        let field = path.rsplit('.').next().unwrap_or_default().replace('_', "-");
        let named = format!("missing-{field}");
        let is_named = rules.list(lists::QUALITY_FLAG).is_some_and(|list| list.entry(&named).is_some());
        let value = if is_named { named } else { "incomplete".into() };
        let flag = pb::Code { list: lists::QUALITY_FLAG.into(), value };
        if !present.contains(&flag) && !flags.contains(&flag) {
            flags.push(flag);
        }
    }
    flags
}

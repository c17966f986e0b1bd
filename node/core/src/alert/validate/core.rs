//! Section 2: identity of the record, owner, legal ground.

use super::{
    checker::{
        Checker,
        Need::{Optional, Required},
    },
    date::{self, When},
    place,
};
use crate::{
    alert::{AlertId, fault, party::PartyKind, rules::codes::lists, time},
    limits::LIST_ITEMS_MAX,
    pb,
};

/// An alert that starts later than this is worth a second look.
const START_UNUSUAL_MONTHS: u32 = 24;
/// A hundred years.
const SENTENCE_MONTHS_MAX: u32 = 1200;

pub(super) fn core(check: &mut Checker, id: &str, core: &pb::Core) {
    match &core.owner {
        Some(owner) => check.within("owner", |check| self::owner(check, owner)),
        None => check.fault_at("owner", fault::REQUIRED, "who answers for the alert"),
    }
    match &core.source {
        Some(source) => check.within("source", |check| self::source(check, source)),
        None => check.fault_at("source", fault::REQUIRED, "where the record comes from"),
    }
    let category = check.code("category", &core.category, lists::CATEGORY, Required);
    let kind = check.enumeration::<pb::SubjectKind>("subject_kind", core.subject_kind, Required);
    if let (Some(category), Some(kind)) = (category.and_then(|value| check.rules.category(value)), kind)
        && !category.subjects.contains(&kind)
    {
        check.fault_at("subject_kind", fault::INCONSISTENT, "the category does not take this kind of subject");
    }
    check.code("reason", &core.reason, "reason", Optional);
    if let Some(decision) = &core.decision {
        check.within("decision", |check| self::decision(check, decision));
    }
    check.each("offences", &core.offences, LIST_ITEMS_MAX, offence);
    let case = check.code("missing_person_case", &core.missing_person_case, lists::MISSING_PERSON_CASE, Optional);
    if case.is_some() && kind.is_some_and(|kind| kind != pb::SubjectKind::Person) {
        check.fault_at("missing_person_case", fault::INCONSISTENT, "only a person can be missing");
    }
    check.codes("handling", &core.handling, lists::HANDLING);
    if let Some(distribution) = &core.distribution {
        check.within("distribution", |check| self::distribution(check, distribution));
    }
    check.codes("jurisdictions", &core.jurisdictions, lists::JURISDICTION);
    check.codes("purposes", &core.purposes, lists::PURPOSE);
    check.codes("quality_flags", &core.quality_flags, lists::QUALITY_FLAG);
    check.code("urgency", &core.urgency, lists::URGENCY, Optional);
    dates(check, core);
    parent(check, id, &core.parent_alert_id);
}

pub(super) fn owner(check: &mut Checker, owner: &pb::Owner) {
    check.acting_party("party", &owner.party, Required);
    check.code("authority", &owner.authority, lists::AUTHORITY, Required);
    match &owner.contact {
        Some(contact) => check.within("contact", |check| self::contact(check, contact)),
        None => check.warn_at("contact", fault::REQUIRED, "officers need a contact that answers at any hour"),
    }
}

pub(super) fn contact(check: &mut Checker, contact: &pb::Contact) {
    check.text("name", &contact.name, Optional);
    check.text("phone", &contact.phone, Optional);
    check.text("email", &contact.email, Optional);
    if contact.phone.is_empty() && contact.email.is_empty() {
        check.warn(fault::REQUIRED, "neither a telephone number nor an e-mail address");
    }
}

fn source(check: &mut Checker, source: &pb::Source) {
    check.token("system", &source.system, Required);
    if !source.system.is_empty()
        && check.rules.list(lists::SOURCE_SYSTEM).is_some_and(|l| l.entry(&source.system).is_none())
    {
        check.warn_at("system", fault::UNKNOWN_CODE, "list \"source-system\" does not name this system");
    }
    check.text("reference", &source.reference, Required);
    check.past_time("source_changed_at", &source.source_changed_at);
    check.past_time("received_at", &source.received_at);
}

fn decision(check: &mut Checker, decision: &pb::DecisionReference) {
    check.text("reference", &decision.reference, Optional);
    check.text("authority", &decision.authority, Optional);
    check.party("country", &decision.country, Optional);
    check.code("kind", &decision.kind, "decision-kind", Optional);
    let decided = check.past_time("decided_at", &decision.decided_at);
    let ends = check.time("ends_at", &decision.ends_at);
    if let (Some(decided), Some(ends)) = (decided, ends)
        && ends <= decided
    {
        check.fault_at("ends_at", fault::INCONSISTENT, "the decision ends before it was taken");
    }
    if ends.is_some_and(|ends| ends <= check.now_ms) {
        check.fault_at("ends_at", fault::OUT_OF_RANGE, "the decision has ended, and the alert would end with it");
    }
}

fn offence(check: &mut Checker, offence: &pb::Offence) {
    let coded = check.code("offence", &offence.offence, "offence", Optional);
    let need = if coded.is_none() && offence.offence.is_none() { Required } else { Optional };
    check.long_text("description", &offence.description, need);
    date::partial_date(check, "date", &offence.date, When::Past);
    place(check, "place", &offence.place);
    let months =
        [("maximum_sentence_months", offence.maximum_sentence_months), ("sentence_months", offence.sentence_months)];
    for (field, months) in months {
        if months.is_some_and(|months| months == 0 || months > SENTENCE_MONTHS_MAX) {
            check.fault_at(field, fault::OUT_OF_RANGE, &format!("1 to {SENTENCE_MONTHS_MAX} months; absent = unknown"));
        }
    }
}

fn distribution(check: &mut Checker, distribution: &pb::Distribution) {
    let allow = check.parties("allow", &distribution.allow);
    let deny = check.parties("deny", &distribution.deny);
    if !allow.is_disjoint(&deny) {
        check.fault_at("deny", fault::INCONSISTENT, "a party stands in both lists");
    }
    for (field, parties) in [("allow", &distribution.allow), ("deny", &distribution.deny)] {
        let jurisdiction = |party: &pb::Party| {
            crate::alert::party::lookup(&party.code).is_some_and(|entry| entry.kind == PartyKind::Jurisdiction)
        };
        if parties.iter().any(jurisdiction) {
            check.fault_at(field, fault::INCONSISTENT, "an alert is distributed to states, not to jurisdictions");
        }
    }
}

fn dates(check: &mut Checker, core: &pb::Core) {
    let starts = check.time("valid_from", &core.valid_from);
    let ends = check.time("requested_expiry", &core.requested_expiry);
    if let (Some(starts), Some(ends)) = (starts, ends)
        && ends <= starts
    {
        check.fault_at("requested_expiry", fault::INCONSISTENT, "the alert would end before it starts");
    }
    if starts.is_some_and(|starts| starts > time::add_months(check.now_ms, START_UNUSUAL_MONTHS)) {
        check.warn_at("valid_from", fault::UNUSUAL, &format!("more than {START_UNUSUAL_MONTHS} months ahead"));
    }
    // Not a fault: an extended alert keeps the wish it was made with.
    if ends.is_some_and(|ends| ends <= check.now_ms) {
        check.warn_at("requested_expiry", fault::UNUSUAL, "has passed already");
    }
    let decision_ends = core.decision.as_ref().and_then(|decision| time::field_ms(&decision.ends_at));
    if let (Some(starts), Some(ends)) = (starts, decision_ends)
        && ends <= starts
    {
        check.fault_at("valid_from", fault::INCONSISTENT, "the decision ends before the alert starts");
    }
}

fn parent(check: &mut Checker, id: &str, parent: &str) {
    if parent.is_empty() {
        return;
    }
    match parent.parse::<AlertId>() {
        Err(_) => check.fault_at("parent_alert_id", fault::BAD_FORMAT, "no hyphenated UUID"),
        Ok(parent) if id.parse() == Ok(parent) => {
            check.fault_at("parent_alert_id", fault::INCONSISTENT, "an alert cannot be its own parent");
        }
        Ok(_) => {}
    }
}

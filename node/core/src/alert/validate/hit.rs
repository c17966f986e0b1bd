//! Hits: what became of a candidate (Regulation (EU) 2018/1862 Art. 37 names the fields of the report).

use super::{
    checker::{
        Checker,
        Need::{Optional, Required},
    },
    core, object, parts, person,
};
use crate::{
    alert::{
        AlertId, RuleSet, fault,
        rules::codes::{attributes, lists},
    },
    limits::LIST_ITEMS_MAX,
    pb,
};

/// All faults of a hit as it is reported. Who reports it, when, and when the answer is due are the store's to say.
pub fn validate_hit(hit: &pb::Hit, rules: &RuleSet, now_ms: u64) -> Vec<pb::Fault> {
    let mut check = Checker::new(rules, now_ms);
    let walk = &mut check;
    if hit.alert_id.parse::<AlertId>().is_err() {
        walk.fault_at("alert_id", fault::BAD_FORMAT, "no hyphenated UUID");
    }
    if hit.version_seen == 0 {
        walk.fault_at("version_seen", fault::REQUIRED, "the version of the alert that was shown");
    }
    if hit.search_id.parse::<AlertId>().is_err() {
        walk.fault_at("search_id", fault::BAD_FORMAT, "no hyphenated UUID");
    }
    walk.text("receipt", &hit.receipt, Optional);
    let outcome = walk.code("outcome", &hit.outcome, lists::HIT_OUTCOME, Required);
    let needs = |attribute| {
        outcome.is_some_and(|outcome| rules.attribute(lists::HIT_OUTCOME, outcome, attribute) == Some("true"))
    };
    let reason = if needs(attributes::NEEDS_REASON) { Required } else { Optional };
    walk.long_text("reason_not_possible", &hit.reason_not_possible, reason);
    match &hit.report {
        Some(report) => walk.within("report", |walk| self::report(walk, report)),
        None if needs(attributes::NEEDS_REPORT) => {
            walk.fault_at("report", fault::REQUIRED, "this outcome needs a report")
        }
        None => {}
    }
    check.finish()
}

fn report(check: &mut Checker, report: &pb::HitReport) {
    parts::place(check, "place", &report.place);
    if report.place.is_none() {
        check.fault_at("place", fault::REQUIRED, "where the hit was");
    }
    check.past_time("time", &report.time);
    if report.time.is_none() {
        check.fault_at("time", fault::REQUIRED, "when the hit was");
    }
    check.code("action_taken", &report.action_taken, "action", Optional);
    check.long_text("circumstances", &report.circumstances, Optional);
    check.long_text("route_and_destination", &report.route_and_destination, Optional);
    check.texts("persons_accompanying", &report.persons_accompanying);
    check.each("vehicles_and_objects", &report.vehicles_and_objects, LIST_ITEMS_MAX, object::object);
    check.each("documents_used", &report.documents_used, LIST_ITEMS_MAX, person::document);
    check.long_text("travel_purpose", &report.travel_purpose, Optional);
    if let Some(contact) = &report.contact {
        check.within("contact", |check| core::contact(check, contact));
    }
}

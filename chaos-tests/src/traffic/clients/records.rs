//! Synthetic alerts of a simulation. Nobody in particular is meant.

use alert_core::alert::time::from_ms;
use alert_proto::v1 as pb;
use alert_synth::{codes::some_code, plain};

pub use alert_synth::plain::passport as number_of;

/// A person who is wanted, or to be checked discreetly. `value` is what a history tells apart; `ends_ms` is when it is to
/// end by itself.
pub fn record(alert: u64, value: u64, covert: bool, ends_ms: Option<u64>) -> pb::Alert {
    let what = if covert { "discreet-check" } else { "arrest" };
    let mut record = plain::person(alert, format!("SIM-{alert}"));
    let core = record.core.get_or_insert_default();
    core.category = some_code("category", what);
    core.decision.get_or_insert_default().reference = format!("W-{value}");
    core.requested_expiry = ends_ms.map(from_ms);
    record.action.get_or_insert_default().action = some_code("action", what);
    record
}

/// What [`record`] was given as its value; 0 when it is not one of ours.
pub fn value_of(alert: &pb::Alert) -> u64 {
    let decision = alert.core.as_ref().and_then(|core| core.decision.as_ref());
    decision.and_then(|decision| decision.reference.strip_prefix("W-")?.parse().ok()).unwrap_or(0)
}

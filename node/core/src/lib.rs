//! The pure core of the alert store: what an alert is, what a change does, how a search finds.
//!
//! No clock, no IO, no randomness, no async: values in, values out. Time comes with the log entry, data through
//! [`state::View`]. That is what lets the simulator, the golden tests and every node run the very same code.
//!
//! * [`alert`]: the domain (ids, records, rules, validation, life cycle, retention, visibility)
//! * [`state`]: the state machine: `apply(view, batch) -> effects`
//! * [`search`]: normalise, derive index keys, plan, score
//! * [`audit`]: the audit log's format and its check
//! * [`codec`]: the only place that names bincode
//! * [`mutants`]: planted bugs, for the simulation to find

pub mod alert;
pub mod audit;
pub mod codec;
pub mod limits;
pub mod mutants;
pub mod search;
pub mod state;

/// The generated contract types. A record's content *is* these messages: a second, hand-written copy of sixty message
/// types would be a conversion layer with no other purpose. Everything derived from them is a type of our own.
pub use alert_proto::v1 as pb;

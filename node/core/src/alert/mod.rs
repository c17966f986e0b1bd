//! The domain: what an alert is, who may see it, how long it lives.
//!
//! * `rules`: the replicated rule documents, typed and indexed; `node/core/rules/` holds what a new cluster starts with
//! * `validate`: all faults of a record, an agreement, rules or a hit at once
//! * `lifecycle`, `retention`: what may follow what, and when an alert ends
//! * `label`, `visibility`, `redact`: who sees which alert, and what of it
//! * `victim`: what victims of misused identities agreed to; `check_digit`: of identifiers
//! * `attachment`: content that a record names;
//! * `record`: the stored bytes; `party`, `time`: codes of parties, calendar

pub mod attachment;
mod caller;
pub mod check_digit;
pub mod fault;
mod id;
mod label;
pub mod lifecycle;
pub mod party;
mod record;
mod redact;
pub mod retention;
pub mod rules;
#[cfg(test)]
pub(crate) mod sample;
pub mod time;
pub mod validate;
pub mod victim;
mod visibility;

pub use caller::{Caller, Role};
pub use id::{AlertId, InvalidId};
pub use label::{Label, LabelId, Partition, is_urgent, priority};
pub use record::{Header, RecordError, Section, StoredAlert, retain_fields, sections};
pub use redact::{Redacted, redact};
pub use rules::RuleSet;
pub use visibility::{Agreement, EVERYWHERE, Sight, UNITED_KINGDOM, Viewer};

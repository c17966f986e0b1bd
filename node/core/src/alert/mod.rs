//! The domain: what an alert is, who may see it, how long it lives.

mod caller;
mod id;
mod label;
mod record;
mod visibility;

pub use caller::{Caller, Role};
pub use id::{AlertId, InvalidId};
pub use label::{Label, LabelId, Partition};
pub use record::{Header, RecordError, Section, StoredAlert, sections};
pub use visibility::{Agreement, Sight, Viewer};

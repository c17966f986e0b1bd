//! The state machine: `apply(view, batch) -> effects`, the same on every node.
//!
//! * [`family`]: the column families and their keys; [`View`]: how they are read
//! * [`command`]: what goes through the log; [`apply`]: what it does
//! * [`read_agreement`] and its like: how the rest of the node reads what apply wrote

mod alerts;
mod amend;
mod apply;
mod attachments;
mod audit;
pub mod command;
mod context;
mod ending;
pub mod family;
mod feed;
mod hits;
mod indexing;
mod life;
mod links;
mod meta;
mod policy;
mod requests;
mod rules;
mod subject;
#[cfg(test)]
mod tests;
mod view;
mod writer;

pub use apply::{Effects, apply, next_due_ms};
pub use attachments::{read_attachment, read_attachment_chunk};
pub use audit::{read_anchored_nodes, read_audit_anchors};
pub use feed::{
    Acknowledgement, Change, FeedEntries, FeedEntry, compactable_before, read_acknowledgement, read_acknowledgements,
};
pub use hits::{read_hit, read_hits_of};
pub use indexing::{IndexBuild, IndexWork, index_families, index_work, normaliser_in_force};
pub use life::read_source;
pub use links::read_links_of;
pub use meta::Meta;
pub use policy::{read_agreement, read_agreements};
pub use rules::{
    RULE_KINDS, RuleCache, founding, is_founded, read_next_profile, read_rule_document, read_rules, rule_kind,
};
pub use view::{Cursor, MemoryView, Overlay, View, ViewError, Write, scan_from, scan_prefix};
pub use writer::{Caches, entry_hash, full_hash, read_label};

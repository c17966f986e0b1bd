//! What visibility depends on, apart from the record.
//!
//! There are few distinct labels (source x owner x category x handling x ...), so each gets a small number, and index
//! entries carry the number. A search decides once per label, not once per candidate, and hidden alerts leave no trace
//! in its budgets.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The number of a label, given in the order of first use; the same on every node.
pub type LabelId = u32;

/// Open and covert alerts have separate partitions in every index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Partition {
    /// Everybody's, as far as agreements go.
    Open = b'o',
    /// Discreet, inquiry and specific checks, information alerts: never sought for a caller without the right.
    Covert = b'c',
}

/// Everything that decides who may see an alert, at one moment of replicated time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Label {
    /// `pb::AlertState` as a number.
    pub state: i32,
    /// Which index partition the alert is in.
    pub partition: Partition,
    /// `Source.system`.
    pub source: String,
    /// `Owner.party.code`.
    pub owner_party: String,
    /// `Owner.authority.value`.
    pub owner_authority: String,
    /// `Core.category.value`.
    pub category: String,
    /// `pb::SubjectKind` as a number.
    pub subject_kind: i32,
    /// Values of `Object.class`.
    pub object_classes: BTreeSet<String>,
    /// Values of `Core.handling`.
    pub handling: BTreeSet<String>,
    /// Values of `Core.jurisdictions`.
    pub jurisdictions: BTreeSet<String>,
    /// `Distribution.allow`, party codes; empty = everybody.
    pub allow: BTreeSet<String>,
    /// `Distribution.deny`, party codes.
    pub deny: BTreeSet<String>,
    /// Territories in which the alert is suspended now; "*" = everywhere.
    pub suspended_in: BTreeSet<String>,
    /// Shown to the owner's bureau only.
    pub blocked: bool,
}

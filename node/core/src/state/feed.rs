//! What the feed is made of: one entry for each revision.

use serde::{Deserialize, Serialize};

use crate::alert::{AlertId, LabelId};

/// What one revision changed. Labels before and after say who gained or lost sight of the alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// An alert; `after` absent = erased. The record is in `alerts` when its version is the current one, otherwise in
    /// `history`; when it is in neither it was erased or purged since, and the event is a removal.
    Alert {
        /// Which.
        id: AlertId,
        /// The version this revision made.
        version: u64,
        /// Label before the change; absent = new.
        before: Option<LabelId>,
        /// Label after it.
        after: Option<LabelId>,
    },
    /// An agreement: streams under it end with RESYNC.
    Agreement {
        /// Which.
        id: String,
    },
    /// Rules of one kind (`pb::RuleKind` as a number).
    Rules {
        /// Which.
        kind: i32,
    },
    /// A link between two alerts came or went.
    Link {
        /// Which.
        id: AlertId,
    },
    /// A hit was reported or its conversation grew.
    Hit {
        /// Which.
        id: AlertId,
    },
    /// An attachment of an alert may be fetched now.
    Attachment {
        /// The alert.
        alert: AlertId,
    },
}

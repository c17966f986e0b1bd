//! What clients were shown: searches and what they found, feeds and what they told, and what was acknowledged when.

use alert_core::alert::Caller;

use super::Level;

/// What somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// All alerts that hold this document number.
    Number(String),
    /// All alerts about the person of this name, as written; asked for with the date of birth, which nobody shares.
    Person { given: String, family: String },
    /// One record, by its id.
    Record(String),
}

/// A question that was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Searched {
    pub called_us: u64,
    pub returned_us: u64,
    /// The node that answered, by name.
    pub node: String,
    pub caller: Caller,
    /// The agreement that a partner asked under.
    pub agreement: Option<String>,
    pub question: Question,
    /// The state that was searched.
    pub revision: u64,
    /// What was demanded of its freshness.
    pub level: Level,
    /// How old the node said that the state may be.
    pub staleness_us: Option<u64>,
    pub search_id: String,
    /// (id, version) of each alert that was shown.
    pub found: Vec<(String, u64)>,
}

/// An event of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedItem {
    pub at_us: u64,
    /// Of the change that it tells.
    pub revision: u64,
    pub alert_id: String,
    /// The version that an upsert gave. `None`: a removal.
    pub version: Option<u64>,
}

/// A feed from where it began to where it had to begin anew, over all its connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    pub caller: Caller,
    pub agreement: Option<String>,
    /// The revision that it began behind; `None` when an event came before anything told it.
    pub start: Option<u64>,
    pub items: Vec<FeedItem>,
}

/// A change that was acknowledged to its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Acknowledged {
    pub at_us: u64,
    pub revision: u64,
}

//! The Raft log: entries, vote, commit and purge marks, in a database of their own.
//!
//! * [`LogStore`]: what consensus writes through. Everything it writes goes through one queue and one lane, in order
//! * `commit`: the lane's work: one batch and one fsync for all that is queued (group commit)
//! * [`LogReader`]: reads, from the decoded tail in memory or from the database
//! * `open`: what is checked before a log is believed
//! * [`entry`]: bytes of an entry
//!
//! The rules it keeps:
//! * an entry is readable when `append` returns, and reported durable only after its fsync, in order, once;
//! * a vote is durable before `save_vote` returns, and so is everything queued before it;
//! * `truncate_after` returns only after fsync: a new entry can never be durable beside the one that it replaces;
//! * an error of the disk stops the store for good. Nothing retries an fsync: the kernel may have dropped the pages.

mod commit;
pub mod entry;
mod error;
mod marks;
mod open;
mod reader;
mod store;
#[cfg(test)]
mod tests;

pub use commit::LogFigures;
pub use error::LogError;
pub use marks::LogMarks;
pub use reader::LogReader;
pub use store::LogStore;

use super::engine::{EngineSpec, FamilyIndex, FamilySpec, Recovery, Tuning};

/// Index -> entry.
const ENTRIES: FamilyIndex = 0;
/// Vote, commit mark, purge mark.
const MARKS: FamilyIndex = 1;

const VOTE: &[u8] = b"vote";
const COMMITTED: &[u8] = b"committed";
const PURGED: &[u8] = b"purged";

/// The log's database.
pub fn spec() -> EngineSpec {
    EngineSpec {
        name: "log",
        families: vec![
            FamilySpec { name: "entries", prefix_length: None, tuning: Tuning::Log, personal_data: true },
            FamilySpec { name: "marks", prefix_length: None, tuning: Tuning::Small, personal_data: false },
        ],
        recovery: Recovery::RefuseDamage,
        // Nothing counts before the group's fsync, so single writes need not reach the system.
        wal_in_memory: true,
    }
}

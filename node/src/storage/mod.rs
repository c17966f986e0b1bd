//! What the node keeps on disk, and the only place that names RocksDB.
//!
//! * [`engine`]: the seam below all durable code: a key-value engine. RocksDB here, a plain one in memory beside it
//! * [`log`]: the Raft log: own entry format, group commit, what is refused at open
//! * [`state`]: the state database: one batch per chunk of entries, owned snapshots for readers
//! * [`checkpoint`]: snapshots as hard-linked checkpoints: build, send, receive, install
//! * [`data_directory`]: who a directory belongs to, and the mark of a disk that may lie
//! * [`records`]: bytes on disk of what consensus keeps: votes, log ids, memberships
//! * [`inspect`]: read-only looks at a store, for tests and tools

pub mod checkpoint;
pub mod data_directory;
pub mod engine;
pub mod inspect;
pub mod limits;
pub mod log;
mod open;
pub mod records;
pub mod state;
#[cfg(test)]
mod suite;
#[cfg(test)]
pub(crate) mod testing;

pub use open::{OpenError, Storage};

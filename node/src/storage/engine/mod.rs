//! The key-value engine below all durable code, behind a trait.
//!
//! Everything that makes the store durable (group commit, one batch per chunk, checkpoint install, pointer swap) lies
//! above this seam, so the simulator runs that very code on an engine whose losses it controls. [`conformance`] says
//! what every engine must do; RocksDB ([`rocks`]) and the engine in memory ([`memory`]) both pass it.
//!
//! Every call blocks: call it on a lane, or where a point read is short enough.

pub mod conformance;
mod error;
pub mod memory;
#[cfg(feature = "rocksdb")]
pub mod rocks;
#[cfg(feature = "rocksdb")]
mod rocks_options;
#[cfg(feature = "rocksdb")]
mod rocks_wal;

use std::{path::Path, sync::Arc};

pub use error::EngineError;

/// Position of a family in [`EngineSpec::families`].
pub type FamilyIndex = usize;

/// What one database is made of.
#[derive(Debug, Clone)]
pub struct EngineSpec {
    /// For messages and metrics: "log", "state".
    pub name: &'static str,
    /// Column families. Those that the directory lacks are made; those that it has beyond these are an error.
    pub families: Vec<FamilySpec>,
    /// What opening does with a write-ahead log that does not end cleanly.
    pub recovery: Recovery,
    /// True: writes wait in memory until [`Engine::flush_wal`]. False: each write reaches the operating system, so
    /// that it survives the process, not the machine.
    pub wal_in_memory: bool,
}

/// One column family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FamilySpec {
    /// Its name on disk.
    pub name: &'static str,
    /// Length of the key prefix that filters are built for; a seek within a prefix at least this long costs a filter
    /// probe when nothing is there. Only speed depends on it.
    pub prefix_length: Option<usize>,
    /// How it is used.
    pub tuning: Tuning,
    /// Holds personal data: rewritten at least daily, so that what was erased leaves the disk.
    pub personal_data: bool,
}

/// How a family is used; the engine turns it into options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tuning {
    /// Written in key order, read back in ranges, dropped from the front.
    Log,
    /// Larger values, read one at a time.
    Records,
    /// Many small keys, sought by prefix, mostly in vain.
    Index,
    /// A few values, or short queues.
    Small,
}

/// What opening does with a write-ahead log that does not end cleanly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// An incomplete record at the end is cut (it was never synced); anything else wrong is an error.
    RefuseDamage,
    /// Whatever can be read in order is kept, the rest is dropped: for a store whose suffix can be made again.
    KeepPrefix,
}

/// What may be done with an open database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// One process at a time.
    ReadWrite,
    /// Changes no data and takes no lock.
    ReadOnly,
}

/// One change inside a [`WriteBatch`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Sets a key.
    Put(FamilyIndex, Vec<u8>, Vec<u8>),
    /// Removes a key, present or not.
    Delete(FamilyIndex, Vec<u8>),
    /// Removes all keys from the first to the second, the second not included.
    DeleteRange(FamilyIndex, Vec<u8>, Vec<u8>),
}

/// Changes that take effect together, in order, or not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteBatch {
    /// In order: later ones see what earlier ones did.
    pub changes: Vec<Change>,
}

impl WriteBatch {
    /// Sets a key.
    pub fn put(&mut self, family: FamilyIndex, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.changes.push(Change::Put(family, key.into(), value.into()));
    }

    /// Removes a key.
    pub fn delete(&mut self, family: FamilyIndex, key: impl Into<Vec<u8>>) {
        self.changes.push(Change::Delete(family, key.into()));
    }

    /// About as many bytes as it takes in one piece.
    pub fn size_bytes(&self) -> usize {
        /// Kind, family and lengths of a change.
        const HEAD: usize = 8;
        let of = |change: &Change| match change {
            Change::Put(_, key, value) | Change::DeleteRange(_, key, value) => key.len() + value.len(),
            Change::Delete(_, key) => key.len(),
        };
        self.changes.iter().map(|change| HEAD + of(change)).sum()
    }

    /// Removes `from..to`.
    pub fn delete_range(&mut self, family: FamilyIndex, from: impl Into<Vec<u8>>, to: impl Into<Vec<u8>>) {
        self.changes.push(Change::DeleteRange(family, from.into(), to.into()));
    }
}

/// Opens databases. One per process: engines of one factory share caches and limits.
pub trait Engines: Send + Sync + 'static {
    /// Opens the database at `path`, making it (and the directory) when absent, except for [`Access::ReadOnly`].
    fn open(&self, path: &Path, spec: &EngineSpec, access: Access) -> Result<Arc<dyn Engine>, EngineError>;

    /// True when a file of a database, once complete, is never written again: it may be hard-linked into another
    /// database instead of copied.
    fn is_immutable(&self, file_name: &str) -> bool;

    /// True when a file belongs to the database's content; false for locks and the engine's own diary.
    fn is_content(&self, file_name: &str) -> bool;
}

/// An open database.
pub trait Engine: Send + Sync + 'static {
    /// Applies a batch: readable on return, durable only after the next [`Engine::flush_wal`] with `sync`.
    fn write(&self, batch: WriteBatch) -> Result<(), EngineError>;

    /// Hands all writes so far to the operating system, with `sync` to the disk: one fsync for all of them.
    fn flush_wal(&self, sync: bool) -> Result<(), EngineError>;

    /// The newest value of a key.
    fn get(&self, family: FamilyIndex, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError>;

    /// The database as of now, for as long as it is held: later writes, and [`Engine::close`], do not touch it.
    fn snapshot(&self) -> Result<Arc<dyn EngineSnapshot>, EngineError>;

    /// Makes a copy of the database, as of now, in the new directory `path` (whose parent exists): complete, durable
    /// but for the names in the parent directory, and by hard links where files never change. What the copy holds is
    /// durable in the database itself too, so that a log may be cut behind it.
    fn checkpoint(&self, path: &Path) -> Result<(), EngineError>;

    /// About how many bytes on disk the keys `from..to` take.
    fn approximate_size_bytes(&self, family: FamilyIndex, from: &[u8], to: &[u8]) -> Result<u64, EngineError>;

    /// Rewrites `from..to` (`None`: from the first, to the last key), so that what was deleted leaves the disk.
    fn compact(&self, family: FamilyIndex, from: Option<&[u8]>, to: Option<&[u8]>) -> Result<(), EngineError>;

    /// Counters and gauges.
    fn figures(&self) -> EngineFigures;

    /// Makes all writes durable, ends background work and refuses every later call. The directory's lock goes when the
    /// last snapshot is gone too.
    fn close(&self) -> Result<(), EngineError>;
}

/// A database at one moment. Dropping it lets the engine forget what only it could see.
pub trait EngineSnapshot: Send + Sync + 'static {
    /// The value of a key.
    fn get(&self, family: FamilyIndex, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError>;

    /// False when the key is certainly absent: a filter probe where the engine has filters.
    fn may_contain(&self, family: FamilyIndex, key: &[u8]) -> Result<bool, EngineError>;

    /// A cursor. `read_ahead_bytes` > 0 for long scans: reads ahead so much and keeps the cache clean.
    fn cursor(&self, family: FamilyIndex, read_ahead_bytes: usize) -> Box<dyn EngineCursor + '_>;
}

/// Walks one family in key order.
pub trait EngineCursor {
    /// Moves to the first key that is `>= key` and starts with `prefix` (a prefix of `key`; empty: the whole family).
    fn seek(&mut self, key: &[u8], prefix: &[u8]) -> Result<(), EngineError>;
    /// The entry at the cursor; `None` past the end of the prefix and before the first seek.
    fn entry(&self) -> Option<(&[u8], &[u8])>;
    /// Moves on by one.
    fn next(&mut self) -> Result<(), EngineError>;
}

/// Counters and gauges of a database. What an engine does not know is 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EngineFigures {
    /// Bytes of all files that hold data.
    pub disk_bytes: u64,
    /// Bytes waiting in memory to be written out.
    pub write_buffer_bytes: u64,
    /// Bytes of cached blocks.
    pub block_cache_bytes: u64,
    /// Bytes that compaction has yet to rewrite.
    pub compaction_pending_bytes: u64,
    /// Snapshots held.
    pub snapshots: u64,
    /// Errors of background work.
    pub background_errors: u64,
    /// True while the engine refuses writes until it has caught up.
    pub writes_stopped: bool,
}

//! What consensus asks of the state database and its checkpoints. All calls block: they run on a lane.

use std::{io, sync::Arc};

use alert_core::{pb, state::Write};
use bytes::Bytes;

use super::types::{LogId, StoredMembership};
use crate::api::backend::StateView;

/// How far a state is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppliedState {
    pub log_id: Option<LogId>,
    pub membership: StoredMembership,
}

/// The state database.
pub trait StateStore: Send + Sync + 'static {
    /// How far the database is.
    fn applied(&self) -> io::Result<AppliedState>;

    /// The state as of now, and how far it is, read from itself.
    fn snapshot(&self) -> io::Result<(Arc<dyn StateView>, AppliedState)>;

    /// Writes a chunk in one batch.
    fn write(&self, writes: Vec<Write>, applied: &AppliedState) -> io::Result<()>;

    /// Makes a checkpoint of the state as of now, durable, and the one that [`StateStore::checkpoint`] gives.
    fn build_checkpoint(&self) -> io::Result<Arc<dyn Checkpoint>>;

    /// The newest checkpoint.
    fn checkpoint(&self) -> io::Result<Option<Arc<dyn Checkpoint>>>;

    /// Begins to receive a checkpoint, or goes on with it.
    fn receive(&self, files: &[pb::SnapshotFile]) -> io::Result<Box<dyn Receiving>>;

    /// Puts a checkpoint in the place of the state, durably: all of it or nothing.
    fn install(&self, checkpoint: &dyn Checkpoint) -> io::Result<()>;
}

/// A complete copy of the state. Kept on disk while it is held.
pub trait Checkpoint: Send + Sync + 'static {
    /// How far it is, read back from it.
    fn applied(&self) -> AppliedState;

    /// Its files with their sizes and checksums.
    fn files(&self) -> Vec<pb::SnapshotFile>;

    /// Up to `length` bytes of one file.
    fn read(&self, name: &str, offset: u64, length: usize) -> io::Result<Bytes>;

    /// For storage's own use at the install.
    fn as_any(&self) -> &dyn std::any::Any;
}

/// A checkpoint that is being received.
pub trait Receiving: Send + 'static {
    /// What is here already, complete or in part.
    fn have(&self) -> Vec<pb::SnapshotFileOffset>;

    /// Takes bytes of one file; each file's bytes come in order.
    fn chunk(&mut self, name: &str, offset: u64, data: &[u8]) -> io::Result<()>;

    /// Verifies every checksum and makes all files durable.
    fn finish(self: Box<Self>) -> io::Result<Arc<dyn Checkpoint>>;
}

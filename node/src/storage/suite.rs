//! The consensus library's own suite for log stores, with the state store behind the smallest possible state machine.

use std::io;

use futures::{Stream, TryStreamExt};
use openraft::{
    OptionalSend, RaftSnapshotBuilder, StorageError,
    storage::{EntryResponder, RaftStateMachine, Snapshot, SnapshotMeta},
    testing::log::{StoreBuilder, Suite},
};
use tempfile::TempDir;

use super::{
    Storage,
    checkpoint::{Checkpoint, CheckpointStore},
    log::LogStore,
    testing::{Bench, kinds},
};
use crate::{
    raft::types::{LogId, StoredMembership, TypeConfig},
    seam::Host,
    storage::engine::Engines,
};

type Meta = openraft::type_config::alias::SnapshotMetaOf<TypeConfig>;
type Built = openraft::type_config::alias::SnapshotOf<TypeConfig, Checkpoint>;

struct Machine(Storage);

struct Builder(CheckpointStore);

fn snapshot(checkpoint: Checkpoint) -> Result<Built, io::Error> {
    let meta = SnapshotMeta {
        last_log_id: checkpoint.last_log_id(),
        last_membership: checkpoint.manifest().stored_membership()?,
    };
    Ok(Snapshot { meta, snapshot: checkpoint })
}

impl RaftSnapshotBuilder<TypeConfig> for Builder {
    type SnapshotData = Checkpoint;

    async fn build_snapshot(&mut self) -> Result<Built, io::Error> {
        snapshot(self.0.build().await?)
    }
}

impl RaftStateMachine<TypeConfig> for Machine {
    type SnapshotData = Checkpoint;
    type SnapshotBuilder = Builder;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), io::Error> {
        let meta = self.0.state.raft_meta();
        Ok((meta.last_applied, meta.membership))
    }

    async fn apply<Strm>(&mut self, entries: Strm) -> Result<(), io::Error>
    where
        Strm: Stream<Item = Result<EntryResponder<TypeConfig>, io::Error>> + Unpin + OptionalSend,
    {
        let entries = entries.map_ok(|(entry, _)| entry).try_collect().await?;
        self.0.state.apply(entries).await?;
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> Builder {
        Builder(self.0.checkpoints.clone())
    }

    async fn install_snapshot(&mut self, _meta: &Meta, checkpoint: Checkpoint) -> Result<(), io::Error> {
        Ok(self.0.checkpoints.install(checkpoint, &self.0.log).await?)
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Built>, io::Error> {
        self.0.checkpoints.newest().map(snapshot).transpose()
    }
}

struct Nodes(fn(&Host) -> std::sync::Arc<dyn Engines>);

impl StoreBuilder<TypeConfig, LogStore, Machine, TempDir> for Nodes {
    async fn build(&self) -> Result<(TempDir, LogStore, Machine), StorageError<TypeConfig>> {
        let bench = Bench::new(self.0);
        let storage = bench.storage("node").expect("a new directory opens");
        Ok((bench.root, storage.log.clone(), Machine(storage)))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_consensus_librarys_suite_passes_in_memory() {
    let (_, kind) = kinds().into_iter().find(|(name, _)| *name == "memory").expect("an engine in memory");
    Suite::test_all(Nodes(kind)).await.unwrap();
}

#[cfg(feature = "rocksdb")]
#[tokio::test(flavor = "multi_thread")]
async fn the_consensus_librarys_suite_passes_on_rocksdb() {
    let (_, kind) = kinds().into_iter().find(|(name, _)| *name == "rocksdb").expect("RocksDB");
    Suite::test_all(Nodes(kind)).await.unwrap();
}

//! All of a node's storage, opened in the right order.

use std::sync::Arc;

use alert_core::search::Normalisers;
use thiserror::Error;

use super::{
    checkpoint::{self, CheckpointError, CheckpointStore},
    data_directory::{DataDirectory, DirectoryError, DirectoryOptions},
    engine::Engines,
    log::{LogError, LogStore},
    state::{StateError, StateStore},
};
use crate::seam::Host;

/// What a node keeps on disk, open.
#[derive(Clone)]
pub struct Storage {
    /// Who the directories belong to.
    pub directory: DataDirectory,
    /// The Raft log.
    pub log: LogStore,
    /// The state.
    pub state: StateStore,
    /// Its checkpoints.
    pub checkpoints: CheckpointStore,
}

/// Why storage could not be opened: one sentence for whoever starts the node.
#[derive(Debug, Error)]
pub enum OpenError {
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    State(#[from] CheckpointError),
}

impl Storage {
    /// Opens everything, with the normalisers of this release. The log comes first: its lock keeps a second process from
    /// touching anything. Blocks.
    pub fn open(host: &Host, engines: &Arc<dyn Engines>, options: &DirectoryOptions) -> Result<Self, OpenError> {
        Self::open_as(host, engines, options, Normalisers::default())
    }

    /// The same as a release with other normalisers would: how tests play a change of release.
    pub fn open_as(
        host: &Host,
        engines: &Arc<dyn Engines>,
        options: &DirectoryOptions,
        normalisers: Normalisers,
    ) -> Result<Self, OpenError> {
        let directory = DataDirectory::open(host, options)?;
        let (log, state) = (directory.log_database(), directory.state_root());
        // Made anew it would be a log without its vote. The log is made, durably, before the state's pointer.
        if !host.files.exists(&log) && checkpoint::is_in_use(&*host.files, state) {
            return Err(DirectoryError::Half { kept: state.to_path_buf(), lost: log }.into());
        }
        let log = LogStore::open(host, &**engines, &directory)?;
        let (state, checkpoints) = CheckpointStore::open(host, engines, &directory, normalisers)?;
        Ok(Self { directory, log, state, checkpoints })
    }

    /// Makes everything durable and closes it. Consensus must have stopped.
    pub async fn close(&self) -> Result<(), OpenError> {
        let state = self.state.close().await.map_err(|error: StateError| CheckpointError::from(error));
        self.log.close().await?;
        Ok(state?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::testing::{Bench, kinds};

    #[tokio::test(flavor = "multi_thread")]
    async fn a_log_that_was_lost_below_its_identity_is_not_made_anew() {
        for (_, kind) in kinds() {
            let bench = Bench::new(kind);
            let storage = bench.storage("node").unwrap();
            let log = storage.directory.log_database();
            storage.close().await.unwrap();
            drop(storage);
            std::fs::remove_dir_all(&log).unwrap();
            let refused = bench.storage("node").err();
            let lost = |error: &OpenError| matches!(error, OpenError::Directory(DirectoryError::Half { lost, .. }) if *lost == log);
            assert!(refused.as_ref().is_some_and(lost), "{refused:?}");
        }
    }
}

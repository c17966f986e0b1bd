//! One open state database, and what it says about itself.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use alert_core::state::{
    Meta,
    family::{Family, sys},
};

use super::{StateError, StateView, families};
use crate::storage::{
    engine::{Access, Engine, Engines},
    records::RaftMeta,
};

/// An open database of the state. Readers hold it; after a swap it lives until the last of them has gone.
pub(in crate::storage) struct Database {
    engine: Arc<dyn Engine>,
    path: PathBuf,
    revoked: AtomicBool,
}

impl Database {
    /// Opens the database at `path`. Blocks.
    pub fn open(engines: &dyn Engines, path: &Path, access: Access) -> Result<Arc<Self>, StateError> {
        let engine = engines.open(path, &families::spec(), access)?;
        Ok(Arc::new(Self { engine, path: path.to_path_buf(), revoked: AtomicBool::new(false) }))
    }

    /// The engine below.
    pub fn engine(&self) -> &dyn Engine {
        &*self.engine
    }

    /// Its directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The state as of now.
    pub fn view(self: &Arc<Self>) -> Result<StateView, StateError> {
        StateView::new(self.clone(), self.engine.snapshot()?)
    }

    /// What consensus keeps in it.
    pub fn raft_meta(&self) -> Result<RaftMeta, StateError> {
        let bytes = self.engine.get(families::index(Family::Sys), sys::RAFT)?;
        let decoded = bytes.map(|bytes| RaftMeta::decode(&bytes)).transpose();
        let decoded =
            decoded.map_err(|error| StateError::Undecodable { what: "position and membership".into(), error })?;
        Ok(decoded.unwrap_or_default())
    }

    /// What the state machine counts.
    pub fn meta(self: &Arc<Self>) -> Result<Meta, StateError> {
        Ok(Meta::read(&self.view()?)?)
    }

    /// Lets every later read through an old view fail: its time is over.
    pub fn revoke(&self) {
        self.revoked.store(true, Ordering::Release);
    }

    /// True once views must not be read any more.
    pub fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Acquire)
    }
}

//! What readers get.

use std::sync::Arc;

use alert_core::{
    codec,
    state::{
        Cursor, Meta, View, ViewError,
        family::{Family, sys},
    },
};

use super::{Database, StateError, families};
use crate::{
    raft::types::LogId,
    storage::{
        engine::{EngineCursor, EngineError, EngineSnapshot},
        records::LogIdRecord,
    },
};

/// How far a state is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Position {
    /// The last log entry in it; `None` in an empty state.
    pub applied: Option<LogId>,
    /// Revision of the state machine.
    pub revision: u64,
}

impl Position {
    /// Index of the last entry; `None` in an empty state.
    pub fn applied_index(&self) -> Option<u64> {
        self.applied.map(|id| id.index)
    }

    /// True when the entry at `index` is in the state.
    pub fn has_applied(&self, index: u64) -> bool {
        self.applied_index() >= Some(index)
    }
}

/// The state at one applied index. It owns what it reads, so it may be kept over an await and handed to a lane; but not
/// for ever: an install closes the old database after [`crate::storage::limits::VIEW_LIFE_MS`], and reads then fail.
/// Clones share the snapshot.
#[derive(Clone)]
pub struct StateView {
    snapshot: Arc<dyn EngineSnapshot>,
    database: Arc<Database>,
    position: Position,
    meta: Arc<Meta>,
}

impl StateView {
    pub(super) fn new(database: Arc<Database>, snapshot: Arc<dyn EngineSnapshot>) -> Result<Self, StateError> {
        let mut view = Self { snapshot, database, position: Position::default(), meta: Arc::default() };
        // Both from the snapshot itself: whatever is published elsewhere may be of another moment.
        view.meta = Arc::new(Meta::read(&view)?);
        view.position = Position { applied: view.read_applied()?, revision: view.meta.revision };
        Ok(view)
    }

    /// How far it is, as the snapshot itself says.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The state machine's counters in it.
    pub fn meta(&self) -> &Arc<Meta> {
        &self.meta
    }

    /// The position alone: it stands at the front, and a membership need not be decoded for every read.
    fn read_applied(&self) -> Result<Option<LogId>, StateError> {
        let Some(bytes) = self.get(Family::Sys, sys::RAFT)? else { return Ok(None) };
        let (applied, _): (Option<LogIdRecord>, _) =
            codec::decode_prefix(&bytes).map_err(|error| StateError::Undecodable { what: "position".into(), error })?;
        Ok(applied.map(Into::into))
    }

    fn check(&self) -> Result<(), ViewError> {
        if self.database.is_revoked() {
            return Err(ViewError("another state was installed and this reader's time is over".into()));
        }
        Ok(())
    }
}

impl View for StateView {
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, ViewError> {
        self.check()?;
        self.snapshot.get(families::index(family), key).map_err(view_error)
    }

    fn may_contain(&self, family: Family, key: &[u8]) -> Result<bool, ViewError> {
        self.check()?;
        self.snapshot.may_contain(families::index(family), key).map_err(view_error)
    }

    fn cursor(&self, family: Family) -> Box<dyn Cursor + '_> {
        Box::new(StateCursor { view: self, inner: self.snapshot.cursor(families::index(family), 0) })
    }
}

struct StateCursor<'a> {
    view: &'a StateView,
    inner: Box<dyn EngineCursor + 'a>,
}

impl Cursor for StateCursor<'_> {
    fn seek(&mut self, key: &[u8], prefix: &[u8]) -> Result<(), ViewError> {
        self.view.check()?;
        self.inner.seek(key, prefix).map_err(view_error)
    }

    fn entry(&self) -> Option<(&[u8], &[u8])> {
        self.inner.entry()
    }

    fn next(&mut self) -> Result<(), ViewError> {
        self.inner.next().map_err(view_error)
    }
}

fn view_error(error: EngineError) -> ViewError {
    ViewError(error.to_string())
}

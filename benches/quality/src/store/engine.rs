//! The persons in a database of RocksDB, with the options that a node gives it: what a search costs there.

use std::sync::Arc;

use alert_core::state::{Cursor, View, ViewError, Write, family::Family};
use alert_node::storage::{
    engine::{
        Access, Change, Engine, EngineCursor, EngineError, EngineSnapshot, Engines, WriteBatch,
        rocks::{RocksEngines, RocksSettings},
    },
    state::{family_index, spec},
};
use anyhow::Result;

/// Alerts written together, as in an import.
const TOGETHER: usize = 40;

/// The database as of its last write. It is gone with this.
pub struct OnRocks {
    snapshot: Arc<dyn EngineSnapshot>,
    _directory: tempfile::TempDir,
}

impl OnRocks {
    /// Writes what `alerts` put into the state, in their order.
    pub fn new(alerts: impl Iterator<Item = Vec<Write>>) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let engine = RocksEngines::new(RocksSettings::default()).open(directory.path(), &spec(), Access::ReadWrite)?;
        let mut changes = Vec::new();
        for (number, writes) in (1..).zip(alerts) {
            changes.extend(writes.into_iter().map(|(family, key, value)| match value {
                Some(value) => Change::Put(family_index(family), key, value),
                None => Change::Delete(family_index(family), key),
            }));
            if number % TOGETHER == 0 {
                write(&*engine, &mut changes)?;
            }
        }
        write(&*engine, &mut changes)?;
        Ok(Self { snapshot: engine.snapshot()?, _directory: directory })
    }
}

fn write(engine: &dyn Engine, changes: &mut Vec<Change>) -> Result<(), EngineError> {
    engine.write(WriteBatch { changes: std::mem::take(changes) })
}

impl View for OnRocks {
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, ViewError> {
        self.snapshot.get(family_index(family), key).map_err(view_error)
    }

    fn cursor(&self, family: Family) -> Box<dyn Cursor + '_> {
        Box::new(RocksCursor(self.snapshot.cursor(family_index(family), 0)))
    }
}

struct RocksCursor<'a>(Box<dyn EngineCursor + 'a>);

impl Cursor for RocksCursor<'_> {
    fn seek(&mut self, key: &[u8], prefix: &[u8]) -> Result<(), ViewError> {
        self.0.seek(key, prefix).map_err(view_error)
    }

    fn entry(&self) -> Option<(&[u8], &[u8])> {
        self.0.entry()
    }

    fn next(&mut self) -> Result<(), ViewError> {
        self.0.next().map_err(view_error)
    }
}

fn view_error(error: EngineError) -> ViewError {
    ViewError(error.to_string())
}

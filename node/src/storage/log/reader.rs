//! Reads of the log: apply and replication, at once with all writes.

use std::{
    fmt::Debug,
    io,
    ops::{Bound, RangeBounds},
    sync::Arc,
};

use futures::{Stream, StreamExt, TryStreamExt, stream};
use openraft::{OptionalSend, RaftLogReader};

use super::{ENTRIES, LogError, commit::Shared, entry};
use crate::{
    raft::types::{Entry, TypeConfig, Vote},
    seam::{self, Lane},
    storage::{
        engine::{EngineError, EngineSnapshot},
        limits,
    },
};

/// A handle for reading. Cheap to clone; sees every entry as soon as its append has returned.
#[derive(Clone)]
pub struct LogReader {
    pub(super) shared: Arc<Shared>,
}

/// What one look under the lock found: the rest is read without it.
struct Plan {
    /// In the database: from, to (not included), and the database as of the look.
    stored: Option<(u64, u64, Arc<dyn EngineSnapshot>)>,
    /// What follows, from memory.
    tail: Vec<(Entry, usize)>,
}

impl LogReader {
    /// Entries of `from..to` that the log holds, from the first of them on, without a hole: all of them, or as many as
    /// `bytes_max` admits and at least one.
    pub(in crate::storage) async fn read(&self, from: u64, to: u64, bytes_max: usize) -> Result<Vec<Entry>, LogError> {
        let plan = self.plan(from, to, bytes_max)?;
        let mut found = Vec::new();
        let mut bytes = 0;
        if let Some((from, to, snapshot)) = plan.stored {
            let shared = self.shared.clone();
            let work = move || read_stored(&*snapshot, from, to, bytes_max);
            let read = seam::run(&*shared.host.blocking, Lane::Read, work).await;
            (found, bytes) = read.map_err(|error| match error {
                ReadError::Engine(error) => LogError::from_engine(&shared.directory.log_database(), error),
                ReadError::Damage(what) => LogError::Damaged { path: shared.directory.log_database(), what },
            })?;
            if bytes >= bytes_max {
                return Ok(found);
            }
        }
        for (entry, size) in plan.tail {
            if !found.is_empty() && bytes + size > bytes_max {
                break;
            }
            bytes += size;
            found.push(entry);
        }
        Ok(found)
    }

    fn plan(&self, from: u64, to: u64, bytes_max: usize) -> Result<Plan, LogError> {
        let log = self.shared.log.lock();
        log.check()?;
        let (Some(first), Some(last)) = (log.first, log.last) else {
            return Ok(Plan { stored: None, tail: Vec::new() });
        };
        let from = from.max(first);
        let to = to.min(last.index + 1);
        let tail_from = log.tail.front().map_or(last.index + 1, |oldest| oldest.entry.log_id.index);
        let stored = if from < to.min(tail_from) {
            let snapshot = self.shared.engine.snapshot()?;
            Some((from, to.min(tail_from), snapshot))
        } else {
            None
        };
        let mut tail = Vec::new();
        let mut bytes = 0;
        for index in from.max(tail_from)..to {
            let held = &log.tail[(index - tail_from) as usize];
            if !tail.is_empty() && bytes + held.bytes > bytes_max {
                break;
            }
            bytes += held.bytes;
            tail.push((held.entry.clone(), held.bytes));
        }
        Ok(Plan { stored, tail })
    }

    /// CRC of an entry that the log holds.
    pub(super) async fn crc_of(&self, index: u64) -> Result<u32, LogError> {
        {
            let log = self.shared.log.lock();
            let oldest = log.tail.front().map(|oldest| oldest.entry.log_id.index);
            let held = oldest.and_then(|oldest| log.tail.get(index.checked_sub(oldest)? as usize));
            if let Some(held) = held {
                return Ok(held.crc);
            }
        }
        let engine = self.shared.engine.clone();
        let path = self.shared.directory.log_database();
        let work = move || engine.get(ENTRIES, &entry::key(index));
        let bytes = seam::run(&*self.shared.host.blocking, Lane::Read, work).await;
        let bytes = bytes.map_err(|error| LogError::from_engine(&path, error))?;
        let stored = bytes.map(|bytes| entry::decode(index, &bytes));
        match stored {
            Some(Ok(stored)) => Ok(stored.crc),
            Some(Err(error)) => Err(LogError::Damaged { path, what: format!("entry {index}: {error}") }),
            None => Err(LogError::Damaged { path, what: format!("entry {index} is missing") }),
        }
    }
}

enum ReadError {
    Engine(EngineError),
    Damage(String),
}

impl From<EngineError> for ReadError {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

/// Reads `from..to`, all of which the database holds; gives back entries and their bytes.
fn read_stored(
    snapshot: &dyn EngineSnapshot,
    from: u64,
    to: u64,
    bytes_max: usize,
) -> Result<(Vec<Entry>, usize), ReadError> {
    let read_ahead = if to - from > 64 { limits::SCAN_READ_AHEAD_BYTES } else { 0 };
    let mut cursor = snapshot.cursor(ENTRIES, read_ahead);
    cursor.seek(&entry::key(from), b"")?;
    let mut found: Vec<Entry> = Vec::new();
    let mut bytes = 0;
    let mut previous_crc = None;
    for expected in from..to {
        let (index, value) = match cursor.entry() {
            Some((key, value)) => (entry::index_of(key), value),
            None => (None, [].as_slice()),
        };
        if index != Some(expected) {
            return Err(ReadError::Damage(format!("entry {expected} is missing")));
        }
        if !found.is_empty() && bytes + value.len() > bytes_max {
            return Ok((found, bytes_max));
        }
        let damage = |error: entry::EntryError| ReadError::Damage(format!("entry {expected}: {error}"));
        let stored = entry::decode(expected, value).map_err(damage)?;
        if previous_crc.is_some_and(|crc| crc != stored.previous_crc) {
            return Err(damage(entry::EntryError::Chain));
        }
        previous_crc = Some(stored.crc);
        bytes += value.len();
        found.push(stored.entry);
        cursor.next()?;
    }
    Ok((found, bytes))
}

/// `start..end` of a range.
fn bounds(range: &impl RangeBounds<u64>) -> (u64, u64) {
    let start = match range.start_bound() {
        Bound::Included(start) => *start,
        Bound::Excluded(start) => start.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(end) => end.saturating_add(1),
        Bound::Excluded(end) => *end,
        Bound::Unbounded => u64::MAX,
    };
    (start, end)
}

impl RaftLogReader<TypeConfig> for LogReader {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, io::Error> {
        let (start, end) = bounds(&range);
        Ok(self.read(start, end, usize::MAX).await?)
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, io::Error> {
        let log = self.shared.log.lock();
        log.check()?;
        Ok(log.vote)
    }

    /// At most [`limits::LOG_READ_BYTES_MAX`], or one entry. Nothing when `start` is purged: a later slice would be
    /// taken for a log with a hole.
    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> Result<Vec<Entry>, io::Error> {
        let entries = self.read(start, end, limits::LOG_READ_BYTES_MAX).await?;
        let begins_there = entries.first().is_some_and(|first| first.log_id.index == start);
        Ok(if begins_there { entries } else { Vec::new() })
    }

    /// In chunks of [`limits::LOG_READ_BYTES_MAX`]: after a restart, apply reads everything since the last applied
    /// entry, which must not all be in memory at once.
    async fn entries_stream<RB>(&mut self, range: RB) -> impl Stream<Item = Result<Entry, io::Error>> + OptionalSend
    where
        RB: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        let (start, end) = bounds(&range);
        let chunks = stream::try_unfold((self.clone(), start), move |(reader, next)| async move {
            let entries = reader.read(next, end, limits::LOG_READ_BYTES_MAX).await?;
            let after = entries.last().map(|last| last.log_id.index + 1);
            Ok::<_, io::Error>(after.map(|after| (stream::iter(entries).map(Ok), (reader, after))))
        });
        chunks.try_flatten()
    }
}

//! What is checked before a log is believed.
//!
//! The engine has already cut a torn record at the very end, which was never synced, and refused any other damage of its
//! files. Here every entry is read: indexes without a hole, checksums, and each entry following the one before it.

use std::{collections::VecDeque, path::Path};

use alert_core::codec::{self, CodecError};
use serde::de::DeserializeOwned;

use super::{
    COMMITTED, ENTRIES, LogError, MARKS, PURGED, VOTE,
    commit::{Log, TailEntry},
    entry,
};
use crate::{
    raft::types::{LogId, Vote},
    storage::{
        engine::Engine,
        limits,
        records::{LogIdRecord, VoteRecord},
    },
};

/// Reads marks and all entries of `engine`, and keeps the newest entries in memory.
pub(super) fn load(engine: &dyn Engine, path: &Path) -> Result<Log, LogError> {
    let damaged = |what: String| LogError::Damaged { path: path.to_path_buf(), what };
    let vote: Option<VoteRecord> = mark(engine, path, VOTE)?;
    let purged: Option<LogIdRecord> = mark(engine, path, PURGED)?;
    let committed: Option<LogIdRecord> = mark(engine, path, COMMITTED)?;
    let purged: Option<LogId> = purged.map(Into::into);

    let mut log = Log::new(vote.map(Vote::from), purged);
    let snapshot = engine.snapshot().map_err(|error| LogError::from_engine(path, error))?;
    let mut cursor = snapshot.cursor(ENTRIES, limits::SCAN_READ_AHEAD_BYTES);
    cursor.seek(b"", b"").map_err(|error| LogError::from_engine(path, error))?;
    let mut tail = VecDeque::new();
    let mut expected = purged.map_or(0, |id| id.index + 1);
    while let Some((key, value)) = cursor.entry() {
        let index = entry::index_of(key).ok_or_else(|| damaged(format!("a key of {} bytes", key.len())))?;
        if index != expected {
            return Err(damaged(format!("entry {expected} is missing, the next one present is {index}")));
        }
        let stored = entry::decode(index, value).map_err(|error| damaged(format!("entry {index}: {error}")))?;
        // What the first entry follows was purged.
        if log.first.is_some() && stored.previous_crc != log.last_crc {
            return Err(damaged(format!("entry {index}: {}", entry::EntryError::Chain)));
        }
        if log.last.is_some_and(|last| stored.entry.log_id.leader_id.term < last.leader_id.term) {
            return Err(damaged(format!("entry {index}: its term is lower than that of the entry before it")));
        }
        log.first.get_or_insert(index);
        log.last = Some(stored.entry.log_id);
        log.last_crc = stored.crc;
        log.tail_bytes += value.len();
        log.opened.note(index, value.len() as u64, entry::proposed_at_ms(&stored.entry));
        tail.push_back(TailEntry { entry: stored.entry, crc: stored.crc, bytes: value.len(), sequence: 0 });
        while log.tail_bytes > limits::LOG_TAIL_BYTES_MAX {
            log.tail_bytes -= tail.pop_front().map_or(0, |oldest: TailEntry| oldest.bytes);
        }
        expected = index + 1;
        cursor.next().map_err(|error| LogError::from_engine(path, error))?;
    }
    log.tail = tail;
    // The commit mark is not synced with the entries that it names; consensus reads every entry up to it at start.
    log.committed = committed.map(LogId::from).map(|committed| log.last.map_or(committed, |last| committed.min(last)));
    if log.last.is_none() {
        log.committed = None;
    }
    Ok(log)
}

fn mark<T: DeserializeOwned>(engine: &dyn Engine, path: &Path, key: &[u8]) -> Result<Option<T>, LogError> {
    let bytes = engine.get(MARKS, key).map_err(|error| LogError::from_engine(path, error))?;
    bytes.map(|bytes| codec::decode(&bytes)).transpose().map_err(|error: CodecError| LogError::Damaged {
        path: path.to_path_buf(),
        what: format!("mark '{}': {error}", String::from_utf8_lossy(key)),
    })
}

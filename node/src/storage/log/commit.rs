//! Group commit: one queue, one lane, one batch and one fsync for all that is queued.
//!
//! While the lane waits for the disk, the next group gathers. So the slower the disk, the larger the groups; nothing
//! waits on purpose.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use alert_core::{codec, mutants::Mutant};
use openraft::storage::IOFlushed;
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use super::{COMMITTED, ENTRIES, LogError, LogMarks, MARKS, PURGED, VOTE, entry};
use crate::{
    raft::types::{Entry, LogId, TypeConfig, Vote},
    seam::{Host, Lane},
    storage::{
        data_directory::DataDirectory,
        engine::{Engine, EngineError, WriteBatch},
        limits,
        records::{LogIdRecord, VoteRecord},
    },
};

/// An entry in memory.
#[derive(Debug, Clone)]
pub(super) struct TailEntry {
    pub entry: Entry,
    pub crc: u32,
    pub bytes: usize,
    /// The operation that wrote it; only what the engine has may leave memory.
    pub sequence: u64,
}

/// The log as consensus sees it: what is queued counts as done.
#[derive(Default)]
pub(super) struct Log {
    pub vote: Option<Vote>,
    pub committed: Option<LogId>,
    pub purged: Option<LogId>,
    /// Index of the first entry present.
    pub first: Option<u64>,
    /// The last entry, or the purge mark when there is none.
    pub last: Option<LogId>,
    pub last_crc: u32,
    /// The newest entries, without a gap up to the last one.
    pub tail: VecDeque<TailEntry>,
    pub tail_bytes: usize,
    /// Along what lay on disk when the log was opened.
    pub opened: LogMarks,
    queue: Vec<Operation>,
    queue_bytes: usize,
    lane_is_busy: bool,
    sequence: u64,
    written: u64,
    stopped: Option<String>,
}

impl Log {
    /// An empty log with its marks.
    pub fn new(vote: Option<Vote>, purged: Option<LogId>) -> Self {
        Self { vote, purged, last: purged, ..Self::default() }
    }

    /// The only index that may be appended; `None` when any may.
    pub fn next_index(&self) -> Option<u64> {
        self.last.map(|last| last.index + 1)
    }

    /// Removes entries after `last` from memory.
    pub fn cut_tail_after(&mut self, last: Option<u64>) {
        while self.tail.back().is_some_and(|newest| last.is_none_or(|last| newest.entry.log_id.index > last)) {
            self.tail_bytes -= self.tail.pop_back().map_or(0, |entry| entry.bytes);
        }
    }

    /// Removes entries up to `index` from memory.
    pub fn cut_tail_upto(&mut self, index: u64) {
        while self.tail.front().is_some_and(|oldest| oldest.entry.log_id.index <= index) {
            self.tail_bytes -= self.tail.pop_front().map_or(0, |entry| entry.bytes);
        }
    }

    /// True when the entry at `index` is on disk, with all before it. What has left memory is.
    pub fn is_durable(&self, index: u64) -> bool {
        let Some(oldest) = self.tail.front() else { return true };
        let place = index.checked_sub(oldest.entry.log_id.index).and_then(|place| usize::try_from(place).ok());
        place.and_then(|place| self.tail.get(place)).is_none_or(|entry| entry.sequence <= self.written)
    }

    fn bound_tail(&mut self) {
        while self.tail_bytes > limits::LOG_TAIL_BYTES_MAX
            && self.tail.front().is_some_and(|oldest| oldest.sequence <= self.written)
        {
            self.tail_bytes -= self.tail.pop_front().map_or(0, |entry| entry.bytes);
        }
    }

    pub fn check(&self) -> Result<(), LogError> {
        match &self.stopped {
            Some(reason) => Err(LogError::Stopped(reason.clone())),
            None => Ok(()),
        }
    }
}

pub(super) type Done = oneshot::Sender<Result<(), LogError>>;

/// Something to write, in order.
pub(super) enum Operation {
    /// Entries by index, as bytes.
    Append {
        entries: Vec<(u64, Vec<u8>)>,
        flushed: IOFlushed<TypeConfig>,
    },
    Vote {
        vote: Vote,
        done: Done,
    },
    /// Removes `from..to`.
    Truncate {
        from: u64,
        to: u64,
        done: Done,
    },
    /// Removes everything up to an id.
    Purge {
        upto: LogId,
    },
    /// Needs no fsync: a hint for the next start.
    Committed {
        committed: Option<LogId>,
    },
    /// Writes nothing; done when all before it is durable.
    Barrier {
        done: Done,
    },
}

impl Operation {
    fn bytes(&self) -> usize {
        match self {
            Self::Append { entries, .. } => entries.iter().map(|(_, bytes)| bytes.len()).sum(),
            _ => 0,
        }
    }

    fn purges(&self) -> Option<u64> {
        match self {
            Self::Purge { upto } => Some(upto.index),
            _ => None,
        }
    }

    fn needs_sync(&self) -> bool {
        match self {
            Self::Committed { .. } => false,
            Self::Append { .. } => !Mutant::AcknowledgeBeforeSync.is_planted(),
            Self::Vote { .. } => !Mutant::VoteNotSynced.is_planted(),
            _ => true,
        }
    }

    fn write(&self, batch: &mut WriteBatch) {
        match self {
            Self::Append { entries, .. } => {
                entries.iter().for_each(|(index, bytes)| batch.put(ENTRIES, entry::key(*index), bytes.as_slice()));
            }
            Self::Vote { vote, .. } => batch.put(MARKS, VOTE, codec::encode(&VoteRecord::from(vote))),
            Self::Truncate { from, to, .. } => batch.delete_range(ENTRIES, entry::key(*from), entry::key(*to)),
            Self::Purge { upto } => {
                batch.put(MARKS, PURGED, codec::encode(&LogIdRecord::from(*upto)));
                batch.delete_range(ENTRIES, entry::key(0), entry::key(upto.index + 1));
            }
            Self::Committed { committed: Some(committed) } => {
                batch.put(MARKS, COMMITTED, codec::encode(&LogIdRecord::from(*committed)));
            }
            Self::Committed { committed: None } => batch.delete(MARKS, COMMITTED),
            Self::Barrier { .. } => {}
        }
    }

    /// Tells whoever waits. A waiter that has gone away needs no answer.
    fn complete(self, result: &Result<(), LogError>) {
        match self {
            Self::Append { flushed, .. } => flushed.io_completed(result.clone().map_err(Into::into)),
            Self::Vote { done, .. } | Self::Truncate { done, .. } | Self::Barrier { done } => {
                drop(done.send(result.clone()));
            }
            Self::Purge { .. } | Self::Committed { .. } => {}
        }
    }
}

/// Counters of the log since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogFigures {
    /// Calls of append.
    pub appends: u64,
    /// Entries appended.
    pub entries: u64,
    /// Bytes appended.
    pub bytes: u64,
    /// Batches written to the engine.
    pub groups: u64,
    /// fsyncs.
    pub syncs: u64,
    /// Time spent in fsyncs, in microseconds.
    pub sync_us: u64,
    /// The longest fsync, in microseconds.
    pub sync_us_max: u64,
    /// Bytes that wait for the disk.
    pub queue_bytes: u64,
    /// Bytes of decoded entries in memory.
    pub tail_bytes: u64,
    /// Index of the last entry; 0 in an empty log.
    pub last_index: u64,
    /// Index up to which entries are purged; 0 when none are.
    pub purged_index: u64,
    /// Since when the fsync under way runs, as boot time in microseconds; 0 when there is none.
    pub sync_began_boot_us: u64,
}

#[derive(Default)]
struct Counters {
    appends: AtomicU64,
    entries: AtomicU64,
    bytes: AtomicU64,
    groups: AtomicU64,
    syncs: AtomicU64,
    sync_us: AtomicU64,
    sync_us_max: AtomicU64,
    sync_began_boot_us: AtomicU64,
}

/// What store and readers share.
pub(super) struct Shared {
    pub engine: Arc<dyn Engine>,
    pub directory: DataDirectory,
    pub host: Host,
    pub log: Mutex<Log>,
    /// A group was written, or none will be any more.
    progress: Notify,
    counters: Counters,
}

impl Shared {
    pub fn new(engine: Arc<dyn Engine>, directory: DataDirectory, host: Host, log: Log) -> Self {
        Self { engine, directory, host, log: Mutex::new(log), progress: Notify::new(), counters: Counters::default() }
    }

    /// Waits while too many bytes wait for the disk.
    pub async fn wait_for_room(&self) {
        loop {
            let progress = self.progress.notified();
            if self.log.lock().queue_bytes <= limits::LOG_QUEUE_BYTES_MAX {
                return;
            }
            progress.await;
        }
    }

    /// Waits until the entry at `index` is on disk.
    pub async fn wait_until_durable(&self, index: u64) -> Result<(), LogError> {
        loop {
            let progress = self.progress.notified();
            {
                let log = self.log.lock();
                log.check()?;
                if log.is_durable(index) {
                    return Ok(());
                }
            }
            progress.await;
        }
    }

    /// Changes the log in memory and queues the operation that makes it so on disk, in one step.
    pub fn submit(
        self: &Arc<Self>,
        change: impl FnOnce(&mut Log, u64) -> Result<Operation, LogError>,
    ) -> Result<(), LogError> {
        let mut log = self.log.lock();
        log.check()?;
        let sequence = log.sequence + 1;
        let operation = change(&mut log, sequence)?;
        log.sequence = sequence;
        log.queue_bytes += operation.bytes();
        if let Operation::Append { entries, .. } = &operation {
            self.counters.appends.fetch_add(1, Relaxed);
            self.counters.entries.fetch_add(entries.len() as u64, Relaxed);
            self.counters.bytes.fetch_add(operation.bytes() as u64, Relaxed);
        }
        log.queue.push(operation);
        if !std::mem::replace(&mut log.lane_is_busy, true) {
            drop(log);
            let shared = self.clone();
            self.host.blocking.submit(Lane::Log, Box::new(move || shared.drain()));
        }
        Ok(())
    }

    /// The lane's work: groups until the queue is empty.
    fn drain(self: Arc<Self>) {
        loop {
            let (group, sequence) = {
                let mut log = self.log.lock();
                if log.queue.is_empty() {
                    log.lane_is_busy = false;
                    return;
                }
                (std::mem::take(&mut log.queue), log.sequence)
            };
            match self.write(&group) {
                Ok(()) => {
                    let bytes: usize = group.iter().map(Operation::bytes).sum();
                    let mut log = self.log.lock();
                    log.written = sequence;
                    log.queue_bytes -= bytes;
                    log.bound_tail();
                    drop(log);
                    self.progress.notify_waiters();
                    let purged = group.iter().filter_map(Operation::purges).max();
                    if let Some(upto) = purged {
                        self.compact_later(upto);
                    }
                    group.into_iter().for_each(|operation| operation.complete(&Ok(())));
                }
                Err(error) => {
                    self.stop(group, &error);
                    return;
                }
            }
        }
    }

    fn write(&self, group: &[Operation]) -> Result<(), EngineError> {
        let mut batch = WriteBatch::default();
        group.iter().for_each(|operation| operation.write(&mut batch));
        if !batch.changes.is_empty() {
            self.engine.write(batch)?;
            self.counters.groups.fetch_add(1, Relaxed);
        }
        if !group.iter().any(Operation::needs_sync) {
            return Ok(());
        }
        let began = self.host.clock.boot();
        self.counters.sync_began_boot_us.store(micros(began).max(1), Relaxed);
        let synced = self.engine.flush_wal(true);
        let took = micros(self.host.clock.boot().saturating_sub(began));
        self.counters.sync_began_boot_us.store(0, Relaxed);
        self.counters.syncs.fetch_add(1, Relaxed);
        self.counters.sync_us.fetch_add(took, Relaxed);
        self.counters.sync_us_max.fetch_max(took, Relaxed);
        synced
    }

    /// Stops the store for good. The directory is marked before anybody hears of the failure: whoever restarts the node
    /// must find the mark. A full disk needs no mark: what was acknowledged is on it.
    fn stop(&self, group: Vec<Operation>, error: &EngineError) {
        tracing::error!(%error, "the Raft log stops: it cannot be made durable");
        if !matches!(error, EngineError::DiskFull(_) | EngineError::Closed(_)) {
            self.directory.mark_suspect(&*self.host.files, &error.to_string());
        }
        let later = {
            let mut log = self.log.lock();
            log.stopped = Some(error.to_string());
            log.lane_is_busy = false;
            log.queue_bytes = 0;
            std::mem::take(&mut log.queue)
        };
        self.progress.notify_waiters();
        let result = Err(LogError::Stopped(error.to_string()));
        group.into_iter().chain(later).for_each(|operation| operation.complete(&result));
    }

    /// Rewrites what was purged, so that it leaves the disk: entries hold personal data. The marks too: as long as one of
    /// them is only in the write-ahead log, the engine keeps that file, with every entry in it.
    fn compact_later(&self, upto: u64) {
        let engine = self.engine.clone();
        let work = move || {
            let compacted = engine
                .compact(ENTRIES, None, Some(&entry::key(upto + 1)))
                .and_then(|()| engine.compact(MARKS, None, None));
            match compacted {
                Ok(()) | Err(EngineError::Closed(_)) => {}
                Err(error) => tracing::warn!(%error, "purged log entries could not be compacted away"),
            }
        };
        self.host.blocking.submit(Lane::Snapshot, Box::new(work));
    }

    pub fn figures(&self) -> LogFigures {
        let log = self.log.lock();
        let counters = &self.counters;
        LogFigures {
            appends: counters.appends.load(Relaxed),
            entries: counters.entries.load(Relaxed),
            bytes: counters.bytes.load(Relaxed),
            groups: counters.groups.load(Relaxed),
            syncs: counters.syncs.load(Relaxed),
            sync_us: counters.sync_us.load(Relaxed),
            sync_us_max: counters.sync_us_max.load(Relaxed),
            queue_bytes: log.queue_bytes as u64,
            tail_bytes: log.tail_bytes as u64,
            last_index: log.last.map_or(0, |id| id.index),
            purged_index: log.purged.map_or(0, |id| id.index),
            sync_began_boot_us: counters.sync_began_boot_us.load(Relaxed),
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

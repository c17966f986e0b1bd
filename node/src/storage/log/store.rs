//! The log store: what consensus writes through.

use std::{io, sync::Arc};

use alert_core::limits::ENTRY_BYTES_MAX;
use openraft::{
    LogState, OptionalSend,
    storage::{IOFlushed, RaftLogStorage},
};
use tokio::sync::oneshot;

use super::{
    LogError, LogFigures, LogMarks, LogReader,
    commit::{Done, Log, Operation, Shared, TailEntry},
    entry, open, spec,
};
use crate::{
    raft::types::{Entry, LogId, TypeConfig, Vote},
    seam::{self, Host, Lane},
    storage::{
        data_directory::DataDirectory,
        engine::{Access, EngineError, Engines},
    },
};

/// The log of one node. Consensus is its only writer; [`LogStore::reader`] gives out readers.
#[derive(Clone)]
pub struct LogStore {
    shared: Arc<Shared>,
}

impl LogStore {
    /// Opens the log and reads all of it: a torn tail is cut, damage or a hole is refused. Blocks.
    pub fn open(host: &Host, engines: &dyn Engines, directory: &DataDirectory) -> Result<Self, LogError> {
        let path = directory.log_database();
        let engine =
            engines.open(&path, &spec(), Access::ReadWrite).map_err(|error| LogError::from_engine(&path, error))?;
        // The database syncs what is in it, not its own name: a new one could be gone after a power loss, vote and all.
        let named = host.files.sync_directory(path.parent().unwrap_or(&path));
        named.map_err(|error| LogError::from_engine(&path, EngineError::from_io(&path, &error)))?;
        let log = open::load(&*engine, &path)?;
        tracing::info!(
            path = %path.display(),
            first = log.first,
            last = log.last.map(|id| id.index),
            purged = log.purged.map(|id| id.index),
            "Raft log opened"
        );
        Ok(Self { shared: Arc::new(Shared::new(engine, directory.clone(), host.clone(), log)) })
    }

    /// A handle for reading.
    pub fn reader(&self) -> LogReader {
        LogReader { shared: self.shared.clone() }
    }

    /// Index of the last entry that there is or was; 0 = there never was one.
    pub fn last_index(&self) -> u64 {
        let log = self.shared.log.lock();
        log.last.max(log.purged).map_or(0, |id| id.index)
    }

    /// The log begins behind this index; 0 = nothing was cut off. Fails once the log has failed.
    pub fn purged_index(&self) -> Result<u64, LogError> {
        let log = self.shared.log.lock();
        log.check()?;
        Ok(log.purged.map_or(0, |id| id.index))
    }

    /// Marks along what lay on disk when the log was opened.
    pub fn opened_marks(&self) -> LogMarks {
        self.shared.log.lock().opened.clone()
    }

    /// Returns when everything queued so far is durable.
    pub async fn flush(&self) -> Result<(), LogError> {
        self.queue_and_wait(|_, done| Ok(Operation::Barrier { done })).await
    }

    /// Returns when the entry at `index` is durable. What is not there (purged, or not yet appended) is not waited for.
    pub async fn durable(&self, index: u64) -> Result<(), LogError> {
        self.shared.wait_until_durable(index).await
    }

    /// Makes everything durable and closes the database. Later calls fail.
    pub async fn close(&self) -> Result<(), LogError> {
        let flushed = self.flush().await;
        let blocking = &*self.shared.host.blocking;
        // Compactions of what was purged run on this lane: the last of them has begun before this.
        seam::run(blocking, Lane::Snapshot, || ()).await;
        let engine = self.shared.engine.clone();
        seam::run(blocking, Lane::Log, move || engine.close()).await?;
        flushed
    }

    /// Bytes on disk of the entries from the first one up to `index`, about.
    pub fn size_bytes_upto(&self, index: u64) -> Result<u64, LogError> {
        Ok(self.shared.engine.approximate_size_bytes(super::ENTRIES, &entry::key(0), &entry::key(index + 1))?)
    }

    /// Counters.
    pub fn figures(&self) -> LogFigures {
        self.shared.figures()
    }

    async fn queue_and_wait(
        &self,
        change: impl FnOnce(&mut Log, Done) -> Result<Operation, LogError>,
    ) -> Result<(), LogError> {
        let (done, wait) = oneshot::channel();
        self.shared.submit(|log, _| change(log, done))?;
        wait.await.unwrap_or_else(|_| Err(LogError::Stopped("the log's lane has ended".into())))
    }

    fn queue_append(
        &self,
        entries: impl Iterator<Item = Entry>,
        flushed: &mut Option<IOFlushed<TypeConfig>>,
    ) -> Result<(), LogError> {
        // Encoded outside the lock: consensus is the only writer, so the log's end stays where it is.
        let (mut crc, mut next) = {
            let log = self.shared.log.lock();
            log.check()?;
            (log.last_crc, log.next_index())
        };
        let mut encoded = Vec::new();
        let mut decoded = Vec::new();
        for entry in entries {
            let index = entry.log_id.index;
            if let Some(wanted) = next
                && wanted != index
            {
                return Err(LogError::NotNext { found: index, wanted });
            }
            let (bytes, own_crc) = entry::encode(&entry, crc);
            if bytes.len() > ENTRY_BYTES_MAX + entry::HEADER_BYTES {
                return Err(LogError::TooLarge { index, bytes: bytes.len() });
            }
            decoded.push(TailEntry { entry, crc: own_crc, bytes: bytes.len(), sequence: 0 });
            encoded.push((index, bytes));
            crc = own_crc;
            next = Some(index + 1);
        }
        self.shared.submit(|log, sequence| {
            for mut held in decoded {
                held.sequence = sequence;
                log.first.get_or_insert(held.entry.log_id.index);
                log.last = Some(held.entry.log_id);
                log.last_crc = held.crc;
                log.tail_bytes += held.bytes;
                log.tail.push_back(held);
            }
            let flushed = flushed.take().unwrap_or_else(IOFlushed::noop);
            Ok(Operation::Append { entries: encoded, flushed })
        })
    }
}

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = LogReader;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, io::Error> {
        let log = self.shared.log.lock();
        log.check()?;
        Ok(LogState { last_purged_log_id: log.purged, last_log_id: log.last })
    }

    async fn get_log_reader(&mut self) -> LogReader {
        self.reader()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), io::Error> {
        let vote = *vote;
        let saved = self.queue_and_wait(|log, done| {
            log.vote = Some(vote);
            Ok(Operation::Vote { vote, done })
        });
        Ok(saved.await?)
    }

    /// Awaited before every chunk of apply, so it only queues: the mark goes to disk with whatever comes next. It lies
    /// in the same log as the entries, behind them, so it can never name one that is lost.
    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), io::Error> {
        Ok(self.shared.submit(|log, _| {
            log.committed = committed;
            Ok(Operation::Committed { committed })
        })?)
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, io::Error> {
        let log = self.shared.log.lock();
        log.check()?;
        Ok(log.committed)
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<TypeConfig>) -> Result<(), io::Error>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        self.shared.wait_for_room().await;
        let mut callback = Some(callback);
        let queued = self.queue_append(entries.into_iter(), &mut callback);
        // A callback that is dropped would be waited for without end.
        if let (Err(error), Some(callback)) = (&queued, callback) {
            callback.io_completed(Err(error.clone().into()));
        }
        Ok(queued?)
    }

    async fn truncate_after(&mut self, last_log_id: Option<LogId>) -> Result<(), io::Error> {
        let keep = last_log_id.map(|id| id.index);
        let (first, last) = {
            let log = self.shared.log.lock();
            log.check()?;
            (log.first, log.last)
        };
        let (Some(first), Some(last)) = (first, last) else { return Ok(()) };
        if keep.is_some_and(|keep| keep >= last.index) {
            return Ok(());
        }
        let kept = keep.filter(|keep| *keep >= first);
        let kept_crc = match kept {
            Some(index) => self.reader().crc_of(index).await?,
            None => 0,
        };
        let cut = self.queue_and_wait(|log, done| {
            log.cut_tail_after(kept);
            log.last_crc = kept_crc;
            match kept {
                Some(_) => log.last = last_log_id,
                None => (log.first, log.last) = (None, log.purged),
            }
            Ok(Operation::Truncate { from: kept.map_or(first, |kept| kept + 1), to: last.index + 1, done })
        });
        Ok(cut.await?)
    }

    /// Queues only: until the purge is on disk, a restart finds the entries again, which does no harm.
    async fn purge(&mut self, log_id: LogId) -> Result<(), io::Error> {
        if self.shared.log.lock().purged.is_some_and(|purged| purged.index >= log_id.index) {
            return Ok(());
        }
        Ok(self.shared.submit(|log, _| {
            log.purged = Some(log_id);
            log.cut_tail_upto(log_id.index);
            match log.last {
                Some(last) if last.index > log_id.index => {
                    log.first = log.first.map(|first| first.max(log_id.index + 1));
                }
                _ => (log.first, log.last, log.last_crc) = (None, Some(log_id), 0),
            }
            Ok(Operation::Purge { upto: log_id })
        })?)
    }
}

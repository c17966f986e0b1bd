//! A log and a state in memory, for tests of consensus alone.

use std::{
    any::Any,
    collections::BTreeMap,
    fmt::Debug,
    io,
    ops::{Bound, RangeBounds},
    sync::{Arc, Mutex},
};

use alert_core::{
    codec, pb,
    state::{MemoryView, Write, family::Family},
};
use bytes::Bytes;
use openraft::{
    OptionalSend,
    storage::{IOFlushed, LogState, RaftLogReader, RaftLogStorage},
};

use crate::{
    api::backend::StateView,
    raft::{
        state_port::{AppliedState, Checkpoint, Receiving, StateStore},
        types::{Entry, LogId, SnapshotMeta, TypeConfig, Vote},
        wire::WireSnapshotMeta,
    },
};

#[derive(Default)]
struct LogInner {
    vote: Option<Vote>,
    committed: Option<LogId>,
    purged: Option<LogId>,
    entries: BTreeMap<u64, Entry>,
}

/// A log. Clones share it.
#[derive(Clone, Default)]
pub struct MemoryLog(Arc<Mutex<LogInner>>);

impl MemoryLog {
    fn range(&self, range: impl RangeBounds<u64>, bytes_max: usize) -> Vec<Entry> {
        let start = match range.start_bound() {
            Bound::Included(start) => *start,
            Bound::Excluded(start) => start + 1,
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(end) => end.saturating_add(1),
            Bound::Excluded(end) => *end,
            Bound::Unbounded => u64::MAX,
        };
        let (mut found, mut bytes) = (Vec::new(), 0);
        for (_, entry) in self.0.lock().unwrap().entries.range(start..end.max(start)) {
            bytes += match &entry.payload {
                openraft::EntryPayload::Normal(batch) => batch.0.len(),
                _ => 0,
            };
            if bytes > bytes_max && !found.is_empty() {
                break;
            }
            found.push(entry.clone());
        }
        found
    }

    /// Index of the first entry that is still there.
    pub fn first_index(&self) -> u64 {
        self.0.lock().unwrap().entries.keys().next().copied().unwrap_or(0)
    }
}

impl RaftLogReader<TypeConfig> for MemoryLog {
    async fn try_get_log_entries<R>(&mut self, range: R) -> Result<Vec<Entry>, io::Error>
    where
        R: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        Ok(self.range(range, usize::MAX))
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, io::Error> {
        Ok(self.0.lock().unwrap().vote)
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> Result<Vec<Entry>, io::Error> {
        let found = self.range(start..end, 2 << 20);
        Ok(if found.first().is_some_and(|entry| entry.log_id.index == start) { found } else { Vec::new() })
    }
}

impl RaftLogStorage<TypeConfig> for MemoryLog {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, io::Error> {
        let inner = self.0.lock().unwrap();
        let last_log_id = inner.entries.values().next_back().map(|entry| entry.log_id).or(inner.purged);
        Ok(LogState { last_purged_log_id: inner.purged, last_log_id })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), io::Error> {
        self.0.lock().unwrap().vote = Some(*vote);
        Ok(())
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), io::Error> {
        self.0.lock().unwrap().committed = committed;
        Ok(())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, io::Error> {
        Ok(self.0.lock().unwrap().committed)
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<TypeConfig>) -> Result<(), io::Error>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        self.0.lock().unwrap().entries.extend(entries.into_iter().map(|entry| (entry.log_id.index, entry)));
        callback.io_completed(Ok(()));
        Ok(())
    }

    async fn truncate_after(&mut self, last: Option<LogId>) -> Result<(), io::Error> {
        self.0.lock().unwrap().entries.split_off(&last.map_or(0, |id| id.index + 1));
        Ok(())
    }

    async fn purge(&mut self, upto: LogId) -> Result<(), io::Error> {
        let mut inner = self.0.lock().unwrap();
        inner.purged = Some(upto);
        inner.entries = inner.entries.split_off(&(upto.index + 1));
        Ok(())
    }
}

#[derive(Default)]
struct StateInner {
    view: Arc<MemoryView>,
    applied: AppliedState,
    checkpoint: Option<Arc<dyn Checkpoint>>,
}

/// A state.
#[derive(Default)]
pub struct MemoryState(Mutex<StateInner>);

/// Name of the one file of a checkpoint.
const FILE: &str = "state";

struct MemoryCheckpoint {
    view: Arc<MemoryView>,
    applied: AppliedState,
    bytes: Bytes,
}

type Stored = (WireSnapshotMeta, Vec<(String, Vec<u8>, Vec<u8>)>);

impl MemoryCheckpoint {
    fn new(view: Arc<MemoryView>, applied: AppliedState) -> Self {
        let meta = SnapshotMeta { last_log_id: applied.log_id, last_membership: applied.membership.clone() };
        let entries = Family::ALL
            .iter()
            .flat_map(|family| {
                let entries = view.entries(*family);
                entries.map(|(key, value)| (family.name().to_owned(), key.to_vec(), value.to_vec()))
            })
            .collect();
        let stored: Stored = (WireSnapshotMeta::from(&meta), entries);
        Self { view, applied, bytes: codec::encode(&stored).into() }
    }

    fn decode(bytes: Vec<u8>) -> Self {
        let (meta, entries): Stored = codec::decode(&bytes).unwrap();
        let meta = SnapshotMeta::try_from(meta).unwrap();
        let mut view = MemoryView::default();
        let family = |name: &str| *Family::ALL.iter().find(|family| family.name() == name).unwrap();
        view.write(entries.into_iter().map(|(name, key, value)| (family(&name), key, Some(value))));
        let applied = AppliedState { log_id: meta.last_log_id, membership: meta.last_membership };
        Self { view: Arc::new(view), applied, bytes: bytes.into() }
    }
}

impl Checkpoint for MemoryCheckpoint {
    fn applied(&self) -> AppliedState {
        self.applied.clone()
    }

    fn files(&self) -> Vec<pb::SnapshotFile> {
        let checksum = blake3::hash(&self.bytes).as_bytes().to_vec();
        vec![pb::SnapshotFile { name: FILE.into(), size_bytes: self.bytes.len() as u64, checksum }]
    }

    fn read(&self, _name: &str, offset: u64, length: usize) -> io::Result<Bytes> {
        let start = offset as usize;
        Ok(self.bytes.slice(start..(start + length).min(self.bytes.len())))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct MemoryReceiving {
    bytes: Vec<u8>,
    checksum: Vec<u8>,
}

impl Receiving for MemoryReceiving {
    fn have(&self) -> Vec<pb::SnapshotFileOffset> {
        Vec::new()
    }

    fn chunk(&mut self, _name: &str, offset: u64, data: &[u8]) -> io::Result<()> {
        assert_eq!(offset as usize, self.bytes.len());
        self.bytes.extend_from_slice(data);
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<Arc<dyn Checkpoint>> {
        assert_eq!(blake3::hash(&self.bytes).as_bytes().as_slice(), self.checksum);
        Ok(Arc::new(MemoryCheckpoint::decode(self.bytes)))
    }
}

impl StateStore for MemoryState {
    fn applied(&self) -> io::Result<AppliedState> {
        Ok(self.0.lock().unwrap().applied.clone())
    }

    fn snapshot(&self) -> io::Result<(Arc<dyn StateView>, AppliedState)> {
        let inner = self.0.lock().unwrap();
        Ok((inner.view.clone(), inner.applied.clone()))
    }

    fn write(&self, writes: Vec<Write>, applied: &AppliedState) -> io::Result<()> {
        let mut inner = self.0.lock().unwrap();
        Arc::make_mut(&mut inner.view).write(writes);
        inner.applied = applied.clone();
        Ok(())
    }

    fn build_checkpoint(&self) -> io::Result<Arc<dyn Checkpoint>> {
        let mut inner = self.0.lock().unwrap();
        let checkpoint = Arc::new(MemoryCheckpoint::new(inner.view.clone(), inner.applied.clone()));
        inner.checkpoint = Some(checkpoint.clone());
        Ok(checkpoint)
    }

    fn checkpoint(&self) -> io::Result<Option<Arc<dyn Checkpoint>>> {
        Ok(self.0.lock().unwrap().checkpoint.clone())
    }

    fn receive(&self, files: &[pb::SnapshotFile]) -> io::Result<Box<dyn Receiving>> {
        Ok(Box::new(MemoryReceiving { bytes: Vec::new(), checksum: files[0].checksum.clone() }))
    }

    fn install(&self, checkpoint: &dyn Checkpoint) -> io::Result<()> {
        let checkpoint = checkpoint.as_any().downcast_ref::<MemoryCheckpoint>().unwrap();
        let mut inner = self.0.lock().unwrap();
        inner.view = checkpoint.view.clone();
        inner.applied = checkpoint.applied.clone();
        let kept = MemoryCheckpoint::new(inner.view.clone(), inner.applied.clone());
        inner.checkpoint = Some(Arc::new(kept));
        Ok(())
    }
}

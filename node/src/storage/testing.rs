//! For the tests of storage: directories, both engines, and an engine whose fsyncs can be counted, held and failed.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use alert_core::{
    alert::{AlertId, Caller},
    codec, pb,
    state::{
        command::{Batch, Command, Proposal},
        founding,
    },
};
use alert_synth::plain;
use openraft::EntryPayload;
use parking_lot::{Condvar, Mutex};
use prost::Message;

use super::{
    data_directory::{DataDirectory, DirectoryError, DirectoryOptions},
    engine::{
        Access, Engine, EngineError, EngineFigures, EngineSnapshot, EngineSpec, Engines, FamilyIndex, WriteBatch,
        memory::MemoryEngines,
    },
    open::{OpenError, Storage},
};
use crate::{
    raft::types::{EncodedBatch, Entry, log_id},
    seam::Host,
};

/// Makes one kind of engines.
pub type MakeEngines = fn(&Host) -> Arc<dyn Engines>;

/// Every engine, by name.
pub fn kinds() -> Vec<(&'static str, MakeEngines)> {
    vec![
        ("memory", |host| Arc::new(MemoryEngines::new(host.files.clone()))),
        #[cfg(feature = "rocksdb")]
        ("rocksdb", |_| {
            use super::engine::rocks::{RocksEngines, RocksSettings};
            Arc::new(RocksEngines::new(RocksSettings::default()))
        }),
    ]
}

/// A node's directories in a temporary place.
pub struct Bench {
    pub root: tempfile::TempDir,
    pub host: Host,
    pub engines: Arc<dyn Engines>,
    pub disk: Arc<Disk>,
}

impl Bench {
    pub fn new(kind: fn(&Host) -> Arc<dyn Engines>) -> Self {
        let host = Host::real();
        let disk = Arc::new(Disk::default());
        let engines = Arc::new(WatchedEngines { inner: kind(&host), disk: disk.clone() });
        Self { root: tempfile::tempdir().expect("a temporary directory"), host, engines, disk }
    }

    /// True on the engine that is slow to open.
    pub fn is_rocksdb(&self) -> bool {
        self.engines.is_immutable("000001.sst")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// All of a node's storage, in the directory `name`.
    pub fn storage(&self, name: &str) -> Result<Storage, OpenError> {
        Storage::open(&self.host, &self.engines, &self.options(name))
    }

    fn options(&self, name: &str) -> DirectoryOptions {
        DirectoryOptions {
            log: self.path(name).join("log"),
            state: self.path(name).join("state"),
            cluster_id: "test".into(),
            node_id: 1,
        }
    }

    /// The node's own directory.
    pub fn directory(&self) -> DataDirectory {
        self.directory_at("node").expect("a new directory opens")
    }

    pub fn directory_at(&self, name: &str) -> Result<DataDirectory, DirectoryError> {
        DataDirectory::open(&self.host, &self.options(name))
    }

    /// What a power cut would leave, as far as a copy of the files shows it: a copy of `from` at `to`.
    ///
    /// A running engine may finish a compaction meanwhile; a copy that mixes before and after is no power cut, and is
    /// made again.
    pub fn copy(&self, from: &str, to: &str) {
        loop {
            let before = listing(&self.path(from));
            let _ = std::fs::remove_dir_all(self.path(to));
            copy_tree(&self.path(from), &self.path(to));
            if listing(&self.path(from)) == before {
                return;
            }
        }
    }
}

/// An entry that creates the synthetic alert number `index`; the first one founds the cluster before.
pub fn create(term: u64, index: u64) -> Entry {
    let founding = Proposal { caller: None, request: None, rules_revision: 0, command: founding() };
    let proposals = (index == 1).then_some(founding).into_iter().chain([creation(index)]).collect();
    batch(term, index, &Batch { proposed_at_ms: 1_790_000_000_000 + index, proposals })
}

/// The creation of the synthetic alert number `index`, under the rules that a cluster begins with.
pub fn creation(index: u64) -> Proposal {
    let id = alert_id(index);
    let alert = pb::Alert { id: id.to_string(), ..plain::person(index, format!("REF-{index}")) };
    let caller = Caller {
        country: "GB".into(),
        authority: "nca".into(),
        system: "desk".into(),
        role: alert_core::alert::Role::Bureau,
    };
    let command = Command::Create { id, alert: alert.encode_to_vec(), as_draft: false };
    Proposal { caller: Some(caller), request: None, rules_revision: 0, command }
}

/// An entry with a batch.
pub fn batch(term: u64, index: u64, batch: &Batch) -> Entry {
    let payload = EntryPayload::Normal(EncodedBatch(codec::encode(batch).into()));
    Entry { log_id: log_id(term, index), payload }
}

/// Id of the synthetic alert number `number`.
pub fn alert_id(number: u64) -> AlertId {
    let mut bytes = [7; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    AlertId::from_bytes(bytes)
}

/// Whether any file below `directory` holds `bytes`.
#[cfg(feature = "rocksdb")]
pub fn holds_bytes(directory: &Path, bytes: &[u8]) -> bool {
    // A running engine may remove files meanwhile: what they held is gone.
    std::fs::read_dir(directory).into_iter().flatten().flatten().any(|entry| {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            return holds_bytes(&entry.path(), bytes);
        }
        let content = std::fs::read(entry.path()).unwrap_or_default();
        content.windows(bytes.len()).any(|window| window == bytes)
    })
}

fn copy_tree(from: &Path, to: &Path) {
    // A running node may remove files and directories meanwhile.
    let vanished = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    std::fs::create_dir_all(to).unwrap();
    let entries = match std::fs::read_dir(from) {
        Err(error) if vanished(&error) => return,
        entries => entries.unwrap(),
    };
    for entry in entries {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else if let Err(error) = std::fs::copy(entry.path(), &target) {
            assert!(vanished(&error), "{error}");
        }
    }
}

/// Every file below `directory`, sorted.
fn listing(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![directory.to_path_buf()];
    while let Some(directory) = pending.pop() {
        // One that vanished meanwhile has nothing in it.
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                pending.push(entry.path());
            }
            found.push(entry.path());
        }
    }
    found.sort();
    found
}

/// The newest file with the write-ahead log of the database in `directory`.
pub fn write_ahead_log(directory: &Path) -> PathBuf {
    let mut found: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log") || path.ends_with("changes"))
        .collect();
    found.sort();
    found.pop().expect("a database has a write-ahead log")
}

/// Switches over the fsyncs of all engines of a bench.
#[derive(Default)]
pub struct Disk {
    syncs: AtomicU64,
    writes: AtomicU64,
    /// The last fsync that need not wait, where later ones have to.
    held_after: Mutex<Option<u64>>,
    changed: Condvar,
    failure: Mutex<Option<EngineError>>,
}

impl Disk {
    /// fsyncs begun so far.
    pub fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::SeqCst)
    }

    /// Batches written so far.
    pub fn writes(&self) -> u64 {
        self.writes.load(Ordering::SeqCst)
    }

    /// Lets fsyncs wait.
    pub fn hold(&self) {
        *self.held_after.lock() = Some(self.syncs());
    }

    /// Lets the first of those that wait go on, or the next one when none does.
    pub fn let_one_pass(&self) {
        if let Some(last) = &mut *self.held_after.lock() {
            *last += 1;
        }
        self.changed.notify_all();
    }

    /// Lets them go on.
    pub fn release(&self) {
        *self.held_after.lock() = None;
        self.changed.notify_all();
    }

    /// Lets every fsync fail from now on; `None` heals the disk.
    pub fn fail(&self, error: Option<EngineError>) {
        *self.failure.lock() = error;
    }

    fn sync(&self) -> Result<(), EngineError> {
        let own = self.syncs.fetch_add(1, Ordering::SeqCst) + 1;
        let mut held_after = self.held_after.lock();
        while held_after.is_some_and(|last| own > last) {
            self.changed.wait(&mut held_after);
        }
        drop(held_after);
        self.failure.lock().clone().map_or(Ok(()), Err)
    }
}

struct WatchedEngines {
    inner: Arc<dyn Engines>,
    disk: Arc<Disk>,
}

impl Engines for WatchedEngines {
    fn open(&self, path: &Path, spec: &EngineSpec, access: Access) -> Result<Arc<dyn Engine>, EngineError> {
        let inner = self.inner.open(path, spec, access)?;
        Ok(Arc::new(WatchedEngine { inner, disk: self.disk.clone() }))
    }

    fn is_immutable(&self, file_name: &str) -> bool {
        self.inner.is_immutable(file_name)
    }

    fn is_content(&self, file_name: &str) -> bool {
        self.inner.is_content(file_name)
    }
}

struct WatchedEngine {
    inner: Arc<dyn Engine>,
    disk: Arc<Disk>,
}

impl Engine for WatchedEngine {
    fn write(&self, batch: WriteBatch) -> Result<(), EngineError> {
        self.disk.writes.fetch_add(1, Ordering::SeqCst);
        self.inner.write(batch)
    }

    fn flush_wal(&self, sync: bool) -> Result<(), EngineError> {
        if sync {
            self.disk.sync()?;
        }
        self.inner.flush_wal(sync)
    }

    fn get(&self, family: FamilyIndex, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        self.inner.get(family, key)
    }

    fn snapshot(&self) -> Result<Arc<dyn EngineSnapshot>, EngineError> {
        self.inner.snapshot()
    }

    fn checkpoint(&self, path: &Path) -> Result<(), EngineError> {
        self.inner.checkpoint(path)
    }

    fn approximate_size_bytes(&self, family: FamilyIndex, from: &[u8], to: &[u8]) -> Result<u64, EngineError> {
        self.inner.approximate_size_bytes(family, from, to)
    }

    fn compact(&self, family: FamilyIndex, from: Option<&[u8]>, to: Option<&[u8]>) -> Result<(), EngineError> {
        self.inner.compact(family, from, to)
    }

    fn figures(&self) -> EngineFigures {
        self.inner.figures()
    }

    fn close(&self) -> Result<(), EngineError> {
        self.inner.close()
    }
}

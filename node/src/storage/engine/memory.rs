//! A plain engine: everything in memory, every change in one append-only file.
//!
//! It lives wholly above the file-system seam, so whatever that loses at a crash, it loses. Tests use it where RocksDB's
//! weight is of no interest, and it keeps the conformance suite from testing RocksDB's habits alone.
//!
//! File `changes`: records of [length u32][CRC32C u32][payload], little endian. The first payload names the families;
//! each other one is a batch.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    path::{Path, PathBuf},
    sync::Arc,
};

use alert_core::mutants::Mutant;
use parking_lot::{Mutex, RwLock};

use super::{
    Access, Change, Engine, EngineCursor, EngineError, EngineFigures, EngineSnapshot, EngineSpec, Engines, FamilyIndex,
    Recovery, WriteBatch,
};
use crate::seam::{AppendFile, FileSystem};

const FILE: &str = "changes";
const RECORD_HEADER_BYTES: usize = 8;

/// Opens engines in memory over one file system.
pub struct MemoryEngines {
    files: Arc<dyn FileSystem>,
    open: Arc<Mutex<BTreeSet<PathBuf>>>,
}

impl MemoryEngines {
    /// Over `files`.
    pub fn new(files: Arc<dyn FileSystem>) -> Self {
        Self { files, open: Arc::default() }
    }
}

impl Engines for MemoryEngines {
    fn open(&self, path: &Path, spec: &EngineSpec, access: Access) -> Result<Arc<dyn Engine>, EngineError> {
        let lock = match access {
            Access::ReadWrite => Some(Lock::take(&self.open, path)?),
            Access::ReadOnly => None,
        };
        let names: Vec<_> = spec.families.iter().map(|family| family.name).collect();
        let file = path.join(FILE);
        let io = |error: std::io::Error| EngineError::from_io(path, &error);
        if !self.files.exists(&file) {
            if access == Access::ReadOnly {
                return Err(EngineError::NotFound(path.to_path_buf()));
            }
            self.files.create_directories(path).map_err(io)?;
            replace(&*self.files, path, &header(&names)).map_err(io)?;
        }
        let bytes = self.files.read(&file).map_err(io)?;
        let replayed = replay(&bytes, spec, path)?;
        if access == Access::ReadWrite {
            if replayed.names_changed {
                replace(&*self.files, path, &dump(&names, &replayed.state, u64::MAX)).map_err(io)?;
            } else if replayed.good_bytes < bytes.len() {
                self.files.truncate(&file, replayed.good_bytes as u64).map_err(io)?;
                self.files.sync_file(&file).map_err(io)?;
            }
        }
        let log = match access {
            Access::ReadWrite => Some(self.files.open_append(&file).map_err(io)?),
            Access::ReadOnly => None,
        };
        let core = Core {
            files: self.files.clone(),
            path: path.to_path_buf(),
            names,
            wal_in_memory: spec.wal_in_memory,
            state: RwLock::new(replayed.state),
            log: Mutex::new(Log { file: log, pending: Vec::new(), failed: None, closed: false }),
            _lock: lock,
        };
        Ok(Arc::new(MemoryEngine { core: Arc::new(core) }))
    }

    fn is_immutable(&self, _file_name: &str) -> bool {
        false
    }

    fn is_content(&self, _file_name: &str) -> bool {
        true
    }
}

/// A directory taken by one engine of this factory.
struct Lock {
    open: Arc<Mutex<BTreeSet<PathBuf>>>,
    path: PathBuf,
}

impl Lock {
    fn take(open: &Arc<Mutex<BTreeSet<PathBuf>>>, path: &Path) -> Result<Self, EngineError> {
        if !open.lock().insert(path.to_path_buf()) {
            return Err(EngineError::InUse(path.to_path_buf()));
        }
        Ok(Self { open: open.clone(), path: path.to_path_buf() })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.open.lock().remove(&self.path);
    }
}

/// (sequence number, value or deletion), oldest first.
type Versions = Vec<(u64, Option<Arc<[u8]>>)>;

#[derive(Default)]
struct State {
    families: Vec<BTreeMap<Vec<u8>, Versions>>,
    sequence: u64,
    /// Sequence number -> snapshots that read at it.
    snapshots: BTreeMap<u64, usize>,
    /// Keys with versions that may be forgotten once snapshots end.
    garbage: BTreeSet<(FamilyIndex, Vec<u8>)>,
}

impl State {
    fn apply(&mut self, changes: Vec<Change>) {
        self.sequence += 1;
        for change in changes {
            match change {
                Change::Put(family, key, value) => self.set(family, key, Some(value.into())),
                Change::Delete(family, key) => self.set(family, key, None),
                Change::DeleteRange(family, from, to) if from < to => {
                    let range = (Bound::Included(from), Bound::Excluded(to));
                    let keys: Vec<_> = self.families[family].range(range).map(|(key, _)| key.clone()).collect();
                    keys.into_iter().for_each(|key| self.set(family, key, None));
                }
                Change::DeleteRange(..) => {}
            }
        }
    }

    fn set(&mut self, family: FamilyIndex, key: Vec<u8>, value: Option<Arc<[u8]>>) {
        let versions = self.families[family].entry(key.clone()).or_default();
        match versions.last_mut() {
            Some(last) if last.0 == self.sequence => last.1 = value,
            _ => versions.push((self.sequence, value)),
        }
        if !self.forget(family, &key) {
            self.garbage.insert((family, key));
        }
    }

    /// Drops the versions of a key that no snapshot sees; false when some may be dropped later.
    fn forget(&mut self, family: FamilyIndex, key: &[u8]) -> bool {
        let oldest = self.snapshots.keys().next().copied().unwrap_or(self.sequence);
        let Some(versions) = self.families[family].get_mut(key) else { return true };
        let first_needed = versions.iter().rposition(|(sequence, _)| *sequence <= oldest).unwrap_or(0);
        versions.drain(..first_needed);
        if matches!(versions.as_slice(), [(sequence, None)] if *sequence <= oldest) {
            self.families[family].remove(key);
            return true;
        }
        versions.len() == 1 && versions[0].1.is_some()
    }

    fn release(&mut self, sequence: u64) {
        if let Some(count) = self.snapshots.get_mut(&sequence) {
            *count -= 1;
            if *count == 0 {
                self.snapshots.remove(&sequence);
                for (family, key) in std::mem::take(&mut self.garbage) {
                    if !self.forget(family, &key) {
                        self.garbage.insert((family, key));
                    }
                }
            }
        }
    }

    fn get(&self, family: FamilyIndex, key: &[u8], sequence: u64) -> Option<Arc<[u8]>> {
        visible(self.families[family].get(key)?, sequence)
    }

    /// The first entry at or after `from` that is seen at `sequence`.
    fn first(&self, family: FamilyIndex, from: Bound<&[u8]>, sequence: u64) -> Option<(Vec<u8>, Arc<[u8]>)> {
        self.families[family]
            .range::<[u8], _>((from, Bound::Unbounded))
            .find_map(|(key, versions)| Some((key.clone(), visible(versions, sequence)?)))
    }
}

fn visible(versions: &Versions, sequence: u64) -> Option<Arc<[u8]>> {
    versions.iter().rev().find(|(written, _)| *written <= sequence)?.1.clone()
}

struct Log {
    file: Option<Box<dyn AppendFile>>,
    pending: Vec<u8>,
    failed: Option<EngineError>,
    closed: bool,
}

struct Core {
    files: Arc<dyn FileSystem>,
    path: PathBuf,
    names: Vec<&'static str>,
    wal_in_memory: bool,
    state: RwLock<State>,
    log: Mutex<Log>,
    _lock: Option<Lock>,
}

impl Core {
    fn closed(&self) -> EngineError {
        EngineError::Closed(self.path.display().to_string())
    }

    fn check(&self) -> Result<(), EngineError> {
        if self.log.lock().closed { Err(self.closed()) } else { Ok(()) }
    }

    /// Writes out what is pending. After a failure nothing is tried again.
    fn flush(&self, log: &mut Log, sync: bool) -> Result<(), EngineError> {
        if let Some(error) = &log.failed {
            return Err(error.clone());
        }
        let file = log.file.as_mut().ok_or_else(|| self.closed())?;
        let pending = std::mem::take(&mut log.pending);
        let written = if pending.is_empty() { Ok(()) } else { file.append(&pending) };
        let done = written.and_then(|()| if sync { file.sync() } else { Ok(()) });
        let done = match done {
            Err(error) if Mutant::SyncErrorIgnored.is_planted() && error.raw_os_error() == Some(libc::EIO) => Ok(()),
            done => done,
        };
        done.map_err(|error| {
            let error = EngineError::from_io(&self.path, &error);
            log.failed = Some(error.clone());
            error
        })
    }
}

struct MemoryEngine {
    core: Arc<Core>,
}

impl Engine for MemoryEngine {
    fn write(&self, batch: WriteBatch) -> Result<(), EngineError> {
        let mut log = self.core.log.lock();
        if log.closed || log.file.is_none() {
            return Err(self.core.closed());
        }
        if let Some(error) = &log.failed {
            return Err(error.clone());
        }
        append_record(&mut log.pending, &encode(&batch.changes));
        if !self.core.wal_in_memory {
            self.core.flush(&mut log, false)?;
        }
        self.core.state.write().apply(batch.changes);
        Ok(())
    }

    fn flush_wal(&self, sync: bool) -> Result<(), EngineError> {
        let mut log = self.core.log.lock();
        if log.closed { Err(self.core.closed()) } else { self.core.flush(&mut log, sync) }
    }

    fn get(&self, family: FamilyIndex, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        self.core.check()?;
        Ok(self.core.state.read().get(family, key, u64::MAX).map(|value| value.to_vec()))
    }

    fn snapshot(&self) -> Result<Arc<dyn EngineSnapshot>, EngineError> {
        self.core.check()?;
        let mut state = self.core.state.write();
        let sequence = state.sequence;
        *state.snapshots.entry(sequence).or_default() += 1;
        Ok(Arc::new(MemorySnapshot { core: self.core.clone(), sequence }))
    }

    fn checkpoint(&self, path: &Path) -> Result<(), EngineError> {
        self.core.check()?;
        let io = |error: std::io::Error| EngineError::from_io(path, &error);
        if self.core.files.exists(path) {
            return Err(io(std::io::ErrorKind::AlreadyExists.into()));
        }
        self.flush_wal(true)?;
        let bytes = dump(&self.core.names, &self.core.state.read(), u64::MAX);
        self.core.files.create_directories(path).map_err(io)?;
        replace(&*self.core.files, path, &bytes).map_err(io)
    }

    fn approximate_size_bytes(&self, family: FamilyIndex, from: &[u8], to: &[u8]) -> Result<u64, EngineError> {
        self.core.check()?;
        if from >= to {
            return Ok(0);
        }
        let state = self.core.state.read();
        let range = state.families[family].range::<[u8], _>((Bound::Included(from), Bound::Excluded(to)));
        Ok(range
            .filter_map(|(key, versions)| Some(key.len() + visible(versions, u64::MAX)?.len()))
            .map(|bytes| bytes as u64)
            .sum())
    }

    fn compact(&self, _family: FamilyIndex, _from: Option<&[u8]>, _to: Option<&[u8]>) -> Result<(), EngineError> {
        self.core.check()
    }

    fn figures(&self) -> EngineFigures {
        let log = self.core.log.lock();
        EngineFigures {
            disk_bytes: log.file.as_ref().map_or(0, |file| file.size_bytes()),
            write_buffer_bytes: log.pending.len() as u64,
            snapshots: self.core.state.read().snapshots.values().sum::<usize>() as u64,
            background_errors: u64::from(log.failed.is_some()),
            ..EngineFigures::default()
        }
    }

    fn close(&self) -> Result<(), EngineError> {
        let mut log = self.core.log.lock();
        if log.closed {
            return Ok(());
        }
        let flushed = if log.file.is_some() { self.core.flush(&mut log, true) } else { Ok(()) };
        log.closed = true;
        log.file = None;
        flushed
    }
}

struct MemorySnapshot {
    core: Arc<Core>,
    sequence: u64,
}

impl Drop for MemorySnapshot {
    fn drop(&mut self) {
        self.core.state.write().release(self.sequence);
    }
}

impl EngineSnapshot for MemorySnapshot {
    fn get(&self, family: FamilyIndex, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        Ok(self.core.state.read().get(family, key, self.sequence).map(|value| value.to_vec()))
    }

    fn may_contain(&self, family: FamilyIndex, key: &[u8]) -> Result<bool, EngineError> {
        Ok(self.core.state.read().get(family, key, self.sequence).is_some())
    }

    fn cursor(&self, family: FamilyIndex, _read_ahead_bytes: usize) -> Box<dyn EngineCursor + '_> {
        Box::new(MemoryCursor { snapshot: self, family, prefix: Vec::new(), at: None })
    }
}

struct MemoryCursor<'a> {
    snapshot: &'a MemorySnapshot,
    family: FamilyIndex,
    prefix: Vec<u8>,
    at: Option<(Vec<u8>, Arc<[u8]>)>,
}

impl MemoryCursor<'_> {
    fn find(&mut self, from: Bound<&[u8]>) {
        let state = self.snapshot.core.state.read();
        let found = state.first(self.family, from, self.snapshot.sequence);
        self.at = found.filter(|(key, _)| key.starts_with(&self.prefix));
    }
}

impl EngineCursor for MemoryCursor<'_> {
    fn seek(&mut self, key: &[u8], prefix: &[u8]) -> Result<(), EngineError> {
        self.prefix = prefix.to_vec();
        self.find(Bound::Included(key));
        Ok(())
    }

    fn entry(&self) -> Option<(&[u8], &[u8])> {
        self.at.as_ref().map(|(key, value)| (key.as_slice(), &**value))
    }

    fn next(&mut self) -> Result<(), EngineError> {
        if let Some((key, _)) = self.at.take() {
            self.find(Bound::Excluded(&key));
        }
        Ok(())
    }
}

struct Replayed {
    state: State,
    good_bytes: usize,
    names_changed: bool,
}

/// Reads the whole file back.
fn replay(bytes: &[u8], spec: &EngineSpec, path: &Path) -> Result<Replayed, EngineError> {
    let damaged =
        |what: &str| EngineError::Corrupt { what: what.to_owned(), place: path.join(FILE).display().to_string() };
    let (payload, mut good_bytes) = match next_record(bytes, 0) {
        Record::Whole(payload, end) => (payload, end),
        _ => return Err(damaged("the file does not begin with the names of its families")),
    };
    let stored: Vec<&str> = std::str::from_utf8(payload).map_err(|_| damaged("family names"))?.split('\n').collect();
    let wanted: Vec<&str> = spec.families.iter().map(|family| family.name).collect();
    let mapping: Option<Vec<FamilyIndex>> =
        stored.iter().map(|name| wanted.iter().position(|other| other == name)).collect();
    let mapping = mapping.ok_or_else(|| EngineError::OtherVersion {
        path: path.to_path_buf(),
        reason: format!("families on disk: {}", stored.join(", ")),
    })?;
    let mut state = State { families: wanted.iter().map(|_| BTreeMap::new()).collect(), ..State::default() };
    loop {
        match next_record(bytes, good_bytes) {
            Record::Whole(payload, end) => {
                state.apply(decode(payload, &mapping).ok_or_else(|| damaged("a batch that does not decode"))?);
                good_bytes = end;
            }
            Record::Torn if is_torn_tail(&bytes[good_bytes..]) => break,
            Record::Torn | Record::Damaged if spec.recovery == Recovery::KeepPrefix => break,
            Record::Torn | Record::Damaged => {
                return Err(damaged(&format!("a checksum does not match at byte {good_bytes}")));
            }
        }
    }
    Ok(Replayed { state, good_bytes, names_changed: stored != wanted })
}

enum Record<'a> {
    /// The payload and where the next record begins.
    Whole(&'a [u8], usize),
    /// Incomplete, or the end.
    Torn,
    /// Complete, with another checksum.
    Damaged,
}

fn next_record(bytes: &[u8], at: usize) -> Record<'_> {
    let Some(header) = bytes.get(at..at + RECORD_HEADER_BYTES) else { return Record::Torn };
    let (length, checksum) = header.split_at(4);
    let length = u32::from_le_bytes(length.try_into().expect("four bytes")) as usize;
    let checksum = u32::from_le_bytes(checksum.try_into().expect("four bytes"));
    let begin = at + RECORD_HEADER_BYTES;
    match bytes.get(begin..begin + length) {
        None => Record::Torn,
        Some(payload) if crc32c::crc32c(payload) == checksum => Record::Whole(payload, begin + length),
        Some(_) => Record::Damaged,
    }
}

/// True for the front of a record that was being written; false when it is a whole record under another length, or when
/// a whole one comes after it: then something synced was changed.
fn is_torn_tail(rest: &[u8]) -> bool {
    let Some((header, payload)) = rest.split_at_checked(RECORD_HEADER_BYTES) else { return true };
    let checksum = u32::from_le_bytes(header[4..].try_into().expect("four bytes"));
    let mut crc = 0;
    let whole = payload.iter().any(|byte| {
        crc = crc32c::crc32c_append(crc, &[*byte]);
        crc == checksum
    });
    let another =
        (1..rest.len()).any(|at| matches!(next_record(rest, at), Record::Whole(payload, _) if !payload.is_empty()));
    !whole && !another
}

fn append_record(out: &mut Vec<u8>, payload: &[u8]) {
    let length = u32::try_from(payload.len()).expect("a batch is far below 4 GiB");
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&crc32c::crc32c(payload).to_le_bytes());
    out.extend_from_slice(payload);
}

fn header(names: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    append_record(&mut bytes, names.join("\n").as_bytes());
    bytes
}

/// The whole state as a file.
fn dump(names: &[&str], state: &State, sequence: u64) -> Vec<u8> {
    let mut bytes = header(names);
    for (family, entries) in state.families.iter().enumerate() {
        for (key, versions) in entries {
            if let Some(value) = visible(versions, sequence) {
                append_record(&mut bytes, &encode(&[Change::Put(family, key.clone(), value.to_vec())]));
            }
        }
    }
    bytes
}

/// Writes the file anew: whole or not at all.
fn replace(files: &dyn FileSystem, directory: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let new = directory.join("changes.new");
    files.write(&new, bytes)?;
    files.sync_file(&new)?;
    files.rename(&new, &directory.join(FILE))?;
    files.sync_directory(directory)
}

fn encode(changes: &[Change]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut field = |tag: u8, family: FamilyIndex, first: &[u8], second: &[u8]| {
        out.push(tag);
        out.push(u8::try_from(family).expect("a database has fewer than 256 families"));
        for part in [first, second] {
            out.extend_from_slice(&u32::try_from(part.len()).expect("keys and values are small").to_le_bytes());
            out.extend_from_slice(part);
        }
    };
    for change in changes {
        match change {
            Change::Put(family, key, value) => field(1, *family, key, value),
            Change::Delete(family, key) => field(2, *family, key, &[]),
            Change::DeleteRange(family, from, to) => field(3, *family, from, to),
        }
    }
    out
}

fn decode(mut bytes: &[u8], mapping: &[FamilyIndex]) -> Option<Vec<Change>> {
    let mut changes = Vec::new();
    while let [tag, family, rest @ ..] = bytes {
        let family = *mapping.get(usize::from(*family))?;
        let (first, rest) = take_part(rest)?;
        let (second, rest) = take_part(rest)?;
        bytes = rest;
        changes.push(match tag {
            1 => Change::Put(family, first, second),
            2 => Change::Delete(family, first),
            3 => Change::DeleteRange(family, first, second),
            _ => return None,
        });
    }
    bytes.is_empty().then_some(changes)
}

fn take_part(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (length, rest) = bytes.split_at_checked(4)?;
    let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
    let (part, rest) = rest.split_at_checked(length)?;
    Some((part.to_vec(), rest))
}

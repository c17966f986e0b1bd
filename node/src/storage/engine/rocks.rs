//! RocksDB as an engine. With its options in `rocks_options`, the only code that names the crate.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rocksdb::{
    ColumnFamily, ColumnFamilyDescriptor, DB, DBRawIterator, ErrorKind, Options, Range, ReadOptions, Snapshot,
    WriteOptions, checkpoint::Checkpoint, properties,
};

pub use super::rocks_options::RocksSettings;
use super::{
    Access, Change, Engine, EngineCursor, EngineError, EngineFigures, EngineSnapshot, EngineSpec, Engines, FamilyIndex,
    FamilySpec, Recovery, WriteBatch, rocks_options, rocks_wal,
};

/// RocksDB's own family: it always exists, and nothing of ours is in it.
const DEFAULT_FAMILY: &str = "default";

/// Opens RocksDB databases that share one block cache and one bound on write buffers.
pub struct RocksEngines {
    shared: rocks_options::Shared,
}

impl RocksEngines {
    /// With what the machine grants.
    pub fn new(settings: RocksSettings) -> Self {
        Self { shared: rocks_options::Shared::new(settings) }
    }
}

impl Engines for RocksEngines {
    fn open(&self, path: &Path, spec: &EngineSpec, access: Access) -> Result<Arc<dyn Engine>, EngineError> {
        let options = rocks_options::database(spec, access, &self.shared);
        let families = spec
            .families
            .iter()
            .map(|family| ColumnFamilyDescriptor::new(family.name, rocks_options::family(family, &self.shared)))
            .chain([ColumnFamilyDescriptor::new(DEFAULT_FAMILY, Options::default())]);
        let opened = match access {
            Access::ReadWrite => {
                std::fs::create_dir_all(path).map_err(|error| EngineError::from_io(path, &error))?;
                if spec.recovery == Recovery::RefuseDamage {
                    check_write_ahead_log(path)?;
                }
                DB::open_cf_descriptors(&options, path, families)
            }
            Access::ReadOnly if !path.join("CURRENT").exists() => return Err(EngineError::NotFound(path.into())),
            Access::ReadOnly => DB::open_cf_descriptors_read_only(&options, path, families, false),
        };
        let db = opened.map_err(|error| open_error(path, &error))?;
        let core = Core {
            db,
            name: spec.name,
            path: path.to_path_buf(),
            families: spec.families.clone(),
            access,
            closed: AtomicBool::new(false),
        };
        Ok(Arc::new(RocksEngine { core: Arc::new(core) }))
    }

    fn is_immutable(&self, file_name: &str) -> bool {
        file_name.ends_with(".sst") || file_name.ends_with(".blob")
    }

    fn is_content(&self, file_name: &str) -> bool {
        file_name != "LOCK" && !file_name.starts_with("LOG")
    }
}

struct Core {
    db: DB,
    name: &'static str,
    path: PathBuf,
    families: Vec<FamilySpec>,
    access: Access,
    closed: AtomicBool,
}

impl Core {
    fn family(&self, index: FamilyIndex) -> &ColumnFamily {
        self.db.cf_handle(self.families[index].name).expect("every family of the spec was opened")
    }

    fn error(&self, error: &rocksdb::Error) -> EngineError {
        let place = format!("{} database {}", self.name, self.path.display());
        let reason = error.to_string();
        match error.kind() {
            ErrorKind::Corruption => EngineError::Corrupt { what: reason, place },
            _ if reason.contains("No space left on device") => EngineError::DiskFull(place),
            ErrorKind::ShutdownInProgress => EngineError::Closed(place),
            ErrorKind::Busy | ErrorKind::TryAgain | ErrorKind::Incomplete | ErrorKind::TimedOut => {
                EngineError::Busy(reason)
            }
            _ => EngineError::Io { place, reason },
        }
    }

    fn number(&self, name: &rocksdb::properties::PropName) -> u64 {
        self.families
            .iter()
            .enumerate()
            .filter_map(|(index, _)| self.db.property_int_value_cf(self.family(index), name).ok().flatten())
            .sum()
    }
}

struct RocksEngine {
    core: Arc<Core>,
}

impl RocksEngine {
    fn core(&self) -> Result<&Core, EngineError> {
        if self.core.closed.load(Ordering::Acquire) {
            return Err(EngineError::Closed(self.core.path.display().to_string()));
        }
        Ok(&self.core)
    }

    fn writable(&self) -> Result<&Core, EngineError> {
        match self.core.access {
            Access::ReadWrite => self.core(),
            Access::ReadOnly => Err(EngineError::Closed(self.core.path.display().to_string())),
        }
    }
}

impl Engine for RocksEngine {
    fn write(&self, batch: WriteBatch) -> Result<(), EngineError> {
        let core = self.writable()?;
        let families: Vec<_> = (0..core.families.len()).map(|index| core.family(index)).collect();
        let mut native = rocksdb::WriteBatch::with_capacity_bytes(batch.size_bytes());
        for change in &batch.changes {
            match change {
                Change::Put(family, key, value) => native.put_cf(families[*family], key, value),
                Change::Delete(family, key) => native.delete_cf(families[*family], key),
                Change::DeleteRange(family, from, to) => native.delete_range_cf(families[*family], from, to),
            }
        }
        core.db.write_opt(native, &WriteOptions::default()).map_err(|error| core.error(&error))
    }

    fn flush_wal(&self, sync: bool) -> Result<(), EngineError> {
        let core = self.writable()?;
        core.db.flush_wal(sync).map_err(|error| core.error(&error))
    }

    fn get(&self, family: FamilyIndex, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        let core = self.core()?;
        core.db.get_cf(core.family(family), key).map_err(|error| core.error(&error))
    }

    fn snapshot(&self) -> Result<Arc<dyn EngineSnapshot>, EngineError> {
        self.core()?;
        Ok(Arc::new(RocksSnapshot::new(self.core.clone())))
    }

    fn checkpoint(&self, path: &Path) -> Result<(), EngineError> {
        let core = self.writable()?;
        Checkpoint::new(&core.db)
            .and_then(|checkpoint| checkpoint.create_checkpoint(path))
            .map_err(|error| core.error(&error))
    }

    fn approximate_size_bytes(&self, family: FamilyIndex, from: &[u8], to: &[u8]) -> Result<u64, EngineError> {
        let core = self.core()?;
        let sizes = core.db.get_approximate_sizes_cf(core.family(family), &[Range::new(from, to)]);
        Ok(sizes.into_iter().sum())
    }

    fn compact(&self, family: FamilyIndex, from: Option<&[u8]>, to: Option<&[u8]>) -> Result<(), EngineError> {
        let core = self.writable()?;
        core.db.compact_range_cf(core.family(family), from, to);
        Ok(())
    }

    fn figures(&self) -> EngineFigures {
        let core = &self.core;
        EngineFigures {
            disk_bytes: core.number(properties::TOTAL_SST_FILES_SIZE),
            write_buffer_bytes: core.number(properties::CUR_SIZE_ALL_MEM_TABLES),
            block_cache_bytes: core.db.property_int_value(properties::BLOCK_CACHE_USAGE).ok().flatten().unwrap_or(0),
            compaction_pending_bytes: core.number(properties::ESTIMATE_PENDING_COMPACTION_BYTES),
            snapshots: core.db.property_int_value(properties::NUM_SNAPSHOTS).ok().flatten().unwrap_or(0),
            background_errors: core.db.property_int_value(properties::BACKGROUND_ERRORS).ok().flatten().unwrap_or(0),
            writes_stopped: core.db.property_int_value(properties::IS_WRITE_STOPPED).ok().flatten() == Some(1),
        }
    }

    fn close(&self) -> Result<(), EngineError> {
        if self.core.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let flushed = match self.core.access {
            Access::ReadWrite => self.core.db.flush_wal(true).map_err(|error| self.core.error(&error)),
            Access::ReadOnly => Ok(()),
        };
        self.core.db.cancel_all_background_work(true);
        flushed
    }
}

/// A snapshot that owns its database. Fields are dropped in order: the snapshot before what it points into.
struct RocksSnapshot {
    options: ReadOptions,
    snapshot: Snapshot<'static>,
    core: Arc<Core>,
}

impl RocksSnapshot {
    fn new(core: Arc<Core>) -> Self {
        // SAFETY: the reference points into the allocation that `core` keeps alive and that never moves. It is stored
        // beside `core`, in a field that is dropped before it, and never handed out with this lifetime.
        #[allow(unsafe_code)]
        let db: &'static DB = unsafe { &*std::ptr::from_ref(&core.db) };
        let snapshot = db.snapshot();
        let mut options = ReadOptions::default();
        options.set_snapshot(&snapshot);
        Self { options, snapshot, core }
    }

    fn iterator(&self, family: FamilyIndex, read_ahead_bytes: usize, within_prefix: bool) -> DBRawIterator<'_> {
        let mut options = ReadOptions::default();
        options.set_snapshot(&self.snapshot);
        if within_prefix {
            options.set_prefix_same_as_start(true);
        } else {
            options.set_total_order_seek(true);
        }
        if read_ahead_bytes > 0 {
            options.set_readahead_size(read_ahead_bytes);
            options.fill_cache(false);
        }
        self.core.db.raw_iterator_cf_opt(self.core.family(family), options)
    }
}

impl EngineSnapshot for RocksSnapshot {
    fn get(&self, family: FamilyIndex, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        let found = self.core.db.get_pinned_cf_opt(self.core.family(family), key, &self.options);
        Ok(found.map_err(|error| self.core.error(&error))?.map(|value| value.to_vec()))
    }

    fn may_contain(&self, family: FamilyIndex, key: &[u8]) -> Result<bool, EngineError> {
        Ok(self.core.db.key_may_exist_cf_opt(self.core.family(family), key, &self.options))
    }

    fn cursor(&self, family: FamilyIndex, read_ahead_bytes: usize) -> Box<dyn EngineCursor + '_> {
        Box::new(RocksCursor {
            snapshot: self,
            family,
            prefix_length: self.core.families[family].prefix_length,
            read_ahead_bytes,
            within_prefix: None,
            total_order: None,
            uses_prefix: false,
            prefix: Vec::new(),
            valid: false,
        })
    }
}

/// Two iterators, made when first needed: one that uses the filters and sees one prefix only, one that sees all.
struct RocksCursor<'a> {
    snapshot: &'a RocksSnapshot,
    family: FamilyIndex,
    prefix_length: Option<usize>,
    read_ahead_bytes: usize,
    within_prefix: Option<DBRawIterator<'a>>,
    total_order: Option<DBRawIterator<'a>>,
    uses_prefix: bool,
    prefix: Vec<u8>,
    valid: bool,
}

impl<'a> RocksCursor<'a> {
    fn active(&self) -> Option<&DBRawIterator<'a>> {
        if self.uses_prefix { self.within_prefix.as_ref() } else { self.total_order.as_ref() }
    }

    fn step(&mut self, step: impl FnOnce(&mut DBRawIterator<'a>)) -> Result<(), EngineError> {
        let (snapshot, family, read_ahead) = (self.snapshot, self.family, self.read_ahead_bytes);
        let uses_prefix = self.uses_prefix;
        let slot = if uses_prefix { &mut self.within_prefix } else { &mut self.total_order };
        let iterator = slot.get_or_insert_with(|| snapshot.iterator(family, read_ahead, uses_prefix));
        step(iterator);
        self.valid = iterator.key().is_some_and(|key| key.starts_with(&self.prefix));
        if !self.valid {
            iterator.status().map_err(|error| snapshot.core.error(&error))?;
        }
        Ok(())
    }
}

impl EngineCursor for RocksCursor<'_> {
    fn seek(&mut self, key: &[u8], prefix: &[u8]) -> Result<(), EngineError> {
        debug_assert!(key.starts_with(prefix), "the prefix of a seek is a prefix of its key");
        self.uses_prefix = self.prefix_length.is_some_and(|length| prefix.len() >= length);
        self.prefix.clear();
        self.prefix.extend_from_slice(prefix);
        self.step(|iterator| iterator.seek(key))
    }

    fn entry(&self) -> Option<(&[u8], &[u8])> {
        if self.valid { self.active()?.item() } else { None }
    }

    fn next(&mut self) -> Result<(), EngineError> {
        if self.valid { self.step(|iterator| iterator.next()) } else { Ok(()) }
    }
}

/// Every file of the write-ahead log in `path`, before RocksDB forgives what it must not.
fn check_write_ahead_log(path: &Path) -> Result<(), EngineError> {
    let io = |error: std::io::Error| EngineError::from_io(path, &error);
    for entry in std::fs::read_dir(path).map_err(io)? {
        let file = entry.map_err(io)?.path();
        if file.extension().is_some_and(|extension| extension == "log") {
            let bytes = std::fs::read(&file).map_err(io)?;
            rocks_wal::check(&bytes).map_err(|damage| EngineError::Corrupt {
                what: format!("{} at byte {}", damage.what, damage.at),
                place: file.display().to_string(),
            })?;
        }
    }
    Ok(())
}

fn open_error(path: &Path, error: &rocksdb::Error) -> EngineError {
    let reason = error.to_string();
    let place = path.display().to_string();
    match error.kind() {
        _ if reason.contains("While lock file") || reason.contains("lock hold by current process") => {
            EngineError::InUse(path.to_path_buf())
        }
        _ if reason.contains("No space left on device") => EngineError::DiskFull(place),
        _ if ["Permission denied", "Read-only file system", "Not a directory"]
            .iter()
            .any(|text| reason.contains(text)) =>
        {
            EngineError::NotWritable { path: path.to_path_buf(), reason }
        }
        // It is there, and a file that it names is not.
        _ if reason.contains("No such file or directory") => EngineError::Corrupt { what: reason, place },
        ErrorKind::Corruption => EngineError::Corrupt { what: reason, place },
        ErrorKind::InvalidArgument => EngineError::OtherVersion { path: path.to_path_buf(), reason },
        _ => EngineError::Io { place, reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{log, state};

    /// The options that RocksDB itself says it runs with.
    fn options_on_disk(spec: &EngineSpec) -> String {
        let root = tempfile::tempdir().unwrap();
        let engines = RocksEngines::new(RocksSettings::default());
        drop(engines.open(root.path(), spec, Access::ReadWrite).unwrap());
        let mut files: Vec<_> = std::fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.retain(|path| path.file_name().unwrap().to_str().unwrap().starts_with("OPTIONS-"));
        std::fs::read_to_string(files.pop().unwrap()).unwrap()
    }

    fn family<'a>(options: &'a str, name: &str) -> &'a str {
        let begin = options.find(&format!("[CFOptions \"{name}\"]")).unwrap();
        let rest = &options[begin..];
        &rest[..rest[1..].find("[CFOptions").unwrap_or(rest.len() - 1)]
    }

    #[test]
    fn the_log_never_forgives_damage_and_is_synced_in_groups() {
        let options = options_on_disk(&log::spec());
        for line in [
            "wal_recovery_mode=kTolerateCorruptedTailRecords",
            "manual_wal_flush=true",
            "track_and_verify_wals_in_manifest=true",
        ] {
            assert!(options.contains(line), "{line}");
        }
        assert!(family(&options, "entries").contains("periodic_compaction_seconds=86400"));
    }

    #[test]
    fn the_state_spares_the_logs_disk_and_forgets_within_a_day() {
        let spec = state::spec();
        let options = options_on_disk(&spec);
        for line in [
            "manual_wal_flush=false",
            "wal_bytes_per_sync=524288",
            "bytes_per_sync=524288",
            "max_manifest_file_size=4096",
            "max_manifest_space_amp_pct=25",
        ] {
            assert!(options.contains(line), "{line}");
        }
        for FamilySpec { name, prefix_length, personal_data, .. } in &spec.families {
            let options = family(&options, name);
            assert!(options.contains("compression=kLZ4Compression"), "{name}");
            assert!(options.contains("bottommost_compression=kZSTD"), "{name}");
            assert_eq!(options.contains("periodic_compaction_seconds=86400"), *personal_data, "{name}");
            assert_eq!(options.contains("ttl=86400"), *personal_data, "{name}");
            let extractor = prefix_length.map(|length| format!("prefix_extractor=rocksdb.FixedPrefix.{length}"));
            assert!(options.contains(extractor.as_deref().unwrap_or("prefix_extractor=nullptr")), "{name}");
        }
    }
}

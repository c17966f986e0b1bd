//! The options of RocksDB, each with its reason.

use rocksdb::{
    BlockBasedOptions, Cache, DBCompressionType, DBRecoveryMode, LogLevel, Options, SliceTransform, WriteBufferManager,
};

use super::{Access, EngineSpec, FamilySpec, Recovery, Tuning};

const MIB: usize = 1024 * 1024;

/// How often families with personal data are rewritten: with log and checkpoints, what was erased is gone within days.
const PERIODIC_COMPACTION_SECONDS: u64 = 24 * 60 * 60;
/// Bytes after which a growing write-ahead log or table file is handed to the disk in the background, so that no
/// large writeback piles up in front of the log's fsyncs.
const BYTES_PER_SYNC: u64 = 512 * 1024;

/// A manifest names the first and the last key of every table, and keys are made of numbers and names. It is written anew,
/// without the tables that are gone, once it has grown by so much: with a store whose tables are rewritten daily that is
/// daily, too. (RocksDB's own bounds are 1 GiB and six times.)
const MANIFEST_GROWTH_PERCENT: u32 = 25;
/// Smaller than any manifest, so that the growth alone decides.
const MANIFEST_BYTES_MIN: usize = 4096;

/// What the machine grants to RocksDB, over all databases of the process.
#[derive(Debug, Clone)]
pub struct RocksSettings {
    /// Cache of uncompressed blocks, indexes and filters.
    pub block_cache_bytes: usize,
    /// Most memory for writes that are not in tables yet.
    pub write_buffer_bytes: usize,
    /// Most bytes a second that flushes and compactions write, so that they do not crowd out the log's fsyncs.
    pub background_bytes_per_second: u64,
    /// Threads for flushes and compactions.
    pub background_jobs: usize,
    /// Tables are compressed. Without it what they hold can be looked for in their files.
    pub is_compressed: bool,
}

impl Default for RocksSettings {
    /// For a machine with a few cores and gigabytes.
    fn default() -> Self {
        Self {
            block_cache_bytes: 256 * MIB,
            write_buffer_bytes: 256 * MIB,
            background_bytes_per_second: 128 * MIB as u64,
            background_jobs: 2,
            is_compressed: true,
        }
    }
}

/// No family may grow beyond this part of what is granted for writes that are not in tables yet.
const FAMILIES_SHARE: usize = 8;

/// What all databases of a process share.
pub(super) struct Shared {
    pub settings: RocksSettings,
    pub cache: Cache,
    pub buffers: WriteBufferManager,
}

impl Shared {
    pub fn new(settings: RocksSettings) -> Self {
        let cache = Cache::new_lru_cache(settings.block_cache_bytes);
        let buffers = WriteBufferManager::new_write_buffer_manager(settings.write_buffer_bytes, false);
        Self { settings, cache, buffers }
    }
}

/// Options of a whole database.
pub(super) fn database(spec: &EngineSpec, access: Access, shared: &Shared) -> Options {
    let mut options = Options::default()
        .get_options_from_string(format!("max_manifest_space_amp_pct={MANIFEST_GROWTH_PERCENT}"))
        .expect("an option of the release that is linked in; the crate has no function for it");
    options.set_max_manifest_file_size(MANIFEST_BYTES_MIN);
    options.create_if_missing(access == Access::ReadWrite);
    options.create_missing_column_families(access == Access::ReadWrite);
    options.set_wal_recovery_mode(match spec.recovery {
        // The default would silently drop all that follows a flipped byte. This mode rules out recycled log files
        // (RocksDB turns that option off by itself, because a recycled tail cannot be told from damage), so they are
        // preallocated, which RocksDB does by default.
        Recovery::RefuseDamage => DBRecoveryMode::TolerateCorruptedTailRecords,
        Recovery::KeepPrefix => DBRecoveryMode::PointInTime,
    });
    options.set_manual_wal_flush(spec.wal_in_memory);
    if spec.recovery == Recovery::RefuseDamage {
        // A log file that is missing or shorter than it was when it was synced is an error, not a shorter history.
        options.set_track_and_verify_wals_in_manifest(true);
        options.set_max_total_wal_size(256 * MIB as u64);
    } else {
        options.set_wal_bytes_per_sync(BYTES_PER_SYNC);
        options.set_max_total_wal_size(512 * MIB as u64);
        options.set_ratelimiter(
            i64::try_from(shared.settings.background_bytes_per_second).unwrap_or(i64::MAX),
            100_000, // microseconds between refills
            10,      // one in ten: how often compaction goes before flush
        );
    }
    options.set_bytes_per_sync(BYTES_PER_SYNC);
    options.set_max_background_jobs(i32::try_from(shared.settings.background_jobs).unwrap_or(i32::MAX));
    options.set_write_buffer_manager(&shared.buffers);
    if access == Access::ReadOnly {
        // Looking at a checkpoint opens the few files it reads, not all of them.
        options.set_max_open_files(64);
        options.set_skip_stats_update_on_db_open(true);
    }
    options.set_log_level(LogLevel::Warn);
    options.set_keep_log_file_num(4);
    options.set_max_log_file_size(8 * MIB);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    options
}

/// Options of one family.
pub(super) fn family(spec: &FamilySpec, shared: &Shared) -> Options {
    let mut options = Options::default();
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(&shared.cache);
    table.set_cache_index_and_filter_blocks(true);
    table.set_cache_index_and_filter_blocks_with_high_priority(true);
    table.set_pin_l0_filter_and_index_blocks_in_cache(true);
    table.set_format_version(6);

    options.set_level_compaction_dynamic_level_bytes(true);
    let compressed = |kind| if shared.settings.is_compressed { kind } else { DBCompressionType::None };
    options.set_compression_type(compressed(DBCompressionType::Lz4));
    options.set_bottommost_compression_type(compressed(DBCompressionType::Zstd));
    // Filters and arenas of a table in memory take their room by its intended size, used or not. Of a small grant they
    // would take all, and then every write would be followed by a flush.
    let write_buffer = (shared.settings.write_buffer_bytes / FAMILIES_SHARE).clamp(MIB, 32 * MIB);
    options.set_write_buffer_size(write_buffer);
    if spec.personal_data {
        options.set_periodic_compaction_seconds(PERIODIC_COMPACTION_SECONDS);
        // Rewriting alone takes a deletion one level down a day. This takes it to what it deletes.
        options.set_ttl(PERIODIC_COMPACTION_SECONDS);
    }

    match spec.tuning {
        Tuning::Log => {
            // Keys only grow, so files never overlap and compaction only renames them.
            options.set_bottommost_compression_type(compressed(DBCompressionType::Lz4));
            table.set_block_size(64 * 1024);
        }
        Tuning::Records => {
            table.set_block_size(16 * 1024);
            table.set_bloom_filter(10.0, false);
            options.set_memtable_whole_key_filtering(true);
            options.set_memtable_prefix_bloom_ratio(0.02);
        }
        Tuning::Index => {
            // Nearly every search finds nothing: a filter must say so, in tables and in memory. It is asked for the
            // lists of an index, never for one entry. A list has few entries, so this is 10 bits or more for each.
            table.set_block_size(8 * 1024);
            table.set_bloom_filter(10.0, false);
            table.set_whole_key_filtering(false);
            table.set_optimize_filters_for_memory(true);
            options.set_memtable_prefix_bloom_ratio(0.02);
        }
        Tuning::Small => {
            table.set_block_size(4 * 1024);
            options.set_write_buffer_size(write_buffer.min(8 * MIB));
        }
    }
    if let Some(length) = spec.prefix_length {
        options.set_prefix_extractor(SliceTransform::create_fixed_prefix(length));
    }
    options.set_block_based_table_factory(&table);
    options
}

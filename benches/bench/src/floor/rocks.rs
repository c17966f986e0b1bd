//! RocksDB alone, as the store uses it: batches with a sync, and point reads.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rocksdb::{BlockBasedOptions, Cache, DB, DBCompressionType, Options, WriteBatch, WriteOptions};

/// Entries of one batch, and bytes of each.
const ENTRIES: u64 = 100;
const ENTRY_BYTES: usize = 600;

/// Batches written and synced in a second.
///
/// # Errors
/// RocksDB's.
pub fn write_and_sync(directory: &Path, time: Duration) -> anyhow::Result<f64> {
    let own = tempfile::tempdir_in(directory)?;
    let db = DB::open(&options(), own.path())?;
    let mut synced = WriteOptions::default();
    synced.set_sync(true);
    let begun = Instant::now();
    let mut batches = 0u64;
    while begun.elapsed() < time {
        let mut batch = WriteBatch::default();
        for entry in 0..ENTRIES {
            batch.put((batches * ENTRIES + entry).to_be_bytes(), [7; ENTRY_BYTES]);
        }
        db.write_opt(batch, &synced)?;
        batches += 1;
    }
    Ok(batches as f64 / begun.elapsed().as_secs_f64())
}

/// Point reads a second of one thread, each of a key that is there, out of `keys` keys that fit into the cache: what a
/// look-up costs without a network, a caller or an audit.
///
/// # Errors
/// RocksDB's.
pub fn bare_gets_per_second(directory: &Path, keys: u64, time: Duration) -> anyhow::Result<f64> {
    let own = tempfile::tempdir_in(directory)?;
    let db = DB::open(&options(), own.path())?;
    for key in 0..keys {
        db.put(scattered(key), [7; ENTRY_BYTES])?;
    }
    db.flush()?;
    let begun = Instant::now();
    let mut gets = 0;
    while begun.elapsed() < time {
        for _ in 0..1000 {
            let found = db.get_pinned(scattered(gets % keys))?;
            anyhow::ensure!(found.is_some(), "a key that was put is not there");
            gets += 1;
        }
    }
    Ok(gets as f64 / begun.elapsed().as_secs_f64())
}

fn scattered(key: u64) -> [u8; 16] {
    let mixed = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&mixed.to_be_bytes());
    bytes[8..].copy_from_slice(&key.to_be_bytes());
    bytes
}

fn options() -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_compression_type(DBCompressionType::Lz4);
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(&Cache::new_lru_cache(256 << 20));
    table.set_bloom_filter(10.0, false);
    options.set_block_based_table_factory(&table);
    options
}

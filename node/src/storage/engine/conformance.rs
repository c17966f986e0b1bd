//! What every engine must do, as one suite: RocksDB, the engine in memory and the simulator's all pass it.
//!
//! It panics with the promise that was broken, like any test.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use super::{
    Access, Engine, EngineError, EngineSnapshot, EngineSpec, Engines, FamilySpec, Recovery, Tuning, WriteBatch,
};
use crate::seam::FileSystem;

const PLAIN: usize = 0;
const PREFIXED: usize = 1;

type Promise = fn(&Bench<'_>);

/// Runs every promise, each in its own directory below `root` (which exists and is empty).
pub fn run(engines: &dyn Engines, files: &dyn FileSystem, root: &Path) {
    let promises: &[(&str, Promise)] = &[
        ("a batch applies in order and as a whole", a_batch_applies_in_order),
        ("a range deletion spares its end", a_range_deletion_spares_its_end),
        ("a snapshot never changes", a_snapshot_never_changes),
        ("a snapshot outlives the engine's handle", a_snapshot_outlives_the_handle),
        ("a cursor stays within its prefix", a_cursor_stays_within_its_prefix),
        ("seeks agree with a map", seeks_agree_with_a_map),
        ("a closed database keeps everything", a_closed_database_keeps_everything),
        ("what was synced survives a copy of the files", what_was_synced_survives_a_copy),
        ("a checkpoint holds its moment", a_checkpoint_holds_its_moment),
        ("a copied checkpoint opens elsewhere", a_copied_checkpoint_opens_elsewhere),
        ("a new family may be added and none dropped", a_family_may_be_added),
        ("a second opener is refused", a_second_opener_is_refused),
        ("reading only changes nothing", reading_only_changes_nothing),
        ("a missing database is not found", a_missing_database_is_not_found),
        ("compaction changes no answer", compaction_changes_no_answer),
    ];
    for (number, (promise, check)) in promises.iter().enumerate() {
        let directory = root.join(format!("promise-{number}"));
        files.create_directories(&directory).expect("the suite's directory can be written");
        eprintln!("engine conformance: {promise}");
        check(&Bench { engines, files, directory: &directory });
    }
}

struct Bench<'a> {
    engines: &'a dyn Engines,
    files: &'a dyn FileSystem,
    directory: &'a Path,
}

impl Bench<'_> {
    fn open(&self, name: &str) -> Arc<dyn Engine> {
        self.engines.open(&self.directory.join(name), &spec(), Access::ReadWrite).expect("a database opens")
    }

    fn open_read_only(&self, name: &str) -> Result<Arc<dyn Engine>, EngineError> {
        self.engines.open(&self.directory.join(name), &spec(), Access::ReadOnly)
    }

    fn copy(&self, from: &str, to: &str) {
        let target = self.directory.join(to);
        self.files.create_directories(&target).expect("a directory can be made");
        for file in self.files.list(&self.directory.join(from)).expect("a directory can be listed") {
            let name = file.path.file_name().and_then(|name| name.to_str()).expect("file names are text");
            if self.engines.is_content(name) {
                let bytes = self.files.read(&file.path).expect("a file can be read");
                self.files.write(&target.join(name), &bytes).expect("a file can be written");
            }
        }
    }
}

fn spec() -> EngineSpec {
    let family = |name, prefix_length, tuning| FamilySpec { name, prefix_length, tuning, personal_data: false };
    EngineSpec {
        name: "conformance",
        families: vec![family("plain", None, Tuning::Records), family("prefixed", Some(4), Tuning::Index)],
        recovery: Recovery::RefuseDamage,
        wal_in_memory: true,
    }
}

fn put(engine: &dyn Engine, entries: &[(usize, &[u8], &[u8])]) {
    let mut batch = WriteBatch::default();
    for (family, key, value) in entries {
        batch.put(*family, *key, *value);
    }
    engine.write(batch).expect("a batch is written");
}

fn all(snapshot: &dyn EngineSnapshot, family: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
    within(snapshot, family, b"", b"")
}

fn within(snapshot: &dyn EngineSnapshot, family: usize, key: &[u8], prefix: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut cursor = snapshot.cursor(family, 0);
    let mut found = Vec::new();
    cursor.seek(key, prefix).expect("a seek succeeds");
    while let Some((key, value)) = cursor.entry() {
        found.push((key.to_vec(), value.to_vec()));
        cursor.next().expect("a step succeeds");
    }
    found
}

fn a_batch_applies_in_order(bench: &Bench<'_>) {
    let engine = bench.open("db");
    let mut batch = WriteBatch::default();
    batch.put(PLAIN, *b"a", *b"1");
    batch.put(PLAIN, *b"b", *b"1");
    batch.delete(PLAIN, *b"a");
    batch.delete_range(PLAIN, *b"b", *b"c");
    batch.put(PLAIN, *b"b", *b"2");
    batch.put(PREFIXED, *b"a", *b"3");
    engine.write(batch).expect("a batch is written");
    assert_eq!(engine.get(PLAIN, b"a"), Ok(None));
    assert_eq!(engine.get(PLAIN, b"b"), Ok(Some(b"2".to_vec())));
    assert_eq!(engine.get(PREFIXED, b"a"), Ok(Some(b"3".to_vec())));
}

fn a_range_deletion_spares_its_end(bench: &Bench<'_>) {
    let engine = bench.open("db");
    for index in 0..10u64 {
        put(&*engine, &[(PLAIN, &index.to_be_bytes(), b"x")]);
    }
    let mut batch = WriteBatch::default();
    batch.delete_range(PLAIN, 0u64.to_be_bytes(), 7u64.to_be_bytes());
    engine.write(batch).expect("a batch is written");
    let left: Vec<_> = all(&*engine.snapshot().expect("a snapshot"), PLAIN).into_iter().map(|(key, _)| key).collect();
    assert_eq!(left, [7u64, 8, 9].map(|index| index.to_be_bytes().to_vec()));
}

fn a_snapshot_never_changes(bench: &Bench<'_>) {
    let engine = bench.open("db");
    put(&*engine, &[(PLAIN, b"a", b"1"), (PLAIN, b"b", b"1")]);
    let before = engine.snapshot().expect("a snapshot");
    let mut batch = WriteBatch::default();
    batch.put(PLAIN, *b"a", *b"2");
    batch.delete(PLAIN, *b"b");
    batch.put(PLAIN, *b"c", *b"2");
    engine.write(batch).expect("a batch is written");
    let after = engine.snapshot().expect("a snapshot");
    let pair = |key: &[u8], value: &[u8]| (key.to_vec(), value.to_vec());
    assert_eq!(all(&*before, PLAIN), [pair(b"a", b"1"), pair(b"b", b"1")]);
    assert_eq!(before.get(PLAIN, b"c"), Ok(None));
    assert_eq!(before.may_contain(PLAIN, b"b"), Ok(true));
    assert_eq!(all(&*after, PLAIN), [pair(b"a", b"2"), pair(b"c", b"2")]);
    drop(before);
    assert_eq!(all(&*engine.snapshot().expect("a snapshot"), PLAIN), all(&*after, PLAIN));
}

fn a_snapshot_outlives_the_handle(bench: &Bench<'_>) {
    let engine = bench.open("db");
    put(&*engine, &[(PLAIN, b"a", b"1")]);
    let snapshot = engine.snapshot().expect("a snapshot");
    engine.close().expect("a database closes");
    assert!(matches!(engine.get(PLAIN, b"a"), Err(EngineError::Closed(_))));
    assert!(matches!(engine.write(WriteBatch::default()), Err(EngineError::Closed(_))));
    drop(engine);
    assert_eq!(snapshot.get(PLAIN, b"a"), Ok(Some(b"1".to_vec())));
    drop(snapshot);
    bench.open("db");
}

fn a_cursor_stays_within_its_prefix(bench: &Bench<'_>) {
    let engine = bench.open("db");
    for key in ["aaaa1", "aaaa2", "aaab1", "aab", "b"] {
        put(&*engine, &[(PLAIN, key.as_bytes(), b""), (PREFIXED, key.as_bytes(), b"")]);
    }
    let snapshot = engine.snapshot().expect("a snapshot");
    for family in [PLAIN, PREFIXED] {
        let count = |key: &[u8], prefix: &[u8]| within(&*snapshot, family, key, prefix).len();
        assert_eq!(count(b"aaaa", b"aaaa"), 2);
        assert_eq!(count(b"aaaa2", b"aaaa"), 1);
        assert_eq!(count(b"aaaa2", b"aaaa2"), 1);
        assert_eq!(count(b"aaaa3", b"aaaa"), 0);
        assert_eq!(count(b"aaa", b"aaa"), 3);
        assert_eq!(count(b"aa", b"aa"), 4);
        assert_eq!(count(b"", b""), 5);
        assert_eq!(count(b"c", b""), 0);
        // One cursor, short and long prefixes in turn: what one seek set up must not leak into the next.
        let mut cursor = snapshot.cursor(family, 0);
        assert!(cursor.entry().is_none(), "a cursor stands nowhere before its first seek");
        for _ in 0..3 {
            cursor.seek(b"aaab", b"aaab").expect("a seek succeeds");
            assert_eq!(cursor.entry().map(|(key, _)| key), Some(b"aaab1".as_slice()));
            cursor.next().expect("a step succeeds");
            assert!(cursor.entry().is_none());
            cursor.seek(b"aa", b"aa").expect("a seek succeeds");
            assert_eq!(cursor.entry().map(|(key, _)| key), Some(b"aaaa1".as_slice()));
        }
    }
}

/// A few hundred pseudo-random batches against a map, with fixed numbers: the same in every run.
fn seeks_agree_with_a_map(bench: &Bench<'_>) {
    let engine = bench.open("db");
    let mut model: [BTreeMap<Vec<u8>, Vec<u8>>; 2] = Default::default();
    let mut seed = 0x9E37_79B9_7F4A_7C15u64;
    let mut random = |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    let mut held = Vec::new();
    for round in 0..300u32 {
        let mut batch = WriteBatch::default();
        for _ in 0..random(8) {
            let family = random(2) as usize;
            let key: Vec<u8> = (0..random(7)).map(|_| b'a' + random(3) as u8).collect();
            match random(10) {
                0..6 => {
                    let value = round.to_be_bytes().to_vec();
                    model[family].insert(key.clone(), value.clone());
                    batch.put(family, key, value);
                }
                6..9 => {
                    model[family].remove(&key);
                    batch.delete(family, key);
                }
                _ => {
                    let mut end = key.clone();
                    end.push(b'b');
                    model[family].retain(|other, _| !(*other >= key && *other < end));
                    batch.delete_range(family, key, end);
                }
            }
        }
        engine.write(batch).expect("a batch is written");
        if round % 20 == 0 {
            held.push((engine.snapshot().expect("a snapshot"), model.clone()));
        }
        if round % 70 == 0 {
            held.remove(0);
            engine.compact(PREFIXED, None, None).expect("a compaction");
        }
    }
    held.push((engine.snapshot().expect("a snapshot"), model));
    for (snapshot, model) in &held {
        for (family, entries) in model.iter().enumerate() {
            for prefix in ["", "a", "ab", "abc", "abca", "ccccc", "d"].map(str::as_bytes) {
                let wanted: Vec<_> = entries.clone().into_iter().filter(|(key, _)| key.starts_with(prefix)).collect();
                assert_eq!(within(&**snapshot, family, prefix, prefix), wanted, "family {family}, prefix {prefix:?}");
            }
            for (key, value) in entries {
                assert_eq!(snapshot.get(family, key), Ok(Some(value.clone())));
                assert_eq!(snapshot.may_contain(family, key), Ok(true), "a filter never denies what is there");
            }
        }
    }
}

fn a_closed_database_keeps_everything(bench: &Bench<'_>) {
    for round in 0..3u8 {
        let engine = bench.open("db");
        assert_eq!(all(&*engine.snapshot().expect("a snapshot"), PLAIN).len(), usize::from(round));
        put(&*engine, &[(PLAIN, &[round], b"x")]);
        engine.close().expect("a database closes");
    }
}

fn what_was_synced_survives_a_copy(bench: &Bench<'_>) {
    let engine = bench.open("db");
    put(&*engine, &[(PLAIN, b"synced", b"x")]);
    engine.flush_wal(true).expect("a flush");
    put(&*engine, &[(PLAIN, b"not synced", b"x")]);
    bench.copy("db", "copy");
    let copy = bench.open("copy");
    assert_eq!(copy.get(PLAIN, b"synced"), Ok(Some(b"x".to_vec())));
}

fn a_checkpoint_holds_its_moment(bench: &Bench<'_>) {
    let engine = bench.open("db");
    put(&*engine, &[(PLAIN, b"a", b"1")]);
    engine.checkpoint(&bench.directory.join("checkpoint")).expect("a checkpoint");
    put(&*engine, &[(PLAIN, b"a", b"2")]);
    engine.compact(PLAIN, None, None).expect("a compaction");
    assert!(engine.checkpoint(&bench.directory.join("checkpoint")).is_err(), "a checkpoint never overwrites");
    let checkpoint = bench.open_read_only("checkpoint").expect("a checkpoint opens");
    assert_eq!(checkpoint.get(PLAIN, b"a"), Ok(Some(b"1".to_vec())));
    assert_eq!(engine.get(PLAIN, b"a"), Ok(Some(b"2".to_vec())));
}

fn a_copied_checkpoint_opens_elsewhere(bench: &Bench<'_>) {
    let engine = bench.open("db");
    put(&*engine, &[(PLAIN, b"a", b"1"), (PREFIXED, b"aaaa", b"2")]);
    engine.checkpoint(&bench.directory.join("checkpoint")).expect("a checkpoint");
    drop(bench.open_read_only("checkpoint").expect("a checkpoint opens"));
    bench.copy("checkpoint", "copy");
    let copy = bench.open("copy");
    assert_eq!(copy.get(PLAIN, b"a"), Ok(Some(b"1".to_vec())));
    assert_eq!(copy.get(PREFIXED, b"aaaa"), Ok(Some(b"2".to_vec())));
    put(&*copy, &[(PLAIN, b"a", b"3")]);
    assert_eq!(engine.get(PLAIN, b"a"), Ok(Some(b"1".to_vec())));
}

fn a_family_may_be_added(bench: &Bench<'_>) {
    let path = bench.directory.join("db");
    let old = bench.open("db");
    put(&*old, &[(PLAIN, b"a", b"1")]);
    old.close().expect("a database closes");
    drop(old);
    let mut wider = spec();
    wider.families.insert(0, FamilySpec { name: "added", ..wider.families[0] });
    let engine = bench.engines.open(&path, &wider, Access::ReadWrite).expect("a wider database opens");
    assert_eq!(engine.get(1, b"a"), Ok(Some(b"1".to_vec())));
    put(&*engine, &[(0, b"new", b"1")]);
    engine.close().expect("a database closes");
    drop(engine);
    let narrow = bench.engines.open(&path, &spec(), Access::ReadWrite);
    assert!(matches!(narrow.map(drop), Err(EngineError::OtherVersion { .. })), "a family is never silently ignored");
}

fn a_second_opener_is_refused(bench: &Bench<'_>) {
    let engine = bench.open("db");
    let second = bench.engines.open(&bench.directory.join("db"), &spec(), Access::ReadWrite);
    let error = second.map(drop).expect_err("a database opens once");
    assert!(error.to_string().ends_with("is in use by another process"), "{error}");
    drop(engine);
    bench.open("db");
}

fn reading_only_changes_nothing(bench: &Bench<'_>) {
    let engine = bench.open("db");
    put(&*engine, &[(PLAIN, b"a", b"1")]);
    engine.close().expect("a database closes");
    drop(engine);
    let reader = bench.open_read_only("db").expect("a database opens");
    assert_eq!(reader.get(PLAIN, b"a"), Ok(Some(b"1".to_vec())));
    assert!(matches!(reader.write(WriteBatch::default()), Err(EngineError::Closed(_))));
    assert!(matches!(reader.flush_wal(true), Err(EngineError::Closed(_))));
    bench.open("db");
}

fn a_missing_database_is_not_found(bench: &Bench<'_>) {
    let error = bench.open_read_only("nowhere").map(drop).expect_err("there is nothing");
    assert!(matches!(error, EngineError::NotFound(_)), "{error}");
}

fn compaction_changes_no_answer(bench: &Bench<'_>) {
    let engine = bench.open("db");
    for index in 0..1000u64 {
        put(&*engine, &[(PLAIN, &index.to_be_bytes(), &[7; 100])]);
    }
    let mut batch = WriteBatch::default();
    batch.delete_range(PLAIN, 0u64.to_be_bytes(), 900u64.to_be_bytes());
    engine.write(batch).expect("a batch is written");
    let before = all(&*engine.snapshot().expect("a snapshot"), PLAIN);
    engine.compact(PLAIN, None, Some(&900u64.to_be_bytes())).expect("a compaction");
    assert_eq!(all(&*engine.snapshot().expect("a snapshot"), PLAIN), before);
    assert_eq!(before.len(), 100);
    let size = engine.approximate_size_bytes(PLAIN, &0u64.to_be_bytes(), &900u64.to_be_bytes());
    assert!(size.expect("a size") < 20_000, "what was deleted takes no room");
    assert!(engine.figures().background_errors == 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seam::RealFiles;

    #[cfg(feature = "rocksdb")]
    #[test]
    fn rocksdb_is_an_engine() {
        use crate::storage::engine::rocks::{RocksEngines, RocksSettings};
        let root = tempfile::tempdir().unwrap();
        run(&RocksEngines::new(RocksSettings::default()), &RealFiles, root.path());
    }

    #[test]
    fn the_engine_in_memory_is_an_engine() {
        let root = tempfile::tempdir().unwrap();
        run(&crate::storage::engine::memory::MemoryEngines::new(Arc::new(RealFiles)), &RealFiles, root.path());
    }
}

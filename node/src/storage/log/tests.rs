//! The promises of the log, on every engine.

mod reports;

use std::{ops::RangeInclusive, path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use openraft::{
    EntryPayload, RaftLogReader,
    storage::{IOFlushed, RaftLogStorage},
    type_config::TypeConfigExt,
};

use super::{ENTRIES, LogError, LogStore, MARKS, VOTE, entry, spec};
use crate::{
    raft::types::{EncodedBatch, Entry, LeaderId, TypeConfig, Vote, log_id},
    seam::Host,
    storage::{
        data_directory::WAY_OUT,
        engine::{Access, EngineError, Engines, WriteBatch},
        limits,
        testing::{Bench, kinds, write_ahead_log},
    },
};

type Flushed = <TypeConfig as openraft::RaftTypeConfig>::AsyncRuntime;
type Waiting = <<Flushed as openraft::AsyncRuntime>::Oneshot as openraft::async_runtime::Oneshot>::Receiver<
    Result<(), std::io::Error>,
>;

fn batch(term: u64, index: u64, body: impl Into<Bytes>) -> Entry {
    Entry { log_id: log_id(term, index), payload: EntryPayload::Normal(EncodedBatch(body.into())) }
}

fn small(term: u64, indexes: RangeInclusive<u64>) -> Vec<Entry> {
    indexes.map(|index| batch(term, index, format!("entry {index} of term {term}"))).collect()
}

fn vote(term: u64) -> Vote {
    Vote { leader_id: LeaderId { term, voted_for: 3 }, committed: false }
}

fn open(bench: &Bench, name: &str) -> Result<LogStore, LogError> {
    LogStore::open(&bench.host, &*bench.engines, &bench.directory_at(name).expect("the directory is sound"))
}

/// Queues entries; the receiver says when they are durable.
async fn queue(store: &mut LogStore, entries: Vec<Entry>) -> Waiting {
    let (sender, receiver) = TypeConfig::oneshot();
    store.append(entries, IOFlushed::signal(sender)).await.expect("entries are queued");
    receiver
}

async fn append(store: &mut LogStore, entries: Vec<Entry>) {
    queue(store, entries).await.await.expect("the callback is called").expect("entries become durable");
}

async fn indexes(store: &LogStore) -> Vec<u64> {
    let entries = store.reader().try_get_log_entries(0..).await.expect("the log is read");
    entries.into_iter().map(|entry| entry.log_id.index).collect()
}

/// Runs a story on each engine.
async fn on_every_engine<F: Future<Output = ()>>(story: impl Fn(Bench) -> F) {
    for (name, kind) in kinds() {
        eprintln!("engine {name}");
        story(Bench::new(kind)).await;
    }
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..2000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("waited too long until {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_readable_at_once_and_reported_only_after_its_fsync() {
    on_every_engine(|bench| async move {
        let mut store = open(&bench, "node").unwrap();
        bench.disk.hold();
        let mut waiting = queue(&mut store, small(1, 0..=4)).await;
        assert_eq!(indexes(&store).await, [0, 1, 2, 3, 4]);
        until("the fsync has begun", || bench.disk.syncs() == 1).await;
        assert!(futures::poll!(&mut waiting).is_pending(), "reported before its fsync");
        bench.disk.release();
        waiting.await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_built_on_an_entry_before_its_fsync() {
    on_every_engine(|bench| async move {
        let mut store = open(&bench, "node").unwrap();
        append(&mut store, small(1, 0..=2)).await;
        bench.disk.hold();
        let waiting = queue(&mut store, small(1, 3..=4)).await;
        store.durable(2).await.unwrap();
        let log = store.clone();
        let mut durable = std::pin::pin!(log.durable(3));
        assert!(futures::poll!(&mut durable).is_pending(), "it is not on disk");
        bench.disk.release();
        durable.await.unwrap();
        waiting.await.unwrap().unwrap();
        bench.disk.hold();
        bench.disk.fail(Some(EngineError::Io { place: "log".into(), reason: "EIO".into() }));
        let waiting = queue(&mut store, small(1, 5..=5)).await;
        let mut durable = std::pin::pin!(log.durable(5));
        assert!(futures::poll!(&mut durable).is_pending());
        bench.disk.release();
        assert!(matches!(durable.await, Err(LogError::Stopped(_))), "nobody waits for a log that has stopped");
        assert!(waiting.await.unwrap().is_err());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_fsync_serves_everything_that_is_queued() {
    on_every_engine(|bench| async move {
        let mut store = open(&bench, "node").unwrap();
        bench.disk.hold();
        let mut waiting = vec![queue(&mut store, small(1, 0..=0)).await];
        until("the fsync has begun", || bench.disk.syncs() == 1).await;
        for index in 1..=50 {
            waiting.push(queue(&mut store, small(1, index..=index)).await);
        }
        bench.disk.release();
        for waiting in waiting {
            waiting.await.unwrap().unwrap();
        }
        assert_eq!(bench.disk.syncs(), 2, "the first entry, and the other fifty together");
        let figures = store.figures();
        assert_eq!((figures.appends, figures.entries, figures.groups, figures.syncs), (51, 51, 2, 2));
        assert_eq!(figures.queue_bytes, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vote_and_all_before_it_are_durable_when_save_vote_returns() {
    on_every_engine(|bench| async move {
        let mut store = open(&bench, "node").unwrap();
        bench.disk.hold();
        let _queued = queue(&mut store, small(1, 0..=9)).await;
        until("the fsync has begun", || bench.disk.syncs() == 1).await;
        let saving = tokio::spawn({
            let mut store = store.clone();
            async move { store.save_vote(&vote(7)).await }
        });
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!saving.is_finished(), "returned before its fsync");
        bench.disk.release();
        saving.await.unwrap().unwrap();
        assert_eq!(bench.disk.syncs(), 2);

        bench.copy("node", "after the power cut");
        let mut copy = open(&bench, "after the power cut").unwrap();
        assert_eq!(copy.reader().read_vote().await.unwrap(), Some(vote(7)));
        assert_eq!(indexes(&copy).await, Vec::from_iter(0..=9));
        copy.save_vote(&vote(8)).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn truncation_returns_only_after_its_fsync_and_the_chain_goes_on() {
    on_every_engine(|bench| async move {
        let mut store = open(&bench, "node").unwrap();
        append(&mut store, small(1, 0..=9)).await;
        let syncs = bench.disk.syncs();
        store.truncate_after(Some(log_id(1, 5))).await.unwrap();
        assert_eq!(bench.disk.syncs(), syncs + 1);
        bench.copy("node", "cut");
        assert_eq!(indexes(&open(&bench, "cut").unwrap()).await, Vec::from_iter(0..=5));

        append(&mut store, small(2, 6..=7)).await;
        store.truncate_after(Some(log_id(2, 99))).await.unwrap();
        assert_eq!(indexes(&store).await, Vec::from_iter(0..=7));
        bench.copy("node", "grown");
        let grown = open(&bench, "grown").unwrap();
        let entries = grown.reader().try_get_log_entries(5..8).await.unwrap();
        assert_eq!(entries, [small(1, 5..=5), small(2, 6..=7)].concat());

        store.truncate_after(None).await.unwrap();
        append(&mut store, small(3, 0..=0)).await;
        assert_eq!(indexes(&store).await, [0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_fsync_error_stops_the_store_for_good_and_marks_the_directory() {
    on_every_engine(|bench| async move {
        let mut store = open(&bench, "node").unwrap();
        append(&mut store, small(1, 0..=0)).await;
        let syncs = bench.disk.syncs();
        bench.disk.fail(Some(EngineError::Io { place: "log".into(), reason: "Input/output error".into() }));
        let waiting = queue(&mut store, small(1, 1..=1)).await;
        let reported = waiting.await.unwrap().unwrap_err();
        assert!(reported.to_string().contains("Input/output error"), "{reported}");

        bench.disk.fail(None);
        assert!(store.save_vote(&vote(9)).await.is_err());
        assert!(store.reader().try_get_log_entries(0..).await.is_err());
        assert!(store.get_log_state().await.is_err());
        assert!(store.flush().await.is_err());
        let (sender, receiver) = TypeConfig::oneshot();
        assert!(store.append(small(1, 2..=2), IOFlushed::signal(sender)).await.is_err());
        assert!(receiver.await.unwrap().is_err(), "a callback is never dropped");
        assert_eq!(bench.disk.syncs(), syncs + 1, "nothing retries an fsync");

        let refused = bench.directory_at("node").unwrap_err().to_string();
        assert!(refused.contains("Input/output error") && refused.ends_with(WAY_OUT), "{refused}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_the_store_and_needs_no_new_node() {
    on_every_engine(|bench| async move {
        let mut store = open(&bench, "node").unwrap();
        append(&mut store, small(1, 0..=3)).await;
        bench.disk.fail(Some(EngineError::DiskFull("log".into())));
        assert!(queue(&mut store, small(1, 4..=4)).await.await.unwrap().is_err());
        assert!(store.flush().await.is_err());
        bench.disk.fail(None);
        bench.copy("node", "with room again");
        let again = open(&bench, "with room again").unwrap();
        assert!(indexes(&again).await.starts_with(&[0, 1, 2, 3]), "what was acknowledged is there");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_node_keeps_vote_entries_and_marks() {
    on_every_engine(|bench| async move {
        let mut store = open(&bench, "node").unwrap();
        store.save_vote(&vote(4)).await.unwrap();
        append(&mut store, small(4, 0..=9)).await;
        store.save_committed(Some(log_id(4, 8))).await.unwrap();
        store.purge(log_id(4, 3)).await.unwrap();
        store.close().await.unwrap();
        drop(store);

        let mut store = open(&bench, "node").unwrap();
        assert_eq!(store.reader().read_vote().await.unwrap(), Some(vote(4)));
        assert_eq!(store.read_committed().await.unwrap(), Some(log_id(4, 8)));
        let state = store.get_log_state().await.unwrap();
        assert_eq!((state.last_purged_log_id, state.last_log_id), (Some(log_id(4, 3)), Some(log_id(4, 9))));
        assert_eq!(indexes(&store).await, Vec::from_iter(4..=9));
        append(&mut store, small(5, 10..=10)).await;
        assert_eq!(indexes(&store).await, Vec::from_iter(4..=10));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_mark_never_points_beyond_the_log() {
    on_every_engine(|bench| async move {
        let mut store = open(&bench, "node").unwrap();
        append(&mut store, small(1, 0..=9)).await;
        store.save_committed(Some(log_id(1, 9))).await.unwrap();
        store.truncate_after(Some(log_id(1, 6))).await.unwrap();
        store.close().await.unwrap();
        drop(store);
        let mut store = open(&bench, "node").unwrap();
        assert_eq!(store.read_committed().await.unwrap(), Some(log_id(1, 6)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_beyond_the_end_lets_the_log_go_on_behind_it() {
    on_every_engine(|bench| async move {
        let mut store = open(&bench, "node").unwrap();
        append(&mut store, small(1, 0..=4)).await;
        store.purge(log_id(2, 100)).await.unwrap();
        assert_eq!(indexes(&store).await, [0u64; 0]);
        let refused = store.append(small(2, 5..=5), IOFlushed::noop()).await.unwrap_err().to_string();
        assert_eq!(refused, "entry 5 cannot be appended: 101 is next");
        append(&mut store, small(2, 101..=102)).await;
        store.purge(log_id(1, 3)).await.unwrap();
        store.close().await.unwrap();
        drop(store);
        let mut store = open(&bench, "node").unwrap();
        assert_eq!(indexes(&store).await, [101, 102]);
        assert_eq!(store.get_log_state().await.unwrap().last_purged_log_id, Some(log_id(2, 100)), "never back");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_tail_is_cut_wherever_it_tears() {
    on_every_engine(|bench| async move {
        let mut store = open(&bench, "node").unwrap();
        store.save_vote(&vote(1)).await.unwrap();
        append(&mut store, small(1, 0..=4)).await;
        let synced = write_ahead_log(&bench.directory().log_database()).metadata().unwrap().len();
        append(&mut store, small(1, 5..=5)).await;
        append(&mut store, small(1, 6..=7)).await;
        bench.copy("node", "whole");
        let file = write_ahead_log(&bench.directory_at("whole").unwrap().log_database());
        let whole = file.metadata().unwrap().len();
        // RocksDB takes its time to open: every third byte there.
        for length in (synced..whole).step_by(if bench.is_rocksdb() { 3 } else { 1 }) {
            let name = format!("cut at {length}");
            bench.copy("whole", &name);
            let file = write_ahead_log(&bench.directory_at(&name).unwrap().log_database());
            std::fs::OpenOptions::new().write(true).open(file).unwrap().set_len(length).unwrap();
            let mut store = open(&bench, &name).unwrap_or_else(|error| panic!("{name}: {error}"));
            let found = indexes(&store).await;
            assert!(found == [0, 1, 2, 3, 4] || found == [0, 1, 2, 3, 4, 5], "{name}: {found:?}");
            assert_eq!(store.reader().read_vote().await.unwrap(), Some(vote(1)));
            let next = found.len() as u64;
            append(&mut store, small(2, next..=next)).await;
            store.close().await.unwrap();
            drop(store);
            let again = open(&bench, &name).unwrap();
            assert_eq!(indexes(&again).await.len() as u64, next + 1, "{name}: after the cut the log goes on");
            drop(again);
            std::fs::remove_dir_all(bench.path(&name)).unwrap();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_byte_is_refused_with_the_way_out() {
    on_every_engine(|bench| async move {
        let mut store = open(&bench, "node").unwrap();
        for index in 0..12 {
            append(&mut store, small(1, index..=index)).await;
        }
        bench.copy("node", "sound");
        let file = write_ahead_log(&bench.directory_at("sound").unwrap().log_database());
        let length = file.metadata().unwrap().len();
        for at in (0..length).step_by(if bench.is_rocksdb() { 11 } else { 1 }) {
            let name = format!("flipped at {at} of {length}");
            bench.copy("sound", &name);
            let file = write_ahead_log(&bench.directory_at(&name).unwrap().log_database());
            let mut bytes = std::fs::read(&file).unwrap();
            bytes[at as usize] ^= 1 << (at % 8);
            std::fs::write(&file, bytes).unwrap();
            match open(&bench, &name) {
                Err(error @ LogError::Damaged { .. }) => {
                    assert!(error.to_string().ends_with(WAY_OUT), "{error}");
                }
                Err(other) => panic!("{name}: {other}"),
                Ok(store) => panic!("{name}: opened with {:?}", indexes(&store).await),
            }
            std::fs::remove_dir_all(bench.path(&name)).unwrap();
        }
    })
    .await;
}

/// Every file of the log's database, table files included: a changed byte is refused, or changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn no_flipped_byte_in_any_file_takes_away_what_was_acknowledged() {
    on_every_engine(|bench| async move {
        let mut store = open(&bench, "node").unwrap();
        store.save_vote(&vote(3)).await.unwrap();
        append(&mut store, small(3, 0..=30)).await;
        store.purge(log_id(3, 9)).await.unwrap();
        store.close().await.unwrap();
        drop(store);
        // Opening again turns the write-ahead log into table files.
        let mut store = open(&bench, "node").unwrap();
        append(&mut store, small(3, 31..=33)).await;
        store.close().await.unwrap();
        drop(store);
        let directory = bench.path("node/log/log");
        let mut refused = 0;
        for file in std::fs::read_dir(&directory).unwrap() {
            let file = file.unwrap().file_name();
            let bytes = std::fs::read(directory.join(&file)).unwrap();
            if file.to_str().is_some_and(|name| name.starts_with("LOG") || name.starts_with("OPTIONS")) {
                continue;
            }
            let step = (bytes.len() / 24).max(1);
            for at in (0..bytes.len()).step_by(step) {
                bench.copy("node", "flipped");
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << (at % 8);
                std::fs::write(bench.path("flipped/log/log").join(&file), flipped).unwrap();
                match open(&bench, "flipped") {
                    Err(_) => refused += 1,
                    Ok(store) => {
                        assert_eq!(indexes(&store).await, Vec::from_iter(10..=33), "{file:?} at {at}");
                        assert_eq!(store.reader().read_vote().await.unwrap(), Some(vote(3)), "{file:?} at {at}");
                    }
                }
                std::fs::remove_dir_all(bench.path("flipped")).unwrap();
            }
        }
        assert!(refused > 20, "{refused}");
    })
    .await;
}

#[cfg(feature = "rocksdb")]
#[tokio::test(flavor = "multi_thread")]
async fn what_was_purged_leaves_the_disk() {
    use crate::storage::testing::holds_bytes;

    let (_, kind) = kinds().pop().unwrap();
    let bench = Bench::new(kind);
    let mut store = open(&bench, "node").unwrap();
    // Bytes that no compression hides.
    let marker = *blake3::hash(b"erased").as_bytes();
    let entry = |index| batch(1, index, [marker.as_slice(), &[index as u8]].concat());
    append(&mut store, (0..=9).map(entry).collect()).await;
    let directory = bench.directory().log_database();
    assert!(holds_bytes(&directory, &marker));
    append(&mut store, small(1, 10..=19)).await;
    store.purge(log_id(1, 9)).await.unwrap();
    store.flush().await.unwrap();
    until("the purged entries have left the disk", || !holds_bytes(&directory, &marker)).await;
    assert_eq!(indexes(&store).await, Vec::from_iter(10..=19));
}

/// Changes a closed log behind the store's back.
fn tamper(bench: &Bench, path: &Path, change: impl FnOnce(&mut WriteBatch)) {
    let engine = bench.engines.open(path, &spec(), Access::ReadWrite).unwrap();
    let mut batch = WriteBatch::default();
    change(&mut batch);
    engine.write(batch).unwrap();
    engine.close().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hole_a_stranger_and_a_broken_chain_are_refused() {
    type Change = fn(&mut WriteBatch);
    let damages: [(&str, Change); 6] = [
        ("entry 4 is missing, the next one present is 5", |batch| batch.delete(ENTRIES, entry::key(4))),
        ("entry 0 is missing, the next one present is 3", |batch| {
            batch.delete_range(ENTRIES, entry::key(0), entry::key(3));
        }),
        ("entry 5: it does not follow the entry before it", |batch| {
            batch.put(ENTRIES, entry::key(5), entry::encode(&small(1, 5..=5)[0], 12345).0);
        }),
        ("entry 5: its checksum does not match", |batch| {
            batch.put(ENTRIES, entry::key(5), entry::encode(&small(1, 6..=6)[0], 0).0);
        }),
        ("a key of 3 bytes", |batch| batch.put(ENTRIES, *b"abc", *b"x")),
        ("mark 'vote': unknown format byte 9", |batch| batch.put(MARKS, VOTE, [9])),
    ];
    for (wanted, change) in damages {
        on_every_engine(|bench| async move {
            let mut store = open(&bench, "node").unwrap();
            append(&mut store, small(1, 0..=9)).await;
            store.close().await.unwrap();
            drop(store);
            tamper(&bench, &bench.directory().log_database(), change);
            let error = open(&bench, "node").map(drop).unwrap_err();
            assert!(matches!(error, LogError::Damaged { .. }), "{error}");
            assert!(error.to_string().contains(wanted), "{error}");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_are_bounded_in_bytes_and_agree_between_memory_and_disk() {
    on_every_engine(|bench| async move {
        let mut store = open(&bench, "node").unwrap();
        // More than the tail in memory holds, so that the older ones come from disk.
        let size = 512 * 1024;
        let count = (limits::LOG_TAIL_BYTES_MAX / size + 10) as u64;
        for index in 0..count {
            append(&mut store, vec![batch(1, index, vec![index as u8; size])]).await;
        }
        let figures = store.figures();
        assert!(figures.tail_bytes <= limits::LOG_TAIL_BYTES_MAX as u64);
        let reader = store.reader();
        for from in [0, 5, 8, 9, 10, 11, count - 1] {
            let entries = reader.clone().limited_get_log_entries(from, count).await.unwrap();
            let bytes: usize = entries.iter().map(|_| size).sum();
            assert!(!entries.is_empty() && bytes <= limits::LOG_READ_BYTES_MAX, "{from}: {bytes}");
            for (entry, index) in entries.iter().zip(from..) {
                assert_eq!(*entry, batch(1, index, vec![index as u8; size]), "read from {from}");
            }
        }
        assert_eq!(indexes(&store).await, Vec::from_iter(0..count));
        let stream = reader.clone();
        let streamed: Vec<_> = {
            use futures::TryStreamExt;
            let mut stream = stream;
            stream.entries_stream(3..count + 50).await.map_ok(|entry| entry.log_id.index).try_collect().await.unwrap()
        };
        assert_eq!(streamed, Vec::from_iter(3..count));

        store.purge(log_id(1, 6)).await.unwrap();
        assert!(reader.clone().limited_get_log_entries(5, 20).await.unwrap().is_empty(), "never a later slice");
        assert_eq!(reader.clone().limited_get_log_entries(7, 8).await.unwrap().len(), 1);
        #[allow(clippy::reversed_empty_ranges)] // What is asked here, on purpose.
        let reversed = 20..10;
        assert!(reader.clone().try_get_log_entries(reversed).await.unwrap().is_empty());
        store.truncate_after(Some(log_id(1, 7))).await.unwrap();
        append(&mut store, small(2, 8..=8)).await;
        assert_eq!(indexes(&store).await, [7, 8]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hole_and_an_entry_too_large_are_never_written() {
    on_every_engine(|bench| async move {
        let mut store = open(&bench, "node").unwrap();
        append(&mut store, small(1, 0..=1)).await;
        for entries in [small(1, 3..=3), small(1, 1..=1), [small(1, 2..=2), small(1, 4..=4)].concat()] {
            let (sender, receiver) = TypeConfig::oneshot();
            assert!(store.append(entries, IOFlushed::signal(sender)).await.is_err());
            assert!(receiver.await.unwrap().is_err());
        }
        let large = batch(1, 2, vec![0; alert_core::limits::ENTRY_BYTES_MAX + 1]);
        let refused = store.append([large], IOFlushed::noop()).await.unwrap_err().to_string();
        assert!(refused.contains("more than an entry may have"), "{refused}");
        assert_eq!(indexes(&store).await, [0, 1]);
        append(&mut store, small(1, 2..=2)).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_is_refused() {
    on_every_engine(|bench| async move {
        let _store = open(&bench, "node").unwrap();
        let error = open(&bench, "node").map(drop).unwrap_err().to_string();
        assert!(error.ends_with("is in use by another process"), "{error}");
    })
    .await;
}

/// A copy taken in the middle of the traffic is what a power cut may leave: a prefix with all that was reported.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_reported_is_lost_when_the_power_goes() {
    type Kind = fn(&Host) -> Arc<dyn Engines>;
    let story = |kind: Kind| async move {
        let bench = Bench::new(kind);
        let mut store = open(&bench, "node").unwrap();
        for round in 0..8u64 {
            let mut waiting = Vec::new();
            for index in round * 40..(round + 1) * 40 {
                waiting.push((index, queue(&mut store, small(1, index..=index)).await));
            }
            let mut reported = 0;
            for (index, waiting) in waiting {
                waiting.await.unwrap().unwrap();
                reported = index;
                if index % 40 == 11 + round {
                    break;
                }
            }
            let name = format!("power cut {round}");
            bench.copy("node", &name);
            let copy = open(&bench, &name).unwrap();
            let found = indexes(&copy).await;
            assert!(found.len() as u64 > reported, "{name}: {reported} was reported, {} entries found", found.len());
            store.flush().await.unwrap();
        }
    };
    for (_, kind) in kinds() {
        story(kind).await;
    }
}

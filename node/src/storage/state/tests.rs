//! The promises of the state, on every engine.

use std::sync::Arc;

use alert_core::state::{View, family::Family, scan_prefix};
use openraft::EntryPayload;

use crate::{
    raft::types::{EncodedBatch, Entry, StoredMembership, log_id},
    storage::{
        inspect,
        records::tests::membership,
        state::{StateError, StateStore, StateView},
        testing::{Bench, alert_id, create, kinds},
    },
};

fn open(bench: &Bench, name: &str) -> StateStore {
    StateStore::open(&bench.host, &*bench.engines, &bench.path(name)).unwrap()
}

fn count(view: &StateView, family: Family) -> usize {
    let mut found = 0;
    scan_prefix(view, family, b"", |_, _| {
        found += 1;
        Ok(true)
    })
    .unwrap();
    found
}

async fn on_every_engine<F: Future<Output = ()>>(story: impl Fn(Bench) -> F) {
    for (name, kind) in kinds() {
        eprintln!("engine {name}");
        story(Bench::new(kind)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_is_one_batch_and_a_view_is_one_moment() {
    on_every_engine(|bench| async move {
        let state = open(&bench, "db");
        let empty = state.read().unwrap();
        assert_eq!((empty.position().applied, empty.position().revision), (None, 0));
        let writes = bench.disk.writes();
        let answers = state.apply((1..=20).map(|index| create(3, index)).collect()).await.unwrap();
        assert_eq!(bench.disk.writes(), writes + 1, "data, indexes, feed and position in one batch");
        assert!(answers.iter().all(|answer| answer.answers.last().is_some_and(Result::is_ok)), "{answers:?}");

        let view = state.read().unwrap();
        assert_eq!(view.position().applied, Some(log_id(3, 20)));
        assert_eq!(view.position().revision, view.meta().revision);
        state.apply(vec![create(3, 21)]).await.unwrap();
        for (view, alerts) in [(&empty, 0), (&view, 20), (&state.read().unwrap(), 21)] {
            assert_eq!(count(view, Family::Alerts), alerts);
            assert_eq!(count(view, Family::Changes), alerts);
            assert_eq!(view.position().applied_index(), (alerts > 0).then_some(alerts as u64));
        }
        assert!(view.get(Family::Alerts, alert_id(21).as_bytes()).unwrap().is_none());
        inspect::verified_fingerprint(&state).unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_position_is_published_after_the_batch_can_be_read() {
    on_every_engine(|bench| async move {
        let state = open(&bench, "db");
        let mut watch = state.position();
        let reader = tokio::spawn({
            let state = state.clone();
            async move {
                while watch.borrow_and_update().applied_index() < Some(30) {
                    watch.changed().await.unwrap();
                    let published = *watch.borrow();
                    let seen = state.read().unwrap();
                    assert!(seen.position().applied >= published.applied);
                    let newest = alert_id(published.applied_index().unwrap());
                    assert!(seen.get(Family::Alerts, newest.as_bytes()).unwrap().is_some());
                }
            }
        });
        for index in 1..=30 {
            state.apply(vec![create(1, index)]).await.unwrap();
        }
        reader.await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_engines_and_restarts_change_nothing() {
    let mut fingerprints = Vec::new();
    for (_, kind) in kinds() {
        for chunk in [1, 7, 40] {
            let bench = Bench::new(kind);
            let entries: Vec<Entry> = (1..=40).map(|index| create(1, index)).collect();
            for entries in entries.chunks(chunk) {
                let state = open(&bench, "db");
                state.apply(entries.to_vec()).await.unwrap();
                state.close().await.unwrap();
            }
            fingerprints.push(inspect::verified_fingerprint(&open(&bench, "db")).unwrap());
        }
    }
    assert!(fingerprints.windows(2).all(|pair| pair[0] == pair[1]), "{fingerprints:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_suffix_is_applied_again_to_the_same_state() {
    on_every_engine(|bench| async move {
        let state = open(&bench, "db");
        for index in 1..=40 {
            state.apply(vec![create(1, index)]).await.unwrap();
            if index == 25 {
                bench.copy("db", "after the power cut");
            }
        }
        let wanted = inspect::verified_fingerprint(&state).unwrap();

        let revived = open(&bench, "after the power cut");
        let applied = revived.raft_meta().last_applied.map_or(0, |id| id.index);
        assert_eq!(revived.read().unwrap().position().applied_index().unwrap_or(0), applied);
        assert!(applied <= 25, "{applied}");
        inspect::verified_fingerprint(&revived).unwrap();
        revived.apply((applied + 1..=40).map(|index| create(1, index)).collect()).await.unwrap();
        assert_eq!(inspect::verified_fingerprint(&revived).unwrap(), wanted);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_membership_is_kept_with_the_state() {
    on_every_engine(|bench| async move {
        let state = open(&bench, "db");
        let member = Entry { log_id: log_id(2, 5), payload: EntryPayload::Membership(membership()) };
        let blank = Entry { log_id: log_id(2, 6), payload: EntryPayload::Blank };
        let answers = state.apply(vec![member, blank, create(2, 7)]).await.unwrap();
        assert_eq!(answers.iter().map(|answer| answer.answers.len()).collect::<Vec<_>>(), [0, 0, 1]);
        state.close().await.unwrap();
        drop(state);
        let meta = open(&bench, "db").raft_meta();
        assert_eq!(meta.last_applied, Some(log_id(2, 7)));
        assert_eq!(meta.membership, StoredMembership::new(Some(log_id(2, 5)), membership()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_never_applied_twice_and_an_unknown_one_stops_the_node() {
    on_every_engine(|bench| async move {
        let state = open(&bench, "db");
        state.apply(vec![create(1, 1), create(1, 2)]).await.unwrap();
        let before = inspect::verified_fingerprint(&state).unwrap();
        let twice = state.apply(vec![create(1, 2)]).await.unwrap_err();
        assert!(matches!(twice, StateError::NotNext { index: 2, applied: 2 }), "{twice}");

        let newer =
            Entry { log_id: log_id(1, 3), payload: EntryPayload::Normal(EncodedBatch(vec![99, 1, 2, 3].into())) };
        let unknown = state.apply(vec![newer]).await.unwrap_err().to_string();
        assert_eq!(unknown, "the batch of entry 3: unknown format byte 99: written by a newer version?");
        assert_eq!(inspect::verified_fingerprint(&state).unwrap(), before, "nothing of a failed chunk is kept");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_goes_where_its_reader_goes() {
    on_every_engine(|bench| async move {
        let state = open(&bench, "db");
        state.apply(vec![create(1, 1)]).await.unwrap();
        let view = Arc::new(state.read().unwrap());
        let elsewhere = view.clone();
        let found = tokio::task::spawn_blocking(move || {
            let mut cursor = elsewhere.cursor(Family::Alerts);
            cursor.seek(b"", b"").unwrap();
            cursor.entry().is_some()
        });
        assert!(found.await.unwrap());
        state.close().await.unwrap();
        drop(state);
        assert_eq!(count(&view, Family::Alerts), 1, "a view outlives the store");
    })
    .await;
}

/// Damage in the state is an error, or a shorter history that says so itself; never another answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_byte_never_gives_another_state() {
    on_every_engine(|bench| async move {
        let state = open(&bench, "db");
        let mut known = vec![inspect::verified_fingerprint(&state).unwrap()];
        for index in 1..=12 {
            state.apply(vec![create(1, index)]).await.unwrap();
            known.push(inspect::verified_fingerprint(&state).unwrap());
        }
        state.close().await.unwrap();
        drop(state);
        // One half in table files, the other in the write-ahead log.
        let state = open(&bench, "db");
        for index in 13..=24 {
            state.apply(vec![create(1, index)]).await.unwrap();
            known.push(inspect::verified_fingerprint(&state).unwrap());
        }
        state.close().await.unwrap();
        drop(state);
        let mut noticed = 0;
        for file in std::fs::read_dir(bench.path("db")).unwrap() {
            let file = file.unwrap().file_name();
            if file.to_str().is_some_and(|name| name.starts_with("LOG") || name.starts_with("OPTIONS")) {
                continue;
            }
            let bytes = std::fs::read(bench.path("db").join(&file)).unwrap();
            for at in (7..bytes.len()).step_by((bytes.len() / 5).max(1)) {
                bench.copy("db", "flipped");
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << (at % 8);
                std::fs::write(bench.path("flipped").join(&file), flipped).unwrap();
                let opened = StateStore::open(&bench.host, &*bench.engines, &bench.path("flipped"));
                match opened.and_then(|state| inspect::verified_fingerprint(&state)) {
                    Err(_) => noticed += 1,
                    Ok(found) => assert!(known.contains(&found), "{file:?} at {at}: {found:?}"),
                }
                std::fs::remove_dir_all(bench.path("flipped")).unwrap();
            }
        }
        assert!(noticed > 0);
    })
    .await;
}

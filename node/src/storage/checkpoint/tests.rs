//! The promises of checkpoints, on every engine.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use alert_core::state::{View, family::Family};
use openraft::{
    EntryPayload,
    storage::{IOFlushed, RaftLogStorage},
    type_config::TypeConfigExt,
};

use super::{Checkpoint, CheckpointError, Manifest, Receiver, Step};
use crate::{
    raft::types::{Entry, TypeConfig, log_id},
    seam::{AppendFile, Clock, FileInfo, FileSystem, Host, RealFiles, SystemClock},
    storage::{
        OpenError, Storage,
        engine::EngineError,
        inspect::{self, Fingerprint},
        limits,
        records::tests::membership,
        testing::{Bench, alert_id, create, kinds},
    },
};

async fn on_every_engine<F: Future<Output = ()>>(story: impl Fn(Bench) -> F) {
    for (name, kind) in kinds() {
        eprintln!("engine {name}");
        story(Bench::new(kind)).await;
    }
}

async fn fill(storage: &Storage, from: u64, to: u64) -> Fingerprint {
    if from == 1 {
        let member = Entry { log_id: log_id(1, 0), payload: EntryPayload::Membership(membership()) };
        storage.state.apply(vec![member]).await.unwrap();
    }
    for index in from..=to {
        storage.state.apply(vec![create(1, index)]).await.unwrap();
    }
    inspect::verified_fingerprint(&storage.state).unwrap()
}

/// Sends what is missing, `pieces_max` pieces at most; true when nothing is left.
async fn send(checkpoint: &Checkpoint, receiver: &mut Receiver, pieces_max: usize) -> bool {
    let mut pieces = 0;
    for part in receiver.missing() {
        let mut offset = part.offset;
        loop {
            // Small pieces, so that there is something to interrupt.
            let mut piece = checkpoint.read(part.file, offset).await.unwrap();
            piece.truncate(3000);
            if piece.is_empty() {
                break;
            }
            if pieces == pieces_max {
                return false;
            }
            pieces += 1;
            let length = piece.len() as u64;
            receiver.write(part.file, offset, piece).await.unwrap();
            offset += length;
        }
    }
    true
}

async fn transfer(from: &Checkpoint, to: &Storage) -> Checkpoint {
    let manifest = Manifest::decode(&from.manifest().encode()).unwrap();
    let mut receiver = to.checkpoints.receive(manifest).await.unwrap();
    assert!(send(from, &mut receiver, usize::MAX).await);
    receiver.finish().await.unwrap()
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

fn names(directory: &Path) -> Vec<String> {
    let entries = RealFiles.list(directory).unwrap();
    entries.iter().map(|entry| entry.path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_says_of_itself_what_it_holds() {
    on_every_engine(|bench| async move {
        let storage = bench.storage("node").unwrap();
        assert!(storage.checkpoints.newest().is_none());
        let wanted = fill(&storage, 1, 20).await;
        let checkpoint = storage.checkpoints.build().await.unwrap();
        fill(&storage, 21, 30).await;

        let manifest = checkpoint.manifest();
        assert_eq!(manifest.last_log_id(), Some(log_id(1, 20)));
        assert_eq!(manifest.stored_membership().unwrap().membership(), &membership());
        assert_eq!((manifest.revision, manifest.state_hash), (wanted.position.revision, wanted.state_hash));
        assert!(manifest.size_bytes() > 0);

        storage.close().await.unwrap();
        drop((storage, checkpoint));
        let again = bench.storage("node").unwrap();
        assert_eq!(again.checkpoints.newest().unwrap().last_log_id(), Some(log_id(1, 20)));
        assert_eq!(again.state.raft_meta().last_applied, Some(log_id(1, 30)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_stays_while_it_is_held_and_goes_afterwards() {
    on_every_engine(|bench| async move {
        let storage = bench.storage("node").unwrap();
        fill(&storage, 1, 5).await;
        let first = storage.checkpoints.build().await.unwrap();
        let pin = first.pin();
        drop(first);
        fill(&storage, 6, 9).await;
        let second = storage.checkpoints.build().await.unwrap();
        assert_eq!(storage.checkpoints.oldest_pinned(), Some(log_id(1, 5)));
        let sum: usize = {
            let mut sum = 0;
            for file in 0..pin.checkpoint().manifest().files.len() {
                sum += pin.checkpoint().read(file, 0).await.unwrap().len();
            }
            sum
        };
        assert!(sum > 0, "a pinned checkpoint can be read");
        let directory = bench.path("node/state/checkpoints");
        assert_eq!(names(&directory).len(), 4);
        drop(pin);
        assert_eq!(storage.checkpoints.oldest_pinned(), None);
        until("the older checkpoint is gone", || names(&directory).len() == 2).await;
        assert_eq!(storage.checkpoints.newest().unwrap().last_log_id(), second.last_log_id());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_goes_to_another_node_in_pieces_and_becomes_its_state() {
    on_every_engine(|bench| async move {
        let leader = bench.storage("leader").unwrap();
        let wanted = fill(&leader, 1, 40).await;
        let checkpoint = leader.checkpoints.build().await.unwrap();

        let learner = bench.storage("learner").unwrap();
        let received = transfer(&checkpoint, &learner).await;
        assert!(learner.checkpoints.newest().is_none(), "what is received counts once it is installed");
        learner.checkpoints.install(received, &learner.log).await.unwrap();
        assert_eq!(inspect::verified_fingerprint(&learner.state).unwrap(), wanted);
        assert_eq!(learner.state.raft_meta(), leader.state.raft_meta());
        assert_eq!(*learner.state.position().borrow(), wanted.position);
        assert_eq!(learner.checkpoints.newest().unwrap().manifest(), checkpoint.manifest());

        let more = fill(&leader, 41, 45).await;
        assert_eq!(fill(&learner, 41, 45).await, more, "apply goes on upon the installed state");
        for place in ["staging", "received"] {
            let place = bench.path("learner/state").join(place);
            until("nothing is left of the transfer", || names(&place).is_empty()).await;
        }
        learner.close().await.unwrap();
        drop(learner);
        let again = bench.storage("learner").unwrap();
        assert_eq!(inspect::verified_fingerprint(&again.state).unwrap(), more);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_transfer_resumes_and_a_damaged_file_comes_again() {
    on_every_engine(|bench| async move {
        let leader = bench.storage("leader").unwrap();
        let wanted = fill(&leader, 1, 60).await;
        let checkpoint = leader.checkpoints.build().await.unwrap();
        let learner = bench.storage("learner").unwrap();

        let mut interruptions = 0;
        let mut receiver = learner.checkpoints.receive(checkpoint.manifest().clone()).await.unwrap();
        while !send(&checkpoint, &mut receiver, 3).await {
            let arrived = receiver.missing();
            drop(receiver);
            receiver = learner.checkpoints.receive(checkpoint.manifest().clone()).await.unwrap();
            assert_eq!(receiver.missing(), arrived, "what has arrived stays");
            interruptions += 1;
        }
        assert!(interruptions > 2, "{interruptions}");
        let refused = receiver.write(0, 0, vec![1]).await.unwrap_err();
        assert!(matches!(refused, CheckpointError::NotNext { .. }), "{refused}");

        let staging = bench.path("learner/state/staging");
        let directory = staging.join(&names(&staging)[0]);
        let victim = checkpoint.manifest().files.iter().position(|file| file.size_bytes > 100).unwrap();
        let name = &checkpoint.manifest().files[victim].name;
        let mut bytes = RealFiles.read(&directory.join(name)).unwrap();
        bytes[50] ^= 1;
        RealFiles.write(&directory.join(name), &bytes).unwrap();
        let damaged = receiver.finish().await.unwrap_err();
        assert!(matches!(&damaged, CheckpointError::Damaged(found) if found == name), "{damaged}");
        assert_eq!(receiver.missing().len(), 1);
        assert!(matches!(receiver.finish().await, Err(CheckpointError::Incomplete(1))));
        assert!(send(&checkpoint, &mut receiver, usize::MAX).await);
        let received = receiver.finish().await.unwrap();
        learner.checkpoints.install(received, &learner.log).await.unwrap();
        assert_eq!(inspect::verified_fingerprint(&learner.state).unwrap(), wanted);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_broken_off_transfer_left_goes_with_the_next_checkpoint_and_one_under_way_stays() {
    on_every_engine(|bench| async move {
        let leader = bench.storage("leader").unwrap();
        fill(&leader, 1, 60).await;
        let checkpoint = leader.checkpoints.build().await.unwrap();
        let learner = bench.storage("learner").unwrap();
        fill(&learner, 1, 2).await;
        let mut receiver = learner.checkpoints.receive(checkpoint.manifest().clone()).await.unwrap();
        send(&checkpoint, &mut receiver, 3).await;
        let staging = bench.path("learner/state/staging");
        learner.checkpoints.build().await.unwrap();
        assert_eq!(names(&staging).len(), 1, "it is being received");
        drop(receiver);
        learner.checkpoints.build().await.unwrap();
        assert_eq!(names(&staging), [""; 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_received_snapshot_waits_for_its_install_whatever_is_offered_next() {
    on_every_engine(|bench| async move {
        let leader = bench.storage("leader").unwrap();
        let wanted = fill(&leader, 1, 20).await;
        let first = leader.checkpoints.build().await.unwrap();
        fill(&leader, 21, 25).await;
        let second = leader.checkpoints.build().await.unwrap();

        let learner = bench.storage("learner").unwrap();
        let received = transfer(&first, &learner).await;
        let mut other = learner.checkpoints.receive(second.manifest().clone()).await.unwrap();
        send(&second, &mut other, 1).await;
        bench.copy("learner", "died here");
        learner.checkpoints.install(received, &learner.log).await.unwrap();
        assert_eq!(inspect::verified_fingerprint(&learner.state).unwrap(), wanted);

        let revived = bench.storage("died here").unwrap();
        assert!(revived.checkpoints.newest().is_none());
        let receiver = revived.checkpoints.receive(first.manifest().clone()).await.unwrap();
        assert!(receiver.missing().is_empty(), "what had arrived need not come again");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_a_node_already_has_are_not_sent_again() {
    for (name, kind) in kinds().into_iter().filter(|(name, _)| *name == "rocksdb") {
        eprintln!("engine {name}");
        let bench = Bench::new(kind);
        let leader = bench.storage("leader").unwrap();
        fill(&leader, 1, 50).await;
        let first = leader.checkpoints.build().await.unwrap();
        let learner = bench.storage("learner").unwrap();
        let received = transfer(&first, &learner).await;
        learner.checkpoints.install(received, &learner.log).await.unwrap();

        let wanted = fill(&leader, 51, 52).await;
        let second = leader.checkpoints.build().await.unwrap();
        let receiver = learner.checkpoints.receive(second.manifest().clone()).await.unwrap();
        let missing = receiver.missing().len();
        assert!(missing > 0 && missing < second.manifest().files.len(), "{missing}");
        drop(receiver);
        let received = transfer(&second, &learner).await;
        learner.checkpoints.install(received, &learner.log).await.unwrap();
        assert_eq!(inspect::verified_fingerprint(&learner.state).unwrap(), wanted);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dies_at_any_step_of_an_install_has_the_old_state_or_the_new() {
    on_every_engine(|bench| async move {
        let leader = bench.storage("leader").unwrap();
        let new = fill(&leader, 1, 30).await;
        let checkpoint = leader.checkpoints.build().await.unwrap();
        for step in Step::ALL {
            let name = format!("dies at {step:?}");
            let follower = bench.storage(&name).unwrap();
            let old = fill(&follower, 1, 10).await;
            let received = transfer(&checkpoint, &follower).await;
            follower.checkpoints.stop_at(Some(step));
            let stopped = follower.checkpoints.install(received, &follower.log).await.unwrap_err();
            assert!(matches!(stopped, CheckpointError::Stopped(at) if at == step), "{stopped}");
            // What the disk holds at this moment, with nothing tidied up.
            bench.copy(&name, "revived");
            let revived = bench.storage("revived").unwrap();
            let found = inspect::verified_fingerprint(&revived.state).unwrap();
            assert_eq!(found, if step >= Step::PointerMoved { new } else { old }, "{name}");
            let counts = revived.checkpoints.newest().is_some();
            assert_eq!(counts, step >= Step::Adopted, "{name}: a received snapshot counts once the log is durable");
            let databases = names(&bench.path("revived/state")).iter().filter(|name| name.starts_with("db-")).count();
            assert_eq!(databases, 1, "{name}: what was left half-way is swept");

            let again = match revived.checkpoints.newest() {
                Some(own) => own,
                None => transfer(&checkpoint, &revived).await,
            };
            revived.checkpoints.install(again, &revived.log).await.unwrap();
            assert_eq!(inspect::verified_fingerprint(&revived.state).unwrap(), new, "{name}");
            revived.close().await.unwrap();
            drop((revived, follower));
            RealFiles.remove_directory(&bench.path("revived")).unwrap();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_keep_the_old_state_over_an_install() {
    on_every_engine(|bench| async move {
        let leader = bench.storage("leader").unwrap();
        fill(&leader, 1, 30).await;
        let checkpoint = leader.checkpoints.build().await.unwrap();
        let follower = bench.storage("follower").unwrap();
        fill(&follower, 1, 3).await;
        let reader = follower.state.read().unwrap();
        let old = reader.position();
        let received = transfer(&checkpoint, &follower).await;
        follower.checkpoints.install(received, &follower.log).await.unwrap();

        assert_eq!(reader.position(), old);
        assert!(reader.get(Family::Alerts, alert_id(3).as_bytes()).unwrap().is_some());
        assert!(reader.get(Family::Alerts, alert_id(4).as_bytes()).unwrap().is_none());
        let root = bench.path("follower/state");
        let databases = || names(&root).into_iter().filter(|name| name.starts_with("db-")).collect::<Vec<_>>();
        assert_eq!(databases().len(), 2);
        drop(reader);
        until("the old database is gone", || databases() == ["db-000002"]).await;
    })
    .await;
}

/// The machine's clock, and how far a test has put it forward.
#[derive(Default)]
struct MovableClock(AtomicU64);

impl Clock for MovableClock {
    fn wall_ms(&self) -> u64 {
        SystemClock.wall_ms()
    }

    fn boot(&self) -> Duration {
        SystemClock.boot() + Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_beyond_its_longest_life_is_turned_away() {
    on_every_engine(|mut bench| async move {
        let clock = Arc::new(MovableClock::default());
        bench.host = Host { clock: clock.clone(), ..bench.host.clone() };
        let storage = bench.storage("node").unwrap();
        fill(&storage, 1, 5).await;
        let checkpoint = storage.checkpoints.build().await.unwrap();
        let reader = storage.state.read().unwrap();
        storage.checkpoints.install(checkpoint, &storage.log).await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(reader.get(Family::Alerts, alert_id(3).as_bytes()).unwrap().is_some());
        clock.0.store(limits::VIEW_LIFE_MS, Ordering::Relaxed);
        until("the reader is turned away", || reader.get(Family::Alerts, b"x").is_err()).await;
        assert!(storage.state.read().unwrap().get(Family::Alerts, alert_id(3).as_bytes()).unwrap().is_some());
        drop(reader);
        let root = bench.path("node/state");
        until("the old database is gone", || !names(&root).contains(&"db-000001".to_owned())).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_durable_before_the_state_moves() {
    on_every_engine(|bench| async move {
        let leader = bench.storage("leader").unwrap();
        fill(&leader, 1, 30).await;
        let checkpoint = leader.checkpoints.build().await.unwrap();
        let mut follower = bench.storage("follower").unwrap();
        let old = fill(&follower, 1, 3).await;
        let received = transfer(&checkpoint, &follower).await;

        let syncs = bench.disk.syncs();
        bench.disk.hold();
        let (sender, written) = TypeConfig::oneshot();
        let flushed = IOFlushed::signal(sender);
        follower.log.append([create(1, 0)], flushed).await.unwrap();
        let install = tokio::spawn({
            let follower = follower.clone();
            async move { follower.checkpoints.install(received, &follower.log).await }
        });
        until("the log's fsync has begun", || bench.disk.syncs() > syncs).await;
        assert_eq!(inspect::verified_fingerprint(&follower.state).unwrap(), old);
        assert!(!install.is_finished());
        bench.disk.fail(Some(EngineError::Io { place: "log".into(), reason: "EIO".into() }));
        bench.disk.release();
        let error = install.await.unwrap().unwrap_err();
        assert!(matches!(error, CheckpointError::Log(_)), "{error}");
        assert!(written.await.unwrap().is_err());
        assert_eq!(inspect::verified_fingerprint(&follower.state).unwrap(), old, "no log, no new state");
        assert_eq!(RealFiles.read(&bench.path("follower/state/CURRENT")).unwrap(), b"db-000001\n");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pointer_that_leads_nowhere_is_refused_with_the_way_out() {
    on_every_engine(|bench| async move {
        let storage = bench.storage("node").unwrap();
        fill(&storage, 1, 3).await;
        storage.close().await.unwrap();
        drop(storage);
        let pointer = bench.path("node/state/CURRENT");
        for content in [b"db-000009\n".as_slice(), b"db-000001", b"", b"../elsewhere\n"] {
            RealFiles.write(&pointer, content).unwrap();
            let error = bench.storage("node").map(drop).unwrap_err().to_string();
            assert!(error.contains("there is no such database"), "{error}");
        }
        RealFiles.remove_file(&pointer).unwrap();
        let error = bench.storage("node").map(drop).unwrap_err().to_string();
        assert!(error.contains("is missing beside a database that is in use"), "{error}");
        RealFiles.write(&pointer, b"db-000001\n").unwrap();
        bench.storage("node").map(drop).map_err(|error: OpenError| error.to_string()).unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_built_checkpoint_is_swept_at_start() {
    on_every_engine(|bench| async move {
        let storage = bench.storage("node").unwrap();
        fill(&storage, 1, 3).await;
        storage.checkpoints.build().await.unwrap();
        fill(&storage, 4, 6).await;
        let newest = storage.checkpoints.build().await.unwrap();
        let last = newest.last_log_id();
        storage.close().await.unwrap();
        drop((storage, newest));
        let directory = bench.path("node/state/checkpoints");
        for leftover in ["building/CURRENT", "00000000000000000099-1-0/x", "00000000000000000098-1-0.manifest"] {
            let path = directory.join(leftover);
            RealFiles.create_directories(path.parent().unwrap()).unwrap();
            RealFiles.write(&path, b"half").unwrap();
        }
        let again = bench.storage("node").unwrap();
        assert_eq!(again.checkpoints.newest().unwrap().last_log_id(), last);
        assert_eq!(names(&directory).len(), 2, "{:?}", names(&directory));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_of_another_cluster_is_refused() {
    on_every_engine(|bench| async move {
        let storage = bench.storage("node").unwrap();
        fill(&storage, 1, 3).await;
        let checkpoint = storage.checkpoints.build().await.unwrap();
        let stranger = Manifest { cluster_id: "other".into(), ..checkpoint.manifest().clone() };
        let error = storage.checkpoints.receive(stranger).await.map(drop).unwrap_err();
        assert!(matches!(error, CheckpointError::Foreign { .. }), "{error}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_contradicts_its_manifest_is_not_installed() {
    on_every_engine(|bench| async move {
        let leader = bench.storage("leader").unwrap();
        fill(&leader, 1, 12).await;
        let checkpoint = leader.checkpoints.build().await.unwrap();
        let follower = bench.storage("follower").unwrap();
        let old = fill(&follower, 1, 3).await;
        let honest = checkpoint.manifest().clone();
        let mut log_id = honest.last_applied.unwrap();
        log_id.index += 1;
        for lie in [
            Manifest { last_applied: Some(log_id), ..honest.clone() },
            Manifest { state_hash: honest.state_hash + 1, ..honest.clone() },
            Manifest { membership: Default::default(), ..honest.clone() },
        ] {
            let mut receiver = follower.checkpoints.receive(lie).await.unwrap();
            assert!(send(&checkpoint, &mut receiver, usize::MAX).await);
            let received = receiver.finish().await.unwrap();
            let error = follower.checkpoints.install(received, &follower.log).await.unwrap_err();
            assert!(matches!(error, CheckpointError::Contradiction(_)), "{error}");
            assert_eq!(inspect::verified_fingerprint(&follower.state).unwrap(), old);
        }
    })
    .await;
}

/// The machine's files, on a disk with little room left.
struct SmallDisk(RealFiles);

impl FileSystem for SmallDisk {
    fn free_bytes(&self, _path: &Path) -> io::Result<u64> {
        Ok(limits::DISK_RESERVE_BYTES + 10)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.0.read(path)
    }

    fn read_at(&self, path: &Path, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        self.0.read_at(path, offset, length)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.0.write(path, bytes)
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        self.0.open_append(path)
    }

    fn truncate(&self, path: &Path, length: u64) -> io::Result<()> {
        self.0.truncate(path, length)
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        self.0.sync_file(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.0.sync_directory(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.hard_link(from, to)
    }

    fn create_directories(&self, path: &Path) -> io::Result<()> {
        self.0.create_directories(path)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.0.remove_file(path)
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        self.0.remove_directory(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<FileInfo>> {
        self.0.list(path)
    }

    fn exists(&self, path: &Path) -> bool {
        self.0.exists(path)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_without_room_for_old_and_new_refuses_the_transfer() {
    on_every_engine(|mut bench| async move {
        let leader = bench.storage("leader").unwrap();
        fill(&leader, 1, 12).await;
        let checkpoint = leader.checkpoints.build().await.unwrap();
        bench.host = Host { files: Arc::new(SmallDisk(RealFiles)), ..bench.host.clone() };
        let learner = bench.storage("learner").unwrap();
        let error = learner.checkpoints.receive(checkpoint.manifest().clone()).await.map(drop).unwrap_err();
        let staging: PathBuf = bench.path("learner/state/staging");
        assert_eq!(
            error.to_string(),
            format!(
                "a snapshot needs {} bytes in {} beside the present state, and {} are free",
                checkpoint.manifest().size_bytes() + limits::DISK_RESERVE_BYTES,
                staging.display(),
                limits::DISK_RESERVE_BYTES + 10
            )
        );
    })
    .await;
}

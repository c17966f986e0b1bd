//! What the simulated disk keeps and loses, and the engine on it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use alert_node::seam::FileSystem;
use alert_node::storage::engine::{
    Access, EngineSpec, Engines, FamilySpec, Recovery, Tuning, WriteBatch, conformance, memory::MemoryEngines,
};

use super::SimDisk;

fn disk(seed: u64) -> SimDisk {
    SimDisk::new(seed, &[PathBuf::from("/d")])
}

#[test]
fn the_simulated_engine_is_an_engine() {
    let disk = disk(1);
    conformance::run(&MemoryEngines::new(Arc::new(disk.clone())), &disk, Path::new("/d"));
}

/// The state is not synced, and its log is cut behind a checkpoint.
#[test]
fn what_a_checkpoint_holds_survives_a_power_loss_in_the_database_too() {
    let plain = FamilySpec { name: "plain", prefix_length: None, tuning: Tuning::Records, personal_data: false };
    let spec =
        EngineSpec { name: "state", families: vec![plain], recovery: Recovery::KeepPrefix, wal_in_memory: false };
    for seed in 0..20 {
        let disk = disk(seed);
        let (path, copy) = (Path::new("/d/database"), Path::new("/d/copy"));
        let engine = MemoryEngines::new(Arc::new(disk.clone())).open(path, &spec, Access::ReadWrite).unwrap();
        disk.sync_directory(Path::new("/d")).unwrap();
        let mut batch = WriteBatch::default();
        batch.put(0, *b"a", *b"1");
        engine.write(batch).unwrap();
        engine.checkpoint(copy).unwrap();
        disk.lose_power();
        disk.restore_power();
        let engine = MemoryEngines::new(Arc::new(disk)).open(path, &spec, Access::ReadWrite).unwrap();
        assert_eq!(engine.get(0, b"a"), Ok(Some(b"1".to_vec())), "seed {seed}");
    }
}

#[test]
fn what_was_synced_survives_a_power_loss_and_what_was_not_may_be_lost_or_torn() {
    let (mut lost, mut torn, mut kept) = (0, 0, 0);
    for seed in 0..200 {
        let disk = disk(seed);
        let path = Path::new("/d/file");
        let mut file = disk.open_append(path).unwrap();
        file.append(b"synced").unwrap();
        file.sync().unwrap();
        disk.sync_directory(Path::new("/d")).unwrap();
        file.append(b" and not").unwrap();
        disk.lose_power();
        assert!(disk.read(path).is_err(), "the power is off");
        disk.restore_power();
        let left = disk.read(path).unwrap();
        assert!(b"synced and not".starts_with(&left) && left.len() >= 6, "{left:?}");
        match left.len() {
            6 => lost += 1,
            14 => kept += 1,
            _ => torn += 1,
        }
    }
    assert!(lost > 0 && torn > 0 && kept > 0, "lost {lost}, torn {torn}, kept {kept}");
}

#[test]
fn a_name_is_durable_with_its_directory_and_a_rename_happens_or_not() {
    let (mut old, mut new) = (0, 0);
    for seed in 0..50 {
        let disk = disk(seed);
        let (from, to) = (Path::new("/d/a"), Path::new("/d/b"));
        for (path, text) in [(from, b"new"), (to, b"old")] {
            disk.write(path, text).unwrap();
            disk.sync_file(path).unwrap();
        }
        disk.sync_directory(Path::new("/d")).unwrap();
        disk.rename(from, to).unwrap();
        disk.lose_power();
        disk.restore_power();
        match disk.read(to).unwrap().as_slice() {
            b"old" => old += 1,
            _ => new += 1,
        }
        disk.rename(to, from).unwrap();
        disk.sync_directory(Path::new("/d")).unwrap();
        disk.lose_power();
        disk.restore_power();
        assert!(disk.exists(from) && !disk.exists(to));
    }
    assert!(old > 0 && new > 0);
}

#[test]
fn after_a_failed_fsync_the_data_is_gone_even_if_a_later_one_succeeds() {
    let disk = disk(3);
    let path = Path::new("/d/file");
    let mut file = disk.open_append(path).unwrap();
    disk.sync_directory(Path::new("/d")).unwrap();
    file.append(b"data").unwrap();
    disk.fail_syncs(Some(Path::new("/d")));
    assert!(file.sync().is_err());
    disk.fail_syncs(None);
    file.sync().unwrap();
    disk.lose_power();
    disk.restore_power();
    assert_eq!(disk.read(path).unwrap(), [0; 4]);
}

#[test]
fn the_power_can_go_between_a_write_and_its_sync() {
    let disk = disk(4);
    let path = Path::new("/d/file");
    let mut file = disk.open_append(path).unwrap();
    disk.lose_power_after(1);
    file.append(b"data").unwrap();
    assert!(file.sync().is_err() && !disk.is_powered());
}

//! What a power failure may leave at the end of the log is cut; damage anywhere else stops the node.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use alert_chaos::{process::NodeProcess, traffic};

use crate::stage::{LIMIT, SOME, WRITE_EVERY, bureau, three};

/// The files of the Raft log, oldest first, which RocksDB writes one after the other. The newest may be empty.
fn log_files(node: &NodeProcess) -> Vec<PathBuf> {
    let [log, ..] = node.directories().unwrap();
    let mut files: Vec<PathBuf> = node.files().unwrap().into_iter().map(|file| file.path).collect();
    files.retain(|path| path.starts_with(&log) && path.extension().is_some_and(|end| end == "log"));
    files.retain(|path| number(path).is_some());
    files.sort_by_key(|path| number(path));
    files
}

/// The newest file that holds something, and its bytes.
fn written(node: &NodeProcess) -> (PathBuf, Vec<u8>) {
    let files = log_files(node).into_iter().rev().map(|path| (path.clone(), fs::read(&path).unwrap()));
    files.into_iter().find(|(_, bytes)| !bytes.is_empty()).expect("a log with something in it")
}

/// RocksDB numbers its files.
fn number(path: &Path) -> Option<u64> {
    path.file_stem()?.to_str()?.parse().ok()
}

/// Less than any record has: its header, and a little of its content.
const TORN_BYTES: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_torn_tail_is_cut_and_damage_before_it_is_refused_with_the_way_out() {
    let cluster = three().start().await.unwrap();
    let client = bureau(&cluster);
    let writes = traffic::writes(client.clone(), "damaged", WRITE_EVERY);
    writes.more(2 * SOME, LIMIT).await.unwrap();

    // The beginning of a record whose end never reached the disk: nothing in it was acknowledged.
    let torn = cluster.node(2).unwrap();
    torn.kill().unwrap();
    let (_, bytes) = written(&torn);
    let newest = log_files(&torn).pop().unwrap();
    fs::OpenOptions::new().append(true).open(newest).unwrap().write_all(&bytes[..TORN_BYTES]).unwrap();
    torn.start().unwrap();
    torn.wait_ready().await.unwrap();
    writes.more(SOME, LIMIT).await.unwrap();

    // A bit that was synced and acknowledged, in the middle.
    let damaged = cluster.node(3).unwrap();
    damaged.kill().unwrap();
    let (file, mut bytes) = written(&damaged);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    damaged.start().unwrap();
    let ended = damaged.wait_ended(LIMIT).await.unwrap();
    assert!(!ended.success());
    let said = damaged.log_tail(1);
    assert!(said.starts_with("alertd: the Raft log in "), "{said}");
    assert!(said.contains(" is damaged: ") && said.contains(&*file.to_string_lossy()), "what and where: {said}");
    let way_out = "remove this node from the cluster and add it anew, with empty directories, under a new id";
    assert!(said.ends_with(way_out), "{said}");

    writes.more(SOME, LIMIT).await.unwrap();
    let writes = writes.stop().await.unwrap();
    assert_eq!(writes.failed, Vec::<String>::new());
    cluster.wait_same_state().await.unwrap();
    let held = traffic::held_by_every_node(&cluster, &client, &writes.acknowledged).await.unwrap();
    assert_eq!(held.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 2], "the torn node lost nothing");
}

//! A disk that refuses an fsync may have lost anything: the node stops, and that disk is not believed again.

use std::path::{Path, PathBuf};

use alert_chaos::{
    process::{FailingSync, NodeProcess, not_run},
    traffic,
};

use crate::stage::{LIMIT, SOME, WRITE_EVERY, bureau, three};

/// The file that the Raft log is being written to.
fn log_file(node: &NodeProcess) -> PathBuf {
    let [log, ..] = node.directories().unwrap();
    let number = |path: &Path| path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok());
    let files = node.files().unwrap().into_iter().map(|file| file.path).filter(|path| {
        path.starts_with(&log) && path.extension().is_some_and(|end| end == "log") && number(path).is_some()
    });
    files.max_by_key(|path| number(path)).expect("a log")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_fsync_fails_stops_and_its_disk_is_not_believed_again() {
    if let Some(reason) = FailingSync::missing() {
        return not_run("a failing fsync", &reason);
    }
    let cluster = three().start().await.unwrap();
    let writes = traffic::writes(bureau(&cluster), "eio", WRITE_EVERY);
    writes.more(SOME, LIMIT).await.unwrap();
    let leader = cluster.wait_leader().await.unwrap();
    let node = cluster.node(leader).unwrap();
    let failing = FailingSync::inject(node.pid().unwrap(), &log_file(&node)).await.unwrap();
    let ended = node.wait_ended(LIMIT).await.unwrap();
    let said = node.log_tail(1);
    assert_eq!(ended.code(), Some(1), "{said}");
    assert!(said.starts_with("alertd: ") && said.contains("Input/output error"), "{said}");
    drop(failing);
    writes.more(SOME, LIMIT).await.unwrap();

    // The disk works again, and what it holds is anybody's guess: nothing retries an fsync.
    for _ in 0..2 {
        node.start().unwrap();
        assert_eq!(node.wait_ended(LIMIT).await.unwrap().code(), Some(1));
        let said = node.log_tail(1);
        assert!(said.contains("is suspect") && said.contains("Input/output error"), "{said}");
        assert!(said.ends_with("under a new id"), "the way out: {said}");
    }
    writes.more(SOME, LIMIT).await.unwrap();
    let writes = writes.stop().await.unwrap();
    assert_eq!(writes.failed, Vec::<String>::new(), "two nodes were well at any time");
    let held = traffic::held_by_every_node(&cluster, &bureau(&cluster), &writes.acknowledged).await.unwrap();
    let count = writes.acknowledged.len() as u64;
    assert_eq!(held.iter().map(|(_, held)| *held).collect::<Vec<_>>(), [count, count], "nothing acknowledged is lost");
}

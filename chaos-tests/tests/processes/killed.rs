//! SIGKILL.

use alert_chaos::traffic;

use crate::stage::{LIMIT, SOME, WRITE_EVERY, alerts_at, bureau, searcher, three};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_each_node_in_turn_is_killed_under_writes() {
    let cluster = three().start().await.unwrap();
    let client = bureau(&cluster);
    let writes = traffic::writes(client.clone(), "killed", WRITE_EVERY);
    let searches = traffic::searches(searcher(&cluster), WRITE_EVERY);
    writes.more(SOME, LIMIT).await.unwrap();
    let mut leaders = 0;
    for id in [1, 2, 3, 0] {
        let leader = cluster.wait_leader().await.unwrap();
        // The last one is the leader, whoever that is by then.
        let node = cluster.node(if id == 0 { leader } else { id }).unwrap();
        leaders += u32::from(node.id() == leader);
        node.kill().unwrap();
        writes.more(SOME, LIMIT).await.unwrap();
        searches.more(SOME, LIMIT).await.unwrap();
        node.start().unwrap();
        node.wait_ready().await.unwrap();
        writes.more(SOME, LIMIT).await.unwrap();
    }
    assert!(leaders >= 1, "a leader was among them");
    let (writes, searches) = (writes.stop().await.unwrap(), searches.stop().await.unwrap());
    assert_eq!((writes.failed, searches.failed), (vec![], vec![]), "the client retries what can be retried");

    cluster.wait_same_state().await.unwrap();
    let held = traffic::held_by_every_node(&cluster, &client, &writes.acknowledged).await.unwrap();
    let count = writes.acknowledged.len() as u64;
    assert_eq!(held, [(1, count), (2, count), (3, count)]);
    assert_eq!(alerts_at(&cluster, 1).await, count, "each write, however often it was sent, had one effect");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_nodes_killed_at_once_come_back_with_everything() {
    let cluster = three().start().await.unwrap();
    let client = bureau(&cluster);
    let writes = traffic::writes(client.clone(), "all-killed", WRITE_EVERY);
    writes.more(4 * SOME, LIMIT).await.unwrap();
    cluster.kill_all().unwrap();
    cluster.start_all().unwrap();
    cluster.wait_all_ready().await.unwrap();
    writes.more(SOME, LIMIT).await.unwrap();
    let writes = writes.stop().await.unwrap();

    cluster.wait_same_state().await.unwrap();
    let held = traffic::held_by_every_node(&cluster, &client, &writes.acknowledged).await.unwrap();
    let count = writes.acknowledged.len() as u64;
    assert_eq!(held, [(1, count), (2, count), (3, count)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_told_to_stop_hands_over_and_no_call_fails() {
    let cluster = three().start().await.unwrap();
    let client = bureau(&cluster);
    let writes = traffic::writes(client.clone(), "stopped", WRITE_EVERY);
    let searches = traffic::searches(searcher(&cluster), WRITE_EVERY);
    writes.more(SOME, LIMIT).await.unwrap();
    let first = cluster.wait_leader().await.unwrap();
    let node = cluster.node(first).unwrap();
    let ended = node.terminate(LIMIT).await.unwrap();
    assert!(ended.success(), "{ended}: {}", node.log_tail(10));
    writes.more(SOME, LIMIT).await.unwrap();
    searches.more(SOME, LIMIT).await.unwrap();
    assert_ne!(cluster.wait_leader().await.unwrap(), first);
    node.start().unwrap();
    node.wait_ready().await.unwrap();
    let (writes, searches) = (writes.stop().await.unwrap(), searches.stop().await.unwrap());
    assert_eq!((writes.failed, searches.failed), (vec![], vec![]));
    cluster.wait_same_state().await.unwrap();
    traffic::held_by_every_node(&cluster, &client, &writes.acknowledged).await.unwrap();
}

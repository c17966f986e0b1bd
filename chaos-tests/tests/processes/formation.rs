//! A cluster is formed once, by `alertd init` on its first node.

use std::{process::Output, sync::Arc};

use alert_chaos::process::{LocalCluster, NodeProcess};

/// `alertd init`, as an operator types it: whether it went well, and its one sentence.
async fn init(node: &Arc<NodeProcess>) -> (bool, String) {
    let node = Arc::clone(node);
    let Output { status, stdout, stderr } =
        tokio::task::spawn_blocking(move || node.run_verb("init")).await.unwrap().unwrap();
    let (said, refused) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    (status.success(), if status.success() { said } else { refused }.trim_end().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_is_formed_once_by_its_first_node() {
    let cluster = LocalCluster::builder().nodes(2).write().unwrap();
    let (first, second) = (cluster.node(1).unwrap(), cluster.node(2).unwrap());
    let config = first.config().unwrap();
    let (done, said) = init(&first).await;
    assert!(!done && said.starts_with("alertd: no answer from the node at "), "{said}");
    assert!(said.ends_with("; does it run?"), "{said}");

    cluster.start_all().unwrap();
    cluster.wait_all_live().await.unwrap();
    let (name, id) = (&config.node.name, &config.node.cluster_id);
    let formed = format!("cluster '{id}' formed of node '{name}'; 'alertctl cluster add' adds the others");
    assert_eq!(init(&first).await, (true, formed));
    let before = cluster.status(1).await.unwrap();
    let again = format!("node '{name}' belongs to cluster '{id}' already: nothing was changed");
    assert_eq!(init(&first).await, (true, again.clone()));
    let after = cluster.status(1).await.unwrap();
    assert_eq!((after.term, after.members.len()), (before.term, 1));

    // Nor does a node that has joined form another.
    cluster.join(&second).await.unwrap();
    let name = second.config().unwrap().node.name;
    assert_eq!(init(&second).await, (true, again.replace(&first.config().unwrap().node.name, &name)));
    first.kill().unwrap();
    first.start().unwrap();
    cluster.wait_all_ready().await.unwrap();
    assert_eq!(init(&first).await, (true, again));
}

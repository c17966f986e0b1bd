//! A node that cannot start says why in one sentence, and what to do where that is not plain.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use alert_chaos::process::{LocalCluster, LoopDisk, NodeProcess, not_run};

use crate::stage::LIMIT;

/// One node, written and not started.
struct Bench {
    cluster: LocalCluster,
    node: Arc<NodeProcess>,
}

impl Bench {
    fn new() -> Self {
        let cluster = LocalCluster::builder().nodes(1).write().unwrap();
        let node = cluster.node(1).unwrap();
        Self { cluster, node }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.cluster.directory().join(name)
    }

    /// The configuration file with one piece of its text replaced.
    fn edit(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.node.config_path()).unwrap();
        assert!(text.contains(from), "{from} is not in\n{text}");
        fs::write(self.node.config_path(), text.replacen(from, to, 1)).unwrap();
    }

    /// Starts the node, which ends by itself: the last line of its log is its one sentence.
    async fn refusal(&self) -> String {
        self.node.start().unwrap();
        let ended = self.node.wait_ended(LIMIT).await.unwrap();
        let said = self.node.log_tail(1);
        assert_eq!(ended.code(), Some(1), "{said}");
        println!("{said}");
        said.strip_prefix("alertd: ").unwrap_or_else(|| panic!("not the last word: {said}")).to_owned()
    }

    /// As [`Self::refusal`], for a sentence that is known but for the paths in it.
    async fn refuses(&self, begins: &str, says: &[&str]) {
        let sentence = self.refusal().await;
        assert!(sentence.starts_with(begins), "{sentence}");
        for part in says {
            assert!(sentence.contains(part), "no '{part}' in: {sentence}");
        }
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_that_is_wrong_is_told_with_its_line() {
    let bench = Bench::new();
    let file = shown(bench.node.config_path());
    let whole = fs::read_to_string(bench.node.config_path()).unwrap();
    bench.edit("[raft]", "[raft]\nround_trips_ms = 5");
    bench.refuses(&file, &["line ", "unknown key 'round_trips_ms' in [raft]: the keys there are "]).await;

    fs::write(bench.node.config_path(), whole.replacen("[raft]", "[rafts]", 1)).unwrap();
    bench.refuses(&file, &["unknown key 'rafts' at the top"]).await;

    fs::write(bench.node.config_path(), whole.replacen("[raft]", "[raft", 1)).unwrap();
    bench.refuses(&file, &["line "]).await;

    fs::remove_file(bench.node.config_path()).unwrap();
    bench.refuses(&file, &["No such file or directory"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_in_use_is_named() {
    let bench = Bench::new();
    let listen = bench.node.config().unwrap().listen;
    for (field, address) in [("client", listen.client), ("raft", listen.raft), ("ops", listen.ops)] {
        let taken = TcpListener::bind(address).unwrap();
        let begins = format!("cannot listen on {address} (listen.{field}): ");
        bench.refuses(&begins, &["another program listens there already"]).await;
        drop(taken);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_that_cannot_be_written_is_named() {
    let bench = Bench::new();
    // Root may write anywhere but into a file.
    let file = bench.path("a-file");
    fs::write(&file, "not a directory").unwrap();
    for kind in ["log", "state", "audit"] {
        let other = bench.path("data/node1").join(kind);
        let swap = |to: &Path| {
            bench
                .node
                .configure(|config| match kind {
                    "log" => config.storage.log_directory = to.to_owned(),
                    "state" => config.storage.state_directory = to.to_owned(),
                    _ => config.storage.audit_directory = to.to_owned(),
                })
                .unwrap();
        };
        swap(&file);
        let begins = format!("cannot write to {} (storage.{kind}_directory): a file stands where", shown(&file));
        bench.refuses(&begins, &["name another directory"]).await;
        swap(&other);
    }
    if let Some(reason) = LoopDisk::missing() {
        not_run("a read-only disk", &reason);
        return;
    }
    let disk = LoopDisk::create(64).unwrap();
    disk.make_read_only().unwrap();
    bench.node.configure(|config| config.storage.log_directory = disk.path().join("log")).unwrap();
    let begins = format!("cannot write to {} (storage.log_directory): ", shown(&disk.path().join("log")));
    bench.refuses(&begins, &["the file system is read-only"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_that_do_not_serve_are_told_with_the_way_out() {
    let bench = Bench::new();
    let (certificate, key) = (bench.path("tls/node1.pem"), bench.path("tls/node1.key"));
    let mode = |mode| fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();

    mode(0o644);
    bench.refuses("tls.key: ", &[&shown(&key), "everybody can reach this key (mode 0644): chmod 600"]).await;
    mode(0o600);

    let kept = fs::read(&certificate).unwrap();
    fs::remove_file(&certificate).unwrap();
    bench.refuses("tls.certificate: ", &[&shown(&certificate), "No such file or directory"]).await;

    // The operator's instead of the node's.
    fs::copy(bench.path("tls/operator.pem"), &certificate).unwrap();
    bench.refuses("tls.key: ", &[&shown(&key), "does not go with", &shown(&certificate)]).await;
    let kept_key = fs::read(&key).unwrap();
    fs::copy(bench.path("tls/operator.key"), &key).unwrap();
    let only_nodes = "the authority 'cluster' may not give the role 'operator' here, only node";
    bench.refuses("this node's own certificate does not serve: ", &[only_nodes]).await;
    fs::write(&certificate, kept).unwrap();
    fs::write(&key, kept_key).unwrap();

    // Its own, under another number.
    bench.node.configure(|config| config.node.id = 2).unwrap();
    bench.refuses("this node's own certificate does not serve: ", &["node 1", "node.id is 2"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_of_another_cluster_and_data_in_use_are_refused() {
    let bench = Bench::new();
    bench.node.start().unwrap();
    bench.node.wait_live().await.unwrap();

    // A second process on the same directories, with ports of its own.
    let second = Bench::new();
    let storage = bench.node.config().unwrap().storage;
    second.node.configure(|config| config.storage = storage.clone()).unwrap();
    let log = shown(&bench.path("data/node1/log"));
    second.refuses(&log, &["is in use by another process"]).await;

    bench.node.kill().unwrap();
    bench.node.configure(|config| config.node.cluster_id = "elsewhere".to_owned()).unwrap();
    bench.refuses(&log, &["belongs to cluster 'dev', and the configuration says 'elsewhere'"]).await;
}

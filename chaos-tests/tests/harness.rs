//! The harness keeps its own promises, shown with a stand-in for `alertd`.

use std::{
    env,
    fs::{self, OpenOptions},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use alert_chaos::process::{
    Binaries, ClusterBuilder, Keep, LocalCluster, LoopDisk, State, block_on, not_run, wait_until,
};

const SHORT: Duration = Duration::from_secs(20);

fn fake() -> Binaries {
    // .../deps/harness-1234 -> .../examples/fake_alertd
    let this = env::current_exe().unwrap();
    let build = this.parent().and_then(Path::parent).unwrap();
    Binaries { alertd: build.join("examples/fake_alertd") }
}

fn builder() -> ClusterBuilder {
    LocalCluster::builder().binaries(fake()).ready_limit(SHORT).keep(Keep::Nothing)
}

fn form(cluster: &LocalCluster) {
    fs::write(cluster.directory().join("formed"), "").unwrap();
}

/// Whether a process of this number exists and is no zombie.
fn exists(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z'))
}

async fn wait_gone(pid: u32) {
    wait_until("the end of a process", SHORT, || async move { Ok((!exists(pid)).then_some(())) }).await.unwrap();
}

#[tokio::test]
async fn nodes_of_each_data_centre_have_an_address_of_their_own() {
    let cluster = builder().nodes(4).data_centres(&["lon", "man"]).write().unwrap();
    let seen: Vec<(String, String)> = cluster
        .nodes()
        .iter()
        .map(|node| node.config().unwrap())
        .map(|config| (config.node.data_centre.clone(), config.listen.raft.ip().to_string()))
        .collect();
    let expected = [("lon", "127.0.0.1"), ("man", "127.0.0.2"), ("lon", "127.0.0.1"), ("man", "127.0.0.2")];
    assert_eq!(seen, expected.map(|(centre, address)| (centre.to_owned(), address.to_owned())));
    assert_eq!(cluster.client_config("search").unwrap().cluster.seeds.len(), 4);
    let error = cluster.client_config("nobody").unwrap_err().to_string();
    assert!(error.starts_with("there is no client 'nobody', only auditor, bureau, operator, partner-fr"), "{error}");
}

#[tokio::test]
async fn a_cluster_lives_then_is_ready_and_leaves_nothing_behind() {
    let cluster = builder().write().unwrap();
    cluster.start_all().unwrap();
    cluster.wait_all_live().await.unwrap();
    let node = cluster.node(1).unwrap();
    assert_eq!(node.ops("/readyz").await.unwrap().status, 503);
    form(&cluster);
    cluster.wait_all_ready().await.unwrap();
    let pids: Vec<u32> = cluster.nodes().iter().map(|node| node.pid().unwrap()).collect();
    let directory = cluster.directory().to_owned();
    assert!(pids.iter().all(|pid| exists(*pid)) && directory.exists());
    drop(node);
    drop(cluster);
    assert!(!directory.exists());
    assert!(!pids.iter().any(|pid| exists(*pid)));
}

#[test]
fn tests_that_are_not_async_use_it_too() {
    let cluster = builder().nodes(1).write().unwrap();
    cluster.start_all().unwrap();
    block_on(cluster.wait_all_live()).unwrap();
    let node = cluster.node(1).unwrap();
    assert_eq!(block_on(node.ops("/livez")).unwrap().body, "lives");
}

#[tokio::test]
async fn a_killed_node_is_gone_and_comes_back_with_its_disk() {
    let cluster = builder().nodes(2).write().unwrap();
    cluster.start_all().unwrap();
    let node = cluster.node(2).unwrap();
    node.wait_live().await.unwrap();
    let first = node.pid().unwrap();
    node.kill().unwrap();
    assert_eq!((node.state(), node.pid()), (State::Stopped, None));
    assert!(!exists(first));
    assert!(node.last_exit().unwrap().to_string().contains("SIGKILL"), "{:?}", node.last_exit());
    node.kill().unwrap();

    node.start().unwrap();
    node.wait_for_log("node 2 serves; start 2 on this disk").await.unwrap();
    assert!(node.start().unwrap_err().to_string().contains("runs already"));
    assert_ne!(node.pid().unwrap(), first);
    node.restart().unwrap();
    node.wait_for_log("start 3 on this disk").await.unwrap();
    assert_eq!(cluster.node(1).unwrap().state(), State::Running);
}

#[tokio::test]
async fn a_paused_node_does_not_answer_and_a_resumed_one_does() {
    let cluster = builder().nodes(1).write().unwrap();
    cluster.start_all().unwrap();
    let node = cluster.node(1).unwrap();
    node.wait_live().await.unwrap();
    node.pause().unwrap();
    assert_eq!(node.state(), State::Paused);
    let error = node.ops("/livez").await.unwrap_err().to_string();
    assert!(error.contains("did not answer within"), "{error}");
    node.resume().unwrap();
    node.wait_live().await.unwrap();
    node.pause().unwrap();
    node.terminate(SHORT).await.unwrap();
    assert_eq!(node.state(), State::Stopped);
}

#[tokio::test]
async fn a_wiped_node_starts_from_an_empty_disk() {
    let cluster = builder().nodes(1).write().unwrap();
    cluster.start_all().unwrap();
    let node = cluster.node(1).unwrap();
    node.wait_live().await.unwrap();
    assert!(node.wipe().unwrap_err().to_string().contains("still runs"));
    let files = node.files().unwrap();
    assert_eq!(files.len(), 1);
    assert!(files[0].path.ends_with("data/node1/state/kept") && files[0].bytes == 1, "{files:?}");
    node.kill().unwrap();
    node.wipe().unwrap();
    assert_eq!(node.files().unwrap(), []);
    node.start().unwrap();
    node.wait_for_log("start 1 on this disk").await.unwrap();
}

#[tokio::test]
async fn a_fourth_node_is_added_while_the_others_run() {
    let cluster = builder().nodes(3).write().unwrap();
    cluster.start_all().unwrap();
    let node = cluster.add_node().unwrap();
    assert_eq!((node.id(), cluster.nodes().len()), (4, 4));
    node.wait_live().await.unwrap();
    assert_eq!(node.config().unwrap().node.data_centre, "lon");
}

#[tokio::test]
async fn configuration_is_changed_for_all_nodes_or_for_one() {
    let cluster = builder().nodes(2).configure(|config| config.storage.block_cache_mib = 9).write().unwrap();
    let node = cluster.node(2).unwrap();
    node.configure(|config| config.storage.block_cache_mib = 10).unwrap();
    cluster.start_all().unwrap();
    cluster.wait_all_live().await.unwrap();
    assert_eq!(cluster.node(1).unwrap().ops("/metrics").await.unwrap().body, "fake_cache_mib 9\n");
    assert_eq!(node.ops("/metrics").await.unwrap().body, "fake_cache_mib 10\n");
    let error = node.configure(|config| config.storage.block_cache_mib = 0).unwrap_err().to_string();
    assert!(
        error.contains("node 2 would not take this configuration: storage.block_cache_mib: 0 is not from"),
        "{error}"
    );
}

#[tokio::test]
async fn waiting_for_a_node_that_ended_fails_at_once_and_shows_its_log() {
    let cluster =
        builder().nodes(1).environment("FAKE_EXIT", "3").ready_limit(Duration::from_secs(600)).write().unwrap();
    cluster.start_all().unwrap();
    let error = format!("{:#}", cluster.wait_all_live().await.unwrap_err());
    assert!(error.contains("does not run (exit status: 3)"), "{error}");
    assert!(error.contains("ending at once, as asked"), "{error}");
}

#[tokio::test]
async fn waiting_has_an_end_that_names_the_last_answer() {
    let cluster = builder().nodes(1).ready_limit(Duration::from_millis(300)).write().unwrap();
    cluster.start_all().unwrap();
    let error = format!("{:#}", cluster.wait_all_ready().await.unwrap_err());
    assert!(error.contains("/readyz: not within 300ms"), "{error}");
}

#[tokio::test]
async fn files_stay_when_they_are_to_be_kept() {
    let place = tempfile::tempdir().unwrap();
    let cluster = builder().nodes(1).directory(place.path().join("kept")).keep(Keep::Files).write().unwrap();
    cluster.start_all().unwrap();
    let node = cluster.node(1).unwrap();
    node.wait_live().await.unwrap();
    let pid = node.pid().unwrap();
    drop((node, cluster));
    assert!(!exists(pid));
    assert!(place.path().join("kept/node1.toml").exists());
    assert!(place.path().join("kept/logs/node1.log").exists());
}

#[test]
fn a_missing_program_is_told_before_anything_is_written() {
    let place = tempfile::tempdir().unwrap();
    let binaries = Binaries { alertd: PathBuf::from("/nowhere/alertd") };
    let directory = place.path().join("x");
    let refused = builder().nodes(1).binaries(binaries).directory(&directory).write();
    let Err(error) = refused else { panic!("a cluster without its program") };
    assert_eq!(error.to_string(), "there is no program /nowhere/alertd");
    assert!(!directory.exists());
}

/// Without this, every test of a power loss could pass for the wrong reason.
#[tokio::test]
async fn a_disk_without_power_forgets_what_was_not_synced_and_keeps_what_was() {
    if let Some(reason) = LoopDisk::missing() {
        not_run("what a disk forgets without power", &reason);
        return;
    }
    let disk = LoopDisk::create(64).unwrap();
    let path = |name: &str| disk.path().join(name);
    let synced = |name: &str, content: &str| {
        fs::write(path(name), content).unwrap();
        OpenOptions::new().write(true).open(path(name)).unwrap().sync_all().unwrap();
    };
    synced("kept", "synced");
    synced("replaced", "old");
    fs::File::open(disk.path()).unwrap().sync_all().unwrap();
    // All of this is there for whoever asks the kernel, and nothing of it is on the disk.
    OpenOptions::new().append(true).open(path("kept")).unwrap().write_all(b" and more").unwrap();
    fs::write(path("fresh"), "never synced").unwrap();
    fs::write(path("fresh-too"), "new").unwrap();
    fs::rename(path("fresh-too"), path("replaced")).unwrap();
    assert_eq!(fs::read_to_string(path("kept")).unwrap(), "synced and more");

    disk.cut_power().unwrap();
    assert!(fs::write(path("late"), "after the end").is_err(), "nothing is written without power");
    disk.power_on().await.unwrap();
    assert_eq!(fs::read_to_string(path("kept")).unwrap(), "synced");
    assert_eq!(fs::read_to_string(path("replaced")).unwrap(), "old");
    assert!(!path("fresh").exists() && !path("late").exists());
}

/// Run by [`nodes_die_with_a_harness_that_is_killed`] in a process of its own.
#[test]
#[ignore = "the other half of a test"]
fn a_harness_that_waits_to_be_killed() {
    let Some(place) = env::var_os("HARNESS_PLACE") else { return };
    let keep = if env::var_os("HARNESS_KEEP").is_some() { Keep::Running } else { Keep::Nothing };
    let cluster = builder().nodes(1).directory(place).keep(keep).write().unwrap();
    // Started by a thread that ends long before the process does.
    std::thread::scope(|scope| scope.spawn(|| cluster.start_all().unwrap()).join().unwrap());
    block_on(cluster.wait_all_live()).unwrap();
    eprintln!("pid {}", cluster.node(1).unwrap().pid().unwrap());
    // For ever: the scope above may have left a wake-up behind, which ends the first of these at once.
    loop {
        std::thread::park();
    }
}

fn pid_of_a_killed_harness_node(keep: bool) -> u32 {
    let place = tempfile::tempdir().unwrap();
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", "a_harness_that_waits_to_be_killed", "--ignored", "--nocapture"])
        .env("HARNESS_PLACE", place.path().join("cluster"))
        .stderr(Stdio::piped())
        .stdout(Stdio::null());
    if keep {
        command.env("HARNESS_KEEP", "1");
    }
    let mut harness = command.spawn().unwrap();
    let lines = BufReader::new(harness.stderr.take().unwrap()).lines();
    let pid = lines
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("pid ").and_then(|pid| pid.parse::<u32>().ok()))
        .expect("the other half says which process it started");
    assert!(exists(pid), "the node outlives the thread that started it");
    harness.kill().unwrap();
    harness.wait().unwrap();
    pid
}

#[test]
fn nodes_die_with_a_harness_that_is_killed() {
    let pid = pid_of_a_killed_harness_node(false);
    block_on(wait_gone(pid));
}

#[test]
fn nodes_that_are_to_be_kept_outlive_it() {
    let pid = pid_of_a_killed_harness_node(true);
    assert!(exists(pid));
    assert!(Command::new("kill").arg(pid.to_string()).status().unwrap().success());
    block_on(wait_gone(pid));
}

//! A cluster in one process, on virtual time: nodes with disks that outlive them, pipes between them.

use std::{
    collections::{BTreeMap, VecDeque},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use alert_core::{
    alert::{Caller, Role},
    codec, pb,
    search::Normalisers,
    state::{
        command::{Answer, Command, Proposal},
        family::{Family, sys},
    },
};
use tokio::time::{Instant, sleep};

use super::pipes::Pipes;
use crate::{
    api::{
        Api, ApiOptions, ApiParts, TokenSealer,
        backend::{AdminBackend, Leadership, Level, ProposeError, ReadError, ReadHandle, Store},
    },
    audit::{AuditLog, AuditOptions},
    raft::{
        RaftNode, RaftOptions, Timings,
        options::LogBounds,
        types::{Node, NodeId},
    },
    seam::{Blocking, Clock, Host, Lane, OsRandom, RealFiles, Threads},
    storage::{
        OpenError, Storage,
        data_directory::DirectoryOptions,
        engine::{Engines, memory::MemoryEngines},
    },
};

/// Wall clock at the start of a test, milliseconds since 1970.
pub const START_MS: u64 = 1_790_000_000_000;

/// Runs work where it is submitted: virtual time stands still meanwhile. A lane that is held keeps its work back.
#[derive(Default)]
struct Inline {
    held: Mutex<BTreeMap<Lane, VecDeque<Work>>>,
}

type Work = Box<dyn FnOnce() + Send>;

impl Blocking for Inline {
    fn submit(&self, lane: Lane, work: Work) {
        if let Some(held) = self.held.lock().unwrap().get_mut(&lane) {
            held.push_back(work);
            return;
        }
        work();
    }
}

/// Virtual time, with a wall clock that a test may set wrong.
pub struct TestClock {
    start: Instant,
    skew_ms: AtomicI64,
}

impl Clock for TestClock {
    fn wall_ms(&self) -> u64 {
        let elapsed = self.start.elapsed().as_millis() as i64;
        (START_MS as i64 + elapsed + self.skew_ms.load(Ordering::Relaxed)) as u64
    }

    fn boot(&self) -> Duration {
        self.start.elapsed()
    }
}

/// The cluster.
pub struct World {
    pub pipes: Pipes,
    start: Instant,
    /// What outlives a node: a directory for each disk that it has had.
    disks: BTreeMap<NodeId, PathBuf>,
    root: tempfile::TempDir,
    clocks: BTreeMap<NodeId, Arc<TestClock>>,
    nodes: BTreeMap<NodeId, (RaftNode, Storage)>,
    hosts: BTreeMap<NodeId, Host>,
    blocking: BTreeMap<NodeId, Arc<Inline>>,
    engines: MakeEngines,
    pub log: LogBounds,
    /// The normalisers of a node's release, where they are not the shipped ones.
    pub releases: BTreeMap<NodeId, Normalisers>,
    /// Of a snapshot being sent; `None` = as fast as it goes.
    pub snapshot_bytes_per_second: Option<u64>,
    /// Blocking work runs on threads of its own, as in production; time is then to be real.
    pub on_threads: bool,
    /// A node further behind refuses reads at once; `None` = as shipped.
    pub lag_entries_max: Option<u64>,
}

/// Makes the engines of a node.
pub type MakeEngines = fn(&Host) -> Arc<dyn Engines>;

/// Opens a disk, once the node that had it before has let go of all of it.
async fn open(
    host: &Host,
    engines: &Arc<dyn Engines>,
    directory: &DirectoryOptions,
    normalisers: Normalisers,
) -> Result<Storage, OpenError> {
    for _ in 0..1000 {
        match Storage::open_as(host, engines, directory, normalisers) {
            Err(error) if error.to_string().contains("in use") => sleep(Duration::from_millis(1)).await,
            opened => return opened,
        }
    }
    panic!("{} is still in use", directory.log.display());
}

pub fn soon(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

impl World {
    pub fn new() -> Self {
        Self::on(|host| Arc::new(MemoryEngines::new(host.files.clone())))
    }

    /// On other engines than those in memory.
    pub fn on(engines: MakeEngines) -> Self {
        Self {
            pipes: Pipes::default(),
            start: Instant::now(),
            disks: BTreeMap::new(),
            root: tempfile::tempdir().unwrap(),
            clocks: BTreeMap::new(),
            nodes: BTreeMap::new(),
            hosts: BTreeMap::new(),
            blocking: BTreeMap::new(),
            engines,
            log: LogBounds::default(),
            releases: BTreeMap::new(),
            snapshot_bytes_per_second: None,
            on_threads: false,
            lag_entries_max: None,
        }
    }

    /// Voters 1 to `voters`, node 1 the first leader.
    pub async fn of(voters: u64) -> Self {
        Self::new().formed(voters).await
    }

    /// The same with what was set before.
    pub async fn formed(mut self, voters: u64) -> Self {
        let world = &mut self;
        world.form().await;
        for id in 2..=voters {
            world.start(id).await;
            world.join(1, id).await.unwrap();
            world.node(1).admin().promote(id, soon(30)).await.unwrap();
        }
        self
    }

    /// Node 1 is a cluster.
    pub async fn form(&mut self) {
        self.start(1).await;
        let formed = self.node(1).admin().init(soon(10)).await.unwrap();
        assert!(formed.formed_now);
    }

    /// The services of a node, with an audit log of its own.
    pub async fn api(&self, id: NodeId) -> Api {
        let (node, host) = (self.node(id), self.hosts[&id].clone());
        let options = AuditOptions {
            directory: self.root.path().join(format!("audit-{id}")),
            cluster_id: "test".into(),
            node_name: format!("node-{id}"),
        };
        let audit = Arc::new(AuditLog::open(host.clone(), options).await.unwrap());
        node.anchor_audit(audit.head(), Duration::from_secs(1));
        Api::new(ApiParts {
            store: Arc::new(node.clone()),
            audit: audit.clone(),
            audit_log: audit,
            admin: Arc::new(node.admin()),
            sealer: TokenSealer::new([7; 32], host.random.clone()),
            host,
            options: ApiOptions::default(),
        })
    }

    fn address(id: NodeId) -> String {
        format!("node-{id}:1")
    }

    pub fn join_request(id: NodeId) -> pb::AddLearnerRequest {
        pb::AddLearnerRequest {
            node_id: id,
            name: format!("node-{id}"),
            raft_address: Self::address(id),
            client_address: format!("node-{id}:2"),
            data_centre: "a".into(),
        }
    }

    pub async fn join(&self, leader: NodeId, id: NodeId) -> Result<(), crate::api::backend::AdminError> {
        self.node(leader).admin().add_learner(Self::join_request(id), soon(10)).await.map(drop)
    }

    /// Starts a node on its disk, a new one the first time.
    pub async fn start(&mut self, id: NodeId) {
        self.try_start(id).await.unwrap();
    }

    /// The same, where the node may refuse.
    pub async fn try_start(&mut self, id: NodeId) -> Result<(), OpenError> {
        let disk = self.disks.entry(id).or_insert_with(|| self.root.path().join(format!("node-{id}")));
        let start = self.start;
        let clock = self.clocks.entry(id).or_insert_with(|| Arc::new(TestClock { start, skew_ms: AtomicI64::new(0) }));
        let host = Host {
            clock: clock.clone(),
            random: Arc::new(OsRandom),
            files: Arc::new(RealFiles),
            blocking: if self.on_threads {
                Arc::new(Threads::new())
            } else {
                self.blocking.entry(id).or_default().clone()
            },
        };
        let node = Node {
            raft_address: Self::address(id),
            client_address: format!("node-{id}:2"),
            name: format!("node-{id}"),
            data_centre: "a".into(),
            incarnation: String::new(),
        };
        let mut options =
            RaftOptions::new("test", id, node, Timings::for_election_timeout(Duration::from_millis(1000)));
        options.log = self.log;
        options.snapshot_bytes_per_second = self.snapshot_bytes_per_second;
        if let Some(lag_entries_max) = self.lag_entries_max {
            options.reads.lag_entries_max = lag_entries_max;
        }
        let engines = (self.engines)(&host);
        self.hosts.insert(id, host.clone());
        let directory = DirectoryOptions {
            log: disk.join("log"),
            state: disk.join("state"),
            cluster_id: "test".into(),
            node_id: id,
        };
        let normalisers = self.releases.get(&id).copied().unwrap_or_default();
        let storage = open(&host, &engines, &directory, normalisers).await?;
        let connector = self.pipes.connector(id);
        let started = RaftNode::start(options, host, storage.clone(), connector).await.unwrap();
        let listener = self.pipes.listen(id, &Self::address(id));
        let serving = started.clone();
        tokio::spawn(async move { serving.serve(listener).await.unwrap() });
        self.nodes.insert(id, (started, storage));
        Ok(())
    }

    /// The node is gone from one moment to the next; its disk stays.
    pub async fn kill(&mut self, id: NodeId) {
        self.pipes.kill(id);
        let (node, storage) = self.nodes.remove(&id).unwrap();
        node.stop().await;
        storage.close().await.unwrap();
    }

    /// The node's disk is replaced by an empty one.
    pub fn wipe(&mut self, id: NodeId) {
        self.disks.insert(id, self.root.path().join(format!("node-{id}-replaced")));
    }

    /// Where a node keeps its log and its state.
    #[cfg(feature = "rocksdb")]
    pub fn disk(&self, id: NodeId) -> PathBuf {
        self.disks[&id].clone()
    }

    pub fn node(&self, id: NodeId) -> RaftNode {
        self.nodes[&id].0.clone()
    }

    pub fn storage(&self, id: NodeId) -> Storage {
        self.nodes[&id].1.clone()
    }

    /// Members that run.
    pub fn running(&self) -> Vec<NodeId> {
        self.nodes.keys().copied().collect()
    }

    /// The world that a node runs in.
    pub fn host(&self, id: NodeId) -> Host {
        self.hosts[&id].clone()
    }

    pub fn set_skew(&self, id: NodeId, skew_ms: i64) {
        self.clocks[&id].skew_ms.store(skew_ms, Ordering::Relaxed);
    }

    /// From now on a node's work on this lane waits.
    pub fn hold(&self, id: NodeId, lane: Lane) {
        self.blocking[&id].held.lock().unwrap().entry(lane).or_default();
    }

    /// Does one piece of the work that waits, if there is any.
    pub fn do_one(&self, id: NodeId, lane: Lane) {
        let work = self.blocking[&id].held.lock().unwrap().get_mut(&lane).and_then(VecDeque::pop_front);
        if let Some(work) = work {
            work();
        }
    }

    /// Does the work that waits, and no more waits.
    pub fn release(&self, id: NodeId, lane: Lane) {
        let held = self.blocking[&id].held.lock().unwrap().remove(&lane);
        held.into_iter().flatten().for_each(|work| work());
    }

    /// Cuts a node's log up to `index`, which its snapshot covers.
    pub async fn cut_log(&self, id: NodeId, index: u64) {
        self.node(id).admin().0.raft.trigger().purge_log(index).await.unwrap();
        self.until_status(id, "its log is cut", |status| status.purged_index >= index).await;
    }

    /// Waits until a node takes proposals, and says which.
    pub async fn leader(&self) -> NodeId {
        for _ in 0..10_000 {
            for (id, (node, _)) in &self.nodes {
                if matches!(*node.leadership().borrow(), Leadership::Me { .. }) {
                    return *id;
                }
            }
            sleep(Duration::from_millis(5)).await;
        }
        panic!("no leader for 50 s");
    }

    /// Waits until `holds`.
    pub async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        for _ in 0..10_000 {
            if holds(self) {
                return;
            }
            sleep(Duration::from_millis(5)).await;
        }
        panic!("not within 50 s: {what}");
    }

    /// Waits until a node's status shows it.
    pub async fn until_status(&self, id: NodeId, what: &str, holds: impl Fn(&pb::StatusResponse) -> bool) {
        for _ in 0..10_000 {
            if holds(&self.node(id).admin().status().await.unwrap()) {
                return;
            }
            sleep(Duration::from_millis(5)).await;
        }
        panic!("node {id} not within 50 s: {what}");
    }

    /// Waits until a node serves reads.
    pub async fn until_ready(&self, id: NodeId) {
        self.until("it is ready", |world| *world.node(id).ready().borrow()).await;
    }

    /// A change that a test can read back: the head of an audit chain.
    pub async fn write(&self, id: NodeId, key: u64, value: u64) -> Result<Answer, ProposeError> {
        self.write_until(id, key, value, soon(5)).await
    }

    pub async fn write_until(
        &self,
        id: NodeId,
        key: u64,
        value: u64,
        deadline: Instant,
    ) -> Result<Answer, ProposeError> {
        self.node(id).propose(proposal(key, value), deadline).await
    }

    /// The value last written under `key`, on this node at this level.
    pub async fn read(&self, id: NodeId, level: Level, key: u64) -> Result<Option<u64>, ReadError> {
        Ok(value_of(&self.node(id).read(level, soon(5)).await?, key))
    }
}

pub fn proposal(key: u64, value: u64) -> Proposal {
    let command = Command::AnchorAudit { node_id: key, sequence: value, head: [0; 32] };
    Proposal { caller: Some(caller()), request: None, rules_revision: 0, command }
}

pub fn caller() -> Caller {
    Caller { country: "GB".into(), authority: "test".into(), system: "test".into(), role: Role::Bureau }
}

pub fn value_of(handle: &ReadHandle, key: u64) -> Option<u64> {
    let key = [sys::AUDIT_ANCHOR, &key.to_be_bytes()].concat();
    let bytes = handle.view.get(Family::Sys, &key).unwrap()?;
    let (sequence, _, _): (u64, [u8; 32], u64) = codec::decode(&bytes).unwrap();
    Some(sequence)
}

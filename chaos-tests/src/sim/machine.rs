//! A machine that a node runs on: its disk, its clock, its lanes. It outlives the node's processes.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use alert_node::seam::{Blocking, Clock, Host, Lane, Random};
use parking_lot::Mutex;
use rand::{Rng, RngCore, SeedableRng, rngs::SmallRng};
use tokio::{sync::mpsc, time::sleep};

use super::{disk::SimDisk, time::SimTime};

/// Wall clock at the start of a simulation, milliseconds since 1970.
pub const START_MS: u64 = 1_790_000_000_000;

/// Where a node keeps its log, its state and its audit log.
pub const LOG: &str = "/node/log";
pub const STATE: &str = "/node/state";
pub const AUDIT: &str = "/node/audit";

/// One machine. What faults set is in here; what a process makes of it is in [`Machine::host`].
pub struct Machine {
    pub id: u64,
    pub disk: SimDisk,
    time: SimTime,
    /// Added to the wall clock.
    pub clock_offset_ms: AtomicI64,
    /// The machine's clocks run faster by so many parts in a million.
    pub clock_drift_ppm: AtomicI64,
    /// Each piece of work on the disk's lanes takes so much longer.
    pub slow_disk_ms: AtomicU64,
    /// No lane moves: the process is paused.
    pub paused: AtomicBool,
    processes: AtomicU64,
    seed: u64,
}

impl Machine {
    pub fn new(id: u64, seed: u64, time: SimTime) -> Arc<Self> {
        let mounted = [LOG, STATE, AUDIT].map(PathBuf::from);
        Arc::new(Self {
            id,
            disk: SimDisk::new(seed ^ 0xD15C, &mounted),
            time,
            clock_offset_ms: AtomicI64::new(0),
            clock_drift_ppm: AtomicI64::new(0),
            slow_disk_ms: AtomicU64::new(0),
            paused: AtomicBool::new(false),
            processes: AtomicU64::new(0),
            seed,
        })
    }

    /// How many processes have run here.
    pub fn processes(&self) -> u64 {
        self.processes.load(Relaxed)
    }

    /// The world of a new process on this machine.
    pub fn host(self: &Arc<Self>) -> Host {
        let process = self.processes.fetch_add(1, Relaxed) + 1;
        let seed = self.seed ^ process.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Host {
            clock: self.clone(),
            random: Arc::new(SimRandom(Mutex::new(SmallRng::seed_from_u64(seed)))),
            files: Arc::new(self.disk.clone()),
            blocking: Arc::new(Lanes {
                machine: self.clone(),
                random: Mutex::new(SmallRng::seed_from_u64(seed ^ 0x1A9E)),
                queues: Mutex::default(),
            }),
        }
    }
}

impl Clock for Machine {
    fn wall_ms(&self) -> u64 {
        let elapsed_ms = self.boot().as_millis() as i64;
        (START_MS as i64 + elapsed_ms + self.clock_offset_ms.load(Relaxed)).max(0) as u64
    }

    fn boot(&self) -> Duration {
        let elapsed_us = self.time.now_us() as i64;
        let drift_us = elapsed_us / 1000 * self.clock_drift_ppm.load(Relaxed) / 1000;
        Duration::from_micros((elapsed_us + drift_us).max(0) as u64)
    }
}

struct SimRandom(Mutex<SmallRng>);

impl Random for SimRandom {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().fill_bytes(bytes);
    }
}

type Work = Box<dyn FnOnce() + Send>;

/// Blocking work as tasks that take simulated time. The work itself happens in one moment, after its time has passed; the
/// disk may lose its power between any two of its changes.
struct Lanes {
    machine: Arc<Machine>,
    random: Mutex<SmallRng>,
    queues: Mutex<BTreeMap<Lane, mpsc::UnboundedSender<(Work, Duration)>>>,
}

impl Lanes {
    fn time_for(&self, lane: Lane) -> Duration {
        let random_ms = |most| self.random.lock().random_range(0..=most);
        let slow_ms = self.machine.slow_disk_ms.load(Relaxed);
        let millis = match lane {
            Lane::Log | Lane::Audit => random_ms(2) + slow_ms,
            Lane::Snapshot => random_ms(20) + slow_ms,
            Lane::Apply => random_ms(1),
            Lane::Read => 0,
        };
        Duration::from_millis(millis)
    }
}

impl Blocking for Lanes {
    fn submit(&self, lane: Lane, work: Work) {
        let time = self.time_for(lane);
        if lane == Lane::Read {
            tokio::spawn(async move { work() });
            return;
        }
        let mut queues = self.queues.lock();
        let queue = queues.entry(lane).or_insert_with(|| {
            let (sender, receiver) = mpsc::unbounded_channel();
            tokio::spawn(serve(self.machine.clone(), receiver));
            sender
        });
        // The lane ends with the process.
        let _ = queue.send((work, time));
    }
}

async fn serve(machine: Arc<Machine>, mut queue: mpsc::UnboundedReceiver<(Work, Duration)>) {
    while let Some((work, time)) = queue.recv().await {
        if !time.is_zero() {
            sleep(time).await;
        }
        while machine.paused.load(Relaxed) {
            sleep(Duration::from_millis(1)).await;
        }
        work();
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use alert_node::{
        seam::FileSystem,
        storage::{
            Storage,
            data_directory::DirectoryOptions,
            engine::{Engines, memory::MemoryEngines},
        },
    };

    use super::*;

    #[test]
    fn what_a_node_makes_at_its_first_start_survives_a_power_loss() {
        for seed in 0..30 {
            let machine = Machine::new(1, seed, SimTime::default());
            let open = || {
                let host = machine.host();
                let engines: Arc<dyn Engines> = Arc::new(MemoryEngines::new(host.files.clone()));
                let (log, state, cluster_id) = (LOG.into(), STATE.into(), "sim".into());
                Storage::open(&host, &engines, &DirectoryOptions { log, state, cluster_id, node_id: 1 })
            };
            let incarnation = open().unwrap().directory.identity().incarnation.clone();
            machine.disk.lose_power();
            machine.disk.restore_power();
            assert!(machine.disk.exists(&Path::new(LOG).join("log")), "seed {seed}: the log is gone, with its vote");
            assert_eq!(open().unwrap().directory.identity().incarnation, incarnation, "seed {seed}");
        }
    }
}

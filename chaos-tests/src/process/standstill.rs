//! How long a machine with other things to do kept processes waiting. A promise about time is asserted with this added to
//! it, and nothing else.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::{task::JoinHandle, time::sleep};

use super::node::NodeProcess;

/// Looks at clock and disk.
const TICK: Duration = Duration::from_millis(5);
/// A timer of ours counts milliseconds, and rounds up: so much later says nothing.
const JITTER: Duration = Duration::from_millis(3);
/// What a sound disk takes for one small synced write.
const SYNC: Duration = Duration::from_millis(10);

/// A look at the machine, from [`Standstill::watch`] to [`Standstill::end`].
pub struct Standstill {
    late_us: Arc<AtomicU64>,
    task: JoinHandle<()>,
    nodes: Vec<(u32, Duration)>,
    disk: Option<Arc<Mutex<Disk>>>,
}

/// What is known of the disk.
#[derive(Debug, Default)]
struct Disk {
    late: Duration,
    /// Since when a write is under way.
    began: Option<Instant>,
    ended: bool,
}

impl Disk {
    /// A write under way counts as far as it is.
    fn late(&self) -> Duration {
        self.late + self.began.map_or(Duration::ZERO, |began| began.elapsed().saturating_sub(SYNC))
    }
}

fn locked(disk: &Mutex<Disk>) -> std::sync::MutexGuard<'_, Disk> {
    disk.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What it came to.
#[derive(Debug, Clone, Copy)]
pub struct Waited {
    /// This process, client and links included: by how much its timers were later than timers are.
    pub here: Duration,
    /// Of the nodes, the one that waited longest for a processor.
    pub nodes: Duration,
    /// The disk: by how much small synced writes took longer than they do.
    pub disk: Duration,
}

impl Standstill {
    /// Of this process, and of `nodes`, which go on running.
    pub fn watch<'a>(nodes: impl Iterator<Item = &'a NodeProcess>) -> Self {
        let late_us = Arc::new(AtomicU64::new(0));
        let late = late_us.clone();
        let task = tokio::spawn(async move {
            loop {
                let due = Instant::now() + TICK;
                sleep(TICK).await;
                let beyond = due.elapsed().saturating_sub(JITTER);
                late.fetch_add(beyond.as_micros() as u64, Ordering::Relaxed);
            }
        });
        let nodes = nodes.filter_map(NodeProcess::pid).map(|pid| (pid, kept_waiting(pid))).collect();
        Self { late_us, task, nodes, disk: None }
    }

    /// And of the disk that `directory` lies on: a thread of its own writes there and syncs, again and again.
    pub fn with_disk(mut self, directory: &Path) -> anyhow::Result<Self> {
        let mut file = File::create(directory.join("standstill"))?;
        let disk = Arc::<Mutex<Disk>>::default();
        self.disk = Some(disk.clone());
        thread::spawn(move || {
            while !locked(&disk).ended {
                locked(&disk).began = Some(Instant::now());
                // A disk that fails is not the matter here: whatever lies on it says so.
                let _ = file.write_all(&[0; 512]).and_then(|()| file.sync_data());
                let mut now = locked(&disk);
                now.late = now.late();
                now.began = None;
                drop(now);
                thread::sleep(TICK);
            }
        });
        Ok(self)
    }

    /// So far.
    pub fn so_far(&self) -> Waited {
        let nodes = self.nodes.iter().map(|(pid, before)| kept_waiting(*pid).saturating_sub(*before));
        Waited {
            here: Duration::from_micros(self.late_us.load(Ordering::Relaxed)),
            nodes: nodes.max().unwrap_or_default(),
            disk: self.disk.as_ref().map_or(Duration::ZERO, |disk| locked(disk).late()),
        }
    }

    /// All of it.
    pub fn end(self) -> Waited {
        self.so_far()
    }
}

impl Drop for Standstill {
    fn drop(&mut self) {
        self.task.abort();
        if let Some(disk) = &self.disk {
            locked(disk).ended = true;
        }
    }
}

impl Waited {
    /// What was waited for since `before`, a look at the same machine.
    pub fn since(&self, before: &Self) -> Self {
        Self {
            here: self.here.saturating_sub(before.here),
            nodes: self.nodes.saturating_sub(before.nodes),
            disk: self.disk.saturating_sub(before.disk),
        }
    }

    /// All together: as if no two had been at one time.
    pub fn total(&self) -> Duration {
        self.here + self.nodes + self.disk
    }
}

/// How long threads of the process were ready to run and had no processor, since they began.
fn kept_waiting(pid: u32) -> Duration {
    schedstat(pid, 1)
}

/// How long a node's threads have had a processor: what its work costs, however busy the machine is. Threads that have
/// ended meanwhile do not count.
pub fn processor_time(node: &NodeProcess) -> Duration {
    node.pid().map_or(Duration::ZERO, |pid| schedstat(pid, 0))
}

/// The sum of one figure of each thread's schedstat: time on a processor, time of waiting for one, both in nanoseconds.
fn schedstat(pid: u32, figure: usize) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let times = tasks.filter_map(|task| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().nth(figure)?.parse::<u64>().ok()
    });
    Duration::from_nanos(times.sum())
}

//! Blocking work: disk writes, fsyncs, reads. On threads here; in the simulator, a task that takes simulated time.

use std::{
    collections::HashMap,
    sync::{Mutex, mpsc},
    thread,
};

use tokio::sync::oneshot;

/// Which queue a piece of blocking work goes through. Work of one lane runs in order, on one thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// Writes and fsyncs of the Raft log.
    Log,
    /// Applying entries to the state.
    Apply,
    /// Checkpoints: build, verify, install.
    Snapshot,
    /// The audit log's writes and fsyncs.
    Audit,
    /// Reads and searches: no order, as many at once as there are cores.
    Read,
}

/// Runs blocking work apart from the async runtime.
pub trait Blocking: Send + Sync + 'static {
    /// Queues `work` on its lane.
    fn submit(&self, lane: Lane, work: Box<dyn FnOnce() + Send>);
}

/// Runs `work` on `lane` and gives back its result. A panic of the work is a panic of the caller.
pub async fn run<T: Send + 'static>(
    blocking: &dyn Blocking,
    lane: Lane,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let (sender, receiver) = oneshot::channel();
    blocking.submit(lane, Box::new(move || drop(sender.send(work()))));
    receiver.await.expect("blocking work ended without a result: it panicked")
}

type Work = Box<dyn FnOnce() + Send>;

/// A thread for each ordered lane, made at first use; tokio's blocking pool for the rest.
pub struct Threads {
    lanes: Mutex<HashMap<Lane, mpsc::Sender<Work>>>,
}

impl Threads {
    /// No threads yet.
    pub fn new() -> Self {
        Self { lanes: Mutex::new(HashMap::new()) }
    }
}

impl Default for Threads {
    fn default() -> Self {
        Self::new()
    }
}

impl Blocking for Threads {
    fn submit(&self, lane: Lane, work: Work) {
        if lane == Lane::Read {
            tokio::task::spawn_blocking(work);
            return;
        }
        let mut lanes = self.lanes.lock().expect("no lane thread holds this lock");
        let queue = lanes.entry(lane).or_insert_with(|| {
            let (sender, receiver) = mpsc::channel::<Work>();
            thread::Builder::new()
                .name(format!("alert-{lane:?}").to_lowercase())
                .spawn(move || receiver.into_iter().for_each(|work| work()))
                .expect("a thread can be started");
            sender
        });
        queue.send(work).expect("a lane's thread lives as long as its queue");
    }
}

//! What clients saw, for the checks.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering::Relaxed},
    },
};

use parking_lot::Mutex;

use crate::{
    faults::Kind,
    model::{History, Operation},
    report::Timeline,
    sim::SimTime,
};

/// A search by number and what it found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Searched {
    pub called_us: u64,
    pub returned_us: u64,
    pub node: String,
    pub sees_covert: bool,
    /// The number of the alert whose passport was asked for.
    pub alert: u64,
    /// The state that was searched.
    pub revision: u64,
    pub search_id: String,
    /// (id, version) of each candidate.
    pub found: Vec<(String, u64)>,
}

/// An event of the feed, as a watcher got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedItem {
    pub at_us: u64,
    pub alert_id: String,
    /// Of an upsert: (revision, version). `None`: a removal.
    pub upsert: Option<(u64, u64)>,
}

const BEFORE: u8 = 0;
const RUNS: u8 = 1;
const OVER: u8 = 2;

#[derive(Default)]
struct Recorded {
    history: History,
    /// Writes that have not come back, by the moment of their call and their client.
    open: BTreeMap<(u64, u32), Operation>,
    searches: Vec<Searched>,
    feeds: Vec<Vec<FeedItem>>,
    restarts: u64,
    hang_ups: u32,
    repeats: u32,
    nodes: BTreeSet<u64>,
}

/// Shared by all clients of a run.
#[derive(Clone)]
pub struct Recorder {
    pub time: SimTime,
    pub timeline: Timeline,
    phase: Arc<AtomicU8>,
    recorded: Arc<Mutex<Recorded>>,
}

impl Recorder {
    pub fn new(time: SimTime, timeline: Timeline) -> Self {
        Self { time, timeline, phase: Arc::new(AtomicU8::new(BEFORE)), recorded: Arc::default() }
    }

    pub fn begin_traffic(&self) {
        self.phase.store(RUNS, Relaxed);
    }

    pub fn end_traffic(&self) {
        self.phase.store(OVER, Relaxed);
    }

    pub fn traffic_runs(&self) -> bool {
        self.phase.load(Relaxed) == RUNS
    }

    pub fn is_over(&self) -> bool {
        self.phase.load(Relaxed) == OVER
    }

    /// The nodes that clients may ask.
    pub fn nodes(&self) -> Vec<u64> {
        self.recorded.lock().nodes.iter().copied().collect()
    }

    pub fn add_node(&self, id: u64) {
        self.recorded.lock().nodes.insert(id);
    }

    /// A write is about to be sent. Should the run end before it comes back, its outcome is unknown.
    pub fn sends(&self, operation: Operation) {
        self.recorded.lock().open.insert((operation.called_us, operation.client), operation);
    }

    pub fn operation(&self, operation: Operation) {
        let node = operation.node.map_or_else(String::new, |node| format!(" at node {node}"));
        self.timeline.note(
            &format!("client {}", operation.client),
            format!("{} {:?}{node}: {:?}", operation.alert, operation.call, operation.outcome),
        );
        let mut recorded = self.recorded.lock();
        recorded.open.remove(&(operation.called_us, operation.client));
        recorded.history.operations.push(operation);
    }

    pub fn search(&self, search: Searched) {
        self.timeline.note(
            "client",
            format!(
                "search for alert-{} at {}: {:?}, revision {}",
                search.alert, search.node, search.found, search.revision
            ),
        );
        self.recorded.lock().searches.push(search);
    }

    /// A place for the events of one watcher.
    pub fn new_feed(&self) -> usize {
        let mut recorded = self.recorded.lock();
        recorded.feeds.push(Vec::new());
        recorded.feeds.len() - 1
    }

    pub fn feed(&self, watcher: usize, item: FeedItem) {
        self.recorded.lock().feeds[watcher].push(item);
    }

    /// A watcher went on from its last cursor, on some node.
    pub fn feed_resumed(&self) {
        self.recorded.lock().restarts += 1;
    }

    /// A caller hung up before the answer.
    pub fn hung_up(&self) {
        self.recorded.lock().hang_ups += 1;
    }

    /// A caller that was not answered asks again.
    pub fn repeats(&self) {
        self.recorded.lock().repeats += 1;
    }

    /// Faults that the clients were the cause of.
    pub fn faults(&self) -> [(Kind, u32); 2] {
        let recorded = self.recorded.lock();
        [(Kind::HangUp, recorded.hang_ups), (Kind::Repeat, recorded.repeats)]
    }

    pub fn history(&self) -> History {
        let recorded = self.recorded.lock();
        let mut history = recorded.history.clone();
        history.operations.extend(recorded.open.values().cloned());
        history
    }

    pub fn searches(&self) -> Vec<Searched> {
        self.recorded.lock().searches.clone()
    }

    pub fn feeds(&self) -> Vec<Vec<FeedItem>> {
        self.recorded.lock().feeds.clone()
    }

    pub fn feed_resumptions(&self) -> u64 {
        self.recorded.lock().restarts
    }
}

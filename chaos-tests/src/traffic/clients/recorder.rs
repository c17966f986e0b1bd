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
    model::{Acknowledged, Call, Change, Expects, FeedItem, Followed, History, Operation, Outcome, Question, Searched},
    report::Timeline,
    sim::SimTime,
};

/// Earlier than its end by the cluster's clocks nothing may be seen to have ended. They are right to within this.
const CLOCKS_WITHIN_US: u64 = 100_000;
/// Numbers of the "clients" that end alerts when their time has come.
const TIME: u32 = 800_000;

const BEFORE: u8 = 0;
const RUNS: u8 = 1;
const OVER: u8 = 2;

#[derive(Default)]
struct Recorded {
    history: History,
    /// Writes that have not come back, by the moment of their call and their client.
    open: BTreeMap<(u64, u32), Operation>,
    searches: Vec<Searched>,
    feeds: Vec<Followed>,
    acknowledged: Vec<Acknowledged>,
    agreement_changes: Vec<Acknowledged>,
    /// When alerts end by themselves, by number.
    ends: BTreeMap<u64, u64>,
    resyncs: u32,
    suspensions: u32,
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

    /// A change that was acknowledged.
    pub fn acknowledged(&self, revision: u64, at_us: u64) {
        self.recorded.lock().acknowledged.push(Acknowledged { at_us, revision });
    }

    /// A change of an agreement that was acknowledged.
    pub fn agreement_changed(&self, revision: u64, at_us: u64) {
        self.acknowledged(revision, at_us);
        self.recorded.lock().agreement_changes.push(Acknowledged { at_us, revision });
    }

    /// An alert ends by itself at that moment, unless it is extended.
    pub fn ends(&self, alert: u64, at_us: u64) {
        self.recorded.lock().ends.insert(alert, at_us);
    }

    pub fn search(&self, search: Searched) {
        let what = match &search.question {
            Question::Number(number) => format!("search for {number}"),
            Question::Person { given, family } => format!("search for {given} {family}"),
            Question::Record(id) => format!("get of {id}"),
        };
        self.timeline.note(
            "client",
            format!(
                "{what} at {} as {}: {:?}, revision {}",
                search.node,
                search.caller.role.name(),
                search.found,
                search.revision
            ),
        );
        self.answer(search);
    }

    /// An answer that shows something, for the checks.
    pub fn answer(&self, answer: Searched) {
        self.recorded.lock().searches.push(answer);
    }

    /// A place for the events of a feed that begins.
    pub fn new_feed(&self, feed: Followed) -> usize {
        let mut recorded = self.recorded.lock();
        recorded.feeds.push(feed);
        recorded.feeds.len() - 1
    }

    pub fn feed(&self, feed: usize, item: FeedItem) {
        self.recorded.lock().feeds[feed].items.push(item);
    }

    /// A feed told where it is before any event.
    pub fn feed_started(&self, feed: usize, revision: u64) {
        let feed = &mut self.recorded.lock().feeds[feed];
        if feed.items.is_empty() {
            feed.start.get_or_insert(revision);
        }
    }

    /// A feed was told to begin anew.
    pub fn feed_ended(&self) {
        self.recorded.lock().resyncs += 1;
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
        let now_us = self.time.now_us();
        let due = recorded.ends.iter().filter(|(_, at_us)| **at_us <= now_us);
        history.operations.extend(due.map(|(alert, at_us)| ending(*alert, *at_us)));
        history
    }

    pub fn searches(&self) -> Vec<Searched> {
        self.recorded.lock().searches.clone()
    }

    pub fn feeds(&self) -> Vec<Followed> {
        self.recorded.lock().feeds.clone()
    }

    /// All changes that were acknowledged, and those of agreements among them.
    pub fn acknowledgements(&self) -> (Vec<Acknowledged>, Vec<Acknowledged>) {
        let recorded = self.recorded.lock();
        (recorded.acknowledged.clone(), recorded.agreement_changes.clone())
    }

    /// The agreement was suspended.
    pub fn suspended(&self) {
        self.recorded.lock().suspensions += 1;
    }

    /// How often the agreement was suspended.
    pub fn suspensions(&self) -> u32 {
        self.recorded.lock().suspensions
    }

    /// Feeds that had to begin anew.
    pub fn resyncs(&self) -> u32 {
        self.recorded.lock().resyncs
    }
}

/// Time as a client of the store: from the alert's end on it may cancel it, and says to nobody when it did.
fn ending(alert: u64, at_us: u64) -> Operation {
    Operation {
        client: TIME + alert as u32,
        called_us: at_us.saturating_sub(CLOCKS_WITHIN_US),
        returned_us: None,
        node: None,
        alert: format!("alert-{alert}"),
        call: Call::Write { expects: Expects::Any, change: Change::Cancel },
        outcome: Outcome::Unknown,
    }
}

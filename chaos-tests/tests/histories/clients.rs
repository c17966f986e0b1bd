//! Concurrent clients: each a writer and a reader of one alert at a time, and what they saw.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use alert_chaos::model::{Call, Change, Expects, History, Level, Operation, Outcome};
use alert_client::{AlertClient, Error, pb};
use alert_synth::known;
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::task::JoinSet;

use crate::stage::Stage;

/// More would keep the checker from its end.
pub const CALLS_PER_ALERT: usize = 300;
/// Clients of one alert.
pub const CLIENTS_PER_ALERT: usize = 5;
/// Groups of clients, each with an alert of its own.
const GROUPS: u64 = 3;
/// A group goes on with a new alert after so many calls: some are under way then.
const CALLS_BEFORE_NEXT: usize = CALLS_PER_ALERT - 2 * CLIENTS_PER_ALERT;
/// Every call, retries included. Short, so that faults outlast it and outcomes become unknown.
const DEADLINE: Duration = Duration::from_millis(1500);

/// A read that was refused, in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub called_us: u64,
    /// The last node asked.
    pub node: Option<u64>,
    pub code: String,
}

/// What all clients saw.
#[derive(Clone)]
pub struct Notes {
    begun: Instant,
    history: Arc<Mutex<History>>,
    refusals: Arc<Mutex<Vec<Refusal>>>,
}

impl Notes {
    pub fn new() -> Self {
        Self { begun: Instant::now(), history: Arc::default(), refusals: Arc::default() }
    }

    pub fn now_us(&self) -> u64 {
        self.begun.elapsed().as_micros() as u64
    }

    pub fn add(&self, operation: Operation) {
        self.lock().operations.push(operation);
    }

    fn refused(&self, refusal: Refusal) {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).push(refusal);
    }

    /// Reads that were refused.
    pub fn refusals(&self) -> Vec<Refusal> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn history(&self) -> History {
        self.lock().clone()
    }

    /// Acknowledged writes and answered linearizable reads.
    pub fn counts(&self) -> (usize, usize) {
        let history = self.lock();
        let writes = history.operations.iter().filter(|operation| operation.is_acknowledged()).count();
        let linearizable = Call::Read { level: Level::Linearizable };
        let reads = history.operations.iter().filter(|one| one.call == linearizable && one.is_answered_read()).count();
        (writes, reads)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What clients do, of a hundred calls; the others are linearizable reads.
#[derive(Debug, Clone, Copy)]
pub struct Mix {
    pub writes: u32,
    pub session_reads: u32,
    pub bounded_reads: u32,
}

/// Clients that work until they are told to stop.
pub struct Crew {
    pub notes: Notes,
    stop: Arc<AtomicBool>,
    clients: JoinSet<()>,
}

impl Crew {
    /// Starts three groups of five.
    pub async fn start(stage: &Stage, mix: Mix, seed: u64) -> Self {
        let notes = Notes::new();
        let stop = Arc::new(AtomicBool::new(false));
        let mut clients = JoinSet::new();
        for group in 0..GROUPS {
            let alert = Arc::new(Mutex::new(Current::create(stage, &notes, seed, group, 0).await));
            for place in 0..CLIENTS_PER_ALERT as u64 {
                let number = group * CLIENTS_PER_ALERT as u64 + place;
                let client = Client {
                    api: stage.client("bureau").deadline(DEADLINE).build().unwrap(),
                    nodes: stage.addresses(),
                    notes: notes.clone(),
                    random: StdRng::seed_from_u64(seed ^ (number << 32)),
                    number: number as u32 + 1,
                    group,
                    seed,
                    alert: alert.clone(),
                    mix,
                };
                let stop = stop.clone();
                clients.spawn(async move { client.work(&stop).await });
            }
        }
        Self { notes, stop, clients }
    }

    /// Lets each client end its call, and gives what all saw.
    pub async fn stop(mut self) -> History {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.clients.join_next().await {
            ended.unwrap();
        }
        self.notes.history()
    }
}

/// The alert that a group works on.
#[derive(Debug, Clone)]
struct Current {
    name: String,
    id: String,
    serial: u64,
    /// The newest version that a client of the group has seen.
    version: u64,
    calls: usize,
    next_value: u64,
}

impl Current {
    async fn create(stage: &Stage, notes: &Notes, seed: u64, group: u64, serial: u64) -> Self {
        let api = stage.client("bureau").build().unwrap();
        create(&api, notes, 1000, seed, group, serial).await.expect("an alert on a cluster that is well")
    }
}

fn record(name: &str, id: &str, value: u64) -> pb::Alert {
    let mut alert = known::numbered(name, 1);
    alert.id = id.to_owned();
    let core = alert.core.get_or_insert_default();
    core.decision = Some(pb::DecisionReference { reference: format!("W-{value}"), ..Default::default() });
    alert
}

fn value_of(alert: &pb::Alert) -> u64 {
    let decision = alert.core.as_ref().and_then(|core| core.decision.as_ref());
    decision.and_then(|decision| decision.reference.strip_prefix("W-")?.parse().ok()).unwrap_or(0)
}

/// Creates the next alert of a group; `None` when it did not come to be, as far as is known.
async fn create(api: &AlertClient, notes: &Notes, client: u32, seed: u64, group: u64, serial: u64) -> Option<Current> {
    let name = format!("history-{seed}-{group}-{serial}-{}", notes.now_us());
    let request = pb::CreateRequest { alert: Some(record(&name, "", 1)), ..Default::default() };
    let called_us = notes.now_us();
    let result = api.create(request).await;
    let call = Call::Write { expects: Expects::Absent, change: Change::Set(1) };
    let outcome = write_outcome(&result);
    note(notes, client, called_us, None, &name, call, outcome);
    let answer = result.ok()?;
    let version = answer.version;
    Some(Current { name, id: answer.alert_id, serial, version, calls: 1, next_value: 2 })
}

struct Client {
    api: AlertClient,
    nodes: Vec<String>,
    notes: Notes,
    random: StdRng,
    number: u32,
    group: u64,
    seed: u64,
    alert: Arc<Mutex<Current>>,
    mix: Mix,
}

impl Client {
    async fn work(mut self, stop: &AtomicBool) {
        // What this session has seen of the alert that it works on.
        let mut seen = (String::new(), 0);
        while !stop.load(Ordering::Relaxed) {
            let Some((alert, value)) = self.take_turn().await else { continue };
            if seen.0 != alert.name {
                seen = (alert.name.clone(), 0);
            }
            let Mix { writes, session_reads, bounded_reads } = self.mix;
            let dice = self.random.random_range(0..100);
            let outcome = if dice < writes {
                self.write(&alert, value).await
            } else if dice < writes + session_reads {
                self.read(&alert, Level::Session { version: seen.1 }).await
            } else if dice < writes + session_reads + bounded_reads {
                let bound_us = [100_000, 300_000, 1_000_000][self.random.random_range(0..3)];
                self.read(&alert, Level::Bounded { bound_us }).await
            } else {
                self.read(&alert, Level::Linearizable).await
            };
            match outcome {
                Outcome::Written { version } | Outcome::Found { version, .. } => {
                    seen.1 = version.max(seen.1);
                    let mut current = self.alert.lock().unwrap();
                    if current.name == alert.name {
                        current.version = current.version.max(version);
                    }
                }
                Outcome::Unknown => self.number += 10_000,
                _ => {}
            }
            let pause = self.random.random_range(0..8);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }

    /// The alert to work on, and a value that nobody else writes; makes the next alert when this one has had its calls.
    async fn take_turn(&mut self) -> Option<(Current, u64)> {
        let next = {
            let mut current = self.alert.lock().unwrap();
            current.calls += 1;
            if current.calls <= CALLS_BEFORE_NEXT {
                current.next_value += 1;
                return Some((current.clone(), current.next_value));
            }
            // Whoever comes first makes it; the others wait for it.
            (current.calls == CALLS_BEFORE_NEXT + 1).then_some(current.serial + 1)
        };
        let Some(serial) = next else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            return None;
        };
        let made = create(&self.api, &self.notes, self.number, self.seed, self.group, serial).await;
        let mut current = self.alert.lock().unwrap();
        match made {
            Some(made) => *current = made,
            // The next comer tries again.
            None => current.calls = CALLS_BEFORE_NEXT,
        }
        None
    }

    async fn write(&mut self, alert: &Current, value: u64) -> Outcome {
        let call = Call::Write { expects: Expects::Version(alert.version), change: Change::Set(value) };
        let request = pb::UpdateRequest {
            alert: Some(record(&alert.name, &alert.id, value)),
            expected_version: alert.version,
            ..Default::default()
        };
        // Not only the leader is asked: each node sends a write on.
        let api = self.sometimes_one_node();
        let called_us = self.notes.now_us();
        let outcome = write_outcome(&api.update(request).await);
        note(&self.notes, self.number, called_us, None, &alert.name, call, outcome);
        outcome
    }

    async fn read(&mut self, alert: &Current, level: Level) -> Outcome {
        let (wire, bound) = match level {
            Level::Linearizable => (pb::ReadLevel::Linearizable, None),
            Level::Session { .. } => (pb::ReadLevel::Session, None),
            Level::Bounded { bound_us } => (pb::ReadLevel::Bounded, Duration::from_micros(bound_us).try_into().ok()),
            Level::Local => (pb::ReadLevel::Local, None),
        };
        let read = pb::ReadOptions { level: wire as i32, bound, ..Default::default() };
        let request = pb::GetRequest { alert_id: alert.id.clone(), read: Some(read), ..Default::default() };
        let api = self.sometimes_one_node();
        let called_us = self.notes.now_us();
        let (outcome, node) = match api.get(request).await {
            Ok(answer) => {
                let context = answer.answer.unwrap_or_default();
                let label = context.staleness_bound.and_then(|bound| Duration::try_from(bound).ok());
                let node = context.node.strip_prefix("node").and_then(|number| number.parse().ok());
                (found(answer.record, label.map(|label| label.as_micros() as u64)), node)
            }
            Err(error) if error.is_not_found() => (Outcome::Absent { staleness_us: None }, None),
            Err(error) => {
                assert!(error.retryable, "a read that should have been possible: {error}");
                let node = error.node.as_deref().and_then(|address| self.number_of(address));
                // A call that was refused until its deadline says so in its cause.
                let code = error.cause.as_ref().map_or(&error.code, |cause| &cause.code).clone();
                self.notes.refused(Refusal { called_us, node, code });
                (Outcome::Refused, node)
            }
        };
        note(&self.notes, self.number, called_us, node, &alert.name, Call::Read { level }, outcome);
        outcome
    }

    /// The node's number: addresses are in the order of numbers.
    fn number_of(&self, address: &str) -> Option<u64> {
        self.nodes.iter().position(|known| known == address).map(|place| place as u64 + 1)
    }

    /// Every second call goes where the client chooses, every other to a node at random, whatever became of it.
    fn sometimes_one_node(&mut self) -> AlertClient {
        if self.random.random_bool(0.5) {
            return self.api.clone();
        }
        let node = self.nodes[self.random.random_range(0..self.nodes.len())].clone();
        self.api.at_node(node)
    }
}

fn found(record: Option<pb::AlertRecord>, staleness_us: Option<u64>) -> Outcome {
    let record = record.unwrap_or_default();
    let info = record.info.unwrap_or_default();
    let value = record.alert.as_ref().map_or(0, value_of);
    Outcome::Found { version: info.version, value, staleness_us }
}

fn write_outcome(result: &Result<pb::WriteResponse, Error>) -> Outcome {
    match result {
        Ok(answer) => Outcome::Written { version: answer.version },
        Err(error) if error.maybe_applied => Outcome::Unknown,
        Err(error) if error.code == "VERSION_CONFLICT" => Outcome::Conflict,
        Err(error) => {
            assert!(error.retryable, "a write that should have been possible: {error}");
            Outcome::Refused
        }
    }
}

fn note(notes: &Notes, client: u32, called_us: u64, node: Option<u64>, alert: &str, call: Call, outcome: Outcome) {
    let returned_us = (outcome != Outcome::Unknown).then(|| notes.now_us());
    let alert = alert.to_owned();
    notes.add(Operation { client, called_us, returned_us, node, alert, call, outcome });
}

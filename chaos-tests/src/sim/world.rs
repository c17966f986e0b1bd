//! One simulated cluster with its clients, and the hand that moves it: steps, crashes, cuts, heals.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, UNIX_EPOCH},
};

use alert_node::raft::options::LogBounds;
use rand::{Rng, SeedableRng, rngs::SmallRng};
use turmoil::{Builder, Sim};

use super::{
    machine::{Machine, START_MS},
    net::{Directory, SimConnector, node_name},
    observer::Observer,
    process::{self, Surroundings},
    time::{STEP_US, SimTime},
};
use crate::{
    faults::{Kind, Operator, Plan},
    report::Timeline,
    traffic::clients::{Alerts, Client, Recorder, Task},
};

/// How a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Runs,
    /// Starts again at this moment, unless told before.
    Down {
        until_us: u64,
    },
    /// Its disk cannot be believed: it must not come back under its id.
    Condemned,
}

/// Everything of one run.
pub struct World {
    pub sim: Sim<'static>,
    pub time: SimTime,
    pub timeline: Timeline,
    pub observer: Observer,
    pub recorder: Recorder,
    pub alerts: Alerts,
    pub operator: Operator,
    pub machines: BTreeMap<u64, Arc<Machine>>,
    pub standing: BTreeMap<u64, Standing>,
    pub random: SmallRng,
    directory: Directory,
    around: Surroundings,
    seed: u64,
    clients: BTreeSet<String>,
    /// Pairs of hosts between which something is wrong.
    pub broken: BTreeSet<(String, String)>,
}

impl World {
    pub fn new(seed: u64, plan: &Plan) -> Self {
        let sim = Builder::new()
            .tick_duration(Duration::from_micros(STEP_US))
            .simulation_duration(Duration::from_secs(3600))
            .epoch(UNIX_EPOCH + Duration::from_millis(START_MS))
            .min_message_latency(Duration::from_millis(1))
            .max_message_latency(plan.latency_max)
            .tcp_capacity(4096)
            .rng_seed(seed)
            .build();
        sim.set_message_latency_curve(5.0);
        let time = SimTime::default();
        let timeline = Timeline::new({
            let time = time.clone();
            move || time.now_us()
        });
        let observer = Observer::new(time.clone(), timeline.clone());
        let recorder = Recorder::new(time.clone(), timeline.clone());
        let directory = Directory::default();
        let around = Surroundings {
            directory: directory.clone(),
            observer: observer.clone(),
            timeline: timeline.clone(),
            log: LogBounds {
                snapshot_after_bytes: plan.snapshot_after_bytes,
                keep_bytes: plan.snapshot_after_bytes / 2,
                keep_entries: if plan.faults.contains(&Kind::Install) { 5 } else { 20 },
                // A run has some hundreds of entries.
                cut_entries_min: 10,
                ..LogBounds::default()
            },
        };
        Self {
            operator: Operator::new(observer.clone(), timeline.clone()),
            sim,
            time,
            timeline,
            observer,
            recorder,
            alerts: Alerts::default(),
            machines: BTreeMap::new(),
            standing: BTreeMap::new(),
            random: SmallRng::seed_from_u64(seed ^ 0xFA_0175),
            directory,
            around,
            seed,
            clients: BTreeSet::new(),
            broken: BTreeSet::new(),
        }
    }

    /// A machine with a node on it. Clients do not know it yet.
    pub fn add_node(&mut self, id: u64) {
        let machine = Machine::new(id, self.seed.wrapping_mul(31).wrapping_add(id), self.time.clone());
        self.machines.insert(id, machine.clone());
        self.standing.insert(id, Standing::Runs);
        let around = self.around.clone();
        let name = node_name(id);
        self.sim.host(name.as_str(), move || process::run(machine.clone(), around.clone()));
        self.directory.add_node(id, self.sim.lookup(name.as_str()));
    }

    pub fn add_operator(&mut self, seeds: Vec<u64>) {
        let connector = SimConnector { directory: self.directory.clone(), from: "operator".into() };
        let run = self.operator.clone().run(connector, self.seed ^ 0x0BE2, seeds);
        self.sim.client("operator", run);
        self.directory.add_client("operator", Operator::caller(), self.sim.lookup("operator"));
        self.clients.insert("operator".into());
    }

    /// A client that nobody has started.
    pub fn client(&mut self, number: u32, task: Task) -> Client {
        let name = format!("client-{number}");
        Client {
            task,
            connector: SimConnector { directory: self.directory.clone(), from: name.clone() },
            name,
            number,
            seed: self.seed.wrapping_mul(1009).wrapping_add(u64::from(number)),
            recorder: self.recorder.clone(),
            alerts: self.alerts.clone(),
        }
    }

    pub fn start_client<F>(&mut self, name: &str, task: Task, work: F)
    where
        F: Future<Output = turmoil::Result> + 'static,
    {
        self.sim.client(name, work);
        self.directory.add_client(name, task.caller(name), self.sim.lookup(name));
        self.clients.insert(name.to_owned());
    }

    /// One millisecond. Machines whose power went in the middle of their work are taken down, nodes whose time has come
    /// start again.
    pub fn step(&mut self) -> Result<(), String> {
        self.time.step();
        self.sim.step().map_err(|error| error.to_string())?;
        let ids: Vec<u64> = self.machines.keys().copied().collect();
        let now_us = self.time.now_us();
        for id in ids {
            let name = node_name(id);
            match self.standing[&id] {
                Standing::Runs if !self.machines[&id].disk.is_powered() => {
                    self.timeline.note("fault", format!("node {id} lost its power in the middle of its work"));
                    self.take_down(id, 1_000_000);
                }
                Standing::Runs if !self.sim.is_host_running(name.as_str()) => {
                    // As a supervisor would: it is started again after a while.
                    self.take_down(id, 1_500_000);
                }
                Standing::Down { until_us } if until_us <= now_us => self.start(id),
                _ => {}
            }
        }
        Ok(())
    }

    /// Steps until `holds` or `limit` has passed; says whether it holds.
    pub fn step_until(&mut self, limit: Duration, mut holds: impl FnMut(&mut Self) -> bool) -> Result<bool, String> {
        let end_us = self.time.now_us() + limit.as_micros() as u64;
        while self.time.now_us() < end_us {
            self.step()?;
            if holds(self) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The process is gone at once; it starts again later.
    pub fn take_down(&mut self, id: u64, for_us: u64) {
        self.sim.crash(node_name(id).as_str());
        self.observer.gone(id);
        self.standing.insert(id, Standing::Down { until_us: self.time.now_us() + for_us });
    }

    /// The process is gone and does not come back.
    pub fn condemn(&mut self, id: u64, why: &str) {
        if self.standing.get(&id) == Some(&Standing::Runs) {
            self.sim.crash(node_name(id).as_str());
        }
        self.observer.gone(id);
        self.timeline.note("fault", format!("node {id} must not come back: {why}"));
        self.standing.insert(id, Standing::Condemned);
    }

    pub fn start(&mut self, id: u64) {
        self.machines[&id].disk.restore_power();
        self.machines[&id].paused.store(false, Relaxed);
        self.standing.insert(id, Standing::Runs);
        self.sim.bounce(node_name(id).as_str());
    }

    pub fn start_if_down(&mut self, id: u64) {
        if matches!(self.standing.get(&id), Some(Standing::Down { .. })) {
            self.start(id);
        }
    }

    pub fn runs(&self, id: u64) -> bool {
        self.standing.get(&id) == Some(&Standing::Runs)
    }

    /// Nodes that run now.
    pub fn running(&self) -> Vec<u64> {
        self.standing.iter().filter(|(_, standing)| **standing == Standing::Runs).map(|(id, _)| *id).collect()
    }

    pub fn pick(&mut self, from: &[u64]) -> Option<u64> {
        if from.is_empty() { None } else { Some(from[self.random.random_range(0..from.len())]) }
    }

    /// Every other host.
    pub fn others(&self, name: &str) -> Vec<String> {
        let nodes = self.machines.keys().map(|id| node_name(*id));
        nodes.chain(self.clients.iter().cloned()).filter(|other| other != name).collect()
    }

    /// Takes a way between two hosts for a fault; false when there is one already.
    pub fn take_way(&mut self, a: &str, b: &str) -> bool {
        let pair = if a < b { (a.to_owned(), b.to_owned()) } else { (b.to_owned(), a.to_owned()) };
        self.broken.insert(pair)
    }

    pub fn free_way(&mut self, a: &str, b: &str) {
        let pair = if a < b { (a.to_owned(), b.to_owned()) } else { (b.to_owned(), a.to_owned()) };
        self.broken.remove(&pair);
        self.directory.cut(a, b, false);
        self.directory.cut(b, a, false);
    }

    /// Notes for connectors that messages from `a` do not reach `b`.
    pub fn note_cut(&self, a: &str, b: &str) {
        self.directory.cut(a, b, true);
    }
}

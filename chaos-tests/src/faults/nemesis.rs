//! Makes faults happen, heals them when their time has come, and notes whether they took effect.

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use rand::{Rng, seq::SliceRandom};

use super::{Kind, Order, Plan, Tally};
use crate::sim::{Standing, World, machine::LOG, net::node_name};

const MS: u64 = 1000;
/// After so many faults the cluster is left in peace for a while: one that never stands has nothing to lose.
const FAULTS_BETWEEN_RESTS: std::ops::Range<u32> = 3..8;
const REST_MS: std::ops::Range<u64> = 1500..3500;

/// What undoes a fault.
enum Heal {
    Cut(Vec<(String, String)>),
    Slow(Vec<(String, String)>),
    Lossy(Vec<(String, String)>),
    Hang(u64, Vec<(String, String)>),
    Clock(u64),
    Disk(u64),
}

/// What is looked at later.
enum Watch {
    /// The power goes in the middle of the work, or at the latest now.
    Torn { id: u64, losses: u64 },
    /// The power goes when the node stands in a later term.
    Voted { id: u64, term: u64, until_us: u64 },
    /// A node whose fsyncs fail has to stop.
    MustStop { id: u64 },
    /// A node whose disk lied must not start.
    MustNotStart { id: u64 },
    /// A wiped node must not take part.
    MustNotTakePart { id: u64 },
    /// What a node with a rotten log does.
    Rotten { id: u64 },
}

/// The cause of all trouble.
pub struct Nemesis {
    plan: Plan,
    /// Kinds that have to happen yet; then any.
    first: Vec<Kind>,
    next_us: u64,
    until_rest: u32,
    active: Vec<(u64, Heal)>,
    watched: Vec<(u64, Watch)>,
    pub tally: Tally,
    next_node: u64,
    condemned: bool,
}

impl Nemesis {
    pub fn new(plan: &Plan) -> Self {
        let first = plan.faults.clone();
        let next_node = plan.voters + plan.learners + 1;
        Self {
            plan: plan.clone(),
            first,
            next_us: 0,
            until_rest: FAULTS_BETWEEN_RESTS.start,
            active: Vec::new(),
            watched: Vec::new(),
            tally: Tally::default(),
            next_node,
            condemned: false,
        }
    }

    /// True when this run has faults of the kind.
    pub fn plans(&self, kind: Kind) -> bool {
        self.plan.faults.contains(&kind)
    }

    /// True for a member that never votes.
    pub fn is_learner(&self, id: u64) -> bool {
        id > self.plan.voters && id <= self.plan.voters + self.plan.learners
    }

    /// Kinds that have not taken effect.
    pub fn missing(&self) -> Vec<Kind> {
        self.tally.without_effect(&self.plan.faults).collect()
    }

    /// Called after each step while faults may happen.
    pub fn step(&mut self, world: &mut World) {
        self.look(world);
        let now_us = world.time.now_us();
        if now_us < self.next_us {
            return;
        }
        let quiet = self.plan.quiet.as_micros() as u64;
        self.next_us = now_us + world.random.random_range(quiet / 2..quiet * 2);
        self.until_rest -= 1;
        if self.until_rest == 0 {
            self.until_rest = world.random.random_range(FAULTS_BETWEEN_RESTS);
            self.next_us += world.random.random_range(REST_MS) * MS;
        }
        let kind = match self.first.pop() {
            Some(kind) => kind,
            None => {
                let missing = self.missing();
                let from =
                    if missing.is_empty() || world.random.random_bool(0.5) { &self.plan.faults } else { &missing };
                from[world.random.random_range(0..from.len())]
            }
        };
        self.tally.tried(kind);
        if self.begin(world, kind) == Some(true) {
            self.tally.took_effect(kind);
        }
    }

    /// Heals what is due, and judges what was waited for. Also after the faults have ended.
    pub fn look(&mut self, world: &mut World) {
        for (order, done) in world.operator.done() {
            self.ordered(world, order, done);
        }
        let now_us = world.time.now_us();
        let (due, active): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.active).into_iter().partition(|(until, _)| *until <= now_us);
        self.active = active;
        due.into_iter().for_each(|(_, heal)| self.heal(world, heal));
        let (due, watched): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.watched).into_iter().partition(|(at, _)| *at <= now_us);
        self.watched = watched;
        due.into_iter().for_each(|(_, watch)| self.judge(world, watch));
    }

    /// Everything that can be healed is healed now.
    pub fn heal_all(&mut self, world: &mut World) {
        for (_, heal) in std::mem::take(&mut self.active) {
            self.heal(world, heal);
        }
        world.timeline.note("fault", "everything is healed");
    }

    /// True while something is still waited for.
    pub fn is_waiting(&self) -> bool {
        !self.watched.is_empty()
    }

    fn ordered(&mut self, world: &mut World, order: Order, done: bool) {
        let kinds: &[Kind] = match order {
            Order::Form { .. } => &[],
            Order::Join(id) => {
                if done {
                    world.recorder.add_node(id);
                }
                &[Kind::Join]
            }
            Order::Remove(id) => {
                if done && world.standing.get(&id) != Some(&Standing::Condemned) {
                    world.condemn(id, "it has left");
                }
                &[Kind::Remove, Kind::Replace]
            }
            Order::Snapshot(_) => &[Kind::Snapshot],
            Order::Transfer(_) => &[Kind::Transfer],
        };
        if done {
            kinds.iter().for_each(|kind| self.tally.took_effect(*kind));
        }
    }

    fn note(&self, world: &World, words: String) {
        world.timeline.note("fault", words);
    }

    /// Begins a fault. `Some(true)`: it took effect; `Some(false)`: that shows later; `None`: it was not possible now.
    fn begin(&mut self, world: &mut World, kind: Kind) -> Option<bool> {
        let running = world.running();
        let members: Vec<u64> = running.iter().copied().filter(|id| world.recorder.nodes().contains(id)).collect();
        let victim = {
            // Half of the time it is the leader that is hit.
            let leader = world.observer.leader().filter(|id| members.contains(id));
            match leader {
                Some(leader) if world.random.random_bool(0.4) => leader,
                _ => world.pick(&members)?,
            }
        };
        let name = node_name(victim);
        let now_us = world.time.now_us();
        let short = world.random.random_range(300 * MS..2500 * MS);
        match kind {
            Kind::Crash => {
                self.note(world, format!("node {victim} is killed, for {} ms", short / MS));
                world.take_down(victim, short);
                Some(true)
            }
            Kind::PowerLoss => {
                self.note(world, format!("node {victim} loses its power, for {} ms", short / MS));
                world.machines[&victim].disk.lose_power();
                world.take_down(victim, short);
                Some(true)
            }
            Kind::TornWrite => {
                let after = world.random.random_range(1..12);
                self.note(world, format!("node {victim} will lose its power at change {after} of its disk"));
                let disk = &world.machines[&victim].disk;
                let losses = disk.effects().power_losses;
                disk.lose_power_after(after);
                self.watched.push((now_us + 1500 * MS, Watch::Torn { id: victim, losses }));
                Some(false)
            }
            Kind::AllLosePower => {
                self.note(world, "every node loses its power".into());
                for id in running {
                    world.machines[&id].disk.lose_power();
                    let time = world.random.random_range(200 * MS..1200 * MS);
                    world.take_down(id, time);
                }
                Some(true)
            }
            Kind::VotedThenPowerLoss => {
                let leader = world.observer.leader().filter(|id| members.contains(id))?;
                let voter = world.pick(&members.iter().copied().filter(|id| *id != leader).collect::<Vec<_>>())?;
                self.note(world, format!("node {leader} is killed; node {voter} will lose its power when it votes"));
                world.take_down(leader, short);
                world.observer.look_closely(true);
                let term = world.observer.node(voter).term;
                self.watched.push((now_us, Watch::Voted { id: voter, term, until_us: now_us + 3000 * MS }));
                Some(false)
            }
            Kind::CutOff => {
                let clients_too = world.random.random_bool(0.3);
                let others: Vec<String> =
                    world.others(&name).into_iter().filter(|other| clients_too || other.starts_with("node-")).collect();
                let ways = self.take(world, others.into_iter().map(|other| (name.clone(), other)).collect())?;
                self.note(world, format!("node {victim} is cut off, for {} ms", short / MS));
                for (a, b) in &ways {
                    world.sim.partition(a.as_str(), b.as_str());
                    world.note_cut(a, b);
                }
                self.active.push((now_us + short, Heal::Cut(ways)));
                Some(true)
            }
            Kind::OneWay => {
                let inward = world.random.random_bool(0.5);
                let all = world.random.random_bool(0.5);
                let mut others: Vec<String> =
                    world.others(&name).into_iter().filter(|other| other.starts_with("node-")).collect();
                if !all {
                    others.shuffle(&mut world.random);
                    others.truncate(1);
                }
                let ways = self.take(world, others.into_iter().map(|other| (name.clone(), other)).collect())?;
                let words = if inward { "hears nothing" } else { "is not heard" };
                self.note(world, format!("node {victim} {words} by {} others, for {} ms", ways.len(), short / MS));
                for (own, other) in &ways {
                    let (from, to) = if inward { (other, own) } else { (own, other) };
                    world.sim.partition_oneway(from.as_str(), to.as_str());
                    world.note_cut(from, to);
                }
                self.active.push((now_us + short, Heal::Cut(ways)));
                Some(true)
            }
            Kind::Partial => {
                let other = world.pick(&members.iter().copied().filter(|id| *id != victim).collect::<Vec<_>>())?;
                let ways = self.take(world, vec![(name, node_name(other))])?;
                self.note(world, format!("nodes {victim} and {other} do not reach each other, for {} ms", short / MS));
                for (a, b) in &ways {
                    world.sim.partition(a.as_str(), b.as_str());
                    world.note_cut(a, b);
                }
                self.active.push((now_us + short, Heal::Cut(ways)));
                Some(true)
            }
            Kind::Delay => {
                let most = world.random.random_range(60..500);
                let all = ways_of(world, &name);
                let ways = self.take(world, all)?;
                self.note(world, format!("messages of node {victim} take up to {most} ms, for {} ms", short / MS));
                for (a, b) in &ways {
                    world.sim.set_link_max_message_latency(a.as_str(), b.as_str(), Duration::from_millis(most));
                }
                self.active.push((now_us + short, Heal::Slow(ways)));
                Some(true)
            }
            Kind::Loss => {
                let all = ways_of(world, &name);
                let ways = self.take(world, all)?;
                self.note(world, format!("messages of node {victim} are lost now and then, for {} ms", short / MS));
                for (a, b) in &ways {
                    world.sim.set_link_fail_rate(a.as_str(), b.as_str(), 0.01);
                }
                self.active.push((now_us + short, Heal::Lossy(ways)));
                Some(true)
            }
            Kind::ClockJump => {
                // A minority of the clocks may be wrong: what a cluster does with more of them is nobody's promise.
                if self.active.iter().any(|(_, heal)| matches!(heal, Heal::Clock(_))) {
                    return None;
                }
                let jump = world.random.random_range(-7_200_000..7_200_000);
                self.note(world, format!("the wall clock of node {victim} jumps by {jump} ms"));
                world.machines[&victim].clock_offset_ms.store(jump, Relaxed);
                self.active.push((now_us + 2 * short, Heal::Clock(victim)));
                Some(true)
            }
            Kind::ClockDrift => {
                let drift = world.random.random_range(-400..=400);
                self.note(world, format!("the clocks of node {victim} drift by {drift} parts in a million"));
                world.machines[&victim].clock_drift_ppm.store(drift, Relaxed);
                Some(true)
            }
            Kind::Pause => {
                let all = ways_of(world, &name);
                let ways = self.take(world, all)?;
                self.note(world, format!("node {victim} hangs for {} ms", short / MS));
                for (a, b) in &ways {
                    world.sim.hold(a.as_str(), b.as_str());
                }
                world.machines[&victim].paused.store(true, Relaxed);
                self.active.push((now_us + short, Heal::Hang(victim, ways)));
                Some(true)
            }
            Kind::SlowDisk => {
                let slow = world.random.random_range(20..400);
                self.note(
                    world,
                    format!("each turn of node {victim}'s disk takes {slow} ms longer, for {} ms", short / MS),
                );
                world.machines[&victim].slow_disk_ms.store(slow, Relaxed);
                self.active.push((now_us + short, Heal::Disk(victim)));
                Some(true)
            }
            Kind::FailingSync => {
                self.condemn_once()?;
                self.note(world, format!("fsyncs of node {victim}'s log fail from now on"));
                world.machines[&victim].disk.fail_syncs(Some(LOG.as_ref()));
                self.watched.push((now_us + 3000 * MS, Watch::MustStop { id: victim }));
                Some(false)
            }
            Kind::BitRot => {
                self.condemn_once()?;
                world.take_down(victim, 200 * MS);
                let rotten = world.machines[&victim].disk.rot(LOG.as_ref());
                self.note(world, format!("a bit of node {victim}'s log flips while it is down"));
                self.watched.push((now_us + 900 * MS, Watch::Rotten { id: victim }));
                Some(rotten)
            }
            Kind::Wiped => {
                self.condemn_once()?;
                self.note(world, format!("node {victim} comes back with an empty disk under its old id"));
                world.take_down(victim, 300 * MS);
                world.machines[&victim].disk.wipe();
                world.observer.wiped(victim);
                self.watched.push((now_us + 3500 * MS, Watch::MustNotTakePart { id: victim }));
                Some(true)
            }
            Kind::Join => {
                let id = self.new_node(world)?;
                world.operator.order(Order::Join(id));
                Some(false)
            }
            Kind::Remove | Kind::Replace => {
                if self.condemned {
                    return None;
                }
                let id = self.new_node(world)?;
                world.operator.order(Order::Join(id));
                world.operator.order(Order::Remove(victim));
                Some(false)
            }
            Kind::Snapshot => {
                if members.len() > 2 && world.random.random_bool(0.5) {
                    let late = world.pick(&members.iter().copied().filter(|id| *id != victim).collect::<Vec<_>>())?;
                    self.note(world, format!("node {late} is down while the others cut their logs"));
                    world.take_down(late, 2500 * MS);
                }
                for id in members {
                    if world.runs(id) {
                        world.operator.order(Order::Snapshot(id));
                    }
                }
                Some(false)
            }
            // The clients' own.
            Kind::HangUp | Kind::Repeat => None,
            Kind::Transfer => {
                let to = if world.random.random_bool(0.5) { 0 } else { victim };
                world.operator.order(Order::Transfer(to));
                Some(false)
            }
        }
    }

    fn condemn_once(&mut self) -> Option<()> {
        if std::mem::replace(&mut self.condemned, true) { None } else { Some(()) }
    }

    /// A new machine, at most three in a run.
    fn new_node(&mut self, world: &mut World) -> Option<u64> {
        let id = self.next_node;
        if id > self.plan.voters + self.plan.learners + 3 {
            return None;
        }
        self.next_node += 1;
        world.add_node(id);
        Some(id)
    }

    /// Those of the ways that no other fault has.
    fn take(&self, world: &mut World, ways: Vec<(String, String)>) -> Option<Vec<(String, String)>> {
        let taken: Vec<_> = ways.into_iter().filter(|(a, b)| world.take_way(a, b)).collect();
        if taken.is_empty() { None } else { Some(taken) }
    }

    fn heal(&mut self, world: &mut World, heal: Heal) {
        match heal {
            Heal::Cut(ways) => {
                for (a, b) in ways {
                    world.sim.repair(a.as_str(), b.as_str());
                    world.free_way(&a, &b);
                }
            }
            Heal::Slow(ways) => {
                for (a, b) in ways {
                    world.sim.set_link_max_message_latency(a.as_str(), b.as_str(), self.plan.latency_max);
                    world.free_way(&a, &b);
                }
            }
            Heal::Lossy(ways) => {
                for (a, b) in ways {
                    world.sim.set_link_fail_rate(a.as_str(), b.as_str(), 0.0);
                    world.sim.repair(a.as_str(), b.as_str());
                    world.free_way(&a, &b);
                }
            }
            Heal::Hang(id, ways) => {
                world.machines[&id].paused.store(false, Relaxed);
                for (a, b) in ways {
                    world.sim.release(a.as_str(), b.as_str());
                    world.free_way(&a, &b);
                }
            }
            Heal::Clock(id) => world.machines[&id].clock_offset_ms.store(0, Relaxed),
            Heal::Disk(id) => world.machines[&id].slow_disk_ms.store(0, Relaxed),
        }
    }

    fn judge(&mut self, world: &mut World, watch: Watch) {
        let now_us = world.time.now_us();
        match watch {
            Watch::Torn { id, losses } => {
                if world.machines[&id].disk.effects().power_losses > losses {
                    self.tally.took_effect(Kind::TornWrite);
                } else {
                    // It had nothing to write; the armed loss must not come as a surprise later.
                    world.machines[&id].disk.disarm();
                }
            }
            Watch::Voted { id, term, until_us } => {
                let voted = world.runs(id) && world.observer.node(id).term > term;
                if !voted && now_us < until_us {
                    self.watched.push((now_us, watch));
                    return;
                }
                world.observer.look_closely(false);
                if voted {
                    self.note(world, format!("node {id} loses its power after its vote"));
                    world.machines[&id].disk.lose_power();
                    world.take_down(id, 800 * MS);
                    self.tally.took_effect(Kind::VotedThenPowerLoss);
                }
            }
            Watch::MustStop { id } => {
                let effects = world.machines[&id].disk.effects();
                if effects.syncs_failed == 0 {
                    // Nothing to sync so far: look again.
                    self.watched.push((now_us + 500 * MS, Watch::MustStop { id }));
                    return;
                }
                self.tally.took_effect(Kind::FailingSync);
                if world.runs(id) && world.observer.node(id).leads {
                    let what = format!("node {id} leads, three seconds after an fsync of its log failed");
                    world.observer.violation("nothing goes on after a failed fsync", what);
                }
                world.machines[&id].disk.fail_syncs(None);
                if world.runs(id) {
                    world.take_down(id, 100 * MS);
                }
                world.start_if_down(id);
                self.watched.push((now_us + 500 * MS, Watch::MustNotStart { id }));
            }
            Watch::MustNotStart { id } => {
                if world.runs(id) && world.observer.node(id).ready {
                    let what = format!("node {id} serves on a disk that failed an fsync");
                    world.observer.violation("a suspect disk is not used again", what);
                }
                self.leave(world, id, "its disk failed an fsync");
            }
            Watch::MustNotTakePart { id } => {
                if world.observer.node(id).applied > 0 && world.runs(id) {
                    let what = format!("node {id} takes part with another disk under its old id");
                    world.observer.violation("a wiped disk is refused", what);
                }
                self.leave(world, id, "its disk was wiped");
            }
            Watch::Rotten { id } => self.leave(world, id, "its log is rotten"),
        }
    }

    /// As an operator would: the node is removed, and another joins in its place.
    fn leave(&mut self, world: &mut World, id: u64, why: &str) {
        world.condemn(id, why);
        world.operator.order(Order::Remove(id));
        if let Some(new) = self.new_node(world) {
            world.operator.order(Order::Join(new));
        }
    }
}

/// From a host to every other.
fn ways_of(world: &World, name: &str) -> Vec<(String, String)> {
    world.others(name).into_iter().map(|other| (name.to_owned(), other)).collect()
}

//! How each kind of fault happens.

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use alert_node::raft::clocks::SAMPLE_AGE_MAX;
use rand::{Rng, seq::SliceRandom};

use super::{
    Condemned, MS, Nemesis,
    after::{Heal, Watch},
};
use crate::{
    faults::{Kind, Order},
    sim::{World, machine::LOG, net::node_name},
};

/// Few writes make a log that is not worth a cut.
const CUT_TIME_MAX: u64 = 12_000 * MS;

/// A smaller cluster could not spare a node.
const VOTERS_MIN: usize = 3;
const NEW_NODES: u64 = 3;
const NEW_NODES_MAX: u64 = 8;

impl Nemesis {
    /// Begins a fault. `Some(true)`: it took effect; `Some(false)`: that shows later; `None`: it was not possible now.
    pub(super) fn begin(&mut self, world: &mut World, kind: Kind) -> Option<bool> {
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
                let mut all = ways_of(world, &name);
                // Half of the time clients reach the node as fast as ever: they see how old its state is.
                if world.random.random_bool(0.5) {
                    all.retain(|(_, other)| other.starts_with("node-"));
                }
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
                // A node that is gone is believed for a moment yet.
                if now_us < self.clocks_agree_us {
                    return None;
                }
                let jump = world.random.random_range(-7_200_000..7_200_000);
                self.note(world, format!("the wall clock of node {victim} jumps by {jump} ms"));
                world.machines[&victim].clock_offset_ms.store(jump, Relaxed);
                self.active.push((now_us + 2 * short, Heal::Clock(victim)));
                self.clocks_agree_us = now_us + 2 * short + SAMPLE_AGE_MAX.as_micros() as u64;
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
                self.condemn_once(victim)?;
                self.note(world, format!("fsyncs of node {victim}'s log fail from now on"));
                world.machines[&victim].disk.fail_syncs(Some(LOG.as_ref()));
                self.watched.push((now_us + 3000 * MS, Watch::MustStop { id: victim }));
                Some(false)
            }
            Kind::BitRot => {
                self.condemn_once(victim)?;
                world.take_down(victim, 200 * MS);
                let rotten = world.machines[&victim].disk.rot(LOG.as_ref());
                self.note(world, format!("a bit of node {victim}'s log flips while it is down"));
                self.watched.push((now_us + 900 * MS, Watch::Rotten { id: victim }));
                Some(rotten)
            }
            Kind::Wiped => {
                self.condemn_once(victim)?;
                self.note(world, format!("node {victim} comes back with an empty disk under its old id"));
                world.take_down(victim, 300 * MS);
                world.machines[&victim].disk.wipe();
                world.observer.wiped(victim);
                self.watched.push((now_us + 3500 * MS, Watch::MustNotTakePart { id: victim }));
                Some(true)
            }
            Kind::Join => {
                let id = self.new_node(world, kind)?;
                world.operator.order(Order::Join(id));
                Some(false)
            }
            Kind::Remove | Kind::Replace => {
                // Until a node that had to go is replaced, nobody else can be spared.
                if self.leaves || matches!(self.condemned, Condemned::Lacks(_)) {
                    return None;
                }
                let voters = members.iter().filter(|id| !self.is_learner(**id)).count();
                let order = if kind == Kind::Remove && voters > VOTERS_MIN {
                    Order::Remove(victim)
                } else {
                    Order::Replace { joins: self.new_node(world, kind)?, leaves: victim }
                };
                self.leaves = true;
                world.operator.order(order);
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
            Kind::Install => {
                let leader = world.observer.leader();
                let late = members.iter().copied().filter(|id| Some(*id) != leader).collect::<Vec<_>>();
                // One at a time: the others have to go on writing.
                let installs = |watch: &Watch| matches!(watch, Watch::CutLogs { .. } | Watch::Installed { .. });
                let under_way = self.watched.iter().any(|(_, watch)| installs(watch));
                let late = world.pick(&late).filter(|_| members.len() > 2 && !under_way)?;
                self.note(world, format!("node {late} is down until the others have cut their logs behind it"));
                let installs = world.observer.installs(late);
                let until_us = now_us + CUT_TIME_MAX;
                world.take_down(late, CUT_TIME_MAX);
                self.watched.push((now_us + 1200 * MS, Watch::CutLogs { late, installs, until_us }));
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

    fn condemn_once(&mut self, id: u64) -> Option<()> {
        if self.condemned != Condemned::Nobody || self.leaves {
            return None;
        }
        self.condemned = Condemned::Lacks(id);
        Some(())
    }

    /// A new machine for a fault: at most [`NEW_NODES`] in a run, and more for a kind that has not happened yet.
    fn new_node(&mut self, world: &mut World, kind: Kind) -> Option<u64> {
        let most = if self.tally.effects(kind) > 0 { NEW_NODES } else { NEW_NODES_MAX };
        let taken = self.next_node - (self.plan.voters + self.plan.learners + 1);
        (taken < most).then(|| self.machine(world))
    }

    /// A new machine with an empty node.
    pub(super) fn machine(&mut self, world: &mut World) -> u64 {
        let id = self.next_node;
        self.next_node += 1;
        world.add_node(id);
        id
    }

    /// Those of the ways that no other fault has.
    fn take(&self, world: &mut World, ways: Vec<(String, String)>) -> Option<Vec<(String, String)>> {
        let taken: Vec<_> = ways.into_iter().filter(|(a, b)| world.take_way(a, b)).collect();
        if taken.is_empty() { None } else { Some(taken) }
    }
}

/// From a host to every other.
fn ways_of(world: &World, name: &str) -> Vec<(String, String)> {
    world.others(name).into_iter().map(|other| (name.to_owned(), other)).collect()
}

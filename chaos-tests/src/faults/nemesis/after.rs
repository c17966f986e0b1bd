//! What heals a fault, and what is looked at later.

use std::sync::atomic::Ordering::Relaxed;

use super::{MS, Nemesis};
use crate::{
    faults::{Kind, Order},
    sim::World,
};

/// What undoes a fault.
pub(super) enum Heal {
    Cut(Vec<(String, String)>),
    Slow(Vec<(String, String)>),
    Lossy(Vec<(String, String)>),
    Hang(u64, Vec<(String, String)>),
    Clock(u64),
    Disk(u64),
}

/// What is looked at later.
pub(super) enum Watch {
    /// The power goes in the middle of the work, or at the latest now.
    Torn { id: u64, losses: u64 },
    /// The power goes when the node stands in a later term.
    Voted { id: u64, term: u64, until_us: u64 },
    /// The others cut their logs while the node is down; then it comes back.
    CutLogs { late: u64, installs: u64, until_us: u64 },
    /// The node needs a snapshot from the leader to go on.
    Installed { late: u64, installs: u64 },
    /// A node whose fsyncs fail has to stop.
    MustStop { id: u64 },
    /// A node whose disk lied must not start.
    MustNotStart { id: u64, until_us: u64 },
    /// A wiped node must not take part.
    MustNotTakePart { id: u64 },
    /// What a node with a rotten log does.
    Rotten { id: u64 },
}

/// Within this time nearly every node that may start serves.
const START_TIME_MAX: u64 = 3000 * MS;
/// A leader looks once a second whether its log can be cut.
const LOOK_AT_LOGS: u64 = 1000 * MS;

impl Nemesis {
    pub(super) fn heal(&mut self, world: &mut World, heal: Heal) {
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

    pub(super) fn judge(&mut self, world: &mut World, watch: Watch) {
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
            Watch::CutLogs { late, installs, until_us } => {
                let lacks = world.observer.node(late).last + 1;
                let leader = world.observer.leader();
                let is_cut = leader.is_some_and(|leader| world.observer.node(leader).purged >= lacks);
                if !is_cut && now_us < until_us {
                    let others = world.running().into_iter().filter(|id| *id != late);
                    others.for_each(|id| world.operator.order(Order::Snapshot(id)));
                    self.watched.push((now_us + LOOK_AT_LOGS, watch));
                    return;
                }
                world.start_if_down(late);
                self.watched.push((now_us + 2500 * MS, Watch::Installed { late, installs }));
            }
            Watch::Installed { late, installs } => {
                if world.observer.installs(late) > installs {
                    self.tally.took_effect(Kind::Install);
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
                let until_us = now_us + START_TIME_MAX;
                self.watched.push((now_us + 100 * MS, Watch::MustNotStart { id, until_us }));
            }
            Watch::MustNotStart { id, until_us } => {
                let serves = world.runs(id) && world.observer.node(id).ready;
                if serves {
                    let what = format!("node {id} serves on a disk that failed an fsync");
                    world.observer.violation("a suspect disk is not used again", what);
                } else if now_us < until_us {
                    self.watched.push((now_us + 100 * MS, watch));
                    return;
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
        let joins = self.machine(world);
        world.operator.order(Order::Replace { joins, leaves: id });
    }
}

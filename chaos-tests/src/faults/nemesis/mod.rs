//! Makes faults happen, heals them when their time has come, and notes whether they took effect.
//!
//! * `begin`: how each kind of fault happens
//! * `after`: what heals it, and what is looked at later

mod after;
mod begin;

use rand::Rng;

use super::{Kind, Order, Plan, Tally};
use crate::sim::World;

use after::{Heal, Watch};

const MS: u64 = 1000;
/// After so many faults the cluster is left in peace for a while: one that never stands has nothing to lose.
const FAULTS_BETWEEN_RESTS: std::ops::Range<u32> = 3..8;
const REST_MS: std::ops::Range<u64> = 1500..3500;

/// How it is with the one node of a run that has to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condemned {
    Nobody,
    /// The cluster lacks a node, or will.
    Lacks(u64),
    Replaced,
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
    condemned: Condemned,
    /// The operator has an order that takes a sound node out.
    leaves: bool,
    /// When all clocks were right again, and nodes had forgotten the wrong one.
    clocks_agree_us: u64,
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
            condemned: Condemned::Nobody,
            leaves: false,
            clocks_agree_us: 0,
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
                self.leaves = false;
                if done {
                    world.condemn(id, "it has left");
                }
                &[Kind::Remove]
            }
            Order::Replace { joins, leaves } => {
                if done {
                    world.recorder.add_node(joins);
                }
                match (self.condemned == Condemned::Lacks(leaves), done) {
                    (true, true) => self.condemned = Condemned::Replaced,
                    // The cluster lacks a node until it is done. One that was nearly a member may not be empty any more.
                    (true, false) => {
                        let is_in = world.observer.members().contains(&joins);
                        let joins = if is_in { joins } else { self.machine(world) };
                        world.operator.order(Order::Replace { joins, leaves });
                    }
                    (false, done) => {
                        self.leaves = false;
                        if done {
                            world.condemn(leaves, "it has left");
                        }
                    }
                }
                // Three nodes cannot spare one before another has joined: to them that is a removal.
                &[Kind::Join, Kind::Remove, Kind::Replace]
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
}

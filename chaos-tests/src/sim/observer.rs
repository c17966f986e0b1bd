//! What an all-knowing observer sees of the nodes, and the promises it holds them to: at most one leader in a term, no
//! vote forgotten, one entry at an index, one state at an index.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use alert_core::{
    pb,
    state::{View, family::Family},
};
use alert_node::{
    api::backend::AdminBackend,
    assembly::Assembly,
    raft::types::Entry,
    storage::{
        inspect::{entries, fingerprint},
        state::StateStore,
    },
};
use parking_lot::Mutex;
use tokio::time::sleep;

use super::{process::PROMOTE_AFTER, time::SimTime};
use crate::{
    report::Timeline,
    validate::{Applied, Findings, HeldState},
};

/// Between two looks at a node's role; and while the moment matters.
const LOOK: Duration = Duration::from_millis(10);
const CLOSE_LOOK: Duration = Duration::from_millis(1);
/// Half of the time for which a learner has to keep up before it may vote: looks come late.
const LEARNER_STAGE_MIN: Duration = Duration::from_millis(PROMOTE_AFTER.as_millis() as u64 / 2);

/// What was seen. Clones share it.
#[derive(Clone)]
pub struct Observer {
    time: SimTime,
    timeline: Timeline,
    closely: Arc<AtomicBool>,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    leaders: BTreeMap<u64, u64>,
    /// The newest term that each node has stood in.
    terms: BTreeMap<u64, u64>,
    hashes: BTreeMap<u64, (u128, u64)>,
    entries: BTreeMap<u64, (Applied, u64)>,
    /// Up to where each node's applied entries were read.
    known: BTreeMap<u64, u64>,
    /// Snapshots that each node was given.
    installs: BTreeMap<u64, u64>,
    stores: BTreeMap<u64, StateStore>,
    nodes: BTreeMap<u64, NodeSeen>,
    members: BTreeMap<u64, Vec<u64>>,
    /// When each member was first seen, in microseconds; and those that have been seen to vote.
    member_since: BTreeMap<u64, u64>,
    voters: BTreeSet<u64>,
    findings: Findings,
}

/// A node as it was last seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NodeSeen {
    pub leads: bool,
    pub ready: bool,
    pub term: u64,
    /// The last entry of its log.
    pub last: u64,
    pub applied: u64,
    pub committed: u64,
    pub snapshot: u64,
    /// The log begins behind this index.
    pub purged: u64,
}

impl Observer {
    pub fn new(time: SimTime, timeline: Timeline) -> Self {
        Self { time, timeline, closely: Arc::default(), seen: Arc::default() }
    }

    /// Watches a node's process until it ends.
    pub async fn watch(self, id: u64, assembly: Assembly) {
        let mut position = assembly.storage.state.position();
        let admin = assembly.node.admin();
        self.seen.lock().stores.insert(id, assembly.storage.state.clone());
        let mut next = 1;
        loop {
            tokio::select! {
                biased;
                changed = position.changed() => if changed.is_err() { return },
                () = sleep(if self.closely.load(Relaxed) { CLOSE_LOOK } else { LOOK }) => {}
            }
            let Ok(view) = assembly.storage.state.read() else { continue };
            let print = fingerprint(&view);
            drop(view);
            let applied = print.position.applied_index().unwrap_or(0);
            self.state(id, applied, print.state_hash);
            if next <= applied
                && let Ok(found) = entries(&assembly.storage.log, next, applied + 1).await
                && let Ok(purged) = assembly.storage.log.purged_index()
            {
                let leads_up = found.last().is_some_and(|last| Some(last.log_id) == print.position.applied);
                // What does not lead up to the last applied entry lay in the log before a snapshot was put in its place.
                // Until the log begins behind that snapshot, nothing is known.
                if leads_up || purged >= applied {
                    let found = if leads_up { found } else { Vec::new() };
                    self.installed(id, found.first(), applied);
                    next = applied + 1;
                    found.into_iter().for_each(|entry| self.entry(id, entry));
                }
            }
            if let Ok(status) = admin.status().await {
                let members = status.members.iter().map(|member| member.node_id).collect();
                self.seen.lock().members.insert(id, members);
                if status.role == "leader" {
                    self.stages(&status.members);
                }
                self.role(
                    id,
                    NodeSeen {
                        leads: status.role == "leader",
                        ready: status.ready,
                        term: status.term,
                        last: status.last_log_index,
                        applied: status.applied_index,
                        committed: status.committed_index,
                        snapshot: status.snapshot_index,
                        purged: status.purged_index,
                    },
                );
            }
        }
    }

    /// A node whose log begins beyond what it had applied was given a snapshot. It has applied all up to `last`.
    fn installed(&self, id: u64, first: Option<&Entry>, last: u64) {
        let mut seen = self.seen.lock();
        let known = seen.known.entry(id).or_default();
        let before = std::mem::replace(known, last.max(*known));
        if before < last && first.is_none_or(|entry| entry.log_id.index > before + 1) {
            *seen.installs.entry(id).or_default() += 1;
            self.timeline.note(&format!("node {id}"), format!("was given a snapshot, beyond index {before}"));
        }
    }

    fn state(&self, id: u64, applied: u64, hash: u128) {
        let mut seen = self.seen.lock();
        let (known, by) = *seen.hashes.entry(applied).or_insert((hash, id));
        seen.findings.checked += 1;
        if known != hash {
            let what = format!("at index {applied} node {id} has state {hash:032x}, node {by} had {known:032x}");
            seen.findings.violation("equal state at equal index", self.time.now_us(), what);
        }
    }

    fn entry(&self, id: u64, entry: Entry) {
        let mut seen = self.seen.lock();
        let index = entry.log_id.index;
        seen.findings.checked += 1;
        match seen.entries.get(&index) {
            None => {
                let applied = Applied { entry, at_us: self.time.now_us() };
                seen.entries.insert(index, (applied, id));
            }
            Some((Applied { entry: known, .. }, by))
                if known.log_id != entry.log_id || known.payload != entry.payload =>
            {
                let what =
                    format!("node {id} applied entry {} where node {by} had applied {}", entry.log_id, known.log_id);
                seen.findings.violation("log matching", self.time.now_us(), what);
            }
            Some(_) => {}
        }
    }

    /// A member votes only after it has kept up with the log as a learner for a while; but for the one that founds.
    fn stages(&self, members: &[pb::MemberStatus]) {
        let now_us = self.time.now_us();
        let mut seen = self.seen.lock();
        for member in members {
            let since_us = *seen.member_since.entry(member.node_id).or_insert(now_us);
            if member.kind != "voter" || !seen.voters.insert(member.node_id) || members.len() == 1 {
                continue;
            }
            seen.findings.checked += 1;
            if now_us - since_us < LEARNER_STAGE_MIN.as_micros() as u64 {
                let what = format!("node {} votes {} ms after it joined", member.node_id, (now_us - since_us) / 1000);
                seen.findings.violation("no voter without a learner stage", now_us, what);
            }
        }
    }

    fn role(&self, id: u64, now: NodeSeen) {
        let mut seen = self.seen.lock();
        let before = seen.nodes.insert(id, now).unwrap_or_default();
        let newest = seen.terms.entry(id).or_default();
        let lost = (now.term < *newest).then_some(*newest);
        *newest = now.term;
        if let Some(newest) = lost {
            let what = format!("node {id} had stood in term {newest}, and now it stands in term {}", now.term);
            seen.findings.violation("a vote outlives its process", self.time.now_us(), what);
        }
        if now.leads {
            seen.findings.checked += 1;
            let other = *seen.leaders.entry(now.term).or_insert(id);
            if other != id {
                let what = format!("nodes {other} and {id} both led in term {}", now.term);
                seen.findings.violation("one leader in a term", self.time.now_us(), what);
            }
        }
        if (now.leads, now.term) != (before.leads, before.term) {
            let role = if now.leads { "leads" } else { "does not lead" };
            self.timeline.note(&format!("node {id}"), format!("{role}, term {}", now.term));
        }
        if now.ready != before.ready {
            let words = if now.ready { "serves" } else { "does not serve" };
            self.timeline.note(&format!("node {id}"), words);
        }
        if now.snapshot > before.snapshot {
            self.timeline.note(&format!("node {id}"), format!("has a snapshot of index {}", now.snapshot));
        }
    }

    /// Looks at every node in every step, until told otherwise.
    pub fn look_closely(&self, closely: bool) {
        self.closely.store(closely, Relaxed);
    }

    /// How many snapshots a node was given by others.
    pub fn installs(&self, id: u64) -> u64 {
        self.seen.lock().installs.get(&id).copied().unwrap_or(0)
    }

    /// A node has another disk: nothing is known of it.
    pub fn wiped(&self, id: u64) {
        let mut seen = self.seen.lock();
        seen.terms.remove(&id);
        seen.known.remove(&id);
    }

    /// What of a node's applied entries neither its log nor a snapshot accounts for: from the first, up to the last.
    pub fn unaccounted(&self, id: u64) -> Option<(u64, u64)> {
        let seen = self.seen.lock();
        let known = seen.known.get(&id).copied().unwrap_or(0);
        let applied = seen.nodes.get(&id).map_or(0, |node| node.applied);
        (known < applied).then_some((known + 1, applied))
    }

    /// A node's process is gone.
    pub fn gone(&self, id: u64) {
        let mut seen = self.seen.lock();
        seen.stores.remove(&id);
        if let Some(node) = seen.nodes.get_mut(&id) {
            (node.leads, node.ready) = (false, false);
        }
    }

    pub fn node(&self, id: u64) -> NodeSeen {
        self.seen.lock().nodes.get(&id).copied().unwrap_or_default()
    }

    /// The node that leads in the highest term.
    pub fn leader(&self) -> Option<u64> {
        let seen = self.seen.lock();
        let leading = seen.nodes.iter().filter(|(_, node)| node.leads);
        leading.max_by_key(|(_, node)| node.term).map(|(id, _)| *id)
    }

    /// The members, as the leader knows them.
    pub fn members(&self) -> Vec<u64> {
        let leader = self.leader();
        let seen = self.seen.lock();
        leader.and_then(|leader| seen.members.get(&leader).cloned()).unwrap_or_default()
    }

    /// Terms that had a leader.
    pub fn terms(&self) -> usize {
        self.seen.lock().leaders.len()
    }

    /// All entries that some node applied, in order, and the state hashes that nodes had.
    pub fn applied_log(&self) -> (Vec<Applied>, BTreeMap<u64, u128>) {
        let seen = self.seen.lock();
        let hashes = seen.hashes.iter().map(|(index, (hash, _))| (*index, *hash)).collect();
        (seen.entries.values().map(|(applied, _)| applied.clone()).collect(), hashes)
    }

    /// All that each running node holds now.
    pub fn held_states(&self) -> Vec<HeldState> {
        let stores = self.seen.lock().stores.clone();
        stores.into_iter().filter_map(|(node, store)| held_state(node, &store)).collect()
    }

    pub fn findings(&self) -> Findings {
        self.seen.lock().findings.clone()
    }

    /// Notes something that was broken.
    pub fn violation(&self, promise: &'static str, what: impl Into<String>) {
        self.seen.lock().findings.violation(promise, self.time.now_us(), what);
    }
}

/// Everything but the node's own position, which is no part of the state; `None` while another state is being installed.
fn held_state(node: u64, store: &StateStore) -> Option<HeldState> {
    let view = store.read().ok()?;
    let index = view.position().applied_index()?;
    let mut families = BTreeMap::new();
    for family in Family::ALL.iter().copied().filter(|family| *family != Family::Sys) {
        let mut held = BTreeMap::new();
        let mut cursor = view.cursor(family);
        cursor.seek(&[], &[]).ok()?;
        while let Some((key, value)) = cursor.entry() {
            held.insert(key.to_vec(), value.to_vec());
            cursor.next().ok()?;
        }
        families.insert(family, held);
    }
    Some(HeldState { node, index, families })
}

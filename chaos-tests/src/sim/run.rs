//! One seed, from an empty cluster to a verdict.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering::Relaxed},
        mpsc,
    },
    time::Duration,
};

use alert_node::seam::FileSystem;

use super::{
    SimTime, World, handover,
    load::{Load, acknowledged},
    machine::{AUDIT, START_MS},
    net::node_name,
    panics,
    process::CLUSTER,
    time::STEP_US,
};
use crate::{
    faults::{Kind, Nemesis, Order, Plan, Tally},
    model::History,
    report::{Note, Timeline},
    sim::Standing,
    traffic::clients::{Task, read_all},
    validate::{AuditLog, CheckerBounds, Findings, Replay, Verdict, check_audit, check_levels, check_linearizable},
};

/// What has not happened yet, a fault or enough load, has so long beyond a run's time to happen.
const GRACE_US: u64 = 60_000_000;
/// Entries that a member may lack while writers write.
const WRITES_UNDER_WAY: u64 = 20;

/// What came of one seed.
#[derive(Debug, Clone)]
pub struct Run {
    pub seed: u64,
    pub plan: Plan,
    pub findings: Findings,
    pub notes: Vec<Note>,
    /// Everything that happened, as text: two runs of one seed give the same bytes.
    pub trace: String,
    pub history: History,
    pub tally: Tally,
    pub simulated: Duration,
    /// Calls that clients made.
    pub operations: u64,
    pub terms: usize,
}

impl Run {
    pub fn verdict(&self) -> Verdict {
        self.findings.verdict()
    }
}

/// Runs one seed. The same seed gives the same run, on any machine, provided that the process's randomness is seeded
/// (see the program `alert-sim`).
///
/// Gives the run to `ended`, also when something panics: then the thread stands still for ever.
pub fn run(seed: u64, ended: &mpsc::Sender<Run>) {
    let plan = Plan::of(seed);
    let mut world = World::new(seed, &plan);
    panics::watch({
        let (ended, plan, timeline, time) = (ended.clone(), plan.clone(), world.timeline.clone(), world.time.clone());
        move |panic| drop(ended.send(broken(seed, plan, &timeline, &time, panic)))
    });
    // Whoever asked may have gone.
    let _ = ended.send(whole(seed, plan, &mut world));
    // What is left of the cluster goes without a sound.
    panics::forget();
}

/// A run that panicked, as it stood.
fn broken(seed: u64, plan: Plan, timeline: &Timeline, time: &SimTime, panic: String) -> Run {
    let mut findings = Findings::default();
    findings.violation("no invariant breaks", time.now_us(), panic);
    Run {
        seed,
        plan,
        findings,
        notes: timeline.notes(),
        trace: timeline.text(),
        history: History::default(),
        tally: Tally::default(),
        simulated: Duration::from_micros(time.now_us()),
        operations: 0,
        terms: 0,
    }
}

fn whole(seed: u64, plan: Plan, world: &mut World) -> Run {
    let mut nemesis = Nemesis::new(&plan);
    let mut findings = Findings::default();
    if let Err(broken) = course(world, &mut nemesis, &plan, &mut findings) {
        findings.violation("no part of the simulation fails", world.time.now_us(), broken);
    }
    // The judge has none of the planted bugs.
    #[cfg(feature = "mutants")]
    alert_core::mutants::Mutant::plant(None);
    let is_well = findings.violations.is_empty();
    let load = Load::of(&world.recorder);
    load.judge(&mut findings);
    findings.merge(check_linearizable(&load.history, CheckerBounds::default()));
    findings.merge(check_levels(&load.history, CLOCK_ERROR_US));
    findings.merge(replay(world, &plan, &load, is_well));
    findings.merge(check_audit(&audit_logs(world), &load.searches, world.time.now_us()));
    findings.merge(world.observer.findings());
    for (kind, times) in world.recorder.faults() {
        nemesis.tally.happened(kind, times);
    }
    for kind in nemesis.missing() {
        findings.inconclusive.push(format!("the fault {kind:?} never took effect"));
    }
    findings.violations.sort_by_key(|violation| violation.at_us);
    Run {
        seed,
        operations: load.operations(),
        terms: world.observer.terms(),
        notes: world.timeline.notes(),
        trace: world.timeline.text(),
        simulated: Duration::from_micros(world.time.now_us()),
        plan,
        findings,
        history: load.history,
        tally: nemesis.tally,
    }
}

fn course(world: &mut World, nemesis: &mut Nemesis, plan: &Plan, findings: &mut Findings) -> Result<(), String> {
    form(world, plan, findings)?;
    if !findings.inconclusive.is_empty() {
        return Ok(());
    }
    world.recorder.begin_traffic();
    let end_us = world.time.now_us() + plan.traffic.as_micros() as u64;
    let latest_us = end_us + GRACE_US;
    let mut look_us = 0;
    loop {
        world.step()?;
        let now_us = world.time.now_us();
        let unproven = !nemesis.missing().is_empty() || nemesis.is_waiting();
        // Past its time the cluster is left in peace, but for what has not happened yet.
        if now_us < end_us || unproven {
            nemesis.step(world);
        } else {
            nemesis.look(world);
        }
        if now_us >= end_us && now_us >= look_us {
            look_us = now_us + 100_000;
            if now_us >= latest_us || (!unproven && Load::of(&world.recorder).is_enough()) {
                break;
            }
        }
    }
    liveness(world, nemesis, findings)
}

fn form(world: &mut World, plan: &Plan, findings: &mut Findings) -> Result<(), String> {
    let voters: Vec<u64> = (1..=plan.voters).collect();
    let learners: Vec<u64> = (plan.voters + 1..=plan.voters + plan.learners).collect();
    for id in voters.iter().chain(&learners) {
        world.add_node(*id);
        world.recorder.add_node(*id);
    }
    world.add_operator(voters.clone());
    let tasks = [
        Task::Write,
        Task::Write,
        Task::Write,
        Task::Read,
        Task::Read,
        Task::ReadBounded,
        Task::Search,
        Task::SearchOpen,
        Task::Watch,
        Task::Policy,
        Task::SearchPartner,
        Task::WatchPartner,
    ];
    for (number, task) in (1..).zip(tasks) {
        let client = world.client(number, task);
        let name = client.name.clone();
        world.start_client(&name, task, client.run());
    }
    world.timeline.note("plan", format!("{plan:?}"));
    world.operator.order(Order::Form { voters, learners });
    let mut formed = None;
    world.step_until(Duration::from_secs(60), |world| {
        if let Some((_, done)) = world.operator.done().pop() {
            formed = Some(done);
        }
        formed.is_some()
    })?;
    if formed != Some(true) {
        findings.inconclusive.push("the cluster was not formed".into());
    }
    Ok(())
}

/// Everything is healed: the cluster must elect, converge, serve, and hold all that was acknowledged.
fn liveness(world: &mut World, nemesis: &mut Nemesis, findings: &mut Findings) -> Result<(), String> {
    nemesis.heal_all(world);
    let down: Vec<u64> = world.machines.keys().copied().collect();
    for id in down {
        world.start_if_down(id);
    }
    // Writers go on for a moment: the healed cluster takes writes.
    let writes_before = acknowledged(&world.recorder.history());
    let writes = world.step_until(Duration::from_secs(40), |world| {
        nemesis.look(world);
        acknowledged(&world.recorder.history()) >= writes_before + 5
    })?;
    if !writes {
        let words = "no write was acknowledged within 40 s after everything was healed";
        findings.violation("liveness", world.time.now_us(), words);
    }
    let mut converged = true;
    if writes && nemesis.plans(Kind::Transfer) {
        // Writers still write, so that the members are never all at one index.
        converged = world.step_until(Duration::from_secs(90), |world| stands(world, nemesis, WRITES_UNDER_WAY))?;
        if converged {
            let voters = standing_members(world).into_iter().filter(|id| !nemesis.is_learner(*id)).collect::<Vec<_>>();
            handover::to_a_laggard(world, &voters, findings)?;
        }
    }
    world.recorder.end_traffic();
    converged = converged && world.step_until(Duration::from_secs(90), |world| stands(world, nemesis, 0))?;
    if !converged {
        let words = standing_members(world)
            .into_iter()
            .map(|id| format!("node {id}: {:?}, {:?}", world.standing[&id], world.observer.node(id)))
            .collect::<Vec<_>>()
            .join("; ");
        findings.violation("liveness", world.time.now_us(), format!("not converged within 90 s: {words}"));
        return Ok(());
    }
    world.timeline.note("liveness", "converged");
    let members = standing_members(world);
    let client = world.client(900_000, Task::Read);
    let done = Arc::new(AtomicU8::new(0));
    let name = client.name.clone();
    let tell = done.clone();
    world.start_client(&name, Task::Read, async move {
        let all = read_all(&client, &members).await;
        tell.store(if all { 1 } else { 2 }, Relaxed);
        Ok(())
    });
    world.step_until(Duration::from_secs(120), |_| done.load(Relaxed) != 0)?;
    if done.load(Relaxed) != 1 {
        findings.violation("liveness", world.time.now_us(), "a node of the healed cluster does not answer");
    }
    // A look at a node may be under way.
    world.step_until(Duration::from_secs(1), |world| {
        standing_members(world).into_iter().all(|id| world.observer.unaccounted(id).is_none())
    })?;
    for id in standing_members(world) {
        findings.checked += 1;
        if let Some((first, last)) = world.observer.unaccounted(id) {
            let what = format!("node {id} has applied {first} to {last}, which neither its log nor a snapshot holds");
            findings.violation("a log leads up to what is applied", world.time.now_us(), what);
        }
    }
    Ok(())
}

/// Every member that can be relied on serves, at most `behind` entries after the leader, and nothing is under way.
fn stands(world: &mut World, nemesis: &mut Nemesis, behind: u64) -> bool {
    nemesis.look(world);
    // Members still change as long as the operator has orders.
    if !world.operator.is_idle() || nemesis.is_waiting() {
        return false;
    }
    let Some(leader) = world.observer.leader() else { return false };
    let newest = world.observer.node(leader).applied;
    standing_members(world).iter().all(|id| {
        let node = world.observer.node(*id);
        world.runs(*id) && node.ready && node.applied.abs_diff(newest) <= behind
    })
}

/// What lies on the disks at the end. A node that had to go may have lost its disk with its log.
fn audit_logs(world: &World) -> Vec<AuditLog> {
    let kept = world.machines.iter().filter(|(id, _)| world.standing.get(id) != Some(&Standing::Condemned));
    kept.map(|(id, machine)| {
        machine.disk.restore_power();
        let listed = machine.disk.list(AUDIT.as_ref()).unwrap_or_default();
        let files = listed.into_iter().filter_map(|file| {
            let name = file.path.file_name()?.to_str()?.to_owned();
            alert_core::audit::first_sequence(&name)?;
            Some((name, machine.disk.read(&file.path).ok()?))
        });
        AuditLog {
            cluster: CLUSTER.into(),
            node: node_name(*id),
            processes: machine.processes(),
            files: files.collect(),
        }
    })
    .collect()
}

fn standing_members(world: &World) -> Vec<u64> {
    let members = world.observer.members();
    members
        .into_iter()
        .filter(|id| world.standing.get(id).is_some_and(|standing| *standing != Standing::Condemned))
        .collect()
}

/// Clocks move in steps of a millisecond, and drift by less than half of one in a second.
const CLOCK_ERROR_US: u64 = STEP_US + 500;
/// Faults of these kinds leave answers under way for any time.
const HOLDING: [Kind; 2] = [Kind::Delay, Kind::Pause];
/// What a caller needs to make an answer of messages that have arrived.
const RECEIVING: Duration = Duration::from_millis(10);

fn replay(world: &World, plan: &Plan, load: &Load, is_well: bool) -> Findings {
    let (log, hashes) = world.observer.applied_log();
    let held = world.observer.held_states();
    let (acknowledged, agreement_changes) = world.recorder.acknowledgements();
    let holds = plan.faults.iter().any(|kind| HOLDING.contains(kind));
    let replay = Replay {
        log: &log,
        start_ms: START_MS,
        held: &held,
        hashes: &hashes,
        searches: &load.searches,
        feeds: &load.feeds,
        acknowledged: &acknowledged,
        agreement_changes: &agreement_changes,
        clock_error_us: CLOCK_ERROR_US,
        arrives_within_us: (!holds).then(|| (plan.latency_max + RECEIVING).as_micros() as u64),
        end_us: world.time.now_us(),
        is_well,
    };
    let mut findings = replay.judge();
    let last = log.last().map_or(0, |applied| applied.entry.log_id.index);
    if !held.iter().any(|held| held.index <= last) {
        findings.inconclusive.push("no node's state could be compared with a rebuild".into());
    }
    findings
}

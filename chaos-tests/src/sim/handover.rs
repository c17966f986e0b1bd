//! A handover with nothing else going wrong: the leadership is asked to go to a node that lacks entries. The leader must
//! refuse and go on; one that had begun would take no more writes until somebody else is elected.

use std::time::Duration;

use super::{World, net::node_name};
use crate::{faults::Order, validate::Findings};

/// A node that the leader has not heard of for a second is no candidate at all.
const LAG: Duration = Duration::from_millis(700);
/// Acknowledged writes that the candidate lacks.
const LACKS: usize = 2;
const TRIES: u32 = 8;
/// The leader has led for so long.
const PEACE: Duration = Duration::from_millis(500);

/// Tries it until it comes about; inconclusive when it never does. `voters` run, and know the leader.
pub fn to_a_laggard(world: &mut World, voters: &[u64], findings: &mut Findings) -> Result<(), String> {
    for _ in 0..TRIES {
        // Orders of before may still move the leadership.
        world.step_until(Duration::from_secs(5), |world| world.observer.leader().is_some())?;
        let Some(leader) = world.observer.leader() else { continue };
        let term = world.observer.node(leader).term;
        let leads =
            move |world: &World| world.observer.leader() == Some(leader) && world.observer.node(leader).term == term;
        if world.step_until(PEACE, |world| !leads(world))? {
            continue;
        }
        let others: Vec<u64> = voters.iter().copied().filter(|id| *id != leader).collect();
        // Without the candidate the rest must still be able to commit.
        let Some(candidate) = world.pick(&others).filter(|_| others.len() >= 2) else { return Ok(()) };
        let (from, to) = (node_name(leader), node_name(candidate));
        world.timeline.note("handover", format!("node {candidate} gets nothing from node {leader} and is to lead"));
        world.take_way(&from, &to);
        world.sim.partition_oneway(from.as_str(), to.as_str());
        world.note_cut(&from, &to);
        let cut_us = world.time.now_us();
        let lags = world.step_until(LAG, |world| written_since(world, cut_us) >= LACKS)?;
        let mut done = None;
        let tried = lags && leads(world);
        if tried {
            world.operator.order(Order::Transfer(candidate));
            world.step_until(Duration::from_secs(6), |world| {
                done = done.or(world.operator.done().pop().map(|(_, done)| done));
                done.is_some()
            })?;
        }
        let still_leads = leads(world);
        world.sim.repair(from.as_str(), to.as_str());
        world.free_way(&from, &to);
        if tried {
            findings.checked += 1;
            if done != Some(false) || !still_leads {
                let answer = if done == Some(true) { "was said to be done" } else { "was begun" };
                let what =
                    format!("the transfer from node {leader} to node {candidate}, which lacks entries, {answer}");
                findings.violation("the leadership goes to a node that has everything", world.time.now_us(), what);
            }
            return Ok(());
        }
        world.step_until(Duration::from_secs(2), |_| false)?;
    }
    findings.inconclusive.push("no node ever lagged behind for a handover".into());
    Ok(())
}

/// Writes that were called and acknowledged since: whoever was cut off then has none of them.
fn written_since(world: &World, moment_us: u64) -> usize {
    let history = world.recorder.history();
    history.operations.iter().filter(|write| write.is_acknowledged() && write.called_us > moment_us).count()
}

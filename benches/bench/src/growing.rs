//! `alert-bench grow`: what becomes dearer as the store grows, and what does not.

use std::{path::Path, sync::Arc, time::Duration};

use alert_proto::v1 as pb;
use tokio::time::Instant;

use crate::{
    cpu,
    load::{Outcome, Work, closed},
    loading::measured,
    mix::{Border, Subjects, Write},
    report::{Plot, Report, Series, Table},
    row,
    target::{Records, Target},
};

/// How far, and in which steps.
#[derive(Debug, Clone)]
pub struct GrowOptions {
    /// Alerts stored at each step, in all.
    pub sizes: Vec<u64>,
    /// Of a hundred alerts so many are persons.
    pub persons_per_hundred: u64,
    /// Of each measurement.
    pub time: Duration,
}

const CLIENTS: usize = 16;
const CONNECTIONS: usize = 4;
const WARM_UP: Duration = Duration::from_millis(500);
/// A node of a hundred million alerts may take its time to be ready.
const STOP_LIMIT: Duration = Duration::from_secs(60);
const CATCH_UP_LIMIT: Duration = Duration::from_secs(3600);

/// Grows a store of one node and measures at each size; last, a second node joins it.
///
/// # Errors
/// The node fails.
pub async fn run(directory: &Path, options: &GrowOptions) -> anyhow::Result<Report> {
    let mut report = Report::begin("grow", "What growth costs");
    let target = Target::start(1, Some(directory)).await?;
    let records = Records::new(1);
    let mut table = Table::new(
        "One node",
        &[
            "alerts",
            "persons",
            "import/s",
            "write CPU us",
            "exact p50 ms",
            "exact CPU us",
            "name p50 ms",
            "name p99 ms",
            "name CPU us",
            "state B/alert",
            "log B",
            "memory MiB",
            "open s",
        ],
    );
    let (mut persons, mut objects, mut first) = (0, 0, 0);
    let mut curves: [Vec<(f64, f64)>; 3] = Default::default();
    for &size in &options.sizes {
        let more_persons = (size * options.persons_per_hundred / 100).max(persons);
        let more_objects = (size - more_persons.min(size)).max(objects);
        let begun = Instant::now();
        let more = records.mixed(persons..more_persons, objects..more_objects);
        let created = target.import(futures::stream::iter(more)).await?;
        let import_rate = created as f64 / begun.elapsed().as_secs_f64();
        (persons, objects) = (more_persons, more_objects);

        let mut step = async |work: Arc<dyn Work>| {
            first += 1 << 40;
            measured(&target, closed(&work, CLIENTS, first, WARM_UP, options.time)).await
        };
        let at = |is_asked: fn(&pb::Query) -> bool| {
            Border::searches(&target, &records, pb::ReadLevel::Bounded, CONNECTIONS, None, is_asked).map(Border::work)
        };
        let (writes, write_cpu) = step(Write::new(&target, &records, Subjects::Objects, CONNECTIONS)?.work()).await;
        let (exact, exact_cpu) = step(at(|query| query.vehicle.is_some())?).await;
        let (name, name_cpu) = step(at(|query| query.person.is_some())?).await;
        for outcome in [&writes, &exact, &name] {
            check(outcome)?;
        }
        let memory = cpu::resident_bytes(&target.pids()) as f64 / 1_048_576.0;
        let open = reopen(&target).await?.as_secs_f64();
        let [log, state, _] = target.bytes_on_disk(1)?;
        let stored = (persons + objects + writes.units) as f64;
        table.push(row![
            size,
            persons,
            import_rate,
            write_cpu,
            exact.ms(0.5),
            exact_cpu,
            name.ms(0.5),
            name.ms(0.99),
            name_cpu,
            state as f64 / stored,
            log,
            memory,
            open
        ]);
        println!("{size} alerts: {import_rate:.0} imported/s, exact {exact_cpu:.0} us, name {name_cpu:.0} us");
        for (curve, cost) in curves.iter_mut().zip([write_cpu, exact_cpu, name_cpu]) {
            curve.push((size as f64, cost));
        }
    }
    report.table(table);
    report.table(slopes(&curves));
    let [writes, exact, name] = curves;
    let series =
        vec![Series::new("write", writes), Series::new("exact search", exact), Series::new("name search", name)];
    report
        .plots
        .push(Plot::lines("Processor time by size", "alerts", "us, client and node", series).logarithmic(true, true));
    report.table(catch_up(&target).await?);
    report.note(format!("Searches find nothing; {CLIENTS} clients over {CONNECTIONS} connections; audit and TLS on."));
    Ok(report)
}

fn check(outcome: &Outcome) -> anyhow::Result<()> {
    match &outcome.first_error {
        Some(error) if outcome.units == 0 => anyhow::bail!("{error}"),
        _ => Ok(()),
    }
}

/// Stops the node in order and starts it again; how long until it serves.
async fn reopen(target: &Target) -> anyhow::Result<Duration> {
    let Some(cluster) = target.cluster() else { return Ok(Duration::ZERO) };
    let node = cluster.node(1)?;
    node.terminate(STOP_LIMIT).await?;
    let begun = Instant::now();
    node.start()?;
    node.wait_ready().await?;
    Ok(begun.elapsed())
}

/// The exponent of cost over size between the first and the last step: 0 is flat, 1 is linear.
fn slopes(curves: &[Vec<(f64, f64)>; 3]) -> Table {
    let mut table = Table::new("Slope: cost grows as size to the power of", &["what", "exponent"]);
    for (what, curve) in ["write", "exact search", "name search"].into_iter().zip(curves) {
        let exponent = match (curve.first(), curve.last()) {
            (Some(first), Some(last)) if last.0 > first.0 => (last.1 / first.1).ln() / (last.0 / first.0).ln(),
            _ => f64::NAN,
        };
        table.push(row![what, exponent]);
    }
    table
}

/// A second node joins: how fast it has what the first has.
async fn catch_up(target: &Target) -> anyhow::Result<Table> {
    let mut table = Table::new("A node joins as a learner", &["state MiB", "seconds", "MiB/s"]);
    let Some(cluster) = target.cluster() else { return Ok(table) };
    let begun = Instant::now();
    let node = cluster.add_node()?;
    node.wait_live().await?;
    cluster.join_as_learner(&node).await?;
    let leader = cluster.status(1).await?;
    alert_chaos::process::wait_until("the learner's state", CATCH_UP_LIMIT, || async {
        let status = cluster.status(node.id()).await;
        Ok(status.ok().filter(|status| status.applied_index >= leader.applied_index))
    })
    .await?;
    let took = begun.elapsed().as_secs_f64();
    let [_, state, _] = target.bytes_on_disk(node.id())?;
    let mib = state as f64 / 1_048_576.0;
    table.push(row![mib, took, mib / took]);
    Ok(table)
}

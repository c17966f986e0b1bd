//! `alert-bench load`: steps of load up to the knee.

use std::{sync::Arc, time::Duration};

use alert_proto::v1 as pb;
use clap::ValueEnum;

use crate::{
    cpu,
    load::{Outcome, Work, closed, in_ms, open},
    mix::{Border, Feed, Import, Passengers, Subjects, Write},
    report::{Cell, Plot, Report, Series, Table},
    row,
    target::{Records, Target},
};

/// What callers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mix {
    /// 640 searches for each write, nearly all without a hit, a quarter of them one partner's.
    Border,
    /// Object alerts created one call each.
    Write,
    /// Person alerts created one call each.
    WritePersons,
    /// Import streams, 98 % objects.
    Import,
    /// Lists of 300 passengers.
    PassengerLists,
    /// Writes, until they come by in the feed.
    Feed,
}

/// How a search's freshness is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Level {
    Linearizable,
    /// The default of searches: at most a second old.
    Bounded,
    Local,
}

impl Level {
    fn to_proto(self) -> pb::ReadLevel {
        match self {
            Self::Linearizable => pb::ReadLevel::Linearizable,
            Self::Bounded => pb::ReadLevel::Bounded,
            Self::Local => pb::ReadLevel::Local,
        }
    }
}

/// What is loaded, and how hard.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    pub mix: Mix,
    pub levels: Vec<Level>,
    /// Stored before the load begins.
    pub persons: u64,
    pub objects: u64,
    /// Clients of the closed loop, step by step.
    pub clients: Vec<usize>,
    /// Rates of the open loop; empty: steps up to the knee, from what the closed loop reached.
    pub rates: Vec<f64>,
    pub connections: usize,
    pub time: Duration,
}

/// A step that answers less than this share of what was asked is beyond the knee.
const KEPT_UP: f64 = 0.98;
/// Shares of the closed loop's rate that the open loop tries.
const STEPS: [f64; 6] = [0.2, 0.4, 0.6, 0.8, 0.9, 1.0];
const WARM_UP: Duration = Duration::from_secs(1);

const COLUMNS: [&str; 12] = [
    "level",
    "loop",
    "asked/s",
    "answered/s",
    "p50 ms",
    "p90 ms",
    "p99 ms",
    "p99.9 ms",
    "max ms",
    "failed",
    "missed",
    "CPU us/op",
];

/// Loads `target` and reports.
///
/// # Errors
/// Clients cannot be made, or the records to begin with cannot be stored.
pub async fn run(target: &Target, options: &LoadOptions) -> anyhow::Result<Report> {
    let LoadOptions { mix, persons, objects, connections, .. } = *options;
    let mix_name = mix.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let mut report = Report::begin("load", format!("Load: {mix_name}"));
    let records = Records::new(1);
    if persons + objects > 0 {
        println!("storing {persons} persons and {objects} objects");
        target.import(futures::stream::iter(records.mixed(0..persons, 0..objects))).await?;
    }
    let sides = cpu::Sides::part(&target.pids());
    report.note(match sides {
        Some(_) => "Client and servers are in control groups of their own.",
        None => "Client and servers share the processor freely: no right to make control groups.",
    });
    let is_search = matches!(mix, Mix::Border);
    let levels = if is_search { options.levels.clone() } else { vec![Level::Bounded] };
    let mut table = Table::new(format!("{mix_name}, {persons} persons and {objects} objects stored"), &COLUMNS);
    let mut parts = Table::new(
        "Latency by kind and node (of the last closed-loop step)",
        &["level", "what", "count", "p50 ms", "p99 ms"],
    );
    let mut curves = Vec::new();
    let mut first = 0;
    for level in levels {
        let shown = if is_search { format!("{level:?}").to_lowercase() } else { "-".into() };
        let work: Arc<dyn Work> = match mix {
            Mix::Border => {
                Border::new(target, &records, persons.min(objects), level.to_proto(), connections).await?.work()
            }
            Mix::Write => Write::new(target, &records, Subjects::Objects, connections)?.work(),
            Mix::WritePersons => Write::new(target, &records, Subjects::Persons, connections)?.work(),
            Mix::Import => Import::new(target, &records, connections)?.work(),
            Mix::PassengerLists => Passengers::new(target, &records, connections)?.work(),
            Mix::Feed => Feed::new(target, &records, connections)?.work(),
        };
        let mut best = 0.0;
        for &clients in &options.clients {
            let (outcome, cpu_us) = measured(target, closed(&work, clients, first, WARM_UP, options.time)).await;
            first += 1 << 40;
            best = f64::max(best, outcome.rate());
            table.push(cells(&shown, &format!("closed, {clients}"), None, &outcome, cpu_us));
            println!("{shown} closed {clients}: {:.0}/s", outcome.rate());
            note_failure(&mut report, &outcome);
            parts.rows.retain(|row| row[0].shown() != shown);
            by_part(&mut parts, &shown, &outcome);
        }
        let per_operation = units_per_operation(mix);
        let rates = match options.rates.is_empty() {
            true => STEPS.iter().map(|share| share * best / per_operation).collect(),
            false => options.rates.clone(),
        };
        let mut curve = Vec::new();
        for rate in rates.into_iter().filter(|rate| *rate > 0.0) {
            let (outcome, cpu_us) = measured(target, open(&work, rate, first, WARM_UP, options.time)).await;
            first += 1 << 40;
            let asked = rate * per_operation;
            table.push(cells(&shown, "open", Some(asked), &outcome, cpu_us));
            println!("{shown} open {asked:.0}/s: {:.0}/s, p99 {:.1} ms", outcome.rate(), outcome.ms(0.99));
            note_failure(&mut report, &outcome);
            curve.push((asked, outcome));
            if curve.last().is_some_and(|(asked, outcome)| outcome.rate() < KEPT_UP * asked) {
                break;
            }
        }
        let line = |quantile: f64| curve.iter().map(|(asked, outcome)| (*asked, outcome.ms(quantile))).collect();
        curves.push(Series::new(format!("{shown} p50"), line(0.5)));
        curves.push(Series::new(format!("{shown} p99"), line(0.99)));
    }
    report.table(table);
    report.table(parts);
    report
        .plots
        .push(Plot::lines("Latency by rate (open loop)", "asked a second", "ms", curves).logarithmic(false, true));
    if is_search {
        report.note(
            "Assumed: 40 % plate or VIN, 40 % passport zone with both legs, 15 % name and date, 5 % other numbers; 26 \
             hits in a million; one partner asks a quarter; a partner's `local` is asked at the default level.",
        );
    }
    report.note(
        "Open loop: latency counts from the time an operation was due (corrected for coordinated omission). CPU is \
         client and all nodes together.",
    );
    Ok(report)
}

fn units_per_operation(mix: Mix) -> f64 {
    match mix {
        Mix::Import => 1000.0,
        Mix::PassengerLists => crate::mix::PASSENGERS as f64,
        _ => 1.0,
    }
}

/// A run with the processor time of one of its units, client and servers, in microseconds.
pub async fn measured(target: &Target, run: impl Future<Output = Outcome>) -> (Outcome, f64) {
    let mut pids = target.pids();
    pids.push(std::process::id());
    measured_of(&pids, run).await
}

/// The same over given processes.
pub async fn measured_of(pids: &[u32], run: impl Future<Output = Outcome>) -> (Outcome, f64) {
    let (before, begun) = (cpu::used_us(pids), std::time::Instant::now());
    let outcome = run.await;
    let used = cpu::used_us(pids).saturating_sub(before) as f64;
    // The warm-up works as hard as what is counted.
    let share = (outcome.time.as_secs_f64() / begun.elapsed().as_secs_f64()).min(1.0);
    let cpu_us = used * share / outcome.units.max(1) as f64;
    (outcome, cpu_us)
}

fn cells(level: &str, how: &str, asked: Option<f64>, outcome: &Outcome, cpu_us: f64) -> Vec<Cell> {
    row![
        level,
        how,
        asked,
        outcome.rate(),
        outcome.ms(0.5),
        outcome.ms(0.9),
        outcome.ms(0.99),
        outcome.ms(0.999),
        outcome.ms(1.0),
        outcome.failed,
        outcome.missed,
        cpu_us
    ]
}

fn by_part(table: &mut Table, level: &str, outcome: &Outcome) {
    let kinds = outcome.by_kind.iter().map(|(kind, histogram)| ((*kind).to_owned(), histogram));
    let nodes = outcome.by_node.iter().map(|(node, histogram)| (format!("node {node}"), histogram));
    for (what, histogram) in kinds.chain(nodes) {
        table.push(row![level, what, histogram.len(), in_ms(histogram, 0.5), in_ms(histogram, 0.99)]);
    }
}

fn note_failure(report: &mut Report, outcome: &Outcome) {
    if let Some(error) = &outcome.first_error {
        report.note(format!("{} operations failed; the first: {error}", outcome.failed));
    }
}

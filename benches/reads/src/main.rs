//! `read-bench`: what reads cost by level, how many share one probe of the quorum, how a client spreads them over the nodes,
//! and what hedging does to the tail when one node is slow. Real processes on this machine; tables on stdout.
//!
//! ```text
//! cargo build --release -p alert-node --bin alertd && cargo run --release -p alert-read-bench
//! ```

mod load;
mod scene;

use std::{collections::BTreeMap, time::Duration};

use alert_chaos::process::CLIENTS;
use alert_client::{AlertClient, pb};
use clap::Parser;
use comfy_table::{Table, presets::ASCII_MARKDOWN};

use crate::{
    load::{Outcome, closed, open},
    scene::Scene,
};

/// Measures reads.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Alerts in the store.
    #[arg(long, default_value_t = 5000)]
    alerts: u64,
    /// Callers at once.
    #[arg(long, default_value_t = 64)]
    callers: usize,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// Rounds; the table shows the median of each figure.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// One answer of the slow node comes later by this.
const SLOW: Duration = Duration::from_millis(100);
/// It is slow in the first so many milliseconds of each second.
const SLOW_MILLIS: u64 = 200;
/// Reads a second of the measurement of the tail: far from the nodes' limit, so that waiting is the network's.
const TAIL_RATE: u64 = 400;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    eprintln!("starting three voters and a learner and importing {} alerts ...", arguments.alerts);
    let scene = Scene::set(arguments.alerts).await?;
    println!("{}", levels(&scene, &arguments).await?);
    println!("{}", spread(&scene, &arguments).await?);
    println!("{}", tail(&scene, &arguments).await?);
    Ok(())
}

fn table(head: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(head);
    table
}

fn median<T: PartialOrd + Copy>(mut figures: Vec<T>) -> T {
    figures.sort_by(|one, other| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
    figures[figures.len() / 2]
}

/// Searches on one follower, all callers at once.
async fn levels(scene: &Scene, arguments: &Arguments) -> anyhow::Result<Table> {
    let mut table = table(&["level", "reads/s on one follower", "p50 ms", "p99 ms", "reads that share one probe"]);
    let follower = scene.follower().await?;
    let levels = [
        ("local", pb::ReadLevel::Local),
        ("session", pb::ReadLevel::Session),
        ("bounded 1 s", pb::ReadLevel::Bounded),
        ("linearizable", pb::ReadLevel::Linearizable),
    ];
    // Rounds over all levels, so that a busy moment of the machine meets all alike.
    let mut rates: BTreeMap<&str, Vec<(f64, f64, f64, f64)>> = BTreeMap::new();
    for _ in 0..arguments.rounds {
        for (name, level) in levels {
            let client = scene.client()?.at_node(follower.address.clone()).with_read_level(level);
            // A session begins with an answer.
            client.with_read_level(pb::ReadLevel::Linearizable).search(scene.question(0)).await?;
            let probes_before = follower.probes().await?;
            let outcome = closed(&client, scene, arguments.callers, Duration::from_secs(arguments.seconds)).await?;
            let probes = (follower.probes().await? - probes_before).max(1.0);
            let answered = outcome.latencies_us.len() as f64;
            let rate = answered / outcome.time.as_secs_f64();
            rates.entry(name).or_default().push((rate, outcome.ms(0.5), outcome.ms(0.99), answered / probes));
        }
    }
    for (name, level) in levels {
        let figures = &rates[name];
        let of = |pick: fn(&(f64, f64, f64, f64)) -> f64| median(figures.iter().map(pick).collect());
        let shares = match level {
            pb::ReadLevel::Linearizable => format!("{:.1}", of(|one| one.3)),
            _ => "-".to_owned(),
        };
        table.add_row([
            name.to_owned(),
            format!("{:.0}", of(|one| one.0)),
            format!("{:.2}", of(|one| one.1)),
            format!("{:.2}", of(|one| one.2)),
            shares,
        ]);
    }
    Ok(table)
}

/// Where the reads of one client go.
async fn spread(scene: &Scene, arguments: &Arguments) -> anyhow::Result<Table> {
    let mut head = vec!["client".to_owned(), "reads/s".to_owned()];
    head.extend(scene.nodes().await?.iter().map(|(name, role)| format!("{name} ({role})")));
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(&head);
    let names: Vec<String> = scene.nodes().await?.into_iter().map(|(name, _)| name).collect();
    let far = scene.data_centre_of_a_follower().await?;
    for (what, data_centre) in [("of no data centre".to_owned(), None), (format!("in {far}"), Some(far))] {
        let client = scene.client_in(data_centre.as_deref())?;
        let outcome = closed(&client, scene, arguments.callers, Duration::from_secs(arguments.seconds)).await?;
        let answered = outcome.latencies_us.len() as f64;
        let mut row = vec![what, format!("{:.0}", answered / outcome.time.as_secs_f64())];
        row.extend(names.iter().map(|name| {
            let share = outcome.by_node.get(name).copied().unwrap_or_default() as f64 / answered;
            format!("{:.1} %", share * 100.0)
        }));
        table.add_row(row);
    }
    Ok(table)
}

/// Searches at a fixed rate while one follower answers late, now and then or always.
async fn tail(scene: &Scene, arguments: &Arguments) -> anyhow::Result<Table> {
    let mut table =
        table(&["one follower", "hedging", "p50 ms", "p99 ms", "p99.9 ms", "longest ms", "attempts per read"]);
    let slow = scene.follower().await?;
    for (what, slow_millis) in [
        ("as fast as the others", 0),
        ("100 ms late for 200 ms of each second", SLOW_MILLIS),
        ("always 100 ms late", 1000),
    ] {
        for hedges in [false, true] {
            let mut outcomes: Vec<Outcome> = Vec::new();
            for _ in 0..arguments.rounds {
                let client: AlertClient = scene.client()?.with_defaults(|defaults| defaults.without_hedges = !hedges);
                // A client that has just begun does not know yet how long reads take.
                open(&client, scene, TAIL_RATE, Duration::from_secs(1)).await?;
                let time = Duration::from_secs(arguments.seconds);
                let troubles = trouble(scene, slow.id, slow_millis);
                let outcome = tokio::select! {
                    outcome = open(&client, scene, TAIL_RATE, time) => outcome?,
                    never = troubles => never,
                };
                scene.links.heal();
                outcomes.push(outcome);
            }
            let of = |pick: &dyn Fn(&Outcome) -> f64| median(outcomes.iter().map(pick).collect());
            table.add_row([
                what.to_owned(),
                if hedges { "on" } else { "off" }.to_owned(),
                format!("{:.2}", of(&|one| one.ms(0.5))),
                format!("{:.2}", of(&|one| one.ms(0.99))),
                format!("{:.2}", of(&|one| one.ms(0.999))),
                format!("{:.1}", of(&|one| one.ms(1.0))),
                format!("{:.3}", of(&|one| one.attempts as f64 / one.latencies_us.len() as f64)),
            ]);
        }
    }
    Ok(table)
}

/// Delays what the node says to clients, in the first `millis` of each second.
async fn trouble(scene: &Scene, node: u64, millis: u64) -> Outcome {
    loop {
        if millis > 0 {
            scene.links.delay(node, CLIENTS, SLOW);
        }
        tokio::time::sleep(Duration::from_millis(millis)).await;
        if millis < 1000 {
            scene.links.heal();
            tokio::time::sleep(Duration::from_millis(1000 - millis)).await;
        }
    }
}

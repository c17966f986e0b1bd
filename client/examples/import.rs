//! Imports a file of alerts, one JSON record a line, and says what became of each line.
//!
//! The National Crime Agency's bureau owns the plates that this example makes up when no file is named:
//!
//! ```text
//! make demo KEEP=1 PERSONS=1000 OBJECTS=2000
//! cargo run --release -p alert-client --example import -- /tmp/alertstore-XXXX/client-bureau.toml
//! cargo run --release -p alert-client --example import -- /tmp/alertstore-XXXX/client-bureau.toml alerts.ndjson
//! ```
//!
//! Run it twice: the second time every line comes back as unchanged, because lines are keyed by owner, source system and
//! reference. That is also why it may be stopped and started again, and why a lost connection adds nothing twice. The
//! file is read only as fast as the cluster answers, whatever its size.

use std::{
    collections::BTreeMap,
    env,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
    time::Instant,
};

use alert_client::{
    AlertClient, ClientConfig, Config, json,
    pb::{self, ImportStatus},
};
use alert_synth::known;
use anyhow::Context;
use futures::stream::{self, BoxStream, StreamExt};

/// Plates that are made up when no file is named.
const MADE_UP: u64 = 2000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = env::args().skip(1);
    let config = arguments.next().context("usage: import CLIENT.toml [ALERTS.ndjson]")?;
    let mut config = ClientConfig::load(Path::new(&config))?;
    config.caller.purpose = Some("alert-management".to_owned());
    let client = AlertClient::builder().config(&config).build()?;

    let alerts: BoxStream<'static, pb::Alert> = match arguments.next() {
        Some(path) => {
            let lines = BufReader::new(File::open(&path).context(path)?).lines();
            // A line that is no alert becomes an empty one, which the cluster answers with all its faults.
            let alert = |line: std::io::Result<String>| json::from_str(&line.unwrap_or_default()).unwrap_or_default();
            stream::iter(lines.map(alert)).boxed()
        }
        None => stream::iter((1..=MADE_UP).map(|number| known::numbered("example-import", number))).boxed(),
    };
    let lines = alerts.zip(stream::iter(1..)).map(|(alert, line)| pb::ImportLine { line, alert: Some(alert) });

    let started = Instant::now();
    let mut outcomes = client.import(lines);
    let mut counts = BTreeMap::<&str, u64>::new();
    while let Some(outcome) = outcomes.next().await {
        let outcome = outcome?;
        *counts.entry(outcome.status().as_str_name()).or_default() += 1;
        if outcome.status() == ImportStatus::Rejected {
            for fault in outcome.faults.iter().filter(|fault| !fault.warning) {
                println!("line {}: {} {}: {}", outcome.line, fault.field_path, fault.code, fault.message);
            }
        }
    }
    let total: u64 = counts.values().sum();
    println!("{counts:?}: {:.0} lines a second", total as f64 / started.elapsed().as_secs_f64());
    Ok(())
}

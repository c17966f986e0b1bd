//! Counts that no noise touches: instructions and allocations of the hot paths, fsyncs, probes and bytes of a cluster.

use std::{collections::BTreeMap, path::Path as FilePath, process::Command, time::Duration};

use alert_chaos::process::find;
use alert_proto::v1 as pb;
use anyhow::{Context, bail};

use crate::{
    cpu,
    hot::Path,
    load::closed,
    mix::{Border, Subjects, Write},
    report::{Report, Table},
    row,
    target::{Records, Target},
};

const INSTALL_VALGRIND: &str = "apt-get install valgrind";
/// Two runs of so many times; the difference is the going alone.
const TIMES: (usize, usize) = (100, 300);
/// What CI holds the instructions to.
const BOUNDS: &str = include_str!("../instructions.toml");

/// Instructions and allocations of every hot path; with `check`, an error when one is above its bound.
///
/// # Errors
/// valgrind fails, or a bound is broken.
pub fn instructions(check: bool) -> anyhow::Result<Report> {
    let mut report = Report::begin("instructions", "Instructions and allocations of the hot paths");
    let program = find("alert-hot", "alert-bench")?;
    let bounds: BTreeMap<String, u64> = toml::from_str(BOUNDS).context("instructions.toml")?;
    let has_valgrind = Command::new("valgrind").arg("--version").output().is_ok();
    if !has_valgrind {
        report.note(format!("Instructions not counted: valgrind is not installed: `{INSTALL_VALGRIND}` installs it"));
    }
    let columns = ["path", "instructions", "bound", "allocations", "bytes allocated"];
    let mut table = Table::new("Once along each path, in memory", &columns);
    let mut broken = Vec::new();
    for path in Path::ALL {
        let counted = has_valgrind.then(|| count(&program, path)).transpose()?;
        let bound = bounds.get(path.name()).copied();
        if let (Some(counted), Some(bound)) = (counted, bound)
            && counted > bound
        {
            broken.push(format!("{}: {counted} instructions, bound {bound}", path.name()));
        }
        let (allocations, bytes) = allocations(&program, path)?;
        table.push(row![path.name(), counted, bound, allocations, bytes]);
    }
    report.table(table);
    if check {
        if !has_valgrind {
            bail!("no bound was checked: `{INSTALL_VALGRIND}` installs valgrind");
        }
        if !broken.is_empty() {
            bail!("{}", broken.join("; "));
        }
    }
    Ok(report)
}

fn count(program: &FilePath, path: Path) -> anyhow::Result<u64> {
    let run = |times: usize| -> anyhow::Result<u64> {
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(program)
            .args([path.name(), &times.to_string(), "--made-for", &TIMES.1.to_string()])
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        let line = said.lines().find_map(|line| line.split_once("Collected :")).map(|(_, count)| count.trim());
        let count = line.and_then(|count| count.parse().ok());
        count.with_context(|| format!("valgrind said: {said}"))
    };
    let (few, many) = (run(TIMES.0)?, run(TIMES.1)?);
    Ok((many - few) / (TIMES.1 - TIMES.0) as u64)
}

fn allocations(program: &FilePath, path: Path) -> anyhow::Result<(f64, f64)> {
    let output = Command::new(program).args([path.name(), &TIMES.1.to_string()]).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let figure = |name: &str| -> anyhow::Result<f64> {
        let line = said.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("said: {said}"))?;
        Ok(line.trim().parse()?)
    };
    Ok((figure("allocations")?, figure("bytes")?))
}

/// fsyncs for each acknowledged write, probes for each read, bytes written for each alert, on three real nodes.
///
/// # Errors
/// The cluster fails.
pub async fn counters(directory: &FilePath, time: Duration) -> anyhow::Result<Report> {
    let mut report = Report::begin("counters", "fsyncs, probes and bytes for each operation");
    let target = Target::start(3, Some(directory)).await?;
    let records = Records::new(1);
    let mut table = Table::new(
        "Durable writes",
        &[
            "clients",
            "writes",
            "log fsyncs/write",
            "audit fsyncs/write",
            "entries/write",
            "disk bytes/write",
            "all nodes'",
        ],
    );
    let mut first = 0;
    for clients in [1, 64, 256] {
        let work = Write::new(&target, &records, Subjects::Objects, 8.min(clients))?.work();
        let (before, written) = (Figures::read(&target).await?, cpu::written_bytes(&target.pids()));
        let outcome = closed(&work, clients, first, Duration::ZERO, time).await;
        first += 1 << 40;
        let (after, written) = (Figures::read(&target).await?, cpu::written_bytes(&target.pids()) - written);
        let each = |name: &str| after.since(&before, name) / outcome.units.max(1) as f64;
        let leader = |name: &str| after.most_since(&before, name) / outcome.units.max(1) as f64;
        table.push(row![
            clients as u64,
            outcome.units,
            leader("alertstore_log_syncs_total"),
            leader("alertstore_audit_syncs_total"),
            leader("alertstore_log_entries_total"),
            written as f64 / outcome.units.max(1) as f64 / 3.0,
            format!("{:.2} log fsyncs/write", each("alertstore_log_syncs_total")),
        ]);
    }
    report.table(table);
    let mut table = Table::new("Reads", &["level", "reads", "probes/read", "audit fsyncs/read"]);
    for (name, level) in [("linearizable", pb::ReadLevel::Linearizable), ("bounded", pb::ReadLevel::Bounded)] {
        let is_exact = |query: &pb::Query| query.vehicle.is_some();
        let work = Border::searches(&target, &records, level, 8, None, is_exact)?.work();
        let before = Figures::read(&target).await?;
        let outcome = closed(&work, 64, first, Duration::ZERO, time).await;
        first += 1 << 40;
        let after = Figures::read(&target).await?;
        let each = |metric: &str| after.since(&before, metric) / outcome.units.max(1) as f64;
        table.push(row![
            name,
            outcome.units,
            each("alertstore_read_probes_total"),
            each("alertstore_audit_syncs_total")
        ]);
    }
    report.table(table);
    report
        .note("Of fsyncs and entries those of the busiest node, the leader, count; a follower has as many of its log.");
    Ok(report)
}

/// The metrics of every node.
struct Figures(Vec<BTreeMap<String, f64>>);

impl Figures {
    async fn read(target: &Target) -> anyhow::Result<Self> {
        let cluster = target.cluster().context("only of a cluster that was started here")?;
        let mut nodes = Vec::new();
        for node in cluster.nodes() {
            let page = node.ops("/metrics").await?.body;
            let figures = page.lines().filter_map(|line| {
                let (name, value) = line.rsplit_once(' ')?;
                Some((name.to_owned(), value.parse().ok()?))
            });
            nodes.push(figures.collect());
        }
        Ok(Self(nodes))
    }

    fn each_since<'a>(&'a self, before: &'a Self, name: &'a str) -> impl Iterator<Item = f64> + 'a {
        let of = move |node: &BTreeMap<String, f64>| node.get(name).copied().unwrap_or_default();
        self.0.iter().zip(&before.0).map(move |(after, before)| of(after) - of(before))
    }

    fn since(&self, before: &Self, name: &str) -> f64 {
        self.each_since(before, name).sum()
    }

    fn most_since(&self, before: &Self, name: &str) -> f64 {
        self.each_since(before, name).fold(0.0, f64::max)
    }
}

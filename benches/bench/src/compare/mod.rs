//! `alert-bench compare`: the same work side by side with its peers, in alternating rounds of one run.
//!
//! * [`rounds`]: contenders take turns; medians and spread
//! * `etcd`: durable writes, reads
//! * `persons`: person search against trigrams and double metaphone
//! * `copying`: import against `COPY`
//!
//! Nothing runs with its durability off; ours has audit and mutual TLS on, etcd speaks plain text and has no audit.

mod copying;
mod etcd;
mod persons;
mod rounds;

use std::{path::Path, time::Duration};

use alert_cluster_config::identity::roles;
use alert_peers::{Etcd, PeerError};
use alert_proto::v1 as pb;
use clap::ValueEnum;

use crate::{
    cpu, floor,
    mix::{Border, Subjects, Write},
    report::{Report, Table},
    row,
    target::{Records, Target},
};
use etcd::{Gets, Puts};
use rounds::{Contender, Rounds};

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Against {
    /// Durable writes against etcd's puts.
    Writes,
    /// Exact searches against etcd's gets, empty calls and a bare RocksDB.
    Reads,
    /// Person search against PostgreSQL's trigrams and double metaphone, with recall.
    Persons,
    /// Import against PostgreSQL's COPY into the same indexes.
    Import,
}

/// How.
#[derive(Debug, Clone)]
pub struct CompareOptions {
    pub against: Vec<Against>,
    /// Clients of the durable writes.
    pub clients: Vec<usize>,
    /// Connections, the same on both sides.
    pub connections: usize,
    pub rounds: usize,
    /// Of one round of one contender.
    pub time: Duration,
    /// Stored before.
    pub persons: u64,
    pub objects: u64,
}

/// Compares and reports.
///
/// # Errors
/// Our own cluster fails; a peer that is not installed is skipped.
pub async fn run(directory: &Path, options: &CompareOptions) -> anyhow::Result<Report> {
    let mut report = Report::begin("compare", "Side by side with its peers");
    let records = Records::new(1);
    if options.against.contains(&Against::Writes) || options.against.contains(&Against::Reads) {
        let target = Target::start(3, Some(directory)).await?;
        target.import(futures::stream::iter(records.mixed(0..options.persons, 0..options.objects))).await?;
        let etcd = match Etcd::start(directory).await {
            Ok(etcd) => Some(etcd),
            Err(error) => {
                skip(&mut report, error)?;
                None
            }
        };
        let mut servers = target.pids();
        servers.extend(etcd.iter().flat_map(Etcd::pids));
        let sides = cpu::Sides::part(&servers);
        report.note(match sides {
            Some(_) => "Client and servers are in control groups of their own.",
            None => "Client and servers share the processor freely: no right to make control groups.",
        });
        if options.against.contains(&Against::Writes) {
            writes(&target, etcd.as_ref(), &records, options, &mut report).await?;
        }
        if options.against.contains(&Against::Reads) {
            reads(directory, &target, etcd.as_ref(), &records, options, &mut report).await?;
        }
    }
    if options.against.contains(&Against::Persons) {
        persons::compare(directory, &records, options, &mut report).await?;
    }
    if options.against.contains(&Against::Import) {
        copying::compare(directory, &records, options, &mut report).await?;
    }
    Ok(report)
}

/// Notes a peer that is not there; any other failure ends the comparison.
fn skip(report: &mut Report, error: PeerError) -> anyhow::Result<()> {
    if !error.is_not_installed() {
        return Err(error.into());
    }
    report.note(format!("Skipped: {error}"));
    Ok(())
}

async fn writes(
    target: &Target,
    etcd: Option<&Etcd>,
    records: &Records,
    options: &CompareOptions,
    report: &mut Report,
) -> anyhow::Result<()> {
    for &clients in &options.clients {
        let connections = options.connections.min(clients);
        let objects = Write::new(target, records, Subjects::Objects, connections)?;
        let persons = Write::new(target, records, Subjects::Persons, connections)?;
        let (object_bytes, person_bytes) = (objects.mean_bytes(), persons.mean_bytes());
        let mut contenders = vec![
            Contender::new(format!("object alerts ({object_bytes} B)"), objects.work(), target.pids()),
            Contender::new(format!("person alerts ({person_bytes} B)"), persons.work(), target.pids()),
        ];
        if let Some(etcd) = etcd {
            let puts = Puts::to_leader(etcd, connections, object_bytes).await?;
            contenders.push(Contender::new(format!("etcd puts ({object_bytes} B)"), puts.work(), etcd.pids()));
        }
        let title = format!("Durable writes, 3 nodes, {clients} clients over {connections} connections");
        let rounds = Rounds { clients, rounds: options.rounds, time: options.time };
        let base = etcd.map(|_| 2);
        report.table(rounds.run(&title, contenders, base).await?);
    }
    Ok(())
}

async fn reads(
    directory: &Path,
    target: &Target,
    etcd: Option<&Etcd>,
    records: &Records,
    options: &CompareOptions,
    report: &mut Report,
) -> anyhow::Result<()> {
    let (clients, connections) = (64, options.connections);
    // A follower on both sides: most nodes are.
    let leader = target.leader().await?;
    let follower = target.addresses().iter().find(|address| **address != leader).unwrap_or(&leader).clone();
    let is_exact = |query: &pb::Query| query.vehicle.is_some() || !query.any_number.is_empty();
    let search = |level| Border::searches(target, records, level, connections, Some(&follower), is_exact);
    let mut contenders = vec![
        Contender::new("exact search, bounded", search(pb::ReadLevel::Bounded)?.work(), target.pids()),
        Contender::new("exact search, linearizable", search(pb::ReadLevel::Linearizable)?.work(), target.pids()),
        Contender::new("empty call", floor::empty_calls(target, &follower, connections).await?, target.pids()),
    ];
    if let Some(etcd) = etcd {
        let member = (etcd.leader() + 1) % etcd.members();
        let keys = Gets::fill(etcd, (options.persons + options.objects).clamp(1000, 20_000)).await?;
        for (name, serializable) in [("etcd get, serializable", true), ("etcd get, linearizable", false)] {
            let gets = Gets::of(etcd, member, connections, keys, serializable).await?;
            contenders.push(Contender::new(name, gets.work(), etcd.pids()));
        }
    }
    let title = format!("Reads of one follower, {clients} calls at once over {connections} connections");
    let rounds = Rounds { clients, rounds: options.rounds, time: options.time };
    report.table(rounds.run(&title, contenders, Some(2)).await?);
    let path = directory.to_path_buf();
    let time = options.time;
    let bare = tokio::task::spawn_blocking(move || floor::bare_gets_per_second(&path, 100_000, time)).await??;
    let mut table = Table::new("Below all of it", &["what", "per second"]);
    table.push(row!["bare RocksDB get of a key that is there, one thread, no network", bare]);
    report.table(table);
    report.note(format!("Callers are '{}' with audit and mutual TLS on; etcd is asked in plain text.", roles::SEARCH));
    Ok(())
}

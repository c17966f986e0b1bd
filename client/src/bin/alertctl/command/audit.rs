//! `alertctl audit`: the chain of a log, in files or on running nodes, and who saw what.

use std::{
    fs,
    path::{Path, PathBuf},
};

use alert_client::{AlertClient, json, pb, present};
use alert_core::{
    alert::time::{field_ms, iso_text},
    audit::{Anchor, End, Report, Verifier, first_sequence, merge_attempts},
};
use clap::{Args, Subcommand};
use data_encoding::HEXLOWER;

use crate::{
    App,
    arguments::{party, read_text, time},
    exit::{Exit, Failure},
    output::{Output, facts, table},
};

/// Records of one page.
const PAGE_RECORDS: u32 = 500;

/// Arguments of `audit`.
#[derive(Args)]
pub struct Audit {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Find any altered, missing or reordered record.
    Verify {
        /// Files of one node's log, or its audit directory; without one: running nodes are asked (all, or --node).
        paths: Vec<PathBuf>,
        /// The cluster that the files belong to: then the first record's link is checked as well.
        #[arg(long, requires = "name")]
        cluster: Option<String>,
        /// The name of the node that wrote the files.
        #[arg(long, requires = "cluster")]
        name: Option<String>,
        /// Check the files against these anchors, too: what `audit anchors -o json` wrote.
        #[arg(long, value_name = "FILE", requires = "paths")]
        anchors: Option<PathBuf>,
        /// Of the anchors, those of the node with this id; default: the file holds those of one node.
        #[arg(long, requires = "anchors")]
        node_id: Option<u64>,
    },
    /// What the cluster remembers of its nodes' logs, to check copies of them against.
    Anchors {
        /// Of one node; default: of all.
        #[arg(long, default_value_t = 0, hide_default_value = true)]
        node_id: u64,
    },
    /// Every record given out of one alert.
    WhoSaw {
        /// The alert's id.
        id: String,
        #[command(flatten)]
        span: Span,
    },
    /// The record behind a receipt, a partner's sealed one too.
    Receipt {
        /// As its holder has it.
        receipt: String,
    },
    /// Everything that one caller asked.
    Asked {
        /// The caller's country.
        #[arg(long)]
        country: String,
        /// Its authority.
        #[arg(long)]
        authority: String,
        /// Its system; default: all.
        #[arg(long, default_value = "", hide_default_value = true)]
        system: String,
        #[command(flatten)]
        span: Span,
    },
}

#[derive(Args)]
struct Span {
    /// From when.
    #[arg(long, value_parser = time)]
    from: Option<prost_types::Timestamp>,
    /// Until when.
    #[arg(long, value_parser = time)]
    until: Option<prost_types::Timestamp>,
}

/// Checks files, which needs no cluster; `None` when running nodes are meant.
pub fn offline(audit: &Audit, output: &Output) -> Option<Result<Exit, Failure>> {
    match &audit.verb {
        Verb::Verify { paths, cluster, name, anchors, node_id } if !paths.is_empty() => {
            let anchors = anchors.as_ref().map(|file| read_anchors(file, *node_id)).transpose();
            let node = cluster.as_deref().zip(name.as_deref());
            Some(anchors.and_then(|anchors| verify_files(paths, node, anchors.unwrap_or_default(), output)))
        }
        _ => None,
    }
}

pub async fn run(app: &App, audit: Audit) -> Result<Exit, Failure> {
    match audit.verb {
        Verb::Verify { .. } => verify_nodes(app).await,
        Verb::Anchors { node_id } => anchors(app, node_id).await,
        Verb::WhoSaw { id, span } => {
            let request = pb::WhoSawRequest {
                alert_id: id,
                from: span.from,
                until: span.until,
                page_size: PAGE_RECORDS,
                ..Default::default()
            };
            ask_nodes(app, async |client, page_token| {
                client.who_saw(pb::WhoSawRequest { page_token, ..request.clone() }).await
            })
            .await
        }
        Verb::Asked { country, authority, system, span } => {
            let caller =
                pb::AuditCaller { country: Some(party(country)), authority, system, ..pb::AuditCaller::default() };
            let request = pb::WhatDidAskRequest {
                caller: Some(caller),
                from: span.from,
                until: span.until,
                page_size: PAGE_RECORDS,
                ..Default::default()
            };
            ask_nodes(app, async |client, page_token| {
                client.what_did_ask(pb::WhatDidAskRequest { page_token, ..request.clone() }).await
            })
            .await
        }
        Verb::Receipt { receipt } => {
            let request = pb::WhatDidAskRequest { receipt, page_size: PAGE_RECORDS, ..Default::default() };
            ask_nodes(app, async |client, page_token| {
                client.what_did_ask(pb::WhatDidAskRequest { page_token, ..request.clone() }).await
            })
            .await
        }
    }
}

/// Client ports of all nodes, or the one given with `--node`.
async fn addresses(app: &App) -> Result<Vec<String>, Failure> {
    if let Some(address) = &app.client.defaults().only_node {
        return Ok(vec![address.clone()]);
    }
    let topology = app.client.admin().topology().await?;
    Ok(topology.nodes.into_iter().map(|node| node.client_address).collect())
}

/// Asks every node for its own part, page by page, and puts the attempts of each question together. A node that does not
/// answer leaves the rest standing, and the exit code says so; when none answers, nothing was done in part.
async fn ask_nodes(
    app: &App,
    ask: impl AsyncFn(AlertClient, Vec<u8>) -> Result<pb::AuditRecords, alert_client::Error>,
) -> Result<Exit, Failure> {
    let (mut found, mut exit) = (pb::AuditRecords::default(), Exit::Ok);
    let mut unheard = Vec::new();
    let addresses = addresses(app).await?;
    let count = addresses.len();
    for address in addresses {
        let client = app.client.at_node(&address);
        let mut page_token = Vec::new();
        loop {
            match ask(client.clone(), page_token).await {
                Ok(page) => {
                    found.records.extend(page.records);
                    page_token = page.next_page_token;
                    if page_token.is_empty() {
                        break;
                    }
                }
                Err(error) => {
                    unheard.push((address, Failure::from(error)));
                    break;
                }
            }
        }
    }
    if unheard.len() == count
        && let Some((_, failure)) = unheard.pop()
    {
        return Err(failure);
    }
    for (address, failure) in unheard {
        eprintln!("{address}: {failure}");
        exit = Exit::Partial;
    }
    found.records = merge_attempts(found.records);
    records(app, &found)?;
    Ok(exit)
}

fn records(app: &App, found: &pb::AuditRecords) -> Result<(), Failure> {
    app.output.message(found, |found| {
        let rows = found.records.iter().map(|record| {
            let caller = record.caller.clone().unwrap_or_default();
            let context = record.context.clone().unwrap_or_default();
            [
                record.at.as_ref().map(present::time).unwrap_or_default(),
                format!("{}-{}", record.node, record.sequence),
                format!("{}/{}/{}", caller.country.unwrap_or_default().code, caller.authority, caller.system),
                context.officer_ref,
                context.purpose.unwrap_or_default().value,
                record.operation.clone(),
                record.outcome.clone(),
                record.disclosed.len().to_string(),
                record.attempts.len().to_string(),
            ]
        });
        let head = ["WHEN", "RECEIPT", "CALLER", "OFFICER", "PURPOSE", "OPERATION", "OUTCOME", "DISCLOSED", "ATTEMPTS"];
        table(head, rows)
    })
}

async fn anchors(app: &App, node_id: u64) -> Result<Exit, Failure> {
    let answer = app.client.audit_anchors(pb::AuditAnchorsRequest { node_id, ..Default::default() }).await?;
    app.output.message(&answer, |answer| {
        let rows = answer.anchors.iter().map(|anchor| {
            [
                anchor.node_id.to_string(),
                anchor.at.as_ref().map(present::time).unwrap_or_default(),
                anchor.sequence.to_string(),
                HEXLOWER.encode(&anchor.head_hash),
            ]
        });
        table(["NODE", "WHEN", "SEQUENCE", "HEAD"], rows)
    })?;
    Ok(Exit::Ok)
}

/// The anchors of one node out of a file.
fn read_anchors(file: &Path, node_id: Option<u64>) -> Result<Vec<Anchor>, Failure> {
    let wrong = |what: &str| Failure::usage(format!("{}: {what}", file.display()));
    let read: pb::AuditAnchorsResponse =
        json::from_str(&read_text(file)?).map_err(|error| wrong(&format!("no anchors: {error}")))?;
    let of_node: Vec<_> =
        read.anchors.into_iter().filter(|anchor| node_id.is_none_or(|id| id == anchor.node_id)).collect();
    if of_node.windows(2).any(|pair| pair[0].node_id != pair[1].node_id) {
        return Err(wrong("it holds anchors of several nodes: give --node-id"));
    }
    let anchors = of_node.into_iter().map(|anchor| {
        let head = anchor.head_hash.as_slice().try_into().map_err(|_| wrong("a head that is no hash"))?;
        Ok(Anchor { sequence: anchor.sequence, head, at_ms: field_ms(&anchor.at).unwrap_or(0) })
    });
    anchors.collect()
}

/// Asks each node (or the one given with `--node`) to check its own log.
async fn verify_nodes(app: &App) -> Result<Exit, Failure> {
    let mut answers = Vec::new();
    for address in addresses(app).await? {
        let answer = app.client.at_node(&address).verify_audit(pb::VerifyAuditRequest::default()).await;
        answers.push((address, answer));
    }
    if answers.iter().all(|(_, answer)| answer.is_err())
        && let Some((_, Err(error))) = answers.pop()
    {
        return Err(error.into());
    }
    let exit = if answers.iter().any(|(_, answer)| answer.as_ref().is_ok_and(|answer| !answer.intact)) {
        Exit::Failed
    } else if answers.iter().any(|(_, answer)| answer.is_err()) {
        Exit::Partial
    } else {
        Exit::Ok
    };
    let values: Vec<_> = answers
        .iter()
        .map(|(address, answer)| match answer {
            Ok(answer) => serde_json::json!({ "node": address, "answer": json::to_value(answer) }),
            Err(error) => serde_json::json!({ "node": address, "error": error.code, "message": error.message }),
        })
        .collect();
    app.output.value(&serde_json::Value::Array(values), || {
        let rows = answers.iter().map(|(address, answer)| match answer {
            Ok(answer) => {
                let state = if answer.intact { "intact" } else { "DAMAGED" };
                [
                    address.clone(),
                    state.to_owned(),
                    answer.records.to_string(),
                    answer.anchored_until.as_ref().map(present::time).unwrap_or_default(),
                    HEXLOWER.encode(&answer.head_hash),
                    answer.first_fault.clone(),
                ]
            }
            Err(error) => {
                let none = String::new;
                [address.clone(), error.code.clone(), none(), none(), none(), error.message.clone()]
            }
        });
        table(["NODE", "LOG", "RECORDS", "ANCHORED UNTIL", "HEAD", "FIRST FAULT"], rows)
    })?;
    Ok(exit)
}

fn verify_files(
    paths: &[PathBuf],
    node: Option<(&str, &str)>,
    anchors: Vec<Anchor>,
    output: &Output,
) -> Result<Exit, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() { files.extend(log_files(path)?) } else { files.push(path.clone()) }
    }
    // The name carries the first sequence; files named otherwise keep the order in which they were given.
    files.sort_by_key(|path| path.file_name().and_then(|name| name.to_str()).and_then(first_sequence));
    if files.is_empty() {
        return Err(Failure::usage("no file of an audit log there"));
    }
    let mut verifier = match node {
        Some((cluster, name)) => Verifier::new(cluster, name),
        None => Verifier::unnamed(),
    }
    .against(anchors);
    for (number, path) in files.iter().enumerate() {
        let bytes = fs::read(path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
        let end = if number + 1 == files.len() { End::MayBeCut } else { End::Whole };
        verifier.file(&path.display().to_string(), &bytes, end);
    }
    let report = verifier.finish();
    tell(&report, files.len(), output)?;
    Ok(if report.faults.is_empty() { Exit::Ok } else { Exit::Failed })
}

fn log_files(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let wrong = |error: std::io::Error| Failure::usage(format!("{}: {error}", directory.display()));
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if path.file_name().and_then(|name| name.to_str()).and_then(first_sequence).is_some() {
            files.push(path);
        }
    }
    Ok(files)
}

fn tell(report: &Report, files: usize, output: &Output) -> Result<(), Failure> {
    let faults: Vec<_> = report
        .faults
        .iter()
        .map(|fault| serde_json::json!({ "file": fault.file, "offset": fault.offset, "what": fault.what }))
        .collect();
    let value = serde_json::json!({
        "intact": faults.is_empty(),
        "files": files,
        "records": report.records,
        "lastSequence": report.last_sequence,
        "unfinishedBytes": report.unfinished_bytes,
        "head": HEXLOWER.encode(&report.head),
        "anchors": report.anchors_met,
        "anchoredUntil": report.anchored_until_ms.map(iso_text),
        "faults": faults,
    });
    output.value(&value, || {
        let state = if report.faults.is_empty() { "intact" } else { "DAMAGED" };
        let mut text = facts([
            ("log", state.to_owned()),
            ("files", files.to_string()),
            ("records", report.records.to_string()),
            ("last sequence", report.last_sequence.to_string()),
            ("head", HEXLOWER.encode(&report.head)),
            ("anchored until", report.anchored_until_ms.map(iso_text).unwrap_or_default()),
        ]);
        if report.unfinished_bytes > 0 {
            let bytes = report.unfinished_bytes;
            text.push_str(&format!(
                "\nthe last {bytes} bytes are no whole record: the node was stopped while it wrote, or the file was cut; \
                 the cluster's anchors (--anchors) tell which"
            ));
        }
        for fault in &report.faults {
            text.push_str(&format!("\n{} at byte {}: {}", fault.file, fault.offset, fault.what));
        }
        text
    })
}

//! `alertctl audit`: the chain of a log, in files or on running nodes, and who saw what.

use std::{
    fs,
    path::{Path, PathBuf},
};

use alert_client::{json, pb, present};
use alert_core::audit::{Report, Verifier, first_sequence};
use clap::{Args, Subcommand};

use crate::{
    App,
    arguments::{party, time},
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
    },
    /// Every record given out of one alert.
    WhoSaw {
        /// The alert's id.
        id: String,
        #[command(flatten)]
        span: Span,
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
        Verb::Verify { paths, cluster, name } if !paths.is_empty() => {
            Some(verify_files(paths, cluster.as_deref().zip(name.as_deref()), output))
        }
        _ => None,
    }
}

pub async fn run(app: &App, audit: Audit) -> Result<Exit, Failure> {
    match audit.verb {
        Verb::Verify { .. } => verify_nodes(app).await,
        Verb::WhoSaw { id, span } => {
            let mut found = pb::AuditRecords::default();
            loop {
                let request = pb::WhoSawRequest {
                    alert_id: id.clone(),
                    from: span.from,
                    until: span.until,
                    page_size: PAGE_RECORDS,
                    page_token: std::mem::take(&mut found.next_page_token),
                    ..Default::default()
                };
                if is_last(&mut found, app.client.who_saw(request).await?) {
                    return records(app, &found);
                }
            }
        }
        Verb::Asked { country, authority, system, span } => {
            let caller =
                pb::AuditCaller { country: Some(party(country)), authority, system, ..pb::AuditCaller::default() };
            let mut found = pb::AuditRecords::default();
            loop {
                let request = pb::WhatDidAskRequest {
                    caller: Some(caller.clone()),
                    from: span.from,
                    until: span.until,
                    page_size: PAGE_RECORDS,
                    page_token: std::mem::take(&mut found.next_page_token),
                    ..Default::default()
                };
                if is_last(&mut found, app.client.what_did_ask(request).await?) {
                    return records(app, &found);
                }
            }
        }
    }
}

fn is_last(found: &mut pb::AuditRecords, page: pb::AuditRecords) -> bool {
    found.answer = page.answer;
    found.records.extend(page.records);
    found.next_page_token = page.next_page_token;
    found.next_page_token.is_empty()
}

fn records(app: &App, found: &pb::AuditRecords) -> Result<Exit, Failure> {
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
            ]
        });
        table(["WHEN", "RECEIPT", "CALLER", "OFFICER", "PURPOSE", "OPERATION", "OUTCOME", "DISCLOSED"], rows)
    })?;
    Ok(Exit::Ok)
}

/// Asks each node (or the one given with `--node`) to check its own log.
async fn verify_nodes(app: &App) -> Result<Exit, Failure> {
    let addresses = match &app.client.defaults().only_node {
        Some(address) => vec![address.clone()],
        None => {
            let topology = app.client.admin().topology().await?;
            topology.nodes.into_iter().map(|node| node.client_address).collect()
        }
    };
    let mut answers = Vec::new();
    for address in addresses {
        let answer = app.client.at_node(&address).verify_audit(pb::VerifyAuditRequest::default()).await;
        answers.push((address, answer));
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
                let fault = answer.first_fault.clone();
                [address.clone(), state.to_owned(), answer.records.to_string(), hex(&answer.head_hash), fault]
            }
            Err(error) => [address.clone(), error.code.clone(), String::new(), String::new(), error.message.clone()],
        });
        table(["NODE", "LOG", "RECORDS", "HEAD", "FIRST FAULT"], rows)
    })?;
    Ok(exit)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn verify_files(paths: &[PathBuf], node: Option<(&str, &str)>, output: &Output) -> Result<Exit, Failure> {
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
    };
    for (number, path) in files.iter().enumerate() {
        let bytes = fs::read(path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
        verifier.file(&path.display().to_string(), &bytes, number + 1 == files.len());
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
        "head": hex(&report.head),
        "faults": faults,
    });
    output.value(&value, || {
        let state = if report.faults.is_empty() { "intact" } else { "DAMAGED" };
        let mut text = facts([
            ("log", state.to_owned()),
            ("files", files.to_string()),
            ("records", report.records.to_string()),
            ("last sequence", report.last_sequence.to_string()),
            ("head", hex(&report.head)),
        ]);
        for fault in &report.faults {
            text.push_str(&format!("\n{} at byte {}: {}", fault.file, fault.offset, fault.what));
        }
        text
    })
}

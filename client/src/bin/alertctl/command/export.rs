//! `alertctl export`.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use alert_client::pb;
use clap::Args;
use futures::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};

use super::alert::{Filter, line};
use crate::{
    App,
    exit::{Exit, Failure},
    output::broken_pipe,
};

/// Arguments of `export`.
#[derive(Args)]
pub struct Export {
    #[command(flatten)]
    filter: Filter,
    /// Write to this file; default: standard output.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Whole records with version, state and times, which `import` does not take.
    #[arg(long)]
    records: bool,
}

pub async fn run(app: &App, arguments: Export) -> Result<Exit, Failure> {
    let name = arguments.to.as_ref().map_or("standard output".to_owned(), |path| path.display().to_string());
    let wrong = |error: io::Error| Failure::failed(format!("{name}: {error}"));
    let mut out: Box<dyn Write> = match &arguments.to {
        Some(path) => Box::new(BufWriter::new(File::create(path).map_err(wrong)?)),
        None => Box::new(BufWriter::new(io::stdout())),
    };
    let style = ProgressStyle::with_template("{spinner} {human_pos} alerts, {per_sec}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    let progress = ProgressBar::new_spinner().with_style(style);

    let request = pb::ExportRequest { filter: Some(arguments.filter.to_pb()), ..Default::default() };
    let mut pages = app.client.export(request);
    while let Some(page) = pages.next().await {
        for record in page?.records {
            let text = if arguments.records { Some(alert_client::json::to_string(&record)) } else { line(&record) };
            if let Some(text) = text {
                writeln!(out, "{text}").or_else(broken_pipe)?;
                progress.inc(1);
            }
        }
    }
    out.flush().or_else(broken_pipe)?;
    progress.finish_and_clear();
    eprintln!("{} alerts written to {name}", progress.position());
    Ok(Exit::Ok)
}

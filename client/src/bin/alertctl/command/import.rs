//! `alertctl import`: never stops at a bad line, and adds nothing twice when it is started again.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use alert_client::{json, pb};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use parking_lot::Mutex;
use serde_json::json;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::{
    App,
    exit::{Exit, Failure},
    output::facts,
};

/// Lines read ahead of the cluster.
const READ_AHEAD: usize = 1024;
/// Longest line that is taken, in bytes: a record is at most 256 KiB, and its JSON a few times that.
const LINE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Arguments of `import`.
#[derive(Args)]
pub struct Import {
    /// One alert as JSON a line; "-" for standard input.
    file: PathBuf,
    /// Where rejected lines go, each with its reasons; default: FILE.rejected.ndjson.
    #[arg(long, value_name = "FILE")]
    rejected: Option<PathBuf>,
}

/// What became of the lines.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    created: u64,
    updated: u64,
    unchanged: u64,
    rejected: u64,
}

/// Texts of the lines under way, by number, for the file of rejected ones.
type UnderWay = Arc<Mutex<BTreeMap<u64, String>>>;

/// A line that is no alert at all.
struct BadLine {
    line: u64,
    text: String,
    reason: String,
}

pub async fn run(app: &App, arguments: Import) -> Result<Exit, Failure> {
    let is_stdin = arguments.file == Path::new("-");
    let rejected_path = arguments.rejected.unwrap_or_else(|| {
        let name = if is_stdin { Path::new("stdin") } else { &arguments.file };
        let mut name = name.as_os_str().to_owned();
        name.push(".rejected.ndjson");
        PathBuf::from(name)
    });
    let (input, size): (Box<dyn Read + Send>, u64) = if is_stdin {
        (Box::new(io::stdin()), 0)
    } else {
        let wrong = |error| Failure::usage(format!("{}: {error}", arguments.file.display()));
        let file = File::open(&arguments.file).map_err(wrong)?;
        let size = file.metadata().map_err(wrong)?.len();
        (Box::new(file), size)
    };
    let progress = bar(size);
    let under_way = UnderWay::default();
    let (lines, good) = mpsc::channel(READ_AHEAD);
    let (bad_lines, mut bad) = mpsc::channel(READ_AHEAD);
    let reader = {
        let (under_way, progress) = (under_way.clone(), progress.clone());
        tokio::task::spawn_blocking(move || read(input, &lines, &bad_lines, &under_way, &progress))
    };

    let started = Instant::now();
    let mut counts = Counts::default();
    let mut rejects = Rejects::new(rejected_path);
    let mut outcomes = app.client.import(ReceiverStream::new(good));
    let mut failure = None;
    loop {
        tokio::select! {
            biased;
            Some(bad) = bad.recv() => {
                counts.rejected += 1;
                let fault = pb::Fault { code: "NOT_AN_ALERT".to_owned(), message: bad.reason, ..Default::default() };
                rejects.add(bad.line, &[fault], &bad.text)?;
            }
            outcome = outcomes.next() => match outcome {
                Some(Ok(outcome)) => {
                    let text = under_way.lock().remove(&outcome.line).unwrap_or_default();
                    count(&mut counts, &outcome, &text, &mut rejects)?;
                }
                Some(Err(error)) => {
                    failure = Some(Failure::from(error));
                    break;
                }
                None => break,
            },
        }
        progress.set_message(talk(&counts));
    }
    drop(outcomes);
    if failure.is_none() {
        // The reader may have told of bad lines after the last good one was answered.
        while let Some(bad) = bad.recv().await {
            counts.rejected += 1;
            let fault = pb::Fault { code: "NOT_AN_ALERT".to_owned(), message: bad.reason, ..Default::default() };
            rejects.add(bad.line, &[fault], &bad.text)?;
        }
        let read = reader.await.map_err(|error| Failure::failed(error.to_string()))?;
        failure = read.err().map(|error| Failure::failed(format!("{}: {error}", arguments.file.display())));
    }
    progress.finish_and_clear();
    let rejected_file = rejects.finish(failure.is_none())?;
    report(app, &counts, started.elapsed().as_secs_f64(), rejected_file.as_deref())?;
    match failure {
        Some(failure) => {
            let message = format!("{failure}\nBroken off: start it again, nothing is added twice.");
            Err(Failure { exit: if failure.exit == Exit::Unknown { Exit::Unavailable } else { failure.exit }, message })
        }
        None if counts.rejected > 0 => Ok(Exit::Partial),
        None => Ok(Exit::Ok),
    }
}

fn count(counts: &mut Counts, outcome: &pb::ImportOutcome, text: &str, rejects: &mut Rejects) -> Result<(), Failure> {
    match outcome.status() {
        pb::ImportStatus::Created => counts.created += 1,
        pb::ImportStatus::Updated => counts.updated += 1,
        pb::ImportStatus::Unchanged => counts.unchanged += 1,
        pb::ImportStatus::Rejected | pb::ImportStatus::Unspecified => {
            counts.rejected += 1;
            rejects.add(outcome.line, &outcome.faults, text)?;
        }
    }
    Ok(())
}

/// Reads the file to its end, on a thread of its own; waits when the cluster is slower.
fn read(
    input: Box<dyn Read + Send>,
    lines: &mpsc::Sender<pb::ImportLine>,
    bad: &mpsc::Sender<BadLine>,
    under_way: &UnderWay,
    progress: &ProgressBar,
) -> io::Result<()> {
    let mut input = BufReader::with_capacity(1 << 20, input);
    let mut number = 0;
    loop {
        number += 1;
        let mut bytes = Vec::new();
        let length = (&mut input).take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes)?;
        if length == 0 {
            return Ok(());
        }
        progress.inc(length as u64);
        let is_cut = length as u64 == LINE_BYTES_MAX && bytes.last() != Some(&b'\n');
        if is_cut {
            progress.inc(skip_line(&mut input)?);
        }
        let is_utf8 = std::str::from_utf8(&bytes).is_ok();
        let text = String::from_utf8_lossy(&bytes).trim().to_owned();
        if text.is_empty() {
            continue;
        }
        let parsed = if is_cut {
            Err(format!("longer than {LINE_BYTES_MAX} bytes"))
        } else if !is_utf8 {
            Err("not UTF-8".to_owned())
        } else {
            json::from_str::<pb::Alert>(&text).map_err(|error| error.to_string())
        };
        let is_heard = match parsed {
            Ok(alert) => {
                under_way.lock().insert(number, text);
                lines.blocking_send(pb::ImportLine { line: number, alert: Some(alert) }).is_ok()
            }
            Err(reason) => bad.blocking_send(BadLine { line: number, text, reason }).is_ok(),
        };
        if !is_heard {
            // The import was broken off, and says so itself.
            return Ok(());
        }
    }
}

/// Reads to the end of the line; gives its length in bytes.
fn skip_line(input: &mut impl BufRead) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = input.fill_buf()?;
        let (length, is_end) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        input.consume(length);
        skipped += length as u64;
        if is_end {
            return Ok(skipped);
        }
    }
}

/// The file of rejected lines; it comes into being with the first of them.
struct Rejects {
    path: PathBuf,
    file: Option<BufWriter<File>>,
}

impl Rejects {
    fn new(path: PathBuf) -> Self {
        Self { path, file: None }
    }

    fn add(&mut self, line: u64, faults: &[pb::Fault], text: &str) -> Result<(), Failure> {
        let wrong = |error: io::Error| Failure::failed(format!("{}: {error}", self.path.display()));
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(BufWriter::new(File::create(&self.path).map_err(wrong)?)),
        };
        let faults: Vec<_> = faults.iter().map(json::to_value).collect();
        let entry = match serde_json::from_str::<serde_json::Value>(text) {
            Ok(alert) => json!({ "line": line, "faults": faults, "alert": alert }),
            Err(_) => json!({ "line": line, "faults": faults, "text": text }),
        };
        writeln!(file, "{entry}").map_err(wrong)
    }

    /// Closes the file; that of an earlier run is removed when this one read everything and nothing was rejected.
    fn finish(self, is_whole: bool) -> Result<Option<PathBuf>, Failure> {
        let wrong = |error: io::Error| Failure::failed(format!("{}: {error}", self.path.display()));
        match self.file {
            Some(mut file) => {
                file.flush().map_err(wrong)?;
                Ok(Some(self.path))
            }
            None if !is_whole => Ok(None),
            None => match std::fs::remove_file(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(wrong(error)),
                _ => Ok(None),
            },
        }
    }
}

fn bar(size: u64) -> ProgressBar {
    let template = if size == 0 {
        "{spinner} {bytes} {msg}"
    } else {
        "{bar:30} {percent:>3} % {bytes}/{total_bytes} {eta:>4} {msg}"
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(size).with_style(style)
}

fn talk(counts: &Counts) -> String {
    let Counts { created, updated, unchanged, rejected } = counts;
    format!("{created} created, {updated} updated, {unchanged} unchanged, {rejected} rejected")
}

fn report(app: &App, counts: &Counts, seconds: f64, rejected_file: Option<&Path>) -> Result<(), Failure> {
    let lines = counts.created + counts.updated + counts.unchanged + counts.rejected;
    let rate = if seconds > 0.0 { (lines as f64 / seconds).round() } else { 0.0 };
    eprintln!("{lines} lines in {seconds:.1} s, {rate} a second");
    let path = rejected_file.map(|path| path.display().to_string());
    let value = json!({
        "created": counts.created,
        "updated": counts.updated,
        "unchanged": counts.unchanged,
        "rejected": counts.rejected,
        "rejectedFile": path,
    });
    app.output.value(&value, || {
        facts([
            ("created", counts.created.to_string()),
            ("updated", counts.updated.to_string()),
            ("unchanged", counts.unchanged.to_string()),
            ("rejected", counts.rejected.to_string()),
            ("rejected lines", path.clone().unwrap_or_default()),
        ])
    })
}

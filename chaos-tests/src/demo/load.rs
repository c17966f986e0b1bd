//! The partner's agreement, the file of synthetic alerts, and its import.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use alert_client::{Error, json};
use alert_core::alert::validate::{CANDIDATE_FIELDS, RECORD_FIELDS};
use alert_proto::v1 as pb;
use alert_synth::{Generator, codes, json::JsonWriter, known};
use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::{sync::mpsc, task::JoinSet};
use tokio_stream::wrappers::ReceiverStream;

use super::{
    Options,
    bureaus::Bureaus,
    stage::{Stage, seconds, thousands},
};
use crate::process::LocalCluster;

/// Alerts read ahead, in all and for each bureau.
const READ_AHEAD: usize = 512;
/// Reasons of rejected lines that are shown.
const REASONS_SHOWN: usize = 5;

/// What a partner in the demo may see: open categories, and every field of a candidate.
pub(super) async fn agreement(cluster: &LocalCluster, stage: &Stage) -> anyhow::Result<()> {
    let agreement = partner_agreement(cluster)?;
    let policy = cluster.client("policy")?.with_defaults(|defaults| defaults.purpose = "alert-management".to_owned());
    let request = pb::PutAgreementRequest { agreement: Some(agreement), ..Default::default() };
    policy.put_agreement(request).await.context("putting the partner's agreement")?;
    stage.line(&format!(
        "An agreement lets {} search open alerts of the United Kingdom; covert ones it does not name.",
        codes::country_name(known::PARTNER)
    ));
    Ok(())
}

/// The agreement under which the partner of the demo asks, as its client's configuration names it.
pub fn partner_agreement(cluster: &LocalCluster) -> anyhow::Result<pb::Agreement> {
    let partner = cluster.client_config(&partner_name())?;
    Ok(agreement_with(known::PARTNER, partner.caller.agreement_id.unwrap_or_default()))
}

/// The client of the partner, as the harness names it.
pub(super) fn partner_name() -> String {
    format!("partner-{}", known::PARTNER.to_lowercase())
}

fn agreement_with(partner: &str, id: String) -> pb::Agreement {
    let values = |list: &str, values: &[&str]| values.iter().map(|value| codes::code(list, value)).collect();
    let texts = |texts: &[&str]| pb::FieldRights { fields: texts.iter().map(|text| (*text).to_owned()).collect() };
    pb::Agreement {
        id,
        partner: codes::party(partner),
        sources: vec!["UK".to_owned()],
        categories: values(
            "category",
            &[
                "arrest",
                "missing",
                "child-at-risk",
                "vulnerable-person",
                "refusal-of-entry",
                "judicial-procedure",
                "object-seizure",
                "object-evidence",
                "document-invalid",
            ],
        ),
        handling: values("handling", &["law-enforcement-only", "child"]),
        purposes: values("purpose", &["border-control", "police-check"]),
        candidate_fields: Some(texts(&CANDIDATE_FIELDS)),
        record_fields: Some(texts(&RECORD_FIELDS)),
        legal_regime: "Demonstration with synthetic data".to_owned(),
        transfer_basis: "Demonstration with synthetic data".to_owned(),
        ..Default::default()
    }
}

/// Writes the file of alerts and imports it, each authority's alerts by its own bureau.
pub(super) async fn import(
    cluster: &LocalCluster,
    bureaus: &Bureaus,
    options: Options,
    stage: &mut Stage,
) -> anyhow::Result<()> {
    let Options { persons, objects, .. } = options;
    stage.heading(&format!("Import: {} persons and {} objects", thousands(persons), thousands(objects)));
    let path = cluster.directory().join("alerts.ndjson");
    let written = Instant::now();
    let total = {
        let path = path.clone();
        tokio::task::spawn_blocking(move || write_file(&path, options)).await?.context("writing the file of alerts")?
    };
    let bytes = path.metadata().map_or(0, |file| file.len());
    stage.line(&format!(
        "{} synthetic alerts ({} MB, one JSON record a line) made in {}",
        thousands(total),
        bytes / 1_000_000,
        seconds(written.elapsed())
    ));
    let started = Instant::now();
    let counts = read_in(path, bureaus, total).await?;
    let time = started.elapsed();
    stage.line(&format!(
        "{} created, {} rejected, by the bureaus of {} authorities, in {}: {} a second, each on disk on at least two nodes",
        thousands(counts.created),
        thousands(counts.rejected),
        counts.bureaus,
        seconds(time),
        thousands((total as f64 / time.as_secs_f64().max(0.001)) as u64)
    ));
    if counts.rejected > 0 || counts.created != total {
        bail!("every line should have been created; some reasons: {}", counts.reasons.join("; "));
    }
    Ok(())
}

/// Known records first, then generated ones up to the numbers asked for.
fn write_file(path: &Path, options: Options) -> std::io::Result<u64> {
    let (generator, writer) = (Generator::new(options.seed), JsonWriter::new());
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let (mut persons, mut objects, mut total) = (options.persons, options.objects, 0);
    for record in known::records() {
        let count = if record.alert.identities.is_some() { &mut persons } else { &mut objects };
        *count = count.saturating_sub(1);
        total += 1;
        writer.write(&record.alert, &mut out)?;
    }
    for number in 0..persons {
        writer.write(&generator.person(number), &mut out)?;
    }
    for number in 0..objects {
        writer.write(&generator.object(number), &mut out)?;
    }
    out.flush()?;
    Ok(total + persons + objects)
}

#[derive(Debug, Default)]
struct Counts {
    created: u64,
    rejected: u64,
    bureaus: usize,
    reasons: Vec<String>,
}

async fn read_in(path: PathBuf, bureaus: &Bureaus, total: u64) -> anyhow::Result<Counts> {
    let (parsed, mut alerts) = mpsc::channel(READ_AHEAD);
    let reader = tokio::task::spawn_blocking(move || read_lines(&path, &parsed));
    let (told, mut outcomes) = mpsc::channel(READ_AHEAD);
    let progress = Progress::new(total);

    let counting = tokio::spawn(async move {
        let (mut progress, mut counts) = (progress, Counts::default());
        while let Some(outcome) = outcomes.recv().await {
            let outcome: pb::ImportOutcome = outcome;
            if outcome.status() == pb::ImportStatus::Created {
                counts.created += 1;
            } else {
                counts.rejected += 1;
                if counts.reasons.len() < REASONS_SHOWN {
                    counts.reasons.push(reason(&outcome));
                }
            }
            progress.advance(counts.created, counts.rejected);
        }
        progress.end();
        counts
    });

    let mut lanes = BTreeMap::<String, mpsc::Sender<pb::ImportLine>>::new();
    let mut imports = JoinSet::new();
    while let Some((line, alert)) = alerts.recv().await {
        let alert: pb::Alert = alert;
        let keeper = Bureaus::keeper(&alert);
        let lane = match lanes.get(keeper) {
            Some(lane) => lane,
            None => {
                let (lane, lines) = mpsc::channel(READ_AHEAD);
                let client = bureaus.of(keeper)?;
                let told = told.clone();
                imports.spawn(async move {
                    let mut answers = client.import(ReceiverStream::new(lines));
                    while let Some(answer) = answers.next().await {
                        if told.send(answer?).await.is_err() {
                            break;
                        }
                    }
                    Ok::<(), Error>(())
                });
                lanes.entry(keeper.to_owned()).or_insert(lane)
            }
        };
        if lane.send(pb::ImportLine { line, alert: Some(alert) }).await.is_err() {
            // The import ended before its lines did: its error comes below.
            break;
        }
    }
    drop(told);
    let count = lanes.len();
    drop(lanes);
    drop(alerts);
    while let Some(import) = imports.join_next().await {
        import?.context("importing")?;
    }
    reader.await?.context("reading the file of alerts")?;
    Ok(Counts { bureaus: count, ..counting.await? })
}

fn read_lines(path: &Path, parsed: &mpsc::Sender<(u64, pb::Alert)>) -> anyhow::Result<()> {
    for (number, line) in (1..).zip(BufReader::with_capacity(1 << 20, File::open(path)?).lines()) {
        let alert = json::from_str(&line?).map_err(|error| anyhow::anyhow!("line {number}: {error}"))?;
        if parsed.blocking_send((number, alert)).is_err() {
            break;
        }
    }
    Ok(())
}

fn reason(outcome: &pb::ImportOutcome) -> String {
    let faults: Vec<_> = outcome
        .faults
        .iter()
        .filter(|fault| !fault.warning)
        .map(|fault| format!("{} {}", fault.field_path, fault.message))
        .collect();
    format!("line {}: {:?} {}", outcome.line, outcome.status(), faults.join(", "))
}

/// A bar on a terminal, a line now and then elsewhere.
struct Progress {
    bar: ProgressBar,
    total: u64,
    next_tenth: u64,
}

impl Progress {
    fn new(total: u64) -> Self {
        let style = ProgressStyle::with_template(
            "   {bar:40} {percent:>3} %  {human_pos}/{human_len}  {per_sec}  {eta} left {msg}",
        )
        .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(total).with_style(style);
        bar.enable_steady_tick(Duration::from_millis(500));
        Self { bar, total, next_tenth: 1 }
    }

    fn advance(&mut self, created: u64, rejected: u64) {
        self.bar.set_position(created + rejected);
        if rejected > 0 {
            self.bar.set_message(format!("{rejected} rejected"));
        }
        if self.bar.is_hidden() && (created + rejected) * 10 >= self.total * self.next_tenth {
            println!("   {} % imported", self.next_tenth * 10);
            self.next_tenth += 1;
        }
    }

    fn end(self) {
        self.bar.finish_and_clear();
    }
}

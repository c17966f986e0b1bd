//! `alertctl hit`: what became of a candidate, and the conversation about it.

use std::path::PathBuf;

use alert_client::{json, pb, present};
use clap::{Args, Subcommand};

use crate::{
    App,
    arguments::{code, code_if, party, read_text, time},
    exit::{Exit, Failure},
    output::{facts, table},
};

/// Hits of one page.
const PAGE_HITS: u32 = 500;

/// Arguments of `hit`.
#[derive(Args)]
pub struct Hit {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Report what became of a candidate.
    Report(Box<Report>),
    /// Answer a hit on an alert of your own.
    Answer(Message),
    /// Say something about a hit, as its reporter or as the alert's owner.
    Say(Message),
    /// Show one hit with its conversation.
    Get {
        /// The hit's id.
        id: String,
    },
    /// List hits: on alerts of your own, and those that you reported.
    List {
        /// Those on one alert.
        #[arg(long, default_value = "", hide_default_value = true)]
        alert: String,
        /// Those that nobody has answered.
        #[arg(long)]
        unanswered: bool,
        /// Hits at most.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
}

#[derive(Args)]
struct Message {
    /// The hit's id.
    id: String,
    /// What to say; "-" reads it from standard input.
    text: String,
}

impl Message {
    fn text(&self) -> Result<String, Failure> {
        if self.text == "-" { read_text(&PathBuf::from("-")) } else { Ok(self.text.clone()) }
    }
}

#[derive(Args)]
struct Report {
    /// The alert's id.
    alert_id: String,
    /// The version that was seen, as the record showed it.
    #[arg(long)]
    version: u64,
    /// A value of the code list "hit-outcome": confirmed, not-the-subject, action-taken, not-possible.
    #[arg(long)]
    outcome: String,
    /// The id of the search that showed the candidate, as `search` told it.
    #[arg(long)]
    search_id: String,
    /// The receipt of its answer.
    #[arg(long, default_value = "", hide_default_value = true)]
    receipt: String,
    /// With the outcome not-possible: why.
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
    /// Where: country.
    #[arg(long)]
    country: Option<String>,
    /// Where: town.
    #[arg(long, default_value = "", hide_default_value = true)]
    city: String,
    /// Where, in words.
    #[arg(long, default_value = "", hide_default_value = true)]
    place: String,
    /// When; default: now.
    #[arg(long, value_parser = time)]
    time: Option<prost_types::Timestamp>,
    /// What was done: a value of the code list "action".
    #[arg(long)]
    action: Option<String>,
    /// How it came about.
    #[arg(long, default_value = "", hide_default_value = true)]
    circumstances: String,
    /// The whole report as JSON instead (vehicles, documents, company): a HitReport.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["country", "city", "place", "time", "action", "circumstances"])]
    report: Option<PathBuf>,
}

impl Report {
    fn into_hit(self) -> Result<pb::Hit, Failure> {
        let report = match &self.report {
            Some(file) => json::from_str(&read_text(file)?)
                .map_err(|error| Failure::usage(format!("{}: no report: {error}", file.display())))?,
            None => pb::HitReport {
                place: Some(pb::Place {
                    text: self.place,
                    city: self.city,
                    country: self.country.map(party),
                    ..Default::default()
                }),
                time: Some(self.time.unwrap_or_else(|| std::time::SystemTime::now().into())),
                action_taken: code_if("action", self.action),
                circumstances: self.circumstances,
                ..Default::default()
            },
        };
        Ok(pb::Hit {
            alert_id: self.alert_id,
            version_seen: self.version,
            search_id: self.search_id,
            receipt: self.receipt,
            outcome: Some(code("hit-outcome", self.outcome)),
            reason_not_possible: self.reason,
            report: Some(report),
            ..Default::default()
        })
    }
}

pub async fn run(app: &App, hit: Hit) -> Result<Exit, Failure> {
    let client = &app.client;
    let answer = match hit.verb {
        Verb::List { alert, unanswered, limit } => return list(app, alert, unanswered, limit).await,
        Verb::Report(report) => {
            client.report_hit(pb::ReportHitRequest { hit: Some(report.into_hit()?), ..Default::default() }).await?
        }
        Verb::Answer(message) => {
            let (text, hit_id) = (message.text()?, message.id);
            client.answer_hit(pb::AnswerHitRequest { hit_id, text, ..Default::default() }).await?
        }
        Verb::Say(message) => {
            let (text, hit_id) = (message.text()?, message.id);
            client.converse(pb::ConverseRequest { hit_id, text, ..Default::default() }).await?
        }
        Verb::Get { id } => client.hit(pb::GetHitRequest { hit_id: id, ..Default::default() }).await?,
    };
    app.output.message(&answer, |answer| one(&answer.hit.clone().unwrap_or_default()))?;
    Ok(Exit::Ok)
}

fn moment(time: &Option<prost_types::Timestamp>) -> String {
    time.as_ref().map(present::time).unwrap_or_default()
}

fn value(code: &Option<pb::Code>) -> String {
    code.as_ref().map(|code| code.value.clone()).unwrap_or_default()
}

fn one(hit: &pb::Hit) -> String {
    let report = hit.report.clone().unwrap_or_default();
    let place = report.place.unwrap_or_default();
    let country = place.country.unwrap_or_default().code;
    let parts = [place.text, place.city, place.region, country];
    let place = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    let reporter = hit.reported_by.clone().unwrap_or_default().code;
    let mut text = facts([
        ("hit", hit.id.clone()),
        ("alert", format!("{} version {}", hit.alert_id, hit.version_seen)),
        ("outcome", value(&hit.outcome)),
        ("why not", hit.reason_not_possible.clone()),
        ("reported", format!("{} by {reporter} {}", moment(&hit.reported_at), value(&hit.reporting_authority))),
        ("where", place),
        ("when", moment(&report.time)),
        ("action", value(&report.action_taken)),
        ("circumstances", report.circumstances),
        ("answer due", moment(&hit.answer_due_at)),
        ("answered", moment(&hit.answered_at)),
        ("search", hit.search_id.clone()),
        ("receipt", hit.receipt.clone()),
    ]);
    for message in &hit.conversation {
        let from = message.from.clone().unwrap_or_default().code;
        text.push_str(&format!("\n  {} {from} {}: {}", moment(&message.sent_at), message.sent_by, message.text));
    }
    text
}

async fn list(app: &App, alert_id: String, unanswered_only: bool, limit: u32) -> Result<Exit, Failure> {
    let mut answer = pb::ListHitsResponse::default();
    while answer.hits.len() < limit as usize {
        let missing = limit - answer.hits.len() as u32;
        let request = pb::ListHitsRequest {
            alert_id: alert_id.clone(),
            unanswered_only,
            page_size: missing.min(PAGE_HITS),
            page_token: answer.next_page_token,
            ..Default::default()
        };
        let page = app.client.hits(request).await?;
        answer.answer = page.answer;
        answer.hits.extend(page.hits);
        answer.next_page_token = page.next_page_token;
        if answer.next_page_token.is_empty() {
            break;
        }
    }
    app.output.message(&answer, |answer| {
        let rows = answer.hits.iter().map(|hit| {
            [
                hit.id.clone(),
                hit.alert_id.clone(),
                value(&hit.outcome),
                hit.reported_by.clone().unwrap_or_default().code,
                moment(&hit.reported_at),
                moment(&hit.answer_due_at),
                moment(&hit.answered_at),
            ]
        });
        table(["HIT", "ALERT", "OUTCOME", "BY", "REPORTED", "ANSWER DUE", "ANSWERED"], rows)
    })?;
    if !answer.next_page_token.is_empty() {
        eprintln!("There are more: raise --limit, or narrow the list.");
    }
    Ok(Exit::Ok)
}

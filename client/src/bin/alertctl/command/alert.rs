//! `alertctl get`, `list` and `history`.

use alert_client::{json, pb, present};
use clap::{Args, ValueEnum};

use crate::{
    App,
    arguments::{code, party, time},
    exit::{Exit, Failure},
    output::table,
};

/// Records of one page.
pub const PAGE_RECORDS: u32 = 500;

/// Arguments of `get`.
#[derive(Args)]
pub struct Get {
    /// The alert's id.
    id: String,
    /// Its links too.
    #[arg(long)]
    links: bool,
}

pub async fn get(app: &App, arguments: Get) -> Result<Exit, Failure> {
    let request = pb::GetRequest { alert_id: arguments.id, with_links: arguments.links, ..Default::default() };
    let answer = app.client.get(request).await?;
    app.output.message(&answer, |answer| {
        let mut text = answer.record.as_ref().map(present::record).unwrap_or_default();
        for link in &answer.links {
            let kind = link.kind.as_ref().map(|kind| kind.value.as_str()).unwrap_or_default();
            text.push_str(&format!("  link        {} - {} {kind} ({})\n", link.alert_a, link.alert_b, link.id));
        }
        text
    })?;
    Ok(Exit::Ok)
}

/// Which alerts: all that are given must hold.
#[derive(Args, Clone, Default)]
pub struct Filter {
    /// Category; may be given several times.
    #[arg(long = "category")]
    categories: Vec<String>,
    /// Object class; may be given several times.
    #[arg(long = "class")]
    classes: Vec<String>,
    /// Owner's country or organisation; may be given several times.
    #[arg(long = "owner")]
    owners: Vec<String>,
    /// State; may be given several times.
    #[arg(long = "state", value_enum)]
    states: Vec<State>,
    /// Source system; may be given several times.
    #[arg(long = "source")]
    sources: Vec<String>,
    /// Those that end before this time.
    #[arg(long, value_parser = time)]
    expires_before: Option<prost_types::Timestamp>,
}

/// A state by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    Draft,
    PendingReview,
    Waiting,
    Scheduled,
    Active,
    Expired,
    Deleted,
}

impl Filter {
    pub fn to_pb(&self) -> pb::AlertFilter {
        let codes = |list: &str, values: &[String]| values.iter().map(|value| code(list, value)).collect();
        let state = |state: &State| match state {
            State::Draft => pb::AlertState::Draft,
            State::PendingReview => pb::AlertState::PendingReview,
            State::Waiting => pb::AlertState::Waiting,
            State::Scheduled => pb::AlertState::Scheduled,
            State::Active => pb::AlertState::Active,
            State::Expired => pb::AlertState::Expired,
            State::Deleted => pb::AlertState::Deleted,
        };
        pb::AlertFilter {
            categories: codes("category", &self.categories),
            object_classes: codes("object-class", &self.classes),
            owners: self.owners.iter().map(party).collect(),
            states: self.states.iter().map(|given| state(given) as i32).collect(),
            sources: self.sources.clone(),
            expires_before: self.expires_before,
        }
    }
}

/// Arguments of `list`.
#[derive(Args)]
pub struct List {
    #[command(flatten)]
    filter: Filter,
    /// Alerts at most.
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

pub async fn list(app: &App, arguments: List) -> Result<Exit, Failure> {
    alerts(app, arguments.limit, async |page_size, page_token| {
        let filter = Some(arguments.filter.to_pb());
        app.client.list(pb::ListRequest { filter, page_size, page_token, ..Default::default() }).await
    })
    .await
}

/// Shows up to `limit` alerts, asked for page by page: (size, token) -> page.
pub async fn alerts(
    app: &App,
    limit: u32,
    ask: impl AsyncFn(u32, Vec<u8>) -> Result<pb::ListResponse, alert_client::Error>,
) -> Result<Exit, Failure> {
    let mut answer = pb::ListResponse::default();
    let limit = limit as usize;
    while answer.records.len() < limit {
        let missing = u32::try_from(limit - answer.records.len()).unwrap_or(PAGE_RECORDS);
        let page = ask(missing.min(PAGE_RECORDS), answer.next_page_token).await?;
        answer.answer = page.answer;
        answer.records.extend(page.records);
        answer.next_page_token = page.next_page_token;
        if answer.next_page_token.is_empty() {
            break;
        }
    }
    app.output.message(&answer, |answer| {
        table(["ID", "VERSION", "STATE", "CATEGORY", "OWNER", "SOURCE", "EXPIRES"], answer.records.iter().map(row))
    })?;
    if !answer.next_page_token.is_empty() {
        eprintln!("There are more: raise --limit, or narrow the list.");
    }
    Ok(Exit::Ok)
}

fn row(record: &pb::AlertRecord) -> [String; 7] {
    let info = record.info.clone().unwrap_or_default();
    let alert = record.alert.clone().unwrap_or_default();
    let core = alert.core.unwrap_or_default();
    let source = core.source.unwrap_or_default();
    let expires = alert.lifecycle.and_then(|life| life.expires_at);
    [
        info.id.clone(),
        info.version.to_string(),
        state_name(info.state()),
        core.category.map(|category| category.value).unwrap_or_default(),
        core.owner.and_then(|owner| owner.party).map(|party| party.code).unwrap_or_default(),
        format!("{} {}", source.system, source.reference).trim().to_owned(),
        expires.as_ref().map(present::time).unwrap_or_default(),
    ]
}

/// "pending review" for `ALERT_STATE_PENDING_REVIEW`.
pub fn state_name(state: pb::AlertState) -> String {
    state.as_str_name().trim_start_matches("ALERT_STATE_").replace('_', " ").to_lowercase()
}

/// Arguments of `history`.
#[derive(Args)]
pub struct History {
    /// The alert's id.
    id: String,
    /// Every version in full, not a line each.
    #[arg(long)]
    full: bool,
}

pub async fn history(app: &App, arguments: History) -> Result<Exit, Failure> {
    let mut whole = pb::HistoryResponse::default();
    loop {
        let request = pb::HistoryRequest {
            alert_id: arguments.id.clone(),
            page_size: PAGE_RECORDS,
            page_token: std::mem::take(&mut whole.next_page_token),
            ..Default::default()
        };
        let page = app.client.history(request).await?;
        whole.answer = page.answer;
        whole.entries.extend(page.entries);
        if page.next_page_token.is_empty() {
            break;
        }
        whole.next_page_token = page.next_page_token;
    }
    if arguments.full && !app.output.is_json() {
        for entry in &whole.entries {
            let record = entry.record.as_ref().map(present::record).unwrap_or_default();
            app.output.text(&format!("{} by {}\n{record}", entry.change, entry.changed_by))?;
        }
        return Ok(Exit::Ok);
    }
    app.output.message(&whole, |whole| {
        let rows = whole.entries.iter().map(|entry| {
            let info = entry.record.as_ref().and_then(|record| record.info.clone()).unwrap_or_default();
            [
                info.version.to_string(),
                info.changed_at.as_ref().map(present::time).unwrap_or_default(),
                entry.change.clone(),
                state_name(info.state()),
                entry.changed_by.clone(),
            ]
        });
        table(["VERSION", "CHANGED", "CHANGE", "STATE", "BY"], rows)
    })?;
    Ok(Exit::Ok)
}

/// One alert as a line of an export, which `import` takes back.
pub fn line(record: &pb::AlertRecord) -> Option<String> {
    record.alert.as_ref().map(json::to_string)
}

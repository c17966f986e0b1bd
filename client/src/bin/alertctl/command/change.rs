//! Commands that change alerts: `put`, `extend`, `restrict`, `lift`, `cancel`, `erase`.

use std::path::PathBuf;

use alert_client::{json, pb, present};
use clap::{Args, ValueEnum};

use super::alert::state_name;
use crate::{
    App,
    arguments::{code, code_if, party, read_text, time},
    exit::{Exit, Failure},
    output::table,
};

/// Arguments of `put`.
#[derive(Args)]
pub struct Put {
    /// A file with one alert as JSON; "-" for standard input.
    file: PathBuf,
    /// For an update: the version that the JSON was made from.
    #[arg(long)]
    expected_version: Option<u64>,
    /// A new alert stays a draft until it is submitted.
    #[arg(long)]
    draft: bool,
    /// Only say what is wrong with it.
    #[arg(long)]
    check: bool,
}

pub async fn put(app: &App, arguments: Put) -> Result<Exit, Failure> {
    let text = read_text(&arguments.file)?;
    let alert: pb::Alert = json::from_str(&text)
        .map_err(|error| Failure::usage(format!("{}: no alert: {error}", arguments.file.display())))?;
    if arguments.check {
        let request = pb::ValidateRequest { alert: Some(alert), ..Default::default() };
        let answer = app.client.validate(request).await?;
        app.output.message(&answer, |answer| faults(&answer.faults))?;
        let is_sound = answer.faults.iter().all(|fault| fault.warning);
        return Ok(if is_sound { Exit::Ok } else { Exit::Failed });
    }
    let answer = if alert.id.is_empty() {
        let request = pb::CreateRequest { alert: Some(alert), as_draft: arguments.draft, ..Default::default() };
        app.client.create(request).await?
    } else {
        let Some(expected_version) = arguments.expected_version else {
            return Err(Failure::usage("the JSON carries an id, so this is an update: give --expected-version"));
        };
        let request = pb::UpdateRequest { alert: Some(alert), expected_version, ..Default::default() };
        app.client.update(request).await?
    };
    written(app, &answer)
}

fn faults(faults: &[pb::Fault]) -> String {
    if faults.is_empty() {
        return "nothing wrong with it".to_owned();
    }
    let rows = faults.iter().map(|fault| {
        let kind = if fault.warning { "warning" } else { "fault" };
        [kind.to_owned(), fault.field_path.clone(), fault.code.clone(), fault.message.clone()]
    });
    table(["KIND", "FIELD", "CODE", "MESSAGE"], rows)
}

pub fn written(app: &App, answer: &pb::WriteResponse) -> Result<Exit, Failure> {
    for warning in &answer.warnings {
        eprintln!("warning: {}", present::fault(warning));
    }
    app.output.message(answer, |answer| {
        let row = [answer.alert_id.clone(), answer.version.to_string(), state_name(answer.state())];
        table(["ID", "VERSION", "STATE"], [row])
    })?;
    Ok(Exit::Ok)
}

/// The version that a change stands on: as given, or the current one.
pub async fn version(app: &App, id: &str, given: Option<u64>) -> Result<u64, Failure> {
    if let Some(given) = given {
        return Ok(given);
    }
    let answer = app.client.get(pb::GetRequest { alert_id: id.to_owned(), ..Default::default() }).await?;
    Ok(answer.record.and_then(|record| record.info).unwrap_or_default().version)
}

/// Arguments of `extend`.
#[derive(Args)]
pub struct Extend {
    /// The alert's id.
    id: String,
    /// Who reviewed it.
    #[arg(long)]
    reviewed_by: String,
    /// Why it is still needed.
    #[arg(long)]
    assessment: String,
    /// Until when; default: one more period of its category.
    #[arg(long, value_parser = time)]
    until: Option<prost_types::Timestamp>,
    /// Default: the current one.
    #[arg(long)]
    expected_version: Option<u64>,
}

pub async fn extend(app: &App, arguments: Extend) -> Result<Exit, Failure> {
    let request = pb::ExtendRequest {
        expected_version: version(app, &arguments.id, arguments.expected_version).await?,
        alert_id: arguments.id,
        until: arguments.until,
        reviewed_by: arguments.reviewed_by,
        assessment: arguments.assessment,
        ..Default::default()
    };
    written(app, &app.client.extend(request).await?)
}

/// Arguments of `restrict`.
#[derive(Args)]
pub struct Restrict {
    /// The alert's id.
    id: String,
    /// What kind.
    #[arg(long, value_enum)]
    kind: Kind,
    /// Country, or GB-EAW, GB-SCT, GB-NIR; may be given several times; default: everywhere.
    #[arg(long = "territory")]
    territories: Vec<String>,
    /// For a flag: the action shown instead.
    #[arg(long, required_if_eq("kind", "flagged"))]
    action: Option<String>,
    /// Who asked for it.
    #[arg(long)]
    requested_by: String,
    /// The decision it stands on.
    #[arg(long)]
    decision: String,
    /// From when; default: now.
    #[arg(long, value_parser = time)]
    from: Option<prost_types::Timestamp>,
    /// Until when; default: until lifted.
    #[arg(long, value_parser = time)]
    until: Option<prost_types::Timestamp>,
    /// Default: whatever the current one is.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    expected_version: u64,
}

/// A kind of restriction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Not shown in the territories.
    Suspended,
    /// Shown to its owner's bureau only.
    Blocked,
    /// Shown with a substitute action.
    Flagged,
}

pub async fn restrict(app: &App, arguments: Restrict) -> Result<Exit, Failure> {
    let kind = match arguments.kind {
        Kind::Suspended => pb::RestrictionKind::Suspended,
        Kind::Blocked => pb::RestrictionKind::Blocked,
        Kind::Flagged => pb::RestrictionKind::Flagged,
    };
    let restriction = pb::Restriction {
        kind: kind as i32,
        territories: arguments.territories.into_iter().map(party).collect(),
        substitute_action: code_if("action", arguments.action),
        requested_by: arguments.requested_by,
        decision: arguments.decision,
        from: arguments.from,
        until: arguments.until,
        ..Default::default()
    };
    let request = pb::RestrictRequest {
        alert_id: arguments.id,
        expected_version: arguments.expected_version,
        restriction: Some(restriction),
        ..Default::default()
    };
    written(app, &app.client.restrict(request).await?)
}

/// Arguments of `lift`.
#[derive(Args)]
pub struct Lift {
    /// The alert's id.
    id: String,
    /// The restriction's number, as `get` shows it.
    number: u32,
    /// Default: the current one.
    #[arg(long)]
    expected_version: Option<u64>,
}

pub async fn lift(app: &App, arguments: Lift) -> Result<Exit, Failure> {
    let request = pb::LiftRestrictionRequest {
        expected_version: version(app, &arguments.id, arguments.expected_version).await?,
        alert_id: arguments.id,
        restriction_number: arguments.number,
        ..Default::default()
    };
    written(app, &app.client.lift_restriction(request).await?)
}

/// Arguments of `cancel`.
#[derive(Args)]
pub struct Cancel {
    /// The alerts' ids.
    #[arg(required = true)]
    ids: Vec<String>,
    /// A value of the code list "deletion-reason".
    #[arg(long)]
    reason: String,
}

pub async fn cancel(app: &App, arguments: Cancel) -> Result<Exit, Failure> {
    let count = arguments.ids.len();
    if count > 1 {
        app.confirm(&format!("This ends {count} alerts on every node, with reason '{}'.", arguments.reason))?;
    }
    let reason = code("deletion-reason", arguments.reason);
    each(app, arguments.ids, async |alert_id| {
        let request = pb::CancelRequest { alert_id, reason: Some(reason.clone()), ..Default::default() };
        app.client.cancel(request).await
    })
    .await
}

/// Arguments of `erase`.
#[derive(Args)]
pub struct Erase {
    /// The alerts' ids.
    #[arg(required = true)]
    ids: Vec<String>,
    /// Why, without the data that is erased.
    #[arg(long)]
    ground: String,
}

pub async fn erase(app: &App, arguments: Erase) -> Result<Exit, Failure> {
    let count = arguments.ids.len();
    let alerts = if count == 1 { "1 alert".to_owned() } else { format!("{count} alerts") };
    app.confirm(&format!(
        "This removes {alerts} with all history from every node. Copies made outside the store are yours to remove.\n\
         It cannot be undone."
    ))?;
    let ground = arguments.ground;
    each(app, arguments.ids, async |alert_id| {
        app.client.erase(pb::EraseRequest { alert_id, ground: ground.clone(), ..Default::default() }).await
    })
    .await
}

/// Does one thing to many alerts: goes on after a failure, tells each, and ends with the gravest code.
async fn each(
    app: &App,
    ids: Vec<String>,
    change: impl AsyncFn(String) -> Result<pb::WriteResponse, alert_client::Error>,
) -> Result<Exit, Failure> {
    if let [id] = ids.as_slice() {
        return written(app, &change(id.clone()).await?);
    }
    let mut exit = Exit::Ok;
    let mut rows = Vec::new();
    for id in ids {
        match change(id.clone()).await {
            Ok(answer) => rows.push((id, Ok(answer))),
            Err(error) => {
                let failure = Failure::from(error);
                eprintln!("{id}: {failure}");
                exit = if exit == Exit::Ok || failure.exit == Exit::Unknown { failure.exit } else { exit };
                rows.push((id, Err(failure.message)));
            }
        }
    }
    let values: Vec<_> = rows
        .iter()
        .map(|(id, outcome)| match outcome {
            Ok(answer) => json::to_value(answer),
            Err(message) => serde_json::json!({ "alertId": id, "error": message }),
        })
        .collect();
    app.output.value(&serde_json::Value::Array(values), || {
        let rows = rows.iter().map(|(id, outcome)| match outcome {
            Ok(answer) => [id.clone(), answer.version.to_string(), state_name(answer.state())],
            Err(_) => [id.clone(), String::new(), "FAILED".to_owned()],
        });
        table(["ID", "VERSION", "STATE"], rows)
    })?;
    Ok(exit)
}

//! Whose an alert is and what it belongs to: `link`, `unlink`, `transfer-owner`, `withdraw-consent`, `duplicates`.

use std::path::PathBuf;

use alert_client::{json, pb, present};
use clap::Args;

use super::change::{version, written};
use crate::{
    App,
    arguments::{code, party, read_text},
    exit::{Exit, Failure},
    output::facts,
};

/// Arguments of `link`.
#[derive(Args)]
pub struct Link {
    /// The id of an alert of your own.
    id: String,
    /// The id of the other alert.
    other: String,
    /// A value of the code list "link-kind".
    #[arg(long)]
    kind: String,
    /// A note.
    #[arg(long, default_value = "", hide_default_value = true)]
    note: String,
}

pub async fn link(app: &App, arguments: Link) -> Result<Exit, Failure> {
    let request = pb::LinkRequest {
        alert_a: arguments.id,
        alert_b: arguments.other,
        kind: Some(code("link-kind", arguments.kind)),
        note: arguments.note,
        ..Default::default()
    };
    let answer = app.client.link(request).await?;
    app.output.message(&answer, |answer| {
        let link = answer.link.clone().unwrap_or_default();
        facts([
            ("link", link.id),
            ("alerts", format!("{} - {}", link.alert_a, link.alert_b)),
            ("kind", link.kind.unwrap_or_default().value),
            ("note", link.note),
        ])
    })?;
    Ok(Exit::Ok)
}

/// Arguments of `unlink`.
#[derive(Args)]
pub struct Unlink {
    /// The link's id, as `get --links` shows it.
    link_id: String,
}

pub async fn unlink(app: &App, arguments: Unlink) -> Result<Exit, Failure> {
    let request = pb::UnlinkRequest { link_id: arguments.link_id.clone(), ..Default::default() };
    let answer = app.client.unlink(request).await?;
    app.output.message(&answer, |_| format!("link {} is gone", arguments.link_id))?;
    Ok(Exit::Ok)
}

/// Arguments of `transfer-owner`.
#[derive(Args)]
pub struct TransferOwner {
    /// The alert's id.
    id: String,
    /// The new owner's country or organisation.
    #[arg(long, default_value = "GB")]
    party: String,
    /// The new owner's authority: a value of the code list "authority".
    #[arg(long)]
    authority: String,
    /// Whom to call at the new owner.
    #[arg(long, default_value = "", hide_default_value = true)]
    contact_name: String,
    /// The number, by day and by night.
    #[arg(long, default_value = "", hide_default_value = true)]
    contact_phone: String,
    /// The address.
    #[arg(long, default_value = "", hide_default_value = true)]
    contact_email: String,
    /// The contact is staffed day and night.
    #[arg(long)]
    available_24h: bool,
    /// Default: the current one.
    #[arg(long)]
    expected_version: Option<u64>,
}

pub async fn transfer_owner(app: &App, arguments: TransferOwner) -> Result<Exit, Failure> {
    let new = format!("{} {}", arguments.party, arguments.authority);
    app.confirm(&format!("This hands alert {} over to {new}: you can no longer change it.", arguments.id))?;
    let contact = pb::Contact {
        name: arguments.contact_name,
        phone: arguments.contact_phone,
        email: arguments.contact_email,
        available_24h: arguments.available_24h,
    };
    let new_owner = pb::Owner {
        party: Some(party(arguments.party)),
        authority: Some(code("authority", arguments.authority)),
        contact: (contact != pb::Contact::default()).then_some(contact),
    };
    let request = pb::TransferOwnerRequest {
        expected_version: version(app, &arguments.id, arguments.expected_version).await?,
        alert_id: arguments.id,
        new_owner: Some(new_owner),
        ..Default::default()
    };
    written(app, &app.client.transfer_owner(request).await?)
}

/// Arguments of `withdraw-consent`.
#[derive(Args)]
pub struct WithdrawConsent {
    /// The alert's id.
    id: String,
    /// Which of its victims, the first is 0.
    victim: u32,
    /// A value of the code list "victim-field"; may be given several times; default: all of that victim's data.
    #[arg(long = "field")]
    fields: Vec<String>,
    /// Default: the current one.
    #[arg(long)]
    expected_version: Option<u64>,
}

pub async fn withdraw_consent(app: &App, arguments: WithdrawConsent) -> Result<Exit, Failure> {
    app.confirm("This removes the victim's data, from the versions before this one too. It cannot be undone.")?;
    let request = pb::WithdrawConsentRequest {
        expected_version: version(app, &arguments.id, arguments.expected_version).await?,
        alert_id: arguments.id,
        victim_index: arguments.victim,
        field_categories: arguments.fields.into_iter().map(|field| code("victim-field", field)).collect(),
        ..Default::default()
    };
    written(app, &app.client.withdraw_consent(request).await?)
}

/// Arguments of `duplicates`.
#[derive(Args)]
pub struct Duplicates {
    /// A file with one alert as JSON; "-" for standard input.
    file: PathBuf,
}

pub async fn duplicates(app: &App, arguments: Duplicates) -> Result<Exit, Failure> {
    let alert: pb::Alert = json::from_str(&read_text(&arguments.file)?)
        .map_err(|error| Failure::usage(format!("{}: no alert: {error}", arguments.file.display())))?;
    let request = pb::CheckDuplicatesRequest { alert: Some(alert), ..Default::default() };
    let answer = app.client.check_duplicates(request).await?;
    app.output.message(&answer, |answer| {
        let found = pb::SearchResponse { sources: answer.sources.clone(), ..Default::default() };
        present::search(&found)
    })?;
    Ok(Exit::Ok)
}

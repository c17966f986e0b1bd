//! The way of an alert through its review: `submit`, `approve`, `reject`; and what is due for one: `due`.

use alert_client::pb;
use clap::Args;

use super::{
    alert::alerts,
    change::{version, written},
};
use crate::{
    App,
    arguments::time,
    exit::{Exit, Failure},
};

/// A step of the review of one alert.
#[derive(Args)]
pub struct Step {
    /// The alert's id.
    id: String,
    /// A note for whoever takes the next step.
    #[arg(long, default_value = "", hide_default_value = true)]
    note: String,
    /// Default: the current one.
    #[arg(long)]
    expected_version: Option<u64>,
}

pub async fn submit(app: &App, step: Step) -> Result<Exit, Failure> {
    let expected_version = version(app, &step.id, step.expected_version).await?;
    let Step { id: alert_id, note, .. } = step;
    let request = pb::SubmitRequest { alert_id, expected_version, note, ..Default::default() };
    written(app, &app.client.submit(request).await?)
}

pub async fn approve(app: &App, step: Step) -> Result<Exit, Failure> {
    let expected_version = version(app, &step.id, step.expected_version).await?;
    let Step { id: alert_id, note, .. } = step;
    let request = pb::ApproveRequest { alert_id, expected_version, note, ..Default::default() };
    written(app, &app.client.approve(request).await?)
}

pub async fn reject(app: &App, step: Step) -> Result<Exit, Failure> {
    let expected_version = version(app, &step.id, step.expected_version).await?;
    let Step { id: alert_id, note, .. } = step;
    let request = pb::RejectRequest { alert_id, expected_version, note, ..Default::default() };
    written(app, &app.client.reject(request).await?)
}

/// Arguments of `due`.
#[derive(Args)]
pub struct Due {
    /// Those that end before this time; default: whoever is to be warned by now.
    #[arg(long, value_parser = time)]
    before: Option<prost_types::Timestamp>,
    /// Alerts at most.
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

pub async fn due(app: &App, arguments: Due) -> Result<Exit, Failure> {
    alerts(app, arguments.limit, async |page_size, page_token| {
        let request = pb::DueForReviewRequest { before: arguments.before, page_size, page_token, ..Default::default() };
        app.client.due_for_review(request).await
    })
    .await
}

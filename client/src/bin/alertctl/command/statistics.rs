//! `alertctl statistics`: volumes, never personal data.

use alert_client::pb;
use clap::Args;

use super::alert::state_name;
use crate::{
    App,
    arguments::time,
    exit::{Exit, Failure},
    output::table,
};

/// Arguments of `statistics`.
#[derive(Args)]
pub struct Statistics {
    /// What happened from this time on; without times: what there is now.
    #[arg(long, value_parser = time)]
    from: Option<prost_types::Timestamp>,
    /// What happened before this time.
    #[arg(long, value_parser = time)]
    until: Option<prost_types::Timestamp>,
}

pub async fn run(app: &App, arguments: Statistics) -> Result<Exit, Failure> {
    let request = pb::StatisticsRequest { from: arguments.from, until: arguments.until, ..Default::default() };
    let answer = app.client.statistics(request).await?;
    app.output.message(&answer, |answer| {
        let rows = answer.rows.iter().map(|row| {
            let state =
                if row.state() == pb::AlertState::Unspecified { String::new() } else { state_name(row.state()) };
            [
                row.measure.clone(),
                row.agreement_id.clone(),
                row.category.clone().unwrap_or_default().value,
                state,
                row.count.to_string(),
            ]
        });
        table(["MEASURE", "AGREEMENT", "CATEGORY", "STATE", "COUNT"], rows)
    })?;
    Ok(Exit::Ok)
}

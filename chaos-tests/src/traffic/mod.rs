//! Calls at a fixed rate, what came of them, and whether all that was acknowledged is there.
//!
//! * [`Stream`]: starts a call every so often, whether the last one was answered or not (an open loop: a cluster that
//!   stops answering is asked all the same, so its silence is seen at its full length)
//! * [`writes`], [`searches`]: the two streams that everybody uses
//! * [`held_by_every_node`]: each acknowledged write, asked from each node

mod held;
mod stream;

pub use held::held_by_every_node;
pub use stream::{Answers, Stream, longest_gap, percentile};

use std::time::Duration;

use alert_client::{AlertClient, Error};
use alert_proto::v1 as pb;
use alert_synth::known;

/// A write that was acknowledged.
#[derive(Debug, Clone)]
pub struct Acknowledged {
    /// The alert's id, as the store gave it.
    pub alert_id: String,
    /// The version that was acknowledged.
    pub version: u64,
    /// The reference that the record was sent with.
    pub reference: String,
}

/// Creates [`known::numbered`] records of `run`, each with a reference of its own.
pub fn writes(client: AlertClient, run: &str, every: Duration) -> Stream {
    let run = run.to_owned();
    Stream::start(every, move |number| {
        let (client, alert) = (client.clone(), known::numbered(&run, number));
        async move { create(&client, alert).await.map(Some) }
    })
}

/// Searches for what is known, and for what nobody knows.
pub fn searches(client: AlertClient, every: Duration) -> Stream {
    Stream::start(every, move |number| {
        let questions =
            [known::stolen_passport().query, known::no_hit(), known::stolen_van().query, known::misspelt().query];
        let query = questions.into_iter().nth(number as usize % 4);
        let client = client.clone();
        async move { client.search(pb::SearchRequest { query, ..Default::default() }).await.map(|_| None) }
    })
}

/// Creates one alert.
///
/// # Errors
/// The call's own.
pub async fn create(client: &AlertClient, alert: pb::Alert) -> Result<Acknowledged, Error> {
    let source = alert.core.as_ref().and_then(|core| core.source.as_ref());
    let reference = source.map(|source| source.reference.clone()).unwrap_or_default();
    let done = client.create(pb::CreateRequest { alert: Some(alert), ..Default::default() }).await?;
    Ok(Acknowledged { alert_id: done.alert_id, version: done.version, reference })
}

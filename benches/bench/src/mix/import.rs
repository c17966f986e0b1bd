//! Alerts created through import streams, in messages of many lines.

use std::sync::Arc;

use alert_client::AlertClient;
use alert_cluster_config::identity::roles;
use alert_proto::v1 as pb;
use futures::future::BoxFuture;

use crate::{
    load::{Done, Work},
    target::{Records, Target},
};

/// Lines of one stream: one "operation".
const LINES: u64 = 1000;
/// Of a hundred alerts so many are persons: the mix of the Schengen Information System.
const PERSONS_PER_HUNDRED: u64 = 2;
/// References of a run begin here, beyond what was stored before.
const FIRST: u64 = 2_000_000_000;

/// See the module.
pub struct Import {
    clients: Vec<AlertClient>,
    records: Records,
    first: u64,
}

impl Import {
    /// Over `connections` clients.
    ///
    /// # Errors
    /// A client's files are missing.
    pub fn new(target: &Target, records: &Records, connections: usize) -> anyhow::Result<Self> {
        // A run on a cluster that has seen another must not send the same lines: they would change nothing.
        let run = jiff::Timestamp::now().as_second() as u64 % 1_000_000;
        let first = FIRST + run * 100_000_000;
        Ok(Self { clients: target.clients(roles::BUREAU, connections)?, records: records.clone(), first })
    }

    /// As something that can be run.
    pub fn work(self) -> Arc<dyn Work> {
        Arc::new(self)
    }

    fn record(&self, number: u64) -> pb::Alert {
        if number % 100 < PERSONS_PER_HUNDRED { self.records.person(number) } else { self.records.object(number) }
    }
}

impl Work for Import {
    fn once(&self, client: usize, number: u64) -> BoxFuture<'_, Result<Done, String>> {
        Box::pin(async move {
            let from = self.first + number * LINES;
            let lines: Vec<pb::ImportLine> = (0..LINES)
                .map(|line| pb::ImportLine { line: line + 1, alert: Some(self.record(from + line)) })
                .collect();
            let mut outcomes = self.clients[client % self.clients.len()].import(futures::stream::iter(lines));
            let mut created = 0;
            while let Some(outcome) = outcomes.next().await {
                let outcome = outcome.map_err(|error| error.to_string())?;
                if outcome.status() != pb::ImportStatus::Created {
                    return Err(format!("a line is {:?}", outcome.status()));
                }
                created += 1;
            }
            Ok(Done { kind: "import of 1,000", node: String::new(), units: created })
        })
    }
}

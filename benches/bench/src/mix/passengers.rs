//! Passenger lists: 300 people of one flight, each by the zone of the passport, in one batch search.

use std::sync::Arc;

use alert_client::{AlertClient, BatchOptions};
use alert_cluster_config::identity::roles;
use alert_proto::v1 as pb;
use futures::future::BoxFuture;

use super::Questions;
use crate::{
    load::{Done, Work},
    target::{Records, Target},
};

/// People of one flight.
pub const PASSENGERS: u64 = 300;

/// See the module.
pub struct Passengers {
    clients: Vec<AlertClient>,
    questions: Questions,
}

impl Passengers {
    /// Over `connections` clients.
    ///
    /// # Errors
    /// A client's files are missing.
    pub fn new(target: &Target, records: &Records, connections: usize) -> anyhow::Result<Self> {
        let questions = Questions::new(records.generator(), 0, 13).only(|query| !query.mrz.is_empty());
        Ok(Self { clients: target.clients(roles::SEARCH, connections)?, questions })
    }

    /// As something that can be run.
    pub fn work(self) -> Arc<dyn Work> {
        Arc::new(self)
    }
}

impl Work for Passengers {
    fn once(&self, client: usize, number: u64) -> BoxFuture<'_, Result<Done, String>> {
        Box::pin(async move {
            let queries: Vec<pb::KeyedQuery> = (0..PASSENGERS)
                .map(|seat| pb::KeyedQuery {
                    key: seat.to_string(),
                    query: Some(self.questions.at(number * PASSENGERS + seat)),
                })
                .collect();
            let client = &self.clients[client % self.clients.len()];
            let mut answers = client.search_batch(BatchOptions::default(), futures::stream::iter(queries));
            let mut units = 0;
            while let Some(answer) = answers.next().await {
                let answer = answer.map_err(|error| error.to_string())?;
                if let Some(error) = answer.error {
                    return Err(error.message);
                }
                units += 1;
            }
            Ok(Done { kind: "list of 300", node: String::new(), units })
        })
    }
}

//! Alerts created one call each, audited, durable on a majority when acknowledged.

use std::sync::Arc;

use alert_client::AlertClient;
use alert_cluster_config::identity::roles;
use alert_proto::v1 as pb;
use futures::future::BoxFuture;

use crate::{
    load::{Done, Work},
    target::{Records, Target},
};

/// Records made ahead; each goes out under a reference of its own.
const MADE: u64 = 4096;

/// What the alerts are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subjects {
    Objects,
    Persons,
}

/// See the module.
pub struct Write {
    clients: Vec<AlertClient>,
    made: Vec<pb::Alert>,
    run: String,
}

impl Write {
    /// Over `connections` clients, each with a session of its own.
    ///
    /// # Errors
    /// A client's files are missing.
    pub fn new(target: &Target, records: &Records, subjects: Subjects, connections: usize) -> anyhow::Result<Self> {
        // Far beyond what a run stores, so that no number is an alert's already.
        let made = (0..MADE).map(|number| match subjects {
            Subjects::Objects => records.object(1_000_000_000 + number),
            Subjects::Persons => records.person(1_000_000_000 + number),
        });
        let run = jiff::Timestamp::now().as_nanosecond().to_string();
        Ok(Self { clients: target.clients(roles::BUREAU, connections)?, made: made.collect(), run })
    }

    /// As something that can be run.
    pub fn work(self) -> Arc<dyn Work> {
        Arc::new(self)
    }

    /// Mean bytes of the records that it sends.
    pub fn mean_bytes(&self) -> usize {
        Records::mean_bytes(self.made.iter().cloned())
    }
}

impl Work for Write {
    fn once(&self, client: usize, number: u64) -> BoxFuture<'_, Result<Done, String>> {
        Box::pin(async move {
            let mut alert = self.made[number as usize % self.made.len()].clone();
            if let Some(source) = alert.core.as_mut().and_then(|core| core.source.as_mut()) {
                source.reference = format!("{}-{number}", self.run);
            }
            let request = pb::CreateRequest { alert: Some(alert), ..Default::default() };
            let answer = self.clients[client % self.clients.len()].create(request).await;
            let answer = answer.map_err(|error| error.to_string())?;
            let node = answer.answer.map(|context| context.node).unwrap_or_default();
            Ok(Done { kind: "write", node, units: 1 })
        })
    }
}

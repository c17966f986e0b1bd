//! Alerts created one call each, audited, durable on a majority when acknowledged.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use alert_client::AlertClient;
use alert_cluster_config::identity::roles;
use alert_proto::v1 as pb;
use futures::future::BoxFuture;

use crate::{
    load::{Done, Work},
    target::{Records, Target},
};

/// Records made ahead: making them must not cost what is measured. Beyond them they come again, under a reference of
/// their own each; then they are on one subject with their forerunners, which the store looks up and compares.
const MADE: u64 = 60_000;

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
    /// Records used, in all rounds: each is used once before any is used again.
    used: AtomicUsize,
    run: String,
}

impl Write {
    /// Over `connections` clients, each with a session of its own.
    ///
    /// # Errors
    /// A client's files are missing.
    pub fn new(target: &Target, records: &Records, subjects: Subjects, connections: usize) -> anyhow::Result<Self> {
        Self::with(target, records, subjects, connections, MADE)
    }

    /// The same with so few records that making them takes no time, for mixes that write little.
    ///
    /// # Errors
    /// A client's files are missing.
    pub fn few(target: &Target, records: &Records, connections: usize) -> anyhow::Result<Self> {
        Self::with(target, records, Subjects::Objects, connections, MADE / 32)
    }

    fn with(
        target: &Target,
        records: &Records,
        subjects: Subjects,
        connections: usize,
        count: u64,
    ) -> anyhow::Result<Self> {
        // Another set for each run, beyond what was stored before: no number is an alert's already.
        let nanos = jiff::Timestamp::now().as_nanosecond();
        let first = 1_000_000_000 + (nanos / 1000 % 1_000_000_000) as u64 * 1000;
        let made = (first..first + count).map(|number| match subjects {
            Subjects::Objects => records.object(number),
            Subjects::Persons => records.person(number),
        });
        let made = made.collect();
        Ok(Self {
            clients: target.clients(roles::BUREAU, connections)?,
            made,
            used: AtomicUsize::new(0),
            run: nanos.to_string(),
        })
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
            let mut alert = self.made[self.used.fetch_add(1, Ordering::Relaxed) % self.made.len()].clone();
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

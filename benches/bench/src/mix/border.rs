//! The border: 640 searches for each write; one partner makes a quarter of the searches.

use std::sync::Arc;

use alert_client::AlertClient;
use alert_cluster_config::identity::roles;
use alert_proto::v1 as pb;
use futures::future::BoxFuture;

use super::{Questions, Write};
use crate::{
    load::{Done, Work},
    target::{Records, Target, partner},
};

/// Searches for each write (Schengen Information System, 2024).
const SEARCHES_PER_WRITE: u64 = 640;
/// One search in four is the partner's.
const PARTNER_EVERY: u64 = 4;

/// See the module.
pub struct Border {
    questions: Questions,
    own: Vec<AlertClient>,
    partner: Vec<AlertClient>,
    level: pb::ReadLevel,
    writes: Option<Write>,
}

impl Border {
    /// Over `connections` clients, each with a connection to every node.
    ///
    /// # Errors
    /// A client's files are missing.
    pub async fn new(
        target: &Target,
        records: &Records,
        stored: u64,
        level: pb::ReadLevel,
        connections: usize,
    ) -> anyhow::Result<Self> {
        target.agree().await?;
        Ok(Self {
            questions: Questions::new(records.generator(), stored, 11),
            own: target.clients(roles::SEARCH, connections)?,
            partner: target.clients(&partner(), connections.div_ceil(PARTNER_EVERY as usize))?,
            level,
            writes: Some(Write::few(target, records, 1)?),
        })
    }

    /// Searches alone, by one kind of caller, of the questions that `is_asked` lets pass, at one node or at all.
    ///
    /// # Errors
    /// A client's files are missing.
    pub fn searches(
        target: &Target,
        records: &Records,
        level: pb::ReadLevel,
        connections: usize,
        at: Option<&str>,
        is_asked: impl Fn(&pb::Query) -> bool,
    ) -> anyhow::Result<Self> {
        let clients = target.clients(roles::SEARCH, connections)?;
        let own = clients.into_iter().map(|client| match at {
            Some(address) => client.at_node(address),
            None => client,
        });
        Ok(Self {
            questions: Questions::new(records.generator(), 0, 11).only(is_asked),
            own: own.collect(),
            partner: Vec::new(),
            level,
            writes: None,
        })
    }

    /// As something that can be run.
    pub fn work(self) -> Arc<dyn Work> {
        Arc::new(self)
    }
}

impl Work for Border {
    fn once(&self, client: usize, number: u64) -> BoxFuture<'_, Result<Done, String>> {
        Box::pin(async move {
            if let Some(writes) = &self.writes
                && number % (SEARCHES_PER_WRITE + 1) == SEARCHES_PER_WRITE
            {
                return writes.once(client, number).await;
            }
            let is_partner = !self.partner.is_empty() && number.is_multiple_of(PARTNER_EVERY);
            let callers = if is_partner { &self.partner } else { &self.own };
            // A partner may not ask for `local`.
            let level = match self.level {
                pb::ReadLevel::Local if is_partner => pb::ReadLevel::Unspecified,
                level => level,
            };
            let request = pb::SearchRequest {
                query: Some(self.questions.at(number)),
                read: Some(pb::ReadOptions { level: level as i32, ..Default::default() }),
                ..Default::default()
            };
            let answer = callers[client % callers.len()].search(request).await.map_err(|error| error.to_string())?;
            let complete = answer
                .sources
                .iter()
                .all(|source| matches!(source.status(), pb::SourceStatus::Complete | pb::SourceStatus::Truncated));
            if answer.sources.is_empty() || !complete {
                return Err("a source was not searched".into());
            }
            let node = answer.answer.map(|context| context.node).unwrap_or_default();
            Ok(Done { kind: if is_partner { "partner search" } else { "search" }, node, units: 1 })
        })
    }
}

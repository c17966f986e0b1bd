//! The index of the next normaliser: each node builds its own in the background; the leader asks every member, learners
//! too, and proposes the switch once all have it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use alert_core::{
    pb::RaftFrame,
    state::{IndexBuild, command::Command, read_rules},
};
use futures::future::join_all;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{
    duty::store_proposal,
    leadership::ClusterView,
    peers::{Lane as PeerLane, Peers},
    propose::Proposer,
    types::NodeId,
    wire,
};
use crate::{
    api::backend::Leadership,
    seam::{Host, Lane, run},
    storage::state::{StateError, StateStore, Worked},
};

/// Between two looks for work.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// After an error of the state; `apply` will meet it too.
const ERROR_PAUSE: Duration = Duration::from_secs(5);
/// Shortest pause between two pieces of work.
const PAUSE_MIN: Duration = Duration::from_millis(1);
/// Patience with one member's answer.
const ANSWER_PATIENCE: Duration = Duration::from_secs(1);
/// Patience with the switch.
const SWITCH_PATIENCE: Duration = Duration::from_secs(5);

/// How a change of normaliser goes, as far as this node knows. Clones share it.
#[derive(Clone)]
pub struct NextIndex {
    state: StateStore,
    /// What the leader waits for, in words.
    waiting_for: Arc<Mutex<String>>,
}

impl NextIndex {
    /// Of this node's state.
    pub fn new(state: StateStore) -> Self {
        Self { state, waiting_for: Arc::default() }
    }

    /// How far this node is with the index of `normaliser`.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn progress(&self, normaliser: u32) -> Result<wire::IndexReply, StateError> {
        if self.state.normalisers().get(normaliser).is_none() {
            return Ok(wire::IndexReply::Lacking);
        }
        let build = IndexBuild::read(&self.state.read()?)?.filter(|build| build.normaliser == normaliser);
        Ok(match build {
            Some(build) if build.complete => wire::IndexReply::Complete,
            _ => wire::IndexReply::Building,
        })
    }

    /// The normaliser that is to come into force; `None` while no change is under way.
    fn wanted(&self) -> Result<Option<u32>, StateError> {
        let view = self.state.read()?;
        let waits = alert_core::state::read_next_profile(&view)?.is_some();
        if waits { Ok(read_rules(&view)?.and_then(|rules| rules.next_normaliser())) } else { Ok(None) }
    }

    /// For an operator: what is under way here; `None` while no change is.
    pub fn describe(&self) -> Option<String> {
        let version = self.wanted().ok()??;
        let here = match self.progress(version).ok()? {
            wire::IndexReply::Complete => "complete here",
            wire::IndexReply::Building => "being built here",
            wire::IndexReply::Lacking => "not in this node's release, which must be replaced before the switch",
        };
        let waiting_for = self.waiting_for.lock().expect("held for this line only").clone();
        Some(format!("the index of normaliser {version} is {here}{waiting_for}"))
    }

    /// Builds, and drops what is not used any more; ends with `stopping`.
    pub async fn run_work(self, host: Host, stopping: CancellationToken) {
        loop {
            let (state, clock) = (self.state.clone(), host.clock.clone());
            let work = move || {
                let began = clock.boot();
                state.work_on_index().map(|worked| (worked, clock.boot().saturating_sub(began)))
            };
            let pause = match run(&*host.blocking, Lane::Read, work).await {
                Ok((Worked::Nothing, _)) => LOOK_INTERVAL,
                // Half of the time is left to those who apply and search.
                Ok((Worked::Built | Worked::Dropped, spent)) => spent.max(PAUSE_MIN),
                Err(error) => {
                    tracing::error!(%error, "the next index cannot be built");
                    ERROR_PAUSE
                }
            };
            tokio::select! {
                biased;
                () = stopping.cancelled() => return,
                () = sleep(pause) => {}
            }
        }
    }

    /// Proposes the switch while this node leads; ends with `stopping`.
    pub async fn run_switch(
        self,
        cluster: Arc<ClusterView>,
        peers: Peers,
        proposer: Proposer,
        stopping: CancellationToken,
    ) {
        loop {
            tokio::select! {
                biased;
                () = stopping.cancelled() => return,
                () = sleep(LOOK_INTERVAL) => {}
            }
            let leads = matches!(*cluster.leadership().borrow(), Leadership::Me { .. });
            let wanted = if leads { self.wanted() } else { Ok(None) };
            let missing = match wanted {
                Ok(Some(version)) => self.try_switch(version, &cluster, &peers, &proposer).await,
                Ok(None) => String::new(),
                Err(error) => error.to_string(),
            };
            *self.waiting_for.lock().expect("held for this line only") = missing;
        }
    }

    /// Proposes the switch if every member is ready for it; otherwise says in words who is not.
    async fn try_switch(&self, version: u32, cluster: &ClusterView, peers: &Peers, proposer: &Proposer) -> String {
        let members = cluster.membership();
        let ids: Vec<NodeId> = members.nodes().map(|(id, _)| *id).collect();
        let asked = ids.iter().map(|id| async move {
            let reply = if *id == cluster.own_id() {
                self.progress(version).map_err(|error| error.to_string())
            } else {
                ask(peers, *id, version).await
            };
            match reply {
                Ok(wire::IndexReply::Complete) => None,
                Ok(wire::IndexReply::Building) => Some(format!("node {id} is building it")),
                Ok(wire::IndexReply::Lacking) => Some(format!("node {id} runs a release without it")),
                Err(error) => Some(format!("node {id} does not answer: {error}")),
            }
        });
        let missing: Vec<String> = join_all(asked).await.into_iter().flatten().collect();
        // Who joined meanwhile was not asked.
        if missing.is_empty() && cluster.membership().nodes().map(|(id, _)| *id).eq(ids.iter().copied()) {
            tracing::info!(version, "every member has the index of the next normaliser: switching");
            let proposal = store_proposal(Command::SwitchNormaliser { version });
            if let Err(error) = proposer.propose(proposal, Instant::now() + SWITCH_PATIENCE).await {
                tracing::debug!(%error, "the switch was not proposed");
            }
        }
        if missing.is_empty() { String::new() } else { format!("; waiting: {}", missing.join(", ")) }
    }
}

async fn ask(peers: &Peers, node: NodeId, normaliser: u32) -> Result<wire::IndexReply, String> {
    let answer = async {
        let connection =
            peers.connection(node, PeerLane::Forward, ANSWER_PATIENCE).await.map_err(|error| error.to_string())?;
        let frame = RaftFrame { payload: wire::encode(&wire::IndexAsked { normaliser }) };
        let reply = connection.client().next_index(frame).await.map_err(|status| status.message().to_owned())?;
        peers.note_contact(node);
        wire::decode(&reply.into_inner().payload).map_err(|error| error.to_string())
    };
    timeout(2 * ANSWER_PATIENCE, answer).await.unwrap_or_else(|_| Err("no answer in time".into()))
}

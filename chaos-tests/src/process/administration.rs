//! What an operator does to a cluster: forming it, growing it, asking each node what it knows.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use alert_client::{Admin, AlertClient, Error};
use alert_proto::v1 as pb;
use anyhow::{Context, bail};

use super::{LocalCluster, NodeProcess, State, wait_until};

/// A node that does not say what it knows within this time is asked again, or passed over.
const STATUS_LIMIT: Duration = Duration::from_secs(2);
/// One change of the membership.
const CHANGE_LIMIT: Duration = Duration::from_secs(30);

impl LocalCluster {
    /// A client of the whole cluster, with the certificate and defaults of `name` ([`Self::client_config_path`]).
    pub fn client(&self, name: &str) -> anyhow::Result<AlertClient> {
        Ok(AlertClient::builder().config(&self.client_config(name)?).build()?)
    }

    /// What a node says of itself.
    pub async fn status(&self, id: u64) -> anyhow::Result<pb::StatusResponse> {
        let operator = self.client("operator")?.with_deadline(STATUS_LIMIT);
        status_of(&operator, &*self.node(id)?).await
    }

    /// Waits until a node that runs says that it leads, and gives its number. (An old leader may say so for a while
    /// after it was cut off: the highest term counts.)
    pub async fn wait_leader(&self) -> anyhow::Result<u64> {
        let operator = self.client("operator")?.with_deadline(STATUS_LIMIT);
        let operator = &operator;
        wait_until("a leader", self.settings.ready_limit, || async move {
            let mut leader: Option<(u64, u64)> = None;
            for node in self.nodes().into_iter().filter(|node| node.state() == State::Running) {
                if let Ok(status) = status_of(operator, &node).await
                    && status.role == "leader"
                {
                    leader = leader.max(Some((status.term, status.node_id)));
                }
            }
            Ok(leader.map(|(_, id)| id))
        })
        .await
    }

    /// Waits until all nodes that run have applied the same entry and hold the same: (log index, state hash). Whoever
    /// writes must have stopped.
    ///
    /// # Errors
    /// They do not agree in time; says what each last said.
    pub async fn wait_same_state(&self) -> anyhow::Result<(u64, String)> {
        let operator = self.client("operator")?.with_deadline(STATUS_LIMIT);
        let operator = &operator;
        let last = Mutex::new(Vec::new());
        let waited = wait_until("the same state on all nodes", self.settings.ready_limit, || async {
            let mut states = BTreeMap::new();
            for node in self.nodes().into_iter().filter(|node| node.state() == State::Running) {
                let Ok(status) = status_of(operator, &node).await else { return Ok(None) };
                states.insert(node.id(), (status.applied_index, status.state_hash));
            }
            let first = states.values().next().cloned();
            let same = first.filter(|first| states.values().all(|state| state == first));
            *last.lock().unwrap_or_else(PoisonError::into_inner) = states.into_iter().collect();
            Ok(same)
        })
        .await;
        waited.with_context(|| format!("last: {:?}", last.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Forms the cluster: node 1 alone, and then each other node as a voter.
    pub async fn form(&self) -> anyhow::Result<()> {
        self.init(1).await?;
        for node in self.nodes().into_iter().filter(|node| node.id() != 1) {
            self.join(&node).await?;
        }
        Ok(())
    }

    /// Forms a cluster of one node; says whether it was done now (false: before).
    pub async fn init(&self, id: u64) -> anyhow::Result<bool> {
        let admin = self.client("operator")?.with_deadline(CHANGE_LIMIT).admin();
        let formed = admin.at(self.node(id)?.client_address()?).init().await;
        Ok(formed.with_context(|| format!("forming the cluster on node {id}"))?.formed_now)
    }

    /// Adds a node that runs to the cluster, first as a learner, then as a voter.
    pub async fn join(&self, node: &NodeProcess) -> anyhow::Result<()> {
        self.join_as_learner(node).await?;
        let id = node.id();
        self.ask_leader("promoting", id, "voter", |admin| async move { admin.promote(id).await.map(drop) }).await
    }

    /// Adds a node that runs to the cluster as a learner.
    pub async fn join_as_learner(&self, node: &NodeProcess) -> anyhow::Result<()> {
        let request = self.as_learner(node)?;
        self.ask_leader("adding", node.id(), "learner", |admin| {
            let request = request.clone();
            async move { admin.add_learner(request).await.map(drop) }
        })
        .await
    }

    /// What a leader is asked in order to add this node.
    pub fn as_learner(&self, node: &NodeProcess) -> anyhow::Result<pb::AddLearnerRequest> {
        let config = node.config()?;
        Ok(pb::AddLearnerRequest {
            node_id: node.id(),
            raft_address: config.raft_address(),
            client_address: config.client_address(),
            name: config.node.name,
            data_centre: config.node.data_centre,
        })
    }

    /// Asks the leader of the moment until it agrees: it makes one change of the membership at a time, and promotes
    /// only a node that has caught up, so that a first refusal says little. A change whose answer was lost may have been
    /// made, and is refused when it is asked for again: then the node is a member, of this `kind`.
    async fn ask_leader<F>(&self, what: &str, id: u64, kind: &str, ask: impl Fn(Admin) -> F) -> anyhow::Result<()>
    where
        F: Future<Output = Result<(), Error>>,
    {
        let admin = self.client("operator")?.with_deadline(CHANGE_LIMIT).admin();
        let last = Mutex::new(String::new());
        let may_be_made = AtomicBool::new(false);
        let waited = wait_until(&format!("{what} node {id}"), self.settings.ready_limit, || async {
            let leader = self.wait_leader().await?;
            if may_be_made.load(Ordering::Relaxed) {
                let members = self.status(leader).await.map(|status| status.members).unwrap_or_default();
                if members.iter().any(|member| member.node_id == id && member.kind == kind) {
                    return Ok(Some(()));
                }
            }
            let Err(error) = ask(admin.at(self.node(leader)?.client_address()?)).await else { return Ok(Some(())) };
            may_be_made.fetch_or(error.maybe_applied, Ordering::Relaxed);
            if is_final(&error) {
                bail!("{what} node {id}: {error}");
            }
            *last.lock().unwrap_or_else(PoisonError::into_inner) = error.to_string();
            Ok(None)
        })
        .await;
        waited.with_context(|| format!("last: {}", last.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

async fn status_of(operator: &AlertClient, node: &NodeProcess) -> anyhow::Result<pb::StatusResponse> {
    let status = operator.admin().at(node.client_address()?).status().await;
    status.with_context(|| format!("status of node {}", node.id()))
}

/// Nothing that waiting would mend.
fn is_final(error: &Error) -> bool {
    use tonic::Code;
    matches!(error.grpc, Code::InvalidArgument | Code::PermissionDenied | Code::Unauthenticated | Code::Unimplemented)
}

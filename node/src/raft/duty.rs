//! What the leader does by itself: it looks at the state again and again, and proposes commands of the store's own.

use std::{future::Future, sync::Arc, time::Duration};

use alert_core::state::{
    View, ViewError,
    command::{Answer, Command, Proposal},
};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{leadership::ClusterView, propose::Proposer, reads::Reads};
use crate::{
    api::backend::{Leadership, ProposeError},
    seam::{Host, Lane, run},
};

/// Patience with one such command.
const PATIENCE: Duration = Duration::from_secs(5);

/// Something that the leader does by itself.
pub trait Duty: Send {
    /// One look, and what comes of it; gives the pause until another is worth while.
    fn look(&mut self, leader: &Leader) -> impl Future<Output = Duration> + Send;
}

/// A node while it leads, as its duties see it.
#[derive(Clone)]
pub struct Leader {
    pub(super) cluster: Arc<ClusterView>,
    pub(super) reads: Reads,
    pub(super) proposer: Proposer,
    pub(super) host: Host,
}

/// A command of the store's own.
pub fn store_proposal(command: Command) -> Proposal {
    Proposal { caller: None, request: None, rules_revision: 0, command }
}

impl Leader {
    /// Does a duty for as long as this node leads, whenever it does; ends with `stopping`.
    pub async fn perform(self, mut duty: impl Duty, stopping: CancellationToken) {
        let mut leadership = self.cluster.leadership();
        loop {
            let leads = matches!(*leadership.borrow_and_update(), Leadership::Me { .. });
            let pause = if leads { duty.look(&self).await } else { Duration::MAX };
            tokio::select! {
                biased;
                () = stopping.cancelled() => return,
                changed = leadership.changed(), if !leads => if changed.is_err() { return },
                () = sleep(pause), if leads => {}
            }
        }
    }

    /// What the median of the voters' clocks says: one wrong clock makes nothing due.
    pub fn now_ms(&self) -> u64 {
        self.cluster.median_time_ms()
    }

    /// Reads the newest state; `None` where there is none to read. `what` is what cannot be read then.
    pub async fn read<T: Send + 'static>(
        &self,
        what: &'static str,
        read: impl FnOnce(&dyn View) -> Result<T, ViewError> + Send + 'static,
    ) -> Option<T> {
        let handle = self.reads.newest().ok()?;
        match run(&*self.host.blocking, Lane::Read, move || read(&*handle.view)).await {
            Ok(value) => Some(value),
            Err(error) => {
                tracing::error!(%error, what, "a duty of the leader: the state cannot be read");
                None
            }
        }
    }

    /// Proposes a command of the store's own; `what` names it in the logs.
    ///
    /// # Errors
    /// It was not applied, or nobody knows; another look will tell.
    pub async fn propose(&self, what: &'static str, command: Command) -> Result<Answer, ProposeError> {
        let proposed = self.proposer.propose(store_proposal(command), Instant::now() + PATIENCE).await;
        match &proposed {
            Ok(Ok(_)) => {}
            Ok(Err(rejection)) => tracing::error!(what, ?rejection, "the store refused a command of its own"),
            Err(error) => tracing::debug!(what, %error, "a command of the store's own was not proposed"),
        }
        proposed
    }
}

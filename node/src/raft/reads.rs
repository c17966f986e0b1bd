//! Reads at each level, from this node's own state, on leader, follower and learner alike.

use std::{sync::Arc, time::Duration};

use alert_core::state::Meta;
use tokio::{
    sync::watch,
    time::timeout_at,
};

use super::{
    options::ReadBounds,
    read_pump::ReadPump,
    state_machine::Progress,
    state_port::StateStore,
};
use crate::{
    api::backend::{Applied, Deadline, Level, ReadError, ReadHandle},
    seam::Clock,
};

/// Serves reads. Clones share everything.
#[derive(Clone)]
pub struct Reads {
    store: Arc<dyn StateStore>,
    pump: ReadPump,
    progress: watch::Receiver<Progress>,
    clock: Arc<dyn Clock>,
    bounds: ReadBounds,
}

impl Reads {
    /// From this store, as fresh as this pump proves.
    pub fn new(
        store: Arc<dyn StateStore>,
        pump: ReadPump,
        progress: watch::Receiver<Progress>,
        clock: Arc<dyn Clock>,
        bounds: ReadBounds,
    ) -> Self {
        Self { store, pump, progress, clock, bounds }
    }

    /// A state that satisfies `level`.
    ///
    /// # Errors
    /// Why this node cannot serve it.
    pub async fn read(&self, level: Level, deadline: Deadline) -> Result<ReadHandle, ReadError> {
        self.check_ready()?;
        match level {
            Level::Local => {}
            Level::Linearizable => {
                let index = self.pump.index(deadline).await?;
                self.wait_applied(index, deadline).await?;
            }
            Level::Bounded(bound) => {
                let since = self.clock.boot().saturating_sub(bound);
                if self.proven_at().is_none_or(|proven_at| proven_at < since) {
                    let index = self.pump.index_since(since, deadline).await?;
                    self.wait_applied(index, deadline).await?;
                }
            }
            Level::Session { revision } => self.wait_revision(revision, deadline).await?,
        }
        self.newest()
    }

    /// The newest state of this node, at no level.
    ///
    /// # Errors
    /// The state cannot be read: the node is stopping, or broken.
    pub fn newest(&self) -> Result<ReadHandle, ReadError> {
        let unreadable = |error: &dyn std::fmt::Display| {
            tracing::error!(%error, "the state cannot be read");
            ReadError::NotReady { reason: "its state cannot be read".into() }
        };
        let (view, applied) = self.store.snapshot().map_err(|error| unreadable(&error))?;
        let meta = Meta::read(&*view).map_err(|error| unreadable(&error))?;
        let applied_index = applied.log_id.map_or(0, |id| id.index);
        let proven_at = self.pump.proven_at(applied_index);
        Ok(ReadHandle {
            view,
            revision: meta.revision,
            applied_index,
            stamp_ms: meta.time_ms,
            staleness: proven_at.map(|proven_at| self.clock.boot().saturating_sub(proven_at)),
            without_quorum: self.pump.without_quorum(),
        })
    }

    /// Why this node serves no reads now, at any level.
    ///
    /// # Errors
    /// The reason.
    pub fn check_ready(&self) -> Result<(), ReadError> {
        let progress = *self.progress.borrow();
        if progress.installing {
            return Err(ReadError::NotReady { reason: "it installs a snapshot".into() });
        }
        // What a node held before it stopped may be older than what it served: only a quorum can tell.
        if self.pump.proven_at(progress.applied.index).is_none() {
            return Err(ReadError::NotReady { reason: "no quorum has confirmed its state since it started".into() });
        }
        Ok(())
    }

    fn proven_at(&self) -> Option<Duration> {
        self.pump.proven_at(self.progress.borrow().applied.index)
    }

    async fn wait_applied(&self, index: u64, deadline: Deadline) -> Result<(), ReadError> {
        let at = self.progress.borrow().applied.index;
        if index > at.saturating_add(self.bounds.lag_entries_max) {
            return Err(ReadError::Behind { lag_entries: index - at });
        }
        self.wait(|applied| applied.index >= index, deadline).await
    }

    async fn wait_revision(&self, revision: u64, deadline: Deadline) -> Result<(), ReadError> {
        if self.progress.borrow().applied.revision >= revision {
            return Ok(());
        }
        if let Some(newest) = self.pump.newest_index() {
            let lag_entries = newest.saturating_sub(self.progress.borrow().applied.index);
            if lag_entries > self.bounds.lag_entries_max {
                return Err(ReadError::Behind { lag_entries });
            }
        }
        // Whatever a quorum confirms now holds every revision ever given out: a token beyond it is from the future.
        let from_future = async {
            let index = self.pump.index(deadline).await?;
            self.wait_applied(index, deadline).await?;
            if self.progress.borrow().applied.revision < revision {
                return Err(ReadError::TokenFromFuture);
            }
            Ok(())
        };
        let reached = self.wait(|applied| applied.revision >= revision, deadline);
        tokio::select! {
            biased;
            reached = reached => reached,
            checked = from_future => match checked {
                Ok(()) | Err(ReadError::TokenFromFuture) => checked,
                // Without a quorum the token may still be reached by what was committed before.
                Err(_) => self.wait(|applied| applied.revision >= revision, deadline).await,
            },
        }
    }

    async fn wait(&self, reached: impl Fn(Applied) -> bool, deadline: Deadline) -> Result<(), ReadError> {
        let mut progress = self.progress.clone();
        let waited = progress.wait_for(|progress| progress.installing || reached(progress.applied));
        let seen = match timeout_at(deadline, waited).await {
            Ok(Ok(seen)) => *seen,
            Ok(Err(_)) => return Err(ReadError::Stopped),
            Err(_) => return Err(ReadError::DeadlineExceeded),
        };
        if seen.installing {
            return Err(ReadError::NotReady { reason: "it installs a snapshot".into() });
        }
        Ok(())
    }
}

//! Reads at each level, from this node's own state, on leader, follower and learner alike.

use std::{sync::Arc, time::Duration};

use alert_core::mutants::Mutant;
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use super::{options::ReadBounds, read_pump::ReadPump};
use crate::{
    api::backend::{Deadline, Level, ReadError, ReadHandle},
    seam::Clock,
    storage::state::{Position, StateStore},
};

/// Serves reads. Clones share everything.
#[derive(Clone)]
pub struct Reads {
    store: StateStore,
    position: watch::Receiver<Position>,
    installing: watch::Receiver<bool>,
    receiving: watch::Receiver<usize>,
    pump: ReadPump,
    clock: Arc<dyn Clock>,
    bounds: ReadBounds,
}

/// Index of the last entry in a state; 0 in an empty one.
fn index_of(position: &Position) -> u64 {
    position.applied_index().unwrap_or(0)
}

impl Reads {
    /// From this store, as fresh as this pump proves. `installing`: a snapshot takes the place of the state; `receiving`:
    /// how many snapshots are on their way here.
    pub fn new(
        store: StateStore,
        installing: watch::Receiver<bool>,
        receiving: watch::Receiver<usize>,
        pump: ReadPump,
        clock: Arc<dyn Clock>,
        bounds: ReadBounds,
    ) -> Self {
        let position = store.position();
        Self { store, position, installing, receiving, pump, clock, bounds }
    }

    fn position(&self) -> Position {
        *self.position.borrow()
    }

    fn applied_index(&self) -> u64 {
        index_of(&self.position())
    }

    /// A state that satisfies `level`.
    ///
    /// # Errors
    /// Why this node cannot serve it.
    pub async fn read(&self, level: Level, deadline: Deadline) -> Result<ReadHandle, ReadError> {
        self.check_ready()?;
        match level {
            Level::Local => {}
            Level::Linearizable if Mutant::LocalAsLinearizable.is_planted() => {}
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
        let view = self.store.read().map_err(|error| {
            tracing::error!(%error, "the state cannot be read");
            ReadError::NotReady { reason: "its state cannot be read".into() }
        })?;
        let position = view.position();
        Ok(ReadHandle {
            revision: position.revision,
            applied_index: index_of(&position),
            stamp_ms: view.meta().time_ms,
            meta: view.meta().clone(),
            view: Arc::new(view),
            proven_at: self.pump.proven_at(index_of(&position)),
            without_quorum: self.pump.without_quorum(),
        })
    }

    /// Why this node serves no reads now, at any level.
    ///
    /// # Errors
    /// The reason.
    pub fn check_ready(&self) -> Result<(), ReadError> {
        if *self.installing.borrow() {
            return Err(installing());
        }
        // What a node held before it stopped may be older than what it served: only a quorum can tell.
        if self.proven_at().is_none() {
            return Err(ReadError::NotReady { reason: "no quorum has confirmed its state since it started".into() });
        }
        Ok(())
    }

    fn proven_at(&self) -> Option<Duration> {
        self.pump.proven_at(self.applied_index())
    }

    async fn wait_applied(&self, index: u64, deadline: Deadline) -> Result<(), ReadError> {
        let at = self.applied_index();
        if index > at.saturating_add(self.bounds.lag_entries_max) {
            return Err(ReadError::Behind { lag_entries: index - at });
        }
        self.wait(|position| index_of(position) >= index, deadline).await
    }

    async fn wait_revision(&self, revision: u64, deadline: Deadline) -> Result<(), ReadError> {
        if self.position().revision >= revision {
            return Ok(());
        }
        if let Some(newest) = self.pump.newest_index() {
            let lag_entries = newest.saturating_sub(self.applied_index());
            if lag_entries > self.bounds.lag_entries_max {
                return Err(ReadError::Behind { lag_entries });
            }
        }
        // Whatever a quorum confirms now holds every revision ever given out: a token beyond it is from the future.
        let from_future = async {
            let index = self.pump.index(deadline).await?;
            self.wait_applied(index, deadline).await?;
            if self.position().revision < revision {
                return Err(ReadError::TokenFromFuture);
            }
            Ok(())
        };
        let reached = self.wait(|position| position.revision >= revision, deadline);
        tokio::select! {
            biased;
            reached = reached => reached,
            checked = from_future => match checked {
                Ok(()) | Err(ReadError::TokenFromFuture) => checked,
                // Without a quorum nothing new comes; only what was committed before may still be on its way.
                Err(ReadError::NoQuorum) => {
                    let soon = deadline.min(Instant::now() + self.bounds.probe_timeout);
                    let reached = self.wait(|position| position.revision >= revision, soon).await;
                    reached.map_err(|error| match error {
                        ReadError::DeadlineExceeded => ReadError::NoQuorum,
                        other => other,
                    })
                }
                refused => refused,
            },
        }
    }

    async fn wait(&self, reached: impl Fn(&Position) -> bool, deadline: Deadline) -> Result<(), ReadError> {
        let (mut position, mut install, mut receive) =
            (self.position.clone(), self.installing.clone(), self.receiving.clone());
        let waited = async {
            tokio::select! {
                biased;
                there = position.wait_for(|position| reached(position)) => there.map(drop).map_err(|_| ReadError::Stopped),
                // At once, with the reason: a snapshot takes longer than a call to another node, and until it is
                // installed no entry is applied.
                _ = install.wait_for(|installing| *installing) => Err(installing()),
                _ = receive.wait_for(|receiving| *receiving > 0) => Err(receiving()),
            }
        };
        timeout_at(deadline, waited).await.unwrap_or(Err(ReadError::DeadlineExceeded))
    }
}

fn receiving() -> ReadError {
    ReadError::NotReady { reason: "it receives a snapshot".into() }
}

fn installing() -> ReadError {
    ReadError::NotReady { reason: "it installs a snapshot".into() }
}

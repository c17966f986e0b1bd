//! Request ids: a random session for each client, and a sequence that grows.
//!
//! The cluster keeps the answers of a session's newest few thousand requests only. So a new id is given out only while
//! the oldest request still under way is near enough: otherwise its retry could find its answer gone.

use std::collections::BTreeSet;

use alert_proto::v1 as pb;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::limits;

pub(crate) struct RequestIds {
    session: [u8; 16],
    state: Mutex<State>,
    finished: Notify,
}

#[derive(Default)]
struct State {
    last: u64,
    under_way: BTreeSet<u64>,
}

impl RequestIds {
    pub fn new(session: [u8; 16]) -> Self {
        Self { session, state: Mutex::default(), finished: Notify::new() }
    }

    /// The next id; waits while the oldest request under way is too far behind.
    pub async fn issue(&self) -> IssuedId<'_> {
        loop {
            let finished = self.finished.notified();
            tokio::pin!(finished);
            // Registered before the look, so that a request that ends in between still wakes this one.
            finished.as_mut().enable();
            if let Some(sequence) = self.try_issue() {
                return IssuedId { ids: self, sequence };
            }
            finished.await;
        }
    }

    fn try_issue(&self) -> Option<u64> {
        let mut state = self.state.lock();
        let sequence = state.last + 1;
        if state.under_way.first().is_some_and(|oldest| sequence - oldest >= limits::REQUEST_WINDOW) {
            return None;
        }
        state.last = sequence;
        state.under_way.insert(sequence);
        Some(sequence)
    }
}

/// An id in use; dropping it lets younger requests go on.
pub(crate) struct IssuedId<'a> {
    ids: &'a RequestIds,
    sequence: u64,
}

impl IssuedId<'_> {
    pub fn to_pb(&self) -> pb::RequestId {
        pb::RequestId { session: self.ids.session.to_vec(), sequence: self.sequence }
    }
}

impl Drop for IssuedId<'_> {
    fn drop(&mut self) {
        self.ids.state.lock().under_way.remove(&self.sequence);
        self.ids.finished.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_slow_request_never_falls_out_of_the_window_that_the_cluster_keeps() {
        let ids = RequestIds::new([1; 16]);
        let slow = ids.issue().await;
        for _ in 1..limits::REQUEST_WINDOW {
            drop(ids.issue().await);
        }
        assert!(timeout(Duration::from_secs(1), ids.issue()).await.is_err());
        let waiting = ids.issue();
        tokio::pin!(waiting);
        assert!(timeout(Duration::from_secs(1), &mut waiting).await.is_err());
        drop(slow);
        assert_eq!(waiting.await.to_pb().sequence, limits::REQUEST_WINDOW + 1);
    }
}

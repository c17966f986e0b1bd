//! One node: its connections and its standing.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::time::Instant;
use tonic::transport::{Channel, Endpoint};

use super::ConnectionSettings;
use crate::{connector::ConnectService, limits};

/// A node that calls can be sent to. Connections open at first use.
pub(crate) struct Node {
    address: Arc<str>,
    settings: ConnectionSettings,
    channels: OnceLock<Vec<Channel>>,
    next: AtomicUsize,
    standing: Mutex<Standing>,
}

#[derive(Default)]
struct Standing {
    failures_in_a_row: u32,
    /// Left alone until then.
    ejected_until: Option<Instant>,
}

impl Node {
    pub fn new(address: &str, settings: &ConnectionSettings) -> Self {
        Self {
            address: address.into(),
            settings: settings.clone(),
            channels: OnceLock::new(),
            next: AtomicUsize::new(0),
            standing: Mutex::new(Standing::default()),
        }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// One of its connections, in turn.
    pub fn channel(&self) -> Channel {
        let channels = self.channels.get_or_init(|| {
            (0..self.settings.connections_per_node.clamp(1, limits::CONNECTIONS_PER_NODE_MAX))
                .map(|_| self.open())
                .collect()
        });
        channels[self.next.fetch_add(1, Ordering::Relaxed) % channels.len()].clone()
    }

    fn open(&self) -> Channel {
        // The scheme says "no TLS by tonic": whatever security there is lies in the connector.
        let uri = format!("http://{}", self.address);
        let endpoint = Endpoint::from_shared(uri).unwrap_or_else(|_| {
            // Addresses out of a topology are not ours to choose; one that is no authority fails in its connector.
            Endpoint::from_static("http://invalid.invalid")
        });
        endpoint
            .initial_stream_window_size(limits::STREAM_WINDOW_BYTES)
            .initial_connection_window_size(limits::CONNECTION_WINDOW_BYTES)
            .http2_keep_alive_interval(limits::KEEPALIVE_INTERVAL)
            .keep_alive_timeout(limits::KEEPALIVE_TIMEOUT)
            .keep_alive_while_idle(true)
            .connect_with_connector_lazy(ConnectService {
                connector: self.settings.connector.clone(),
                address: self.address.clone(),
                timeout: self.settings.connect_timeout,
            })
    }

    pub fn is_available(&self, now: Instant) -> bool {
        self.standing.lock().ejected_until.is_none_or(|until| until <= now)
    }

    /// When it may be asked again; `None` = now.
    pub fn available_at(&self) -> Option<Instant> {
        self.standing.lock().ejected_until
    }

    /// It answered (a refusal of the request is an answer too).
    pub fn succeeded(&self) {
        *self.standing.lock() = Standing::default();
    }

    /// It could not be reached, went silent, or said that it cannot serve now.
    pub fn failed(&self) {
        let mut standing = self.standing.lock();
        let pause = pause(limits::EJECTION_MIN, limits::EJECTION_MAX, standing.failures_in_a_row);
        standing.failures_in_a_row = standing.failures_in_a_row.saturating_add(1);
        standing.ejected_until = Some(Instant::now() + pause);
    }
}

/// `min` doubled `times` times, at most `max`.
pub(crate) fn pause(min: Duration, max: Duration, times: u32) -> Duration {
    min.saturating_mul(2_u32.saturating_pow(times)).min(max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::PlaintextLoopback;

    fn node() -> Node {
        Node::new(
            "127.0.0.1:1",
            &ConnectionSettings {
                connector: Arc::new(PlaintextLoopback::default()),
                connections_per_node: 1,
                connect_timeout: limits::CONNECT_TIMEOUT,
            },
        )
    }

    #[tokio::test(start_paused = true)]
    async fn a_failing_node_is_left_alone_for_longer_and_longer_and_forgiven_at_once() {
        let node = node();
        assert!(node.is_available(Instant::now()));
        node.failed();
        assert!(!node.is_available(Instant::now()));
        assert!(node.is_available(Instant::now() + limits::EJECTION_MIN));
        for _ in 0..100 {
            node.failed();
        }
        assert!(!node.is_available(Instant::now() + limits::EJECTION_MAX / 2));
        assert!(node.is_available(Instant::now() + limits::EJECTION_MAX));
        node.succeeded();
        assert!(node.is_available(Instant::now()));
    }
}

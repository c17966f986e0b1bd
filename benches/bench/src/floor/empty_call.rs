//! Empty calls over mutual TLS: the health service of a node's client port, so that connection, TLS, HTTP/2 and gRPC
//! are the ones that every other call goes through.

use std::{path::Path, sync::Arc, time::Duration};

use alert_client::{Connector, TlsConnector};
use futures::future::BoxFuture;
use hyper_util::rt::TokioIo;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::{
    cpu,
    load::{Done, Outcome, Work, closed},
    target::Target,
};

/// A node that answers empty calls.
pub struct EmptyServer {
    target: Target,
}

impl EmptyServer {
    /// Starts one.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start(directory: &Path) -> anyhow::Result<Self> {
        Ok(Self { target: Target::start(1, Some(directory)).await? })
    }

    /// `clients` calls at once over `connections` connections.
    ///
    /// # Errors
    /// A connection cannot be opened.
    pub async fn measure(&self, clients: usize, connections: usize, time: Duration) -> anyhow::Result<Measured> {
        let work = empty_calls(&self.target, &self.target.addresses()[0], connections).await?;
        let mut pids = self.target.pids();
        pids.push(std::process::id());
        let warm_up = Duration::from_millis(300);
        let before = cpu::used_us(&pids);
        let outcome = closed(&work, clients, 0, warm_up, time).await;
        let used = (cpu::used_us(&pids) - before) as f64 * time.as_secs_f64() / (time + warm_up).as_secs_f64();
        let cpu_us = used / outcome.units.max(1) as f64;
        Ok(Measured { outcome, cpu_us })
    }
}

/// Rates and latencies of empty calls.
pub struct Measured {
    outcome: Outcome,
    /// Processor time of one call, both sides, in microseconds.
    pub cpu_us: f64,
}

impl Measured {
    /// Calls a second.
    pub fn rate(&self) -> f64 {
        self.outcome.rate()
    }

    /// A quantile of the latency, in milliseconds.
    pub fn ms(&self, quantile: f64) -> f64 {
        self.outcome.ms(quantile)
    }
}

/// Empty calls to the node at `address`.
///
/// # Errors
/// A connection cannot be opened.
pub async fn empty_calls(target: &Target, address: &str, connections: usize) -> anyhow::Result<Arc<dyn Work>> {
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(HealthClient::new(channel(target, address).await?));
    }
    Ok(Arc::new(Empty(clients)))
}

async fn channel(target: &Target, address: &str) -> anyhow::Result<Channel> {
    let connector = TlsConnector::new(target.tls("search")?);
    let to = address.to_owned();
    let connect = tower::service_fn(move |_: Uri| {
        let connection = connector.connect(&to);
        async move { connection.await.map(TokioIo::new) }
    });
    Ok(Endpoint::from_shared(format!("http://{address}"))?.connect_with_connector(connect).await?)
}

struct Empty(Vec<HealthClient<Channel>>);

impl Work for Empty {
    fn once(&self, client: usize, _: u64) -> BoxFuture<'_, Result<Done, String>> {
        Box::pin(async move {
            let mut health = self.0[client % self.0.len()].clone();
            let answer = health.check(HealthCheckRequest::default()).await;
            answer.map(|_| Done::one("empty call")).map_err(|status| status.to_string())
        })
    }
}

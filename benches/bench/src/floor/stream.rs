//! Messages of one gRPC stream over mutual TLS: what replication and the feed cannot be faster than.

use std::{path::Path, pin::Pin, time::Duration};

use alert_client::{Connector, TlsConnector};
use futures::Stream;
use hyper_util::rt::TokioIo;
use tokio::time::Instant;
use tonic::{
    Request, Response, Status,
    transport::{Endpoint, Server, Uri},
};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse,
    health_client::HealthClient,
    health_server::{Health, HealthServer},
};

use super::tls::{Ends, Served};

/// Sends as fast as it is read.
struct Endless;

#[tonic::async_trait]
impl Health for Endless {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn check(&self, _: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        Ok(Response::new(HealthCheckResponse { status: 1 }))
    }

    async fn watch(&self, _: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let messages = futures::stream::repeat_with(|| Ok(HealthCheckResponse { status: 1 }));
        Ok(Response::new(Box::pin(messages)))
    }
}

/// Small messages a second on one stream, both ends in this process.
///
/// # Errors
/// The network's.
pub async fn streamed_messages_per_second(directory: &Path, time: Duration) -> anyhow::Result<f64> {
    let own = tempfile::tempdir_in(directory)?;
    let ends = Ends::make(own.path())?;
    let (listener, acceptor) = ends.listen().await?;
    let address = listener.local_addr()?.to_string();
    let incoming = Box::pin(futures::stream::unfold((listener, acceptor), |(listener, acceptor)| async {
        let accepted = async {
            let (stream, _) = listener.accept().await?;
            acceptor.accept(stream).await
        };
        Some((accepted.await.map(Served), (listener, acceptor)))
    }));
    let server = tokio::spawn(Server::builder().add_service(HealthServer::new(Endless)).serve_with_incoming(incoming));
    let connector = TlsConnector::new(ends.client());
    let to = address.clone();
    let connect = tower::service_fn(move |_: Uri| {
        let connection = connector.connect(&to);
        async move { connection.await.map(TokioIo::new) }
    });
    let channel = Endpoint::from_shared(format!("http://{address}"))?.connect_with_connector(connect).await?;
    let mut messages = HealthClient::new(channel).watch(HealthCheckRequest::default()).await?.into_inner();
    let begun = Instant::now();
    let mut count = 0u64;
    while begun.elapsed() < time && messages.message().await?.is_some() {
        count += 1;
    }
    let rate = count as f64 / begun.elapsed().as_secs_f64();
    server.abort();
    Ok(rate)
}

//! The ops port: plain HTTP, `/livez`, `/readyz`, `/metrics`.

use std::{convert::Infallible, fmt::Write, io, net::SocketAddr, time::Duration};

use http::{Method, Request, Response, StatusCode, header};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::{net::TcpListener, sync::Semaphore};

use super::{Check, Health, metric};

/// Installs the process-wide metrics recorder.
pub fn install_recorder() -> Result<PrometheusHandle, String> {
    let handle = PrometheusBuilder::new().install_recorder().map_err(|error| format!("metrics: {error}"))?;
    metric::describe();
    Ok(handle)
}

/// Serves the ops port.
pub struct OpsServer {
    listener: TcpListener,
    health: Health,
    metrics: PrometheusHandle,
}

impl OpsServer {
    /// Binds the port.
    pub async fn bind(address: SocketAddr, health: Health, metrics: PrometheusHandle) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(address).await?, health, metrics })
    }

    /// Where it listens.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the process ends.
    pub async fn serve(self) {
        const CONNECTIONS_MAX: usize = 64;
        // Histograms keep each value until somebody reads them or this folds them: nobody may be reading.
        const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);
        let metrics = self.metrics.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(UPKEEP_INTERVAL).await;
                metrics.run_upkeep();
            }
        });
        let permits = std::sync::Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            let Ok(permit) = std::sync::Arc::clone(&permits).acquire_owned().await else { return };
            let Ok((stream, _)) = self.listener.accept().await else {
                // Out of descriptors, most likely: give others the time to close some.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let (health, metrics) = (self.health.clone(), self.metrics.clone());
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let response = respond(&request, &health, &metrics);
                    async move { Ok::<_, Infallible>(response) }
                });
                let mut connection = http1::Builder::new();
                connection.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(10));
                if let Err(error) = connection.serve_connection(TokioIo::new(stream), service).await {
                    tracing::debug!(%error, "ops connection");
                }
                drop(permit);
            });
        }
    }
}

fn respond(request: &Request<Incoming>, health: &Health, metrics: &PrometheusHandle) -> Response<String> {
    let (status, body) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/livez") => checks(health.live()),
        (&Method::GET, "/readyz") => checks(health.ready()),
        (&Method::GET, "/metrics") => (StatusCode::OK, metrics.render()),
        (&Method::GET, _) => (StatusCode::NOT_FOUND, "here are /livez, /readyz and /metrics\n".into()),
        _ => (StatusCode::METHOD_NOT_ALLOWED, "GET only\n".into()),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let text = header::HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    response
}

fn checks((ok, checks): (bool, Vec<(&'static str, Check)>)) -> (StatusCode, String) {
    let mut body = String::new();
    for (name, check) in checks {
        let mark = if check.ok { "ok" } else { "FAILED" };
        let _ = writeln!(body, "[{mark}] {name}: {}", check.detail);
    }
    let _ = writeln!(body, "{}", if ok { "ok" } else { "not ok" });
    (if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, body)
}

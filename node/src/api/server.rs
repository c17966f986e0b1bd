//! The client port: all services, health and reflection over connections that know their peer.

use std::{future::Future, sync::Arc};

use alert_core::pb::{
    agreement_service_server::AgreementServiceServer, alert_service_server::AlertServiceServer,
    audit_service_server::AuditServiceServer, cluster_service_server::ClusterServiceServer,
    feed_service_server::FeedServiceServer, hit_service_server::HitServiceServer,
    rule_service_server::RuleServiceServer, search_service_server::SearchServiceServer,
    statistics_service_server::StatisticsServiceServer, topology_service_server::TopologyServiceServer,
};
use futures::stream;
use tokio::sync::{Semaphore, watch};
use tonic::{service::Routes, transport::Server};
use tonic_health::{ServingStatus, server::HealthReporter};

use super::{core::Api, peer::peer_stream};
use crate::{
    limits::{
        CONNECTION_WINDOW_BYTES, KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT, MESSAGE_BYTES_MAX, SHUTDOWN_GRACE,
        STREAM_WINDOW_BYTES,
    },
    ops::metric,
    seam::Listener,
};

/// Services whose health is reported by name, beside the node's own (the empty name).
const REPORTED: [&str; 2] = ["alertstore.v1.SearchService", "alertstore.v1.AlertService"];

macro_rules! services {
    ($api:ident: $($server:ident)*) => {
        Routes::default()$(
            .add_service(
                $server::new($api.clone())
                    .max_decoding_message_size(MESSAGE_BYTES_MAX)
                    .max_encoding_message_size(MESSAGE_BYTES_MAX),
            )
        )*
    };
}

/// Serves until `shutdown`, then lets the calls under way end, for [`SHUTDOWN_GRACE`] at most.
pub async fn serve(
    api: Api,
    listener: Box<dyn Listener>,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), tonic::transport::Error> {
    let (reporter, health) = tonic_health::server::health_reporter();
    let ready = api.store().ready();
    let ready_now = *ready.borrow();
    report_health(&reporter, ready_now).await;
    let following = tokio::spawn(follow_health(reporter.clone(), ready));

    let routes = services! { api:
        AlertServiceServer SearchServiceServer FeedServiceServer HitServiceServer AgreementServiceServer
        RuleServiceServer AuditServiceServer StatisticsServiceServer TopologyServiceServer ClusterServiceServer
    };
    let routes = routes.add_service(health).add_service(reflection_v1()).add_service(reflection_v1alpha());

    let places = Arc::new(Semaphore::new(api.options().connections_max));
    let incoming = Box::pin(stream::unfold((listener, places), |(mut listener, places)| async {
        let accepted = loop {
            match listener.accept().await {
                Ok(accepted) => match Arc::clone(&places).try_acquire_owned() {
                    Ok(place) => break Ok(peer_stream(accepted, place)),
                    // Closed at once: the caller goes to another node.
                    Err(_) => {
                        metrics::counter!(metric::OVERLOADS, "class" => "connection").increment(1);
                        tracing::warn!(remote = accepted.remote_address, "there are too many connections");
                    }
                },
                Err(error) => break Err(error),
            }
        };
        Some((accepted, (listener, places)))
    }));
    let stopping = api.stopping().clone();
    let stop = async {
        shutdown.await;
        api.stop();
        report_health(&reporter, false).await;
    };
    let serving = Server::builder()
        .max_concurrent_streams(api.options().calls_per_connection_max)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .serve_with_incoming_shutdown(routes.prepare(), incoming, stop);
    let grace = async {
        stopping.cancelled().await;
        tokio::time::sleep(SHUTDOWN_GRACE).await;
    };
    let result = tokio::select! {
        biased;
        result = serving => result,
        () = grace => Ok(()),
    };
    following.abort();
    result
}

/// Keeps the health service at what the store says of itself.
async fn follow_health(reporter: HealthReporter, mut ready: watch::Receiver<bool>) {
    loop {
        let now = *ready.borrow_and_update();
        report_health(&reporter, now).await;
        if ready.changed().await.is_err() {
            report_health(&reporter, false).await;
            return;
        }
    }
}

async fn report_health(reporter: &HealthReporter, ready: bool) {
    let status = if ready { ServingStatus::Serving } else { ServingStatus::NotServing };
    for service in REPORTED.into_iter().chain([""]) {
        reporter.set_service_status(service, status).await;
    }
}

fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(alert_proto::DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

const DESCRIPTORS_DECODE: &str = "the descriptor sets were made by the build and decode";

fn reflection_v1()
-> tonic_reflection::server::v1::ServerReflectionServer<impl tonic_reflection::server::v1::ServerReflection> {
    reflection().build_v1().expect(DESCRIPTORS_DECODE)
}

fn reflection_v1alpha()
-> tonic_reflection::server::v1alpha::ServerReflectionServer<impl tonic_reflection::server::v1alpha::ServerReflection> {
    reflection().build_v1alpha().expect(DESCRIPTORS_DECODE)
}

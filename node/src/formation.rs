//! `alertd init`: the node on this machine, which runs, is told to form the cluster. Its own certificate opens this one
//! call of its own Raft port, so that whoever sets up the machine needs nobody else's.

use std::{io::ErrorKind, sync::Arc, time::Duration};

use alert_cluster_config::NodeConfig;
use alert_core::pb::{InitRequest, InitResponse, raft_service_client::RaftServiceClient};
use http::Uri;
use tokio::time::{Instant, sleep};
use tonic::Request;

use crate::{
    net::{TcpConnector, Transport},
    raft::{channel::Channel, limits::FORM_PATIENCE},
    seam::{Connector, PeerTarget},
};

/// A node that has only just been started opens its disks before its ports.
const STARTING: Duration = Duration::from_secs(10);
/// Between two tries to reach it.
const AGAIN: Duration = Duration::from_millis(100);

/// Forms the cluster with the node of `config`, and tells in one sentence whether it was done now. A cluster that is
/// formed already stays as it is.
///
/// # Errors
/// One sentence: the node does not answer, or would not.
pub fn init(config: &NodeConfig) -> Result<String, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("the runtime cannot start: {error}"))?;
    let answer = runtime.block_on(ask(config))?;
    let (cluster, node) = (&answer.cluster_id, &config.node.name);
    Ok(if answer.formed_now {
        format!("cluster '{cluster}' formed of node '{node}'; 'alertctl cluster add' adds the others")
    } else {
        format!("node '{node}' belongs to cluster '{cluster}' already: nothing was changed")
    })
}

async fn ask(config: &NodeConfig) -> Result<InitResponse, String> {
    let transport = Arc::new(Transport::open(config).map_err(|error| error.to_string())?);
    let target = PeerTarget { node_id: config.node.id, address: config.raft_address() };
    let unanswered =
        |cause: &dyn std::fmt::Display| format!("no answer from the node at {}: {cause}; does it run?", target.address);
    let connector = TcpConnector::new(transport);
    let given_up = Instant::now() + STARTING;
    let stream = loop {
        match connector.connect(target.clone()).await {
            Ok(stream) => break stream,
            Err(error) if error.kind() == ErrorKind::ConnectionRefused && Instant::now() < given_up => {
                sleep(AGAIN).await;
            }
            Err(error) => return Err(unanswered(&error)),
        }
    };
    let (channel, _driver) = Channel::open(stream, FORM_PATIENCE).await.map_err(|error| unanswered(&error))?;
    let mut request = Request::new(InitRequest {});
    request.set_timeout(FORM_PATIENCE);
    let origin = Uri::try_from(format!("http://node-{}", config.node.id)).map_err(|error| error.to_string())?;
    let answer = RaftServiceClient::with_origin(channel, origin).form(request).await;
    Ok(answer.map_err(|status| format!("the cluster was not formed: {}", status.message()))?.into_inner())
}

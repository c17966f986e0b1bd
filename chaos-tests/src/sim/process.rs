//! A node's process on a simulated machine: the real node, from its seams up.

use std::{io, sync::Arc, time::Duration};

use alert_node::{
    api::{self, AdmissionLimits, ApiOptions, TokenSealer},
    assembly::{Assembly, Blueprint},
    audit::AuditOptions,
    raft::{RaftOptions, Timings, options::LogBounds, types::Node},
    storage::{data_directory::DirectoryOptions, engine::memory::MemoryEngines},
};
use tokio::time::sleep;

use super::{
    machine::{AUDIT, LOG, Machine, STATE},
    net::{CLIENT_PORT, Directory, RAFT_PORT, SimConnector, SimListener, address, node_name},
    observer::Observer,
};
use crate::report::Timeline;

/// The cluster's name.
pub const CLUSTER: &str = "sim";

/// What the nodes seal tokens with.
pub const TOKEN_KEY: [u8; 32] = [7; 32];

/// The longest election time-out of the simulated cluster.
pub const ELECTION: Duration = Duration::from_millis(1000);

/// A learner keeps up for so long before it may vote.
pub const PROMOTE_AFTER: Duration = Duration::from_millis(300);

/// Cores that a node thinks it has for reads.
const READ_THREADS: usize = 4;

/// What a process needs of the simulation.
#[derive(Clone)]
pub struct Surroundings {
    pub directory: Directory,
    pub observer: Observer,
    pub timeline: Timeline,
    /// Small, so that snapshots and purges happen within a run.
    pub log: LogBounds,
}

/// Runs a node until it fails by itself, or its machine crashes.
pub async fn run(machine: Arc<Machine>, around: Surroundings) -> turmoil::Result {
    let name = node_name(machine.id);
    let assembly = match Assembly::open(blueprint(&machine, &around)).await {
        Ok(assembly) => assembly,
        Err(error) => {
            around.timeline.note(&name, format!("does not start: {error}"));
            return Ok(());
        }
    };
    let process = machine.processes();
    around.timeline.note(&name, format!("runs (process {process})"));
    let watching = tokio::spawn(around.observer.clone().watch(machine.id, assembly.clone()));
    serve(&assembly, &around.directory).await?;
    let failure = loop {
        if let Some(failure) = assembly.node.failure() {
            break failure;
        }
        if let Some(failure) = assembly.audit.failure().borrow().clone() {
            break failure;
        }
        sleep(Duration::from_millis(5)).await;
    };
    watching.abort();
    around.timeline.note(&name, format!("stops itself: {failure}"));
    Ok(())
}

async fn serve(assembly: &Assembly, directory: &Directory) -> io::Result<()> {
    let raft_port = SimListener::bind(directory.clone(), RAFT_PORT).await?;
    let client_port = SimListener::bind(directory.clone(), CLIENT_PORT).await?;
    let node = assembly.node.clone();
    tokio::spawn(async move { node.serve(Box::new(raft_port)).await });
    let api = assembly.api.clone();
    tokio::spawn(async move { api::serve(api, Box::new(client_port), std::future::pending()).await });
    Ok(())
}

fn blueprint(machine: &Arc<Machine>, around: &Surroundings) -> Blueprint {
    let host = machine.host();
    let id = machine.id;
    let node = Node {
        raft_address: address(id, RAFT_PORT),
        client_address: address(id, CLIENT_PORT),
        name: node_name(id),
        data_centre: format!("dc-{}", id % 3),
        incarnation: String::new(),
    };
    let mut raft = RaftOptions::new(CLUSTER, id, node, Timings::for_election_timeout(ELECTION));
    raft.log = around.log;
    raft.promote_after = PROMOTE_AFTER;
    Blueprint {
        engines: Arc::new(MemoryEngines::new(host.files.clone())),
        directories: DirectoryOptions { log: LOG.into(), state: STATE.into(), cluster_id: CLUSTER.into(), node_id: id },
        audit: AuditOptions { directory: AUDIT.into(), cluster_id: CLUSTER.into(), node_name: node_name(id) },
        raft,
        connector: Arc::new(SimConnector { directory: around.directory.clone(), from: node_name(id) }),
        sealer: TokenSealer::new(TOKEN_KEY, Arc::clone(&host.random)),
        // Not as many as this machine has: a seed gives the same run everywhere.
        options: ApiOptions {
            admission: AdmissionLimits { threads: READ_THREADS, ..AdmissionLimits::default() },
            ..ApiOptions::default()
        },
        host,
    }
}

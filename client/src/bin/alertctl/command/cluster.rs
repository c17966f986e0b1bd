//! `alertctl status` and `alertctl cluster`.

use std::time::Duration;

use alert_client::{Admin, Error, json, pb};
use clap::{Args, Subcommand};
use futures::future::join_all;

use super::membership;
use crate::{
    App,
    exit::{Exit, Failure},
    output::{facts, table},
};

/// How long `status` waits for one node.
const STATUS_PATIENCE: Duration = Duration::from_secs(2);

/// Arguments of `cluster`.
#[derive(Args)]
pub struct Cluster {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Form the cluster; once, on the node given with --node. Repeated, it says so and does nothing.
    Init,
    /// Add an empty node as a learner.
    Add {
        /// The new node's id; ids are never used twice.
        #[arg(long)]
        id: u64,
        /// Its name.
        #[arg(long)]
        name: String,
        /// Where the other nodes reach it (host:port).
        #[arg(long)]
        raft_address: String,
        /// Where clients reach it (host:port).
        #[arg(long)]
        client_address: String,
        /// Its data centre.
        #[arg(long)]
        data_centre: String,
    },
    /// Make a caught-up learner a voter.
    Promote {
        /// The learner's id.
        id: u64,
    },
    /// Take a node out of the cluster.
    Remove {
        /// The node's id.
        id: u64,
    },
    /// Hand leadership over.
    TransferLeader {
        /// To this voter; default: the best caught-up one.
        #[arg(default_value_t = 0, hide_default_value = true)]
        to: u64,
    },
    /// Show the nodes of the cluster and how they are.
    Status,
    /// Let a node (given with --node, or else the leader) build a snapshot now.
    Snapshot,
}

pub async fn run(app: &App, cluster: Cluster) -> Result<Exit, Failure> {
    let admin = app.client.admin();
    match cluster.verb {
        Verb::Status => return status(app).await,
        Verb::Init => {
            if app.client.defaults().only_node.is_none() {
                return Err(Failure::usage("say which node forms the cluster: --node host:port"));
            }
            let answer = admin.init().await?;
            app.output.message(&answer, |answer| {
                let done = if answer.formed_now { "formed now" } else { "was formed before; nothing was done" };
                format!("cluster {} {done}", answer.cluster_id)
            })?;
        }
        Verb::Add { id, name, raft_address, client_address, data_centre } => {
            let node = pb::AddLearnerRequest { node_id: id, name, raft_address, client_address, data_centre };
            members(app, &admin.add_learner(node).await?)?;
        }
        Verb::Promote { id } => members(app, &admin.promote(id).await?)?,
        Verb::Remove { id } => {
            let leader = leader_status(&admin).await?;
            app.confirm(&membership::removal(&leader, id).map_err(Failure::usage)?)?;
            members(app, &admin.remove(id).await?)?;
        }
        Verb::TransferLeader { to } => {
            let leader = leader_status(&admin).await?;
            app.confirm(&membership::transfer(&leader, to).map_err(Failure::usage)?)?;
            let answer = admin.transfer_leader(to).await?;
            app.output.message(&answer, |answer| format!("node {} leads in term {}", answer.leader_id, answer.term))?;
        }
        Verb::Snapshot => {
            let answer = admin.trigger_snapshot().await?;
            app.output.message(&answer, |answer| format!("snapshot at log index {}", answer.snapshot_index))?;
        }
    }
    Ok(Exit::Ok)
}

/// What the leader knows of all members.
async fn leader_status(admin: &Admin) -> Result<pb::StatusResponse, Failure> {
    let topology = admin.topology().await?;
    let leader = topology.nodes.iter().find(|node| node.node_id == topology.leader_id);
    match leader {
        Some(leader) => Ok(admin.at(&leader.client_address).status().await?),
        None => Err(Failure {
            exit: Exit::Unavailable,
            message: "no leader is known, so nothing can be said about the quorum".to_owned(),
        }),
    }
}

fn members(app: &App, answer: &pb::MembershipResponse) -> Result<(), Failure> {
    app.output.message(answer, |answer| member_table(&answer.members))
}

fn member_table(members: &[pb::MemberStatus]) -> String {
    table(
        ["NODE", "NAME", "KIND", "DATA CENTRE", "CLIENTS", "RAFT"],
        members.iter().map(|member| {
            [
                member.node_id.to_string(),
                member.name.clone(),
                member.kind.clone(),
                member.data_centre.clone(),
                member.client_address.clone(),
                member.raft_address.clone(),
            ]
        }),
    )
}

/// Every node's own words, side by side.
pub async fn status(app: &App) -> Result<Exit, Failure> {
    let admin = app.client.admin();
    if let Some(address) = app.client.defaults().only_node.clone() {
        let answer = admin.status().await?;
        app.output.message(&answer, |answer| one(&address, answer))?;
        return Ok(Exit::Ok);
    }
    let topology = admin.topology().await?;
    let asked = topology.nodes.iter().map(async |node| {
        let patience = app.client.defaults().deadline.unwrap_or(STATUS_PATIENCE);
        app.client.with_deadline(patience).admin().at(&node.client_address).status().await
    });
    let statuses: Vec<Result<pb::StatusResponse, Error>> = join_all(asked).await;
    let value = serde_json::json!({
        "topology": json::to_value(&topology),
        "nodes": statuses.iter().zip(&topology.nodes).map(|(status, node)| match status {
            Ok(status) => json::to_value(status),
            Err(error) => serde_json::json!({ "nodeId": node.node_id.to_string(), "error": error.code, "message": error.message }),
        }).collect::<Vec<_>>(),
    });
    app.output.value(&value, || overview(&topology, &statuses))?;
    for (node, status) in topology.nodes.iter().zip(&statuses) {
        if let Err(error) = status {
            eprintln!("node {} ({}): {error}", node.node_id, node.name);
        }
    }
    let is_whole = statuses.iter().all(|status| status.as_ref().is_ok_and(|status| status.ready));
    Ok(if is_whole { Exit::Ok } else { Exit::Partial })
}

fn overview(topology: &pb::Topology, statuses: &[Result<pb::StatusResponse, Error>]) -> String {
    let leader = if topology.leader_id == 0 { "none".to_owned() } else { format!("node {}", topology.leader_id) };
    let head = format!(
        "cluster {}, epoch {}, term {}, leader {leader}\n\n",
        topology.cluster_id, topology.epoch, topology.term
    );
    let rows = topology.nodes.iter().zip(statuses).map(|(node, status)| {
        let kind = if node.voter { "voter" } else { "learner" };
        let own = match status {
            Ok(status) => [
                status.role.clone(),
                if status.ready { "yes" } else { "NO" }.to_owned(),
                status.applied_index.to_string(),
                status.revision.to_string(),
                status.alerts.to_string(),
                status.state_hash.chars().take(12).collect(),
            ],
            Err(error) => [error.code.clone(), "?".into(), "?".into(), "?".into(), "?".into(), "?".into()],
        };
        let [role, ready, applied, revision, alerts, hash] = own;
        let id = node.node_id.to_string();
        [id, node.name.clone(), node.data_centre.clone(), kind.to_owned(), role, ready, applied, revision, alerts, hash]
    });
    let head_line =
        ["NODE", "NAME", "DATA CENTRE", "KIND", "ROLE", "READY", "APPLIED", "REVISION", "ALERTS", "STATE HASH"];
    format!("{head}{}", table(head_line, rows))
}

fn one(address: &str, status: &pb::StatusResponse) -> String {
    let facts = facts([
        ("node", format!("{} at {address}", status.node_id)),
        ("cluster", status.cluster_id.clone()),
        ("epoch", status.epoch.to_string()),
        ("role", status.role.clone()),
        ("leader", status.leader_id.to_string()),
        ("term", status.term.to_string()),
        ("ready", if status.ready { "yes" } else { "NO" }.to_owned()),
        ("last log index", status.last_log_index.to_string()),
        ("committed index", status.committed_index.to_string()),
        ("applied index", status.applied_index.to_string()),
        ("snapshot index", status.snapshot_index.to_string()),
        ("purged index", status.purged_index.to_string()),
        ("revision", status.revision.to_string()),
        ("alerts", status.alerts.to_string()),
        ("state hash", status.state_hash.clone()),
        ("incarnation", status.data_directory_incarnation.clone()),
        ("version", status.version.clone()),
    ]);
    let checks = status.checks.iter().map(|check| {
        let state = if check.ok { "ok" } else { "FAILS" };
        [check.name.clone(), state.to_owned(), check.detail.clone()]
    });
    format!("{facts}\n\n{}\n\n{}", table(["CHECK", "STATE", "DETAIL"], checks), member_table(&status.members))
}

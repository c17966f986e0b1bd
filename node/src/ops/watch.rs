//! Keeps checks and metrics at what the node says of itself.

use std::time::Duration;

use alert_core::{pb, state::Meta};
use metrics::{counter, gauge};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Health, metric};
use crate::{
    api::{Deadline, Leadership, Level, Store},
    raft::RaftNode,
};

/// How often the node is looked at.
const INTERVAL: Duration = Duration::from_millis(200);

/// Looks at the node until it stops. `audit_head` is where its audit log ends, `audit_failure` why no more is written to
/// it. What has broken for good goes to `failed`.
pub async fn watch_node(
    node: RaftNode,
    audit_head: watch::Receiver<(u64, [u8; 32])>,
    audit_failure: watch::Receiver<Option<String>>,
    health: Health,
    failed: watch::Sender<Option<String>>,
    stopping: CancellationToken,
) {
    loop {
        let failure = node.failure();
        let words = failure.clone().unwrap_or_else(|| "running".into());
        health.set_live("consensus", failure.is_none(), words);
        look(&node, &health).await;
        let unwritable = audit_failure.borrow().clone();
        health.set_ready("audit", unwritable.is_none(), unwritable.as_deref().unwrap_or("written and synced"));
        if let Some(reason) = unwritable
            && !stopping.is_cancelled()
        {
            tracing::error!(reason, "the audit log cannot be written: this node gives out no more answers");
            failed.send_replace(Some(format!("the audit log cannot be written: {reason}")));
        }
        gauge!(metric::AUDIT_SEQUENCE).set(audit_head.borrow().0 as f64);
        if let Some(failure) = failure
            && !stopping.is_cancelled()
        {
            tracing::error!(failure, "consensus has stopped");
            failed.send_replace(Some(format!("consensus has stopped: {failure}")));
        }
        tokio::select! {
            biased;
            () = stopping.cancelled() => break,
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
    health.set_ready("started", false, "stopping");
}

async fn look(node: &RaftNode, health: &Health) {
    let leadership = node.leadership().borrow().clone();
    let leader = match &leadership {
        Leadership::Unknown => "no leader is known".to_owned(),
        Leadership::Me { term } => format!("this node leads term {term}"),
        Leadership::Other(hint) => format!("node {} leads term {}", hint.node_id, hint.term),
    };
    health.set_ready("leader", leadership != Leadership::Unknown, leader);
    let ready = *node.ready().borrow();
    let words = match node.estranged() {
        _ if ready => "confirmed by a quorum".to_owned(),
        Some(reason) => reason,
        None => "no quorum has confirmed this node's state yet".to_owned(),
    };
    health.set_ready("quorum", ready, words);

    let log = node.log_figures();
    counter!(metric::LOG_SYNCS).absolute(log.syncs);
    counter!(metric::LOG_ENTRIES).absolute(log.entries);
    let applied = *node.applied().borrow();
    gauge!(metric::APPLIED_INDEX).set(applied.index as f64);
    gauge!(metric::REVISION).set(applied.revision as f64);
    gauge!(metric::IS_LEADER).set(f64::from(u8::from(matches!(leadership, Leadership::Me { .. }))));
    gauge!(metric::READY).set(f64::from(u8::from(health.ready().0)));
    gauge!(metric::TERM).set(match leadership {
        Leadership::Unknown => 0.0,
        Leadership::Me { term } => term as f64,
        Leadership::Other(hint) => hint.term as f64,
    });
    let read = node.read(Level::Local, Deadline::now() + INTERVAL).await;
    if let Ok(meta) = read.map_err(drop).and_then(|handle| Meta::read(&*handle.view).map_err(drop)) {
        for state in 1..=pb::AlertState::Deleted as i32 {
            let name = pb::AlertState::try_from(state).map_or("", |state| state.as_str_name());
            let count = meta.alerts_by_state.get(&state).copied().unwrap_or(0);
            gauge!(metric::ALERTS, "state" => name).set(count as f64);
        }
    }
}

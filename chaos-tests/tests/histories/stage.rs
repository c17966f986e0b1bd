//! A cluster of real processes whose links can be cut, clients of it, and conditions to wait for.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use alert_chaos::{
    model::History,
    process::{ClusterBuilder, Links, LocalCluster, wait_until},
    validate::{CheckerBounds, Findings, Verdict, check_levels, check_linearizable},
};
use alert_client::{AlertClient, AlertClientBuilder};

use crate::{
    clients::{CALLS_PER_ALERT, Notes},
    planted::lies,
};

/// What is waited for comes within this, on a machine that does other things too.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A cluster, and the links between all its parts.
pub struct Stage {
    pub cluster: LocalCluster,
    pub links: Links,
}

impl Stage {
    /// Three nodes in three data centres.
    pub async fn set() -> Self {
        Self::set_with(LocalCluster::builder(), |_| {}).await
    }

    /// The same with settings, and with something done to the nodes before they start.
    pub async fn set_with(builder: ClusterBuilder, prepare: impl FnOnce(&LocalCluster)) -> Self {
        let cluster = builder.write().unwrap();
        let links = Links::of(&cluster).await.unwrap();
        prepare(&cluster);
        cluster.start_all().unwrap();
        cluster.wait_all_live().await.unwrap();
        cluster.form().await.unwrap();
        cluster.wait_all_ready().await.unwrap();
        Self { cluster, links }
    }

    /// A client over the links, with the certificate of `name`.
    pub fn client(&self, name: &str) -> AlertClientBuilder {
        let config = self.cluster.client_config(name).unwrap();
        AlertClient::builder().config(&config).seeds(self.addresses()).purpose("alert-management")
    }

    /// Of the nodes' client ports, over the links.
    pub fn addresses(&self) -> Vec<String> {
        self.cluster.nodes().iter().map(|node| node.client_address().unwrap()).collect()
    }

    /// The newest leader: (node, term). One that was cut off may think so of itself for a while.
    pub async fn leader(&self) -> u64 {
        self.cluster.wait_leader().await.unwrap()
    }

    /// Waits until another node than `old` leads.
    pub async fn leader_after(&self, old: u64) -> u64 {
        wait_until("another leader", PATIENCE, || async {
            let leader = self.cluster.wait_leader().await?;
            Ok((leader != old).then_some(leader))
        })
        .await
        .unwrap()
    }
}

/// Waits until `count` more writes were acknowledged and as many linearizable reads answered.
pub async fn work_goes_on(notes: &Notes, count: usize) {
    let (writes, reads) = notes.counts();
    wait_until("writes and reads that are answered", PATIENCE, || async {
        let (writes_now, reads_now) = notes.counts();
        Ok((writes_now >= writes + count && reads_now >= reads + count).then_some(()))
    })
    .await
    .unwrap();
}

/// A seed that is printed, or the one that is asked for.
pub fn seed(test: &str) -> u64 {
    let seed = std::env::var("HISTORY_SEED").ok().and_then(|text| text.parse().ok());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = seed.unwrap_or(now.as_micros() as u64 % 1_000_000);
    eprintln!("{test}: HISTORY_SEED={seed}");
    seed
}

/// Linearizable calls and the weaker levels, each against its definition; and lies planted among them, each of which must
/// be refused.
pub fn judge(test: &str, history: &History) {
    let bounds = CheckerBounds { operations: CALLS_PER_ALERT, ..CheckerBounds::default() };
    let linearizable = check_linearizable(history, bounds);
    let levels = check_levels(history, 0);
    eprintln!(
        "{test}: {} calls; {} judged for linearizability, {} reads for their level",
        history.operations.len(),
        linearizable.checked,
        levels.checked
    );
    for findings in [linearizable, levels] {
        assert_held(test, history, &findings);
    }
    // What is accepted proves something only if lies are not.
    let (of_order, of_level) = lies(history);
    assert!(!of_order.is_empty(), "{test}: no alert was written twice");
    let bounds = CheckerBounds { operations: CALLS_PER_ALERT + 1, ..bounds };
    for lie in of_order {
        assert_eq!(check_linearizable(&lie.history, bounds).verdict(), Verdict::Violated, "{test}: {}", lie.what);
    }
    for lie in of_level {
        assert_eq!(check_levels(&lie.history, 0).verdict(), Verdict::Violated, "{test}: {}", lie.what);
    }
}

fn assert_held(test: &str, history: &History, findings: &Findings) {
    if findings.verdict() == Verdict::Held {
        return;
    }
    let path: PathBuf = std::env::temp_dir().join(format!("history-{test}-{}.ndjson", std::process::id()));
    let mut bytes = Vec::new();
    history.write(&mut bytes).unwrap();
    std::fs::write(&path, bytes).unwrap();
    let said: Vec<String> =
        findings.violations.iter().map(ToString::to_string).chain(findings.inconclusive.iter().cloned()).collect();
    panic!("{test}: {:?}: {}\nthe history is in {}", findings.verdict(), said.join("\n"), path.display());
}

//! What all of these tests begin with.

use std::time::Duration;

use alert_chaos::process::{ClusterBuilder, LocalCluster};
use alert_client::AlertClient;
use alert_proto::v1 as pb;
use alert_synth::codes::some_code;

/// The longest that anything is waited for. Generous: two processors run six nodes and the tests.
pub const LIMIT: Duration = Duration::from_secs(60);
/// A write every so often.
pub const WRITE_EVERY: Duration = Duration::from_millis(10);
/// Answers that show that a stream flows.
pub const SOME: usize = 25;

/// Three nodes as three data centres.
pub fn three() -> ClusterBuilder {
    LocalCluster::builder().nodes(3)
}

/// The bureau of the National Crime Agency, which may write the numbered records.
pub fn bureau(cluster: &LocalCluster) -> AlertClient {
    let client = cluster.client("bureau").unwrap();
    client.with_defaults(|defaults| defaults.purpose = "alert-management".to_owned())
}

/// A record of that bureau's own authority, under a reference of its own.
pub fn ours(mut alert: pb::Alert, reference: &str) -> pb::Alert {
    let core = alert.core.get_or_insert_default();
    core.owner.get_or_insert_default().authority = some_code("authority", "nca");
    core.source.get_or_insert_default().reference = reference.to_owned();
    alert
}

/// A British system that searches, covert alerts included.
pub fn searcher(cluster: &LocalCluster) -> AlertClient {
    cluster.client("search").unwrap()
}

/// How many alerts a node says that it holds.
pub async fn alerts_at(cluster: &LocalCluster, id: u64) -> u64 {
    cluster.status(id).await.unwrap().alerts
}

/// Words of a test's own, past the capture of its output: figures.
pub fn tell(text: &str) {
    use std::io::Write;
    // Not to be told is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{text}");
}

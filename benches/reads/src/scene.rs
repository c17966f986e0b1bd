//! Three voters and a learner with alerts in them, and links that can be slow.

use std::{sync::Arc, time::Duration};

use alert_chaos::process::{Links, LocalCluster, NodeProcess};
use alert_client::{AlertClient, AlertClientBuilder, pb};
use alert_synth::{Generator, known};
use anyhow::{Context, bail};
use futures::{StreamExt, stream};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// Where the questions' numbers come from: half of them find something.
const SEED: u64 = 1;
/// Nodes; the last one is a learner.
const NODES: u64 = 4;
/// More than any machine answers.
const CALLS_PER_S_UNLIMITED: u64 = 1_000_000;

pub struct Scene {
    cluster: LocalCluster,
    pub links: Links,
    questions: Questions,
    own_metrics: PrometheusHandle,
}

/// Questions by number.
#[derive(Clone)]
pub struct Questions(Arc<Vec<pb::Query>>);

impl Questions {
    pub fn nth(&self, number: u64) -> pb::SearchRequest {
        let query = self.0[number as usize % self.0.len()].clone();
        pb::SearchRequest { query: Some(query), ..Default::default() }
    }
}

/// A node that does not lead.
pub struct Follower {
    pub id: u64,
    pub address: String,
    node: Arc<NodeProcess>,
}

impl Follower {
    /// Probes of the quorum that it has sent since it started.
    pub async fn probes(&self) -> anyhow::Result<f64> {
        metric(&self.node, "alertstore_read_probes_total").await
    }
}

impl Scene {
    pub async fn set(alerts: u64) -> anyhow::Result<Self> {
        // One caller makes the load of a country here; what its quota leaves is not what is measured.
        let builder = LocalCluster::builder().nodes(NODES).log_filter("warn").configure(|node| {
            node.limits.caller_calls_per_s = CALLS_PER_S_UNLIMITED;
            node.limits.caller_burst_calls = CALLS_PER_S_UNLIMITED;
        });
        let cluster = builder.write()?;
        let links = Links::of(&cluster).await?;
        cluster.start_all()?;
        cluster.wait_all_live().await?;
        cluster.init(1).await?;
        for node in cluster.nodes() {
            match node.id() {
                1 => {}
                NODES => cluster.join_as_learner(&node).await?,
                _ => cluster.join(&node).await?,
            }
        }
        cluster.wait_all_ready().await?;
        let plates: Vec<pb::Alert> = (0..alerts).map(|number| known::numbered("read-bench", number)).collect();
        let found = plates.iter().filter_map(alert_synth::query_for);
        let strangers = Generator::new(SEED);
        let not_found = (0..alerts).filter_map(|number| alert_synth::query_for(&strangers.object(number)));
        let questions = found.zip(not_found).flat_map(|(one, other)| [one, other]).collect();
        let own_metrics = PrometheusBuilder::new().install_recorder()?;
        let scene = Self { cluster, links, questions: Questions(Arc::new(questions)), own_metrics };
        let bureau = scene.builder("bureau")?.purpose("alert-management").build()?;
        let lines = (1..).zip(plates).map(|(line, alert)| pb::ImportLine { line, alert: Some(alert) });
        let mut outcomes = bureau.import(stream::iter(lines)).take(alerts as usize);
        while let Some(outcome) = outcomes.next().await {
            let outcome = outcome?;
            if outcome.status() != pb::ImportStatus::Created {
                bail!("line {}: {:?} {:?}", outcome.line, outcome.status(), outcome.faults);
            }
        }
        Ok(scene)
    }

    fn builder(&self, name: &str) -> anyhow::Result<AlertClientBuilder> {
        let mut config = self.cluster.client_config(name)?;
        config.cluster.data_centre = None;
        let addresses = self.cluster.nodes().iter().map(|node| node.client_address()).collect::<Result<Vec<_>, _>>()?;
        Ok(AlertClient::builder().config(&config).seeds(addresses).connections_per_node(4))
    }

    /// A client of no data centre.
    pub fn client(&self) -> anyhow::Result<AlertClient> {
        self.client_in(None)
    }

    pub fn client_in(&self, data_centre: Option<&str>) -> anyhow::Result<AlertClient> {
        let builder = self.builder("search")?;
        Ok(match data_centre {
            Some(name) => builder.data_centre(name),
            None => builder,
        }
        .build()?)
    }

    /// Attempts that the clients of this process have sent, hedges and retries included.
    pub fn attempts(&self) -> u64 {
        sum_of(&self.own_metrics.render(), alert_client::metric::ATTEMPTS) as u64
    }

    pub fn questions(&self) -> Questions {
        self.questions.clone()
    }

    pub fn question(&self, number: u64) -> pb::SearchRequest {
        self.questions.nth(number)
    }

    /// The first voter that does not lead.
    pub async fn follower(&self) -> anyhow::Result<Follower> {
        let leader = self.cluster.wait_leader().await?;
        let node = self.cluster.nodes().into_iter().find(|node| node.id() != leader).context("a follower")?;
        Ok(Follower { id: node.id(), address: node.client_address()?, node })
    }

    pub async fn data_centre_of_a_follower(&self) -> anyhow::Result<String> {
        Ok(self.follower().await?.node.config()?.node.data_centre)
    }

    /// Each node's name and role.
    pub async fn nodes(&self) -> anyhow::Result<Vec<(String, &'static str)>> {
        let leader = self.cluster.wait_leader().await?;
        let role = |id| match id {
            NODES => "learner",
            id if id == leader => "leader",
            _ => "follower",
        };
        self.cluster.nodes().iter().map(|node| Ok((node.config()?.node.name, role(node.id())))).collect()
    }
}

/// The sum of a node's metric over its labels.
async fn metric(node: &NodeProcess, name: &str) -> anyhow::Result<f64> {
    let mut last = None;
    for _ in 0..5 {
        match node.ops("/metrics").await {
            Ok(answer) => return Ok(sum_of(&answer.body, name)),
            // A node at its limit may be late with its metrics.
            Err(error) => last = Some(error),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(last.context("it was asked")?)
}

/// The sum of a metric over its labels, in the text that Prometheus reads.
fn sum_of(text: &str, name: &str) -> f64 {
    let lines = text.lines().filter(|line| line.starts_with(name));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

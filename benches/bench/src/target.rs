//! The cluster under load: started here, or one that runs already.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use alert_chaos::process::LocalCluster;
use alert_client::{AlertClient, ClientConfig};
use alert_cluster_config::{Config, NodeConfig, identity::roles, node::StorageSection, tls::ClientTls};
use alert_proto::v1 as pb;
use alert_synth::{Generator, codes};
use anyhow::{Context, bail};
use futures::{Stream, StreamExt};

/// Keeps all alerts of a run; as the gateway it may keep those of foreign owners too.
const KEEPER: &str = "nca";
/// The partner who searches with a share of the load.
pub const PARTNER: &str = "FR";
/// Import streams at once: one stream has one message's worth of lines on its way at a time.
const IMPORT_STREAMS: usize = 4;

/// More than any machine answers.
const CALLS_PER_S_UNLIMITED: u64 = 1_000_000;

/// A cluster and how to reach it.
pub struct Target {
    cluster: Option<LocalCluster>,
    configs: PathBuf,
    addresses: Vec<String>,
}

impl Target {
    /// Starts `nodes` nodes on this machine, with their data below `directory`.
    ///
    /// # Errors
    /// A node does not start.
    pub async fn start(nodes: u64, directory: Option<&Path>) -> anyhow::Result<Self> {
        let settings = |config: &mut NodeConfig| {
            // As a node is configured by default, and not with the little memory of a development cluster.
            let usual = StorageSection::default();
            config.storage.block_cache_mib = usual.block_cache_mib;
            config.storage.write_buffer_mib = usual.write_buffer_mib;
            // One caller makes the load of a country here; what its quota leaves is not what is measured.
            config.limits.caller_calls_per_s = CALLS_PER_S_UNLIMITED;
            config.limits.caller_burst_calls = CALLS_PER_S_UNLIMITED;
        };
        let mut builder = LocalCluster::builder().nodes(nodes).log_filter("info").configure(settings);
        if let Some(parent) = directory {
            let own = tempfile::Builder::new().prefix("alertstore-").tempdir_in(parent)?.keep();
            builder = builder.directory(own);
        }
        let cluster = builder.start().await?;
        let addresses = cluster.nodes().iter().map(|node| node.client_address()).collect::<Result<_, _>>()?;
        let configs = cluster.directory().to_owned();
        Ok(Self { cluster: Some(cluster), configs, addresses })
    }

    /// One that runs already: the directory with its clients' configuration (`client-bureau.toml`...), as
    /// `alertctl`, `make demo KEEP=1` and the harness write them.
    ///
    /// # Errors
    /// The files are not there.
    pub fn existing(configs: &Path) -> anyhow::Result<Self> {
        let config = config_of(configs, "bureau")?;
        Ok(Self { cluster: None, configs: configs.to_owned(), addresses: config.cluster.seeds })
    }

    /// Addresses of the nodes, in their order.
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// The cluster, when it was started here.
    pub fn cluster(&self) -> Option<&LocalCluster> {
        self.cluster.as_ref()
    }

    /// Processes of the nodes, when they were started here.
    pub fn pids(&self) -> Vec<u32> {
        self.cluster.iter().flat_map(LocalCluster::nodes).filter_map(|node| node.pid()).collect()
    }

    /// Bytes of all files of one node, when it was started here: all, log, state and audit apart.
    pub fn bytes_on_disk(&self, node: u64) -> anyhow::Result<[u64; 3]> {
        let cluster = self.cluster.as_ref().context("the files of a cluster that runs elsewhere are not seen")?;
        let node = cluster.node(node)?;
        let [log, state, audit] = node.directories()?;
        let files = node.files()?;
        let sum = |below: &Path| files.iter().filter(|file| file.path.starts_with(below)).map(|file| file.bytes).sum();
        Ok([sum(&log), sum(&state), sum(&audit)])
    }

    /// A client with the certificate of `name` and connections of its own.
    ///
    /// # Errors
    /// There is no such client.
    pub fn client(&self, name: &str, connections: usize) -> anyhow::Result<AlertClient> {
        let mut config = config_of(&self.configs, name)?;
        if name == roles::BUREAU {
            config.caller.purpose = Some("alert-management".into());
        }
        Ok(AlertClient::builder().config(&config).connections_per_node(connections).build()?)
    }

    /// The certificates of a client.
    ///
    /// # Errors
    /// There is no such client.
    pub fn tls(&self, name: &str) -> anyhow::Result<Arc<ClientTls>> {
        Ok(Arc::new(ClientTls::open(&config_of(&self.configs, name)?.tls)?))
    }

    /// `count` clients of that kind, each with one connection to a node and a session of its own.
    ///
    /// # Errors
    /// There is no such client.
    pub fn clients(&self, name: &str, count: usize) -> anyhow::Result<Vec<AlertClient>> {
        (0..count).map(|_| self.client(name, 1)).collect()
    }

    /// The leader's address, found by asking every node.
    ///
    /// # Errors
    /// None leads.
    pub async fn leader(&self) -> anyhow::Result<String> {
        let admin = self.client("operator", 1)?.with_deadline(Duration::from_secs(2)).admin();
        for address in &self.addresses {
            if let Ok(status) = admin.at(address).status().await
                && status.role == "leader"
            {
                return Ok(address.clone());
            }
        }
        bail!("no node of {} says that it leads", self.addresses.join(", "))
    }

    /// Imports alerts as their keeper; gives back how many were created.
    ///
    /// # Errors
    /// The import ended, or a line was rejected.
    pub async fn import(&self, alerts: impl Stream<Item = pb::Alert> + Send + 'static) -> anyhow::Result<u64> {
        let (sender, receiver) = shared_channel(IMPORT_STREAMS * 256);
        let mut streams = tokio::task::JoinSet::new();
        for _ in 0..IMPORT_STREAMS {
            let client = self.client(roles::BUREAU, 1)?;
            let receiver = receiver.clone();
            streams.spawn(async move {
                let lines = futures::stream::unfold(receiver, |receiver| async move {
                    let next = receiver.lock().await.recv().await;
                    next.map(|line| (line, receiver))
                });
                let mut outcomes = client.import(lines);
                let mut created = 0;
                while let Some(outcome) = outcomes.next().await {
                    let outcome = outcome?;
                    match outcome.status() {
                        pb::ImportStatus::Created => created += 1,
                        pb::ImportStatus::Unchanged => {}
                        status => bail!("line {} is {status:?}: {}", outcome.line, reasons(&outcome)),
                    }
                }
                Ok(created)
            });
        }
        drop(receiver);
        let mut alerts = std::pin::pin!(alerts.enumerate());
        while let Some((at, alert)) = alerts.next().await {
            if sender.send(pb::ImportLine { line: at as u64 + 1, alert: Some(alert) }).await.is_err() {
                break;
            }
        }
        drop(sender);
        let mut created = 0;
        while let Some(stream) = streams.join_next().await {
            created += stream??;
        }
        Ok(created)
    }

    /// Puts the agreement under which [`PARTNER`] searches.
    ///
    /// # Errors
    /// It was refused.
    pub async fn agree(&self) -> anyhow::Result<()> {
        let name = partner();
        let id = config_of(&self.configs, &name)?.caller.agreement_id.unwrap_or_default();
        let mut config = config_of(&self.configs, roles::POLICY)?;
        config.caller.purpose = Some("alert-management".into());
        let policy = AlertClient::builder().config(&config).build()?;
        let request = pb::PutAgreementRequest { agreement: Some(agreement(id)), ..Default::default() };
        match policy.put_agreement(request).await {
            // It was put by an earlier run.
            Err(error) if error.code == "VERSION_CONFLICT" => Ok(()),
            other => other.map(drop).context("putting the partner's agreement"),
        }
    }
}

fn config_of(directory: &Path, name: &str) -> anyhow::Result<ClientConfig> {
    let path = directory.join(format!("client-{name}.toml"));
    ClientConfig::load(&path).with_context(|| format!("the configuration of client '{name}'"))
}

/// The name of the partner's client.
pub fn partner() -> String {
    format!("partner-{}", PARTNER.to_lowercase())
}

fn reasons(outcome: &pb::ImportOutcome) -> String {
    let faults = outcome.faults.iter().filter(|fault| !fault.warning);
    faults.map(|fault| format!("{} {}", fault.field_path, fault.message)).collect::<Vec<_>>().join(", ")
}

/// Everything open, every field of a candidate.
fn agreement(id: String) -> pb::Agreement {
    let values = |list: &str, values: &[&str]| values.iter().map(|value| codes::code(list, value)).collect();
    let categories = [
        "arrest",
        "missing",
        "child-at-risk",
        "vulnerable-person",
        "refusal-of-entry",
        "judicial-procedure",
        "object-seizure",
        "object-evidence",
        "document-invalid",
    ];
    let fields = ["explanation", "identity_kind", "action", "markers", "owner", "title", "object_class"];
    pb::Agreement {
        id,
        partner: codes::party(PARTNER),
        sources: vec!["UK".to_owned()],
        categories: values("category", &categories),
        handling: values("handling", &["law-enforcement-only", "child"]),
        purposes: values("purpose", &["border-control", "police-check"]),
        candidate_fields: Some(pb::FieldRights { fields: fields.iter().map(|field| (*field).to_owned()).collect() }),
        record_fields: Some(pb::FieldRights { fields: vec!["identities".into(), "objects".into(), "action".into()] }),
        legal_regime: "Measurement with synthetic data".to_owned(),
        transfer_basis: "Measurement with synthetic data".to_owned(),
        ..Default::default()
    }
}

/// What is stored: synthetic persons and objects, all kept by one bureau, so that one certificate imports them.
#[derive(Debug, Clone)]
pub struct Records {
    generator: Generator,
}

impl Records {
    /// A set. Queries of another set's records find nothing.
    pub fn new(seed: u64) -> Self {
        Self { generator: Generator::new(seed) }
    }

    /// The n-th person.
    pub fn person(&self, number: u64) -> pb::Alert {
        kept(self.generator.person(number))
    }

    /// The n-th object.
    pub fn object(&self, number: u64) -> pb::Alert {
        kept(self.generator.object(number))
    }

    /// The generator below.
    pub fn generator(&self) -> &Generator {
        &self.generator
    }

    /// `persons` and `objects` mixed evenly, from their `from`-th on.
    pub fn mixed(
        &self,
        persons: std::ops::Range<u64>,
        objects: std::ops::Range<u64>,
    ) -> impl Iterator<Item = pb::Alert> + Send + use<> {
        let records = self.clone();
        let (p, o) = (persons.end - persons.start, objects.end - objects.start);
        let (mut person, mut object) = (persons.start, objects.start);
        std::iter::from_fn(move || {
            let done = (person - persons.start, object - objects.start);
            // Whoever is behind its share comes next.
            let is_person = done.0 < p && (done.1 >= o || done.0 * o.max(1) <= done.1 * p);
            if is_person {
                person += 1;
                return Some(records.person(person - 1));
            }
            (object < objects.end).then(|| {
                object += 1;
                records.object(object - 1)
            })
        })
    }

    /// Mean bytes of the first records, as protobuf: what is sent.
    pub fn mean_bytes(alerts: impl Iterator<Item = pb::Alert>) -> usize {
        let (count, bytes) = alerts
            .take(500)
            .fold((0, 0), |(count, bytes), alert| (count + 1, bytes + prost::Message::encoded_len(&alert)));
        bytes / usize::max(count, 1)
    }
}

/// The same record, kept by the one bureau: national owners become that one, foreign ones stay.
fn kept(mut alert: pb::Alert) -> pb::Alert {
    let owner = alert.core.as_mut().and_then(|core| core.owner.as_mut());
    if let Some(owner) = owner
        && owner.party.as_ref().is_some_and(|party| party.code == roles::HOME_COUNTRY)
    {
        owner.authority = codes::some_code("authority", KEEPER);
    }
    alert
}

type Lines = Arc<tokio::sync::Mutex<tokio::sync::mpsc::Receiver<pb::ImportLine>>>;

/// A channel that several streams take from.
fn shared_channel(room: usize) -> (tokio::sync::mpsc::Sender<pb::ImportLine>, Lines) {
    let (sender, receiver) = tokio::sync::mpsc::channel(room);
    (sender, Arc::new(tokio::sync::Mutex::new(receiver)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn persons_and_objects_are_mixed_evenly_and_none_is_left_out() {
        let records = Records::new(1);
        let all: Vec<bool> = records.mixed(0..20, 0..80).map(|alert| alert.identities.is_some()).collect();
        assert_eq!((all.len(), all.iter().filter(|is_person| **is_person).count()), (100, 20));
        let first_half = all[..50].iter().filter(|is_person| **is_person).count();
        assert!((9..=11).contains(&first_half), "{first_half}");
        assert_eq!(records.mixed(0..0, 5..8).count(), 3);
        assert_eq!(records.mixed(3..6, 0..0).count(), 3);
    }
}

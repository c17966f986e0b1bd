//! The one way to make a client.

use std::{sync::Arc, time::Duration};

use alert_cluster_config::{ClientConfig, client::ClientTlsSection, plaintext, tls::ClientTls};
use alert_proto::v1 as pb;
use tokio::runtime::Handle;

use crate::{
    call::CallDefaults,
    client::AlertClient,
    connector::{Connector, PlaintextLoopback, TlsConnector},
    error::Error,
    limits,
    random::Random,
    routing::{Cluster, ConnectionSettings, Routing},
};

/// Settings of a client. Seeds and a way to connect are needed; everything else has a default.
#[must_use]
#[derive(Default)]
pub struct AlertClientBuilder {
    seeds: Vec<String>,
    security: Security,
    data_centre: Option<String>,
    cluster_id: Option<String>,
    connections_per_node: Option<usize>,
    connect_timeout: Option<Duration>,
    look_at_certificates: Option<Duration>,
    defaults: CallDefaults,
    seed: Option<u64>,
}

#[derive(Default)]
enum Security {
    #[default]
    NotSaid,
    Section(ClientTlsSection),
    Tls(Arc<ClientTls>),
    Connector(Arc<dyn Connector>),
}

impl AlertClientBuilder {
    /// All that a client's configuration file says: seeds, trust, place, caller.
    pub fn config(mut self, config: &ClientConfig) -> Self {
        self.seeds.clone_from(&config.cluster.seeds);
        self.data_centre.clone_from(&config.cluster.data_centre);
        self.cluster_id.clone_from(&config.cluster.cluster_id);
        let caller = &config.caller;
        self.defaults.officer_ref = caller.officer.clone().unwrap_or_default();
        self.defaults.purpose = caller.purpose.clone().unwrap_or_default();
        self.defaults.agreement_id = caller.agreement_id.clone().unwrap_or_default();
        self.tls(config.tls.clone())
    }

    /// Addresses (host:port) of some nodes; the others are learnt from them.
    pub fn seeds<S: Into<String>>(mut self, seeds: impl IntoIterator<Item = S>) -> Self {
        self.seeds = seeds.into_iter().map(Into::into).collect();
        self
    }

    /// Mutual TLS from PEM files, read when the client is built and looked at again every minute: certificates are
    /// replaced by writing the new ones in their place.
    pub fn tls(mut self, files: ClientTlsSection) -> Self {
        self.security = Security::Section(files);
        self
    }

    /// Mutual TLS shared with other clients of this process.
    pub fn shared_tls(mut self, tls: Arc<ClientTls>) -> Self {
        self.security = Security::Tls(tls);
        self
    }

    /// The cluster's name: no call goes to another. Default: whichever the seeds belong to.
    pub fn cluster_id(mut self, cluster_id: impl Into<String>) -> Self {
        self.cluster_id = Some(cluster_id.into());
        self
    }

    /// No TLS; refuses to connect to anything but loopback addresses. Calls as a bureau of the United Kingdom; another
    /// caller is [`PlaintextLoopback::calling_as`], with [`AlertClientBuilder::connector`].
    pub fn plaintext_loopback(self) -> Self {
        self.connector(Arc::new(PlaintextLoopback::default()))
    }

    /// A connector of one's own, for tests and simulation.
    pub fn connector(mut self, connector: Arc<dyn Connector>) -> Self {
        self.security = Security::Connector(connector);
        self
    }

    /// Where this client is: reads prefer nodes of this data centre.
    pub fn data_centre(mut self, name: impl Into<String>) -> Self {
        self.data_centre = Some(name.into());
        self
    }

    /// Connections to each node, 1 to 32; default 1. More help where one connection's flow control or its single
    /// task is the limit.
    pub fn connections_per_node(mut self, connections: usize) -> Self {
        self.connections_per_node = Some(connections);
        self
    }

    /// How long a connection may take to open, handshake included; default 2 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = Some(timeout);
        self
    }

    /// How often the certificate files are looked at; default 60 s.
    pub fn look_at_certificates_every(mut self, interval: Duration) -> Self {
        self.look_at_certificates = Some(interval);
        self
    }

    /// Asks no second node when a read is slow. Default: reads that take longer than usual are hedged, at most one in
    /// ten.
    pub fn without_hedges(mut self) -> Self {
        self.defaults.without_hedges = true;
        self
    }

    /// What every call carries unless its request says otherwise.
    pub fn defaults(mut self, defaults: CallDefaults) -> Self {
        self.defaults = defaults;
        self
    }

    /// The officer or system behind the calls.
    pub fn officer_ref(mut self, officer: impl Into<String>) -> Self {
        self.defaults.officer_ref = officer.into();
        self
    }

    /// A value of the code list "purpose".
    pub fn purpose(mut self, purpose: impl Into<String>) -> Self {
        self.defaults.purpose = purpose.into();
        self
    }

    /// Partners: the agreement that calls are made under.
    pub fn agreement_id(mut self, agreement: impl Into<String>) -> Self {
        self.defaults.agreement_id = agreement.into();
        self
    }

    /// The authority or person that the caller acts for.
    pub fn on_behalf_of(mut self, who: impl Into<String>) -> Self {
        self.defaults.on_behalf_of = who.into();
        self
    }

    /// Read level of reads that name none; default: that of each call.
    pub fn read_level(mut self, level: pb::ReadLevel) -> Self {
        self.defaults.read_level = Some(level);
        self
    }

    /// One deadline for every call; default: 5 s for reads, 15 s for writes, 60 s for administration.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.defaults.deadline = Some(deadline);
        self
    }

    /// Seed of jitter, session and search ids, so that a simulated run repeats exactly; default: from the operating system.
    /// Two clients with one seed share a session: never set it outside a simulation.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Makes the client. Connections open at first use; a task that looks for the nodes starts at once on the current
    /// Tokio runtime.
    ///
    /// # Errors
    /// `CONFIGURATION` when there are no seeds or an address is malformed, nothing says how to connect, a PEM file cannot
    /// be used, a limit is exceeded, or there is no Tokio runtime.
    ///
    /// ```
    /// use alert_client::{AlertClient, codes};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let client = AlertClient::builder()
    ///     .seeds(["127.0.0.1:7001", "127.0.0.1:7002"])
    ///     .plaintext_loopback()
    ///     .officer_ref("officer-4711")
    ///     .purpose("border-control")
    ///     .build()
    ///     .unwrap();
    /// assert_eq!(client.defaults().officer_ref, "officer-4711");
    /// assert_eq!(client.nodes().len(), 2, "the seeds, until one of them has told of the others");
    ///
    /// let Err(error) = AlertClient::builder().seeds(["no-port"]).plaintext_loopback().build() else { panic!() };
    /// assert_eq!(error.code, codes::CONFIGURATION);
    /// assert_eq!(error.message, "'no-port' is not an address of the form host:port");
    /// # }
    /// ```
    pub fn build(self) -> Result<AlertClient, Error> {
        if self.seeds.is_empty() {
            return Err(Error::configuration("no seeds: at least one node's address is needed"));
        }
        for seed in &self.seeds {
            check_address(seed)?;
        }
        let connections_per_node = self.connections_per_node.unwrap_or(1);
        if !(1..=limits::CONNECTIONS_PER_NODE_MAX).contains(&connections_per_node) {
            return Err(Error::configuration(format!(
                "{connections_per_node} connections per node: 1 to {} are possible",
                limits::CONNECTIONS_PER_NODE_MAX
            )));
        }
        if self.defaults.deadline.is_some_and(|deadline| deadline.is_zero()) {
            return Err(Error::configuration("a deadline of zero leaves no time for any call"));
        }
        if Handle::try_current().is_err() {
            return Err(Error::configuration("a client lives on a Tokio runtime, and there is none here"));
        }
        let mut tls = None;
        let connector: Arc<dyn Connector> = match self.security {
            Security::NotSaid => {
                return Err(Error::configuration(
                    "nothing says how to connect: give certificates, or ask for plain text",
                ));
            }
            Security::Section(section) if section.plaintext => {
                let caller = section.plaintext_as.as_deref().unwrap_or(plaintext::DEFAULT_CLIENT);
                Arc::new(PlaintextLoopback::calling_as(caller).map_err(Error::configuration)?)
            }
            Security::Section(section) => {
                let opened = ClientTls::open(&section).map_err(|error| Error::configuration(error.to_string()))?;
                Arc::new(TlsConnector::new(tls.insert(Arc::new(opened)).clone()))
            }
            Security::Tls(shared) => Arc::new(TlsConnector::new(tls.insert(shared).clone())),
            Security::Connector(connector) => connector,
        };
        let settings = ConnectionSettings {
            connector,
            connections_per_node,
            connect_timeout: self.connect_timeout.unwrap_or(limits::CONNECT_TIMEOUT),
        };
        let cluster = Cluster { seeds: self.seeds, data_centre: self.data_centre, cluster_id: self.cluster_id };
        let routing = Routing::new(settings, cluster, Random::new(self.seed));
        let look_at_certificates = self.look_at_certificates.unwrap_or(limits::CERTIFICATE_INTERVAL);
        if look_at_certificates.is_zero() {
            return Err(Error::configuration("certificates cannot be looked at all the time: name an interval"));
        }
        Ok(AlertClient::start(routing, self.defaults, tls, look_at_certificates))
    }
}

/// An address is host:port; the host a name, an IPv4 address, or an IPv6 address in brackets.
pub(crate) fn check_address(address: &str) -> Result<(), Error> {
    let wrong = || Error::configuration(format!("'{address}' is not an address of the form host:port"));
    let (host, port) = address.rsplit_once(':').ok_or_else(wrong)?;
    let is_port = port.parse::<u16>().is_ok_and(|port| port != 0);
    let is_host = !host.is_empty() && address.parse::<tonic::codegen::http::uri::Authority>().is_ok();
    if is_port && is_host { Ok(()) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(builder: AlertClientBuilder) -> String {
        match builder.build() {
            Ok(_) => panic!("built"),
            Err(error) => error.message.clone(),
        }
    }

    #[tokio::test]
    async fn a_client_says_in_one_sentence_what_is_wrong_with_its_settings() {
        let builder = AlertClient::builder;
        assert!(refusal(builder().plaintext_loopback()).contains("no seeds"));
        assert!(refusal(builder().seeds(["127.0.0.1:1"])).contains("nothing says how to connect"));
        assert!(refusal(builder().seeds(["node-1"]).plaintext_loopback()).contains("'node-1'"));
        assert!(refusal(builder().seeds(["a b:1"]).plaintext_loopback()).contains("'a b:1'"));
        let missing = ClientTlsSection {
            cluster_ca: Some("/nowhere/ca.pem".into()),
            certificate: Some("/nowhere/client.pem".into()),
            key: Some("/nowhere/client.key".into()),
            ..ClientTlsSection::default()
        };
        assert!(refusal(builder().seeds(["n:1"]).tls(missing)).contains("/nowhere/client.pem"));
        assert!(refusal(builder().seeds(["n:1"]).tls(ClientTlsSection::default())).contains("tls.certificate"));
        let many = builder().seeds(["n:1"]).plaintext_loopback().connections_per_node(0);
        assert!(refusal(many).contains("1 to 32"));
    }

    #[test]
    fn a_client_without_a_runtime_is_refused_not_a_panic() {
        assert!(refusal(AlertClient::builder().seeds(["n:1"]).plaintext_loopback()).contains("runtime"));
    }
}

//! A whole cluster on one machine: certificates, nodes' and clients' configuration, in one directory that may be moved.
//!
//! ```text
//! ca/     cluster, uk-clients, partner-fr (.pem and .key)
//! tls/    a certificate and key for each node and client
//! node1.toml ...  client-operator.toml, client-bureau.toml, client-partner-fr.toml ...
//! data/   what each node keeps: data/node1/{log,state,audit}
//! ```
//!
//! Each data centre has a loopback address of its own (127.0.0.1, 127.0.0.2 ...), so that the way between two of them
//! can be cut by address.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use crate::{
    ClientConfig, ConfigError, Fault, NodeConfig,
    client::{CallerSection, ClientTlsSection, ClusterSection},
    dev_ca::{DevCa, DevCaError, Holder, private_directory, write_public, write_token_key},
    identity::{is_country, roles},
    load::Config,
    node::{
        AdvertiseSection, ClientCa, LimitsSection, ListenSection, LogSection, NodeSection, PolicySection, RaftSection,
        StorageSection, TlsSection,
    },
};

/// Ports from one node's first to the next one's.
const PORTS_PER_NODE: u16 = 10;
/// Memory for blocks of a node's state, in MiB: several nodes share the machine.
const BLOCK_CACHE_MIB: u64 = 64;
/// Memory for a node's unwritten state, in MiB.
const WRITE_BUFFER_MIB: u64 = 32;
/// Who runs the development cluster.
const RUN_BY: &str = "home-office";
/// The key that seals tokens, relative to the cluster's directory.
const TOKEN_KEY: &str = "tls/token.key";

/// Why a cluster could not be written.
#[derive(Debug, thiserror::Error)]
pub enum DevClusterError {
    /// A certificate or a file.
    #[error(transparent)]
    Ca(#[from] DevCaError),
    /// What was asked for cannot be configured.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// A node of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevNode {
    /// From 1.
    pub id: u64,
    /// Its site.
    pub data_centre: String,
    /// For clients.
    pub client: SocketAddr,
    /// For other nodes.
    pub raft: SocketAddr,
    /// Health and metrics.
    pub ops: SocketAddr,
}

impl DevNode {
    /// `node1`, `node2`...
    pub fn name(&self) -> String {
        format!("node{}", self.id)
    }
}

/// A cluster to write.
#[derive(Debug, Clone)]
pub struct DevCluster {
    /// Where. Made when it is not there; authorities in it are kept, everything else is written anew.
    pub directory: PathBuf,
    /// The cluster's name.
    pub cluster_id: String,
    /// Its nodes, and the seeds of its clients.
    pub nodes: Vec<DevNode>,
    /// Countries of partners; each gets an authority and a client.
    pub partners: Vec<String>,
    /// Longest round trip between nodes, in milliseconds.
    pub round_trip_ms: u64,
    /// What the nodes log.
    pub log_filter: String,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevFiles {
    /// A configuration file per node, in the order of the nodes.
    pub nodes: Vec<PathBuf>,
    /// A configuration file per client: its name ("operator", "bureau", "search", "search-open", "auditor", "policy",
    /// "partner-fr") and path.
    pub clients: Vec<(String, PathBuf)>,
}

impl DevFiles {
    /// The configuration of a client by its name.
    pub fn client(&self, name: &str) -> Option<&Path> {
        self.clients.iter().find(|(known, _)| known == name).map(|(_, path)| path.as_path())
    }
}

impl DevCluster {
    /// Nodes 1 to `nodes`, spread over `data_centres` in turn, with ports from `base_port` on: `base_port`, +1 and +2
    /// for clients, nodes and health of node 1, +10 for each node after it.
    pub fn on_loopback(directory: &Path, nodes: u64, data_centres: &[String], base_port: u16) -> Self {
        let nodes = (1..=nodes)
            .map(|id| {
                let centre = usize::try_from(id - 1).unwrap_or(usize::MAX) % data_centres.len().max(1);
                let ip = loopback_of(centre);
                let first =
                    base_port.saturating_add(PORTS_PER_NODE.saturating_mul(u16::try_from(id - 1).unwrap_or(u16::MAX)));
                DevNode {
                    id,
                    data_centre: data_centres.get(centre).cloned().unwrap_or_else(|| "lon".to_owned()),
                    client: SocketAddr::new(ip, first),
                    raft: SocketAddr::new(ip, first.saturating_add(1)),
                    ops: SocketAddr::new(ip, first.saturating_add(2)),
                }
            })
            .collect();
        Self::of(directory, nodes)
    }

    /// A cluster of these nodes, with one partner, France.
    pub fn of(directory: &Path, nodes: Vec<DevNode>) -> Self {
        Self {
            directory: directory.to_owned(),
            cluster_id: "dev".to_owned(),
            nodes,
            partners: vec!["FR".to_owned()],
            round_trip_ms: 10,
            log_filter: "info".to_owned(),
        }
    }

    /// Writes all of it.
    pub fn write(&self) -> Result<DevFiles, DevClusterError> {
        if let Some(country) =
            self.partners.iter().find(|country| !is_country(country) || *country == roles::HOME_COUNTRY)
        {
            let message = format!("'{country}' is not the code of another country in 1 to 3 capital letters");
            let fault = Fault { path: "partners".to_owned(), line: None, message };
            return Err(ConfigError::Invalid { origin: "the cluster".to_owned(), faults: vec![fault] }.into());
        }
        private_directory(&self.directory)?;
        private_directory(&self.directory.join("ca"))?;
        private_directory(&self.directory.join("tls"))?;
        write_token_key(&self.directory.join(TOKEN_KEY))?;
        let nodes = self.nodes.iter().map(|node| self.write_node(node)).collect::<Result<_, _>>()?;
        let mut clients = vec![self.write_client(roles::OPERATOR, roles::OPERATOR, roles::HOME_COUNTRY, RUN_BY)?];
        for (role, authority) in [
            (roles::BUREAU, "nca"),
            (roles::SEARCH, "border-force"),
            (roles::SEARCH_OPEN, "border-force"),
            (roles::AUDITOR, RUN_BY),
            (roles::POLICY, RUN_BY),
        ] {
            clients.push(self.write_client(role, role, roles::HOME_COUNTRY, authority)?);
        }
        for country in &self.partners {
            let name = format!("partner-{}", country.to_lowercase());
            clients.push(self.write_client(&name, roles::PARTNER, country, "police")?);
        }
        Ok(DevFiles { nodes, clients })
    }

    /// Writes the configuration and certificate of one more node, beside those that are there. The node is not added
    /// to `nodes`, and so to no client's seeds.
    pub fn write_node(&self, node: &DevNode) -> Result<PathBuf, DevClusterError> {
        let name = node.name();
        let mut hosts: Vec<String> =
            [node.client, node.raft, node.ops].iter().map(|address| address.ip().to_string()).collect();
        hosts.push("localhost".to_owned());
        hosts.sort();
        hosts.dedup();
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        let issued = self.authority("cluster")?.issue(&Holder::node(node.id, &name, RUN_BY, &hosts))?;
        issued.write(&self.directory.join("tls"), &name)?;

        let mut client_cas = Vec::new();
        let home = [roles::BUREAU, roles::SEARCH, roles::SEARCH_OPEN, roles::AUDITOR, roles::POLICY];
        client_cas.push(self.client_ca("uk-clients", roles::HOME_COUNTRY, &home)?);
        for country in &self.partners {
            let authority = format!("partner-{}", country.to_lowercase());
            client_cas.push(self.client_ca(&authority, country, &[roles::PARTNER])?);
        }
        let data = |kind: &str| PathBuf::from("data").join(&name).join(kind);
        let config = NodeConfig {
            node: NodeSection {
                cluster_id: self.cluster_id.clone(),
                id: node.id,
                name: name.clone(),
                data_centre: node.data_centre.clone(),
            },
            listen: ListenSection { client: node.client, raft: node.raft, ops: node.ops },
            advertise: AdvertiseSection::default(),
            storage: StorageSection {
                log_directory: data("log"),
                state_directory: data("state"),
                audit_directory: data("audit"),
                block_cache_mib: BLOCK_CACHE_MIB,
                write_buffer_mib: WRITE_BUFFER_MIB,
                ..StorageSection::default()
            },
            raft: RaftSection { round_trip_ms: self.round_trip_ms, ..RaftSection::default() },
            tls: TlsSection {
                certificate: Some(format!("tls/{name}.pem").into()),
                key: Some(format!("tls/{name}.key").into()),
                cluster_ca: Some("ca/cluster.pem".into()),
                token_key: Some(TOKEN_KEY.into()),
                client_cas,
                ..TlsSection::default()
            },
            limits: LimitsSection::default(),
            policy: PolicySection::default(),
            log: LogSection { filter: self.log_filter.clone(), ..LogSection::default() },
        };
        self.write_config(&name, &config)
    }

    fn write_client(
        &self,
        name: &str,
        role: &str,
        country: &str,
        authority: &str,
    ) -> Result<(String, PathBuf), DevClusterError> {
        let issuer = match role {
            roles::OPERATOR => self.authority("cluster")?,
            roles::PARTNER => self.authority(name)?,
            _ => self.authority("uk-clients")?,
        };
        issuer.issue(&Holder::client(role, country, authority, name))?.write(&self.directory.join("tls"), name)?;
        let partner = role == roles::PARTNER;
        let config = ClientConfig {
            cluster: ClusterSection {
                seeds: self.nodes.iter().map(|node| node.client.to_string()).collect(),
                data_centre: self.nodes.first().map(|node| node.data_centre.clone()),
                cluster_id: Some(self.cluster_id.clone()),
            },
            caller: CallerSection {
                officer: Some(format!("{name}-desk")),
                purpose: Some("border-control".to_owned()),
                agreement_id: partner.then(|| format!("agreement-{}", country.to_lowercase())),
            },
            tls: ClientTlsSection {
                plaintext: false,
                plaintext_as: None,
                certificate: Some(format!("tls/{name}.pem").into()),
                key: Some(format!("tls/{name}.key").into()),
                cluster_ca: Some("ca/cluster.pem".into()),
            },
        };
        let path = self.write_config(&format!("client-{name}"), &config)?;
        Ok((name.to_owned(), path))
    }

    fn client_ca(&self, name: &str, country: &str, roles: &[&str]) -> Result<ClientCa, DevClusterError> {
        self.authority(name)?;
        Ok(ClientCa {
            path: format!("ca/{name}.pem").into(),
            countries: vec![country.to_owned()],
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            authorities: None,
        })
    }

    fn authority(&self, name: &str) -> Result<DevCa, DevCaError> {
        DevCa::open_or_create(&self.directory.join("ca"), name)
    }

    /// Checks a configuration, so that nothing is written that would not load, and writes it.
    fn write_config<C: Config>(&self, name: &str, config: &C) -> Result<PathBuf, DevClusterError> {
        let path = self.directory.join(format!("{name}.toml"));
        let faults = config.validate();
        if !faults.is_empty() {
            return Err(ConfigError::Invalid { origin: path.display().to_string(), faults }.into());
        }
        let text = format!("# Written by `alert-config dev-cluster`: for development only.\n\n{}", config.to_toml());
        write_public(&path, text.as_bytes())?;
        Ok(path)
    }
}

/// The loopback address of the data centre with this index.
pub fn loopback_of(data_centre: usize) -> IpAddr {
    // 127.0.0.1 to 127.0.0.254; a cluster of more sites on one machine shares addresses.
    let last = u8::try_from(data_centre % 254).expect("a remainder of 254 fits") + 1;
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, last))
}

//! A node's TLS.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustls::{
    ClientConfig, ServerConfig,
    client::Resumption,
    server::NoServerSessionStorage,
    sign::{CertifiedKey, SingleCertAndKey},
    version::TLS13,
};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::{
    ALPN_HTTP2, Reload, TlsError,
    files::{Files, Named},
    provider,
    verifier::{ClientVerifier, NodeVerifier},
};
use crate::{
    identity::{Anchor, Anchors, Binding},
    node::TlsSection,
};

/// Name of the cluster's own authority among the anchors.
const CLUSTER_ANCHOR: &str = "cluster";

/// Everything that connections of a node need, read at one time.
#[derive(Debug)]
pub struct NodeTlsSet {
    /// For the port of clients and operators.
    pub client_port: Arc<ServerConfig>,
    /// Who may come to it.
    pub client_anchors: Arc<Anchors>,
    /// For the port of other nodes.
    pub raft_port: Arc<ServerConfig>,
    /// Who may come to it: nodes.
    pub raft_anchors: Arc<Anchors>,
    /// For connections to other nodes. Verifies that the other end is a node of the name asked for; that it is the
    /// node meant is for [`crate::identity::check_node`] after the handshake.
    pub connector: Arc<ClientConfig>,
    /// Seals the tokens and cursors given to clients.
    pub token_key: [u8; 32],
    files: Files,
}

/// A node's TLS, which can be read again while it runs.
#[derive(Debug)]
pub struct NodeTls {
    node_id: u64,
    section: Mutex<TlsSection>,
    current: RwLock<Arc<NodeTlsSet>>,
}

impl NodeTls {
    /// Reads the files that `section` names, and checks that its certificate is that of `node_id`.
    pub fn open(section: &TlsSection, node_id: u64) -> Result<Self, TlsError> {
        let set = NodeTlsSet::read(section, node_id)?;
        Ok(Self { node_id, section: Mutex::new(section.clone()), current: RwLock::new(Arc::new(set)) })
    }

    /// What a new connection uses.
    pub fn current(&self) -> Arc<NodeTlsSet> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads all the files again. When anything is wrong with them, what was in use stays in use.
    pub fn reload(&self) -> Result<Reload, TlsError> {
        let section = self.section.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.reload_with(&section)
    }

    /// As [`Self::reload`], with a section that was read again: for new authorities and a new deny list.
    pub fn reload_with(&self, section: &TlsSection) -> Result<Reload, TlsError> {
        // Held to the end: two reloads at a time must not leave the older one's files in use.
        let mut known = self.section.lock().unwrap_or_else(PoisonError::into_inner);
        let set = NodeTlsSet::read(section, self.node_id)?;
        if set.files == self.current().files && *section == *known {
            return Ok(Reload::Unchanged);
        }
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(set);
        *known = section.clone();
        Ok(Reload::Changed)
    }
}

impl NodeTlsSet {
    fn read(section: &TlsSection, node_id: u64) -> Result<Self, TlsError> {
        let mut files = Files::default();
        let key = files.certified_key(
            Named::required(&section.certificate, "certificate")?,
            Named::required(&section.key, "key")?,
        )?;
        let key = Arc::new(key);
        let cluster_ca = files.certificates(Named::required(&section.cluster_ca, "cluster_ca")?)?;
        let token_key = files.secret(Named::required(&section.token_key, "token_key")?)?;

        let cluster = |binding| Anchor::new(CLUSTER_ANCHOR, &cluster_ca, binding).map_err(TlsError::Unfit);
        let mut clients = vec![cluster(Binding::operators())?];
        for authority in &section.client_cas {
            let binding = Binding {
                roles: authority.roles.iter().cloned().collect(),
                countries: Some(authority.countries.iter().cloned().collect()),
                authorities: authority.authorities.as_ref().map(|names| names.iter().cloned().collect()),
            };
            let name = authority.path.file_stem().unwrap_or(authority.path.as_os_str()).to_string_lossy();
            let certificates = files.certificates(Named::given(&authority.path, "client_cas"))?;
            clients.push(Anchor::new(name, &certificates, binding).map_err(TlsError::Unfit)?);
        }
        let port = |anchors| {
            Anchors::new(anchors, section.deny_serials.iter().map(String::as_str))
                .map(Arc::new)
                .map_err(TlsError::Unfit)
        };
        let client_anchors = port(clients)?;
        let raft_anchors = port(vec![cluster(Binding::nodes())?])?;
        check_own(&key, &raft_anchors, node_id)?;

        Ok(Self {
            client_port: Arc::new(server_config(key.clone(), client_anchors.clone())?),
            raft_port: Arc::new(server_config(key.clone(), raft_anchors.clone())?),
            connector: Arc::new(connector_config(key, &cluster_ca, Some(raft_anchors.clone()))?),
            client_anchors,
            raft_anchors,
            token_key,
            files,
        })
    }
}

/// A node with a wrong certificate would start and then be refused by every other: better to say so at once.
fn check_own(key: &CertifiedKey, nodes: &Anchors, node_id: u64) -> Result<(), TlsError> {
    let unfit = |reason: String| TlsError::Unfit(format!("this node's own certificate does not serve: {reason}"));
    let identity = nodes.identify(&key.cert, UnixTime::now()).map_err(|error| unfit(error.to_string()))?;
    match identity.node_id {
        Some(found) if found != node_id => Err(unfit(format!("it is that of node {found}, and node.id is {node_id}"))),
        _ => Ok(()),
    }
}

fn server_config(key: Arc<CertifiedKey>, anchors: Arc<Anchors>) -> Result<ServerConfig, TlsError> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(|error| TlsError::Unfit(error.to_string()))?
        .with_client_cert_verifier(Arc::new(ClientVerifier::new(anchors)))
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
    config.alpn_protocols = vec![ALPN_HTTP2.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

pub(super) fn connector_config(
    key: Arc<CertifiedKey>,
    cluster_ca: &[CertificateDer<'_>],
    deny: Option<Arc<Anchors>>,
) -> Result<ClientConfig, TlsError> {
    let verifier = NodeVerifier::new(cluster_ca, deny).map_err(TlsError::Unfit)?;
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(|error| TlsError::Unfit(error.to_string()))?
        .dangerous() // rustls' word for a verifier of one's own; ours only adds to rustls' own.
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
    config.alpn_protocols = vec![ALPN_HTTP2.to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

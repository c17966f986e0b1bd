//! TLS on both sides, or (development only) plain text on loopback; and who a connection's other end is.

use std::{io, sync::Arc, time::Duration};

use alert_cluster_config::{
    NodeConfig,
    identity::{self, Identity},
    plaintext,
    tls::{NodeTls, Reload, TlsError, server_name},
};
use alert_core::alert::{Caller, Role};
use rustls_pki_types::CertificateDer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::held::HeldConnections;
use crate::seam::{Io, PeerIdentity, PeerTarget};

/// Time that a handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Which trust anchors a port accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// Clients and operators.
    Client,
    /// Nodes.
    Raft,
}

/// How this node's connections are secured.
pub enum Transport {
    /// TLS 1.3 with certificates on both sides.
    Tls { tls: Box<NodeTls>, clients: HeldConnections, nodes: HeldConnections },
    /// Plain text; the line this node sends first.
    Plaintext { line: String },
}

impl Transport {
    /// As configured.
    pub fn open(config: &NodeConfig) -> Result<Self, TlsError> {
        if config.tls.plaintext {
            let line = plaintext::line("GB", "plaintext", &config.node.name, Role::Node.name(), Some(config.node.id));
            return Ok(Self::Plaintext { line });
        }
        let tls = Box::new(NodeTls::open(&config.tls, config.node.id)?);
        Ok(Self::Tls { tls, clients: HeldConnections::default(), nodes: HeldConnections::default() })
    }

    /// The key that seals tokens. Plain text has nothing to hide: there it follows from the cluster's id.
    pub fn token_key(&self, cluster_id: &str) -> [u8; 32] {
        match self {
            Self::Tls { tls, .. } => tls.current().token_key,
            Self::Plaintext { .. } => *blake3::hash(cluster_id.as_bytes()).as_bytes(),
        }
    }

    /// Reads certificates, authorities and the deny list again, as `config` names them. A connection that they would not
    /// let in ends.
    pub fn reload(&self, config: &NodeConfig) -> Result<Reload, TlsError> {
        match self {
            Self::Tls { tls, .. } => {
                let reload = tls.reload_with(&config.tls)?;
                self.check_held(Port::Client);
                self.check_held(Port::Raft);
                Ok(reload)
            }
            Self::Plaintext { .. } => Ok(Reload::Unchanged),
        }
    }

    /// Ends the connections of `port`, to other nodes too where it is theirs, whose certificates are no longer good.
    pub(super) fn check_held(&self, port: Port) {
        if let Self::Tls { tls, clients, nodes } = self {
            let set = tls.current();
            match port {
                Port::Client => clients.check(&set.client_anchors),
                Port::Raft => nodes.check(&set.raft_anchors),
            }
        }
    }

    /// The server's side of a new connection.
    pub(super) async fn accept(&self, mut stream: TcpStream, port: Port) -> io::Result<(Box<dyn Io>, PeerIdentity)> {
        stream.set_nodelay(true)?;
        let handshake = async {
            match self {
                Self::Plaintext { .. } => {
                    let identity = plaintext::parse(&read_line(&mut stream).await?).map_err(io::Error::other)?;
                    Ok((Box::new(stream) as Box<dyn Io>, identity))
                }
                Self::Tls { tls, clients, nodes } => {
                    let set = tls.current();
                    let (config, anchors, held) = match port {
                        Port::Client => (&set.client_port, &set.client_anchors, clients),
                        Port::Raft => (&set.raft_port, &set.raft_anchors, nodes),
                    };
                    let remote = stream.peer_addr()?.to_string();
                    let stream = TlsAcceptor::from(Arc::clone(config)).accept(stream).await?;
                    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
                    let identity = identity::peer_identity(chain, anchors).map_err(io::Error::other)?;
                    let chain = owned(chain);
                    Ok((held.hold(chain, remote, Box::new(stream)), identity))
                }
            }
        };
        let (stream, identity) = within(handshake).await?;
        let peer = peer(identity)?;
        if port == Port::Raft && peer.node_id.is_none() {
            return Err(io::Error::other(format!("{} is not a node, and this port is for nodes only", peer.caller)));
        }
        Ok((stream, peer))
    }

    /// The client's side: this node calls another.
    pub(super) async fn connect(&self, target: &PeerTarget) -> io::Result<Box<dyn Io>> {
        let connection = async {
            let mut stream = TcpStream::connect(&target.address).await?;
            stream.set_nodelay(true)?;
            match self {
                Self::Plaintext { line } => {
                    stream.write_all(line.as_bytes()).await?;
                    Ok(Box::new(stream) as Box<dyn Io>)
                }
                Self::Tls { tls, nodes, .. } => {
                    let name = server_name(&target.address).map_err(io::Error::other)?;
                    let connector = TlsConnector::from(Arc::clone(&tls.current().connector));
                    let stream = connector.connect(name, stream).await?;
                    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
                    identity::check_node(chain, Some(target.node_id)).map_err(io::Error::other)?;
                    let chain = owned(chain);
                    Ok(nodes.hold(chain, target.address.clone(), Box::new(stream)))
                }
            }
        };
        within(connection).await
    }
}

fn owned(chain: &[CertificateDer<'_>]) -> Vec<CertificateDer<'static>> {
    chain.iter().map(|certificate| certificate.clone().into_owned()).collect()
}

async fn within<T>(handshake: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, "the handshake took too long");
    timeout(HANDSHAKE_TIMEOUT, handshake).await.map_err(late)?
}

async fn read_line(stream: &mut TcpStream) -> io::Result<String> {
    let mut line = Vec::new();
    loop {
        match stream.read_u8().await? {
            b'\n' => break,
            byte if line.len() < plaintext::LINE_BYTES_MAX => line.push(byte),
            _ => return Err(io::Error::other("the first line is too long")),
        }
    }
    String::from_utf8(line).map_err(io::Error::other)
}

fn peer(identity: Identity) -> io::Result<PeerIdentity> {
    let role = identity.role.parse().map_err(io::Error::other)?;
    Ok(PeerIdentity {
        caller: Caller { country: identity.country, authority: identity.authority, system: identity.system, role },
        node_id: identity.node_id,
        certificate_serial: identity.serial,
    })
}

//! The simulated network: turmoil's TCP behind the node's and the client's seams. There is no TLS: who is at the other
//! end is known by its address.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use alert_core::alert::{Caller, Role};
use alert_node::seam::{Accepted, Connector, Io, Listener, PeerIdentity, PeerTarget};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::time::sleep;
use turmoil::net::{TcpListener, TcpStream};

/// Ports of every node.
pub const CLIENT_PORT: u16 = 7001;
pub const RAFT_PORT: u16 = 7002;

/// A connection attempt that nobody answers is given up after this.
const SILENCE: Duration = Duration::from_secs(3);

/// A node's name in the simulated network.
pub fn node_name(id: u64) -> String {
    format!("node-{id}")
}

/// host:port of a node's port.
pub fn address(id: u64, port: u16) -> String {
    format!("{}:{port}", node_name(id))
}

/// Who is who, and which ways are cut. Clones share it.
#[derive(Clone, Default)]
pub struct Directory(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    callers: BTreeMap<IpAddr, PeerIdentity>,
    /// (from, to) by host name: messages do not arrive.
    cut: BTreeSet<(String, String)>,
}

impl Directory {
    /// Notes a node.
    pub fn add_node(&self, id: u64, ip: IpAddr) {
        let name = node_name(id);
        let caller = Caller { country: "GB".into(), authority: "test".into(), system: name.clone(), role: Role::Node };
        self.0.lock().callers.insert(ip, PeerIdentity { caller, node_id: Some(id), certificate_serial: name });
    }

    /// Notes a client.
    pub fn add_client(&self, name: &str, caller: Caller, ip: IpAddr) {
        let peer = PeerIdentity { caller, node_id: None, certificate_serial: name.to_owned() };
        self.0.lock().callers.insert(ip, peer);
    }

    /// Notes that messages from one host to another do not arrive.
    pub fn cut(&self, from: &str, to: &str, is_cut: bool) {
        let mut known = self.0.lock();
        let way = (from.to_owned(), to.to_owned());
        if is_cut {
            known.cut.insert(way)
        } else {
            known.cut.remove(&way)
        };
    }

    fn identify(&self, ip: IpAddr) -> io::Result<PeerIdentity> {
        let known = self.0.lock();
        known.callers.get(&ip).cloned().ok_or_else(|| io::Error::other(format!("nobody is known at {ip}")))
    }

    fn is_cut(&self, from: &str, to: &str) -> bool {
        let known = self.0.lock();
        let way = |a: &str, b: &str| known.cut.contains(&(a.to_owned(), b.to_owned()));
        way(from, to) || way(to, from)
    }
}

/// A node's port.
pub struct SimListener {
    listener: TcpListener,
    directory: Directory,
    port: u16,
}

impl SimListener {
    pub async fn bind(directory: Directory, port: u16) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await?, directory, port })
    }
}

impl Listener for SimListener {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Accepted>> {
        Box::pin(async {
            loop {
                let (stream, from) = self.listener.accept().await?;
                // The Raft port takes nodes only, as the certificates have it.
                match self.directory.identify(from.ip()) {
                    Ok(peer) if self.port == CLIENT_PORT || peer.node_id.is_some() => {
                        return Ok(Accepted { stream: Box::new(stream), peer, remote_address: from.to_string() });
                    }
                    Ok(_) | Err(_) => drop(stream),
                }
            }
        })
    }

    fn local_address(&self) -> String {
        format!("0.0.0.0:{}", self.port)
    }
}

/// Connects from one host to others.
#[derive(Clone)]
pub struct SimConnector {
    pub directory: Directory,
    pub from: String,
}

impl SimConnector {
    async fn open(self, address: String) -> io::Result<TcpStream> {
        let (host, port) = address.rsplit_once(':').ok_or_else(|| io::Error::other("an address is host:port"))?;
        let port: u16 = port.parse().map_err(io::Error::other)?;
        if self.directory.is_cut(&self.from, host) {
            // Nothing tells a caller that its packets are lost.
            sleep(SILENCE).await;
            return Err(io::ErrorKind::TimedOut.into());
        }
        TcpStream::connect((host, port)).await
    }
}

impl Connector for SimConnector {
    fn connect(&self, target: PeerTarget) -> BoxFuture<'static, io::Result<Box<dyn Io>>> {
        let this = self.clone();
        Box::pin(async move {
            if target.address != address(target.node_id, RAFT_PORT) {
                return Err(io::Error::other("the other end has the certificate of another node"));
            }
            Ok(Box::new(this.open(target.address).await?) as Box<dyn Io>)
        })
    }
}

impl alert_client::Connector for SimConnector {
    fn connect(&self, address: &str) -> alert_client::BoxFuture<io::Result<Box<dyn alert_client::Io>>> {
        let (this, address) = (self.clone(), address.to_owned());
        Box::pin(async move { Ok(Box::new(this.open(address).await?) as Box<dyn alert_client::Io>) })
    }
}

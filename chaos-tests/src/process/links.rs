//! Partitions without root: a small TCP proxy in front of every node's ports, which knows the process at the other end
//! of each connection, holds the bytes of a link that is cut, and delays those of a slow one.
//!
//! A cut link drops nothing and closes nothing, as a network that loses every packet looks from above: both ends wait,
//! and go on where they were when it heals. A new connection over a cut link opens (the kernel answers for the proxy)
//! and is silent. One direction of a link can be cut alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use alert_cluster_config::NodeConfig;
use anyhow::{Context, bail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, watch},
    task::{JoinHandle, JoinSet},
    time::{Instant, sleep_until},
};

use super::{LocalCluster, NodeProcess};

/// Stands for this process, and so for every client in it.
pub const CLIENTS: u64 = 0;
/// Where the proxies of a node listen, counted from its client port.
const CLIENT_PROXY: u16 = 3;
const RAFT_PROXY: u16 = 4;
/// Bytes that are carried at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// Chunks on their way over a slow link, at most.
const CHUNKS_UNDER_WAY: usize = 256;

/// What is wrong with which directed links: (from, to).
#[derive(Debug, Clone, Default)]
struct Faults {
    cut: BTreeSet<(u64, u64)>,
    late: BTreeMap<(u64, u64), Duration>,
}

impl Faults {
    fn carries(&self, link: (u64, u64)) -> bool {
        !self.cut.contains(&link)
    }
}

/// The links between the nodes of a cluster, and between its clients and each node. Dropping it closes all of them.
pub struct Links {
    faults: watch::Sender<Faults>,
    nodes: Vec<u64>,
    proxies: Vec<JoinHandle<()>>,
}

impl Links {
    /// Puts proxies in front of all nodes of a cluster that is written and not yet started, on the current runtime.
    pub async fn of(cluster: &LocalCluster) -> anyhow::Result<Self> {
        let faults = watch::Sender::new(Faults::default());
        let nodes = cluster.nodes();
        let mut proxies = Vec::new();
        for node in &nodes {
            let config = node.config()?;
            let (client, raft) = (config.listen.client, config.listen.raft);
            let at = |offset| SocketAddr::new(client.ip(), client.port() + offset);
            for (behind, before) in [(client, at(CLIENT_PROXY)), (raft, at(RAFT_PROXY))] {
                let listener = TcpListener::bind(before).await.with_context(|| before.to_string())?;
                let proxy = Proxy { to: node.id(), behind, nodes: nodes.clone(), faults: faults.clone() };
                proxies.push(tokio::spawn(proxy.run(listener)));
            }
            node.configure(|config: &mut NodeConfig| {
                config.advertise.client = Some(at(CLIENT_PROXY).to_string());
                config.advertise.raft = Some(at(RAFT_PROXY).to_string());
            })?;
        }
        Ok(Self { faults, nodes: nodes.iter().map(|node| node.id()).collect(), proxies })
    }

    /// Nothing that `from` sends reaches `to` any more.
    pub fn cut(&self, from: u64, to: u64) {
        self.faults.send_modify(|faults| {
            faults.cut.insert((from, to));
        });
    }

    /// What `from` sends reaches `to` later by `time`.
    pub fn delay(&self, from: u64, to: u64, time: Duration) {
        self.faults.send_modify(|faults| {
            faults.late.insert((from, to), time);
        });
    }

    /// Neither hears the other.
    pub fn cut_both_ways(&self, one: u64, other: u64) {
        self.cut(one, other);
        self.cut(other, one);
    }

    /// The node hears no other node, and none hears it. Clients still reach it.
    pub fn part_from_nodes(&self, node: u64) {
        for other in self.nodes.iter().filter(|other| **other != node) {
            self.cut_both_ways(node, *other);
        }
    }

    /// The node is cut off from everybody.
    pub fn isolate(&self, node: u64) {
        self.part_from_nodes(node);
        self.cut_both_ways(CLIENTS, node);
    }

    /// All links carry again, without delay.
    pub fn heal(&self) {
        self.faults.send_replace(Faults::default());
    }
}

impl Drop for Links {
    fn drop(&mut self) {
        self.proxies.iter().for_each(JoinHandle::abort);
    }
}

struct Proxy {
    to: u64,
    behind: SocketAddr,
    nodes: Vec<Arc<NodeProcess>>,
    faults: watch::Sender<Faults>,
}

impl Proxy {
    async fn run(self, listener: TcpListener) {
        // Its connections end with it.
        let mut connections = JoinSet::new();
        while let Ok((near, peer)) = listener.accept().await {
            while connections.try_join_next().is_some() {}
            let Ok(here) = near.local_addr() else { continue };
            let from = match process_of(peer, here, &self.nodes) {
                Ok(from) => from,
                Err(error) => {
                    eprintln!("a connection from {peer} is refused: {error:#}");
                    continue;
                }
            };
            let (to, behind, faults) = (self.to, self.behind, self.faults.clone());
            connections.spawn(async move {
                let both = |faults: &Faults| faults.carries((from, to)) && faults.carries((to, from));
                if faults.subscribe().wait_for(both).await.is_err() {
                    return;
                }
                let Ok(far) = TcpStream::connect(behind).await else { return };
                if near.set_nodelay(true).is_err() || far.set_nodelay(true).is_err() {
                    return;
                }
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                tokio::join!(
                    carry(near_in, far_out, (from, to), faults.subscribe()),
                    carry(far_in, near_out, (to, from), faults.subscribe()),
                );
            });
        }
    }
}

/// Carries bytes while the link is whole; an end is a message like any other.
async fn carry(from: OwnedReadHalf, to: OwnedWriteHalf, link: (u64, u64), faults: watch::Receiver<Faults>) {
    let (sender, receiver) = mpsc::channel(CHUNKS_UNDER_WAY);
    let delay = faults.clone();
    tokio::join!(take(from, sender, link, delay), give(receiver, to, link, faults));
}

/// Empty at the end of the stream.
type Chunk = (Instant, Vec<u8>);

async fn take(mut from: OwnedReadHalf, chunks: mpsc::Sender<Chunk>, link: (u64, u64), faults: watch::Receiver<Faults>) {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let count = from.read(&mut chunk).await.unwrap_or(0);
        let late = faults.borrow().late.get(&link).copied().unwrap_or_default();
        if chunks.send((Instant::now() + late, chunk[..count].to_vec())).await.is_err() || count == 0 {
            return;
        }
    }
}

async fn give(
    mut chunks: mpsc::Receiver<Chunk>,
    mut to: OwnedWriteHalf,
    link: (u64, u64),
    mut faults: watch::Receiver<Faults>,
) {
    while let Some((due, chunk)) = chunks.recv().await {
        sleep_until(due).await;
        if faults.wait_for(|faults| faults.carries(link)).await.is_err() {
            return;
        }
        if chunk.is_empty() {
            let _ = to.shutdown().await;
            return;
        }
        if to.write_all(&chunk).await.is_err() {
            return;
        }
    }
}

/// Which node's process has the connection from `peer` to `here`; [`CLIENTS`] for our own and all that is none.
fn process_of(peer: SocketAddr, here: SocketAddr, nodes: &[Arc<NodeProcess>]) -> anyhow::Result<u64> {
    let wanted = format!("{} {}", in_table(peer)?, in_table(here)?);
    let table = fs::read_to_string("/proc/net/tcp").context("/proc/net/tcp: partitions need Linux")?;
    let inode = table.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        (format!("{} {}", fields.get(1)?, fields.get(2)?) == wanted)
            .then(|| fields.get(9).map(|inode| (*inode).to_owned()))?
    });
    let Some(inode) = inode else { bail!("it is gone already") };
    let socket = format!("socket:[{inode}]");
    let holds = |pid: u32| {
        let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
        files.flatten().any(|file| fs::read_link(file.path()).is_ok_and(|target| target.as_os_str() == socket.as_str()))
    };
    let node = nodes.iter().find(|node| node.pid().is_some_and(holds));
    Ok(node.map_or(CLIENTS, |node| node.id()))
}

/// As /proc/net/tcp writes it: the address in the machine's byte order, hexadecimal.
fn in_table(address: SocketAddr) -> anyhow::Result<String> {
    let IpAddr::V4(ip) = address.ip() else { bail!("{address} is not of IPv4") };
    Ok(format!("{:08X}:{:04X}", u32::from_ne_bytes(ip.octets()), address.port()))
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, time::Duration};

    use tokio::time::timeout;

    use super::*;

    /// An echo behind a proxy that stands for node 1.
    async fn echo() -> (SocketAddr, watch::Sender<Faults>, Vec<JoinHandle<()>>) {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (behind, before) = (server.local_addr().unwrap(), listener.local_addr().unwrap());
        let faults = watch::Sender::new(Faults::default());
        let proxy = Proxy { to: 1, behind, nodes: Vec::new(), faults: faults.clone() };
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = server.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.into_split();
                    tokio::io::copy(&mut from, &mut to).await
                });
            }
        });
        (before, faults, vec![tokio::spawn(proxy.run(listener)), serving])
    }

    async fn says_back(stream: &mut TcpStream, text: &[u8]) -> bool {
        stream.write_all(text).await.unwrap();
        hears(stream, text).await
    }

    async fn hears(stream: &mut TcpStream, text: &[u8]) -> bool {
        let mut heard = vec![0; text.len()];
        match timeout(Duration::from_millis(200), stream.read_exact(&mut heard)).await {
            Ok(read) => read.is_ok() && heard == text,
            Err(_) => false,
        }
    }

    #[tokio::test]
    async fn a_cut_link_is_silent_and_goes_on_where_it_was_when_it_heals() {
        let (before, faults, _serving) = echo().await;
        let mut stream = TcpStream::connect(before).await.unwrap();
        assert!(says_back(&mut stream, b"one").await);
        for link in [(CLIENTS, 1), (1, CLIENTS)] {
            faults.send_modify(|faults| {
                faults.cut.insert(link);
            });
            assert!(!says_back(&mut stream, b"two").await, "{link:?}");
            let mut newcomer = TcpStream::connect(before).await.unwrap();
            assert!(!says_back(&mut newcomer, b"new").await, "{link:?}");
            faults.send_replace(Faults::default());
            assert!(hears(&mut stream, b"two").await && hears(&mut newcomer, b"new").await, "{link:?}");
        }
        faults.send_modify(|faults| {
            faults.cut.insert((2, 1));
        });
        assert!(says_back(&mut stream, b"three").await, "the link of another node");
    }

    #[tokio::test]
    async fn a_slow_link_delivers_everything_later() {
        let (before, faults, _serving) = echo().await;
        let mut stream = TcpStream::connect(before).await.unwrap();
        let late = Duration::from_millis(50);
        faults.send_modify(|faults| {
            faults.late.insert((CLIENTS, 1), late);
        });
        let sent = Instant::now();
        assert!(says_back(&mut stream, b"one").await);
        assert!(sent.elapsed() >= late);
    }
}

//! A cluster in this process that does what it is told: it keeps alerts, request ids and sources as the real one
//! promises, and each node can be told to be down, to hang, not to forward, or to lose its answers.
#![allow(dead_code, reason = "each test file uses its own part")]

mod alerts;
mod cluster;
mod node;
mod search;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

use alert_client::{AlertClient, AlertClientBuilder, BoxFuture, Connector, Io, pb};
use prost::Message;
use tonic::{Code, Status};

pub use self::node::Behaviour;
use self::node::FakeNode;

/// What the cluster holds, as if every node had applied everything.
#[derive(Default)]
pub struct State {
    pub leader: u64,
    pub term: u64,
    pub revision: u64,
    pub alerts: BTreeMap<String, pb::AlertRecord>,
    /// First answers, by request id.
    pub requests: BTreeMap<(Vec<u8>, u64), pb::WriteResponse>,
    /// (system, reference) to alert id and source version.
    pub sources: BTreeMap<(String, String), (String, u64)>,
    /// How many changes took effect.
    pub effects: u64,
    /// Messages of import streams.
    pub import_messages: usize,
    /// Contexts of all calls that reached a node, with the node's id.
    pub calls: Vec<(u64, pb::CallContext)>,
    /// How fresh the gets asked to be answered.
    pub reads: Vec<pb::ReadOptions>,
    pub behaviours: BTreeMap<u64, Behaviour>,
    pub search_answer: pb::SearchResponse,
    pub removed: BTreeSet<u64>,
    /// Those of the nodes that do not vote.
    pub learners: BTreeSet<u64>,
    pub agreements: BTreeMap<String, pb::Agreement>,
    addresses: BTreeMap<u64, String>,
}

pub struct FakeCluster {
    pub state: Arc<Mutex<State>>,
    nodes: Vec<FakeNode>,
}

impl FakeCluster {
    /// Nodes in memory, for virtual time; node 1 leads in term 1. Addresses are "n1:1", "n2:1"...
    pub fn in_memory(size: u64) -> Self {
        Self::in_memory_at((1..=size).map(|id| (id, format!("n{id}:1"))).collect())
    }

    /// Nodes in memory that say of themselves that they are at these addresses.
    pub fn in_memory_at(addresses: BTreeMap<u64, String>) -> Self {
        let size = addresses.len() as u64;
        let cluster = Self::empty(addresses);
        let nodes = (1..=size).map(|id| FakeNode::in_memory(id, cluster.state.clone())).collect();
        Self { nodes, ..cluster }
    }

    /// Nodes on loopback ports, for other processes.
    pub async fn on_loopback(size: u64) -> Self {
        let mut listeners = Vec::new();
        let mut addresses = BTreeMap::new();
        for id in 1..=size {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            addresses.insert(id, listener.local_addr().unwrap().to_string());
            listeners.push((id, listener));
        }
        let cluster = Self::empty(addresses);
        let nodes = listeners
            .into_iter()
            .map(|(id, listener)| FakeNode::on_loopback(id, cluster.state.clone(), listener))
            .collect();
        Self { nodes, ..cluster }
    }

    fn empty(addresses: BTreeMap<u64, String>) -> Self {
        let behaviours = addresses.keys().map(|id| (*id, Behaviour::default())).collect();
        let state = State { leader: 1, term: 1, addresses, behaviours, ..State::default() };
        Self { state: Arc::new(Mutex::new(state)), nodes: Vec::new() }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn address(&self, id: u64) -> String {
        self.state().addresses[&id].clone()
    }

    pub fn addresses(&self) -> Vec<String> {
        self.state().addresses.values().cloned().collect()
    }

    pub fn behave(&self, id: u64, change: impl FnOnce(&mut Behaviour)) {
        change(self.state().behaviours.get_mut(&id).unwrap());
    }

    pub fn lead(&self, id: u64) {
        let mut state = self.state();
        state.leader = id;
        state.term += 1;
    }

    /// A client's settings, with every node as a seed and a complete caller.
    pub fn builder(&self) -> AlertClientBuilder {
        self.builder_with_seeds(self.addresses())
    }

    pub fn builder_with_seeds(&self, seeds: Vec<String>) -> AlertClientBuilder {
        AlertClient::builder()
            .seeds(seeds)
            .connector(Arc::new(self.connector()))
            .officer_ref("officer-1")
            .purpose("border-control")
            .seed(7)
    }

    pub fn client(&self) -> AlertClient {
        self.builder().build().unwrap()
    }

    pub fn connector(&self) -> MemoryConnector {
        let doors = self.nodes.iter().filter_map(FakeNode::door).collect();
        MemoryConnector { state: self.state.clone(), doors }
    }
}

/// Connects to the nodes in memory; those that are down refuse, and every other address too.
pub struct MemoryConnector {
    state: Arc<Mutex<State>>,
    doors: BTreeMap<u64, tokio::sync::mpsc::UnboundedSender<tokio::io::DuplexStream>>,
}

impl Connector for MemoryConnector {
    fn connect(&self, address: &str) -> BoxFuture<std::io::Result<Box<dyn Io>>> {
        let refused = || std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "nobody listens there");
        let state = self.state.lock().unwrap();
        let found = state.addresses.iter().find(|(_, known)| *known == address).map(|(id, _)| *id);
        if found.is_some_and(|id| state.behaviours[&id].never_opens) {
            return Box::pin(std::future::pending());
        }
        let opened = found.filter(|id| !state.behaviours[id].is_down).and_then(|id| self.doors.get(&id)).map(|door| {
            let (near, far) = tokio::io::duplex(1 << 20);
            door.send(far).map(|()| near)
        });
        let result = match opened {
            Some(Ok(near)) => Ok(Box::new(near) as Box<dyn Io>),
            _ => Err(refused()),
        };
        Box::pin(async move { result })
    }
}

/// An error as the cluster tells it.
pub fn refusal(code: Code, detail: pb::ErrorDetail) -> Status {
    Status::with_details(code, detail.message.clone(), detail.encode_to_vec().into())
}

/// An alert about a stolen passport, keyed by its reference.
pub fn passport(reference: &str, source_version: u64) -> pb::Alert {
    let code = |list: &str, value: &str| Some(pb::Code { list: list.into(), value: value.into() });
    pb::Alert {
        core: Some(pb::Core {
            owner: Some(pb::Owner {
                party: Some(pb::Party { code: "GB".into() }),
                authority: code("authority", "border-force"),
                contact: None,
            }),
            source: Some(pb::Source {
                system: "UK".into(),
                reference: reference.into(),
                source_version,
                ..Default::default()
            }),
            subject_kind: pb::SubjectKind::Object as i32,
            category: code("category", "object-seizure"),
            ..Default::default()
        }),
        objects: Some(pb::ObjectSection {
            objects: vec![pb::Object {
                class: code("object-class", "document-issued"),
                status: code("object-status", "stolen"),
                detail: Some(pb::object::Detail::Document(pb::IdentityDocument {
                    r#type: code("document-type", "passport"),
                    issuing_country: Some(pb::Party { code: "GBR".into() }),
                    number: format!("X{reference}"),
                    ..Default::default()
                })),
                ..Default::default()
            }],
        }),
        ..Default::default()
    }
}

//! The services on real consensus: nodes of `raft`'s tests on virtual time, called without a connection in between.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use alert_core::{
    alert::Caller,
    audit::Anchor,
    pb,
    state::command::{Command, Done, Proposal},
};
use bytes::{BufMut, BytesMut};
use http_body_util::Full;
use prost::Message;
use tonic::{Request, Response, Status, Streaming, codec::Codec};
use tonic_prost::ProstCodec;

use super::nca;
use crate::{
    api::{
        Api, ApiOptions, ApiParts, AuditBackend, AuditEntry, AuditError, AuditQuestion, AuditSink, AuditVerdict,
        BoxFuture, Peer, Receipt, Store, TokenSealer,
    },
    raft::{
        ForwardHandler, RaftNode,
        tests::world::{World, soon},
    },
    seam::{OsRandom, PeerIdentity},
};

/// The key of every node's tokens.
pub(super) const TOKEN_KEY: [u8; 32] = [3; 32];

/// Nodes that are alive, with their services. Shared with the tasks of a test.
pub(super) type Alive = Arc<Mutex<BTreeMap<u64, (RaftNode, Api)>>>;

/// A cluster with services.
pub(super) struct Cluster {
    pub world: World,
    pub alive: Alive,
    options: ApiOptions,
}

impl Cluster {
    /// Of `world`, whose nodes run already.
    pub fn over(world: World, ids: impl IntoIterator<Item = u64>, options: ApiOptions) -> Self {
        let cluster = Self { world, alive: Alive::default(), options };
        ids.into_iter().for_each(|id| cluster.serve(id));
        cluster
    }

    fn serve(&self, id: u64) {
        let node = self.world.node(id);
        let api = Api::new(ApiParts {
            store: Arc::new(node.clone()),
            audit: Arc::new(NoAudit),
            audit_log: Arc::new(NoAudit),
            admin: Arc::new(node.admin()),
            host: self.world.host(id),
            sealer: TokenSealer::new(TOKEN_KEY, Arc::new(OsRandom)),
            options: self.options,
        });
        node.set_forward_handler(Arc::new(Forwarded(api.clone())));
        self.alive.lock().unwrap().insert(id, (node, api));
    }

    pub async fn start(&mut self, id: u64) {
        self.world.start(id).await;
        self.serve(id);
    }

    pub async fn kill(&mut self, id: u64) {
        let (_, api) = self.alive.lock().unwrap().remove(&id).unwrap();
        api.stop();
        self.world.kill(id).await;
    }

    pub fn api(&self, id: u64) -> Api {
        self.alive.lock().unwrap()[&id].1.clone()
    }

    /// A change by the National Crime Agency, made at whichever node leads.
    pub async fn run(&self, command: Command) -> Done {
        run(&self.alive, command).await.expect("the state machine takes the change")
    }
}

/// The same for tasks: `Err` = the state machine refused.
pub(super) async fn run(alive: &Alive, command: Command) -> Result<Done, alert_core::state::command::Rejection> {
    loop {
        let nodes: Vec<RaftNode> = alive.lock().unwrap().values().map(|(node, _)| node.clone()).collect();
        for node in nodes {
            let proposal = Proposal { caller: Some(nca()), request: None, rules_revision: 0, command: command.clone() };
            // Not the leader, or an outcome that is not known: what these tests do may be done twice.
            if let Ok(answer) = node.propose(proposal, soon(2)).await {
                return answer;
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A call of `caller`, patient for five seconds.
pub(super) fn call<M>(caller: Caller, message: M) -> Request<M> {
    request(caller, message, Some(Duration::from_secs(5)))
}

/// A stream of `caller`, for as long as it likes.
pub(super) fn stream<M>(caller: Caller, message: M) -> Request<M> {
    request(caller, message, None)
}

/// A stream of messages of `caller`, as a connection brings it.
pub(super) fn messages<M: Message + Default + 'static>(caller: Caller, messages: &[M]) -> Request<Streaming<M>> {
    let mut body = BytesMut::new();
    for message in messages {
        // Not compressed, its length, itself.
        body.put_u8(0);
        body.put_u32(message.encoded_len() as u32);
        message.encode(&mut body).expect("a buffer grows");
    }
    let decoder = ProstCodec::<M, M>::default().decoder();
    stream(caller, Streaming::new_request(decoder, Full::new(body.freeze()), None, None))
}

fn request<M>(caller: Caller, message: M, patience: Option<Duration>) -> Request<M> {
    let mut request = Request::new(message);
    if let Some(patience) = patience {
        request.set_timeout(patience);
    }
    let peer = PeerIdentity { caller, node_id: None, certificate_serial: "0a".into() };
    request.extensions_mut().insert(Peer(Arc::new(peer)));
    request
}

/// What was answered, without its envelope.
pub(super) fn answered<T>(result: Result<Response<T>, Status>) -> Result<T, Status> {
    result.map(Response::into_inner)
}

struct Forwarded(Api);

impl ForwardHandler for Forwarded {
    fn forwarded(&self, _: u64, request: pb::ForwardRequest) -> BoxFuture<'_, pb::ForwardResponse> {
        Box::pin(self.0.handle_forwarded(request))
    }
}

/// Takes every record and keeps none.
struct NoAudit;

impl AuditSink for NoAudit {
    fn record(&self, _: AuditEntry) -> BoxFuture<'_, Result<Receipt, AuditError>> {
        Box::pin(async { Ok(Receipt("receipt".into())) })
    }
}

impl AuditBackend for NoAudit {
    fn verify(&self, _: Vec<Anchor>) -> BoxFuture<'_, Result<AuditVerdict, AuditError>> {
        Box::pin(async { Err(AuditError::Unsupported("no log is kept")) })
    }

    fn find(
        &self,
        _: AuditQuestion,
        _: u64,
        _: u64,
        _: u64,
        _: usize,
    ) -> BoxFuture<'_, Result<Vec<pb::AuditRecord>, AuditError>> {
        Box::pin(async { Err(AuditError::Unsupported("no log is kept")) })
    }
}

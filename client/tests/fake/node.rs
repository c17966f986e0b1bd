//! One fake node: its behaviour, and its server.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use alert_client::pb::{
    self, agreement_service_server::AgreementServiceServer, alert_service_server::AlertServiceServer,
    audit_service_server::AuditServiceServer, cluster_service_server::ClusterServiceServer,
    feed_service_server::FeedServiceServer, search_service_server::SearchServiceServer,
    topology_service_server::TopologyServiceServer,
};
use futures::{Stream, StreamExt};
use tokio::{
    io::{AsyncReadExt, DuplexStream},
    net::TcpStream,
    sync::mpsc,
    task::JoinHandle,
};
use tokio_stream::wrappers::{TcpListenerStream, UnboundedReceiverStream};
use tonic::{Code, Status, transport::Server};

use super::{State, refusal};

/// What a node is told to do.
#[derive(Clone, Default)]
pub struct Behaviour {
    /// New connections are refused, and calls on old ones fail.
    pub is_down: bool,
    /// New connections never open.
    pub never_opens: bool,
    /// Calls are never answered.
    pub hangs: bool,
    /// Calls with a context, and each message of an import, are answered after this time, those for the topology at once.
    pub takes: Duration,
    /// Why it serves no reads, as it tells those who ask for the topology.
    pub serves_no_reads_because: String,
    /// How old its state is, as it tells those who ask for the topology.
    pub staleness: Duration,
    /// Calls that need the leader are refused with a hint, not forwarded.
    pub does_not_forward: bool,
    /// So many changes take effect and their answers are lost.
    pub loses_answers: u32,
    /// Errors for the next calls, whatever they are.
    pub errors: VecDeque<Status>,
    /// A stream breaks after so many messages of its own.
    pub breaks_streams_after: Option<usize>,
    /// A stream says nothing more after so many messages of its own; everything else is answered.
    pub stalls_streams_after: Option<usize>,
}

pub struct FakeNode {
    id: u64,
    door: Option<mpsc::UnboundedSender<DuplexStream>>,
    server: JoinHandle<()>,
}

impl Drop for FakeNode {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl FakeNode {
    pub fn in_memory(id: u64, state: Arc<Mutex<State>>) -> Self {
        let (door, accepted) = mpsc::unbounded_channel();
        let incoming = UnboundedReceiverStream::new(accepted).map(Ok::<_, std::io::Error>);
        let server = tokio::spawn(async move {
            router(id, state).serve_with_incoming(incoming).await.unwrap();
        });
        Self { id, door: Some(door), server }
    }

    pub fn on_loopback(id: u64, state: Arc<Mutex<State>>, listener: tokio::net::TcpListener) -> Self {
        let server = tokio::spawn(async move {
            let greeted = TcpListenerStream::new(listener).then(|stream| async move { greeted(stream?).await });
            router(id, state).serve_with_incoming(greeted).await.unwrap();
        });
        Self { id, door: None, server }
    }

    pub fn door(&self) -> Option<(u64, mpsc::UnboundedSender<DuplexStream>)> {
        self.door.clone().map(|door| (self.id, door))
    }
}

/// Takes the line off that a client in plain text says first.
async fn greeted(mut stream: TcpStream) -> io::Result<TcpStream> {
    let mut line = Vec::new();
    loop {
        match stream.read_u8().await? {
            b'\n' => break,
            byte => line.push(byte),
        }
    }
    alert_cluster_config::plaintext::parse(&String::from_utf8_lossy(&line)).map_err(io::Error::other)?;
    Ok(stream)
}

fn router(id: u64, state: Arc<Mutex<State>>) -> tonic::transport::server::Router {
    let service = Service { id, state };
    Server::builder()
        .add_service(AlertServiceServer::new(service.clone()))
        .add_service(SearchServiceServer::new(service.clone()))
        .add_service(FeedServiceServer::new(service.clone()))
        .add_service(ClusterServiceServer::new(service.clone()))
        .add_service(TopologyServiceServer::new(service.clone()))
        .add_service(AgreementServiceServer::new(service.clone()))
        .add_service(AuditServiceServer::new(service))
}

/// All services of one node.
#[derive(Clone)]
pub struct Service {
    pub id: u64,
    pub state: Arc<Mutex<State>>,
}

impl Service {
    /// Lets a call in, or does to it what the node was told to do.
    pub async fn enter(&self, context: Option<&pb::CallContext>) -> Result<(), Status> {
        let (hangs, takes) = {
            let mut state = self.state.lock().unwrap();
            if let Some(context) = context {
                state.calls.push((self.id, context.clone()));
            }
            let behaviour = state.behaviours.get_mut(&self.id).unwrap();
            if behaviour.is_down {
                return Err(Status::unavailable("the node is down"));
            }
            if context.is_some()
                && let Some(error) = behaviour.errors.pop_front()
            {
                return Err(error);
            }
            (behaviour.hangs, behaviour.takes)
        };
        if hangs {
            std::future::pending::<()>().await;
        }
        if context.is_some() && !takes.is_zero() {
            tokio::time::sleep(takes).await;
        }
        if context.is_some_and(|context| context.officer_ref.is_empty() || context.purpose.is_none()) {
            let detail = pb::ErrorDetail { code: "CONTEXT_INVALID".into(), ..Default::default() };
            return Err(refusal(Code::InvalidArgument, detail));
        }
        Ok(())
    }

    /// Refuses with a hint where this node neither leads nor forwards.
    pub fn need_leader(&self) -> Result<(), Status> {
        let state = self.state.lock().unwrap();
        if state.leader == self.id || (state.leader != 0 && !state.behaviours[&self.id].does_not_forward) {
            return Ok(());
        }
        let leader = (state.leader != 0).then(|| pb::LeaderHint {
            node_id: state.leader,
            address: state.addresses[&state.leader].clone(),
            term: state.term,
        });
        let code = if leader.is_some() { "NOT_LEADER" } else { "NO_LEADER" };
        let detail = pb::ErrorDetail { code: code.into(), retryable: true, leader, ..Default::default() };
        Err(refusal(Code::Unavailable, detail))
    }

    pub fn answer(&self, state: &State) -> Option<pb::AnswerContext> {
        Some(pb::AnswerContext {
            cluster: "fake".into(),
            epoch: 1,
            revision: state.revision,
            node: format!("node-{}", self.id),
            data_centre: format!("dc-{}", self.id),
            staleness_bound: Some(prost_types::Duration::default()),
            receipt: format!("node-{}-1", self.id),
            token: state.revision.to_be_bytes().to_vec(),
            ..Default::default()
        })
    }

    /// A stream, or as much of it as the node was told to send before it falls silent.
    pub fn messages<T: Send + 'static>(
        &self,
        all: impl Stream<Item = Result<T, Status>> + Send + 'static,
    ) -> Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>> {
        match self.state.lock().unwrap().behaviours[&self.id].stalls_streams_after {
            Some(count) => Box::pin(all.take(count).chain(futures::stream::pending())),
            None => Box::pin(all),
        }
    }

    /// Does a change once per request id, and perhaps loses the answer.
    pub async fn write(
        &self,
        context: Option<&pb::CallContext>,
        change: impl FnOnce(&mut State) -> Result<pb::WriteResponse, Status>,
    ) -> Result<tonic::Response<pb::WriteResponse>, Status> {
        let default = pb::CallContext::default();
        self.enter(Some(context.unwrap_or(&default))).await?;
        self.need_leader()?;
        let mut state = self.state.lock().unwrap();
        let id = context.and_then(|context| context.request_id.clone()).expect("a write carries a request id");
        let key = (id.session, id.sequence);
        let mut answer = match state.requests.get(&key) {
            Some(kept) => pb::WriteResponse { repeated_request: true, ..kept.clone() },
            None => {
                let answer = change(&mut state)?;
                state.effects += 1;
                state.revision += 1;
                state.requests.insert(key, answer.clone());
                answer
            }
        };
        answer.answer = self.answer(&state);
        let behaviour = state.behaviours.get_mut(&self.id).unwrap();
        if behaviour.loses_answers > 0 {
            behaviour.loses_answers -= 1;
            return Err(Status::unavailable("connection lost"));
        }
        Ok(tonic::Response::new(answer))
    }
}

//! What openraft sends: handles on the pool of warm connections. Making one connects nothing; openraft makes them
//! inside its core, for each vote anew.

use std::{
    collections::VecDeque,
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use alert_core::{codec::CodecError, pb::RaftFrame};
use bytes::Bytes;
use futures::{Stream, StreamExt, future};
use openraft::{
    OptionalSend,
    base::{BoxFuture, BoxStream},
    errors::{NetworkError, RPCError, ReplicationClosed, StreamingError, Timeout, Unreachable},
    network::{RPCOption, RPCTypes, RaftNetworkFactory, RaftNetworkV2},
    raft::{
        AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, StreamAppendResult, TransferLeaderRequest,
        TransferLeaderResponse, VoteRequest, VoteResponse,
    },
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::timeout;
use tonic::{Code, Status};

use super::{
    append_link::LinkError,
    clocks::VoterClocks,
    limits::APPEND_WINDOW,
    peers::{Lane, PeerError, Peers},
    snapshot_send::SnapshotSender,
    state_machine::Snapshot,
    types::{Node, NodeId, TypeConfig, Vote},
    wire,
};
use crate::storage::checkpoint::Checkpoint;

type Error = RPCError<TypeConfig>;

/// Makes the handles.
#[derive(Clone)]
pub struct Network {
    pub(super) own_id: NodeId,
    pub(super) peers: Peers,
    pub(super) clocks: Arc<VoterClocks>,
    pub(super) snapshots: SnapshotSender,
}

/// What a handle carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Traffic {
    Entries,
    Heartbeats,
    Snapshots,
}

/// A handle on the connections to one peer.
pub struct PeerHandle {
    network: Network,
    target: NodeId,
    traffic: Traffic,
}

impl RaftNetworkFactory<TypeConfig> for Network {
    type Network = PeerHandle;

    async fn new_client(&mut self, target: NodeId, node: &Node) -> PeerHandle {
        self.handle(target, node, Traffic::Entries)
    }

    async fn new_heartbeat_client(&mut self, target: NodeId, node: &Node) -> PeerHandle {
        self.handle(target, node, Traffic::Heartbeats)
    }

    async fn new_snapshot_client(&mut self, target: NodeId, node: &Node) -> PeerHandle {
        self.handle(target, node, Traffic::Snapshots)
    }
}

impl Network {
    fn handle(&self, target: NodeId, node: &Node, traffic: Traffic) -> PeerHandle {
        self.peers.ensure(target, node);
        PeerHandle { network: self.clone(), target, traffic }
    }
}

/// A call on the control connection.
#[derive(Debug, Clone, Copy)]
enum Call {
    Heartbeat,
    Vote,
    PreVote,
    Transfer,
}

fn unreachable(error: &PeerError) -> Error {
    RPCError::Unreachable(Unreachable::from_string(error.to_string()))
}

fn malformed(error: &CodecError) -> Error {
    RPCError::Network(NetworkError::from_string(error.to_string()))
}

fn from_status(status: &Status) -> Error {
    match status.code() {
        // The peer is there and refuses, or its connection is gone: no use in trying again at once.
        Code::Unavailable | Code::PermissionDenied | Code::FailedPrecondition | Code::Unauthenticated => {
            RPCError::Unreachable(Unreachable::from_string(status.message()))
        }
        _ => RPCError::Network(NetworkError::from_string(status.message())),
    }
}

impl PeerHandle {
    /// One call with its reply, within `patience`.
    async fn call<Q: Serialize, A: DeserializeOwned>(
        &self,
        call: Call,
        question: &Q,
        patience: Duration,
    ) -> Result<A, Error> {
        let payload = wire::encode(question);
        let attempt = async {
            let connection = self.network.peers.connection(self.target, Lane::Control, patience).await;
            let mut client = connection.map_err(|error| unreachable(&error))?.client();
            let frame = RaftFrame { payload };
            let reply = match call {
                Call::Heartbeat => client.heartbeat(frame).await,
                Call::Vote => client.vote(frame).await,
                Call::PreVote => client.pre_vote(frame).await,
                Call::Transfer => client.transfer_leader(frame).await,
            };
            let reply = reply.map_err(|status| from_status(&status))?.into_inner();
            self.network.peers.note_contact(self.target);
            wire::decode::<A>(&reply.payload).map_err(|error| malformed(&error))
        };
        match timeout(patience, attempt).await {
            Ok(answer) => answer,
            Err(_) => Err(self.timed_out(rpc_type(call), patience)),
        }
    }

    fn timed_out(&self, action: RPCTypes, timeout: Duration) -> Error {
        RPCError::Timeout(Timeout { action, id: self.network.own_id, target: self.target, timeout })
    }

    /// One heartbeat, or probe of the leader's lease, over the control connection.
    async fn heartbeat(
        network: Network,
        target: NodeId,
        request: AppendEntriesRequest<TypeConfig>,
        patience: Duration,
    ) -> Result<StreamAppendResult<TypeConfig>, Error> {
        let (previous, last) = ends(&request);
        let handle = PeerHandle { network, target, traffic: Traffic::Heartbeats };
        let question = wire::AppendRequest::from(request);
        let answer: wire::HeartbeatReply = handle.call(Call::Heartbeat, &question, patience).await?;
        handle.network.clocks.note(target, answer.wall_clock_ms);
        into_result(answer.reply, previous, last)
    }
}

type Id = super::types::LogId;

/// Log ids that a reply speaks about: before the request's entries, and at their end.
fn ends(request: &AppendEntriesRequest<TypeConfig>) -> (Option<Id>, Option<Id>) {
    let previous = request.prev_log_id;
    (previous, request.entries.last().map(|entry| entry.log_id).or(previous))
}

/// The requests of one session of replication that have no reply yet: the last entry of each, oldest first.
///
/// openraft takes a reply that names an entry for the answer to every request that ends there or before. A request without
/// entries, which only tells how far the log is committed, ends where the one before it does. So a reply from before the
/// leader was cut off would count as heard after it, a quorum of such as proof that the leader still leads, and a read of
/// its old state as linearizable. A reply is therefore held back while a later request ends at the same entry: the answer
/// to that one says as much.
#[derive(Default)]
struct Unanswered(Mutex<VecDeque<Option<Id>>>);

impl Unanswered {
    fn sent(&self, last: Option<Id>) {
        self.0.lock().expect("held for this line only").push_back(last);
    }

    /// The reply to the oldest of them; `None` when it is held back.
    fn pass(
        &self,
        reply: Result<StreamAppendResult<TypeConfig>, Error>,
    ) -> Option<Result<StreamAppendResult<TypeConfig>, Error>> {
        let mut unanswered = self.0.lock().expect("held in this function only");
        unanswered.pop_front();
        let says_as_much = |matching: &Option<Id>| unanswered.front().is_some_and(|last| last <= matching);
        let is_held_back = matches!(&reply, Ok(Ok(matching)) if says_as_much(matching));
        (!is_held_back).then_some(reply)
    }
}

// The size of the error is openraft's choice, and so is the signature that it goes into.
#[allow(clippy::result_large_err)]
fn into_result(
    reply: wire::AppendReply,
    previous: Option<Id>,
    last: Option<Id>,
) -> Result<StreamAppendResult<TypeConfig>, Error> {
    if reply == wire::AppendReply::Conflict && previous.is_none() {
        // Nothing can conflict with the very beginning; openraft would panic on it.
        return Err(RPCError::Network(NetworkError::from_string("a conflict with an empty log")));
    }
    Ok(AppendEntriesResponse::from(reply).into_stream_result(previous, last))
}

fn rpc_type(call: Call) -> RPCTypes {
    match call {
        Call::Heartbeat => RPCTypes::AppendEntries,
        Call::Vote | Call::PreVote => RPCTypes::Vote,
        Call::Transfer => RPCTypes::TransferLeader,
    }
}

impl RaftNetworkV2<TypeConfig> for PeerHandle {
    type SnapshotData = Checkpoint;

    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<TypeConfig>, Error> {
        let answer: wire::HeartbeatReply =
            self.call(Call::Heartbeat, &wire::AppendRequest::from(request), option.soft_ttl()).await?;
        Ok(answer.reply.into())
    }

    fn stream_append<'s, S>(
        &'s mut self,
        input: S,
        option: RPCOption,
    ) -> BoxFuture<'s, Result<BoxStream<'s, Result<StreamAppendResult<TypeConfig>, Error>>, Error>>
    where
        S: Stream<Item = AppendEntriesRequest<TypeConfig>> + OptionalSend + Unpin + 'static,
    {
        let (network, target) = (self.network.clone(), self.target);
        if self.traffic == Traffic::Heartbeats {
            let patience = option.hard_ttl();
            return Box::pin(async move {
                let replies = input.then(move |request| Self::heartbeat(network.clone(), target, request, patience));
                Ok(Box::pin(replies) as BoxStream<'s, _>)
            });
        }
        Box::pin(async move {
            let connection = network.peers.connection(target, Lane::Append, option.hard_ttl()).await;
            let connection = connection.map_err(|error| unreachable(&error))?;
            let link = connection.append.expect("a connection of the append lane is published with its stream");
            let own_id = network.own_id;
            let unanswered = Arc::<Unanswered>::default();
            let sent = Arc::clone(&unanswered);
            // Submitting here, where the input is pulled, makes the order of the wire that of the pulls; `buffered`
            // bounds the window, keeps the order of replies, and drops the input with itself.
            let replies = input
                .map(move |request| {
                    let (previous, last) = ends(&request);
                    sent.sent(last);
                    let reply = link.submit(wire::encode(&wire::AppendRequest::from(request)));
                    let network = network.clone();
                    async move {
                        let payload: Bytes = reply.wait().await.map_err(|error| match error {
                            LinkError::Ended(_) => RPCError::Unreachable(Unreachable::from_string(error.to_string())),
                            LinkError::NoProgress(timeout) => RPCError::Timeout(Timeout {
                                action: RPCTypes::AppendEntries,
                                id: own_id,
                                target,
                                timeout,
                            }),
                        })?;
                        network.peers.note_contact(target);
                        let reply = wire::decode(&payload).map_err(|error| malformed(&error))?;
                        into_result(reply, previous, last)
                    }
                })
                .buffered(APPEND_WINDOW)
                .filter_map(move |reply| future::ready(unanswered.pass(reply)));
            Ok(Box::pin(replies) as BoxStream<'s, _>)
        })
    }

    async fn vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, Error> {
        let answer: wire::VoteReply = self.call(Call::Vote, &wire::VoteAsked::from(request), option.soft_ttl()).await?;
        Ok(answer.into())
    }

    async fn pre_vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, Error> {
        let answer: wire::VoteReply =
            self.call(Call::PreVote, &wire::VoteAsked::from(request), option.soft_ttl()).await?;
        Ok(answer.into())
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        let sending = self.network.snapshots.send(&self.network.peers, self.target, vote, snapshot);
        tokio::select! {
            biased;
            closed = cancel => Err(StreamingError::Closed(closed)),
            sent = sending => match sent {
                Ok(vote) => Ok(SnapshotResponse::new(vote)),
                Err(reason) => {
                    tracing::warn!(target_node = self.target, reason, "a snapshot was not taken");
                    // Whatever it was: wait before the next attempt. A time-out would be tried again at once.
                    Err(StreamingError::Unreachable(Unreachable::from_string(reason)))
                }
            },
        }
    }

    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<TypeConfig>, Error> {
        let answer: wire::TransferReply =
            self.call(Call::Transfer, &wire::TransferAsked::from(request), option.soft_ttl()).await?;
        Ok(answer.into())
    }
}

#[cfg(test)]
mod tests {
    use openraft::raft::StreamAppendError;

    use super::super::types::log_id;

    use super::*;

    fn id(index: u64) -> Option<Id> {
        Some(log_id(1, index))
    }

    #[test]
    fn a_reply_is_no_answer_to_a_later_request() {
        let unanswered = Unanswered::default();
        // Entries up to 5, twice how far the log is committed, entries up to 7.
        [id(5), id(5), id(5), id(7)].into_iter().for_each(|last| unanswered.sent(last));
        let mut replies = [id(5), id(5), id(5), id(7)].map(|matching| unanswered.pass(Ok(Ok(matching)))).into_iter();
        assert!(
            replies.next().unwrap().is_none() && replies.next().unwrap().is_none(),
            "a later request ends there too"
        );
        let mut passed = || replies.next().unwrap().unwrap().unwrap().unwrap();
        assert_eq!((passed(), passed()), (id(5), id(7)));

        [id(8), id(8)].into_iter().for_each(|last| unanswered.sent(last));
        let conflict = unanswered.pass(Ok(Err(StreamAppendError::Conflict(id(7).unwrap()))));
        assert!(matches!(conflict, Some(Ok(Err(_)))), "a refusal is never held back");
    }
}

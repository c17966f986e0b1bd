//! How entries, heartbeats and snapshots get to another node: handles that wait for nothing, several appends under way,
//! connections of their own, and patience that counts from the last progress.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use alert_core::pb::{RaftFrame, raft_service_client::RaftServiceClient};
use bytes::Bytes;
use futures::{FutureExt, StreamExt, future::BoxFuture};
use http::Uri;
use openraft::network::RaftNetworkFactory;
use tokio::{
    io::duplex,
    sync::{Semaphore, mpsc},
    time::{Instant, sleep, timeout},
};
use tonic::{Request, Response, Status, Streaming, body::Body, server::NamedService};
use tower::Service;

use super::world::{World, proposal, soon};
use crate::{
    api::backend::{AdminBackend, BoxFuture as SendFuture, Store},
    raft::{
        Timings,
        append_link::{AppendLink, LinkError},
        channel::Channel,
        clocks::VoterClocks,
        hello::Hello,
        limits::APPEND_WINDOW,
        network::Network,
        options::LogBounds,
        peers::Peers,
        snapshot_send::SnapshotSender,
        types::Node,
    },
    seam::{Connector, Io, Lane, PeerTarget, SystemClock},
};

const NO_PROGRESS: Duration = Duration::from_secs(2);

/// A way to nowhere, whose attempts are counted.
#[derive(Default)]
struct Nowhere(AtomicUsize);

impl Connector for Nowhere {
    fn connect(&self, _target: PeerTarget) -> SendFuture<'static, std::io::Result<Box<dyn Io>>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn a_handle_is_there_at_once_and_however_many_are_made_four_connections_are() {
    let nowhere = Arc::new(Nowhere::default());
    let timings = Timings::for_election_timeout(Duration::from_secs(1));
    let clocks = Arc::new(VoterClocks::new(Arc::new(SystemClock)));
    let hello = Arc::new(Hello::new("test".into(), 1, "one".into(), clocks.clone()));
    let peers = Peers::new(hello, nowhere.clone(), timings, mpsc::unbounded_channel().0);
    let snapshots = SnapshotSender { no_progress: timings.no_progress, bytes_per_second: None };
    let mut network = Network { own_id: 1, peers, clocks, snapshots };
    let node = Node { raft_address: "node-2:1".into(), ..Node::default() };
    let began = Instant::now();
    for _ in 0..100 {
        // Polled once, each is there: nothing in it waits for anything.
        drop(network.new_client(2, &node).now_or_never().expect("a handle for entries"));
        drop(network.new_heartbeat_client(2, &node).now_or_never().expect("a handle for heartbeats"));
        drop(network.new_snapshot_client(2, &node).now_or_never().expect("a handle for snapshots"));
    }
    assert_eq!((began.elapsed(), nowhere.0.load(Ordering::Relaxed)), (Duration::ZERO, 0));
    sleep(timings.connect / 2).await;
    assert_eq!(nowhere.0.load(Ordering::Relaxed), 4, "one attempt for each lane is under way");
}

/// Takes append streams: every frame at once, and answers each, in order, when it is told to.
#[derive(Clone)]
struct Follower {
    taken: Arc<AtomicUsize>,
    answers: Arc<Semaphore>,
}

impl NamedService for Follower {
    const NAME: &'static str = "alertstore.v1.RaftService";
}

impl Service<http::Request<Body>> for Follower {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let follower = self.clone();
        Box::pin(async move {
            let append = tower::service_fn(move |request: Request<Streaming<RaftFrame>>| {
                let follower = follower.clone();
                async move {
                    let replies = request
                        .into_inner()
                        .map(move |frame| {
                            follower.taken.fetch_add(1, Ordering::Relaxed);
                            let answers = follower.answers.clone();
                            async move {
                                answers.acquire().await.expect("never closed").forget();
                                frame
                            }
                        })
                        .buffered(100);
                    Ok::<_, Status>(Response::new(replies))
                }
            });
            let codec = tonic_prost::ProstCodec::<RaftFrame, RaftFrame>::default();
            Ok(tonic::server::Grpc::new(codec).streaming(append, request).await)
        })
    }
}

/// An append stream to such a follower, which answers nothing yet.
async fn link() -> (AppendLink, Follower) {
    let follower = Follower { taken: Arc::default(), answers: Arc::new(Semaphore::new(0)) };
    let (ours, theirs) = duplex(1 << 16);
    let server = tonic::transport::Server::builder().add_service(follower.clone());
    let incoming = futures::stream::iter([Ok::<_, std::io::Error>(theirs)]).chain(futures::stream::pending());
    tokio::spawn(server.serve_with_incoming(incoming));
    let (channel, _driver) = Channel::open(Box::new(ours), NO_PROGRESS).await.unwrap();
    let client = RaftServiceClient::with_origin(channel, Uri::from_static("http://node-2"));
    (AppendLink::open(client, NO_PROGRESS).await.unwrap(), follower)
}

fn frame(number: u8) -> Bytes {
    Bytes::copy_from_slice(&[number])
}

#[tokio::test(start_paused = true)]
async fn appends_leave_without_waiting_for_each_other_and_are_answered_in_order() {
    let (link, follower) = link().await;
    let replies: Vec<_> = (0..10).map(|number| link.submit(frame(number))).collect();
    while follower.taken.load(Ordering::Relaxed) < 10 {
        sleep(Duration::from_millis(1)).await;
    }
    // All ten are at the follower, and none is answered.
    follower.answers.add_permits(10);
    for (reply, number) in replies.into_iter().zip(0..) {
        assert_eq!(reply.wait().await, Ok(frame(number)));
    }
}

#[tokio::test(start_paused = true)]
async fn an_append_may_take_any_time_while_others_before_it_are_answered_and_no_longer_than_that() {
    let (link, follower) = link().await;
    let began = Instant::now();
    let replies: Vec<_> = (0..8).map(|number| link.submit(frame(number))).collect();
    let paced = tokio::spawn({
        let answers = follower.answers.clone();
        async move {
            for _ in 0..8 {
                sleep(NO_PROGRESS * 3 / 4).await;
                answers.add_permits(1);
            }
        }
    });
    for (answer, number) in
        futures::future::join_all(replies.into_iter().map(|reply| reply.wait())).await.into_iter().zip(0..)
    {
        assert_eq!(answer, Ok(frame(number)));
    }
    assert!(began.elapsed() >= NO_PROGRESS * 6, "the last one waited for many times the patience");
    paced.await.unwrap();

    // Nothing moves any more: given up, and the stream with it.
    let began = Instant::now();
    assert_eq!(link.submit(frame(8)).wait().await, Err(LinkError::NoProgress(NO_PROGRESS)));
    assert!((NO_PROGRESS..NO_PROGRESS * 2).contains(&began.elapsed()), "{:?}", began.elapsed());
    link.ended().await;
    assert!(matches!(link.submit(frame(9)).wait().await, Err(LinkError::Ended(_))));
}

#[tokio::test(start_paused = true)]
async fn a_leader_has_several_appends_under_way_to_a_follower_whose_disk_answers_none() {
    let world = World::of(3).await;
    world.write(1, 7, 0).await.unwrap().unwrap();
    world.until("node 3 has all", |world| world.storage(3).log.last_index() == world.storage(1).log.last_index()).await;
    let term = world.node(1).admin().status().await.unwrap().term;
    // The disk of node 3 stands still: what it is sent it has in memory, and acknowledges nothing of it.
    world.hold(3, Lane::Log);
    let before = world.storage(3).log.last_index();
    let count = APPEND_WINDOW as u64 / 2;
    let began = Instant::now();
    for value in 1..=count {
        world.write(1, 7, value).await.unwrap().unwrap();
    }
    world.until("all of them are at node 3", |world| world.storage(3).log.last_index() >= before + count).await;
    // And not because the stream was given up and all that had gathered was sent anew.
    let no_progress = Timings::for_election_timeout(Duration::from_secs(1)).no_progress;
    assert!(began.elapsed() < no_progress, "{:?}", began.elapsed());
    let status = world.node(1).admin().status().await.unwrap();
    let matched = status.members.iter().find(|member| member.node_id == 3).unwrap().matched_index;
    assert!(matched <= before, "{matched}: it has acknowledged none");
    // Heartbeats go their own way meanwhile: nobody misses the leader.
    sleep(Duration::from_millis(1500)).await;
    world.release(3, Lane::Log);
    world
        .until("node 3 has applied all", |world| {
            world.node(3).applied().borrow().revision == world.node(1).applied().borrow().revision
        })
        .await;
    for id in 1..=3 {
        let status = world.node(id).admin().status().await.unwrap();
        assert_eq!((status.leader_id, status.term), (1, term), "node {id}");
    }
}

/// The connection from node 1 to node 2 that grows most meanwhile; pings alone keep the others up.
async fn busiest(world: &World, during: impl Future<Output = ()>) -> usize {
    let before = world.pipes.sent(1, 2);
    during.await;
    let after = world.pipes.sent(1, 2);
    assert_eq!((before.len(), after.len()), (4, 4), "four connections, and none was lost");
    let grown = before.iter().zip(&after).map(|(before, after)| after - before).enumerate();
    grown.max_by_key(|(_, bytes)| *bytes).expect("four connections").0
}

#[tokio::test(start_paused = true)]
async fn entries_heartbeats_and_snapshots_have_connections_of_their_own() {
    let mut world = World::new();
    world.log = LogBounds { keep_bytes: 0, keep_entries: 0, ..LogBounds::default() };
    let mut world = world.formed(1).await;
    for key in 0..1000 {
        world.write(1, key, 1).await.unwrap().unwrap();
    }
    let built = world.node(1).admin().trigger_snapshot(soon(10)).await.unwrap();
    world.cut_log(1, built.snapshot_index).await;
    world.start(2).await;
    world.join(1, 2).await.unwrap();
    world.until_ready(2).await;
    let sent = world.pipes.sent(1, 2);
    let snapshot = (0..sent.len()).max_by_key(|index| sent[*index]).expect("connections");
    assert!(sent[snapshot] > 10_000, "{sent:?}: it began from the snapshot");
    let heartbeats = busiest(&world, sleep(Duration::from_secs(20))).await;
    let entries = busiest(&world, async {
        for value in 2..=300 {
            world.write(1, 7, value).await.unwrap().unwrap();
        }
    })
    .await;
    assert_eq!(BTreeSet::from([snapshot, heartbeats, entries]).len(), 3, "{snapshot}, {heartbeats}, {entries}");
}

#[tokio::test(start_paused = true)]
async fn several_entries_are_under_way_while_none_is_committed() {
    let world = World::of(3).await;
    world.write(1, 7, 0).await.unwrap().unwrap();
    // The followers' disks stand still, so nothing is committed.
    [2, 3].iter().for_each(|id| world.hold(*id, Lane::Log));
    let node = world.node(1);
    let writes: Vec<_> = (0..2000)
        .map(|key| {
            let node = node.clone();
            tokio::spawn(async move { node.propose(proposal(key, 1), soon(10)).await })
        })
        .collect();
    let mut in_flight = node.0.proposer.in_flight();
    timeout(Duration::from_secs(5), in_flight.wait_for(|entries| *entries >= 4)).await.expect("four at once").unwrap();
    [2, 3].iter().for_each(|id| world.release(*id, Lane::Log));
    for write in futures::future::join_all(writes).await {
        write.unwrap().unwrap().unwrap();
    }
}

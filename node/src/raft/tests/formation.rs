//! A cluster comes to be, grows, shrinks, and lets nobody in who does not belong.

use std::time::Duration;

use alert_core::{
    pb::{self, raft_service_client::RaftServiceClient},
    state::{is_founded, read_audit_anchors},
};
use tokio::{task::AbortHandle, time::sleep};
use tonic::Code;

use super::world::{World, soon};
use crate::{
    api::backend::{AdminBackend, AdminError, Level, Store},
    raft::{channel::Channel, limits::RAFT_MESSAGE_BYTES_MAX, types::NodeId, wire::WIRE_VERSION},
    seam::PeerTarget,
};

fn refusal(error: AdminError) -> String {
    match error {
        AdminError::Refused(reason) => reason,
        other => panic!("refused, not {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_cluster_is_formed_once_and_forming_it_again_does_nothing() {
    let mut world = World::of(1).await;
    world.write(1, 7, 1).await.unwrap().unwrap();
    let again = world.node(1).admin().init(soon(5)).await.unwrap();
    assert!(!again.formed_now);
    assert_eq!(again.cluster_id, "test");
    world.kill(1).await;
    world.start(1).await;
    assert!(!world.node(1).admin().init(soon(5)).await.unwrap().formed_now);
    assert_eq!(world.leader().await, 1);
    // It serves once a quorum, here itself, has confirmed its state.
    world.node(1).ready().wait_for(|ready| *ready).await.unwrap();
    assert_eq!(world.read(1, Level::Linearizable, 7).await, Ok(Some(1)));
}

#[tokio::test(start_paused = true)]
async fn three_nodes_form_a_cluster_and_each_serves_what_was_acknowledged() {
    let world = World::of(3).await;
    for value in 1..=20 {
        world.write(1, 7, value).await.unwrap().unwrap();
        for id in 1..=3 {
            assert_eq!(world.read(id, Level::Linearizable, 7).await, Ok(Some(value)), "node {id}");
        }
    }
    let status = world.node(2).admin().status().await.unwrap();
    assert_eq!((status.leader_id, status.role.as_str(), status.members.len()), (1, "follower", 3));
    assert!(status.members.iter().all(|member| member.kind == "voter"));
    let hashes: Vec<_> = futures::future::join_all((1..=3).map(|id| {
        let admin = world.node(id).admin();
        async move { admin.status().await.unwrap().state_hash }
    }))
    .await;
    assert!(hashes.windows(2).all(|pair| pair[0] == pair[1]), "{hashes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_learner_joins_by_snapshot_once_the_log_is_cut() {
    let mut world = World::new();
    world.log.keep_entries = 0;
    world.log.keep_bytes = 0;
    world.log.snapshot_after_bytes = 1 << 40;
    world.start(1).await;
    world.node(1).admin().init(soon(10)).await.unwrap();
    for value in 1..=1500 {
        world.write(1, value % 10, value).await.unwrap().unwrap();
    }
    let built = world.node(1).admin().trigger_snapshot(soon(10)).await.unwrap();
    assert!(built.snapshot_index >= 1500);
    world.until_status(1, "the log is cut", |status| status.purged_index >= 1500).await;
    world.start(2).await;
    world.join(1, 2).await.unwrap();
    world.node(1).admin().promote(2, soon(60)).await.unwrap();
    let status = world.node(2).admin().status().await.unwrap();
    assert!(status.snapshot_index >= 1500, "{status:?}");
    assert_eq!(world.read(2, Level::Linearizable, 9).await, Ok(Some(1499)));
    world.write(1, 9, 2000).await.unwrap().unwrap();
    assert_eq!(world.read(2, Level::Linearizable, 9).await, Ok(Some(2000)));
    // What came by snapshot survives a restart.
    world.kill(2).await;
    world.start(2).await;
    world.until_ready(2).await;
    assert_eq!(world.read(2, Level::Linearizable, 9).await, Ok(Some(2000)));
}

#[tokio::test(start_paused = true)]
async fn a_wiped_node_is_refused_under_its_old_id_and_cannot_vote() {
    let mut world = World::of(3).await;
    world.write(1, 7, 1).await.unwrap().unwrap();
    world.kill(3).await;
    world.wipe(3);
    world.start(3).await;
    sleep(Duration::from_secs(3)).await;
    let status = world.node(1).admin().status().await.unwrap();
    let check = status.checks.iter().find(|check| check.name == "node 3").unwrap();
    assert!(!check.ok && check.detail.contains("wiped or replaced"), "{check:?}");
    // With node 2 gone as well, the wiped one makes no quorum, and no leader.
    world.kill(2).await;
    assert!(world.write(1, 7, 2).await.is_err());
    world.kill(1).await;
    world.start(1).await;
    sleep(Duration::from_secs(10)).await;
    assert!(!world.node(1).ready().borrow().to_owned());
    // The rightful node 2 does.
    world.start(2).await;
    world.leader().await;
    world.until_ready(1).await;
    assert_eq!(world.read(1, Level::Linearizable, 7).await.map(|value| value.is_some()), Ok(true));
}

#[tokio::test(start_paused = true)]
async fn an_id_is_never_used_twice_and_a_node_joins_empty() {
    let mut world = World::of(3).await;
    world.node(1).admin().remove(3, soon(10)).await.unwrap();
    world.kill(3).await;
    // The same node again, and an empty one under its id.
    world.start(3).await;
    assert!(refusal(world.join(1, 3).await.unwrap_err()).contains("never used twice"));
    world.kill(3).await;
    world.wipe(3);
    world.start(3).await;
    assert!(refusal(world.join(1, 3).await.unwrap_err()).contains("never used twice"));
    // A node that holds another cluster's data.
    world.start(4).await;
    world.node(4).admin().init(soon(10)).await.unwrap();
    assert!(refusal(world.join(1, 4).await.unwrap_err()).contains("joins empty"));
    // A member, once more.
    assert!(refusal(world.join(1, 2).await.unwrap_err()).contains("already"));
    world.start(5).await;
    world.join(1, 5).await.unwrap();
    let members = world.node(1).admin().status().await.unwrap().members;
    assert_eq!(members.iter().map(|member| member.node_id).collect::<Vec<_>>(), [1, 2, 5]);
}

#[tokio::test(start_paused = true)]
async fn a_removed_node_is_refused_by_those_that_stay() {
    let mut world = World::of(3).await;
    world.node(1).admin().remove(3, soon(10)).await.unwrap();
    // Restarted, it still believes itself a member, and asks for votes.
    world.kill(3).await;
    world.start(3).await;
    world
        .until_status(3, "it hears why", |status| {
            status.checks.iter().any(|check| check.name == "node 1" && check.detail.contains("was removed"))
        })
        .await;
    let term = world.node(1).admin().status().await.unwrap().term;
    sleep(Duration::from_secs(10)).await;
    assert_eq!(world.node(1).admin().status().await.unwrap().term, term, "nobody was disturbed");
    assert!(!*world.node(3).ready().borrow());
    world.write(1, 7, 1).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_cluster_has_its_rules_in_the_log_before_it_counts_as_formed() {
    let mut world = World::new();
    world.form().await;
    let handle = world.node(1).read(Level::Local, soon(1)).await.unwrap();
    assert!(is_founded(&*handle.view).unwrap());
    let status = world.node(1).admin().status().await.unwrap();
    world.start(2).await;
    world.join(1, 2).await.unwrap();
    world.until_ready(2).await;
    let there = world.node(2).read(Level::Linearizable, soon(5)).await.unwrap();
    assert!(is_founded(&*there.view).unwrap());
    // A leader that finds rules proposes none.
    world.kill(1).await;
    world.start(1).await;
    world.until_ready(1).await;
    sleep(Duration::from_secs(2)).await;
    assert_eq!(world.node(1).admin().status().await.unwrap().revision, status.revision);
}

#[tokio::test(start_paused = true)]
async fn the_head_of_every_node_s_audit_log_is_anchored_and_checked_on_each() {
    let world = World::of(3).await;
    for id in 1..=3 {
        let (sender, head) = tokio::sync::watch::channel((0, [0; 32]));
        world.node(id).anchor_audit(head, Duration::from_secs(1));
        sender.send_replace((id * 10, [id as u8; 32]));
        // The log goes on for as long as the node does.
        std::mem::forget(sender);
    }
    let anchored = |world: &World, at: u64, of: u64| {
        let handle = futures::FutureExt::now_or_never(world.node(at).read(Level::Local, soon(1)));
        let view = handle.and_then(Result::ok).map(|handle| handle.view);
        view.map(|view| read_audit_anchors(&*view, of).unwrap()).unwrap_or_default()
    };
    for (at, of) in [(1, 2), (2, 3), (3, 1), (3, 3)] {
        world.until("the head is anchored", |world| !anchored(world, at, of).is_empty()).await;
        let anchors = anchored(&world, at, of);
        assert_eq!((anchors[0].sequence, anchors[0].head), (of * 10, [of as u8; 32]));
        assert_eq!(anchors.len(), 1, "a head that does not move is anchored once");
    }
}

#[tokio::test(start_paused = true)]
async fn a_learner_that_does_not_keep_up_is_not_promoted() {
    let mut world = World::of(1).await;
    world.start(2).await;
    world.join(1, 2).await.unwrap();
    world.kill(2).await;
    let refused = refusal(world.node(1).admin().promote(2, soon(5)).await.unwrap_err());
    assert!(refused.contains("does not keep up"), "{refused}");
    world.start(2).await;
    world.node(1).admin().promote(2, soon(30)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_membership_changes_one_change_at_a_time() {
    let mut world = World::of(1).await;
    for id in [2, 3] {
        world.start(id).await;
        world.join(1, id).await.unwrap();
    }
    let admin = world.node(1).admin();
    let (first, second) = tokio::join!(admin.promote(2, soon(30)), admin.promote(3, soon(30)));
    first.unwrap();
    assert!(refusal(second.unwrap_err()).contains("another change of the membership is under way"));
    let kinds = |status: pb::StatusResponse| status.members.into_iter().map(|one| one.kind).collect::<Vec<_>>();
    assert_eq!(kinds(admin.status().await.unwrap()), ["voter", "voter", "learner"]);
    admin.promote(3, soon(30)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_voter_is_not_removed_when_no_quorum_would_be_left() {
    let mut world = World::of(3).await;
    world.kill(3).await;
    sleep(Duration::from_millis(100)).await;
    let refused = refusal(world.node(1).admin().remove(2, soon(5)).await.unwrap_err());
    assert!(refused.contains("no quorum would be left"), "{refused}");
    assert!(refusal(world.node(1).admin().remove(1, soon(5)).await.unwrap_err()).contains("transfer"));
    assert_eq!(world.node(1).admin().remove(9, soon(5)).await, Err(AdminError::UnknownNode(9)));
    assert!(matches!(
        world.node(2).admin().remove(3, soon(5)).await,
        Err(AdminError::NotLeader { hint: Some(hint) }) if hint.node_id == 1
    ));
    world.node(1).admin().remove(3, soon(10)).await.unwrap();
    world.write(1, 7, 1).await.unwrap().unwrap();
}

/// A connection to node 1 with the certificate of `node`, before any hello.
async fn stranger(world: &World, node: NodeId) -> (RaftServiceClient<Channel>, AbortHandle) {
    let target = PeerTarget { node_id: 1, address: "node-1:1".into() };
    let stream = world.pipes.connector(node).connect(target).await.unwrap();
    let (channel, driver) = Channel::open(stream, Duration::from_secs(5)).await.unwrap();
    let client = RaftServiceClient::with_origin(channel, "http://node-1".parse().unwrap());
    (client.max_encoding_message_size(2 * RAFT_MESSAGE_BYTES_MAX), driver)
}

#[tokio::test(start_paused = true)]
async fn a_node_is_told_to_form_the_cluster_by_itself_and_by_no_other() {
    let mut world = World::new();
    world.start(1).await;
    let (mut other, _driver) = stranger(&world, 2).await;
    assert_eq!(other.form(pb::InitRequest {}).await.unwrap_err().code(), Code::PermissionDenied);
    let (mut itself, _driver) = stranger(&world, 1).await;
    for formed_now in [true, false] {
        let answer = itself.form(pb::InitRequest {}).await.unwrap().into_inner();
        assert_eq!(answer, pb::InitResponse { cluster_id: "test".into(), formed_now });
    }
}

#[tokio::test(start_paused = true)]
async fn messages_between_nodes_may_be_larger_than_tonic_allows_by_default() {
    let world = World::of(1).await;
    let (client, _driver) = stranger(&world, 2).await;
    let refusal = async |bytes: usize| {
        let frame = pb::RaftFrame { payload: vec![0; bytes].into() };
        client.clone().heartbeat(frame).await.unwrap_err().code()
    };
    // It arrived, and was refused for want of a hello.
    assert_eq!(refusal(RAFT_MESSAGE_BYTES_MAX - 1024).await, Code::FailedPrecondition);
    assert_eq!(refusal(RAFT_MESSAGE_BYTES_MAX + 1024).await, Code::OutOfRange);
}

#[tokio::test(start_paused = true)]
async fn only_a_member_speaks_for_callers_and_for_its_own_audit_log() {
    let world = World::of(1).await;
    let incarnation = world.storage(1).directory.identity().incarnation.clone();
    let (mut client, _driver) = stranger(&world, 2).await;
    let hello = pb::RaftHello {
        cluster_id: "test".into(),
        node_id: 2,
        incarnation: "fresh".into(),
        protocol_version: WIRE_VERSION,
        to_node_id: 1,
        to_incarnation: incarnation,
        ..Default::default()
    };
    client.hello(hello).await.unwrap();
    let refused = client.forward(pb::ForwardRequest::default()).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::PermissionDenied, "node 2 is no member of this cluster"));
    let refused = client.anchor_audit(pb::RaftFrame::default()).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::PermissionDenied, "node 2 is no member of this cluster"));
}

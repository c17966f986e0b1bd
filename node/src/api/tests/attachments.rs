//! Photos and papers: stored in chunks, given out as the record's reader may have them.

use alert_core::{
    alert::attachment::{hash_of, hash_text},
    limits::ATTACHMENT_CHUNK_BYTES,
    pb::{self, alert_service_server::AlertService, feed_service_server::FeedService},
};
use futures::StreamExt;
use tonic::Status;

use super::{
    World, caller, change,
    cluster::{call, stream},
    code, context, nca, partner, person, refusal_code, under,
    world::agreement,
};
use alert_core::{alert::Role, state::command::Command};
use prost::Message;

fn photo() -> Vec<u8> {
    (0..ATTACHMENT_CHUNK_BYTES * 2 + 100).map(|byte| (byte / 7) as u8).collect()
}

fn reference(content: &[u8], kind: &str) -> pb::AttachmentReference {
    pb::AttachmentReference {
        content_hash: hash_text(&hash_of(content)),
        kind: code("attachment-kind", kind),
        media_type: "image/jpeg".into(),
        size_bytes: content.len() as u64,
        ..Default::default()
    }
}

/// An alert whose record names the photo and a set of fingerprints.
fn with_attachments(world: &World) -> String {
    let attachments = vec![reference(&photo(), "photo"), reference(b"ridges", "fingerprints")];
    let alert = pb::Alert { attachments: Some(pb::AttachmentSection { attachments }), ..person(1, "arrest") };
    world.create_alert(1, alert)
}

/// The messages of an upload, cut at odd places.
fn upload(sequence: u64, id: &str, promised: &[u8], sent: &[u8]) -> Vec<pb::PutAttachmentRequest> {
    let head = pb::PutAttachmentRequest {
        context: change(sequence),
        alert_id: id.into(),
        reference: Some(reference(promised, "photo")),
        ..Default::default()
    };
    let chunks =
        sent.chunks(300_001).map(|chunk| pb::PutAttachmentRequest { chunk: chunk.into(), ..Default::default() });
    std::iter::once(head).chain(chunks).collect()
}

async fn fetch(
    client: &mut pb::alert_service_client::AlertServiceClient<tonic::transport::Channel>,
    context: Option<pb::CallContext>,
    id: &str,
    content: &[u8],
) -> Result<(pb::AttachmentReference, Vec<u8>), Status> {
    let content_hash = hash_text(&hash_of(content));
    let request = pb::GetAttachmentRequest { context, alert_id: id.into(), content_hash, ..Default::default() };
    let mut stream = client.get_attachment(request).await?.into_inner();
    let (mut found, mut content) = (pb::AttachmentReference::default(), Vec::new());
    while let Some(part) = stream.message().await? {
        found = part.reference.unwrap_or(found);
        content.extend(part.chunk);
    }
    Ok((found, content))
}

#[tokio::test]
async fn an_attachment_comes_back_as_it_went_and_each_fetch_is_logged_alone() {
    let world = World::new();
    let id = with_attachments(&world);
    let mut client = world.alerts(nca()).await;
    let missing = fetch(&mut client, context(), &id, &photo()).await.unwrap_err();
    assert_eq!(missing.code(), tonic::Code::NotFound, "named, and not there yet");
    let put = client.put_attachment(tokio_stream::iter(upload(1, &id, &photo(), &photo()))).await.unwrap().into_inner();
    assert!(!put.answer.unwrap().token.is_empty());
    let again = client.put_attachment(tokio_stream::iter(upload(1, &id, &photo(), &photo()))).await;
    again.expect("a retry of the whole has one effect");
    world.audit.entries.lock().clear();
    let (found, content) = fetch(&mut client, context(), &id, &photo()).await.unwrap();
    assert_eq!((found, content), (reference(&photo(), "photo"), photo()));
    let entries = world.audit.entries.lock();
    assert_eq!(entries.len(), 1);
    assert_eq!((entries[0].operation, entries[0].disclosed[0].what.as_str()), ("get-attachment", "attachment"));
}

#[tokio::test]
async fn an_upload_sent_to_a_follower_goes_through_the_leader() {
    let leader = World::new();
    let id = with_attachments(&leader);
    let follower = leader.second_node();
    let hint = pb::LeaderHint { node_id: 1, ..Default::default() };
    follower.store.leadership.send_replace(crate::api::Leadership::Other(hint));
    *follower.store.peer.lock() = Some(leader.api.clone());
    let mut client = follower.alerts(nca()).await;
    client.put_attachment(tokio_stream::iter(upload(1, &id, &photo(), &photo()))).await.unwrap();
    assert_eq!(fetch(&mut client, context(), &id, &photo()).await.unwrap().1, photo());
}

#[tokio::test]
async fn another_content_than_was_promised_is_never_given_out() {
    let world = World::new();
    let id = with_attachments(&world);
    let mut client = world.alerts(nca()).await;
    let mut other = photo();
    *other.last_mut().unwrap() ^= 1;
    let longer = [photo(), vec![0]].concat();
    for (sequence, sent) in [(1, &other[..]), (2, &photo()[..100]), (3, &longer[..])] {
        let refused = client.put_attachment(tokio_stream::iter(upload(sequence, &id, &photo(), sent))).await;
        assert_eq!(refusal_code(refused), "REQUEST_INVALID");
    }
    let unnamed = client.put_attachment(tokio_stream::iter(upload(4, &id, b"unnamed", b"unnamed"))).await;
    assert_eq!(refusal_code(unnamed), "REQUEST_INVALID", "the record names no such attachment");
    let stranger = super::caller(Role::Bureau, "border-force");
    let mut strangers = world.alerts(stranger).await;
    let refused = strangers.put_attachment(tokio_stream::iter(upload(5, &id, &photo(), &photo()))).await;
    assert_eq!(refusal_code(refused), "NOT_OWNER");
    assert!(fetch(&mut client, context(), &id, &photo()).await.is_err());
    // What is left over from these does not spoil the right one.
    client.put_attachment(tokio_stream::iter(upload(6, &id, &photo(), &photo()))).await.unwrap();
    assert_eq!(fetch(&mut client, context(), &id, &photo()).await.unwrap().1, photo());
}

#[tokio::test]
async fn a_partner_fetches_what_its_agreement_gives_and_nothing_else_is_there() {
    let world = World::new();
    let id = with_attachments(&world);
    let mut agreement = agreement("fr-1");
    agreement.record_fields = Some(pb::FieldRights { fields: vec!["attachments.photo".into()] });
    world.run(nca(), Command::PutAgreement { agreement: agreement.encode_to_vec(), expected_version: 0 });
    let mut bureau = world.alerts(nca()).await;
    bureau.put_attachment(tokio_stream::iter(upload(1, &id, &photo(), &photo()))).await.unwrap();
    let mut prints = upload(2, &id, b"ridges", b"ridges");
    prints[0].reference.as_mut().unwrap().kind = code("attachment-kind", "fingerprints");
    bureau.put_attachment(tokio_stream::iter(prints)).await.unwrap();
    assert!(fetch(&mut bureau, context(), &id, b"ridges").await.is_ok());

    let mut partner = world.alerts(partner()).await;
    assert_eq!(fetch(&mut partner, under("fr-1"), &id, &photo()).await.unwrap().1, photo());
    let withheld = fetch(&mut partner, under("fr-1"), &id, b"ridges").await.unwrap_err();
    let absent = fetch(&mut partner, under("fr-1"), &id, b"never there").await.unwrap_err();
    assert_eq!((withheld.code(), withheld.message()), (absent.code(), absent.message()));
    // A covert alert's attachments are as missing as the alert.
    let mut open_search = world.alerts(caller(Role::SearchOpen, "met")).await;
    world.run(
        nca(),
        Command::Cancel { id: id.parse().unwrap(), expected_version: 0, reason: "executed".into(), by: String::new() },
    );
    assert!(fetch(&mut open_search, context(), &id, &photo()).await.is_err(), "gone with the alert");
}

#[tokio::test]
async fn content_stops_flowing_once_its_alert_is_cancelled_or_the_agreement_suspended() {
    for (cancelled, code) in [(true, "NOT_FOUND"), (false, "AGREEMENT_NOT_IN_FORCE")] {
        let world = World::new();
        let id = with_attachments(&world);
        let mut agreement = agreement("fr-1");
        agreement.record_fields = Some(pb::FieldRights { fields: vec!["attachments.photo".into()] });
        world.run(nca(), Command::PutAgreement { agreement: agreement.encode_to_vec(), expected_version: 0 });
        let mut bureau = world.alerts(nca()).await;
        bureau.put_attachment(tokio_stream::iter(upload(1, &id, &photo(), &photo()))).await.unwrap();
        let content_hash = hash_text(&hash_of(&photo()));
        let request = pb::GetAttachmentRequest {
            context: under("fr-1"),
            alert_id: id.clone(),
            content_hash,
            ..Default::default()
        };
        let mut parts = world.api.get_attachment(call(partner(), request)).await.unwrap().into_inner();
        assert!(parts.next().await.unwrap().unwrap().reference.is_some());
        assert_eq!(parts.next().await.unwrap().unwrap().chunk.len(), ATTACHMENT_CHUNK_BYTES);
        if cancelled {
            let (id, reason, by) = (id.parse().unwrap(), "executed".into(), String::new());
            world.run(nca(), Command::Cancel { id, expected_version: 0, reason, by });
        } else {
            world.set_agreement("fr-1", pb::AgreementState::Suspended);
        }
        assert_eq!(refusal_code(parts.next().await.unwrap().map(tonic::Response::new)), code);
        assert!(parts.next().await.is_none());
    }
}

#[tokio::test]
async fn content_stops_flowing_at_a_node_that_cannot_prove_its_state_young() {
    let world = World::new();
    let id = with_attachments(&world);
    let mut bureau = world.alerts(nca()).await;
    bureau.put_attachment(tokio_stream::iter(upload(1, &id, &photo(), &photo()))).await.unwrap();
    let content_hash = hash_text(&hash_of(&photo()));
    let request = pb::GetAttachmentRequest { context: context(), alert_id: id, content_hash, ..Default::default() };
    let mut parts = world.api.get_attachment(call(nca(), request)).await.unwrap().into_inner();
    parts.next().await.unwrap().unwrap();
    parts.next().await.unwrap().unwrap();
    *world.store.staleness.lock() = Some(std::time::Duration::from_millis(1100));
    assert_eq!(refusal_code(parts.next().await.unwrap().map(tonic::Response::new)), "BEHIND");
}

/// What changes an attachment is a change like any other: the feed's readers step over it.
#[tokio::test]
async fn the_feed_goes_on_past_an_attachment_that_was_stored() {
    let world = World::new();
    let watch = pb::WatchRequest { context: context(), ..Default::default() };
    let mut feed = world.api.watch(stream(nca(), watch)).await.unwrap().into_inner();
    assert!(matches!(feed.next().await.unwrap().unwrap().item, Some(pb::watch_response::Item::Progress(_))));
    let id = with_attachments(&world);
    let mut bureau = world.alerts(nca()).await;
    bureau.put_attachment(tokio_stream::iter(upload(1, &id, &photo(), &photo()))).await.unwrap();
    let next = world.create(2, "arrest");
    let mut told = Vec::new();
    while told.len() < 2 {
        let message = feed.next().await.unwrap().expect("the feed goes on");
        if let Some(pb::watch_response::Item::Events(events)) = message.item {
            told.extend(events.events.into_iter().map(|event| event.alert_id));
        }
    }
    assert_eq!(told, [id, next]);
}

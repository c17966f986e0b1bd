//! Photos and papers: stored in chunks, given out as the record's reader may have them.

use alert_core::{
    alert::attachment::{hash_of, hash_text},
    limits::ATTACHMENT_CHUNK_BYTES,
    pb,
};
use tonic::Status;

use super::{World, caller, change, code, context, nca, partner, person, refusal_code, under, world::agreement};
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

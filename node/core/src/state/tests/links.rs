//! What hangs on an alert: children, links, attachments; and what is left of it when it is erased.

use prost::Message;

use super::{Store, bureau, cancel, code, create, id, person};
use crate::{
    alert::attachment,
    codec, limits, pb,
    state::{
        Change, FeedEntries, FeedEntry,
        command::{Command, Outcome, Rejection},
        family::{Family, sys},
        full_hash, read_attachment, read_attachment_chunk,
    },
};

#[test]
fn children_end_with_their_parent() {
    let mut store = Store::new();
    store.run(create(1)).unwrap();
    let mut child = person(2, "arrest");
    child.core.as_mut().unwrap().parent_alert_id = id(1).to_string();
    store.run(Command::Create { id: id(2), alert: child.encode_to_vec(), as_draft: false }).unwrap();
    store.run(cancel(1)).unwrap();
    assert_eq!(store.state(2), pb::AlertState::Deleted);
    assert_eq!(store.lifecycle(2).tombstone.unwrap().reason.unwrap().value, "parent-ended");
    child.core.as_mut().unwrap().source.as_mut().unwrap().reference = "REF-3".into();
    let orphan = store.run(Command::Create { id: id(3), alert: child.encode_to_vec(), as_draft: false });
    assert!(matches!(orphan, Err(Rejection::Invalid { .. })), "{orphan:?}");
}

#[test]
fn an_erased_alert_is_gone_from_every_family_but_the_erasure_list() {
    let mut store = Store::new();
    store.run(create(1)).unwrap();
    store.run(create(2)).unwrap();
    let link = pb::Link { alert_a: id(1).to_string(), alert_b: id(2).to_string(), ..Default::default() };
    store.run(Command::Link { id: id(9), link: link.encode_to_vec() }).unwrap();
    let update = Command::Update { id: id(1), expected_version: 1, alert: person(1, "missing").encode_to_vec() };
    store.run(update).unwrap();
    let hit = pb::Hit {
        alert_id: id(1).to_string(),
        version_seen: 1,
        report: Some(pb::HitReport { circumstances: "Synthetic1 was seen".into(), ..Default::default() }),
        ..Default::default()
    };
    store.run(Command::ReportHit { id: id(8), hit: hit.encode_to_vec() }).unwrap();
    store.run(Command::Erase { id: id(1), ground: "court order".into(), by: "desk".into() }).unwrap();
    assert!(store.stored(1).is_none());
    assert_eq!(store.view.entries(Family::Hits).count(), 0);
    let erased: Vec<_> = store
        .view
        .entries(Family::Sys)
        .filter(|(key, _)| key.starts_with(sys::ERASED))
        .map(|(_, value)| value.to_vec())
        .collect();
    let expected = (id(1), "court order", "desk", store.now_ms);
    assert_eq!(erased, [codec::encode(&expected)], "what a restore goes by");
    for text in ["Synthetic1", "REF-1"] {
        assert_eq!(store.families_with(text), [""; 0], "{text}");
    }
    assert_eq!(store.view.entries(Family::Links).count(), 0);
    assert_eq!(store.view.entries(Family::History).count(), 0);
}

#[test]
fn an_attachment_is_there_once_all_of_it_is_and_goes_with_the_record_that_names_it() {
    let content: Vec<u8> = (0..limits::ATTACHMENT_CHUNK_BYTES + 7).map(|byte| byte as u8).collect();
    let hash = attachment::hash_of(&content);
    let mut alert = person(1, "arrest");
    let reference = pb::AttachmentReference {
        content_hash: attachment::hash_text(&hash),
        kind: code("attachment-kind", "photo"),
        media_type: "image/jpeg".into(),
        size_bytes: content.len() as u64,
        ..Default::default()
    };
    alert.attachments = Some(pb::AttachmentSection { attachments: vec![reference] });
    let create_with = |number: u8| {
        let mut alert = alert.clone();
        alert.id = id(number).to_string();
        alert.core.as_mut().unwrap().source.as_mut().unwrap().reference = format!("REF-{number}");
        Command::Create { id: id(number), alert: alert.encode_to_vec(), as_draft: false }
    };
    let chunks: Vec<_> = content.chunks(limits::ATTACHMENT_CHUNK_BYTES).map(<[u8]>::to_vec).collect();
    let put = |number: u8, chunk: u32, bytes: &[u8]| Command::PutAttachmentChunk {
        id: id(number),
        hash,
        number: chunk,
        bytes: bytes.to_vec(),
    };
    let seal = |number: u8| Command::SealAttachment { id: id(number), hash };
    let mut store = Store::new();
    store.run(create_with(1)).unwrap();
    store.run(put(1, 0, &chunks[0])).unwrap();
    assert!(matches!(store.run(seal(1)), Err(Rejection::Invalid { .. })), "a chunk is missing");
    assert!(matches!(store.run(put(1, 1, &chunks[0])), Err(Rejection::Invalid { .. })), "longer than what is left");
    assert!(matches!(store.run(put(1, 2, &chunks[1])), Err(Rejection::Invalid { .. })), "beyond the end");
    assert_eq!(store.run_as(bureau("border-force"), put(1, 1, &chunks[1])), Err(Rejection::NotOwner));
    store.run(put(1, 1, &[0; 7])).unwrap();
    assert!(matches!(store.run(seal(1)), Err(Rejection::Invalid { .. })), "another content");
    assert_eq!(read_attachment(&store.view, id(1), &hash).unwrap(), None);
    store.run(put(1, 1, &chunks[1])).unwrap();
    let revision = store.meta().revision;
    assert_eq!(store.run(seal(1)).unwrap().revision, revision + 1);
    let told = FeedEntries::after(&store.view, revision).unwrap().next_entry().unwrap();
    assert!(matches!(told, Some((_, FeedEntry { change: Change::Attachment { alert }, .. })) if alert == id(1)));
    assert_eq!(store.run(seal(1)).unwrap().outcome, Outcome::Unchanged);
    assert_eq!(store.run(put(1, 1, &[0; 7])).unwrap().outcome, Outcome::Unchanged, "what is sealed stays");
    assert_eq!(read_attachment(&store.view, id(1), &hash).unwrap(), Some(content.len() as u64));
    assert_eq!(read_attachment_chunk(&store.view, id(1), &hash, 1).unwrap(), Some(chunks[1].clone()));
    // Changes of its life leave it; new content that does not name it, a cancellation and an erasure do not.
    store
        .run(Command::Restrict {
            id: id(1),
            expected_version: 0,
            restriction: pb::Restriction::default().encode_to_vec(),
        })
        .unwrap();
    assert!(read_attachment(&store.view, id(1), &hash).unwrap().is_some());
    let version = store.stored(1).unwrap().header.version;
    let without = Command::Update { id: id(1), expected_version: version, alert: person(1, "arrest").encode_to_vec() };
    store.run(without).unwrap();
    assert_eq!(store.view.entries(Family::Attachments).count(), 0);
    for (number, end) in [(2, cancel(2)), (3, Command::Erase { id: id(3), ground: "order".into(), by: String::new() })]
    {
        store.run(create_with(number)).unwrap();
        store.run(put(number, 0, &chunks[0])).unwrap();
        store.run(put(number, 1, &chunks[1])).unwrap();
        store.run(seal(number)).unwrap();
        store.run(end).unwrap();
        assert_eq!(store.view.entries(Family::Attachments).count(), 0);
    }
    assert_eq!(full_hash(&store.view).unwrap(), store.meta().state_hash);
}

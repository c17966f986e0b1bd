//! Bytes on disk and in the log that must never change unseen: a variant put in the middle of a list, or a key built in
//! another way, would make the logs and stores that exist unreadable.
//!
//! `golden_bytes.txt` has one line for each kind of command, and for each entry of a state in which every family that is
//! kept has some. After a change that is meant (which is an upgrade path once a store is in use) one command writes it
//! anew: `cargo test -p alert-core --lib -- --ignored rewrites_the_golden_bytes`

use std::{collections::BTreeSet, fmt::Write};

use data_encoding::HEXLOWER;
use prost::Message;

use super::{Store, bureau, cancel, id, person};
use crate::{
    alert::attachment,
    codec, pb,
    state::{
        Meta,
        command::{Answer, Batch, Command, Done, Outcome, Proposal, Rejection, RequestKey},
        family::{Family, is_hashed},
    },
};

const GOLDEN: &str = include_str!("golden_bytes.txt");
/// Values that are longer are told by their hash.
const SHOWN_BYTES: usize = 96;

fn shown(bytes: &[u8]) -> String {
    if bytes.len() <= SHOWN_BYTES {
        HEXLOWER.encode(bytes)
    } else {
        format!("{} bytes {}", bytes.len(), &blake3::hash(bytes).to_hex()[..32])
    }
}

fn text(value: &str) -> String {
    value.to_owned()
}

/// One command of each kind, in the order in which they are declared.
fn commands() -> Vec<Command> {
    let (id, hash, bytes) = (id(7), [9; 32], || vec![1, 2, 3]);
    let (by, note, version) = (|| text("by"), || text("note"), 300);
    vec![
        Command::Create { id, alert: bytes(), as_draft: true },
        Command::Update { id, expected_version: version, alert: bytes() },
        Command::Import { id, alert: bytes() },
        Command::Submit { id, expected_version: version, by: by(), note: note() },
        Command::Approve { id, expected_version: version, by: by(), note: note() },
        Command::Reject { id, expected_version: version, by: by(), note: note() },
        Command::Extend { id, expected_version: version, until_ms: Some(5), reviewed_by: by(), assessment: note() },
        Command::Restrict { id, expected_version: version, restriction: bytes() },
        Command::LiftRestriction { id, expected_version: version, number: 2, by: by() },
        Command::Cancel { id, expected_version: version, reason: note(), by: by() },
        Command::Erase { id, ground: note(), by: by() },
        Command::WithdrawConsent {
            id,
            expected_version: version,
            victim_index: 1,
            field_categories: vec![text("a"), text("b")],
        },
        Command::TransferOwner { id, expected_version: version, owner: bytes() },
        Command::Link { id, link: bytes() },
        Command::Unlink { id },
        Command::Due,
        Command::PutAgreement { agreement: bytes(), expected_version: version },
        Command::SetAgreementState { id: text("FR-1"), state: 2, purge_proof: Some(bytes()) },
        Command::PutRules { rules: bytes(), expected_version: version },
        Command::ReportHit { id, hit: bytes() },
        Command::HitMessage { id, message: bytes(), answers: true },
        Command::AcknowledgeFeed { agreement: text("FR-1"), revision: 300, oldest_ms: Some(7) },
        Command::AnchorAudit { node_id: 3, sequence: 300, head: hash },
        Command::CompactFeed { before_revision: 300 },
        Command::Tick,
        Command::PutAttachmentChunk { id, hash, number: 2, bytes: bytes() },
        Command::SealAttachment { id, hash },
        Command::Found { rules: vec![bytes(), bytes()] },
        Command::SwitchNormaliser { version: 3 },
    ]
}

/// One of each, in the order in which they are declared.
fn answers() -> Vec<Answer> {
    let done = |outcome| Ok(Done { id: id(7), version: 300, revision: 70_000, state: 2, outcome, repeated: true });
    let mut answers: Vec<Answer> = [Outcome::Created, Outcome::Changed, Outcome::Unchanged].map(done).into();
    let what = || text("what");
    answers.extend(
        [
            Rejection::NotFound,
            Rejection::AlreadyExists,
            Rejection::VersionConflict { current: 300 },
            Rejection::DuplicateSource,
            Rejection::OlderSource { current: 300 },
            Rejection::WrongState { state: 2 },
            Rejection::NotOwner,
            Rejection::UnknownCode { field_path: what(), list: what(), value: what() },
            Rejection::LimitReached { what: what() },
            Rejection::Invalid { field_path: what(), message: what() },
            Rejection::RequestIdReused,
            Rejection::RequestExpired,
            Rejection::NotFounded,
        ]
        .map(Err),
    );
    answers
}

fn meta() -> Meta {
    Meta {
        revision: 300,
        time_ms: 1_790_000_000_000,
        state_hash: 1 << 100,
        next_label: 4,
        rules_revision: 5,
        agreements_revision: 6,
        alerts_by_state: [(2, 7), (3, 70_000)].into(),
        feed_compacted_before: 8,
    }
}

/// A store that has something in every family that is kept.
fn lived() -> Store {
    let mut store = Store::new();
    let content = b"a picture".to_vec();
    let hash = attachment::hash_of(&content);
    let mut pictured = person(1, "arrest");
    pictured.attachments = Some(pb::AttachmentSection {
        attachments: vec![pb::AttachmentReference {
            content_hash: attachment::hash_text(&hash),
            kind: super::code("attachment-kind", "photo"),
            media_type: "image/jpeg".into(),
            size_bytes: content.len() as u64,
            ..Default::default()
        }],
    });
    let mut child = person(2, "arrest");
    child.core.as_mut().unwrap().parent_alert_id = id(1).to_string();
    let link = pb::Link { alert_a: id(1).to_string(), alert_b: id(3).to_string(), ..Default::default() };
    let hit = pb::Hit { alert_id: id(1).to_string(), version_seen: 1, ..Default::default() };
    let agreement = pb::Agreement {
        id: "FR-1".into(),
        partner: Some(pb::Party { code: "FR".into() }),
        categories: vec![super::code("category", "arrest").unwrap()],
        purposes: vec![super::code("purpose", "border-control").unwrap()],
        legal_regime: "dpa-2018-part-3".into(),
        transfer_basis: "adequacy".into(),
        ..Default::default()
    };
    let create =
        |number, alert: &pb::Alert| Command::Create { id: id(number), alert: alert.encode_to_vec(), as_draft: false };
    for command in [
        create(1, &pictured),
        create(2, &child),
        create(3, &person(3, "missing")),
        Command::Update { id: id(3), expected_version: 1, alert: person(3, "arrest").encode_to_vec() },
        Command::PutAttachmentChunk { id: id(1), hash, number: 0, bytes: content },
        Command::SealAttachment { id: id(1), hash },
        Command::Link { id: id(9), link: link.encode_to_vec() },
        Command::ReportHit { id: id(8), hit: hit.encode_to_vec() },
        Command::PutAgreement { agreement: agreement.encode_to_vec(), expected_version: 0 },
        Command::AcknowledgeFeed { agreement: "".into(), revision: 2, oldest_ms: Some(super::START_MS) },
        Command::AnchorAudit { node_id: 3, sequence: 300, head: [9; 32] },
        super::create(4),
        super::create(5),
        cancel(4),
        Command::Erase { id: id(5), ground: "court order".into(), by: "desk".into() },
    ] {
        let what = format!("{command:?}");
        store.run(command).unwrap_or_else(|refused| panic!("{what}: {refused:?}"));
    }
    let request = Some(RequestKey { session: [7; 16], sequence: 1, content_hash: [1; 16] });
    let kept = store.proposal(Some(bureau("nca")), request, Command::Tick);
    store.apply(&[kept]);
    store
}

fn golden() -> String {
    let mut lines = String::new();
    for command in commands() {
        let proposal = Proposal { caller: None, request: None, rules_revision: 0, command };
        let name = format!("{:?}", proposal.command);
        let name = name.split([' ', '(']).next().unwrap_or_default();
        writeln!(lines, "command {name} {}", HEXLOWER.encode(&codec::encode(&proposal))).unwrap();
    }
    let request = Some(RequestKey { session: [7; 16], sequence: 300, content_hash: [1; 16] });
    let proposal = Proposal { caller: Some(bureau("nca")), request, rules_revision: 300, command: Command::Tick };
    let batch = Batch { proposed_at_ms: 1_790_000_000_000, proposals: vec![proposal.clone(), proposal] };
    writeln!(lines, "batch {}", HEXLOWER.encode(&codec::encode(&batch))).unwrap();
    for answer in answers() {
        writeln!(lines, "answer {}", HEXLOWER.encode(&codec::encode(&answer))).unwrap();
    }
    writeln!(lines, "meta {}", HEXLOWER.encode(&codec::encode(&meta()))).unwrap();
    let store = lived();
    for family in Family::ALL {
        for (key, value) in store.view.entries(*family).filter(|(key, _)| is_hashed(*family, key)) {
            // What the rules say is not how they are kept.
            let value = if *family == Family::Rules { text("rules") } else { shown(value) };
            writeln!(lines, "{} {} {value}", family.name(), HEXLOWER.encode(key)).unwrap();
        }
    }
    lines
}

#[test]
fn bytes_in_the_log_and_on_disk_do_not_change() {
    for (now, was) in golden().lines().zip(GOLDEN.lines()) {
        assert_eq!(now, was);
    }
    assert_eq!(golden().lines().count(), GOLDEN.lines().count());
}

#[test]
fn what_was_written_is_read_back() {
    for command in commands() {
        assert_eq!(codec::decode::<Command>(&codec::encode(&command)), Ok(command));
    }
    for answer in answers() {
        assert_eq!(codec::decode::<Answer>(&codec::encode(&answer)), Ok(answer));
    }
}

#[test]
fn the_golden_bytes_leave_out_no_command_and_no_family() {
    // Variants are numbered from 0 without a gap: the numbers of the examples are those of the declaration.
    let numbers: Vec<u8> = commands().iter().map(|command| codec::encode(command)[1]).collect();
    assert_eq!(numbers, (0..numbers.len() as u8).collect::<Vec<_>>());
    let unknown = [codec::encode(&Command::Due)[0], numbers.len() as u8];
    let told = codec::decode::<Command>(&unknown).unwrap_err().to_string();
    assert!(told.contains("variant"), "a kind of command has no example: {told}");
    let store = lived();
    let empty: BTreeSet<_> = Family::ALL
        .iter()
        .filter(|family| family.is_primary() && store.view.entries(**family).next().is_none())
        .map(|family| family.name())
        .collect();
    assert_eq!(empty, BTreeSet::new());
}

#[test]
#[ignore = "writes the golden bytes anew"]
fn rewrites_the_golden_bytes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/state/tests/golden_bytes.txt");
    std::fs::write(path, golden()).unwrap();
}

//! The log over real files.

use std::{collections::BTreeSet, fs, path::Path};

use alert_core::{
    alert::{AlertId, Caller, Role},
    audit::Anchor,
    pb,
};
use prost::Message;
use prost_reflect::DynamicMessage;

use super::{AuditLog, AuditOptions, OpenError};
use crate::{
    api::backend::{AuditBackend, AuditEntry, AuditQuestion, AuditSink},
    raft::tests::filler::{Filler, fields_of, fields_set},
    seam::Host,
};

fn options(directory: &Path) -> AuditOptions {
    AuditOptions { directory: directory.into(), cluster_id: "c".into(), node_name: "lon-1".into() }
}

async fn open(directory: &Path) -> Result<AuditLog, OpenError> {
    AuditLog::open(Host::real(), options(directory)).await
}

fn entry(number: u8) -> AuditEntry {
    AuditEntry {
        search_id: AlertId::from_bytes([number; 16]),
        at_ms: 1_790_000_000_000 + u64::from(number),
        caller: Caller { country: "FR".into(), authority: "pn".into(), system: "s".into(), role: Role::Partner },
        certificate_serial: "0a".into(),
        context: pb::CallContext::default(),
        operation: "search",
        asked: vec![number],
        disclosed: vec![pb::AuditDisclosure {
            alert_id: AlertId::from_bytes([number % 2; 16]).to_string(),
            version: 1,
            what: "candidate".into(),
        }],
        revision: 7,
        outcome: tonic::Code::Ok,
    }
}

fn only_file(directory: &Path) -> std::path::PathBuf {
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

#[tokio::test]
async fn every_record_is_on_disk_before_its_receipt_and_the_chain_goes_on_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path()).await.unwrap();
    assert_eq!(log.record(entry(1)).await.unwrap().0, "lon-1-1");
    let size = fs::metadata(only_file(directory.path())).unwrap().len();
    assert!(size > 0);
    // Many at once share writes and keep their places.
    let records = (2..100).map(|number| log.record(entry(number)));
    let receipts = futures::future::join_all(records).await;
    assert_eq!(receipts.last().unwrap().as_ref().unwrap().0, "lon-1-99");
    assert_eq!(log.head().borrow().0, 99);
    drop(log);
    let log = open(directory.path()).await.unwrap();
    assert_eq!(log.record(entry(1)).await.unwrap().0, "lon-1-100");
    let verdict = log.verify(Vec::new()).await.unwrap();
    assert_eq!((verdict.intact, verdict.records, verdict.first_fault.as_str()), (true, 100, ""));
}

#[tokio::test]
async fn a_torn_end_is_cut_and_damage_before_it_is_refused_with_the_way_out() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path()).await.unwrap();
    for number in 1..=5 {
        log.record(entry(number)).await.unwrap();
    }
    drop(log);
    let path = only_file(directory.path());
    let whole = fs::read(&path).unwrap();
    for cut in [1, 7, 40] {
        fs::write(&path, &whole[..whole.len() - cut]).unwrap();
        let log = open(directory.path()).await.unwrap();
        assert_eq!(log.record(entry(9)).await.unwrap().0, "lon-1-5", "cut by {cut}");
        assert!(log.verify(Vec::new()).await.unwrap().intact);
    }
    let mut damaged = whole.clone();
    damaged[60] ^= 1;
    fs::write(&path, damaged).unwrap();
    let error = open(directory.path()).await.err().unwrap().to_string();
    assert!(error.contains("damaged at byte 0") && error.contains("empty audit directory"), "{error}");
}

#[tokio::test]
async fn a_verdict_names_what_was_altered_behind_the_log_s_back() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path()).await.unwrap();
    for number in 1..=5 {
        log.record(entry(number)).await.unwrap();
    }
    let path = only_file(directory.path());
    let mut bytes = fs::read(&path).unwrap();
    bytes[60] ^= 1;
    fs::write(&path, bytes).unwrap();
    let verdict = log.verify(Vec::new()).await.unwrap();
    assert!(!verdict.intact && verdict.first_fault.contains("altered"), "{verdict:?}");
}

#[tokio::test]
async fn an_auditor_finds_who_saw_an_alert_and_what_a_caller_asked() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path()).await.unwrap();
    for number in 1..=6 {
        log.record(entry(number)).await.unwrap();
    }
    let who_saw = AuditQuestion::WhoSaw { alert_id: AlertId::from_bytes([1; 16]) };
    let found = log.find(who_saw.clone(), 0, u64::MAX, 0, 10).await.unwrap();
    assert_eq!(found.iter().map(|record| record.sequence).collect::<Vec<_>>(), [1, 3, 5]);
    let page = log.find(who_saw, 0, u64::MAX, 1, 1).await.unwrap();
    assert_eq!(page[0].sequence, 3);
    let asked = |authority: &str| AuditQuestion::WhatDidAsk {
        country: "FR".into(),
        authority: authority.into(),
        system: String::new(),
        role: String::new(),
    };
    assert_eq!(log.find(asked("pn"), 0, u64::MAX, 0, 10).await.unwrap().len(), 6);
    assert_eq!(log.find(asked("other"), 0, u64::MAX, 0, 10).await.unwrap().len(), 0);
}

fn everything() -> AuditQuestion {
    AuditQuestion::WhatDidAsk {
        country: String::new(),
        authority: String::new(),
        system: String::new(),
        role: String::new(),
    }
}

#[tokio::test]
async fn the_attempts_of_one_question_are_one_record() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path()).await.unwrap();
    let failed = AuditEntry { outcome: tonic::Code::Unavailable, disclosed: Vec::new(), ..entry(1) };
    log.record(failed).await.unwrap();
    log.record(entry(2)).await.unwrap();
    log.record(entry(1)).await.unwrap();
    let found = log.find(everything(), 0, u64::MAX, 0, 10).await.unwrap();
    assert_eq!(found.iter().map(|record| record.sequence).collect::<Vec<_>>(), [1, 2]);
    let attempts: Vec<_> = found[0].attempts.iter().map(|one| (one.sequence, one.attempt)).collect();
    assert_eq!(attempts, [(1, 1), (3, 2)]);
    assert_eq!((found[0].outcome.as_str(), found[0].disclosed.len()), ("Ok", 1), "what the caller learned in the end");
    // A page does not tear a question apart, and the next one does not tell it again.
    let first = log.find(everything(), 0, u64::MAX, 0, 1).await.unwrap();
    assert_eq!((first.len(), first[0].attempts.len()), (1, 2));
    let second = log.find(everything(), 0, u64::MAX, 1, 10).await.unwrap();
    assert_eq!(second.iter().map(|record| record.sequence).collect::<Vec<_>>(), [2]);
    let by_receipt = log.find(AuditQuestion::Receipt { sequence: 3 }, 0, u64::MAX, 0, 10).await.unwrap();
    assert_eq!(by_receipt[0].sequence, 3);
}

#[tokio::test]
async fn every_field_of_a_record_comes_back_from_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let mut filler = Filler::new();
    let context: pb::CallContext = filler.fill("CallContext");
    let log = open(directory.path()).await.unwrap();
    log.record(entry(2)).await.unwrap();
    log.record(AuditEntry { context: context.clone(), ..entry(1) }).await.unwrap();
    drop(log);
    let log = open(directory.path()).await.unwrap();
    let found = log.find(AuditQuestion::Receipt { sequence: 2 }, 0, u64::MAX, 0, 10).await.unwrap();
    let [record] = &found[..] else { panic!("{found:?}") };
    assert_eq!(record.context.as_ref(), Some(&context));
    let descriptor = filler.descriptor("AuditRecord");
    let (mut set, mut all) = (BTreeSet::new(), BTreeSet::new());
    fields_of(&descriptor, &mut all);
    fields_set(&DynamicMessage::decode(descriptor, record.encode_to_vec().as_slice()).unwrap(), &mut set);
    let missing: Vec<_> = all.difference(&set).collect();
    assert!(missing.is_empty(), "not set: {missing:?}");
}

#[tokio::test]
async fn what_was_anchored_is_missed_when_the_end_of_the_log_is_cut() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path()).await.unwrap();
    let mut anchors = Vec::new();
    for number in 1..=5 {
        log.record(entry(number)).await.unwrap();
        let (sequence, head) = *log.head().borrow();
        anchors.push(Anchor { sequence, head, at_ms: 1_790_000_000_000 });
    }
    let verdict = log.verify(anchors.clone()).await.unwrap();
    assert_eq!((verdict.intact, verdict.anchors_met), (true, 5));
    drop(log);
    // Cut where a record ends: to the chain itself the log is whole.
    let path = only_file(directory.path());
    let bytes = fs::read(&path).unwrap();
    let mut kept = 0;
    for _ in 0..3 {
        kept += alert_core::audit::read_frame(&bytes[kept..]).unwrap().length;
    }
    fs::write(&path, &bytes[..kept]).unwrap();
    let log = open(directory.path()).await.unwrap();
    assert!(log.verify(Vec::new()).await.unwrap().intact);
    let verdict = log.verify(anchors).await.unwrap();
    assert!(!verdict.intact && verdict.first_fault.contains("records 4 to 5"), "{verdict:?}");
}

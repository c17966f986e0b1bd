//! Whatever is done to the audit log of a real node shows, and the check says which record it was.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::FileExt,
    path::PathBuf,
};

use alert_chaos::process::wait_until;
use alert_core::audit::{first_sequence, read_frame};
use alert_proto::v1 as pb;
use alert_synth::known;
use serde_json::Value;

use crate::{
    desk::{Desk, Form},
    stage::{LIMIT, searcher, three},
};

/// Questions that are asked before anything is done to the log.
const QUESTIONS: usize = 20;
/// Who asks them.
const OFFICER: &str = "officer-17";

/// The log of node 1, and its records as they lie in it.
struct Log {
    file: PathBuf,
    records: Vec<Vec<u8>>,
}

impl Log {
    fn read(desk: &Desk<'_>) -> Self {
        let directory = desk.cluster.node(1).unwrap().config().unwrap().storage.audit_directory;
        let mut files: Vec<PathBuf> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.file_name().and_then(|name| name.to_str()).and_then(first_sequence).is_some());
        assert_eq!(files.len(), 1, "a young log");
        let file = files.remove(0);
        let bytes = fs::read(&file).unwrap();
        let (mut records, mut rest) = (Vec::new(), &bytes[..]);
        while let Ok(frame) = read_frame(rest) {
            records.push(rest[..frame.length].to_vec());
            rest = &rest[frame.length..];
        }
        assert!(rest.is_empty() && records.len() > QUESTIONS, "{} records, {} bytes after", records.len(), rest.len());
        Self { file, records }
    }

    /// The place of a record in the middle of the questions.
    fn question(&self) -> usize {
        let asked = self.records.iter().enumerate().filter(|(_, record)| officer_in(record).is_some());
        asked.map(|(place, _)| place).nth(QUESTIONS / 2).expect("a record of each question")
    }
}

/// Where a record names the officer.
fn officer_in(record: &[u8]) -> Option<usize> {
    record.windows(OFFICER.len()).position(|window| window == OFFICER.as_bytes())
}

/// Changes a record so that it looks well: its seal is made anew.
fn rewritten(record: &[u8]) -> Vec<u8> {
    let at = officer_in(record).expect("the officer who asked");
    let mut record = record.to_vec();
    record[at..at + OFFICER.len()].copy_from_slice(b"officer-71");
    let end = record.len() - 16;
    let seal = *blake3::hash(&record[4..end]).as_bytes();
    record[end..].copy_from_slice(&seal[..16]);
    read_frame(&record).expect("a record like any other");
    record
}

/// What the node itself says of its log.
fn asked(desk: &Desk<'_>) -> (i32, String) {
    let node = desk.cluster.node(1).unwrap().client_address().unwrap();
    let ran = desk.run("auditor", &["audit", "verify", "--node", &node, "-o", "json"]);
    let fault = ran.json().pointer("/0/answer/firstFault").and_then(Value::as_str).unwrap_or_default().to_owned();
    (ran.code, fault)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_altered_a_rewritten_a_swapped_and_a_dropped_record_of_a_nodes_log_are_named() {
    let cluster = three().start().await.unwrap();
    let desk = Desk::new(&cluster);
    let reader = searcher(&cluster)
        .with_defaults(|defaults| defaults.officer_ref = OFFICER.to_owned())
        .at_node(cluster.node(1).unwrap().client_address().unwrap());
    for _ in 0..QUESTIONS {
        reader.search(pb::SearchRequest { query: Some(known::no_hit()), ..Default::default() }).await.unwrap();
    }
    // The cluster remembers where the log ended.
    let anchored = wait_until("the log's end to be anchored", LIMIT, || async {
        let ran = desk.run("auditor", &["audit", "anchors", "--node-id", "1", "-o", "json"]);
        let sequences = ran.json()["anchors"].as_array().cloned().unwrap_or_default();
        let number = |anchor: &Value| anchor["sequence"].as_str().and_then(|text| text.parse::<usize>().ok());
        let newest = sequences.iter().filter_map(number).max().unwrap_or_default();
        Ok((newest >= QUESTIONS).then_some((newest, ran.data)))
    });
    let (anchored, anchors) = anchored.await.unwrap();
    let anchors = desk.file("anchors.json", anchors);
    assert_eq!(asked(&desk), (0, String::new()));

    // Each is done to the files of the running node, and to a copy that somebody took away.
    let log = Log::read(&desk);
    let number = log.question();
    let Log { file, records } = log;
    let sequence = read_frame(&records[number]).unwrap().record.sequence;
    let mut altered = records.clone();
    altered[number][30] ^= 1;
    let mut sealed = records.clone();
    sealed[number] = rewritten(&records[number]);
    let mut swapped = records.clone();
    swapped.swap(number, number + 1);
    let mut dropped = records.clone();
    dropped.remove(number);
    let cases = [
        ("altered", altered, format!("the record was altered: its seal does not fit (after record {})", sequence - 1)),
        (
            "rewritten",
            sealed,
            format!("record {} does not follow on the record before it: that one was altered", sequence + 1),
        ),
        ("swapped", swapped, format!("records {sequence} to {sequence} are missing")),
        ("dropped", dropped, format!("records {sequence} to {sequence} are missing")),
    ];
    for (what, records_now, fault) in &cases {
        let copy = desk.file("audit-1.log", records_now.concat());
        let files = ["audit", "verify", &copy, "--cluster", "dev", "--name", "node1"];
        let ran = desk.run("auditor", &[&files[..], &["-o", "json"]].concat());
        assert_eq!((ran.code, ran.json()["intact"].as_bool()), (1, Some(false)), "{what}: {ran:?}");
        assert!(ran.data.contains(fault.as_str()), "{what}: {fault}: {ran:?}");

        let before = Log::read(&desk).records.concat();
        let changed = records_now.concat();
        if *what == "dropped" {
            fs::write(&file, &changed).unwrap();
        } else {
            // In place: the node goes on writing behind it.
            OpenOptions::new().write(true).open(&file).unwrap().write_all_at(&changed, 0).unwrap();
        }
        let (code, said) = asked(&desk);
        assert_eq!(code, 1, "{what}");
        assert!(said.contains(fault.as_str()) && said.contains("at byte"), "{what}: {fault}: {said}");
        if *what != "dropped" {
            OpenOptions::new().write(true).open(&file).unwrap().write_all_at(&before[..changed.len()], 0).unwrap();
            assert_eq!(asked(&desk), (0, String::new()), "{what}, and put right again");
        }
    }

    // What is missing at the end leaves a sound chain; the anchor knows of it.
    let cut = desk.file("audit-1.log", records[..anchored - 2].concat());
    let files = ["audit", "verify", &cut, "--cluster", "dev", "--name", "node1"];
    desk.done("auditor", Form::Json, &files).shows(&["\"intact\": true"]);
    let ran = desk.run("auditor", &[&files[..], &["--anchors", &anchors, "--node-id", "1"]].concat());
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.data.contains(&format!("records {} to {anchored}, anchored at", anchored - 1)), "{ran:?}");
}

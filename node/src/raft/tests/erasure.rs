//! What was erased leaves every file of a node, on RocksDB.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use alert_core::{
    alert::{AlertId, Caller, Role, attachment},
    pb,
    search::index::key::{NumberKey, number_hash},
    state::{
        command::{Command, Outcome, Proposal},
        family::Family,
    },
};
use alert_synth::{codes::some_code, plain};
use prost::Message;
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::world::{World, soon};
use crate::{
    api::backend::{AdminBackend, Store},
    storage::{
        engine::rocks::{RocksEngines, RocksSettings},
        testing::holds_bytes,
    },
};

/// The state alone has it, derived from the number.
const INDEX_KEY: &str = "key of the number in the index";

/// What one alert leaves: texts and bytes that are found nowhere else, by where they went.
struct Traces(Vec<(&'static str, Vec<u8>)>);

impl Traces {
    fn word(&mut self, of: &'static str, chance: &mut StdRng) -> String {
        let word: String = (0..16).map(|_| char::from(chance.random_range(b'a'..=b'z'))).collect();
        self.0.push((of, word.clone().into_bytes()));
        word
    }

    /// Those that some file below `directory` holds, as they were written or in capitals.
    fn on(&self, directory: &Path) -> BTreeSet<&'static str> {
        let found = self
            .0
            .iter()
            .filter(|(_, trace)| holds_bytes(directory, trace) || holds_bytes(directory, &trace.to_ascii_uppercase()));
        found.map(|(of, _)| *of).collect()
    }

    fn all(&self) -> BTreeSet<&'static str> {
        self.0.iter().map(|(of, _)| *of).collect()
    }
}

fn nca() -> Caller {
    Caller { country: "GB".into(), authority: "nca".into(), system: "desk".into(), role: Role::Bureau }
}

async fn done(world: &World, command: Command) -> Outcome {
    let proposal = Proposal { caller: Some(nca()), request: None, rules_revision: 0, command };
    world.node(1).propose(proposal, soon(5)).await.unwrap().unwrap().outcome
}

/// An alert with two versions, an attachment, a hit and words about it, and a link to `other`: something in every family
/// that holds anything of an alert.
async fn lived(world: &World, number: u64, other: Option<AlertId>, chance: &mut StdRng) -> (pb::Alert, Traces) {
    let (id, mut traces) = (AlertId::from_bytes([number as u8; 16]), Traces(Vec::new()));
    let mut alert = plain::person(number, traces.word("reference", chance));
    alert.id = id.to_string();
    let photo: Vec<u8> = (0..4096).map(|_| chance.random()).collect();
    let hash = attachment::hash_of(&photo);
    alert.attachments = Some(pb::AttachmentSection {
        attachments: vec![pb::AttachmentReference {
            content_hash: attachment::hash_text(&hash),
            kind: some_code("attachment-kind", "photo"),
            media_type: "image/jpeg".into(),
            size_bytes: photo.len() as u64,
            description: traces.word("description of an attachment", chance),
            handling: None,
        }],
    });
    let identity = &mut alert.identities.as_mut().unwrap().identities[0];
    identity.names[0].parts[1].text = traces.word("surname", chance);
    let document = traces.word("number of a document", chance).to_uppercase();
    // One of two keys of its family: it bounds a table, and so stands in the manifest of the database too.
    traces.0.push((INDEX_KEY, number_hash(NumberKey::Whole, &document).to_vec()));
    identity.documents[0].number = document;
    alert.internal =
        Some(pb::InternalSection { note: traces.word("note of the first version", chance), ..Default::default() });
    done(world, Command::Create { id, alert: alert.encode_to_vec(), as_draft: false }).await;
    alert.internal.as_mut().unwrap().note = traces.word("note of the second version", chance);
    done(world, Command::Update { id, expected_version: 1, alert: alert.encode_to_vec() }).await;
    traces.0.push(("photo", photo[..32].to_vec()));
    done(world, Command::PutAttachmentChunk { id, hash, number: 0, bytes: photo }).await;
    done(world, Command::SealAttachment { id, hash }).await;
    let report = pb::HitReport { circumstances: traces.word("report of a hit", chance), ..Default::default() };
    let hit = pb::Hit { alert_id: id.to_string(), version_seen: 2, report: Some(report), ..Default::default() };
    let hit_id = AlertId::from_bytes([100 + number as u8; 16]);
    done(world, Command::ReportHit { id: hit_id, hit: hit.encode_to_vec() }).await;
    let message = pb::HitMessage { text: traces.word("words about a hit", chance), ..Default::default() };
    done(world, Command::HitMessage { id: hit_id, message: message.encode_to_vec(), answers: false }).await;
    if let Some(other) = other {
        let link = pb::Link {
            alert_a: id.to_string(),
            alert_b: other.to_string(),
            note: traces.word("note of a link", chance),
            kind: some_code("link-kind", "same-case"),
            ..Default::default()
        };
        done(world, Command::Link { id: AlertId::from_bytes([200; 16]), link: link.encode_to_vec() }).await;
    }
    (alert, traces)
}

fn id_of(alert: &pb::Alert) -> AlertId {
    alert.id.parse().unwrap()
}

/// Rewrites every family of the state, as RocksDB does by itself once a day.
fn rewrite_the_state(world: &World) {
    let store = world.storage(1).state;
    Family::ALL.iter().for_each(|family| store.rewrite(*family).unwrap());
}

/// What a day brings: a change, tables that are rewritten, a snapshot, a log that is cut at it.
async fn a_day(world: &World, changed: &pb::Alert, version: u64) {
    let id = id_of(changed);
    done(world, Command::Update { id, expected_version: version, alert: changed.encode_to_vec() }).await;
    rewrite_the_state(world);
    let built = world.node(1).admin().trigger_snapshot(soon(30)).await.unwrap();
    world.cut_log(1, built.snapshot_index).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_erased_is_in_no_file_of_a_node_once_its_files_were_renewed() {
    let seed = StdRng::from_os_rng().random();
    println!("seed {seed}");
    let mut chance = StdRng::seed_from_u64(seed);
    // Nothing is compressed, so that bytes are found where they lie.
    let mut world =
        World::on(|_| Arc::new(RocksEngines::new(RocksSettings { is_compressed: false, ..Default::default() })));
    world.form().await;
    let (kept, of_kept) = lived(&world, 1, None, &mut chance).await;
    let (erased, of_erased) = lived(&world, 2, Some(id_of(&kept)), &mut chance).await;
    world.node(1).admin().trigger_snapshot(soon(30)).await.unwrap();
    rewrite_the_state(&world);
    let disk = world.disk(1);
    assert_eq!(of_erased.on(&disk.join("state")), of_erased.all(), "the search sees what lies in the state");
    let in_the_log = of_erased.all().into_iter().filter(|trace| *trace != INDEX_KEY).collect();
    assert_eq!(of_erased.on(&disk.join("log")), in_the_log, "the search sees what lies in the log");

    done(&world, Command::Erase { id: id_of(&erased), ground: "court-order".into(), by: "ann".into() }).await;
    assert_eq!(of_erased.on(&disk), of_erased.all(), "until its files are renewed");

    for version in 2..5 {
        a_day(&world, &kept, version).await;
    }
    // RocksDB removes files that nobody uses on a thread of its own.
    world.until("nothing is left", |_| of_erased.on(&disk).is_empty()).await;
    // What stays is what the state holds; a record that was not erased is there as before.
    assert_eq!(of_kept.on(&disk.join("state")), of_kept.all());
    // A restart brings nothing back.
    world.kill(1).await;
    world.start(1).await;
    world.until_ready(1).await;
    assert_eq!(of_erased.on(&disk), BTreeSet::new());
}

//! Random streams of commands: what must hold whatever happens.

use prost::Message;

use super::{DAY_MS, START_MS, Store, bearer, bureau, cancel, code, id, person};
use crate::{
    alert::{AlertId, sample, time::from_ms},
    pb,
    state::{
        Caches,
        command::{Batch, Command, Proposal, RequestKey},
        family::Family,
        full_hash, scan_prefix,
    },
};

/// Who owns alerts in the streams; the first one makes them.
const AUTHORITIES: [&str; 2] = ["nca", "border-force"];

/// A stream of commands from a seed: enough different ones to touch every family.
fn random_batches(seed: u64) -> Vec<Batch> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let mut now_ms = START_MS;
    (0..120)
        .map(|_| {
            now_ms += next(40 * DAY_MS);
            let proposals = (0..1 + next(3))
                .map(|_| {
                    let number = next(12) as u8;
                    let category = ["arrest", "missing", "discreet-check"][next(3) as usize];
                    // Some share a passport, and so a subject: what does not go together waits.
                    let mut alert = match next(3) {
                        0 => bearer(number, category, &format!("ZX981234{}", next(2))),
                        _ => person(number, category),
                    };
                    let misused = pb::Identity { kind: code("identity-kind", "misused"), ..Default::default() };
                    alert.identities.as_mut().unwrap().identities.push(misused);
                    let victim = pb::Victim { how_to_tell_apart: "by a scar".into(), ..Default::default() };
                    alert.victims = Some(pb::VictimSection { victims: vec![victim] });
                    alert.core.as_mut().unwrap().source.as_mut().unwrap().source_version = next(4);
                    if next(4) == 0 {
                        alert.core.as_mut().unwrap().parent_alert_id = id(next(12) as u8).to_string();
                    }
                    let alert = alert.encode_to_vec();
                    let command = match next(11) {
                        0 | 1 => Command::Create { id: id(number), alert, as_draft: next(5) == 0 },
                        2 => Command::Update { id: id(number), expected_version: 1 + next(3), alert },
                        3 => Command::Import { id: id(number + 20), alert },
                        4 => cancel(number),
                        5 => Command::Erase { id: id(number), ground: "order".into(), by: String::new() },
                        6 => {
                            let link = pb::Link {
                                alert_a: id(number).to_string(),
                                alert_b: id(next(12) as u8).to_string(),
                                ..Default::default()
                            };
                            Command::Link { id: id(100 + number), link: link.encode_to_vec() }
                        }
                        7 => {
                            let until = Some(from_ms(now_ms + next(90 * DAY_MS)));
                            let kind = 1 + next(3) as i32;
                            let restriction = pb::Restriction { kind, until, ..Default::default() };
                            let restriction = restriction.encode_to_vec();
                            Command::Restrict { id: id(number), expected_version: 0, restriction }
                        }
                        8 => {
                            let owner = sample::owner("GB", AUTHORITIES[next(2) as usize]).encode_to_vec();
                            Command::TransferOwner { id: id(number), expected_version: 0, owner }
                        }
                        9 => Command::WithdrawConsent {
                            id: id(number),
                            expected_version: 0,
                            victim_index: 0,
                            field_categories: Vec::new(),
                        },
                        _ => Command::Due,
                    };
                    let authority = AUTHORITIES[usize::from(next(5) == 0)];
                    let caller = (command != Command::Due).then(|| bureau(authority));
                    let request = (next(2) == 0).then(|| RequestKey {
                        session: [next(2) as u8; 16],
                        sequence: 1 + next(30),
                        content_hash: [next(2) as u8; 16],
                    });
                    Proposal { caller, request, rules_revision: u64::from(next(8) == 0), command }
                })
                .collect();
            Batch { proposed_at_ms: now_ms, proposals }
        })
        .collect()
}

#[test]
fn chunk_boundaries_change_nothing_and_the_hash_is_that_of_the_entries() {
    let (mut done, mut all) = (0, 0);
    for seed in 1..=20 {
        let batches = random_batches(seed);
        let run = |chunk: usize| {
            let mut store = Store::new();
            let answers: Vec<_> = batches.chunks(chunk).flat_map(|chunk| store.apply(chunk)).collect();
            (store, answers)
        };
        let (one, answers) = run(1);
        assert_eq!(full_hash(&one.view).unwrap(), one.meta().state_hash, "seed {seed}");
        done += answers.iter().flatten().filter(|answer| answer.is_ok()).count();
        all += answers.iter().flatten().count();
        for chunk in [3, 17, 1000] {
            let (other, other_answers) = run(chunk);
            assert_eq!(other.view, one.view, "seed {seed}, chunks of {chunk}");
            assert_eq!(other_answers, answers, "seed {seed}, chunks of {chunk}");
        }
        // Caches that are lost at any time change nothing either.
        let mut forgetful = Store::new();
        for batch in &batches {
            forgetful.caches = Caches::default();
            forgetful.apply(std::slice::from_ref(batch));
        }
        assert_eq!(forgetful.view, one.view, "seed {seed}, without caches");
    }
    assert!(done * 8 > all, "too little happened: {done} of {all}");
}

#[test]
fn the_feed_has_one_entry_for_each_revision_and_counts_add_up() {
    for seed in 1..=10 {
        let mut store = Store::new();
        store.apply(&random_batches(seed));
        let revisions: Vec<_> =
            store.view.entries(Family::Changes).map(|(key, _)| u64::from_be_bytes(key.try_into().unwrap())).collect();
        assert_eq!(revisions, (1..=store.meta().revision).collect::<Vec<_>>(), "seed {seed}");
        assert_eq!(store.meta().alerts() as usize, store.view.entries(Family::Alerts).count(), "seed {seed}");
    }
}

#[test]
fn when_every_alert_is_erased_nothing_hangs_on() {
    let mut store = Store::new();
    store.apply(&random_batches(3));
    let mut ids = Vec::new();
    scan_prefix(&store.view, Family::Alerts, b"", |key, _| {
        ids.push(AlertId::from_slice(key).unwrap());
        Ok(true)
    })
    .unwrap();
    for id in ids {
        let erase = Command::Erase { id, ground: "end of test".into(), by: String::new() };
        let answers = AUTHORITIES.map(|authority| store.run_as(bureau(authority), erase.clone()));
        assert!(answers.iter().any(Result::is_ok), "{answers:?}");
    }
    assert_eq!(store.index_entries(), 0);
    for family in [Family::Alerts, Family::Links, Family::History, Family::Expiry] {
        assert_eq!(store.view.entries(family).count(), 0, "{}", family.name());
    }
}

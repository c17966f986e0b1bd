//! Index keys of names that must never change unseen: a dependency's new tables, or a careless edit, would lose alerts.
//!
//! `golden_names.txt` has names of every origin and script with their tokens in full, for people to read;
//! `golden_keys.txt` has 5,000 names with a hash of all their index entries. After a change that is meant, which is a new
//! normaliser version once a store is in use, one command writes both anew, and its difference shows what has changed:
//! `cargo test -p alert-core --lib -- --ignored rewrites_the_golden_keys`

use std::{
    collections::BTreeSet,
    fmt::Write,
    path::{Path, PathBuf},
};

use alert_synth::Generator;

use super::store::*;
use crate::{
    alert::{AlertId, Partition},
    search::{
        Normaliser,
        index::{IndexInput, derive, lexicon},
    },
    state::MemoryView,
};

const READABLE: &str = "golden_names.txt";
const HASHED: &str = "golden_keys.txt";

/// Names in `golden_keys.txt`.
const HASHED_NAMES: usize = 5_000;

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/search/tests").join(file)
}

fn golden(file: &str) -> String {
    std::fs::read_to_string(path(file)).unwrap()
}

/// A hash of all index entries of a person of this name, the lexicon's too.
fn hash(text: &str) -> String {
    let alert = person(text, Some(date(1974, 8, 12)));
    let input = IndexInput {
        id: AlertId::from_bytes([7; 16]),
        partition: Partition::Open,
        label: 3,
        priority: 2,
        created_at_ms: 1_700_000_000_000,
        normaliser: Normaliser::default(),
        alert: &alert,
    };
    let mut hasher = blake3::Hasher::new();
    let mut entry = |family: &str, key: &[u8], value: &[u8]| {
        for part in [family.as_bytes(), key, value] {
            hasher.update(&(part.len() as u32).to_be_bytes());
            hasher.update(part);
        }
    };
    derive(&input, &mut |family, key, value| entry(family.name(), &key, &value));
    for (family, key, value) in lexicon::changes(&MemoryView::default(), None, Some(&input)).unwrap() {
        entry(family.name(), &key, &value.unwrap_or_default());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

/// One line a name: the name, its tokens as `base/skeleton`, the hash.
fn readable(text: &str) -> String {
    let mut line = text.to_owned();
    for token in Normaliser::default().tokens(&[text]) {
        write!(line, " | {}/{}", token.base, token.skeleton()).unwrap();
    }
    line + " | " + &hash(text)
}

/// One line a name: the hash, the name.
fn hashed(text: &str) -> String {
    format!("{} {text}", hash(text))
}

fn readable_now() -> String {
    let known = golden(READABLE);
    known.lines().filter_map(|known| known.split(" | ").next()).map(|name| readable(name) + "\n").collect()
}

fn hashed_names(known: &str) -> impl Iterator<Item = &str> {
    known.lines().filter_map(|known| known.split_once(' ')).map(|(_, name)| name)
}

fn hashed_now() -> String {
    hashed_names(&golden(HASHED)).map(|name| hashed(name) + "\n").collect()
}

/// The names that were chosen once, and as many generated ones as are missing, of every culture and script.
fn names_to_hash() -> BTreeSet<String> {
    let mut names: BTreeSet<String> = hashed_names(&golden(HASHED)).map(str::to_owned).collect();
    let generator = Generator::new(5_000);
    let mut number = 0;
    while names.len() < HASHED_NAMES {
        let identities = generator.person(number).identities.unwrap_or_default().identities;
        for form in identities.iter().flat_map(|identity| &identity.names) {
            let parts: Vec<&str> = form.parts.iter().map(|part| part.text.as_str()).collect();
            let name = if parts.is_empty() { form.full_text.clone() } else { parts.join(" ") };
            if names.len() < HASHED_NAMES && !name.trim().is_empty() {
                names.insert(name);
            }
        }
        number += 1;
    }
    names
}

#[test]
#[ignore = "rewrites the golden keys"]
fn rewrites_the_golden_keys() {
    let hashed: String = names_to_hash().iter().map(|name| hashed(name) + "\n").collect();
    for (file, lines) in [(READABLE, readable_now()), (HASHED, hashed)] {
        std::fs::write(path(file), lines).unwrap();
    }
}

#[test]
fn index_keys_of_five_thousand_names_do_not_change() {
    for (file, now, least) in [(READABLE, readable_now(), 60), (HASHED, hashed_now(), HASHED_NAMES)] {
        let golden = golden(file);
        assert!(now.lines().count() >= least);
        let changed: Vec<_> = now.lines().zip(golden.lines()).filter(|(now, golden)| now != golden).collect();
        let shown: String = changed.iter().take(30).map(|(now, golden)| format!("- {golden}\n+ {now}\n")).collect();
        assert!(now == golden, "{file}: index keys of {} names changed. Is it meant?\n{shown}", changed.len());
    }
}

//! Index keys of names that must never change unseen: a dependency's new tables, or a careless edit, would lose alerts.

use std::fmt::Write;

use super::store::*;
use crate::{
    alert::{AlertId, Partition},
    search::{
        NORMALISER_VERSION,
        index::{IndexInput, derive},
        normalise::name,
    },
};

const GOLDEN: &str = include_str!("golden_names.txt");

/// One line a name: the name, its tokens as `base/skeleton`, a hash of all its index entries.
fn line(text: &str) -> String {
    let alert = person(text, Some(date(1974, 8, 12)));
    let input = IndexInput {
        id: AlertId::from_bytes([7; 16]),
        partition: Partition::Open,
        label: 3,
        priority: 2,
        created_at_ms: 1_700_000_000_000,
        normaliser: NORMALISER_VERSION,
        alert: &alert,
    };
    let mut hasher = blake3::Hasher::new();
    derive(&input, &mut |family, key, value| {
        for part in [family.name().as_bytes(), &key, &value] {
            hasher.update(&(part.len() as u32).to_be_bytes());
            hasher.update(part);
        }
    });
    let mut line = text.to_owned();
    for token in name::tokens([text]) {
        write!(line, " | {}/{}", token.base, token.skeleton).unwrap();
    }
    write!(line, " | {}", &hasher.finalize().to_hex()[..16]).unwrap();
    line
}

fn lines() -> String {
    GOLDEN.lines().filter_map(|known| known.split(" | ").next()).map(|name| line(name) + "\n").collect()
}

/// After a new normaliser version, and then alone: `cargo test -p alert-core -- --ignored rewrites_the_golden_keys`.
#[test]
#[ignore = "rewrites the golden keys"]
fn rewrites_the_golden_keys() {
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/search/tests/golden_names.txt"), lines()).unwrap();
}

#[test]
fn index_keys_of_known_names_do_not_change() {
    let now = lines();
    assert!(now.lines().count() >= 60);
    assert!(
        now == GOLDEN,
        "index keys changed: a new normaliser version is needed.\n{}",
        now.lines()
            .zip(GOLDEN.lines())
            .filter(|(a, b)| a != b)
            .map(|(a, b)| format!("- {b}\n+ {a}\n"))
            .collect::<String>()
    );
}

//! Which name tokens are in use, so that a misspelt one can be led to its neighbours.
//!
//! Two kinds of entries under one partition: a *token* entry counts in how many alerts a token stands; *deletion* entries
//! lead from each spelling with one letter left out (and from the token itself) to the token. They are written when the
//! first alert with the token comes and removed when the last goes, in the same batch, so every snapshot holds exactly
//! the tokens of its alerts. Two spellings one insertion, deletion, substitution or transposition apart share a deletion.

use std::collections::BTreeSet;

use super::{form, key::Head};
use crate::{
    search::normalise::{name::Role, skeleton},
    state::{Cursor, View, ViewError, Write, family::Family},
};

use super::derive::{FORMS_MAX, IndexInput};

/// Kind of a counting entry: hash of the token -> count (4 bytes), token.
pub const TOKEN: u8 = b'T';
/// Kind of a deletion entry: hash of the shortened token, hash of the token -> token.
pub const DELETION: u8 = b'D';
/// Longest token that has neighbours, in letters.
pub const LETTERS_MAX: usize = 24;
/// Shorter tokens have no neighbours: LI is not LU.
pub const LETTERS_MIN: usize = 3;

/// The tokens of one alert that the lexicon counts, each once.
pub fn tokens(input: &IndexInput<'_>) -> BTreeSet<String> {
    input
        .alert
        .identities
        .iter()
        .flat_map(form::name_forms)
        .take(FORMS_MAX)
        .flat_map(|form| form.tokens)
        .filter(|token| token.role == Role::Name && token.base.chars().count() <= LETTERS_MAX)
        .map(|token| token.base)
        .collect()
}

/// What a change of an alert from `old` to `new` changes in the lexicon; `None` stands for an alert that is not active.
/// `view` is the state as the change finds it.
pub fn changes(
    view: &dyn View,
    old: Option<&IndexInput<'_>>,
    new: Option<&IndexInput<'_>>,
) -> Result<Vec<Write>, ViewError> {
    let listed = |input: Option<&IndexInput<'_>>| {
        input.map(|input| (Head { normaliser: input.normaliser, partition: input.partition }, tokens(input)))
    };
    let (old, new) = (listed(old), listed(new));
    let mut writes = Vec::new();
    for (mine, other, more) in [(&new, &old, true), (&old, &new, false)] {
        let Some((head, tokens)) = mine else { continue };
        let kept = other.as_ref().filter(|(other_head, _)| other_head == head).map(|(_, tokens)| tokens);
        for token in tokens.iter().filter(|token| kept.is_none_or(|kept| !kept.contains(*token))) {
            count(view, *head, token, more, &mut writes)?;
        }
    }
    Ok(writes)
}

/// Counts one alert more or less that has `token`.
fn count(view: &dyn View, head: Head, token: &str, more: bool, writes: &mut Vec<Write>) -> Result<(), ViewError> {
    let key = head.lexicon(TOKEN, hash(token));
    let before = match view.get(Family::Lexicon, &key)? {
        Some(value) => read_count(&value).ok_or_else(|| ViewError("a lexicon entry does not decode".into()))?,
        None => 0,
    };
    let now = if more { before + 1 } else { before.saturating_sub(1) };
    writes.push((Family::Lexicon, key, (now > 0).then(|| [&now.to_be_bytes(), token.as_bytes()].concat())));
    if (before == 0) != (now == 0) {
        for spelling in deletions(token) {
            let mut key = head.lexicon(DELETION, hash(&spelling));
            key.extend_from_slice(&hash(token));
            writes.push((Family::Lexicon, key, (now > 0).then(|| token.as_bytes().to_vec())));
        }
    }
    Ok(())
}

/// Tokens in use at most one typing error from `token`, itself left out, sorted. `seeks` counts what was sought.
pub fn neighbours(
    cursor: &mut dyn Cursor,
    head: Head,
    token: &str,
    seeks: &mut u64,
) -> Result<BTreeSet<String>, ViewError> {
    let mut found = BTreeSet::new();
    if token.chars().count() > LETTERS_MAX {
        return Ok(found);
    }
    for spelling in deletions(token) {
        let prefix = head.lexicon(DELETION, hash(&spelling));
        *seeks += 1;
        cursor.seek(&prefix, &prefix)?;
        while let Some((_, value)) = cursor.entry() {
            if let Ok(other) = std::str::from_utf8(value)
                && other != token
                && crate::search::score::distance::within_one(token, other)
            {
                found.insert(other.to_owned());
            }
            cursor.next()?;
        }
    }
    Ok(found)
}

/// The skeletons that stand for more than `token` itself among its neighbours.
pub fn skeletons(neighbours: &BTreeSet<String>) -> BTreeSet<String> {
    neighbours.iter().map(|neighbour| skeleton::skeleton(neighbour)).collect()
}

fn deletions(token: &str) -> BTreeSet<String> {
    let letters: Vec<char> = token.chars().collect();
    let mut spellings = BTreeSet::from([token.to_owned()]);
    if letters.len() >= 2 {
        for left_out in 0..letters.len() {
            spellings.insert(
                letters.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, letter)| *letter).collect(),
            );
        }
    }
    spellings
}

fn hash(text: &str) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..8]);
    bytes
}

fn read_count(value: &[u8]) -> Option<u32> {
    value.first_chunk::<4>().map(|count| u32::from_be_bytes(*count))
}

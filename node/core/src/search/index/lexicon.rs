//! Which name tokens are in use, so that a misspelt one can be led to its neighbours.
//!
//! Two kinds of entries under one partition: *word* entries count in how many alerts of each label a token stands;
//! *deletion* entries lead from each spelling with one letter left out (and from the token itself) to the token. They are
//! written when the first alert with the token comes and removed when the last goes, in the same batch, so every snapshot
//! holds exactly the tokens of its alerts. Two spellings one insertion, deletion, substitution or transposition apart
//! share a deletion. A token leads only those on who may see an alert that it stands in: a hidden alert's name would
//! otherwise show visible ones that sound like it.

use std::collections::BTreeSet;

use super::key::Head;
use crate::{
    alert::LabelId,
    search::{
        normalise::name::{Class, Token, effective},
        score::distance::within_one,
    },
    state::{Cursor, View, ViewError, Write, family::Family, scan_prefix},
};

use super::derive::{FORMS_MAX, IndexInput};

/// Kind of a counting entry: hash of the word, label -> count (4 bytes).
pub const WORD: u8 = b'T';
/// Kind of a deletion entry: hash of the shortened letters, hash of the word -> class (8 bytes), letters.
pub const DELETION: u8 = b'D';
/// Longest token that has neighbours, in letters.
pub const LETTERS_MAX: usize = 24;
/// Shorter tokens have no neighbours: LI is not LU.
pub const LETTERS_MIN: usize = 3;

/// A token in use: its letters, as somebody would type them, and the class that its postings stand under.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Word {
    /// Romanised letters.
    pub letters: String,
    /// Its class in index keys.
    pub class: Class,
}

impl Word {
    /// Of a token.
    pub fn of(token: &Token) -> Self {
        Self { class: token.class(), letters: token.letters().to_owned() }
    }

    fn hash(&self) -> [u8; 8] {
        let mut bytes = self.class.0.to_vec();
        bytes.extend_from_slice(self.letters.as_bytes());
        hash(&bytes)
    }

    fn encode(&self) -> Vec<u8> {
        [&self.class.0, self.letters.as_bytes()].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (class, letters) = bytes.split_first_chunk::<8>()?;
        Some(Self { letters: std::str::from_utf8(letters).ok()?.to_owned(), class: Class(*class) })
    }
}

/// The words of one alert that the lexicon counts, each once.
fn words(input: &IndexInput<'_>) -> BTreeSet<Word> {
    input
        .forms()
        .take(FORMS_MAX)
        .flat_map(|form| effective(&form.tokens).map(Word::of).collect::<Vec<_>>())
        .filter(|word| (LETTERS_MIN - 1..=LETTERS_MAX).contains(&word.letters.chars().count()))
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
        input.map(|input| {
            let head = Head { normaliser: input.normaliser.version(), partition: input.partition };
            (Place { head, label: input.label }, words(input))
        })
    };
    let (old, new) = (listed(old), listed(new));
    let mut writes = Vec::new();
    for (mine, other, more) in [(&new, &old, true), (&old, &new, false)] {
        let Some((place, words)) = mine else { continue };
        let other = other.as_ref().filter(|(other, _)| other.head == place.head);
        for word in words {
            match other {
                Some((other, kept)) if kept.contains(word) && other.label == place.label => {}
                // The alert changes its label and keeps the word.
                Some((_, kept)) if kept.contains(word) => {
                    count(view, *place, word, more, &mut writes)?;
                }
                _ => {
                    let changed = count(view, *place, word, more, &mut writes)?;
                    if changed && !has_other_label(view, *place, word)? {
                        lead(place.head, word, more, &mut writes);
                    }
                }
            }
        }
    }
    Ok(writes)
}

/// Where a word is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    head: Head,
    label: LabelId,
}

/// Counts one alert more or less that has `word`; `true` when it is the first or was the last of its label.
fn count(view: &dyn View, place: Place, word: &Word, more: bool, writes: &mut Vec<Write>) -> Result<bool, ViewError> {
    let mut key = place.head.lexicon(WORD, word.hash());
    key.extend_from_slice(&place.label.to_be_bytes());
    let before = match view.get(Family::Lexicon, &key)? {
        Some(value) => count_of(&value)?,
        None => 0,
    };
    let now = if more { before + 1 } else { before.saturating_sub(1) };
    writes.push((Family::Lexicon, key, (now > 0).then(|| now.to_be_bytes().to_vec())));
    Ok((before == 0) != (now == 0))
}

/// Alerts of another label have the word.
fn has_other_label(view: &dyn View, place: Place, word: &Word) -> Result<bool, ViewError> {
    let mut has = false;
    scan_prefix(view, Family::Lexicon, &place.head.lexicon(WORD, word.hash()), |key, _| {
        has = label_of(key)? != place.label;
        Ok(!has)
    })?;
    Ok(has)
}

/// The label at the end of a counting entry's key.
fn label_of(key: &[u8]) -> Result<LabelId, ViewError> {
    let label = key.last_chunk::<4>().ok_or_else(|| ViewError("a lexicon key does not decode".into()))?;
    Ok(LabelId::from_be_bytes(*label))
}

fn count_of(value: &[u8]) -> Result<u32, ViewError> {
    Ok(u32::from_be_bytes(value.try_into().map_err(|_| ViewError("a lexicon entry does not decode".into()))?))
}

/// Sets or removes what leads to `word`.
fn lead(head: Head, word: &Word, set: bool, writes: &mut Vec<Write>) {
    for spelling in deletions(&word.letters) {
        let mut key = head.lexicon(DELETION, hash(spelling.as_bytes()));
        key.extend_from_slice(&word.hash());
        writes.push((Family::Lexicon, key, set.then(|| word.encode())));
    }
}

/// The words in use that are at most one typing error from `letters`. Words that stand in alerts alone whose label is not
/// seen, as `sees` tells, lead nowhere. `seeks` counts what was sought for `letters` alone: it does not depend on what is in
/// the store.
pub fn neighbours(
    cursor: &mut dyn Cursor,
    head: Head,
    letters: &str,
    sees: &mut dyn FnMut(LabelId) -> Result<bool, ViewError>,
    seeks: &mut u64,
) -> Result<BTreeSet<Word>, ViewError> {
    let mut near = BTreeSet::new();
    if letters.chars().count() > LETTERS_MAX {
        return Ok(near);
    }
    for spelling in deletions(letters) {
        let prefix = head.lexicon(DELETION, hash(spelling.as_bytes()));
        *seeks += 1;
        cursor.seek(&prefix, &prefix)?;
        while let Some((_, value)) = cursor.entry() {
            let word = Word::decode(value).ok_or_else(|| ViewError("a lexicon entry does not decode".into()))?;
            if within_one(letters, &word.letters) {
                near.insert(word);
            }
            cursor.next()?;
        }
    }
    let mut found = BTreeSet::new();
    for word in near {
        let prefix = head.lexicon(WORD, word.hash());
        cursor.seek(&prefix, &prefix)?;
        while let Some((key, _)) = cursor.entry() {
            if sees(label_of(key)?)? {
                found.insert(word);
                break;
            }
            cursor.next()?;
        }
    }
    Ok(found)
}

/// In how many alerts `word` stands, as far as `sees` tells that their labels are seen.
pub fn bearers(
    cursor: &mut dyn Cursor,
    head: Head,
    word: &Word,
    sees: &mut dyn FnMut(LabelId) -> Result<bool, ViewError>,
) -> Result<u64, ViewError> {
    let prefix = head.lexicon(WORD, word.hash());
    cursor.seek(&prefix, &prefix)?;
    let mut count = 0;
    while let Some((key, value)) = cursor.entry() {
        if sees(label_of(key)?)? {
            count += u64::from(count_of(value)?);
        }
        cursor.next()?;
    }
    Ok(count)
}

/// The word and every spelling of it with one letter left out.
fn deletions(letters: &str) -> BTreeSet<String> {
    let characters: Vec<char> = letters.chars().collect();
    let without = |left_out: usize| {
        characters.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, letter)| *letter).collect::<String>()
    };
    let mut spellings: BTreeSet<String> = (0..characters.len()).map(without).filter(|left| !left.is_empty()).collect();
    spellings.insert(letters.to_owned());
    spellings
}

fn hash(bytes: &[u8]) -> [u8; 8] {
    let mut hash = [0; 8];
    hash.copy_from_slice(&blake3::hash(bytes).as_bytes()[..8]);
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_one_typing_error_apart_share_a_deletion() {
        for (a, b) in
            [("MARTIN", "MARTN"), ("MARTIN", "MARTUN"), ("MARTIN", "MATRIN"), ("MARTIN", "MARTINE"), ("ABC", "BAC")]
        {
            assert!(!deletions(a).is_disjoint(&deletions(b)), "{a} {b}");
        }
        assert!(deletions("MARTIN").is_disjoint(&deletions("KELLER")));
    }
}

//! What a change of an alert changes in the index.

use std::collections::BTreeMap;

use super::{
    derive::{IndexInput, derive},
    key::Head,
    lexicon,
};
use crate::{
    search::NORMALISER_VERSION,
    state::{Overlay, ViewError, family::Family},
};

/// Brings the index from `old` to `new`, in `overlay`. `None` stands for an alert that is not active (not yet, no more,
/// never was): it has no entries. Entries that both have stay as they are.
///
/// Fails when asked for a normaliser that this node does not have: the node must not go on.
pub fn update(
    overlay: &mut Overlay<'_>,
    old: Option<&IndexInput<'_>>,
    new: Option<&IndexInput<'_>>,
) -> Result<(), ViewError> {
    let before = entries(old)?;
    let after = entries(new)?;
    for (family, key) in before.keys() {
        if !after.contains_key(&(*family, key.clone())) {
            overlay.set(*family, key.clone(), None);
        }
    }
    for ((family, key), value) in after {
        if before.get(&(family, key.clone())) != Some(&value) {
            overlay.set(family, key, Some(value));
        }
    }
    let words = |input: Option<&IndexInput<'_>>| {
        let head = input.map(|input| Head { normaliser: input.normaliser, partition: input.partition });
        (head, input.map(lexicon::tokens).unwrap_or_default())
    };
    let ((old_head, old_words), (new_head, new_words)) = (words(old), words(new));
    let same_lists = old_head == new_head;
    if let Some(head) = new_head {
        for word in new_words.iter().filter(|word| !same_lists || !old_words.contains(*word)) {
            lexicon::count(overlay, head, word, true)?;
        }
    }
    if let Some(head) = old_head {
        for word in old_words.iter().filter(|word| !same_lists || !new_words.contains(*word)) {
            lexicon::count(overlay, head, word, false)?;
        }
    }
    Ok(())
}

type Entries = BTreeMap<(Family, Vec<u8>), Vec<u8>>;

fn entries(input: Option<&IndexInput<'_>>) -> Result<Entries, ViewError> {
    let mut entries = Entries::new();
    if let Some(input) = input {
        if input.normaliser != NORMALISER_VERSION {
            return Err(ViewError(format!("normaliser {} is not in this release", input.normaliser)));
        }
        derive(input, &mut |family, key, value| {
            entries.insert((family, key), value);
        });
    }
    Ok(entries)
}

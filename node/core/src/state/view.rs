//! What the state machine and searches read through, whatever lies beneath: RocksDB, the simulator's engine, a map.

use std::{collections::BTreeMap, ops::Bound};

use thiserror::Error;

use super::family::Family;

/// A read that the engine could not serve, or bytes that do not decode. Never an answer: the node stops.
#[derive(Debug, Error)]
#[error("state cannot be read: {0}")]
pub struct ViewError(pub String);

impl From<crate::codec::CodecError> for ViewError {
    fn from(error: crate::codec::CodecError) -> Self {
        Self(error.to_string())
    }
}

/// One consistent state of the store at one applied log index.
pub trait View {
    /// The value of `key`, or `None`.
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, ViewError>;

    /// True when `key` may exist; a cheap filter probe where the engine has one. A false positive is allowed, a false
    /// negative never.
    fn may_contain(&self, family: Family, key: &[u8]) -> Result<bool, ViewError> {
        Ok(self.get(family, key)?.is_some())
    }

    /// A cursor over one family in key order. Make it once and seek often: opening costs more than seeking.
    fn cursor(&self, family: Family) -> Box<dyn Cursor + '_>;
}

/// Walks one family in key order.
pub trait Cursor {
    /// Moves to the first key that is `>= key` **and starts with `prefix`** (engines use `prefix` for their filters;
    /// beyond it the cursor is not valid). `prefix` is itself a prefix of `key`; empty means the whole family.
    fn seek(&mut self, key: &[u8], prefix: &[u8]) -> Result<(), ViewError>;
    /// The entry at the cursor, or `None` past the end of the prefix.
    fn entry(&self) -> Option<(&[u8], &[u8])>;
    /// Moves on by one entry.
    fn next(&mut self) -> Result<(), ViewError>;
}

/// Calls `visit` for each entry that starts with `prefix`, in key order, until it answers `false`.
pub fn scan_prefix(
    view: &dyn View,
    family: Family,
    prefix: &[u8],
    visit: impl FnMut(&[u8], &[u8]) -> Result<bool, ViewError>,
) -> Result<(), ViewError> {
    let mut cursor = view.cursor(family);
    cursor.seek(prefix, prefix)?;
    walk(&mut *cursor, visit)
}

/// Calls `visit` for each entry of the family from key `from` on, in key order, until it answers `false`.
pub fn scan_from(
    view: &dyn View,
    family: Family,
    from: &[u8],
    visit: impl FnMut(&[u8], &[u8]) -> Result<bool, ViewError>,
) -> Result<(), ViewError> {
    let mut cursor = view.cursor(family);
    cursor.seek(from, b"")?;
    walk(&mut *cursor, visit)
}

fn walk(
    cursor: &mut dyn Cursor,
    mut visit: impl FnMut(&[u8], &[u8]) -> Result<bool, ViewError>,
) -> Result<(), ViewError> {
    while let Some((key, value)) = cursor.entry() {
        if !visit(key, value)? {
            break;
        }
        cursor.next()?;
    }
    Ok(())
}

/// One change of one key: `None` deletes.
pub type Write = (Family, Vec<u8>, Option<Vec<u8>>);

type Entries = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// A view with writes on top that are not yet in the engine: later commands of a batch see the earlier ones.
pub struct Overlay<'a> {
    base: &'a dyn View,
    writes: BTreeMap<Family, Entries>,
}

impl<'a> Overlay<'a> {
    /// An overlay without writes.
    pub fn new(base: &'a dyn View) -> Self {
        Self { base, writes: BTreeMap::new() }
    }

    /// Puts (`Some`) or deletes (`None`) one key.
    pub fn set(&mut self, family: Family, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.writes.entry(family).or_default().insert(key, value);
    }

    /// All writes, by family and key.
    pub fn into_writes(self) -> Vec<Write> {
        self.writes
            .into_iter()
            .flat_map(|(family, entries)| entries.into_iter().map(move |(key, value)| (family, key, value)))
            .collect()
    }
}

impl View for Overlay<'_> {
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, ViewError> {
        match self.writes.get(&family).and_then(|entries| entries.get(key)) {
            Some(written) => Ok(written.clone()),
            None => self.base.get(family, key),
        }
    }

    fn cursor(&self, family: Family) -> Box<dyn Cursor + '_> {
        match self.writes.get(&family) {
            None => self.base.cursor(family),
            Some(writes) => {
                Box::new(MergedCursor { base: self.base.cursor(family), writes, at: None, prefix: Vec::new() })
            }
        }
    }
}

/// The base's entries with the overlay's on top.
struct MergedCursor<'a> {
    base: Box<dyn Cursor + 'a>,
    writes: &'a Entries,
    at: Option<(Vec<u8>, Vec<u8>)>,
    prefix: Vec<u8>,
}

impl MergedCursor<'_> {
    /// Finds the first live entry at or after `from` in the overlay and at the base cursor.
    fn settle(&mut self, mut from: Bound<Vec<u8>>) -> Result<(), ViewError> {
        loop {
            let written = self
                .writes
                .range((from.clone(), Bound::Unbounded))
                .next()
                .filter(|(key, _)| key.starts_with(&self.prefix));
            let stored = self.base.entry();
            match (written, stored) {
                (None, None) => {
                    self.at = None;
                    return Ok(());
                }
                (None, Some((key, value))) => {
                    self.at = Some((key.to_vec(), value.to_vec()));
                    return self.base.next();
                }
                (Some((key, _)), Some((stored_key, stored_value))) if stored_key < key.as_slice() => {
                    self.at = Some((stored_key.to_vec(), stored_value.to_vec()));
                    return self.base.next();
                }
                (Some((key, value)), stored) => {
                    if stored.is_some_and(|(stored_key, _)| stored_key == key.as_slice()) {
                        self.base.next()?;
                    }
                    if let Some(value) = value {
                        self.at = Some((key.clone(), value.clone()));
                        return Ok(());
                    }
                    from = Bound::Excluded(key.clone());
                }
            }
        }
    }
}

impl Cursor for MergedCursor<'_> {
    fn seek(&mut self, key: &[u8], prefix: &[u8]) -> Result<(), ViewError> {
        self.prefix = prefix.to_vec();
        self.base.seek(key, prefix)?;
        self.settle(Bound::Included(key.to_vec()))
    }

    fn entry(&self) -> Option<(&[u8], &[u8])> {
        self.at.as_ref().map(|(key, value)| (key.as_slice(), value.as_slice()))
    }

    fn next(&mut self) -> Result<(), ViewError> {
        match self.at.take() {
            None => Ok(()),
            Some((key, _)) => self.settle(Bound::Excluded(key)),
        }
    }
}

/// A state in memory: for tests of the core, and the model that engines are compared with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryView {
    families: BTreeMap<Family, BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl MemoryView {
    /// Applies writes as an engine's batch would.
    pub fn write(&mut self, writes: impl IntoIterator<Item = Write>) {
        for (family, key, value) in writes {
            let entries = self.families.entry(family).or_default();
            match value {
                Some(value) => entries.insert(key, value),
                None => entries.remove(&key),
            };
        }
        self.families.retain(|_, entries| !entries.is_empty());
    }

    /// All entries of one family, in key order.
    pub fn entries(&self, family: Family) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.families.get(&family).into_iter().flatten().map(|(key, value)| (key.as_slice(), value.as_slice()))
    }
}

impl View for MemoryView {
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, ViewError> {
        Ok(self.families.get(&family).and_then(|entries| entries.get(key)).cloned())
    }

    fn cursor(&self, family: Family) -> Box<dyn Cursor + '_> {
        static EMPTY: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        Box::new(MemoryCursor { entries: self.families.get(&family).unwrap_or(&EMPTY), at: None, prefix: Vec::new() })
    }
}

struct MemoryCursor<'a> {
    entries: &'a BTreeMap<Vec<u8>, Vec<u8>>,
    at: Option<(&'a Vec<u8>, &'a Vec<u8>)>,
    prefix: Vec<u8>,
}

impl Cursor for MemoryCursor<'_> {
    fn seek(&mut self, key: &[u8], prefix: &[u8]) -> Result<(), ViewError> {
        self.prefix = prefix.to_vec();
        let from = (Bound::Included(key.to_vec()), Bound::Unbounded);
        self.at = self.entries.range(from).next().filter(|(key, _)| key.starts_with(&self.prefix));
        Ok(())
    }

    fn entry(&self) -> Option<(&[u8], &[u8])> {
        self.at.map(|(key, value)| (key.as_slice(), value.as_slice()))
    }

    fn next(&mut self) -> Result<(), ViewError> {
        if let Some((key, _)) = self.at {
            let from = (Bound::Excluded(key.clone()), Bound::Unbounded);
            self.at = self.entries.range(from).next().filter(|(key, _)| key.starts_with(&self.prefix));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(view: &dyn View, prefix: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut found = Vec::new();
        scan_prefix(view, Family::Alerts, prefix, |key, value| {
            found.push((key.to_vec(), value.to_vec()));
            Ok(true)
        })
        .unwrap();
        found
    }

    #[test]
    fn an_overlay_reads_exactly_as_if_its_writes_were_in_the_base() {
        // Every pair of small write sets over four keys: the overlay against the written base.
        let keys: [&[u8]; 4] = [b"a", b"ab", b"b", b"c"];
        for base_bits in 0..16u32 {
            for overlay_choice in 0..81u32 {
                let mut base = MemoryView::default();
                base.write(
                    (0..4)
                        .filter(|i| base_bits & (1 << i) != 0)
                        .map(|i| (Family::Alerts, keys[i].to_vec(), Some(vec![0]))),
                );
                let mut overlay = Overlay::new(&base);
                let mut written = base.clone();
                let mut rest = overlay_choice;
                for key in keys {
                    let value = match rest % 3 {
                        0 => None,
                        1 => Some(None),
                        _ => Some(Some(vec![1])),
                    };
                    rest /= 3;
                    if let Some(value) = value {
                        overlay.set(Family::Alerts, key.to_vec(), value.clone());
                        written.write([(Family::Alerts, key.to_vec(), value)]);
                    }
                }
                for prefix in [b"".as_slice(), b"a", b"b", b"z"] {
                    assert_eq!(
                        collect(&overlay, prefix),
                        collect(&written, prefix),
                        "{base_bits} {overlay_choice} {prefix:?}"
                    );
                }
            }
        }
    }
}

//! Families as sorted arrays: the index of a million persons in a few gigabytes, without an engine.

use std::collections::BTreeMap;

use alert_core::state::{Cursor, View, ViewError, Write, family::Family};

/// Entries in the order in which they came.
#[derive(Default)]
pub struct Packer {
    families: BTreeMap<Family, Run>,
}

#[derive(Default)]
struct Run {
    bytes: Vec<u8>,
    starts: Vec<u64>,
}

impl Run {
    fn push(&mut self, key: &[u8], value: &[u8]) {
        self.starts.push(self.bytes.len() as u64);
        self.bytes.extend_from_slice(&(key.len() as u16).to_le_bytes());
        self.bytes.extend_from_slice(&(value.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
    }

    fn entry(&self, start: u64) -> (&[u8], &[u8]) {
        let bytes = &self.bytes[start as usize..];
        let key = usize::from(u16::from_le_bytes([bytes[0], bytes[1]]));
        let value = u32::from_le_bytes([bytes[2], bytes[3], bytes[4], bytes[5]]) as usize;
        (&bytes[6..6 + key], &bytes[6 + key..6 + key + value])
    }
}

impl Packer {
    /// Adds entries; each key comes once.
    pub fn add(&mut self, writes: impl IntoIterator<Item = Write>) {
        for (family, key, value) in writes {
            if let Some(value) = value {
                self.families.entry(family).or_default().push(&key, &value);
            }
        }
    }

    /// Sorts everything.
    pub fn finish(self, others: Vec<Packer>) -> Packed {
        let mut families = self.families;
        for other in others {
            for (family, run) in other.families {
                let mine = families.entry(family).or_default();
                let base = mine.bytes.len() as u64;
                mine.bytes.extend_from_slice(&run.bytes);
                mine.starts.extend(run.starts.iter().map(|start| start + base));
            }
        }
        for run in families.values_mut() {
            let mut starts = std::mem::take(&mut run.starts);
            starts.sort_unstable_by(|a, b| run.entry(*a).0.cmp(run.entry(*b).0));
            run.starts = starts;
        }
        Packed { families, none: Run::default() }
    }
}

/// The view.
pub struct Packed {
    families: BTreeMap<Family, Run>,
    none: Run,
}

impl Packed {
    /// (entries, bytes of keys and values) of each family.
    pub fn sizes(&self) -> impl Iterator<Item = (Family, u64, u64)> {
        self.families.iter().map(|(family, run)| {
            let entries = run.starts.len() as u64;
            (*family, entries, run.bytes.len() as u64 - 6 * entries)
        })
    }

    /// All of a family, in key order.
    pub fn entries(&self, family: Family) -> impl Iterator<Item = (&[u8], &[u8])> {
        let run = self.run(family);
        run.starts.iter().map(|start| run.entry(*start))
    }

    fn run(&self, family: Family) -> &Run {
        self.families.get(&family).unwrap_or(&self.none)
    }
}

impl View for Packed {
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, ViewError> {
        let run = self.run(family);
        let at = run.starts.binary_search_by(|start| run.entry(*start).0.cmp(key));
        Ok(at.ok().map(|at| run.entry(run.starts[at]).1.to_vec()))
    }

    fn cursor(&self, family: Family) -> Box<dyn Cursor + '_> {
        Box::new(PackedCursor { run: self.run(family), at: usize::MAX, prefix: Vec::new() })
    }
}

struct PackedCursor<'a> {
    run: &'a Run,
    at: usize,
    prefix: Vec<u8>,
}

impl Cursor for PackedCursor<'_> {
    fn seek(&mut self, key: &[u8], prefix: &[u8]) -> Result<(), ViewError> {
        self.prefix.clear();
        self.prefix.extend_from_slice(prefix);
        self.at = self.run.starts.partition_point(|start| self.run.entry(*start).0 < key);
        Ok(())
    }

    fn entry(&self) -> Option<(&[u8], &[u8])> {
        let entry = self.run.entry(*self.run.starts.get(self.at)?);
        entry.0.starts_with(&self.prefix).then_some(entry)
    }

    fn next(&mut self) -> Result<(), ViewError> {
        self.at += 1;
        Ok(())
    }
}

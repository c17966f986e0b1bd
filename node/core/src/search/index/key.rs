//! The layout of index keys. Golden bytes in the tests keep it from changing unseen.
//!
//! | family | prefix (the part that filters see) | then |
//! |---|---|---|
//! | number | version, partition, hash of the number | priority, newest first, id |
//! | born | version, partition, date of birth | priority, newest first, id, which of the alert's names |
//! | name_day | version, partition, class, month and day of birth | year, priority, newest first, id |
//! | name_pair | version, partition, hash of two classes | year, priority, newest first, id |
//! | name_one | version, partition, class | year, priority, newest first, id |
//! | lexicon | version, partition, kind of entry, hash | label, or (deletion entries) hash of the token |
//!
//! Numbers are hashed without their kind and country: any query is a query for any number, and the value says kind and
//! country before a record is read. They are hashed with their look-alikes folded: one entry answers for every way in
//! which a number can be read or misread, and the record says which of them it is.

use crate::{
    alert::{AlertId, Partition},
    search::normalise::{date::Date, name::Class, number},
    state::family::Family,
};

/// Version (2 bytes) and partition (1 byte), at the front of every key.
pub const HEAD_BYTES: usize = 3;
/// Priority (1), inverted creation time (8), id (16), at the end of a posting's key.
pub const TAIL_BYTES: usize = 25;

/// The length of the fixed prefix of a family's keys, for a prefix extractor with Bloom filters: an empty list then costs
/// a filter probe. `None` for families that are no index.
pub const fn prefix_length(family: Family) -> Option<usize> {
    match family {
        Family::Number => Some(HEAD_BYTES + 8),
        Family::Born => Some(HEAD_BYTES + 4),
        Family::NameDay => Some(HEAD_BYTES + 8 + 2),
        Family::NamePair | Family::NameOne => Some(HEAD_BYTES + 8),
        Family::Lexicon => Some(HEAD_BYTES + 1 + 8),
        _ => None,
    }
}

/// Version and partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The normaliser that made the key.
    pub normaliser: u32,
    /// Whose list it is in.
    pub partition: Partition,
}

impl Head {
    fn start(self, capacity: usize) -> Vec<u8> {
        let mut key = Vec::with_capacity(HEAD_BYTES + capacity);
        // Sixteen bits hold more versions than a store will ever see.
        key.extend_from_slice(&(self.normaliser as u16).to_be_bytes());
        key.push(self.partition as u8);
        key
    }

    /// The list of a number: [`Family::Number`].
    pub fn number(self, hash: [u8; 8]) -> Vec<u8> {
        let mut key = self.start(8 + TAIL_BYTES);
        key.extend_from_slice(&hash);
        key
    }

    /// The list of a day of birth, whatever the name: [`Family::Born`]. Which of the alert's names it is closes the key, so
    /// each has its own posting.
    pub fn born(self, date: Date) -> Vec<u8> {
        let mut key = self.start(5 + TAIL_BYTES);
        key.extend_from_slice(&date.to_bytes());
        key
    }

    /// The list of a class under one day of the year, unknown parts zero: [`Family::NameDay`]. A year follows.
    pub fn name_day(self, class: Class, date: Date) -> Vec<u8> {
        let mut key = self.start(12 + TAIL_BYTES);
        key.extend_from_slice(&class.0);
        key.extend_from_slice(&[date.month, date.day]);
        key
    }

    /// The list of two classes, in either order: [`Family::NamePair`]. A year follows.
    pub fn name_pair(self, a: Class, b: Class) -> Vec<u8> {
        let mut key = self.start(10 + TAIL_BYTES);
        key.extend_from_slice(&pair_hash(a, b));
        key
    }

    /// The list of one class: [`Family::NameOne`]. A year follows.
    pub fn name_one(self, class: Class) -> Vec<u8> {
        let mut key = self.start(10 + TAIL_BYTES);
        key.extend_from_slice(&class.0);
        key
    }

    /// The list of lexicon entries of one kind: [`Family::Lexicon`].
    pub fn lexicon(self, kind: u8, hash: [u8; 8]) -> Vec<u8> {
        let mut key = self.start(17);
        key.push(kind);
        key.extend_from_slice(&hash);
        key
    }
}

/// The version at the front of a key.
pub fn version_of(key: &[u8]) -> Option<u32> {
    key.first_chunk::<2>().map(|version| u32::from(u16::from_be_bytes(*version)))
}

/// Where the keys of a version begin; `None` beyond the last version.
pub fn first_of_version(version: u32) -> Option<Vec<u8>> {
    u16::try_from(version).ok().map(|version| version.to_be_bytes().to_vec())
}

/// Closes a list's prefix with the year that sub-divides it; 0 = unknown.
pub fn with_year(mut prefix: Vec<u8>, year: u16) -> Vec<u8> {
    prefix.extend_from_slice(&year.to_be_bytes());
    prefix
}

/// The year that follows a prefix of `length` bytes.
pub fn year_after(key: &[u8], length: usize) -> Option<u16> {
    key.get(length..)?.first_chunk::<2>().map(|year| u16::from_be_bytes(*year))
}

/// Closes a key: priority (lowest number first), newest first, id.
pub fn with_tail(mut key: Vec<u8>, tail: Tail) -> Vec<u8> {
    key.push(tail.priority);
    key.extend_from_slice(&(!tail.created_at_ms).to_be_bytes());
    key.extend_from_slice(tail.id.as_bytes());
    key
}

/// What every posting ends in, but for the byte that closes one of [`Family::Born`]. Sorts as postings do: what an
/// officer should see first comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tail {
    /// Of the alert's category; 0 is the highest.
    pub priority: u8,
    /// Milliseconds since 1970.
    pub created_at_ms: u64,
    /// The alert.
    pub id: AlertId,
}

impl Tail {
    /// From a posting's key.
    pub fn of_key(family: Family, key: &[u8]) -> Option<Self> {
        let end = key.len().checked_sub(usize::from(family == Family::Born))?;
        let tail = key.get(end.checked_sub(TAIL_BYTES)?..end)?;
        let created = u64::from_be_bytes(tail[1..9].try_into().ok()?);
        Some(Self { priority: tail[0], created_at_ms: !created, id: AlertId::from_slice(&tail[9..])? })
    }

    /// Ordering of postings: priority, newest, id.
    pub fn order(&self) -> (u8, u64, AlertId) {
        (self.priority, !self.created_at_ms, self.id)
    }
}

/// What the hash of a number stands for; keeps whole numbers, tails and ranges apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum NumberKey {
    /// The whole number.
    Whole = b'n',
    /// The last eight characters of a chassis number.
    VinTail = b't',
    /// A block of a range: a number whose last digits are open.
    Block = b'r',
}

/// The hash of a number in keys: the same for all that look alike.
pub fn number_hash(what: NumberKey, number: &str) -> [u8; 8] {
    let mut bytes = Vec::with_capacity(1 + number.len());
    bytes.push(what as u8);
    let mut utf8 = [0; 4];
    for character in number.chars().map(number::fold_char) {
        bytes.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
    }
    first_eight(&blake3::hash(&bytes))
}

fn pair_hash(a: Class, b: Class) -> [u8; 8] {
    let (low, high) = if a <= b { (a, b) } else { (b, a) };
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&low.0);
    bytes[8..].copy_from_slice(&high.0);
    first_eight(&blake3::hash(&bytes))
}

fn first_eight(hash: &blake3::Hash) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash.as_bytes()[..8]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: Head = Head { normaliser: 1, partition: Partition::Open };

    #[test]
    fn the_layout_on_disk_does_not_change() {
        let date = Date { year: 1974, month: 8, day: 12 };
        let class = Class([9; 8]);
        assert_eq!(HEAD.born(date), [0, 1, b'o', 7, 182, 8, 12]);
        assert_eq!(HEAD.name_day(class, date), [0, 1, b'o', 9, 9, 9, 9, 9, 9, 9, 9, 8, 12]);
        assert_eq!(HEAD.name_one(class), [0, 1, b'o', 9, 9, 9, 9, 9, 9, 9, 9]);
        let tail = Tail { priority: 2, created_at_ms: 1, id: AlertId::from_bytes([7; 16]) };
        let key = with_tail(with_year(Vec::new(), 1974), tail);
        assert_eq!(key[..11], [7, 182, 2, 255, 255, 255, 255, 255, 255, 255, 254]);
        assert_eq!(Tail::of_key(Family::NameOne, &key), Some(tail));
        assert_eq!(Tail::of_key(Family::NameOne, &key[3..]), None);
        assert_eq!(Tail::of_key(Family::Born, &[&key[..], &[1]].concat()), Some(tail));
    }

    #[test]
    fn every_list_begins_with_its_familys_prefix() {
        let class = Class([1; 8]);
        for (family, prefix) in [
            (Family::Number, HEAD.number([0; 8])),
            (Family::Born, HEAD.born(Date::UNKNOWN)),
            (Family::NameDay, HEAD.name_day(class, Date::UNKNOWN)),
            (Family::NamePair, HEAD.name_pair(class, Class::NONE)),
            (Family::NameOne, HEAD.name_one(class)),
            (Family::Lexicon, HEAD.lexicon(b'T', [0; 8])),
        ] {
            assert_eq!(prefix_length(family), Some(prefix.len()), "{family:?}");
        }
        assert_eq!(prefix_length(Family::Alerts), None);
    }

    #[test]
    fn a_pair_has_no_order_and_newer_postings_come_first() {
        let (a, b) = (Class([1; 8]), Class([2; 8]));
        assert_eq!(HEAD.name_pair(a, b), HEAD.name_pair(b, a));
        let tail = |priority, created_at_ms| Tail { priority, created_at_ms, id: AlertId::from_bytes([0; 16]) };
        let keys: Vec<_> = [tail(0, 5), tail(1, 9), tail(1, 3)].map(|tail| with_tail(Vec::new(), tail)).to_vec();
        assert!(keys.is_sorted());
    }
}

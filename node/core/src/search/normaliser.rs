//! Versions of the rules by which names become index keys, and which of them a release has.
//!
//! The version stands at the front of every index key. A change of anything that keys depend on is a new version: a
//! further [`Normaliser`] in [`SHIPPED`], beside the old one until no store serves by that any more. Everything that makes
//! or compares tokens gets the normaliser handed in, so one process can write and serve two versions, and a test can
//! bring a version of its own.

use std::fmt;

use super::normalise::name::{self, Token};
use crate::limits::NORMALISER_VERSION_MAX;

/// One version of the rules.
#[derive(Clone, Copy)]
pub struct Normaliser {
    version: u32,
    tokens: fn(&[&str]) -> Vec<Token>,
}

impl Normaliser {
    /// A version and how it reads the parts of one name. `version` is 1 to 65535: keys have two bytes for it.
    pub const fn new(version: u32, tokens: fn(&[&str]) -> Vec<Token>) -> Self {
        assert!(version > 0 && version <= NORMALISER_VERSION_MAX, "keys have two bytes for the version");
        Self { version, tokens }
    }

    /// The number at the front of its keys.
    pub const fn version(self) -> u32 {
        self.version
    }

    /// The tokens of one name, given in parts.
    pub fn tokens(self, parts: &[&str]) -> Vec<Token> {
        (self.tokens)(parts)
    }
}

impl Default for Normaliser {
    /// What a new store begins with.
    fn default() -> Self {
        SHIPPED[SHIPPED.len() - 1]
    }
}

impl PartialEq for Normaliser {
    fn eq(&self, other: &Self) -> bool {
        self.version == other.version
    }
}

impl Eq for Normaliser {}

impl fmt::Debug for Normaliser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "normaliser {}", self.version)
    }
}

/// The versions of this release, oldest first.
pub const SHIPPED: &[Normaliser] =
    &[Normaliser::new(super::NORMALISER_VERSION, |parts| name::tokens(parts.iter().copied()))];

/// The versions that one node has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Normalisers(&'static [Normaliser]);

impl Normalisers {
    /// These, each once.
    pub const fn new(normalisers: &'static [Normaliser]) -> Self {
        Self(normalisers)
    }

    /// One version, if this node has it.
    pub fn get(self, version: u32) -> Option<Normaliser> {
        self.0.iter().find(|normaliser| normaliser.version == version).copied()
    }

    /// One version, or one sentence for the operator.
    ///
    /// # Errors
    /// This node does not have it.
    pub fn require(self, version: u32) -> Result<Normaliser, UnknownNormaliser> {
        self.get(version).ok_or_else(|| UnknownNormaliser { wanted: version, known: self.versions().collect() })
    }

    /// All versions, in order.
    pub fn versions(self) -> impl Iterator<Item = u32> {
        self.0.iter().map(|normaliser| normaliser.version)
    }
}

impl Default for Normalisers {
    fn default() -> Self {
        Self(SHIPPED)
    }
}

/// The store works by a normaliser that this node does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the store's index is kept by normaliser {wanted}, which this release does not have (it has {known:?}): start this \
     node with the release that the other nodes run"
)]
pub struct UnknownNormaliser {
    /// The version asked for.
    pub wanted: u32,
    /// Those that are here.
    pub known: Vec<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_apart_and_an_unknown_one_is_refused_with_the_way_out() {
        let shipped = Normalisers::default();
        assert_eq!(shipped.get(super::super::NORMALISER_VERSION), Some(Normaliser::default()));
        let refused = shipped.require(999).unwrap_err().to_string();
        assert!(refused.contains("normaliser 999") && refused.contains("release"), "{refused}");
        let mut versions: Vec<u32> = shipped.versions().collect();
        versions.dedup();
        assert!(versions.is_sorted() && versions.len() == SHIPPED.len());
    }
}

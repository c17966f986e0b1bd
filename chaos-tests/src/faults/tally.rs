//! Whether each fault that a run asked for took effect. One that did not proves nothing.

use std::collections::BTreeMap;

use super::Kind;

/// Faults of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<Kind, (u32, u32)>);

impl Tally {
    /// The fault was tried.
    pub fn tried(&mut self, kind: Kind) {
        self.0.entry(kind).or_default().0 += 1;
    }

    /// ... and something came of it.
    pub fn took_effect(&mut self, kind: Kind) {
        self.0.entry(kind).or_default().1 += 1;
    }

    /// So many faults of a kind that the clients are the cause of.
    pub fn happened(&mut self, kind: Kind, times: u32) {
        let (tried, effects) = self.0.entry(kind).or_default();
        (*tried, *effects) = (*tried + times, *effects + times);
    }

    pub fn effects(&self, kind: Kind) -> u32 {
        self.0.get(&kind).map_or(0, |(_, effects)| *effects)
    }

    /// Those of `wanted` that never took effect.
    pub fn without_effect<'a>(&'a self, wanted: &'a [Kind]) -> impl Iterator<Item = Kind> + 'a {
        wanted.iter().copied().filter(|kind| self.effects(*kind) == 0)
    }

    pub fn iter(&self) -> impl Iterator<Item = (Kind, u32)> + '_ {
        self.0.iter().map(|(kind, (_, effects))| (*kind, *effects))
    }
}

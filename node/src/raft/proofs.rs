//! What came of the probes: a state that has applied the index which a probe brought back is as fresh as the moment the
//! probe left.

use std::{collections::VecDeque, time::Duration};

/// Most proofs that are kept.
const KEPT_MAX: usize = 128;
/// Of those that the newest state fulfils, so many are kept for readers that hold an older one. The last of them tells
/// the age of the newest state.
const FULFILLED_KEPT: usize = 16;

/// A probe that came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// When it left, as time since boot.
    pub sent_at: Duration,
    /// How far it found the log committed.
    pub index: u64,
}

/// Proofs in the order of their indexes, which is the order of their times too: one that asks for more and proves less
/// is not kept.
#[derive(Debug, Default)]
pub struct Proofs {
    kept: VecDeque<Proof>,
    /// The highest index of a state that was asked about.
    applied_index: u64,
}

impl Proofs {
    /// Keeps a proof. Too many that wait for their index are thinned out evenly: were the oldest dropped, a node that lags
    /// by more than they span would never reach one, and never prove anything again.
    pub fn add(&mut self, proof: Proof) {
        if self.sent_at(proof.index).is_some_and(|sent_at| sent_at >= proof.sent_at) {
            return;
        }
        let place = self.kept.partition_point(|kept| kept.index < proof.index);
        let newer = self.kept.partition_point(|kept| kept.sent_at <= proof.sent_at);
        self.kept.drain(place..newer);
        self.kept.insert(place, proof);
        let fulfilled = self.kept.partition_point(|kept| kept.index <= self.applied_index);
        self.kept.drain(..fulfilled.saturating_sub(FULFILLED_KEPT));
        if self.kept.len() > KEPT_MAX {
            let mut unfulfilled = 0;
            self.kept.retain(|kept| {
                unfulfilled += usize::from(kept.index > self.applied_index);
                unfulfilled == 0 || unfulfilled % 2 == 1
            });
        }
    }

    /// When the newest probe left that a state at `applied_index` fulfils; `None` = nothing is known of such a state.
    pub fn of(&mut self, applied_index: u64) -> Option<Duration> {
        self.applied_index = self.applied_index.max(applied_index);
        self.sent_at(applied_index)
    }

    fn sent_at(&self, applied_index: u64) -> Option<Duration> {
        let beyond = self.kept.partition_point(|kept| kept.index <= applied_index);
        Some(self.kept[beyond.checked_sub(1)?].sent_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn of(proofs: impl IntoIterator<Item = (u64, u64)>) -> Proofs {
        let mut kept = Proofs::default();
        proofs.into_iter().for_each(|(sent_at, index)| kept.add(Proof { sent_at: ms(sent_at), index }));
        kept
    }

    #[test]
    fn an_older_state_is_no_younger_because_a_newer_one_was_asked_about() {
        let mut proofs = of([(10, 5), (20, 7)]);
        assert_eq!(proofs.of(7), Some(ms(20)));
        assert_eq!((proofs.of(6), proofs.of(5)), (Some(ms(10)), Some(ms(10))));
        assert_eq!(proofs.of(4), None, "it fulfils no probe that came back");
    }

    #[test]
    fn probes_may_come_back_in_any_order() {
        let sent = [(10, 5), (20, 5), (30, 6), (40, 8)];
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]] {
            let mut proofs = of(order.map(|position| sent[position]));
            assert_eq!(
                [4, 5, 6, 7, 8].map(|index| proofs.of(index)),
                [None, Some(20), Some(30), Some(30), Some(40)].map(|at: Option<u64>| at.map(ms))
            );
        }
    }

    #[test]
    fn the_age_of_the_newest_state_is_known_however_many_probes_come_back() {
        let mut proofs = Proofs::default();
        for round in 1..=10_000 {
            proofs.add(Proof { sent_at: ms(round), index: 3 * round });
            assert_eq!(proofs.of(3 * round), Some(ms(round)));
            assert_eq!(proofs.of(3 * round.saturating_sub(5)), round.checked_sub(5).filter(|at| *at > 0).map(ms));
            assert!(proofs.kept.len() <= KEPT_MAX);
        }
    }

    #[test]
    fn a_node_that_always_lags_still_proves_how_old_its_state_is() {
        // A probe every 2 ms finds the log two entries further; this node is 400 entries behind all the time.
        let mut proofs = Proofs::default();
        for round in 1..=2000 {
            let sent_at = ms(2 * round);
            proofs.add(Proof { sent_at, index: 2 * round });
            let proven_at = proofs.of((2 * round).saturating_sub(400));
            if round > 400 {
                // 200 rounds behind, and never much more than that: proofs are thinned out, not lost.
                let age = sent_at.saturating_sub(proven_at.expect("something is proven"));
                assert!(age <= ms(700), "round {round}: {age:?}");
            }
            assert!(proofs.kept.len() <= KEPT_MAX);
        }
    }
}

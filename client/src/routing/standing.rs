//! A node's standing with this client: in favour, out of favour for a while, or on trial. Pure: time comes in.

use std::time::Duration;

use tokio::time::Instant;

use crate::limits;

/// Why a node is out of favour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It refuses connections, or says nothing: dead, stopped, or cut off.
    Unreachable,
    /// It answers, and says that it cannot serve reads: behind, installing a snapshot, without a quorum, stopping.
    NotServing,
    /// It answers much later than the others.
    Slow,
}

impl Trouble {
    /// As a label of metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::NotServing => "not-serving",
            Self::Slow => "slow",
        }
    }
}

/// What a call may do with a node now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Favour {
    Good,
    /// Its time out of favour is over: one call may try it.
    Trial,
    /// Left alone until then.
    Out(Instant),
}

#[derive(Debug, Default)]
pub(crate) struct Standing {
    trouble: Option<Trouble>,
    /// How often in a row it fell out of favour.
    falls: u32,
    until: Option<Instant>,
    /// Some call tries it, and has until then.
    trial_until: Option<Instant>,
    /// It asked to be left alone until then: its queues are full.
    rests_until: Option<Instant>,
    /// Looks in a row that found it silent.
    misses: u32,
}

impl Standing {
    pub fn trouble(&self) -> Option<Trouble> {
        self.trouble
    }

    pub fn favour(&self, now: Instant) -> Favour {
        if let Some(until) = self.rests_until.filter(|until| *until > now) {
            return Favour::Out(until);
        }
        match (self.trouble, self.until, self.trial_until) {
            (None, ..) => Favour::Good,
            (Some(_), Some(until), _) if until > now => Favour::Out(until),
            (Some(_), _, Some(until)) if until > now => Favour::Out(until),
            (Some(_), ..) => Favour::Trial,
        }
    }

    /// True for writes too: nobody is there.
    pub fn is_reachable(&self, now: Instant) -> bool {
        self.trouble != Some(Trouble::Unreachable) || self.favour(now) == Favour::Trial
    }

    /// Out of favour, each time in a row for longer. Calls that were under way and fail together count once. True when it
    /// falls now.
    pub fn fall(&mut self, trouble: Trouble, at_least: Duration, now: Instant) -> bool {
        self.trial_until = None;
        if self.trouble.is_some() && self.until.is_some_and(|until| until > now) {
            // Unreachable outweighs what it said before it went silent.
            if trouble == Trouble::Unreachable {
                self.trouble = Some(trouble);
            }
            return false;
        }
        let pause = pause(limits::EJECTION_MIN, limits::EJECTION_MAX, self.falls).max(at_least);
        self.falls = self.falls.saturating_add(1);
        self.trouble = Some(trouble);
        self.until = Some(now + pause);
        true
    }

    pub fn begin_trial(&mut self, now: Instant) {
        self.trial_until = Some(now + limits::TRIAL);
    }

    /// Somebody looked and found it in `trouble`. While it is looked after, no call has to try it.
    pub fn found_in(&mut self, trouble: Trouble, now: Instant) -> bool {
        let fell = self.fall(trouble, Duration::ZERO, now);
        self.until = self.until.max(Some(now + limits::EJECTION_MIN));
        fell
    }

    /// It was asked and did not say a word. True when this is the second time in a row: it is lost, and so is
    /// all that waits for it.
    pub fn missed(&mut self) -> bool {
        self.misses = self.misses.saturating_add(1);
        self.misses == limits::MISSES_UNTIL_LOST
    }

    /// It said something, whatever it was.
    pub fn heard(&mut self) {
        self.misses = 0;
        if self.trouble == Some(Trouble::Unreachable) {
            self.forgive();
        }
    }

    /// It said that it serves reads.
    pub fn serves(&mut self) {
        self.heard();
        if self.trouble == Some(Trouble::NotServing) {
            self.forgive();
        }
    }

    /// Back in favour, with a clean sheet.
    pub fn forgive(&mut self) {
        let rests_until = self.rests_until;
        *self = Self { rests_until, ..Self::default() };
    }

    /// It asked to be left alone.
    pub fn rest(&mut self, until: Instant) {
        self.rests_until = self.rests_until.max(Some(until));
    }
}

/// `min` doubled `times` times, at most `max`.
pub(crate) fn pause(min: Duration, max: Duration, times: u32) -> Duration {
    min.saturating_mul(2_u32.saturating_pow(times)).min(max)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_TIME: Duration = Duration::ZERO;

    #[tokio::test(start_paused = true)]
    async fn a_node_is_left_alone_for_longer_and_longer_and_forgiven_at_once() {
        let (mut standing, mut now) = (Standing::default(), Instant::now());
        assert_eq!(standing.favour(now), Favour::Good);
        let mut pauses = Vec::new();
        for _ in 0..20 {
            assert!(standing.fall(Trouble::Unreachable, NO_TIME, now));
            let Favour::Out(until) = standing.favour(now) else { panic!("in favour after a failure") };
            pauses.push(until - now);
            now = until;
            assert_eq!(standing.favour(now), Favour::Trial);
        }
        assert_eq!(
            (pauses[0], pauses[1], pauses[19]),
            (limits::EJECTION_MIN, limits::EJECTION_MIN * 2, limits::EJECTION_MAX)
        );
        standing.heard();
        assert_eq!(standing.favour(now), Favour::Good);
        standing.fall(Trouble::Unreachable, NO_TIME, now);
        assert_eq!(standing.favour(now), Favour::Out(now + limits::EJECTION_MIN));
    }

    #[tokio::test(start_paused = true)]
    async fn a_hundred_calls_that_fail_together_are_one_fall() {
        let (mut standing, now) = (Standing::default(), Instant::now());
        let falls = (0..100).filter(|_| standing.fall(Trouble::Unreachable, NO_TIME, now)).count();
        assert_eq!((falls, standing.favour(now)), (1, Favour::Out(now + limits::EJECTION_MIN)));
    }

    #[tokio::test(start_paused = true)]
    async fn one_call_at_a_time_tries_a_node_whose_time_is_over() {
        let (mut standing, mut now) = (Standing::default(), Instant::now());
        standing.fall(Trouble::Slow, NO_TIME, now);
        now += limits::EJECTION_MIN;
        assert_eq!(standing.favour(now), Favour::Trial);
        standing.begin_trial(now);
        assert_eq!(standing.favour(now), Favour::Out(now + limits::TRIAL), "another call finds it on trial");
        now += limits::TRIAL;
        assert_eq!(standing.favour(now), Favour::Trial, "a trial that never ended is no verdict");
    }

    #[tokio::test(start_paused = true)]
    async fn while_a_node_is_looked_after_no_call_has_to_try_it() {
        let (mut standing, mut now) = (Standing::default(), Instant::now());
        for _ in 0..100 {
            standing.found_in(Trouble::NotServing, now);
            now += limits::LOOK_INTERVAL;
            assert!(matches!(standing.favour(now), Favour::Out(_)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_word_proves_life_and_not_that_reads_are_served() {
        let (mut standing, now) = (Standing::default(), Instant::now());
        standing.fall(Trouble::NotServing, NO_TIME, now);
        standing.heard();
        assert!(matches!(standing.favour(now), Favour::Out(_)));
        assert!(standing.is_reachable(now), "a write may go there");
        standing.serves();
        assert_eq!(standing.favour(now), Favour::Good);
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_node_rests_as_long_as_it_asked_and_stays_in_favour() {
        let (mut standing, now) = (Standing::default(), Instant::now());
        let until = now + Duration::from_secs(1);
        standing.rest(until);
        assert_eq!(standing.favour(now), Favour::Out(until));
        standing.serves();
        assert_eq!(standing.favour(now), Favour::Out(until), "an answer to another call does not end its rest");
        assert_eq!(standing.favour(until), Favour::Good);
    }

    #[tokio::test(start_paused = true)]
    async fn the_second_silence_in_a_row_is_a_loss() {
        let mut standing = Standing::default();
        assert!(!standing.missed());
        standing.heard();
        assert!(!standing.missed());
        assert!(standing.missed());
        assert!(!standing.missed(), "told once");
    }
}

//! How old the state behind an answer may be: as its level says, as its own label says, and never older than a second, so
//! that what was cancelled or suspended, and what an agreement that was suspended or changed gave sight of, is shown no
//! later than a second after that was acknowledged.
//!
//! A state holds all that was acknowledged before the moment that it is said to be of. When an answer left its node is not
//! known: it was not before the call, and where messages take a bounded time, not long before it arrived.

use super::{
    Findings,
    feed::{follower, sees},
    replay::Course,
};
use crate::model::{Acknowledged, Followed, Level, Searched};

const SECOND_US: u64 = 1_000_000;

pub(super) struct Promise<'a> {
    pub acknowledged: &'a [Acknowledged],
    pub agreement_changes: &'a [Acknowledged],
    /// Nodes measure an age to within this.
    pub clock_error_us: u64,
    /// `None`: an answer may be under way for any time.
    pub arrives_within_us: Option<u64>,
    pub course: &'a Course,
}

impl Promise<'_> {
    pub fn judge(&self, searches: &[Searched], feeds: &[Followed]) -> Findings {
        let mut findings = Findings::default();
        searches.iter().for_each(|search| self.search(search, &mut findings));
        if self.arrives_within_us.is_some() {
            feeds.iter().for_each(|feed| self.feed(feed, &mut findings));
        }
        findings
    }

    /// The newest revision that was acknowledged before a moment.
    fn before(&self, moment_us: u64) -> u64 {
        let old = self.acknowledged.iter().filter(|change| change.at_us < moment_us);
        old.map(|change| change.revision).max().unwrap_or(0)
    }

    /// The moment that is so long before another, as far as a node can tell.
    fn ago(&self, moment_us: u64, age_us: u64) -> u64 {
        moment_us.saturating_sub(age_us + self.clock_error_us)
    }

    fn search(&self, search: &Searched, findings: &mut Findings) {
        findings.checked += 1;
        let mut demand = |promise, moment_us| {
            let least = self.before(moment_us);
            if search.revision < least {
                let what = format!(
                    "{} answered {:?} ({:?}, {:?}, said to be at most {:?} us old) from revision {}, and revision \
                     {least} had been acknowledged by {:.6} s",
                    search.node,
                    search.question,
                    search.caller.role,
                    search.level,
                    search.staleness_us,
                    search.revision,
                    moment_us as f64 / 1e6
                );
                findings.violation(promise, search.returned_us, what);
            }
        };
        match search.level {
            Level::Linearizable => demand("linearizable", search.called_us),
            Level::Bounded { bound_us } => demand("bounded", self.ago(search.called_us, bound_us)),
            // What a session has seen is known of each alert alone.
            Level::Session { .. } | Level::Local => {}
        }
        if let Some(staleness_us) = search.staleness_us {
            demand("staleness label", self.ago(search.called_us, staleness_us));
        }
        if search.level != Level::Local {
            let shows = !search.found.is_empty() || search.agreement.is_some();
            let left_us = match self.arrives_within_us {
                Some(within_us) if shows => search.called_us.max(search.returned_us.saturating_sub(within_us)),
                _ => search.called_us,
            };
            demand("nothing is shown that is older than a second", self.ago(left_us, SECOND_US));
        }
    }

    /// What a feed shows is in its caller's sight in a state that is younger than a second; and a feed ends when its
    /// agreement changes.
    fn feed(&self, feed: &Followed, findings: &mut Findings) {
        let (Some(within_us), Some(viewer)) = (self.arrives_within_us, follower(feed, self.course)) else { return };
        let start = feed.start.unwrap_or(0);
        let changed = self.agreement_changes.iter().filter(|change| change.revision > start).min();
        for item in &feed.items {
            findings.checked += 1;
            let left_us = item.at_us.saturating_sub(within_us);
            if feed.agreement.is_some()
                && feed.start.is_some()
                && let Some(change) = changed.filter(|change| change.at_us < self.ago(left_us, SECOND_US))
            {
                let what = format!("{item:?} came under an agreement that revision {} had changed", change.revision);
                findings.violation("a feed ends with its agreement", item.at_us, what);
                return;
            }
            if item.version.is_none() {
                continue;
            }
            let least = self.before(self.ago(left_us, SECOND_US));
            let of_it = || self.course.changes.iter().filter(|change| change.id == item.alert_id);
            let hidden = of_it()
                .rfind(|change| change.revision <= least)
                .is_some_and(|change| change.revision > item.revision && !sees(&viewer, &change.after));
            let seen_again = of_it()
                .any(|change| change.revision > least && change.at_us <= item.at_us && sees(&viewer, &change.after));
            if hidden && !seen_again {
                let what = format!("{item:?} showed what had been out of sight for more than a second");
                findings.violation("nothing is shown that is older than a second", item.at_us, what);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alert_core::alert::Role;

    use super::*;
    use crate::{
        model::{FeedItem, Question},
        validate::{
            Verdict,
            feed::tests::{course, followed, item},
        },
    };

    fn judge(agreement: bool, searches: &[Searched], feeds: &[Followed]) -> Verdict {
        let acknowledged = [Acknowledged { at_us: 5_500, revision: 5 }, Acknowledged { at_us: 6_500, revision: 6 }];
        let agreement_changes = if agreement { &acknowledged[1..] } else { &[] };
        let course = course();
        let promise = Promise {
            acknowledged: &acknowledged,
            agreement_changes,
            clock_error_us: 0,
            arrives_within_us: Some(100),
            course: &course,
        };
        promise.judge(searches, feeds).verdict()
    }

    fn search(role: Role, called_us: u64, returned_us: u64, revision: u64, found: &[&str]) -> Searched {
        let Followed { caller, agreement, .. } = followed(role, Vec::new());
        let found = found.iter().map(|id| ((*id).to_owned(), 1)).collect();
        let (node, search_id) = (String::new(), String::new());
        let question = Question::Record("a".into());
        Searched {
            called_us,
            returned_us,
            node,
            caller,
            agreement,
            question,
            revision,
            level: Level::Session { version: 0 },
            staleness_us: None,
            search_id,
            found,
        }
    }

    #[test]
    fn an_answer_comes_from_a_state_that_has_what_was_acknowledged_a_second_before() {
        let late = 5_500 + SECOND_US + 1;
        let one = |role, called_us, returned_us, revision, found: &[&str]| {
            judge(false, &[search(role, called_us, returned_us, revision, found)], &[])
        };
        assert_eq!(one(Role::Search, late, late, 4, &["a"]), Verdict::Violated);
        assert_eq!(one(Role::Search, late, late, 5, &["a"]), Verdict::Held);
        assert_eq!(one(Role::Search, late - 1, late, 4, &["a"]), Verdict::Held, "it may have left in time");
        assert_eq!(one(Role::Search, late - 500, late + 100, 4, &["a"]), Verdict::Violated, "it left too late");
        assert_eq!(one(Role::Search, late - 500, late + 100, 4, &[]), Verdict::Held, "it showed nothing");
        assert_eq!(one(Role::Partner, late - 500, late + 100, 4, &[]), Verdict::Violated, "it served a partner");
        let old = Searched { level: Level::Local, ..search(Role::Search, late, late, 4, &["a"]) };
        assert_ne!(judge(false, &[old], &[]), Verdict::Violated, "whatever the node held was asked for");
    }

    #[test]
    fn an_answer_is_as_young_as_its_level_and_its_label_say() {
        let of = |level, staleness_us, revision| {
            let searched = Searched { level, staleness_us, ..search(Role::Search, 6_000, 6_100, revision, &["a"]) };
            judge(false, &[searched], &[])
        };
        assert_eq!(of(Level::Linearizable, None, 4), Verdict::Violated);
        assert_eq!(of(Level::Linearizable, None, 5), Verdict::Held);
        assert_eq!(of(Level::Bounded { bound_us: 400 }, None, 4), Verdict::Violated);
        assert_eq!(of(Level::Bounded { bound_us: 600 }, None, 4), Verdict::Held);
        assert_eq!(of(Level::Local, Some(400), 4), Verdict::Violated);
        assert_eq!(of(Level::Local, Some(600), 4), Verdict::Held);
    }

    #[test]
    fn a_feed_shows_nothing_that_went_out_of_sight_a_second_before() {
        let shown = |at_us| followed(Role::Partner, vec![FeedItem { at_us, ..item(2, "a", Some(1)) }]);
        assert_eq!(judge(false, &[], &[shown(5_500 + SECOND_US)]), Verdict::Held);
        assert_eq!(judge(false, &[], &[shown(5_500 + SECOND_US + 200)]), Verdict::Violated);
    }

    #[test]
    fn a_feed_ends_within_a_second_of_its_agreement() {
        let told = |at_us| followed(Role::Partner, vec![FeedItem { at_us, ..item(2, "a", None) }]);
        assert_eq!(judge(true, &[], &[told(6_500 + SECOND_US)]), Verdict::Held);
        assert_eq!(judge(true, &[], &[told(6_500 + SECOND_US + 200)]), Verdict::Violated);
    }
}

//! Calls under way, counted. Beyond the limit a caller is let in only while it has less than its fair share: whoever
//! fills the node is the one that is refused.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;

use super::{CallerKey, Class, overloaded};
use crate::{
    api::{backend::Deadline, errors::ApiResult},
    ops::metric,
};

struct Counts {
    all: usize,
    /// Calls under way of each caller that has any.
    by_caller: HashMap<CallerKey, usize>,
    /// How long a call is under way, smoothed, in seconds.
    stay_s: f64,
}

/// How many calls of one class are under way.
#[derive(Clone)]
pub(in crate::api) struct Share {
    class: Class,
    most: usize,
    counts: Arc<Mutex<Counts>>,
}

/// One call under way.
#[derive(Debug)]
pub(in crate::api) struct Ticket {
    share: Share,
    caller: CallerKey,
    since: Deadline,
}

impl std::fmt::Debug for Share {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Share").field("class", &self.class).finish_non_exhaustive()
    }
}

impl Share {
    pub fn new(class: Class, most: usize) -> Self {
        let counts = Counts { all: 0, by_caller: HashMap::new(), stay_s: 0.0 };
        Self { class, most, counts: Arc::new(Mutex::new(counts)) }
    }

    #[cfg(test)]
    pub fn under_way(&self) -> usize {
        self.counts.lock().all
    }

    /// One more, until the ticket is dropped.
    ///
    /// # Errors
    /// `OVERLOADED`.
    pub fn enter(&self, caller: CallerKey) -> ApiResult<Ticket> {
        let mut counts = self.counts.lock();
        let own = counts.by_caller.get(&caller).copied().unwrap_or(0);
        if counts.all >= self.most {
            let callers = counts.by_caller.len() + usize::from(own == 0);
            let fair = (self.most / callers.max(1)).max(1);
            // Even so not without end: at most as many again.
            if own >= fair || counts.all >= 2 * self.most {
                let stay = Duration::from_secs_f64(counts.stay_s);
                drop(counts);
                return Err(overloaded(self.class, stay));
            }
        }
        counts.all += 1;
        *counts.by_caller.entry(caller).or_default() += 1;
        metrics::gauge!(metric::UNDER_WAY, "class" => self.class.name()).set(counts.all as f64);
        Ok(Ticket { share: self.clone(), caller, since: Deadline::now() })
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let stayed = self.since.elapsed().as_secs_f64();
        let mut counts = self.share.counts.lock();
        counts.all -= 1;
        counts.stay_s += (stayed - counts.stay_s) / 16.0;
        if let Some(own) = counts.by_caller.get_mut(&self.caller) {
            *own -= 1;
            if *own == 0 {
                counts.by_caller.remove(&self.caller);
            }
        }
        metrics::gauge!(metric::UNDER_WAY, "class" => self.share.class.name()).set(counts.all as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_fills_the_node_is_refused_and_the_others_are_let_in() {
        let share = Share::new(Class::Search, 10);
        let (greedy, modest) = (CallerKey(1), CallerKey(2));
        let held: Vec<_> = (0..10).map(|_| share.enter(greedy).unwrap()).collect();
        let refused = share.enter(greedy).unwrap_err();
        assert_eq!(refused.detail().code, "OVERLOADED");
        assert!(refused.retry_after.is_some());
        // Half of the ten are the other caller's, and no more.
        let others: Vec<_> = (0..5).map(|_| share.enter(modest).unwrap()).collect();
        assert!(share.enter(modest).is_err());
        drop(held);
        share.enter(greedy).unwrap();
        drop(others);
        assert_eq!(share.counts.lock().all, 0);
        assert!(share.counts.lock().by_caller.is_empty());
    }

    #[test]
    fn many_callers_with_one_call_each_do_not_pass_twice_the_limit() {
        let share = Share::new(Class::Feed, 4);
        let held: Vec<_> = (0..100).filter_map(|caller| share.enter(CallerKey(caller)).ok()).collect();
        assert_eq!(held.len(), 8);
    }
}

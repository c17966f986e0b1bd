//! Calls per second with a burst (a token bucket), and calls per day (of Coordinated Universal Time).

use std::{collections::HashMap, hash::Hash, time::Duration};

use parking_lot::Mutex;

use super::Now;
use crate::limits::QUOTAS_KEPT_MAX;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// How much somebody may ask. 0 = no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rate {
    pub per_second: u32,
    /// At once, after a quiet time; 0 = what a second brings.
    pub burst: u32,
    pub per_day: u64,
}

#[derive(Debug, Clone, Copy)]
struct Spent {
    /// Tokens left when last looked at.
    tokens: f64,
    at: Duration,
    day: u64,
    today: u64,
}

/// What each has spent.
pub(super) struct Quotas<K>(Mutex<HashMap<K, Spent>>);

impl<K> Default for Quotas<K> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<K: Hash + Eq + Clone> Quotas<K> {
    /// Counts `calls`. Refused, nothing is counted.
    ///
    /// # Errors
    /// How long to wait.
    pub fn spend(&self, key: &K, rate: Rate, calls: u32, now: Now) -> Result<(), Duration> {
        if calls == 0 || rate.per_second == 0 && rate.per_day == 0 {
            return Ok(());
        }
        let size = f64::from(if rate.burst == 0 { rate.per_second } else { rate.burst });
        let mut all = self.0.lock();
        if all.len() >= QUOTAS_KEPT_MAX && !all.contains_key(key) {
            forget_full(&mut all, now);
        }
        let fresh = Spent { tokens: size, at: now.boot, day: now.wall_ms / DAY_MS, today: 0 };
        let spent = all.entry(key.clone()).or_insert(fresh);
        let earned = now.boot.saturating_sub(spent.at).as_secs_f64() * f64::from(rate.per_second);
        spent.tokens = (spent.tokens + earned).min(size);
        spent.at = spent.at.max(now.boot);
        if spent.day != now.wall_ms / DAY_MS {
            (spent.day, spent.today) = (now.wall_ms / DAY_MS, 0);
        }
        if rate.per_day != 0 && spent.today + u64::from(calls) > rate.per_day {
            return Err(Duration::from_millis(DAY_MS - now.wall_ms % DAY_MS));
        }
        if rate.per_second != 0 {
            // More at once than the bucket holds goes into debt: it is served, and the next waits the longer.
            let wanted = f64::from(calls).min(size.max(1.0));
            if spent.tokens < wanted {
                return Err(Duration::from_secs_f64((wanted - spent.tokens) / f64::from(rate.per_second)));
            }
            spent.tokens -= f64::from(calls);
        }
        spent.today += u64::from(calls);
        Ok(())
    }
}

/// Whoever was not heard of for a while and has counted nothing today starts anew when it comes back.
fn forget_full<K: Hash + Eq>(all: &mut HashMap<K, Spent>, now: Now) {
    const QUIET: Duration = Duration::from_secs(60);
    all.retain(|_, spent| now.boot.saturating_sub(spent.at) < QUIET || spent.day == now.wall_ms / DAY_MS);
    if all.len() >= QUOTAS_KEPT_MAX {
        all.retain(|_, spent| now.boot.saturating_sub(spent.at) < QUIET);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Now {
        Now { boot: Duration::from_millis(ms), wall_ms: 20_000 * DAY_MS + ms }
    }

    #[test]
    fn a_burst_is_served_and_then_so_many_a_second() {
        let quotas = Quotas::default();
        let rate = Rate { per_second: 10, burst: 30, per_day: 0 };
        let served = |from_ms: u64, until_ms: u64| {
            (from_ms..until_ms).filter(|ms| quotas.spend(&"x", rate, 1, at(*ms)).is_ok()).count()
        };
        assert_eq!(served(0, 100), 30);
        // Half-way between two tokens, where rounding decides nothing.
        assert_eq!(served(100, 10_050), 100);
        let wait = quotas.spend(&"x", rate, 1, at(10_050)).unwrap_err();
        assert!(wait <= Duration::from_millis(52), "{wait:?}");
        assert!(quotas.spend(&"x", rate, 1, at(10_050 + wait.as_millis() as u64 + 1)).is_ok(), "as it was told");
        assert!(quotas.spend(&"y", rate, 1, at(10_050)).is_ok(), "another's quota is another's");
    }

    #[test]
    fn a_day_ends_at_midnight() {
        let quotas = Quotas::default();
        let rate = Rate { per_second: 0, burst: 0, per_day: 5 };
        assert!(quotas.spend(&"x", rate, 4, at(DAY_MS / 2)).is_ok());
        assert_eq!(quotas.spend(&"x", rate, 2, at(DAY_MS / 2)), Err(Duration::from_millis(DAY_MS / 2)));
        assert!(quotas.spend(&"x", rate, 1, at(DAY_MS / 2)).is_ok());
        assert!(quotas.spend(&"x", rate, 1, at(DAY_MS - 1)).is_err());
        assert!(quotas.spend(&"x", rate, 5, at(DAY_MS)).is_ok());
    }

    #[test]
    fn a_batch_larger_than_the_burst_is_served_in_its_time() {
        let quotas = Quotas::default();
        let rate = Rate { per_second: 10, burst: 20, per_day: 0 };
        assert!(quotas.spend(&"x", rate, 100, at(0)).is_ok());
        assert_eq!(quotas.spend(&"x", rate, 1, at(0)), Err(Duration::from_millis(8100)));
        assert!(quotas.spend(&"x", rate, 1, at(8101)).is_ok());
    }
}

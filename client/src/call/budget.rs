//! Budgets of extra work: retries and hedges may add a share of the calls made, and a trickle for those who call seldom.
//! Whatever goes wrong, the cluster then never sees more than that.

use parking_lot::Mutex;
use tokio::time::Instant;

/// A bucket of tokens: each call puts a share of one in, each extra attempt takes one out.
pub(crate) struct Budget {
    per_call: f64,
    per_second: f64,
    most: f64,
    state: Mutex<State>,
}

struct State {
    tokens: f64,
    filled_at: Instant,
}

impl Budget {
    /// Begins full. `most` is at least one.
    pub fn new(per_call: f64, per_second: f64, most: f64) -> Self {
        let state = Mutex::new(State { tokens: most, filled_at: Instant::now() });
        Self { per_call, per_second, most, state }
    }

    /// A call was made.
    pub fn earn(&self) {
        let mut state = self.state.lock();
        state.tokens = (state.tokens + self.per_call).min(self.most);
    }

    /// Takes one token; false when there is none.
    pub fn take(&self) -> bool {
        let mut state = self.state.lock();
        let now = Instant::now();
        let trickle = now.duration_since(state.filled_at).as_secs_f64() * self.per_second;
        state.filled_at = now;
        state.tokens = (state.tokens + trickle).min(self.most);
        if state.tokens < 1.0 {
            return false;
        }
        state.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn extra_attempts_are_a_share_of_the_calls_and_a_trickle() {
        let budget = Budget::new(0.25, 2.0, 10.0);
        let taken = |count: usize| (0..count).filter(|_| budget.take()).count();
        assert_eq!(taken(100), 10, "what it began with");
        (0..16).for_each(|_| budget.earn());
        assert_eq!(taken(100), 4, "one in four");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(taken(100), 2, "two a second");
        tokio::time::advance(Duration::from_secs(3600)).await;
        (0..1000).for_each(|_| budget.earn());
        assert_eq!(taken(100), 10, "saved up to a bound");
    }
}

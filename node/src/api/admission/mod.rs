//! How much work the node takes on. What it cannot serve well it refuses at once, with the time to wait: a refusal costs
//! microseconds, a queue without a bound costs everybody.
//!
//! * `share`: how many calls of a kind may be under way; who has less than its fair share is let in all the same
//! * `turns`: work on threads, a few at a time, each caller in its turn
//! * `quota`: calls per second, burst and day, of a caller and of an agreement
//!
//! All of it is this node's own: what a partner is owed is counted at each node that it calls.

mod quota;
mod share;
mod turns;

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use alert_cluster_config::node::LimitsSection;
use alert_core::{alert::Caller, pb};

use share::Share;
pub(super) use share::Ticket;
pub(super) use turns::Turn;

use self::{
    quota::{Quotas, Rate},
    turns::Turns,
};
use super::{
    backend::Deadline,
    errors::{ApiError, ApiResult, ErrorCode},
};
use crate::{limits, ops::metric};

/// Kinds of work that do not crowd each other out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Reads that wait for their level.
    Linearizable,
    /// Unary reads.
    Search,
    /// Batch searches.
    Batch,
    /// Streams of the feed and of exports.
    Feed,
}

impl Class {
    const ALL: [Class; 4] = [Class::Linearizable, Class::Search, Class::Batch, Class::Feed];

    /// In metrics.
    pub fn name(self) -> &'static str {
        match self {
            Class::Linearizable => "linearizable",
            Class::Search => "search",
            Class::Batch => "batch",
            Class::Feed => "feed",
        }
    }
}

/// The limits of the node's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdmissionLimits {
    /// Reads that wait for their level.
    pub linearizable_waiting_max: usize,
    /// Unary reads under way, and pieces of their work that wait for a thread.
    pub searches_waiting_max: usize,
    /// Streams of batch searches open.
    pub batches_open_max: usize,
    /// Streams of the feed and of exports open.
    pub feeds_open_max: usize,
    /// Calls per second of one caller, over time.
    pub caller_calls_per_s: u32,
    /// Calls of one caller at once, after a quiet time.
    pub caller_burst_calls: u32,
    /// Pieces of work at a time of each class.
    pub threads: usize,
}

impl From<&LimitsSection> for AdmissionLimits {
    fn from(limits: &LimitsSection) -> Self {
        let small = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        Self {
            linearizable_waiting_max: limits.linearizable_waiting_max as usize,
            searches_waiting_max: limits.searches_waiting_max as usize,
            batches_open_max: limits.batches_open_max as usize,
            feeds_open_max: limits.feeds_open_max as usize,
            caller_calls_per_s: small(limits.caller_calls_per_s),
            caller_burst_calls: small(limits.caller_burst_calls),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

impl Default for AdmissionLimits {
    fn default() -> Self {
        Self::from(&LimitsSection::default())
    }
}

/// A caller, as far as fairness goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallerKey(u64);

impl From<&Caller> for CallerKey {
    fn from(caller: &Caller) -> Self {
        let mut hasher = DefaultHasher::new();
        caller.hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// Decides what is let in.
pub(super) struct Admission {
    shares: [Share; Class::ALL.len()],
    turns: [Turns; Class::ALL.len()],
    caller_rate: Rate,
    callers: Quotas<CallerKey>,
    agreements: Quotas<String>,
}

impl Admission {
    pub fn new(limits: AdmissionLimits) -> Self {
        let most = |class| match class {
            Class::Linearizable => limits.linearizable_waiting_max,
            Class::Search => limits.searches_waiting_max,
            Class::Batch => limits.batches_open_max,
            Class::Feed => limits.feeds_open_max,
        };
        for class in Class::ALL {
            metrics::gauge!(metric::LIMIT, "limit" => class.name()).set(most(class) as f64);
        }
        // Searches have as many threads as there are; longer work leaves them half.
        let threads = |class| match class {
            Class::Linearizable | Class::Search => limits.threads,
            Class::Batch | Class::Feed => limits.threads.div_ceil(2),
        };
        Self {
            shares: Class::ALL.map(|class| Share::new(class, most(class))),
            turns: Class::ALL.map(|class| Turns::new(class, threads(class), limits.searches_waiting_max)),
            caller_rate: Rate { per_second: limits.caller_calls_per_s, burst: limits.caller_burst_calls, per_day: 0 },
            callers: Quotas::default(),
            agreements: Quotas::default(),
        }
    }

    /// Lets a call of a class in, until the ticket is dropped.
    ///
    /// # Errors
    /// `OVERLOADED`: there are too many, and this caller has its share.
    pub fn enter(&self, class: Class, caller: CallerKey) -> ApiResult<Ticket> {
        self.shares[class as usize].enter(caller)
    }

    /// How many calls of a class are under way.
    #[cfg(test)]
    pub fn under_way(&self, class: Class) -> usize {
        self.shares[class as usize].under_way()
    }

    /// Waits for the turn of one piece of work.
    ///
    /// # Errors
    /// `OVERLOADED`: too much waits, and most of it is this caller's. `DEADLINE_EXCEEDED`.
    pub async fn turn(&self, class: Class, caller: CallerKey, deadline: Deadline) -> ApiResult<Turn> {
        self.turns[class as usize].wait(caller, deadline).await
    }

    /// Counts calls of a caller.
    ///
    /// # Errors
    /// `QUOTA_EXCEEDED`: the node's limit for one caller.
    pub fn count_caller(&self, caller: CallerKey, calls: u32, now: Now) -> ApiResult<()> {
        exceeded(self.count_or_wait(caller, calls, now), "caller")
    }

    /// Counts calls of a caller that is held back rather than refused.
    ///
    /// # Errors
    /// How long to wait.
    pub fn count_or_wait(&self, caller: CallerKey, calls: u32, now: Now) -> Result<(), Duration> {
        self.callers.spend(&caller, self.caller_rate, calls, now)
    }

    /// Counts calls under an agreement.
    ///
    /// # Errors
    /// `QUOTA_EXCEEDED`: the agreement's quota.
    pub fn count_agreement(&self, agreement: &pb::Agreement, calls: u32, now: Now) -> ApiResult<()> {
        let Some(quota) = &agreement.quota else { return Ok(()) };
        let rate = Rate { per_second: quota.per_second, burst: quota.burst, per_day: quota.per_day };
        exceeded(self.agreements.spend(&agreement.id, rate, calls, now), "agreement")
    }
}

/// A moment, on the two clocks that quotas go by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    /// Time since boot.
    pub boot: Duration,
    /// Milliseconds since 1970.
    pub wall_ms: u64,
}

fn exceeded(spent: Result<(), Duration>, whose: &'static str) -> ApiResult<()> {
    spent.map_err(|retry_after| {
        metrics::counter!(metric::QUOTA_REFUSALS, "quota" => whose).increment(1);
        let message = match whose {
            "agreement" => "the quota of the agreement is used up for now",
            _ => "this caller has made more calls than one caller may",
        };
        Box::new(ApiError { retry_after: Some(retry_after), ..*ApiError::new(ErrorCode::QuotaExceeded, message) })
    })
}

/// The refusal of a node that has enough to do.
fn overloaded(class: Class, retry_after: Duration) -> Box<ApiError> {
    metrics::counter!(metric::OVERLOADS, "class" => class.name()).increment(1);
    let retry_after = retry_after.clamp(limits::RETRY_AFTER_MIN, limits::RETRY_AFTER_MAX);
    Box::new(ApiError { retry_after: Some(retry_after), ..*ApiError::plain(ErrorCode::Overloaded) })
}

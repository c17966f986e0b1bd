//! Which step is possible from which state.

use thiserror::Error;

use crate::{alert::RuleSet, pb::AlertState as State};

/// A step in the life of an alert that exists. Creating one is not a step: it begins as [`State::Draft`], or goes
/// straight to [`settle`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// New content.
    Update,
    /// Sent to review.
    Submit,
    /// Passed review.
    Approve,
    /// Sent back by review.
    Reject,
    /// Its planned start has come, or what it waited for is gone.
    Activate,
    /// Kept longer.
    Extend,
    /// A restriction added, lifted, begun or lapsed.
    Restrict,
    /// Handed to another owner.
    TransferOwner,
    /// A victim's consent withdrawn.
    WithdrawConsent,
    /// Ended by its owner.
    Cancel,
    /// Ended by time, or with its parent.
    Expire,
    /// Removed with its history.
    Erase,
}

impl Step {
    /// Every step.
    pub const ALL: [Step; 12] = [
        Step::Update,
        Step::Submit,
        Step::Approve,
        Step::Reject,
        Step::Activate,
        Step::Extend,
        Step::Restrict,
        Step::TransferOwner,
        Step::WithdrawConsent,
        Step::Cancel,
        Step::Expire,
        Step::Erase,
    ];
}

/// Where a step leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The state it is in.
    Stay,
    /// This state.
    To(State),
    /// Active, scheduled or waiting: ask [`settle`].
    Settle,
    /// Nothing is left, not even a tombstone.
    Gone,
}

/// The step is not possible from this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not possible while the alert is {}", words(*.state))]
pub struct WrongState {
    /// The state the alert is in.
    pub state: State,
}

/// A state as people say it: "pending review".
fn words(state: State) -> String {
    state.as_str_name().trim_start_matches("ALERT_STATE_").replace('_', " ").to_lowercase()
}

/// The table. An alert under review keeps the content that is being reviewed; an ended alert can only be erased.
pub fn transition(state: State, step: Step) -> Result<Next, WrongState> {
    use Next::{Gone, Settle, Stay, To};
    use State::{Active, Deleted, Draft, Expired, PendingReview, Scheduled, Unspecified, Waiting};
    match (state, step) {
        (Unspecified, _) => Err(WrongState { state }),
        (_, Step::Erase) => Ok(Gone),
        (Draft, Step::Update) => Ok(Stay),
        (Draft, Step::Submit) => Ok(To(PendingReview)),
        (PendingReview, Step::Approve) => Ok(Settle),
        (PendingReview, Step::Reject) => Ok(To(Draft)),
        (Waiting | Scheduled | Active, Step::Update) => Ok(Settle),
        (Waiting | Scheduled, Step::Activate) => Ok(Settle),
        (Waiting | Scheduled | Active, Step::Extend | Step::Restrict) => Ok(Stay),
        (Waiting | Scheduled | Active, Step::Expire) => Ok(To(Expired)),
        (Draft | PendingReview | Waiting | Scheduled | Active, Step::Cancel) => Ok(To(Deleted)),
        (Draft | PendingReview | Waiting | Scheduled | Active, Step::TransferOwner | Step::WithdrawConsent) => Ok(Stay),
        _ => Err(WrongState { state }),
    }
}

/// The state of an alert that is meant to be in force: not before its start, then as its standing allows. An alert that
/// has ended already is expired.
pub fn settle(valid_from_ms: Option<u64>, expires_at_ms: u64, now_ms: u64, standing: &Standing) -> State {
    if expires_at_ms <= now_ms {
        State::Expired
    } else if valid_from_ms.is_some_and(|start| start > now_ms) {
        State::Scheduled
    } else {
        match standing {
            Standing::Fits { .. } => State::Active,
            Standing::Waits { .. } => State::Waiting,
        }
    }
}

/// How an alert stands beside the other active alerts on its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It may be active.
    Fits {
        /// Positions of the incompatible others that it outranks: by the rules these are the ones to wait.
        outranks: Vec<usize>,
    },
    /// It waits until these are gone.
    Waits {
        /// Positions of the incompatible others that it does not outrank.
        behind: Vec<usize>,
    },
}

/// Decides by the compatibility rules between `category` and the categories of the other active alerts on the same
/// subject. Among incompatible ones the higher rank wins; at equal rank the one that was there first.
pub fn standing<'a>(category: &str, others: impl IntoIterator<Item = &'a str>, rules: &RuleSet) -> Standing {
    let rank = rules.rank(category);
    let (mut outranks, mut behind) = (Vec::new(), Vec::new());
    for (position, other) in others.into_iter().enumerate() {
        if rules.are_compatible(category, other) {
            continue;
        }
        if rank < rules.rank(other) { outranks.push(position) } else { behind.push(position) }
    }
    if behind.is_empty() { Standing::Fits { outranks } } else { Standing::Waits { behind } }
}

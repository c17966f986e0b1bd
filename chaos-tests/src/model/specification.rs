//! What one alert does when its calls come one after the other.

use super::{Call, Change, Expects, Outcome};

/// Where an alert stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Life {
    /// Never created, or erased.
    #[default]
    Absent,
    Active,
    /// A tombstone.
    Ended,
}

/// An alert, as far as histories tell of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct AlertState {
    pub life: Life,
    /// 0 while there is none.
    pub version: u64,
    /// What the last [`Change::Set`] made of it.
    pub value: u64,
}

impl AlertState {
    fn takes(&self, expects: Expects) -> bool {
        match expects {
            Expects::Absent => self.life == Life::Absent,
            Expects::Any => self.life == Life::Active,
            Expects::Version(version) => self.life == Life::Active && self.version == version,
        }
    }

    fn after(self, change: Change) -> Self {
        let version = self.version + 1;
        match change {
            Change::Set(value) => Self { life: Life::Active, version, value },
            Change::Touch => Self { version, ..self },
            Change::Cancel => Self { life: Life::Ended, version, value: 0 },
            Change::Erase => Self::default(),
        }
    }
}

/// The state after a call that came back with `outcome`; `None` when that cannot be. A call without a known outcome takes
/// effect if the state lets it, so that a checker may place it anywhere after it was made, or at the end.
pub fn accepts(state: &AlertState, call: &Call, outcome: &Outcome) -> Option<AlertState> {
    match (*call, *outcome) {
        (_, Outcome::Refused) => Some(*state),
        (Call::Write { expects, change }, Outcome::Unknown) => {
            Some(if state.takes(expects) || erases_a_tombstone(state, change) { state.after(change) } else { *state })
        }
        (Call::Write { expects, change }, Outcome::Written { version }) => {
            let possible = state.takes(expects) || erases_a_tombstone(state, change);
            let after = state.after(change);
            // An erased alert has no version any more.
            (possible && (change == Change::Erase || after.version == version)).then_some(after)
        }
        (Call::Write { expects, .. }, Outcome::Conflict) => (!state.takes(expects)).then_some(*state),
        (Call::Read { .. }, Outcome::Unknown) => Some(*state),
        (Call::Read { .. }, Outcome::Found { version, value, .. }) => {
            (*state == AlertState { life: Life::Active, version, value }).then_some(*state)
        }
        (Call::Read { .. }, Outcome::Ended { version, .. }) => {
            (state.life == Life::Ended && state.version == version).then_some(*state)
        }
        // Who may not see a tombstone is told that there is nothing.
        (Call::Read { .. }, Outcome::Absent { .. }) => (state.life != Life::Active).then_some(*state),
        (Call::Read { .. }, Outcome::Written { .. } | Outcome::Conflict)
        | (Call::Write { .. }, Outcome::Found { .. } | Outcome::Ended { .. } | Outcome::Absent { .. }) => None,
    }
}

/// What is left of an ended alert can still be erased.
fn erases_a_tombstone(state: &AlertState, change: Change) -> bool {
    change == Change::Erase && state.life == Life::Ended
}

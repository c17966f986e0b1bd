//! The life of an alert, as pure functions of values and a time.
//!
//! * `transition`: which step is possible from which state, and where it leads; activation and compatibility
//! * `restriction`: what the restrictions come to at a time, and when that changes next
//! * `action`: the action shown to a caller of given territories
//! * `tombstone`: what is left of an ended alert

mod action;
mod restriction;
mod tombstone;
mod transition;

pub use action::{ActionGround, ShownAction, action_for};
pub use restriction::{ActiveFlag, EffectiveRestrictions, effective, next_boundary};
pub use tombstone::tombstone;
pub use transition::{Next, Standing, Step, WrongState, settle, standing, transition};

#[cfg(test)]
mod tests;

//! The feed: changes from a cursor on, as far as the caller sees them. No gap, no duplicate, no reordering.
//!
//! * `cursor`: where a watch goes on, and for whom
//! * `watch`: the stream; `event`: what one change is for one caller
//! * `sharing`: how far each caller's copy is: `Acknowledge`, and what it proves
//!
//! A national copy is an export and the feed from its cursor: docs/reads.md tells how, and why it is exact.

mod cursor;
mod event;
mod sharing;
mod watch;

#[cfg(test)]
pub(super) use cursor::revision_of_cursor;
pub(super) use cursor::{Scope, feed_cursor};

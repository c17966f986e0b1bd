//! How well a record answers a query: integers from 0 to 10000, explained token by token. No floats, no order but the
//! record's own.

pub mod assign;
pub mod coincidence;
pub mod date;
pub mod distance;
pub mod join;
pub mod name;
pub mod person;
pub mod token;

/// The best score there is, and the best a single token or date can earn.
pub const FULL: u32 = 10_000;

//! The state database: what the log has made of the store.
//!
//! * [`StateStore`]: applies chunks of entries, one batch each, and says how far it is
//! * [`StateView`]: what readers get: one moment, with its own position, that outlives swaps
//! * `families`: how each family is used
//!
//! Its write-ahead log is not synced: the Raft log is the truth, and the last applied entry is in the same batch as what
//! it changed, so a crash loses a suffix that is applied again. One batch holds data, every index, the feed and the
//! position; a reader of one snapshot sees exactly one applied index.

mod database;
mod error;
mod families;
mod store;
#[cfg(test)]
mod tests;
mod view;

pub use error::StateError;
pub use families::{index as family_index, spec};
pub use store::{StateStore, Worked};
pub use view::{Position, StateView};

pub(in crate::storage) use database::Database;
pub(in crate::storage) use store::check_normaliser;

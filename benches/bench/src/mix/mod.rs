//! What callers do, in the proportions that they do it.
//!
//! * [`Border`]: searches, and a write now and then
//! * [`Write`]: creates alerts, one call each
//! * [`Import`]: creates alerts through import streams
//! * [`Passengers`]: lists of 300, each one batch search
//! * [`Feed`]: writes while partners' copies follow the feed

mod border;
mod feed;
mod import;
mod passengers;
mod questions;
mod write;

pub use border::Border;
pub use feed::Feed;
pub use import::Import;
pub use passengers::{PASSENGERS, Passengers};
pub use questions::Questions;
pub use write::{Subjects, Write};

//! Long-lived calls.
//!
//! `duplex` drives the two-way streams (import, batch search): it keeps what is sent and unanswered in a bounded window
//! and sends it again to another node when a connection is lost. `resume` drives the one-way streams (export, watch):
//! it goes on from the last position on any node. Both give up only when nothing moves for a named time.

mod batch;
mod duplex;
mod export;
mod import;
mod resume;
mod watch;

pub use self::{batch::BatchOptions, duplex::Answers, export::ExportStream, import::ImportStream, watch::WatchStream};

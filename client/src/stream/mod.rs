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

use std::time::Duration;

use metrics::counter;
use tonic::Code;

use crate::{
    error::Error,
    metric,
    routing::{Node, Trouble},
};

pub use self::{batch::BatchOptions, duplex::Answers, export::ExportStream, import::ImportStream, watch::WatchStream};

/// What a lost connection of the stream `name` says of its node. `reads`: the node was asked to serve a read.
fn note_lost(node: &Node, error: &Error, name: &'static str, reads: bool) {
    counter!(metric::STREAMS_LOST, "stream" => name).increment(1);
    let pause = error.retry_after.unwrap_or_default();
    if error.is_loss() {
        node.fall(Trouble::Unreachable, Duration::ZERO);
    } else if error.grpc == Code::ResourceExhausted {
        node.rest(pause);
    } else if reads && error.retryable && error.grpc == Code::Unavailable {
        node.fall(Trouble::NotServing, pause);
    }
}

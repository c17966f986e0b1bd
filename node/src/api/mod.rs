//! The gRPC services: thin. Who calls, why and until when; what the state and the domain answer; typed errors.
//!
//! * [`backend`]: what the services ask of the rest of the node, as traits
//! * `operations`: every call, who may make it, how fresh it reads; `context`, `deadline`, `call`: a call is let in
//! * `core`: what all services share and the way of a unary call; `stream`: the way of a streaming one
//! * `admission`: how much work is taken on; `work`: work on threads, in its turn and only while somebody waits for it
//! * `reading`: level, agreement, viewer, answer context; `writing`: to the leader and through the log;
//!   `forwarded`: calls that another node sent on
//! * `receipts`: places in the audit log, as callers hold them
//! * `errors`: the table of codes that docs/errors.md prints; `tokens`: sealed tokens and cursors
//! * one file for each service: `alerts`, `search`, `feed`, `hits`, `agreements`, `rules`, `auditing`, `statistics`,
//!   `cluster` (topology and administration)
//! * `server`: the port

mod admission;
mod agreements;
mod alerts;
mod auditing;
pub mod backend;
mod batch;
mod caches;
mod call;
mod cluster;
mod context;
mod core;
mod deadline;
mod errors;
mod feed;
mod forwarded;
mod hits;
mod observe;
mod operations;
mod peer;
mod reading;
mod receipts;
mod records;
mod rules;
mod search;
mod server;
mod statistics;
mod stream;
#[cfg(test)]
mod tests;
mod tokens;
mod work;
mod writing;

pub use admission::AdmissionLimits;
pub use backend::{
    AdminBackend, AdminError, Applied, AuditBackend, AuditEntry, AuditError, AuditQuestion, AuditSink, AuditVerdict,
    BoxFuture, ClusterAbout, Deadline, ForwardError, ForwardedCaller, Leadership, Level, NodeAbout, ProposeError,
    ReadError, ReadHandle, Receipt, StateView, Store,
};
pub use core::{Api, ApiOptions, ApiParts};
pub use errors::{ApiError, CodeRow, ErrorCode, detail_of};
pub use forwarded::{forward_answer, forward_request};
pub use peer::Peer;
pub use server::serve;
pub use tokens::{TokenKind, TokenSealer};

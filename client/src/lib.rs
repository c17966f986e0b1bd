//! The client of the alert store, and the home of `alertctl`.
//!
//! [`AlertClient`] finds the nodes from a few seeds, sends writes to the leader under request ids (a retry has one
//! effect), spreads reads over healthy nodes and asks another when one fails, carries session tokens, and answers with
//! typed errors. [`Admin`] runs the cluster. [`present`] prints answers as an officer wants to read them, [`json`] reads
//! and writes records as JSON.
//!
//! - `call/`: one unary call: context, request ids, attempts, budgets.
//! - `routing/`: which node a call goes to, and how each node stands.
//! - `stream/`: import, batch search, export, watch.
//! - `service/`: the calls of each service.

#![warn(missing_docs)]

mod admin;
pub mod blocking;
mod builder;
mod call;
mod certificates;
mod client;
mod connector;
mod error;
pub mod json;
pub mod limits;
pub mod metric;
pub mod present;
mod random;
mod routing;
mod service;
mod session;
mod stream;

pub use alert_cluster_config::{ClientConfig, Config, client::ClientTlsSection, tls::ClientTls};
pub use alert_proto::v1 as pb;

pub use self::{
    admin::Admin,
    builder::AlertClientBuilder,
    call::CallDefaults,
    client::AlertClient,
    connector::{BoxFuture, Connector, Io, PlaintextLoopback, TlsConnector},
    error::{Error, ErrorInfo, codes},
    routing::{NodeView, TopologyView, Trouble},
    service::{Attachment, NewAttachment},
    stream::{Answers, BatchOptions, ExportStream, ImportStream, WatchStream},
};

/// The guide's code compiles.
#[cfg(doctest)]
#[doc = include_str!("../../docs/client.md")]
struct Guide;

//! Configuration of the alert store: nodes, clients, development clusters, and the trust between them.
//!
//! * [`NodeConfig`] and [`ClientConfig`]: typed, with every fault told at once and with its line ([`ConfigError`])
//! * [`sample`]: the sample files, made from the same field table as the types
//! * [`identity`]: who a certificate's holder is, and which authority may say so
//! * [`tls`]: TLS 1.3, both sides with certificates, on top of [`identity`]
//! * [`dev_ca`] and [`dev_cluster`]: certificates and configuration for development, tests and the demo
//!
//! The crate knows nothing of alerts: a role is a name here ([`identity::roles`]), and the node gives it its meaning.

#![warn(missing_docs)]

mod address;
pub mod client;
pub mod dev_ca;
pub mod dev_cluster;
mod fault;
pub mod identity;
mod load;
mod locate;
pub mod node;
pub mod plaintext;
pub mod sample;
mod settings;
pub mod tls;

pub use client::ClientConfig;
pub use fault::{ConfigError, Fault};
pub use load::Config;
pub use node::NodeConfig;
pub use settings::{FieldDoc, SectionDoc};

//! Systems to compare with, from the distribution's packages: started in a directory of their own on loopback with
//! their durability on, and ended with us. One that is not installed says which command installs it.
//!
//! * [`etcd`]: three members, and a thin client of its published key-value messages
//! * [`postgres`]: one server behind a Unix socket

pub mod etcd;
mod etcd_messages;
pub mod postgres;
mod programs;

use std::{io, path::PathBuf};

use thiserror::Error;

pub use etcd::{Etcd, EtcdClient};
pub use postgres::{Postgres, PostgresSettings};

/// Why there is no peer.
#[derive(Debug, Error)]
pub enum PeerError {
    /// Not on this machine.
    #[error("{program} is not installed: `{install}` installs it")]
    NotInstalled { program: &'static str, install: &'static str },
    /// It was started and does not serve.
    #[error("{program} did not start: {reason}")]
    NotStarted { program: &'static str, reason: String },
    /// A file, or a process.
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    /// PostgreSQL said no.
    #[error("PostgreSQL: {0}")]
    Postgres(#[from] tokio_postgres::Error),
    /// etcd said no.
    #[error("etcd: {0}")]
    Etcd(#[from] tonic::Status),
    /// No connection to etcd.
    #[error("etcd: {0}")]
    Connection(#[from] tonic::transport::Error),
}

impl PeerError {
    /// True when installing something would help: such a peer is skipped.
    pub fn is_not_installed(&self) -> bool {
        matches!(self, Self::NotInstalled { .. })
    }
}

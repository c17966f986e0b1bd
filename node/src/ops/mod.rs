//! What operators look at: logs, metrics, liveness and readiness. Never personal data.

mod health;
mod logging;
pub mod metric;
mod server;
mod watch;

pub use health::{Check, Health};
pub use logging::{LogFormat, init_logging};
pub use server::{OpsServer, install_recorder};
pub use watch::watch_node;

//! Sockets and TLS behind the seam's [`Listener`](crate::seam::Listener) and [`Connector`](crate::seam::Connector).

mod accept;
mod connect;
mod held;
mod transport;

pub use accept::TcpServer;
pub use connect::TcpConnector;
pub use transport::{Port, Transport};

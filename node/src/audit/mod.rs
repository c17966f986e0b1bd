//! The search log: one record for each question, durable before its answer leaves.
//!
//! Records of all calls in flight share one fsync (group commit). The format and its check are in
//! [`alert_core::audit`]; this is where the bytes meet the disk.

mod files;
mod find;
mod log;
#[cfg(test)]
mod tests;

pub use files::OpenError;
pub use log::{AuditLog, AuditOptions};

//! The state machine: `apply(view, batch) -> effects`, the same on every node.

pub mod command;
pub mod family;
mod view;

pub use view::{Cursor, MemoryView, Overlay, View, ViewError, Write, scan_prefix};

//! Drills, integration tests and the demo of the alert store.
//!
//! * [`process`]: the one harness for real `alertd` processes
//! * [`traffic`]: streams of writes and searches, and whether all that was acknowledged is there
//! * [`demo`]: what `make demo` shows

pub mod demo;
pub mod process;
pub mod traffic;

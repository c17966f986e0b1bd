//! Drills, integration tests and the demo of the alert store.
//!
//! * [`process`]: the one harness for real `alertd` processes
//! * [`demo`]: what `make demo` shows

pub mod demo;
pub mod process;

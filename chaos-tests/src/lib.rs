//! Drills, integration tests and the demo of the alert store.
//!
//! * [`process`]: the one harness for real `alertd` processes

pub mod process;

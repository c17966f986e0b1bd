//! Drills, integration tests and the demo of the alert store.
//!
//! * [`process`]: the one harness for real `alertd` processes
//! * [`model`]: histories of calls, wherever they came from, and what an alert should have done
//! * [`validate`]: judges histories
//! * [`traffic`]: streams of writes and searches, and whether all that was acknowledged is there
//! * [`demo`]: what `make demo` shows

pub mod demo;
pub mod model;
pub mod process;
pub mod traffic;
pub mod validate;

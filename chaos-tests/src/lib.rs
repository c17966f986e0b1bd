//! Simulation, drills, integration tests and the demo of the alert store.
//!
//! * [`process`]: the one harness for real `alertd` processes
//! * [`model`]: histories of calls, wherever they came from, and what an alert should have done
//! * [`validate`]: judges histories
//! * [`sim`]: whole clusters in one thread on virtual time, repeatable from a seed
//! * [`traffic`]: streams of writes and searches; the clients of a simulated cluster
//! * [`faults`]: what goes wrong meanwhile in a simulated cluster
//! * [`report`]: what a run looked like
//! * [`demo`]: what `make demo` shows

pub mod demo;
pub mod faults;
pub mod model;
pub mod process;
pub mod report;
pub mod sim;
pub mod traffic;
pub mod validate;

//! Whole clusters in one thread on virtual time: the real node code, from the key-value engine up, on simulated disks,
//! clocks and a simulated network. Everything follows from a seed.

pub mod disk;
mod handover;
mod load;
pub mod machine;
pub mod net;
mod observer;
pub mod panics;
mod process;
mod run;
mod time;
mod world;

pub use observer::{NodeSeen, Observer};
pub use process::{CLUSTER, TOKEN_KEY};
pub use run::{Run, run};
pub use time::SimTime;
pub use world::{Standing, World};

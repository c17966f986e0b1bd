//! Clusters in one process: consensus over pipes, on virtual time, with the engine in memory.

mod batching;
#[cfg(feature = "rocksdb")]
mod erasure;
mod every_field;
pub(crate) mod filler;
mod formation;
mod leaders;
mod network;
mod normaliser;
mod persons;
pub(crate) mod pipes;
mod reading;
mod same_answers;
pub(crate) mod world;

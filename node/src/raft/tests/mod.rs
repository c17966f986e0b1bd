//! Clusters in one process: consensus over pipes, on virtual time, with the engine in memory.

mod formation;
mod leaders;
mod normaliser;
mod persons;
mod pipes;
mod reading;
mod same_answers;
mod world;

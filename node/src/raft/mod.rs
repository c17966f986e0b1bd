//! Consensus. The only place, the log store apart, that names openraft.

pub mod types;

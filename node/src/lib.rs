//! The alert store's node: library and server (`alertd`).
//!
//! * [`seam`]: the world around the node (time, files, threads, connections) behind traits
//! * [`storage`]: the only place that names RocksDB: engine, log store, state store, checkpoints
//! * [`raft`]: the only place that names openraft (the log store apart)
//! * [`api`]: gRPC services: thin; identity, context, deadlines, typed errors
//! * [`audit`]: the search log
//! * [`ops`]: metrics, health, the ops port
//! * [`formation`]: `alertd init`
//! * [`preflight`]: what the machine must grant before anything is opened

pub mod api;
pub mod audit;
pub mod formation;
pub mod limits;
pub mod net;
pub mod ops;
pub mod preflight;
#[cfg(feature = "rocksdb")]
pub mod process;
pub mod raft;
pub mod seam;
#[cfg(feature = "rocksdb")]
pub mod server;
pub mod storage;

//! How fast, against what, and how far from the floor: the library of `alert-bench`.
//!
//! * [`floor`]: what this machine can do at all
//! * [`load`], [`mix`], [`loading`]: generators, what callers do, and `alert-bench load`
//! * [`compare`]: side by side with etcd, PostgreSQL and a bare RocksDB
//! * [`growing`]: what growth costs
//! * [`hot`], [`counting`]: hot paths in memory; instructions, allocations, fsyncs
//! * [`target`], [`cpu`], [`machine`], [`report`]: the cluster under load, what it used, where, and how that is told

pub mod compare;
pub mod counting;
pub mod cpu;
pub mod floor;
pub mod growing;
pub mod hot;
pub mod load;
pub mod loading;
pub mod machine;
pub mod mix;
pub mod report;
pub mod target;

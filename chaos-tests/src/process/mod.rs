//! Real `alertd` processes on this machine: written, started, formed into a cluster, killed, paused, wiped, inspected.
//!
//! * [`LocalCluster`] and its [`ClusterBuilder`]: nodes with certificates and configuration in one directory
//! * [`NodeProcess`]: one node: start, kill, pause, terminate, wipe, its log and files
//! * [`LoopDisk`]: a disk that loses its power, for real (root only)
//! * [`FailingSync`]: a disk whose fsync fails (root only)
//! * [`Links`]: cut and healed, one direction at a time, without root
//! * [`not_run`]: tests that this machine cannot run say so
//! * [`wait_until`]: waits for conditions, never for luck; [`block_on`] for tests that are not async
//! * [`Standstill`]: how long the machine itself kept processes waiting, for promises about time
//! * `administration`: forming and growing the cluster, as an operator does
//! * `binaries`, `ports`, `spawn`, `keeper`, `http`: where the programs are, ports nobody else takes, processes that die
//!   with ours, files that go with us, health over HTTP
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use alert_chaos::process::LocalCluster;
//!
//! let cluster = LocalCluster::builder().nodes(3).start().await?;
//! let client = cluster.client("search")?;
//! cluster.node(1)?.kill()?;
//! // ... searches go on ...
//! cluster.node(1)?.start()?;
//! cluster.node(1)?.wait_ready().await?;
//! # Ok(())
//! # }
//! ```
//!
//! Everything may be called from several tasks at a time. Methods that are not async do not wait for anything but the
//! kernel. Dropping the cluster kills its processes, by their ids, and removes its directory.

mod administration;
mod binaries;
mod builder;
mod cluster;
mod disk;
mod failing_sync;
mod http;
mod keeper;
mod links;
mod node;
mod not_run;
mod ports;
mod spawn;
mod standstill;
mod wait;

pub use binaries::{Binaries, find, find_example};
pub use builder::{ClusterBuilder, Keep};
pub use cluster::LocalCluster;
pub use disk::LoopDisk;
pub use failing_sync::FailingSync;
pub use http::{Answer, get};
pub use links::{CLIENTS, Links};
pub use node::{FileFound, NodeProcess, State};
pub use not_run::not_run;
pub use spawn::{signal, spawn};
pub use standstill::{Standstill, Waited, processor_time};
pub use wait::{block_on, wait_until};

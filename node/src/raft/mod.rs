//! Consensus. The only place, the log store apart, that names openraft.
//!
//! * [`node`]: everything together: [`RaftNode`] is the store, and its administration, to the rest of the node
//! * [`types`], [`wire`], [`options`], [`limits`]: what consensus is made of, its bytes, what it is told
//! * [`hello`], [`peers`], [`channel`], [`append_link`], [`network`]: to other nodes
//! * [`server`], [`service`]: from other nodes
//! * [`state_machine`], [`snapshot_policy`], [`snapshot_send`], [`snapshot_receive`]: the state
//! * [`propose`], [`anchors`]: changes; [`duty`]: those that the leader makes by itself: [`due`], [`feed_compaction`],
//!   [`tick`]; [`next_index`]: a change of normaliser
//! * [`read_pump`], [`prober`], [`reads`]: reads
//! * [`leadership`], [`clocks`]: who leads, and what time it is
//! * [`membership`], [`transfer`], [`admin`]: for operators

pub mod admin;
pub mod anchors;
pub mod append_link;
pub mod channel;
pub mod clocks;
pub mod due;
pub mod duty;
pub mod feed_compaction;
pub mod hello;
pub mod leadership;
pub mod limits;
pub mod membership;
pub mod network;
pub mod next_index;
pub mod node;
pub mod options;
pub mod peers;
pub mod prober;
pub mod proofs;
pub mod propose;
pub mod read_pump;
pub mod reads;
pub mod server;
pub mod service;
pub mod snapshot_policy;
pub mod snapshot_receive;
pub mod snapshot_send;
pub mod state_machine;
#[cfg(test)]
pub(crate) mod tests;
pub mod tick;
pub mod transfer;
pub mod types;
pub mod wire;

pub use node::{RaftNode, StartError};
pub use options::{RaftOptions, Timings};
pub use service::ForwardHandler;

/// openraft's handle.
pub type Consensus = openraft::Raft<types::TypeConfig, state_machine::StateMachine>;

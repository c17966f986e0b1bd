//! Snapshots: checkpoints of the state database, made of hard links, never a copy in memory.
//!
//! * [`Manifest`]: what a checkpoint holds: position, membership, state hash, files with checksums
//! * [`Checkpoint`]: one on this node's disk; its files stay as long as anybody holds it
//! * [`CheckpointStore`]: builds, receives, installs; knows the newest one and which are being sent
//! * [`Receiver`]: files of another node's checkpoint as they come in
//!
//! In the state directory:
//!
//! | name | what |
//! |---|---|
//! | `CURRENT` | names the database in use; moved by a rename |
//! | `db-N/` | databases; all but the current one are swept at start |
//! | `checkpoints/NAME/`, `NAME.manifest` | a checkpoint; it counts once its manifest is there |
//! | `staging/ID/` | files being received; `ID` follows from the manifest, so that a transfer resumes |
//! | `received/ID-N/` | complete and verified, waiting for its install |
//!
//! Stopped anywhere, a restart finds the old state or the new one, whole. A received checkpoint counts for a restart only
//! once `install` has made the log durable: the state must never be ahead of a log that contradicts it.

mod error;
mod files;
mod handle;
mod install;
mod manifest;
mod receive;
mod store;
#[cfg(test)]
mod tests;

pub use error::CheckpointError;
pub use handle::{Checkpoint, Pin};
pub use install::{Step, is_in_use};
pub use manifest::{Manifest, ManifestFile};
pub use receive::{MissingPart, Receiver};
pub use store::CheckpointStore;

//! A simulated disk: what programs see, and what would be left of it if the power went.
//!
//! Content becomes durable by fsync of the file, names by fsync of their directory; nothing else is promised. At a power
//! loss each file keeps its durable content and a random part of what was written since, and of the changes of names
//! since a random number of the oldest. After an fsync that failed, what it should have made durable is gone, however
//! often one tries again (the kernel has marked the pages as clean).

//!
//! * `platter`: what is there, and what is durable
//! * `files`: the node's seam for files

mod files;
mod platter;
#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;

use platter::Disk;

/// What faults did to a disk: a fault without an effect proves nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiskEffects {
    pub syncs: u64,
    pub syncs_failed: u64,
    pub power_losses: u64,
    pub bytes_lost: u64,
    pub files_torn: u64,
    pub names_lost: u64,
    pub bytes_rotten: u64,
}

/// A machine's disk. Clones share it; it outlives the processes that use it.
#[derive(Clone)]
pub struct SimDisk(Arc<Mutex<Disk>>);

impl SimDisk {
    /// An empty disk, but for the durable directories `mounted`.
    pub fn new(seed: u64, mounted: &[PathBuf]) -> Self {
        Self(Arc::new(Mutex::new(Disk::new(seed, mounted))))
    }

    /// The power goes: only what is durable, and a random part of the rest, is there when it comes back.
    pub fn lose_power(&self) {
        self.0.lock().lose_power();
    }

    /// Lets the power go in the middle of the work: before the `changes`-th change from now.
    pub fn lose_power_after(&self, changes: u32) {
        self.0.lock().cut_after = Some(changes);
    }

    /// False between a power loss and [`SimDisk::restore_power`].
    pub fn is_powered(&self) -> bool {
        self.0.lock().powered
    }

    pub fn restore_power(&self) {
        let mut disk = self.0.lock();
        (disk.powered, disk.cut_after) = (true, None);
    }

    /// A power loss that was to come in the middle of the work does not come.
    pub fn disarm(&self) {
        self.0.lock().cut_after = None;
    }

    /// An empty disk is put in the place of this one.
    pub fn wipe(&self) {
        self.0.lock().wipe();
    }

    /// Lets every fsync below `path` fail from now on; `None` heals the disk.
    pub fn fail_syncs(&self, path: Option<&Path>) {
        self.0.lock().failing = path.map(Path::to_path_buf);
    }

    /// Flips one bit of the durable content of a file below `directory`; false when there is nothing to flip.
    pub fn rot(&self, directory: &Path) -> bool {
        self.0.lock().rot(directory)
    }

    pub fn effects(&self) -> DiskEffects {
        self.0.lock().effects
    }
}

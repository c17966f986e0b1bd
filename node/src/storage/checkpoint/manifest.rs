//! What a checkpoint holds.

use std::collections::BTreeSet;

use alert_core::{
    codec::{self, CodecError},
    state::family::LAYOUT_VERSION,
};
use serde::{Deserialize, Serialize};

use super::CheckpointError;
use crate::{
    raft::types::{LogId, StoredMembership},
    storage::records::{LogIdRecord, StoredMembershipRecord},
};

/// Bytes of the checksum at the end of an encoded manifest.
const CHECKSUM_BYTES: usize = 32;
/// Most files of one checkpoint: 64 MiB each, that is 6 TB.
const FILES_MAX: usize = 100_000;

/// Position, membership, hash and files of a checkpoint. All but the files was read back from the checkpoint itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Layout of the state on disk.
    pub layout_version: u32,
    /// The cluster that it is a state of.
    pub cluster_id: String,
    /// Which database on which node it was made of. Files of one lineage with one name and size are one file.
    pub lineage: String,
    /// The last log entry in it.
    pub last_applied: Option<LogIdRecord>,
    /// The membership in force at that entry.
    pub membership: StoredMembershipRecord,
    /// Revision of the state machine.
    pub revision: u64,
    /// The additive state hash.
    pub state_hash: u128,
    /// Every file, by name.
    pub files: Vec<ManifestFile>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestFile {
    /// Plain file name.
    pub name: String,
    /// Its length.
    pub size_bytes: u64,
    /// BLAKE3 of its content.
    pub checksum: [u8; 32],
}

impl Manifest {
    /// The last log entry in it.
    pub fn last_log_id(&self) -> Option<LogId> {
        self.last_applied.map(Into::into)
    }

    /// The membership in force.
    pub fn stored_membership(&self) -> Result<StoredMembership, CheckpointError> {
        self.membership.clone().try_into().map_err(|error: CodecError| CheckpointError::Manifest(error.to_string()))
    }

    /// Bytes of all files.
    pub fn size_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size_bytes).sum()
    }

    /// As bytes, on disk and between nodes: encoded, then BLAKE3 of that.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = codec::encode(self);
        bytes.extend_from_slice(blake3::hash(&bytes).as_bytes());
        bytes
    }

    /// From bytes, with all checks that need no files.
    pub fn decode(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let bad = |reason: &str| CheckpointError::Manifest(reason.to_owned());
        let length = bytes.len().checked_sub(CHECKSUM_BYTES).ok_or_else(|| bad("too short"))?;
        let (encoded, checksum) = bytes.split_at(length);
        if blake3::hash(encoded).as_bytes() != checksum {
            return Err(bad("its checksum does not match"));
        }
        let manifest: Self = codec::decode(encoded).map_err(|error| bad(&error.to_string()))?;
        let mut names = BTreeSet::new();
        for ManifestFile { name, .. } in &manifest.files {
            // The names come from another node: none may leave the directory.
            let plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
            if !plain || !names.insert(name) {
                return Err(bad(&format!("file name {name:?}")));
            }
        }
        if manifest.files.len() > FILES_MAX {
            return Err(bad("too many files"));
        }
        Ok(manifest)
    }

    /// Refuses a state of another cluster or layout.
    pub fn check_origin(&self, cluster_id: &str) -> Result<(), CheckpointError> {
        if self.cluster_id != cluster_id {
            let (found, wanted) = (format!("cluster '{}'", self.cluster_id), format!("cluster '{cluster_id}'"));
            return Err(CheckpointError::Foreign { found, wanted });
        }
        if self.layout_version != LAYOUT_VERSION {
            let found = format!("layout version {}", self.layout_version);
            return Err(CheckpointError::Foreign { found, wanted: format!("layout version {LAYOUT_VERSION}") });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(name: &str) -> Manifest {
        Manifest {
            layout_version: LAYOUT_VERSION,
            cluster_id: "uk".into(),
            lineage: "l".into(),
            last_applied: Some(LogIdRecord { term: 2, index: 9 }),
            membership: StoredMembershipRecord::default(),
            revision: 7,
            state_hash: 5,
            files: vec![ManifestFile { name: name.into(), size_bytes: 3, checksum: [8; 32] }],
        }
    }

    #[test]
    fn bytes_of_a_manifest_do_not_change() {
        let bytes = sample("a").encode();
        let (encoded, checksum) = bytes.split_at(bytes.len() - 32);
        assert_eq!(encoded[..21], *b"\x01\x03\x02uk\x01l\x01\x02\x09\0\0\0\x07\x05\x01\x01a\x03\x08\x08");
        assert_eq!(checksum, blake3::hash(encoded).as_bytes());
        assert_eq!(Manifest::decode(&bytes).unwrap(), sample("a"));
    }

    #[test]
    fn a_damaged_manifest_and_names_that_leave_the_directory_are_refused() {
        let mut bytes = sample("a").encode();
        bytes[3] ^= 1;
        assert!(Manifest::decode(&bytes).is_err());
        for name in ["", ".", "..", ".hidden", "a/b", "../a", "a\\b", "a\0"] {
            assert!(Manifest::decode(&sample(name).encode()).is_err(), "{name:?}");
        }
        let mut twice = sample("a");
        twice.files.push(twice.files[0].clone());
        assert!(Manifest::decode(&twice.encode()).is_err());
    }

    #[test]
    fn a_state_of_another_cluster_is_refused() {
        let error = sample("a").check_origin("fr").unwrap_err().to_string();
        assert_eq!(error, "the snapshot is of cluster 'uk', and this node of cluster 'fr'");
    }
}

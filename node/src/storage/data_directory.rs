//! Who a data directory belongs to.
//!
//! A node has two directories, that of the log and that of the state; they may lie on separate disks. Both carry the
//! same identity, minted once: cluster, node, layout, and a random *incarnation*. Peers compare the incarnation with the
//! membership, so a wiped or exchanged disk cannot vote under the old id. A directory of another cluster, node or layout
//! is refused, and so is half a node: a log without its state, or the other way round.
//!
//! `SUSPECT` in a directory says that its disk failed an fsync: what it says it holds can no longer be believed.

use std::{
    io,
    path::{Path, PathBuf},
};

use alert_core::{mutants::Mutant, state::family::LAYOUT_VERSION};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    raft::types::NodeId,
    seam::{FileSystem, Host},
};

const IDENTITY: &str = "identity.json";
const SUSPECT: &str = "SUSPECT";

/// What to do with a node whose disk cannot be believed. Never: repair and go on, which could make it vote twice.
pub const WAY_OUT: &str = "remove this node from the cluster and add it anew, with empty directories, under a new id";

/// Who a directory belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    pub layout_version: u32,
    pub cluster_id: String,
    pub node_id: NodeId,
    /// 32 hexadecimal digits, random, minted with the directory.
    pub incarnation: String,
}

/// Where a node keeps its data, and who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryOptions {
    /// Of the Raft log.
    pub log: PathBuf,
    /// Of the state. May be on another disk.
    pub state: PathBuf,
    pub cluster_id: String,
    pub node_id: NodeId,
}

/// Why a directory is refused. Each is one sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DirectoryError {
    #[error("{} belongs to cluster '{found}', and the configuration says '{wanted}'", path.display())]
    OtherCluster { path: PathBuf, found: String, wanted: String },
    #[error("{} belongs to node {found}, and the configuration says {wanted}", path.display())]
    OtherNode { path: PathBuf, found: NodeId, wanted: NodeId },
    #[error(
        "{} has layout version {found}, and this program knows {LAYOUT_VERSION}: run the version that wrote it",
        path.display()
    )]
    OtherLayout { path: PathBuf, found: u32 },
    #[error("{} and {} belong to different incarnations of the node: {WAY_OUT}", log.display(), state.display())]
    Mixed { log: PathBuf, state: PathBuf },
    #[error("{} holds data of this node and {} is empty: one of the two was lost; {WAY_OUT}", kept.display(), lost.display())]
    Half { kept: PathBuf, lost: PathBuf },
    #[error("{} holds files and no identity: it is not a data directory of this store", .0.display())]
    Foreign(PathBuf),
    #[error("{}: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error("cannot write to {}: {reason}", path.display())]
    NotWritable { path: PathBuf, reason: String },
    #[error("the disk of {} is suspect ({reason}): {WAY_OUT}", path.display())]
    Suspect { path: PathBuf, reason: String },
}

/// A node's directories, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataDirectory {
    identity: Identity,
    log: PathBuf,
    state: PathBuf,
}

impl DataDirectory {
    /// Checks the directories, or mints their identity when both are new. Blocks.
    pub fn open(host: &Host, options: &DirectoryOptions) -> Result<Self, DirectoryError> {
        let files = &*host.files;
        for path in [&options.log, &options.state] {
            make_writable(files, path)?;
        }
        let log = read_identity(files, &options.log)?;
        let state = read_identity(files, &options.state)?;
        let identity = match (log, state) {
            (Some(log), Some(state)) if log == state => log,
            (Some(_), Some(_)) => {
                return Err(DirectoryError::Mixed { log: options.log.clone(), state: options.state.clone() });
            }
            // Stopped between the two files: nothing but one identity was ever written.
            (Some(identity), None) => finish(files, identity, &options.log, &options.state)?,
            (None, Some(identity)) => finish(files, identity, &options.state, &options.log)?,
            (None, None) => mint(host, options)?,
        };
        check(&identity, options)?;
        for path in [&options.log, &options.state] {
            if let Some(reason) = suspect_reason(files, path) {
                return Err(DirectoryError::Suspect { path: path.clone(), reason });
            }
        }
        Ok(Self { identity, log: options.log.clone(), state: options.state.clone() })
    }

    /// Who it belongs to.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Where the log database lies.
    pub fn log_database(&self) -> PathBuf {
        self.log.join("log")
    }

    /// Where state databases, checkpoints and files being received lie.
    pub fn state_root(&self) -> &Path {
        &self.state
    }

    /// Marks both directories: their disk failed an fsync. The mark itself may fail to be written (the disk is broken);
    /// then the node is stopped all the same, and only the log says why.
    pub fn mark_suspect(&self, files: &dyn FileSystem, reason: &str) {
        for directory in [&self.log, &self.state] {
            let path = directory.join(SUSPECT);
            let marked = files
                .write(&path, reason.as_bytes())
                .and_then(|()| files.sync_file(&path))
                .and_then(|()| files.sync_directory(directory));
            if let Err(error) = marked {
                tracing::error!(path = %path.display(), %error, "cannot mark the directory as suspect");
            }
        }
    }
}

fn check(identity: &Identity, options: &DirectoryOptions) -> Result<(), DirectoryError> {
    let path = options.log.clone();
    if identity.layout_version != LAYOUT_VERSION {
        return Err(DirectoryError::OtherLayout { path, found: identity.layout_version });
    }
    if identity.cluster_id != options.cluster_id {
        let (found, wanted) = (identity.cluster_id.clone(), options.cluster_id.clone());
        return Err(DirectoryError::OtherCluster { path, found, wanted });
    }
    if identity.node_id != options.node_id {
        return Err(DirectoryError::OtherNode { path, found: identity.node_id, wanted: options.node_id });
    }
    Ok(())
}

fn make_writable(files: &dyn FileSystem, path: &Path) -> Result<(), DirectoryError> {
    let probe = path.join("write-test");
    let mut missing: Vec<&Path> = path.ancestors().take_while(|above| !files.exists(above)).collect();
    // A relative path ends in the empty one, which is the working directory.
    missing.retain(|above| !above.as_os_str().is_empty());
    files
        .create_directories(path)
        .and_then(|()| missing.iter().rev().try_for_each(|made| sync_parent(files, made)))
        .and_then(|()| files.write(&probe, b""))
        .and_then(|()| files.remove_file(&probe))
        .map_err(|error| DirectoryError::NotWritable { path: path.to_path_buf(), reason: error.to_string() })
}

fn read_identity(files: &dyn FileSystem, path: &Path) -> Result<Option<Identity>, DirectoryError> {
    let file = path.join(IDENTITY);
    if !files.exists(&file) {
        return Ok(None);
    }
    let unreadable = |reason: String| DirectoryError::Unreadable { path: file.clone(), reason };
    let bytes = files.read(&file).map_err(|error| unreadable(error.to_string()))?;
    // The version first: a newer layout may have other fields.
    #[derive(Deserialize)]
    struct Version {
        layout_version: u32,
    }
    let version: Version = serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?;
    if version.layout_version != LAYOUT_VERSION {
        return Err(DirectoryError::OtherLayout { path: path.to_path_buf(), found: version.layout_version });
    }
    serde_json::from_slice(&bytes).map(Some).map_err(|error| unreadable(error.to_string()))
}

fn mint(host: &Host, options: &DirectoryOptions) -> Result<Identity, DirectoryError> {
    for path in [&options.log, &options.state] {
        if !holds_nothing_else(&*host.files, path)? {
            return Err(DirectoryError::Foreign(path.clone()));
        }
    }
    let mut incarnation = [0; 16];
    host.random.fill(&mut incarnation);
    let identity = Identity {
        layout_version: LAYOUT_VERSION,
        cluster_id: options.cluster_id.clone(),
        node_id: options.node_id,
        incarnation: HEXLOWER.encode(&incarnation),
    };
    write_identity(&*host.files, &options.log, &identity)?;
    write_identity(&*host.files, &options.state, &identity)?;
    Ok(identity)
}

fn finish(files: &dyn FileSystem, identity: Identity, kept: &Path, empty: &Path) -> Result<Identity, DirectoryError> {
    if !holds_nothing_else(files, kept)? || !holds_nothing_else(files, empty)? {
        return Err(DirectoryError::Half { kept: kept.to_path_buf(), lost: empty.to_path_buf() });
    }
    write_identity(files, empty, &identity)?;
    Ok(identity)
}

/// True when a directory is empty but for an identity. The two directories may lie one inside the other.
fn holds_nothing_else(files: &dyn FileSystem, path: &Path) -> Result<bool, DirectoryError> {
    let unreadable =
        |error: io::Error| DirectoryError::Unreadable { path: path.to_path_buf(), reason: error.to_string() };
    let own = |name: &str| name.starts_with(IDENTITY) || name == "lost+found";
    for entry in files.list(path).map_err(unreadable)? {
        let name = entry.path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let is_empty_directory = entry.is_directory
            && files.list(&entry.path).map_err(unreadable)?.iter().all(|inner| inner.path.ends_with(IDENTITY));
        if !own(&name) && !is_empty_directory {
            return Ok(false);
        }
    }
    Ok(true)
}

fn write_identity(files: &dyn FileSystem, path: &Path, identity: &Identity) -> Result<(), DirectoryError> {
    let bytes = serde_json::to_vec_pretty(identity).expect("plain values become JSON");
    replace_file(files, &path.join(IDENTITY), &bytes)
        .map_err(|error| DirectoryError::NotWritable { path: path.to_path_buf(), reason: error.to_string() })
}

fn suspect_reason(files: &dyn FileSystem, path: &Path) -> Option<String> {
    let file = path.join(SUSPECT);
    files.exists(&file).then(|| match files.read(&file) {
        Ok(reason) => String::from_utf8_lossy(&reason).into_owned(),
        Err(error) => format!("its mark cannot be read: {error}"),
    })
}

/// Replaces a file durably: after a crash it is the old one or the new one.
pub(super) fn replace_file(files: &dyn FileSystem, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    files.write(&new, bytes)?;
    files.sync_file(&new)?;
    files.rename(&new, path)?;
    if Mutant::PointerNotSynced.is_planted() {
        return Ok(());
    }
    sync_parent(files, path)
}

/// Makes the name of a file or directory durable.
fn sync_parent(files: &dyn FileSystem, path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    files.sync_directory(parent.unwrap_or(Path::new(".")))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bench {
        root: tempfile::TempDir,
        host: Host,
    }

    impl Bench {
        fn new() -> Self {
            Self { root: tempfile::tempdir().unwrap(), host: Host::real() }
        }

        fn options(&self) -> DirectoryOptions {
            DirectoryOptions {
                log: self.root.path().join("log"),
                state: self.root.path().join("state"),
                cluster_id: "uk".into(),
                node_id: 1,
            }
        }

        fn open(&self) -> Result<DataDirectory, DirectoryError> {
            DataDirectory::open(&self.host, &self.options())
        }
    }

    #[test]
    fn an_identity_is_minted_once_and_kept() {
        let bench = Bench::new();
        let first = bench.open().unwrap();
        assert_eq!(first.identity().incarnation.len(), 32);
        assert_eq!(bench.open().unwrap(), first);
        assert_ne!(Bench::new().open().unwrap().identity().incarnation, first.identity().incarnation);
    }

    #[test]
    fn a_directory_of_another_cluster_node_or_layout_is_refused() {
        let bench = Bench::new();
        bench.open().unwrap();
        let refused = |change: &dyn Fn(&mut DirectoryOptions)| {
            let mut options = bench.options();
            change(&mut options);
            DataDirectory::open(&bench.host, &options).unwrap_err().to_string()
        };
        let cluster = refused(&|options| options.cluster_id = "fr".into());
        assert!(cluster.ends_with("belongs to cluster 'uk', and the configuration says 'fr'"), "{cluster}");
        let node = refused(&|options| options.node_id = 2);
        assert!(node.ends_with("belongs to node 1, and the configuration says 2"), "{node}");

        let file = bench.options().state.join(IDENTITY);
        let now = format!("\"layout_version\": {LAYOUT_VERSION}");
        let newer = String::from_utf8(bench.host.files.read(&file).unwrap())
            .unwrap()
            .replace(&now, "\"layout_version\": 99, \"more\": true");
        bench.host.files.write(&file, newer.as_bytes()).unwrap();
        let layout = refused(&|_| {});
        assert!(layout.contains("has layout version 99"), "{layout}");
    }

    #[test]
    fn half_a_node_is_refused_with_the_way_out() {
        for lost in ["log", "state"] {
            let bench = Bench::new();
            let directory = bench.open().unwrap();
            for database in [directory.log_database(), directory.state_root().join("db-1")] {
                bench.host.files.create_directories(&database).unwrap();
                bench.host.files.write(&database.join("data"), b"x").unwrap();
            }
            bench.host.files.remove_directory(&bench.root.path().join(lost)).unwrap();
            let error = bench.open().unwrap_err();
            assert!(matches!(error, DirectoryError::Half { .. }), "{error}");
            assert!(error.to_string().ends_with(WAY_OUT), "{error}");
        }
    }

    #[test]
    fn a_mixed_pair_of_disks_is_refused() {
        let bench = Bench::new();
        let other = Bench::new();
        bench.open().unwrap();
        other.open().unwrap();
        let options = DirectoryOptions { state: other.options().state, ..bench.options() };
        let error = DataDirectory::open(&bench.host, &options).unwrap_err();
        assert!(matches!(error, DirectoryError::Mixed { .. }), "{error}");
    }

    #[test]
    fn a_mint_that_was_interrupted_is_finished() {
        let bench = Bench::new();
        let first = bench.open().unwrap();
        bench.host.files.remove_file(&bench.options().state.join(IDENTITY)).unwrap();
        assert_eq!(bench.open().unwrap(), first);
    }

    #[test]
    fn a_directory_with_strange_files_is_not_taken() {
        let bench = Bench::new();
        bench.host.files.create_directories(&bench.options().state).unwrap();
        bench.host.files.write(&bench.options().state.join("holiday.jpg"), b"x").unwrap();
        assert_eq!(bench.open().unwrap_err(), DirectoryError::Foreign(bench.options().state));
    }

    #[test]
    fn a_path_that_cannot_be_written_is_named() {
        let bench = Bench::new();
        bench.host.files.write(&bench.options().log, b"a file, not a directory").unwrap();
        let error = bench.open().unwrap_err().to_string();
        assert!(error.starts_with("cannot write to ") && error.contains("/log: "), "{error}");
    }

    #[test]
    fn a_suspect_disk_is_refused_with_the_way_out() {
        let bench = Bench::new();
        bench.open().unwrap().mark_suspect(&*bench.host.files, "fsync failed: Input/output error");
        let error = bench.open().unwrap_err().to_string();
        assert!(error.contains("is suspect (fsync failed: Input/output error)"), "{error}");
        assert!(error.ends_with(WAY_OUT), "{error}");
    }
}

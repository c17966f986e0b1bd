//! What the machine must grant before a node opens anything, and what stands in the way, in words an operator can act
//! on: the operating system's own name a cause and no remedy.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    path::{Path, PathBuf},
};

use alert_cluster_config::node::StorageSection;
use thiserror::Error;

use crate::seam::FileSystem;

/// Why the machine does not let a node start. Each is one sentence that names the key of the configuration.
#[derive(Debug, Error)]
pub enum Obstacle {
    #[error("cannot listen on {address} (listen.{field}): {}", of_address(error))]
    Listen { field: &'static str, address: SocketAddr, error: io::Error },
    #[error("cannot write to {} (storage.{field}): {}", path.display(), of_path(error))]
    Directory { field: &'static str, path: PathBuf, error: io::Error },
}

/// Makes the directories that are not there, and writes to each. All of them before any is used: a node that cannot
/// keep its audit log shall not first join its cluster. Blocks.
///
/// # Errors
/// The first that cannot be written.
pub fn check_directories(files: &dyn FileSystem, storage: &StorageSection) -> Result<(), Obstacle> {
    let directories = [
        ("log_directory", &storage.log_directory),
        ("state_directory", &storage.state_directory),
        ("audit_directory", &storage.audit_directory),
    ];
    for (field, path) in directories {
        try_write(files, path).map_err(|error| Obstacle::Directory { field, path: path.clone(), error })?;
    }
    Ok(())
}

fn try_write(files: &dyn FileSystem, directory: &Path) -> io::Result<()> {
    files.create_directories(directory)?;
    let probe = directory.join("write-test");
    files.write(&probe, b"")?;
    files.remove_file(&probe)
}

fn of_address(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::AddrInUse => "another program listens there already, perhaps this node itself".to_owned(),
        ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
        ErrorKind::PermissionDenied => "this user may not; ports below 1024 are for root".to_owned(),
        _ => error.to_string(),
    }
}

fn of_path(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
            "a file stands where a directory is needed; move it, or name another directory".to_owned()
        }
        ErrorKind::PermissionDenied => {
            "this user may not; make the directory and give it to the user that alertd runs as".to_owned()
        }
        ErrorKind::ReadOnlyFilesystem => "the file system is read-only; mount it for writing".to_owned(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "no space is left".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seam::Host;

    #[test]
    fn a_file_in_the_place_of_a_directory_is_named_with_its_key() {
        let root = tempfile::tempdir().unwrap();
        let storage = StorageSection {
            log_directory: root.path().join("log"),
            state_directory: root.path().join("state"),
            audit_directory: root.path().join("file"),
            ..StorageSection::default()
        };
        std::fs::write(&storage.audit_directory, "").unwrap();
        let refused = check_directories(&*Host::real().files, &storage).unwrap_err().to_string();
        let begins =
            format!("cannot write to {} (storage.audit_directory): a file stands", root.path().join("file").display());
        assert!(refused.starts_with(&begins), "{refused}");

        std::fs::remove_file(&storage.audit_directory).unwrap();
        check_directories(&*Host::real().files, &storage).unwrap();
        assert_eq!(std::fs::read_dir(&storage.audit_directory).unwrap().count(), 0, "nothing is left of the try");
    }

    #[test]
    fn an_address_in_use_is_told_in_words() {
        let error = io::Error::from(ErrorKind::AddrInUse);
        let refused = Obstacle::Listen { field: "raft", address: ([127, 0, 0, 1], 7101).into(), error }.to_string();
        assert_eq!(
            refused,
            "cannot listen on 127.0.0.1:7101 (listen.raft): another program listens there already, perhaps this node itself"
        );
    }
}

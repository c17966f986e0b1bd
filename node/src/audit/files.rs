//! The files of the log: opening after a crash, reading back.

use std::{
    io,
    path::{Path, PathBuf},
};

use alert_core::audit::{self, Chain, End, FrameError, Report, Verifier, read_frame};
use thiserror::Error;

use crate::seam::FileSystem;

/// Why the log cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The directory cannot be read or written.
    #[error("audit directory {path}: {error}")]
    Io { path: PathBuf, error: io::Error },
    /// A record that was durable is damaged: the log is evidence, so nothing is cut off silently.
    #[error(
        "audit log {file} is damaged at byte {offset}: {what}. Keep the directory as evidence, \
         and start the node with an empty audit directory"
    )]
    Damaged { file: PathBuf, offset: usize, what: FrameError },
}

/// The files of a log, oldest first.
pub fn list(files: &dyn FileSystem, directory: &Path) -> io::Result<Vec<PathBuf>> {
    let named = |path: &Path| path.file_name().and_then(|name| name.to_str()).and_then(audit::first_sequence);
    let mut found: Vec<_> = files
        .list(directory)?
        .into_iter()
        .filter_map(|file| named(&file.path).map(|sequence| (sequence, file.path)))
        .collect();
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// Where a log goes on after a restart.
pub struct Tail {
    pub chain: Chain,
    /// The file to append to; `None` in a new log.
    pub file: Option<PathBuf>,
}

/// Finds the end of the log. A torn end, which no answer ever waited for, is cut; damage before it is refused.
pub fn open(files: &dyn FileSystem, directory: &Path, cluster: &str, node: &str) -> Result<Tail, OpenError> {
    let io_error = |error| OpenError::Io { path: directory.into(), error };
    files.create_directories(directory).map_err(io_error)?;
    let Some(last) = list(files, directory).map_err(io_error)?.pop() else {
        return Ok(Tail { chain: Chain::new(cluster, node), file: None });
    };
    let bytes = files.read(&last).map_err(io_error)?;
    let name = last.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let first = audit::first_sequence(name).unwrap_or(1);
    let mut chain = Chain { next_sequence: first, head: [0; 32] };
    let mut offset = 0;
    while offset < bytes.len() {
        match read_frame(&bytes[offset..]) {
            Ok(frame) => {
                chain.follow(&frame);
                offset += frame.length;
            }
            Err(what) if is_torn(&bytes[offset..], &what) => {
                keep_aside(files, &last, offset, &bytes[offset..]).map_err(io_error)?;
                files.truncate(&last, offset as u64).map_err(io_error)?;
                files.sync_file(&last).map_err(io_error)?;
                break;
            }
            Err(what) => return Err(OpenError::Damaged { file: last, offset, what }),
        }
    }
    if offset == 0 {
        // Nothing in the last file: the head is in the file before it.
        files.remove_file(&last).map_err(io_error)?;
        files.sync_directory(directory).map_err(io_error)?;
        return open(files, directory, cluster, node);
    }
    Ok(Tail { chain, file: Some(last) })
}

/// Puts what is cut off beside the log: an interrupted write it is by all that can be told here, and evidence if not.
fn keep_aside(files: &dyn FileSystem, file: &Path, offset: usize, cut: &[u8]) -> io::Result<()> {
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".cut-at-{offset}"));
    let aside = PathBuf::from(name);
    tracing::warn!(bytes = cut.len(), kept = %aside.display(), "the audit log ends in no whole record: cut");
    files.write(&aside, cut)?;
    files.sync_file(&aside)?;
    files.sync_directory(file.parent().unwrap_or(Path::new(".")))
}

/// True for what an interrupted write leaves: bytes that end too early, or a stretch that never reached the disk.
fn is_torn(rest: &[u8], what: &FrameError) -> bool {
    match what {
        FrameError::Short => true,
        FrameError::Malformed => rest.iter().all(|byte| *byte == 0),
        FrameError::Seal => {
            // The last frame of the file, or one followed by a hole.
            let length = rest.first_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize);
            rest.get(4 + length + 16..).is_none_or(|after| after.iter().all(|byte| *byte == 0))
        }
    }
}

/// Checks the whole log, which nobody writes to meanwhile: it ends in a whole record.
pub fn verify(files: &dyn FileSystem, directory: &Path, mut verifier: Verifier) -> io::Result<Report> {
    let paths = list(files, directory)?;
    for path in &paths {
        let bytes = files.read(path)?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        verifier.file(&name, &bytes, End::Whole);
    }
    Ok(verifier.finish())
}

/// Calls `visit` for every record, oldest first, until it answers `false`.
pub fn read_records(
    files: &dyn FileSystem,
    directory: &Path,
    mut visit: impl FnMut(alert_core::pb::AuditRecord) -> bool,
) -> io::Result<()> {
    for path in list(files, directory)? {
        let bytes = files.read(&path)?;
        let mut offset = 0;
        while let Ok(frame) = read_frame(&bytes[offset..]) {
            offset += frame.length;
            if !visit(frame.record) {
                return Ok(());
            }
        }
    }
    Ok(())
}

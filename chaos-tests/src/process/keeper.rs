//! A shell that clears away after us, however we end: it waits for the end of its standard input, which we hold open.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::Context;

use super::spawn::spawn;

/// Nodes that die with us may still write for a moment, so it tries more than once.
const SCRIPT: &str = r#"cat >/dev/null
[ ! -d "$1/mount" ] || umount "$1/mount" 2>/dev/null || umount -l "$1/mount" 2>/dev/null
for _ in 1 2 3 4 5; do rm -rf --one-file-system "$1" 2>/dev/null && exit; sleep 0.2; done"#;

/// Removes a directory, and a mount in it, when this is dropped or our process is gone.
#[derive(Debug)]
pub(super) struct Keeper {
    directory: PathBuf,
    shell: Child,
}

impl Keeper {
    /// Of `directory`; what is mounted at `directory/mount` is unmounted first.
    pub fn of(directory: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new("sh");
        command.arg("-c").arg(SCRIPT).arg("sh").arg(directory).stdin(Stdio::piped());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let shell = spawn(command, true).context("starting a shell that clears away")?;
        Ok(Self { directory: directory.to_owned(), shell })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // Waited for, so that nothing is left when we go on.
        if let Err(error) = self.shell.wait() {
            eprintln!("{}: {error}", self.directory.display());
        }
    }
}

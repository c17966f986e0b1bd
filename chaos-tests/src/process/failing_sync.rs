//! A disk whose fsync fails, for real as far as a process can tell: the kernel's answer to fdatasync and fsync of one file
//! is EIO. By `strace`, which holds the process on each call of these and lets all else run.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::Context;

use super::{
    spawn::{is_root, spawn},
    wait::wait_until,
};

/// Attaching to every thread takes a moment.
const ATTACH_LIMIT: Duration = Duration::from_secs(10);

/// While it lives, every sync of the file fails in the process.
#[derive(Debug)]
pub struct FailingSync(Child);

impl FailingSync {
    /// Why this machine cannot do it; `None` where it can.
    pub fn missing() -> Option<String> {
        let strace = Command::new("strace").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !strace.is_ok_and(|status| status.success()) {
            return Some("strace is not installed".to_owned());
        }
        (!is_root()).then(|| "only root may hold another process".to_owned())
    }

    /// In process `pid`, for the file at `path`, from now on.
    ///
    /// # Errors
    /// The process cannot be held.
    pub async fn inject(pid: u32, path: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync"]);
        command.args(["-e", "inject=fsync,fdatasync:error=EIO", "-P"]).arg(path).arg("-p").arg(pid.to_string());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut failing = Self(spawn(command, false).context("starting strace")?);
        wait_until("strace to hold every thread", ATTACH_LIMIT, || {
            let ended = failing.0.try_wait().map(|status| status.is_some());
            async move {
                anyhow::ensure!(!ended?, "strace did not attach to process {pid}");
                Ok(all_held(pid).then_some(()))
            }
        })
        .await?;
        Ok(failing)
    }
}

/// Whether each thread of the process has a tracer.
fn all_held(pid: u32) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let mut held = threads.map(|thread| {
        let status = fs::read_to_string(thread.path().join("status")).unwrap_or_default();
        status.lines().any(|line| line.strip_prefix("TracerPid:").is_some_and(|tracer| tracer.trim() != "0"))
    });
    // A process that has ended has no threads: whoever waits for that finds out.
    held.all(|held| held)
}

impl Drop for FailingSync {
    fn drop(&mut self) {
        // Best effort: the kernel kills it with us at the latest.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

//! Disks that lose power: a file system in a file, mounted through a loop device, whose unwritten part is dropped as if
//! the mains had gone.
//!
//! Root only. The file system's own shutdown (`FS_IOC_SHUTDOWN` without a log flush) stops every write at one moment;
//! what was synced lies in the image, what was not is gone with the mount. So the node's whole way to the disk is real:
//! its fsyncs, the journal, and what recovery finds.

use std::{
    fs::{self, File},
    io,
    os::{fd::AsRawFd, unix::fs::FileTypeExt},
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, bail};

use super::{keeper::Keeper, spawn::is_root, wait::wait_until};

/// `_IOR('X', 125, __u32)`: ext4's and XFS' shutdown.
const FS_IOC_SHUTDOWN: libc::c_ulong = 0x8004_587d;
/// The journal's unwritten part is dropped too.
static WITHOUT_LOG_FLUSH: u32 = 2;
/// A killed process may hold its files for a moment.
const UNMOUNT_LIMIT: Duration = Duration::from_secs(10);

/// A disk of its own for a node, that can lose its power. Dropping it unmounts and removes it.
#[derive(Debug)]
pub struct LoopDisk {
    directory: PathBuf,
    _keeper: Keeper,
}

impl LoopDisk {
    /// Why this machine has no such disks; `None` where it has.
    pub fn missing() -> Option<String> {
        if !is_root() {
            return Some("only root may mount".to_owned());
        }
        let control = fs::metadata("/dev/loop-control").is_ok_and(|file| file.file_type().is_char_device());
        if !control {
            return Some("there are no loop devices".to_owned());
        }
        // A container may have the device and not the right: only trying tells.
        Self::create(64).err().map(|error| format!("{error:#}"))
    }

    /// A new disk of `mib` MiB, empty, mounted. The image is sparse: what is not written takes no space.
    ///
    /// # Errors
    /// It cannot be made or mounted.
    pub fn create(mib: u64) -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new().prefix("alertstore-disk-").tempdir().context("a directory")?.keep();
        let disk = Self { _keeper: Keeper::of(&directory)?, directory };
        fs::create_dir(disk.path()).context("the mount point")?;
        File::create(disk.image()).and_then(|image| image.set_len(mib << 20)).context("the image")?;
        run(Command::new("mkfs.ext4").arg("-q").arg("-F").arg(disk.image()))?;
        disk.mount()?;
        Ok(disk)
    }

    /// Where it is mounted.
    pub fn path(&self) -> PathBuf {
        self.directory.join("mount")
    }

    fn image(&self) -> PathBuf {
        self.directory.join("image")
    }

    fn mount(&self) -> anyhow::Result<()> {
        run(Command::new("mount").arg("-o").arg("loop").arg(self.image()).arg(self.path()))
    }

    /// The power goes: from now on every write fails, and what was not synced never reaches the image.
    ///
    /// # Errors
    /// The file system does not know the call.
    #[allow(unsafe_code, reason = "no crate wraps this one ioctl")]
    pub fn cut_power(&self) -> anyhow::Result<()> {
        let root = File::open(self.path()).context("the mount point")?;
        // SAFETY: the call reads one u32, which lives until it returns, and the descriptor is open.
        let done = unsafe { libc::ioctl(root.as_raw_fd(), FS_IOC_SHUTDOWN, &raw const WITHOUT_LOG_FLUSH) };
        if done != 0 {
            return Err(io::Error::last_os_error()).context("shutting the file system down");
        }
        Ok(())
    }

    /// Mounts it anew for reading only.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn make_read_only(&self) -> anyhow::Result<()> {
        run(Command::new("mount").arg("-o").arg("remount,ro").arg(self.path()))
    }

    /// Power again: the file system is mounted anew from its image, and recovers as after a crash. Nothing may use it.
    ///
    /// # Errors
    /// It is in use, or does not come back.
    pub async fn power_on(&self) -> anyhow::Result<()> {
        wait_until("the old mount to go", UNMOUNT_LIMIT, || async {
            Ok(run(Command::new("umount").arg(self.path())).ok())
        })
        .await?;
        self.mount()
    }
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| name.clone())?;
    if !output.status.success() {
        bail!("{name}: {} ({})", String::from_utf8_lossy(&output.stderr).trim(), output.status);
    }
    Ok(())
}

//! Processor time of groups of processes, and groups of their own for clients and servers.
//!
//! In one group a client with many threads would crowd out the servers, or they it. Where root allows, each side gets a
//! control group, and the kernel divides the cores between the two sides.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Weight of each side; the default is 1024. Above it, so that what else runs on the machine disturbs less.
const SHARES: u64 = 8192;
/// Clock ticks of /proc are hundredths of a second on Linux, whatever the kernel's own.
const TICK_US: u64 = 10_000;

/// Processor time of processes since they began, in microseconds. A process that has ended counts nothing.
pub fn used_us(pids: &[u32]) -> u64 {
    pids.iter().filter_map(|pid| process_us(*pid)).sum()
}

fn process_us(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some((ticks(11)? + ticks(12)?) * TICK_US)
}

/// Resident memory of processes, in bytes.
pub fn resident_bytes(pids: &[u32]) -> u64 {
    let of = |pid: &u32| {
        let statm = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
        statm.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    pids.iter().filter_map(of).sum::<u64>() * 4096
}

/// Bytes that processes have had written to disk.
pub fn written_bytes(pids: &[u32]) -> u64 {
    let of = |pid: &u32| {
        let io = fs::read_to_string(format!("/proc/{pid}/io")).ok()?;
        io.lines().find_map(|line| line.strip_prefix("write_bytes: ")?.parse::<u64>().ok())
    };
    pids.iter().filter_map(of).sum()
}

/// Control groups for the two sides; removed when dropped.
pub struct Sides {
    root: PathBuf,
    groups: Vec<PathBuf>,
}

impl Sides {
    /// Puts us and the servers into groups of their own; `None` where that is not allowed.
    pub fn part(servers: &[u32]) -> Option<Self> {
        let (root, weight) = controller()?;
        let mut sides = Self { root, groups: Vec::new() };
        for (name, pids) in [("clients", [std::process::id()].as_slice()), ("servers", servers)] {
            let group = sides.root.join(format!("alert-bench-{}-{name}", std::process::id()));
            fs::create_dir(&group).ok()?;
            sides.groups.push(group.clone());
            // The weight is a help, the division alone matters.
            let _ = fs::write(group.join(weight), SHARES.to_string());
            for pid in pids {
                fs::write(group.join("cgroup.procs"), pid.to_string()).ok()?;
            }
        }
        Some(sides)
    }
}

/// Where groups of the CPU controller are made (cgroup v1 or v2), and the name of the file of their weight.
fn controller() -> Option<(PathBuf, &'static str)> {
    let old = Path::new("/sys/fs/cgroup/cpu");
    if old.join("cpu.shares").exists() {
        return Some((old.to_path_buf(), "cpu.shares"));
    }
    let new = Path::new("/sys/fs/cgroup");
    let offered = fs::read_to_string(new.join("cgroup.subtree_control")).unwrap_or_default();
    offered.split_whitespace().any(|name| name == "cpu").then(|| (new.to_path_buf(), "cpu.weight"))
}

impl Drop for Sides {
    fn drop(&mut self) {
        for group in &self.groups {
            let inside = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
            for pid in inside.split_whitespace() {
                // A process may have ended meanwhile.
                let _ = fs::write(self.root.join("cgroup.procs"), pid);
            }
            if let Err(error) = fs::remove_dir(group) {
                eprintln!("{}: {error}", group.display());
            }
        }
    }
}

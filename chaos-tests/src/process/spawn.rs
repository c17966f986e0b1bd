//! Processes that die with ours, and signals to them. With `disk`, the only unsafe code of the crate.

use std::{
    io,
    process::{Child, Command},
    sync::{Mutex, OnceLock, PoisonError, mpsc},
    thread,
};

/// A command to start, and where its child goes.
type Order = (Command, bool, mpsc::Sender<io::Result<Child>>);

/// Starts `command` in a process group of its own, so that Ctrl-C at our terminal does not reach it. Unless it
/// `outlives` us, the kernel kills it when we die, however that happens.
///
/// # Errors
/// The program cannot be started.
pub fn spawn(command: Command, outlives: bool) -> io::Result<Child> {
    // The kernel takes "parent" for the *thread* that forked. A test's thread or a runtime's worker may end long
    // before its process, so one thread that never ends does all the forking.
    static FORKER: OnceLock<Mutex<mpsc::Sender<Order>>> = OnceLock::new();
    let forker = FORKER.get_or_init(|| {
        let (orders, queue) = mpsc::channel::<Order>();
        thread::Builder::new()
            .name("forker".to_owned())
            .spawn(move || {
                for (command, outlives, answer) in queue {
                    // An asker that is gone drops the child, which then runs on: it dies with us.
                    let _ = answer.send(start(command, outlives));
                }
            })
            .expect("a process that can start processes can start one thread");
        Mutex::new(orders)
    });
    let (answer, child) = mpsc::channel();
    let sent = forker.lock().unwrap_or_else(PoisonError::into_inner).send((command, outlives, answer));
    sent.map_err(|_| io::Error::other("the thread that starts processes is gone"))?;
    child.recv().map_err(|_| io::Error::other("the thread that starts processes is gone"))?
}

#[allow(unsafe_code, reason = "prctl in the child, between fork and exec")]
fn start(mut command: Command, outlives: bool) -> io::Result<Child> {
    use std::os::unix::process::CommandExt;

    command.process_group(0);
    if !outlives {
        let parent = i32::try_from(std::process::id()).map_err(io::Error::other)?;
        // SAFETY: only system calls that are safe after a fork; no allocation, no lock.
        unsafe {
            command.pre_exec(move || {
                if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 {
                    return Err(io::Error::last_os_error());
                }
                // The parent may have died before the line above took effect.
                if libc::getppid() != parent {
                    return Err(io::Error::from_raw_os_error(libc::ESRCH));
                }
                Ok(())
            });
        }
    }
    command.spawn()
}

/// Whether we may do what only root may.
pub(super) fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"))
}

/// Sends `signal` to a child that has not been waited for, so that its id cannot be another's.
///
/// # Errors
/// It has ended, or is not ours to signal.
#[allow(unsafe_code, reason = "kill has no safe form for other signals than SIGKILL")]
pub fn signal(child: &Child, signal: libc::c_int) -> io::Result<()> {
    let pid = i32::try_from(child.id()).map_err(io::Error::other)?;
    // SAFETY: a system call on plain numbers.
    if unsafe { libc::kill(pid, signal) } == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

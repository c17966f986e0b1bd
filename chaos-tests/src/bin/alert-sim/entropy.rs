//! The process's randomness, seeded: hash maps, and whoever asks the operating system for random bytes.
//!
//! The node takes its randomness through a seam, but its libraries do not (the standard library's hash maps, openraft's
//! election time-outs through `rand`). All of them end in the C library's `getrandom`, and this program has its own: on
//! a thread that runs a simulation it gives bytes that follow from the seed, on every other the kernel's.

use std::{cell::Cell, sync::mpsc, thread};

thread_local! {
    static STATE: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Runs `work` on a thread of its own, on which randomness follows from `seed`, until it has sent its result. The thread
/// may stay behind: a run that panicked stands still for ever.
pub fn seeded<T: Send + 'static>(seed: u64, work: impl FnOnce(&mpsc::Sender<T>) + Send + 'static) -> T {
    let (ended, result) = mpsc::channel();
    thread::Builder::new()
        .name(format!("seed-{seed}"))
        .stack_size(32 << 20)
        .spawn(move || {
            STATE.set(Some(seed));
            work(&ended);
        })
        .expect("a thread can be started");
    result.recv().expect("a run sends its result before it ends")
}

/// splitmix64.
fn next(state: u64) -> (u64, u64) {
    let state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut word = state;
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (state, word ^ (word >> 31))
}

/// In the place of the C library's.
///
/// # Safety
/// `buffer` has room for `length` bytes, as the C library demands.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
unsafe extern "C" fn getrandom(buffer: *mut libc::c_void, length: libc::size_t, flags: libc::c_uint) -> libc::ssize_t {
    let Some(mut state) = STATE.try_with(Cell::get).ok().flatten() else {
        // SAFETY: the kernel's call, with the caller's own arguments.
        return unsafe { libc::syscall(libc::SYS_getrandom, buffer, length, flags) } as libc::ssize_t;
    };
    // SAFETY: the caller vouches for `length` bytes at `buffer`.
    let bytes = unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), length) };
    for chunk in bytes.chunks_mut(8) {
        let (after, word) = next(state);
        state = after;
        chunk.copy_from_slice(&word.to_le_bytes()[..chunk.len()]);
    }
    STATE.set(Some(state));
    length as libc::ssize_t
}

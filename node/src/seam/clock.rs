//! The one clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Wall time, and a time that never jumps.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since 1970. May be wrong, may jump: only ever a *proposal* for the replicated time.
    fn wall_ms(&self) -> u64;
    /// Time since boot, suspended time included (CLOCK_BOOTTIME): what bounds of staleness are measured with.
    fn boot(&self) -> Duration;
}

/// The machine's clocks.
pub struct SystemClock;

impl Clock for SystemClock {
    fn wall_ms(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
    }

    fn boot(&self) -> Duration {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` is a valid timespec to write to; CLOCK_BOOTTIME exists on every Linux we run on.
        #[allow(unsafe_code)]
        let result = unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut time) };
        assert_eq!(result, 0, "CLOCK_BOOTTIME cannot be read");
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    }
}

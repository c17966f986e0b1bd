//! Histories of concurrent clients against real processes, judged by a real checker: whatever happens to leaders, links,
//! disks and clocks, the calls of each alert make sense in some order, and each read keeps what its level promises.
//!
//! * `clients`: writers and readers, and what they saw
//! * `stage`: a cluster whose links can be cut, and what to wait for
//! * `planted`: lies that the checker must refuse, planted in each history that it accepts
//! * `faults`: what happens to the leader while they work
//! * `levels`: session and bounded reads, with a clock that is wrong
//! * `losses`: what an application sees when a node is lost or cut off
//!
//! Times are of one monotonic clock, the test's own. At most five clients and 300 calls to an alert, so that the checker
//! comes to an end: "unknown" is no pass. Each run prints its seed (HISTORY_SEED repeats it).

mod clients;
mod faults;
mod levels;
mod losses;
mod planted;
mod stage;

//! Append and fdatasync: what a durable write cannot be faster than.

use std::{
    fs::{File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    path::Path,
    sync::{Arc, Barrier},
    thread,
    time::{Duration, Instant},
};

use rustix::fs::{FallocateFlags, fallocate};

/// Bytes of one append.
const BYTES: usize = 512;
/// Bytes of a log's file.
const LOG_BYTES: u64 = 64 << 20;

/// Medians, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct DiskFloor {
    pub alone_ms: f64,
    /// The same, taking turns with it, into a file whose space is preallocated and whose length grows: RocksDB's log.
    pub preallocated_ms: f64,
    /// ... and over what a file holds already: a log whose files are recycled.
    pub recycled_ms: f64,
    pub second_of_three_ms: f64,
}

/// Appends and syncs one file after the other for `time`, and then three files at once.
///
/// # Errors
/// The disk's.
pub fn disk(directory: &Path, time: Duration) -> io::Result<DiskFloor> {
    let own = tempfile::tempdir_in(directory)?;
    let mut growing = log(&own.path().join("alone"))?;
    let mut preallocated = log(&own.path().join("preallocated"))?;
    fallocate(&preallocated, FallocateFlags::KEEP_SIZE, 0, LOG_BYTES)?;
    let mut recycled = File::create_new(own.path().join("recycled"))?;
    recycled.write_all(&vec![1; LOG_BYTES as usize])?;
    recycled.sync_all()?;
    recycled.seek(SeekFrom::Start(0))?;
    let (mut alone, mut ahead, mut over) = (Vec::new(), Vec::new(), Vec::new());
    let begun = Instant::now();
    while begun.elapsed() < time && ((over.len() + 1) * BYTES) as u64 <= LOG_BYTES {
        // In turns: the disk's pace changes by the second.
        alone.push(append(&mut growing)?);
        ahead.push(append(&mut preallocated)?);
        over.push(append(&mut recycled)?);
    }
    Ok(DiskFloor {
        alone_ms: median(alone),
        preallocated_ms: median(ahead),
        recycled_ms: median(over),
        second_of_three_ms: second_of_three(own.path(), time)?,
    })
}

/// Rounds in which three threads append at once; of each round the second that was done.
fn second_of_three(directory: &Path, time: Duration) -> io::Result<f64> {
    let barrier = Arc::new(Barrier::new(3));
    let rounds = (time.as_millis() / 5).clamp(20, 2000) as usize;
    let threads: Vec<_> = (0..3)
        .map(|number| {
            let (barrier, path) = (barrier.clone(), directory.join(format!("three-{number}")));
            thread::spawn(move || -> io::Result<Vec<Duration>> {
                let file = log(&path);
                let mut took = Vec::with_capacity(rounds);
                let mut failed = file.as_ref().err().map(|error| io::Error::other(error.to_string()));
                let mut file = file.ok();
                for _ in 0..rounds {
                    // All come here in each round, also when one has failed, or the others would wait for ever.
                    barrier.wait();
                    match file.as_mut().map(append) {
                        Some(Ok(time)) => took.push(time),
                        Some(Err(error)) => failed = Some(error),
                        None => {}
                    }
                }
                failed.map_or(Ok(took), Err)
            })
        })
        .collect();
    let mut all = Vec::new();
    for thread in threads {
        all.push(thread.join().map_err(|_| io::Error::other("a thread of the measurement panicked"))??);
    }
    let second = |round: usize| {
        let mut took: Vec<Duration> = all.iter().map(|thread| thread[round]).collect();
        took.sort();
        took[1]
    };
    Ok(median((0..rounds).map(second).collect()))
}

fn log(path: &Path) -> io::Result<File> {
    OpenOptions::new().create_new(true).append(true).open(path)
}

fn append(file: &mut File) -> io::Result<Duration> {
    let begun = Instant::now();
    file.write_all(&[7; BYTES])?;
    file.sync_data()?;
    Ok(begun.elapsed())
}

fn median(mut took: Vec<Duration>) -> f64 {
    took.sort();
    took.get(took.len() / 2).map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
}

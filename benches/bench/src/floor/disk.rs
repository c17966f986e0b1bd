//! Append and fdatasync: what a durable write cannot be faster than.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::Path,
    sync::{Arc, Barrier},
    thread,
    time::{Duration, Instant},
};

/// Bytes of one append.
const BYTES: usize = 512;

/// Medians, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct DiskFloor {
    pub alone_ms: f64,
    pub second_of_three_ms: f64,
}

/// Appends and syncs one file for `time`, and then three files at once.
///
/// # Errors
/// The disk's.
pub fn disk(directory: &Path, time: Duration) -> io::Result<DiskFloor> {
    let own = tempfile::tempdir_in(directory)?;
    let mut file = log(&own.path().join("alone"))?;
    let mut alone = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < time {
        alone.push(append(&mut file)?);
    }
    Ok(DiskFloor { alone_ms: median(alone), second_of_three_ms: second_of_three(own.path(), time)? })
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

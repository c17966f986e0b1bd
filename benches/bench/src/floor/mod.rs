//! What this machine can do at all. Every other figure is a ratio to one of these.

mod copy;
mod disk;
mod empty_call;
mod rocks;
mod stream;
mod tls;

use std::{path::Path, time::Duration};

use serde::Serialize;

use crate::{
    report::{Report, Table},
    row,
};

pub use copy::copying_bytes_per_second;
pub use disk::{DiskFloor, disk};
pub use empty_call::{EmptyServer, empty_calls};
pub use rocks::{bare_gets_per_second, write_and_sync};
pub use stream::streamed_messages_per_second;

/// The floors that others are compared with.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Floors {
    /// append + fdatasync, median, alone, in milliseconds.
    pub sync_ms: f64,
    /// The same into a file whose space is preallocated, and over what a file holds.
    pub sync_preallocated_ms: f64,
    pub sync_recycled_ms: f64,
    /// The second fastest of three appends + fdatasyncs at once: what a quorum of three on this disk waits for.
    pub second_of_three_ms: f64,
    /// Batches of 100 entries of 600 bytes written to RocksDB and synced, a second.
    pub rocks_syncs_per_second: f64,
    /// One empty unary call over mutual TLS, median, in milliseconds.
    pub call_ms: f64,
    /// Empty unary calls a second, 64 at once over 1 connection.
    pub calls_one_connection: f64,
    /// ... and over 8.
    pub calls_eight_connections: f64,
    /// Processor time of one empty call, client and server, in microseconds.
    pub call_cpu_us: f64,
    /// Small messages a second on one stream.
    pub stream_messages_per_second: f64,
    /// Bytes a second of files over one connection with TLS.
    pub copy_bytes_per_second: f64,
    /// Bytes a second of memcpy of 64 MiB.
    pub memcpy_bytes_per_second: f64,
}

/// Measures all of it; `time` for each part.
///
/// # Errors
/// The disk or the network of this machine fails.
pub async fn measure(directory: &Path, time: Duration) -> anyhow::Result<Floors> {
    let path = directory.to_path_buf();
    let (disk, rocks_syncs_per_second) = tokio::task::spawn_blocking(move || {
        anyhow::Ok((disk::disk(&path, time)?, rocks::write_and_sync(&path, time)?))
    })
    .await??;
    let server = EmptyServer::start(directory).await?;
    let one = server.measure(1, 1, time).await?;
    let narrow = server.measure(64, 1, time).await?;
    let wide = server.measure(64, 8, time).await?;
    drop(server);
    let streamed = streamed_messages_per_second(directory, time).await?;
    let copied = copying_bytes_per_second(directory, time).await?;
    let memcpy = tokio::task::spawn_blocking(move || memcpy_bytes_per_second(time)).await?;
    Ok(Floors {
        sync_ms: disk.alone_ms,
        sync_preallocated_ms: disk.preallocated_ms,
        sync_recycled_ms: disk.recycled_ms,
        second_of_three_ms: disk.second_of_three_ms,
        rocks_syncs_per_second,
        call_ms: one.ms(0.5),
        calls_one_connection: narrow.rate(),
        calls_eight_connections: wide.rate(),
        call_cpu_us: wide.cpu_us,
        stream_messages_per_second: streamed,
        copy_bytes_per_second: copied,
        memcpy_bytes_per_second: memcpy,
    })
}

/// As a report.
///
/// # Errors
/// See [`measure`].
pub async fn report(directory: &Path, time: Duration) -> anyhow::Result<Report> {
    let mut report = Report::begin("floor", "What this machine can do at all");
    let floors = measure(directory, time).await?;
    report.table(table(&floors));
    report.note(
        "The disk is the one below the data directory; a virtual machine's fdatasync may end in the host's memory.",
    );
    Ok(report)
}

/// One row a floor.
pub fn table(floors: &Floors) -> Table {
    let mut table = Table::new("Floors", &["what", "value", "unit"]);
    let mib = 1024.0 * 1024.0;
    table.push(row!["append of 512 B + fdatasync, alone, p50", floors.sync_ms, "ms"]);
    table.push(row!["the same, space preallocated (RocksDB's log), p50", floors.sync_preallocated_ms, "ms"]);
    table.push(row!["the same over what a file holds (recycled), p50", floors.sync_recycled_ms, "ms"]);
    table.push(row!["second fastest of three at once, p50", floors.second_of_three_ms, "ms"]);
    table.push(row!["RocksDB batch of 100 x 600 B + sync", floors.rocks_syncs_per_second, "batches/s"]);
    table.push(row!["empty unary call, mutual TLS, one at a time, p50", floors.call_ms, "ms"]);
    table.push(row!["empty unary calls, 64 at once, 1 connection", floors.calls_one_connection, "calls/s"]);
    table.push(row!["empty unary calls, 64 at once, 8 connections", floors.calls_eight_connections, "calls/s"]);
    table.push(row!["processor time of one of these, client + server", floors.call_cpu_us, "us"]);
    table.push(row!["small messages on one stream, mutual TLS", floors.stream_messages_per_second, "messages/s"]);
    table.push(row!["files over one connection with TLS", floors.copy_bytes_per_second / mib, "MiB/s"]);
    table.push(row!["memcpy of 64 MiB", floors.memcpy_bytes_per_second / mib, "MiB/s"]);
    table
}

fn memcpy_bytes_per_second(time: Duration) -> f64 {
    const BYTES: usize = 64 << 20;
    let (from, mut to) = (vec![7u8; BYTES], vec![0u8; BYTES]);
    let begun = std::time::Instant::now();
    let mut copies = 0;
    while begun.elapsed() < time {
        to.copy_from_slice(std::hint::black_box(&from));
        std::hint::black_box(&mut to);
        copies += 1;
    }
    (copies * BYTES) as f64 / begun.elapsed().as_secs_f64()
}

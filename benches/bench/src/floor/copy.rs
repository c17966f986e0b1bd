//! Copying files over one connection with TLS: what sending a snapshot cannot be faster than.

use std::{path::Path, time::Duration};

use alert_client::{Connector, TlsConnector};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::Instant,
};

use super::tls::Ends;

/// Bytes of the file that is sent again and again.
const FILE_BYTES: usize = 64 << 20;
const CHUNK: usize = 256 << 10;

/// Bytes a second from a file on one side to a file on the other.
///
/// # Errors
/// The disk's, or the network's.
pub async fn copying_bytes_per_second(directory: &Path, time: Duration) -> anyhow::Result<f64> {
    let own = tempfile::tempdir_in(directory)?;
    let (source, sink) = (own.path().join("source"), own.path().join("sink"));
    tokio::fs::write(&source, vec![7u8; FILE_BYTES]).await?;
    let ends = Ends::make(own.path())?;
    let (listener, acceptor) = ends.listen().await?;
    let address = listener.local_addr()?.to_string();
    let receiver = tokio::spawn(async move {
        let (stream, _) = listener.accept().await?;
        let mut stream = acceptor.accept(stream).await?;
        // As a node does: whoever connects waits to hear that it is let in.
        stream.write_all(&[0]).await?;
        stream.flush().await?;
        let mut file = tokio::fs::File::create(sink).await?;
        let mut bytes = vec![0; CHUNK];
        let mut received = 0u64;
        loop {
            let read = stream.read(&mut bytes).await?;
            if read == 0 {
                break;
            }
            file.write_all(&bytes[..read]).await?;
            received += read as u64;
        }
        file.sync_data().await?;
        anyhow::Ok(received)
    });
    let mut stream = TlsConnector::new(ends.client()).connect(&address).await?;
    let begun = Instant::now();
    let mut bytes = vec![0; CHUNK];
    while begun.elapsed() < time {
        let mut file = tokio::fs::File::open(&source).await?;
        loop {
            let read = file.read(&mut bytes).await?;
            if read == 0 {
                break;
            }
            stream.write_all(&bytes[..read]).await?;
        }
    }
    stream.shutdown().await?;
    let received = receiver.await??;
    Ok(received as f64 / begun.elapsed().as_secs_f64())
}

//! One HTTP GET, for health and metrics.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Longest answer that is read.
const ANSWER_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// For example 200.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// Asks for `path` at `address`, for at most `limit`.
pub async fn get(address: SocketAddr, path: &str, limit: Duration) -> io::Result<Answer> {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        // 1.0: one answer, not in chunks, and then the connection closes.
        stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes()).await?;
        let mut bytes = Vec::new();
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut bytes).await?;
        parse(&bytes)
    };
    timeout(limit, exchange).await.unwrap_or_else(|_| {
        Err(io::Error::new(io::ErrorKind::TimedOut, format!("http://{address}{path} did not answer within {limit:?}")))
    })
}

fn parse(bytes: &[u8]) -> io::Result<Answer> {
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "not an HTTP answer");
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(wrong)?;
    let status = head.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1)).ok_or_else(wrong)?;
    Ok(Answer { status: status.trim().parse().map_err(|_| wrong())?, body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_its_status_and_body() {
        let answer = parse(b"HTTP/1.0 503 Service Unavailable\r\ncontent-length: 4\r\n\r\nwait").unwrap();
        assert_eq!(answer, Answer { status: 503, body: "wait".to_owned() });
        assert!(parse(b"").is_err());
        assert!(parse(b"SSH-2.0\r\n\r\n").is_err());
    }
}

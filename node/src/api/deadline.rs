//! Until when a caller waits: the `grpc-timeout` header.

use std::time::Duration;

use tonic::metadata::MetadataMap;

use super::{
    backend::Deadline,
    errors::{ApiError, ApiResult, ErrorCode},
};
use crate::limits::{ANSWER_MARGIN, CALL_DEADLINE_DEFAULT};

/// The header's value as a duration; `None` when it is absent or no timeout.
fn timeout(metadata: &MetadataMap) -> Option<Duration> {
    let text = metadata.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

/// When a unary call gives up: a little before its caller does, so that a typed error still arrives; after `longest` in
/// any case.
pub fn of_call(metadata: &MetadataMap, longest: Duration) -> Deadline {
    let timeout = timeout(metadata).unwrap_or(CALL_DEADLINE_DEFAULT).min(longest);
    Deadline::now() + timeout - ANSWER_MARGIN.min(timeout / 10)
}

/// When a stream gives up: only if the caller says so.
pub fn of_stream(metadata: &MetadataMap) -> Option<Deadline> {
    timeout(metadata).map(|timeout| Deadline::now() + timeout)
}

/// When one step of a stream gives up.
pub fn of_step(stream: Option<Deadline>) -> Deadline {
    let step = Deadline::now() + CALL_DEADLINE_DEFAULT;
    stream.map_or(step, |stream| stream.min(step))
}

/// Ends work whose caller no longer waits.
pub async fn within<T>(deadline: Deadline, work: impl Future<Output = ApiResult<T>>) -> ApiResult<T> {
    match tokio::time::timeout_at(deadline, work).await {
        Ok(result) => result,
        Err(_) => Err(ApiError::plain(ErrorCode::DeadlineExceeded)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<Duration> {
        let mut metadata = MetadataMap::new();
        metadata.insert("grpc-timeout", text.parse().unwrap());
        timeout(&metadata)
    }

    #[test]
    fn timeouts_are_read_as_the_specification_writes_them() {
        assert_eq!(parsed("250m"), Some(Duration::from_millis(250)));
        assert_eq!(parsed("3S"), Some(Duration::from_secs(3)));
        assert_eq!(parsed("99999999u"), Some(Duration::from_micros(99_999_999)));
        for broken in ["", "S", "5", "5x", "123456789S", "-1S", "é"] {
            if let Ok(value) = broken.parse::<tonic::metadata::MetadataValue<_>>() {
                let mut metadata = MetadataMap::new();
                metadata.insert("grpc-timeout", value);
                assert_eq!(timeout(&metadata), None, "{broken}");
            }
        }
    }
}

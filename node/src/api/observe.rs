//! What is seen of calls from outside: logs and metrics, without personal data.

use std::time::Duration;

use tonic::{Code, Status};

use super::{
    errors::{ApiError, ErrorCode, grpc_name},
    operations::Operation,
};
use crate::ops::metric::{CALL_SECONDS, CALLS, REFUSALS};

/// A unary call ended.
pub fn call(operation: &Operation, refused: Option<&Status>, took: Duration) {
    let code = grpc_name(refused.map_or(Code::Ok, Status::code));
    metrics::counter!(CALLS, "method" => operation.name, "code" => code).increment(1);
    metrics::histogram!(CALL_SECONDS, "method" => operation.name).record(took.as_secs_f64());
    tracing::debug!(operation = operation.name, code, took_us = took.as_micros() as u64, "call ended");
}

/// A call was refused here.
pub fn refused(operation: &Operation, error: &ApiError) {
    let code = error.code.row().name;
    metrics::counter!(REFUSALS, "method" => operation.name, "code" => code).increment(1);
    // Messages may quote what the caller sent, so only the code is logged.
    match error.code {
        ErrorCode::Internal | ErrorCode::AuditUnavailable => tracing::error!(operation = operation.name, code),
        _ => tracing::info!(operation = operation.name, code, "refused"),
    }
}

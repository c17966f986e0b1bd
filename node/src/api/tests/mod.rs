//! Stories of the services: real clients and servers of tonic over connections in memory, the real state machine behind
//! them, no consensus.

mod admission;
mod attachments;
mod catching_up;
mod cluster;
mod copies;
mod fake;
mod forwarding;
mod import_export;
mod levels;
mod partners;
mod promise;
mod reading;
mod refusals;
mod serving;
mod watching;
mod world;
mod writing;

use alert_core::{
    alert::{Caller, Role},
    pb,
};
pub(super) use alert_synth::codes::some_code as code;
use alert_synth::plain;
use tonic::{Code, Response, Status};

use super::errors::detail_of;
pub(super) use fake::{FakeAudit, FakeStore};
pub(super) use world::World;

/// A caller of a role, in the United Kingdom unless it is a partner.
pub(super) fn caller(role: Role, authority: &str) -> Caller {
    let country = if role == Role::Partner { "FR" } else { "GB" };
    Caller { country: country.into(), authority: authority.into(), system: "desk".into(), role }
}

pub(super) fn nca() -> Caller {
    caller(Role::Bureau, "nca")
}

pub(super) fn partner() -> Caller {
    caller(Role::Partner, "pjudiciaire")
}

/// A complete context of a question.
pub(super) fn context() -> Option<pb::CallContext> {
    Some(pb::CallContext {
        search_id: "0190b0a2-7c3d-7000-8000-000000000001".into(),
        officer_ref: "officer-7".into(),
        purpose: code("purpose", "border-control"),
        ..Default::default()
    })
}

/// The same for a change: request `sequence` of one session.
pub(super) fn change(sequence: u64) -> Option<pb::CallContext> {
    let request_id = Some(pb::RequestId { session: vec![9; 16], sequence });
    Some(pb::CallContext { request_id, ..context().unwrap() })
}

/// The same for a partner.
pub(super) fn under(agreement: &str) -> Option<pb::CallContext> {
    Some(pb::CallContext { agreement_id: agreement.into(), ..context().unwrap() })
}

/// A wanted person, kept by the National Crime Agency. Nobody in particular.
pub(super) fn person(number: u64, category: &str) -> pb::Alert {
    let mut alert = plain::person(number, format!("REF-{number}"));
    alert.core.get_or_insert_default().category = code("category", category);
    alert.internal = Some(pb::InternalSection { note: "for the bureau alone".into(), ..Default::default() });
    alert
}

/// The gRPC code, the code of docs/errors.md and the sentence of a refusal.
pub(super) fn refusal<T: std::fmt::Debug>(result: Result<Response<T>, Status>) -> (Code, String, String) {
    let status = result.expect_err("the call is refused");
    let detail = detail_of(&status).unwrap_or_else(|| panic!("a refusal carries a detail: {status:?}"));
    assert_eq!(detail.message, status.message());
    (status.code(), detail.code, detail.message)
}

/// The code alone.
pub(super) fn refusal_code<T: std::fmt::Debug>(result: Result<Response<T>, Status>) -> String {
    refusal(result).1
}

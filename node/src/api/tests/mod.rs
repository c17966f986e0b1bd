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

pub(super) fn code(list: &str, value: &str) -> Option<pb::Code> {
    Some(pb::Code { list: list.into(), value: value.into() })
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
    let party = |code: &str| Some(pb::Party { code: code.into() });
    let part = |kind: &str, text: String| pb::NamePart { kind: code("name-part", kind), text };
    let name = pb::NameForm {
        parts: vec![part("forename", "Example".into()), part("surname", format!("Synthetic{}", letters(number)))],
        ..Default::default()
    };
    let birth_date = pb::BirthDate { year: Some(1980), month: Some(2), day: Some(3), ..Default::default() };
    pb::Alert {
        core: Some(pb::Core {
            owner: Some(pb::Owner {
                party: party("GB"),
                authority: code("authority", "nca"),
                contact: Some(pb::Contact {
                    name: "Duty desk".into(),
                    phone: "+44 20 7946 0000".into(),
                    available_24h: true,
                    ..Default::default()
                }),
            }),
            source: Some(pb::Source {
                system: "UK".into(),
                reference: format!("REF-{number}"),
                source_version: 1,
                ..Default::default()
            }),
            subject_kind: pb::SubjectKind::Person as i32,
            category: code("category", category),
            reason: code("reason", "warrant-first-instance"),
            decision: Some(pb::DecisionReference { reference: format!("W-{number}"), ..Default::default() }),
            offences: vec![pb::Offence { description: "theft".into(), ..Default::default() }],
            ..Default::default()
        }),
        identities: Some(pb::IdentitySection {
            identities: vec![pb::Identity {
                kind: code("identity-kind", "confirmed"),
                names: vec![name],
                birth_dates: vec![birth_date],
                documents: vec![pb::IdentityDocument {
                    r#type: code("document-type", "passport"),
                    issuing_country: party("GB"),
                    number: format!("{:09}", 500_000_000 + number),
                    ..Default::default()
                }],
                ..Default::default()
            }],
            ..Default::default()
        }),
        action: Some(pb::ActionSection { action: code("action", "arrest"), ..Default::default() }),
        internal: Some(pb::InternalSection { note: "for the bureau alone".into(), ..Default::default() }),
        ..Default::default()
    }
}

/// A number as letters, for names.
fn letters(mut number: u64) -> String {
    let mut text = String::new();
    loop {
        text.push(char::from(b'a' + (number % 26) as u8));
        number /= 26;
        if number == 0 {
            return text;
        }
    }
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

//! Synthetic alerts of a simulation. Nobody in particular is meant.

use alert_core::alert::time::from_ms;
use alert_proto::v1 as pb;

fn code(list: &str, value: &str) -> Option<pb::Code> {
    Some(pb::Code { list: list.into(), value: value.into() })
}

fn party(code: &str) -> Option<pb::Party> {
    Some(pb::Party { code: code.into() })
}

/// The passport number of an alert: no two have the same.
pub fn number_of(alert: u64) -> String {
    format!("{:09}", 500_000_000 + alert)
}

/// A person who is wanted, or to be checked discreetly. `value` is what a history tells apart; `ends_ms` is when it is to
/// end by itself.
pub fn record(alert: u64, value: u64, covert: bool, ends_ms: Option<u64>) -> pb::Alert {
    let part = |kind: &str, text: String| pb::NamePart { kind: code("name-part", kind), text };
    let name = pb::NameForm {
        parts: vec![part("forename", "Example".into()), part("surname", format!("Synthetic{}", letters(alert)))],
        ..Default::default()
    };
    let category = if covert { "discreet-check" } else { "arrest" };
    let action = if covert { "discreet-check" } else { "arrest" };
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
                reference: format!("SIM-{alert}"),
                source_version: 1,
                ..Default::default()
            }),
            subject_kind: pb::SubjectKind::Person as i32,
            category: code("category", category),
            reason: code("reason", "warrant-first-instance"),
            decision: Some(pb::DecisionReference { reference: format!("W-{value}"), ..Default::default() }),
            offences: vec![pb::Offence { description: "theft".into(), ..Default::default() }],
            requested_expiry: ends_ms.map(from_ms),
            ..Default::default()
        }),
        identities: Some(pb::IdentitySection {
            identities: vec![pb::Identity {
                kind: code("identity-kind", "confirmed"),
                names: vec![name],
                birth_dates: vec![pb::BirthDate {
                    year: Some(1980),
                    month: Some(2),
                    day: Some(3),
                    ..Default::default()
                }],
                documents: vec![pb::IdentityDocument {
                    r#type: code("document-type", "passport"),
                    issuing_country: party("GB"),
                    number: number_of(alert),
                    ..Default::default()
                }],
                ..Default::default()
            }],
            ..Default::default()
        }),
        action: Some(pb::ActionSection { action: code("action", action), ..Default::default() }),
        ..Default::default()
    }
}

/// What [`record`] was given as its value; 0 when it is not one of ours.
pub fn value_of(alert: &pb::Alert) -> u64 {
    let decision = alert.core.as_ref().and_then(|core| core.decision.as_ref());
    decision.and_then(|decision| decision.reference.strip_prefix("W-")?.parse().ok()).unwrap_or(0)
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

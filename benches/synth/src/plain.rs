//! One plain person, numbered: the least that passes validation, for tests that need many alerts told apart and nothing
//! that looks real.

use alert_proto::v1 as pb;

use crate::codes::{party, some_code};

/// The passport number of a numbered person: no two have the same.
pub fn passport(number: u64) -> String {
    format!("{:09}", 500_000_000 + number)
}

/// The person, wanted for arrest. `reference` is that of its source.
pub fn person(number: u64, reference: String) -> pb::Alert {
    let part = |kind: &str, text: String| pb::NamePart { kind: some_code("name-part", kind), text };
    let name = pb::NameForm {
        parts: vec![part("forename", "Example".into()), part("surname", format!("Synthetic{}", letters(number)))],
        ..Default::default()
    };
    let birth_date = pb::BirthDate { year: Some(1980), month: Some(2), day: Some(3), ..Default::default() };
    let document = pb::IdentityDocument {
        r#type: some_code("document-type", "passport"),
        issuing_country: party("GB"),
        number: passport(number),
        ..Default::default()
    };
    let contact = pb::Contact {
        name: "Duty desk".into(),
        phone: "+44 20 7946 0000".into(),
        available_24h: true,
        ..Default::default()
    };
    pb::Alert {
        core: Some(pb::Core {
            owner: Some(pb::Owner {
                party: party("GB"),
                authority: some_code("authority", "nca"),
                contact: Some(contact),
            }),
            source: Some(pb::Source { system: "UK".into(), reference, source_version: 1, ..Default::default() }),
            subject_kind: pb::SubjectKind::Person as i32,
            category: some_code("category", "arrest"),
            reason: some_code("reason", "warrant-first-instance"),
            decision: Some(pb::DecisionReference { reference: format!("W-{number}"), ..Default::default() }),
            offences: vec![pb::Offence { description: "theft".into(), ..Default::default() }],
            ..Default::default()
        }),
        identities: Some(pb::IdentitySection {
            identities: vec![pb::Identity {
                kind: some_code("identity-kind", "confirmed"),
                names: vec![name],
                birth_dates: vec![birth_date],
                documents: vec![document],
                ..Default::default()
            }],
            ..Default::default()
        }),
        action: Some(pb::ActionSection { action: some_code("action", "arrest"), ..Default::default() }),
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

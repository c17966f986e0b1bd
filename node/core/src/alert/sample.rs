//! Sound synthetic alerts for the tests of the core: each passes validation under the shipped rules without a warning.

use std::sync::LazyLock;

use super::{RuleSet, time::from_ms};
use crate::pb;

/// 22 November 2026, 00:00 UTC.
pub(crate) const NOW_MS: u64 = 1_795_305_600_000;
pub(crate) const DAY_MS: u64 = 86_400_000;

/// The shipped rules, built once.
pub(crate) fn rules() -> &'static RuleSet {
    static RULES: LazyLock<RuleSet> = LazyLock::new(RuleSet::defaults);
    &RULES
}

pub(crate) fn code(list: &str, value: &str) -> Option<pb::Code> {
    Some(pb::Code { list: list.into(), value: value.into() })
}

pub(crate) fn codes(list: &str, values: &[&str]) -> Vec<pb::Code> {
    values.iter().filter_map(|value| code(list, value)).collect()
}

pub(crate) fn party(code: &str) -> Option<pb::Party> {
    Some(pb::Party { code: code.into() })
}

pub(crate) fn parties(codes: &[&str]) -> Vec<pb::Party> {
    codes.iter().filter_map(|code| party(code)).collect()
}

pub(crate) fn owner(country: &str, authority: &str) -> pb::Owner {
    pb::Owner {
        party: party(country),
        authority: code("authority", authority),
        contact: Some(pb::Contact {
            name: "Duty desk".into(),
            phone: "+44 20 7946 0000".into(),
            email: "desk@example.org".into(),
            available_24h: true,
        }),
    }
}

fn core(category: &str, kind: pb::SubjectKind) -> pb::Core {
    pb::Core {
        owner: Some(owner("GB", "nca")),
        source: Some(pb::Source {
            system: "UK".into(),
            reference: "SYN-1".into(),
            source_version: 1,
            source_changed_at: Some(from_ms(NOW_MS - DAY_MS)),
            received_at: Some(from_ms(NOW_MS)),
        }),
        subject_kind: kind as i32,
        category: code("category", category),
        reason: code("reason", "serious-crime"),
        decision: Some(pb::DecisionReference {
            reference: "W-1".into(),
            authority: "Synthetic Court".into(),
            country: party("GB"),
            decided_at: Some(from_ms(NOW_MS - 10 * DAY_MS)),
            ends_at: None,
            kind: code("decision-kind", "warrant"),
        }),
        offences: vec![pb::Offence { offence: code("offence", "fraud"), ..Default::default() }],
        ..Default::default()
    }
}

pub(crate) fn identity(forename: &str, surname: &str) -> pb::Identity {
    let part = |kind: &str, text: &str| pb::NamePart { kind: code("name-part", kind), text: text.into() };
    pb::Identity {
        kind: code("identity-kind", "confirmed"),
        names: vec![pb::NameForm {
            parts: vec![part("forename", forename), part("surname", surname)],
            script: "Latn".into(),
            origin: pb::NameOrigin::Source as i32,
            ..Default::default()
        }],
        birth_dates: vec![pb::BirthDate {
            year: Some(1980),
            month: Some(2),
            day: Some(29),
            qualifier: code("date-qualifier", "exact"),
            ..Default::default()
        }],
        gender: code("gender", "female"),
        nationalities: parties(&["GB"]),
        ..Default::default()
    }
}

/// A person of the United Kingdom, wanted for arrest or under another category of persons.
pub(crate) fn person(category: &str) -> pb::Alert {
    let mut core = core(category, pb::SubjectKind::Person);
    if ["missing", "child-at-risk"].contains(&category) {
        core.missing_person_case = code("missing-person-case", "adult-other");
    }
    pb::Alert {
        core: Some(core),
        identities: Some(pb::IdentitySection {
            identities: vec![identity("Example", "Synthetic")],
            ..Default::default()
        }),
        action: Some(pb::ActionSection {
            action: code("action", "arrest"),
            texts: vec![pb::LocalisedText { language: "en".into(), text: "Arrest.".into() }],
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// A vehicle sought for seizure.
pub(crate) fn vehicle() -> pb::Alert {
    pb::Alert {
        core: Some(core("object-seizure", pb::SubjectKind::Object)),
        objects: Some(pb::ObjectSection {
            objects: vec![pb::Object {
                class: code("object-class", "vehicle"),
                status: code("object-status", "stolen"),
                detail: Some(pb::object::Detail::Vehicle(pb::Vehicle {
                    vin: "1M8GDM9AXKP042788".into(),
                    plate: Some(pb::NumberPlate { number: "AB12 CDE".into(), country: party("GB") }),
                    make: code("vehicle-make", "ford"),
                    colour: code("colour", "blue"),
                    ..Default::default()
                })),
                ..Default::default()
            }],
        }),
        action: Some(pb::ActionSection { action: code("action", "seize"), ..Default::default() }),
        ..Default::default()
    }
}

/// A company under sanctions.
pub(crate) fn organisation() -> pb::Alert {
    pb::Alert {
        core: Some(core("un-sanctions", pb::SubjectKind::Organisation)),
        identities: Some(pb::IdentitySection {
            organisations: vec![pb::OrganisationIdentity {
                kind: code("identity-kind", "confirmed"),
                names: vec![pb::NameForm { full_text: "Synthetic Trading Ltd".into(), ..Default::default() }],
                ..Default::default()
            }],
            ..Default::default()
        }),
        action: Some(pb::ActionSection { action: code("action", "caution"), ..Default::default() }),
        ..Default::default()
    }
}

/// An agreement that lets France see arrests and stolen vehicles.
pub(crate) fn agreement() -> pb::Agreement {
    pb::Agreement {
        id: "FR-1".into(),
        partner: party("FR"),
        categories: codes("category", &["arrest", "object-seizure"]),
        record_fields: Some(pb::FieldRights { fields: vec!["identities".into(), "action".into()] }),
        candidate_fields: Some(pb::FieldRights { fields: vec!["title".into(), "action".into()] }),
        purposes: codes("purpose", &["police-check", "border-control"]),
        legal_regime: "Synthetic treaty".into(),
        transfer_basis: "Data Protection Act 2018 s.75".into(),
        state: pb::AgreementState::Active as i32,
        ..Default::default()
    }
}

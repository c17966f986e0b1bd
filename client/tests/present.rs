//! What an officer reads, against golden texts in `tests/golden/`. `ALERT_GOLDEN=write` writes them anew.

use std::path::Path;

use alert_client::{pb, present};
use alert_synth::codes::some_code as code;

fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var("ALERT_GOLDEN").is_ok_and(|value| value == "write") {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "differs from {}", path.display());
    let longest = text.lines().map(|line| line.chars().count()).max().unwrap_or_default();
    assert!(longest <= present::WIDTH + 20, "a line of {longest} columns");
}

fn marker(value: &str, assertion: &str) -> pb::Marker {
    let grading = pb::Grading { assertion: code("assertion", assertion), ..Default::default() };
    pb::Marker { marker: code("warning-marker", value), grading: Some(grading), note: String::new() }
}

fn owner() -> Option<pb::Owner> {
    Some(pb::Owner {
        party: Some(pb::Party { code: "GB".into() }),
        authority: code("authority", "national-crime-agency"),
        contact: Some(pb::Contact {
            name: "Bureau".into(),
            phone: "+44 20 7946 0000".into(),
            email: "bureau@example.org".into(),
            available_24h: true,
        }),
    })
}

fn wanted_person() -> pb::Candidate {
    let token = |query: &str, matched: &str, how: &str| pb::TokenMatch {
        query: query.into(),
        matched: matched.into(),
        how: how.into(),
        points: 0,
    };
    pb::Candidate {
        alert_id: "0190a7c8-0000-7000-8000-000000000001".into(),
        version: 3,
        score: 9312,
        explanation: Some(pb::Explanation {
            tokens: vec![token("katerina", "Ekaterina", "variant"), token("ivanowa", "IVANOVA", "transliteration")],
            date: "day-month-swapped".into(),
            date_points: -350,
            adjustments: vec![pb::Adjustment { what: "nationality".into(), points: 50 }],
            ..Default::default()
        }),
        identity_kind: code("identity-kind", "misused"),
        category: code("category", "arrest"),
        action: code("action", "arrest-and-surrender"),
        action_texts: vec![pb::LocalisedText {
            language: "en".into(),
            text:
                "Arrest under the warrant named in the record, and call the bureau at once. Do not release before the \
                   bureau has answered; keep travel documents."
                    .into(),
        }],
        markers: vec![marker("armed", "fact"), marker("suicide-risk", "assessment")],
        owner: owner(),
        has_photo: true,
        subject_kind: pb::SubjectKind::Person as i32,
        title: "Ekaterina IVANOVA, 1984-03-07".into(),
        source: Some(pb::Source { system: "UK".into(), reference: "NCA-1".into(), ..Default::default() }),
        urgency: code("urgency", "urgent"),
        ..Default::default()
    }
}

fn stolen_car() -> pb::Candidate {
    pb::Candidate {
        alert_id: "0190a7c8-0000-7000-8000-000000000002".into(),
        version: 1,
        score: 10_000,
        explanation: Some(pb::Explanation {
            number_kind: "vin".into(),
            number_how: "last-8".into(),
            notes: vec!["the check digit of the VIN does not fit".into()],
            ..Default::default()
        }),
        category: code("category", "object-seizure"),
        action: code("action", "seize"),
        owner: owner(),
        subject_kind: pb::SubjectKind::Object as i32,
        object_class: code("object-class", "vehicle"),
        title: "VIN WVWZZZ1KZ9W000001".into(),
        ..Default::default()
    }
}

fn source(name: &str, status: pb::SourceStatus, candidates: Vec<pb::Candidate>) -> pb::SourceAnswer {
    pb::SourceAnswer { source: name.into(), status: status as i32, candidates, ..Default::default() }
}

fn context() -> Option<pb::AnswerContext> {
    Some(pb::AnswerContext {
        node: "lon-1".into(),
        data_centre: "lon".into(),
        revision: 4711,
        staleness_bound: Some(prost_types::Duration { seconds: 0, nanos: 120_000_000 }),
        receipt: "lon-1-42".into(),
        ..Default::default()
    })
}

#[test]
fn candidates_show_what_the_roadside_needs() {
    let answer = pb::SearchResponse {
        answer: context(),
        sources: vec![source("UK", pb::SourceStatus::Complete, vec![wanted_person(), stolen_car()])],
        warnings: vec![pb::Fault {
            field_path: "query.mrz".into(),
            code: "CHECK_DIGIT".into(),
            message: "the check digit of the number does not fit".into(),
            warning: true,
        }],
    };
    golden("candidates.txt", &present::search(&answer));
}

#[test]
fn no_hit_and_not_fully_searched_cannot_be_confused() {
    let no_hit = pb::SearchResponse {
        answer: context(),
        sources: vec![source("UK", pb::SourceStatus::Complete, Vec::new())],
        ..Default::default()
    };
    let mut cut = source("UK", pb::SourceStatus::Truncated, vec![stolen_car()]);
    cut.truncation = Some(pb::Truncation {
        limit: "candidates".into(),
        limit_value: 1,
        narrow_by: "give the country of the plate".into(),
    });
    let mut away = source("INTERPOL-SLTD", pb::SourceStatus::Unavailable, Vec::new());
    away.reason = "the line to the source is down".into();
    let mut doubtful = context();
    doubtful.as_mut().unwrap().without_quorum = true;
    let not_all = pb::SearchResponse { answer: doubtful, sources: vec![cut, away], ..Default::default() };
    golden("verdicts.txt", &format!("{}---\n{}", present::search(&no_hit), present::search(&not_all)));
}

#[test]
fn one_answer_of_a_batch_is_headed_by_its_key() {
    let error = pb::ErrorDetail { code: "QUERY_INVALID".into(), message: "no name".into(), ..Default::default() };
    let refused = pb::KeyedAnswer { key: "12C".into(), error: Some(error), ..Default::default() };
    assert_eq!(present::keyed(&refused), "[12C] NOT SEARCHED because QUERY_INVALID: no name\n");
    let clear = pb::KeyedAnswer {
        key: "12D".into(),
        sources: vec![source("UK", pb::SourceStatus::Complete, Vec::new())],
        ..Default::default()
    };
    assert_eq!(present::keyed(&clear), "[12D] NO HIT: fully searched (UK)\n");
}

#[test]
fn a_record_is_printed_with_what_restricts_it_and_what_was_withheld() {
    let part = |kind: &str, text: &str| pb::NamePart { kind: code("name-part", kind), text: text.into() };
    let time = |seconds: i64| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let alert = pb::Alert {
        core: Some(pb::Core {
            owner: owner(),
            source: Some(pb::Source {
                system: "UK".into(),
                reference: "NCA-1".into(),
                source_version: 2,
                ..Default::default()
            }),
            category: code("category", "arrest"),
            reason: code("reason", "extradition"),
            offences: vec![pb::Offence { offence: code("offence", "fraud"), ..Default::default() }],
            ..Default::default()
        }),
        identities: Some(pb::IdentitySection {
            identities: vec![pb::Identity {
                kind: code("identity-kind", "confirmed"),
                names: vec![pb::NameForm {
                    parts: vec![part("forename", "Ekaterina"), part("surname", "Ivanova")],
                    ..Default::default()
                }],
                birth_dates: vec![pb::BirthDate { year: Some(1984), month: Some(3), ..Default::default() }],
                gender: code("gender", "female"),
                nationalities: vec![pb::Party { code: "BG".into() }],
                documents: vec![pb::IdentityDocument {
                    r#type: code("document-type", "passport"),
                    issuing_country: Some(pb::Party { code: "BGR".into() }),
                    number: "123456789".into(),
                    ..Default::default()
                }],
                ..Default::default()
            }],
            markers: vec![marker("armed", "fact")],
            ..Default::default()
        }),
        objects: Some(pb::ObjectSection {
            objects: vec![pb::Object {
                class: code("object-class", "vehicle"),
                detail: Some(pb::object::Detail::Vehicle(pb::Vehicle {
                    plate: Some(pb::NumberPlate {
                        number: "AB12CDE".into(),
                        country: Some(pb::Party { code: "GB".into() }),
                    }),
                    make: code("vehicle-make", "volkswagen"),
                    model: "Golf".into(),
                    ..Default::default()
                })),
                ..Default::default()
            }],
        }),
        action: Some(pb::ActionSection { action: code("action", "arrest-and-surrender"), ..Default::default() }),
        lifecycle: Some(pb::Lifecycle {
            expires_at: time(1_893_456_000),
            restrictions: vec![pb::Restriction {
                number: 1,
                kind: pb::RestrictionKind::Flagged as i32,
                territories: vec![pb::Party { code: "GB-SCT".into() }],
                substitute_action: code("action", "locate"),
                until: time(1_800_000_000),
                ..Default::default()
            }],
            ..Default::default()
        }),
        ..Default::default()
    };
    let record = pb::AlertRecord {
        info: Some(pb::RecordInfo {
            id: "0190a7c8-0000-7000-8000-000000000001".into(),
            state: pb::AlertState::Active as i32,
            version: 3,
            changed_at: time(1_700_000_000),
            ..Default::default()
        }),
        alert: Some(alert),
        sections_withheld: vec!["internal".into(), "victims".into()],
    };
    golden("record.txt", &present::record(&record));
}

//! Whatever comes in: nothing makes the parsers of queries, zones and imported records panic, and what they accept keeps
//! their promises. Proptest prints the input and the seed of a failure.

use std::sync::{Arc, LazyLock};

use alert_core::{
    alert::{AlertId, Caller, Label, LabelId, Partition, Role, RuleSet, Viewer, validate::validate},
    limits::{QUERY_TEXT_BYTES_MAX, QUERY_TOKENS_MAX},
    pb,
    search::{
        LabelSource, Normaliser, SearchLimits,
        index::{self, IndexInput},
        mrz, query, run,
    },
    state::{MemoryView, ViewError},
};
use alert_synth::Generator;
use proptest::{collection::vec, option, prelude::*};
use prost::Message;

static RULES: LazyLock<RuleSet> = LazyLock::new(RuleSet::defaults);
const YEAR: u32 = 2026;

struct NoLabels;

impl LabelSource for NoLabels {
    fn label(&self, id: LabelId) -> Result<Arc<Label>, ViewError> {
        Err(ViewError(format!("an empty store has no label {id}")))
    }
}

/// Text as people, scanners and attackers send it: any script, marks, controls, fillers, very long.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "\\PC{0,40}",
        2 => ".{0,40}",
        2 => "[A-Za-z0-9 '\\-<./]{0,40}",
        1 => "[\\u{0300}-\\u{036f}\\u{200b}-\\u{200f}\\u{1100}-\\u{11ff}\\u{ac00}-\\u{ac20}\\u{4e00}-\\u{4e20}]{0,20}",
        1 => ("[A-Zא-תа-я]", 0..2_000usize).prop_map(|(letter, times)| letter.repeat(times)),
    ]
}

fn code(list: &'static str) -> impl Strategy<Value = Option<pb::Code>> {
    option::of(text().prop_map(move |value| pb::Code { list: list.into(), value }))
}

fn party() -> impl Strategy<Value = Option<pb::Party>> {
    option::of(text().prop_map(|code| pb::Party { code }))
}

fn date() -> impl Strategy<Value = Option<pb::PartialDate>> {
    let part = |most: u32| option::of(prop_oneof![3 => 0..most, 1 => any::<u32>()]);
    option::of((part(2_100), part(14), part(33)).prop_map(|(year, month, day)| pb::PartialDate { year, month, day }))
}

fn asked() -> impl Strategy<Value = pb::Query> {
    let person = (vec(text(), 0..6), date(), code("gender"), vec(party(), 0..3), any::<(bool, bool)>(), text())
        .prop_map(|(names, birth_date, gender, nationalities, (strict, names_may_be_cut), national_number)| {
            pb::PersonQuery {
                names,
                birth_date,
                gender,
                nationalities: nationalities.into_iter().flatten().collect(),
                strict,
                names_may_be_cut,
                national_number,
                ..Default::default()
            }
        });
    let document = (text(), code("document-type"), party())
        .prop_map(|(number, r#type, issuing_country)| pb::DocumentQuery { number, r#type, issuing_country });
    let vehicle = (text(), option::of((text(), party())), text(), code("make"), text()).prop_map(
        |(vin, plate, engine_number, make, model)| pb::VehicleQuery {
            vin,
            plate: plate.map(|(number, country)| pb::NumberPlate { number, country }),
            engine_number,
            make,
            model,
        },
    );
    let object = (code("object-class"), text(), code("make"), text())
        .prop_map(|(class, number, make, model)| pb::ObjectQuery { class, number, make, model, ..Default::default() });
    let legs = vec(0..7i32, 0..3);
    (option::of(person), option::of(document), option::of(vehicle), option::of(object), text(), text(), legs).prop_map(
        |(person, document, vehicle, object, mrz, any_number, legs)| pb::Query {
            person,
            document,
            vehicle,
            object,
            mrz,
            any_number,
            legs,
        },
    )
}

/// A query is refused with faults that name their fields, or it is within its limits and can be searched.
fn check_query(asked: &pb::Query) -> Result<(), TestCaseError> {
    match query::parse(asked, YEAR, Normaliser::default()) {
        Err(faults) => {
            prop_assert!(!faults.is_empty());
            prop_assert!(faults.iter().all(|fault| !fault.warning && fault.field_path.starts_with("query")));
        }
        Ok(parsed) => {
            prop_assert!(!parsed.numbers.is_empty() || !parsed.persons.is_empty());
            prop_assert!(parsed.numbers.iter().all(|number| !number.number.is_empty()));
            prop_assert!(parsed.persons.iter().all(|person| (1..=QUERY_TOKENS_MAX).contains(&person.tokens.len())));
            prop_assert!(parsed.warnings.iter().all(|warning| warning.warning));
            let caller =
                Caller { country: "GB".into(), authority: "met".into(), system: "t".into(), role: Role::Search };
            let (view, viewer) = (MemoryView::default(), Viewer::new(caller, None));
            let answer =
                run(&view, &parsed, &viewer, &NoLabels, RULES.search_profile(), SearchLimits::default()).unwrap();
            prop_assert!(answer.found.is_empty());
            prop_assert!(answer.counters.seeks <= u64::from(RULES.search_profile().budget_seeks));
        }
    }
    Ok(())
}

/// A record is refused with faults, or its index entries can be made: each key once, in order.
fn check_record(alert: &pb::Alert) -> Result<(), TestCaseError> {
    let faults = validate(alert, &RULES, 1_790_000_000_000);
    prop_assert!(faults.iter().all(|fault| !fault.code.is_empty() && !fault.message.is_empty()));
    let input = IndexInput {
        id: AlertId::from_bytes([7; 16]),
        partition: Partition::Open,
        label: 0,
        priority: 0,
        created_at_ms: 0,
        normaliser: Normaliser::default(),
        alert,
    };
    let mut keys = Vec::new();
    index::derive(&input, &mut |family, key, _| keys.push((family, key)));
    prop_assert!(keys.len() < 100_000);
    keys.sort_unstable();
    let count = keys.len();
    keys.dedup();
    prop_assert_eq!(count, keys.len(), "a key came twice");
    index::lexicon::changes(&MemoryView::default(), None, Some(&input)).unwrap();
    Ok(())
}

fn zones() -> impl Strategy<Value = String> {
    let specimen = prop_oneof![
        Just("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"),
        Just("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD231458907UTO7408122F1204159<<<<<<<6"),
        Just("I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<"),
        Just("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL8988901C4XXX4009078F96121096ZE184226B<<<<<<"),
        Just("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nL8988901C4XXX4009078F9612109<<<<<<<<"),
    ];
    specimen.prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_query_panics_and_every_accepted_one_can_be_searched(asked in asked()) {
        check_query(&asked)?;
    }

    #[test]
    fn no_bytes_that_decode_as_a_query_panic(bytes in vec(any::<u8>(), 0..300)) {
        if let Ok(asked) = pb::Query::decode(bytes.as_slice()) {
            check_query(&asked)?;
        }
    }

    #[test]
    fn no_text_panics_as_a_zone(text in prop_oneof![text(), "[A-Z0-9<\n]{0,120}"]) {
        if let Ok(zone) = mrz::parse(&text, YEAR) {
            prop_assert!(zone.primary.iter().chain(&zone.secondary).all(|word| !word.is_empty()));
        }
        check_query(&pb::Query { mrz: text, ..Default::default() })?;
    }

    #[test]
    fn a_zone_with_damage_anywhere_is_reported_and_never_fatal(
        zone in zones(),
        damage in vec((any::<prop::sample::Index>(), "[A-Z0-9<?]"), 1..4),
        lost in option::of(any::<prop::sample::Index>()),
    ) {
        let whole = mrz::parse(&zone, YEAR).unwrap();
        let mut letters: Vec<String> = zone.chars().map(String::from).collect();
        let is_digit = |letter: &String| letter.bytes().all(|byte| byte.is_ascii_digit());
        let digit_for_digit = damage.len() == 1 && {
            let (at, letter) = &damage[0];
            is_digit(letter) && is_digit(&letters[at.index(letters.len())])
        };
        for (at, letter) in &damage {
            let at = at.index(letters.len());
            if letters[at] != "\n" {
                letters[at].clone_from(letter);
            }
        }
        if let Some(lost) = lost {
            let at = lost.index(letters.len());
            letters.remove(at);
        }
        let damaged = letters.concat();
        if let Ok(read) = mrz::parse(&damaged, YEAR)
            && lost.is_none()
            && digit_for_digit
            && read.format == whole.format
            && (read.birth_date, read.expires) != (whole.birth_date, whole.expires)
        {
            // One digit cannot change a date and keep its check digit. (A filler can: it counts as a zero.)
            prop_assert!(!read.failed_checks.is_empty() || !read.notes.is_empty(), "{damaged}: {read:?}");
        }
        check_query(&pb::Query { mrz: damaged, ..Default::default() })?;
    }

    #[test]
    fn no_bytes_that_decode_as_a_record_panic(bytes in vec(any::<u8>(), 0..400)) {
        if let Ok(alert) = pb::Alert::decode(bytes.as_slice()) {
            check_record(&alert)?;
        }
    }

    #[test]
    fn a_record_with_bytes_flipped_and_cut_is_refused_or_sound(
        number in 0..400u64,
        flips in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in option::of(any::<prop::sample::Index>()),
    ) {
        let generator = Generator::new(6);
        let alert = if number % 2 == 0 { generator.person(number) } else { generator.object(number) };
        let mut bytes = alert.encode_to_vec();
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(alert) = pb::Alert::decode(bytes.as_slice()) {
            check_record(&alert)?;
        }
    }

    #[test]
    fn a_record_of_any_names_and_numbers_can_be_indexed(
        names in vec(vec(text(), 0..5), 0..4),
        number in text(),
        range_to in text(),
        serial in text(),
    ) {
        let mut alert = Generator::new(6).person(1);
        let identities = &mut alert.identities.as_mut().unwrap().identities;
        identities[0].names = names
            .into_iter()
            .map(|parts| pb::NameForm {
                parts: parts.into_iter().map(|text| pb::NamePart { text, ..Default::default() }).collect(),
                ..Default::default()
            })
            .collect();
        let document = pb::IdentityDocument { number, ..Default::default() };
        identities[0].documents = vec![document];
        let note = pb::object::Detail::Banknote(pb::Banknote {
            serial_number: serial,
            ..Default::default()
        });
        alert.objects = Some(pb::ObjectSection {
            objects: vec![pb::Object { detail: Some(note), number_range_to: range_to, ..Default::default() }],
        });
        check_record(&alert)?;
    }
}

#[test]
fn a_query_that_is_too_long_is_refused_by_name() {
    let person = pb::PersonQuery { names: vec!["x".repeat(QUERY_TEXT_BYTES_MAX + 1)], ..Default::default() };
    let faults = query::parse(&pb::Query { person: Some(person), ..Default::default() }, YEAR, Normaliser::default());
    assert_eq!(faults.unwrap_err()[0].code, "TOO_LONG");
}

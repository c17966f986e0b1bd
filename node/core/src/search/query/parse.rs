//! `pb::Query` to [`ParsedQuery`]: every fault at once.

use super::{Leg, NumberQuery, ParsedQuery, PersonQuery};
use crate::{
    alert::check_digit,
    limits::{QUERY_TEXT_BYTES_MAX, QUERY_TOKENS_MAX},
    pb,
    search::{
        Normaliser,
        index::form,
        mrz::{self, Mrz},
        normalise::{country::Country, date::Date, number, number::NumberKind},
    },
};

/// Checks a query and reads it by `normaliser`. `reference_year` is the present year: the pivot of two-digit years of birth.
/// The error holds every fault; warnings come with the parsed query.
pub fn parse(query: &pb::Query, reference_year: u32, normaliser: Normaliser) -> Result<ParsedQuery, Vec<pb::Fault>> {
    let mut parser = Parser {
        legs: legs(query),
        explicit: !query.legs.is_empty(),
        parsed: ParsedQuery { normaliser, ..Default::default() },
        faults: Vec::new(),
        unreadable_zone: false,
    };
    for (at, leg) in query.legs.iter().enumerate() {
        if pb::Leg::try_from(*leg).is_err() || *leg == pb::Leg::Unspecified as i32 {
            parser.fault(&format!("query.legs[{at}]"), "UNKNOWN_CODE", "is not a leg");
        }
    }
    if let Some(document) = &query.document {
        parser.document(document);
    }
    if !query.mrz.is_empty() {
        parser.zone(&query.mrz, reference_year);
    }
    if let Some(person) = &query.person {
        parser.person(person);
    }
    if let Some(vehicle) = &query.vehicle {
        parser.vehicle(vehicle);
    }
    if let Some(object) = &query.object {
        parser.object(object);
    }
    if !query.any_number.is_empty() {
        parser.any_number(&query.any_number);
    }
    parser.finish()
}

fn legs(query: &pb::Query) -> Vec<Leg> {
    query
        .legs
        .iter()
        .filter_map(|leg| match pb::Leg::try_from(*leg) {
            Ok(pb::Leg::Document) => Some(Leg::Document),
            Ok(pb::Leg::Person) => Some(Leg::Person),
            Ok(pb::Leg::Vehicle) => Some(Leg::Vehicle),
            Ok(pb::Leg::Object) => Some(Leg::Object),
            _ => None,
        })
        .collect()
}

struct Parser {
    legs: Vec<Leg>,
    explicit: bool,
    parsed: ParsedQuery,
    faults: Vec<pb::Fault>,
    unreadable_zone: bool,
}

fn fault(path: &str, code: &str, message: impl Into<String>, warning: bool) -> pb::Fault {
    pb::Fault { field_path: path.into(), code: code.into(), message: message.into(), warning }
}

fn value(code: &Option<pb::Code>) -> String {
    code.as_ref().map(|code| code.value.clone()).unwrap_or_default()
}

impl Parser {
    fn runs(&self, leg: Leg) -> bool {
        !self.explicit || self.legs.contains(&leg)
    }

    fn fault(&mut self, path: &str, code: &str, message: impl Into<String>) {
        self.faults.push(fault(path, code, message, false));
    }

    fn warn(&mut self, path: &str, code: &str, message: impl Into<String>) {
        self.parsed.warnings.push(fault(path, code, message, true));
    }

    /// A number of a leg; `None` when there is none, or it is faulty, or its leg is left out.
    fn number(&mut self, leg: Leg, path: &str, text: &str) -> Option<NumberQuery> {
        if text.is_empty() {
            return None;
        }
        if text.len() > QUERY_TEXT_BYTES_MAX {
            self.fault(path, "TOO_LONG", format!("is longer than {QUERY_TEXT_BYTES_MAX} bytes"));
            return None;
        }
        let number = NumberQuery { only_leg: self.explicit, ..NumberQuery::new(leg, text) };
        if number.number.is_empty() {
            self.fault(path, "NO_CONTENT", "has no letter and no digit");
            return None;
        }
        self.runs(leg).then_some(number)
    }

    fn document(&mut self, document: &pb::DocumentQuery) {
        if let Some(mut number) = self.number(Leg::Document, "query.document.number", &document.number) {
            number.country = Country::of(document.issuing_country.as_ref());
            number.document_type = value(&document.r#type);
            self.parsed.numbers.push(number);
        } else if document.number.is_empty() {
            self.fault("query.document.number", "REQUIRED", "a document is searched by its number");
        }
    }

    fn zone(&mut self, text: &str, reference_year: u32) {
        const PATH: &str = "query.mrz";
        if text.len() > QUERY_TEXT_BYTES_MAX {
            self.fault(PATH, "TOO_LONG", format!("is longer than {QUERY_TEXT_BYTES_MAX} bytes"));
            return;
        }
        let zone = match mrz::parse(text, reference_year) {
            Ok(zone) => zone,
            Err(error) => {
                self.unreadable_zone = true;
                self.warn(PATH, "UNREADABLE", error.to_string());
                return;
            }
        };
        let mut notes = zone.notes.clone();
        for check in &zone.failed_checks {
            self.warn(&format!("{PATH}.{check}"), "CHECK_DIGIT", format!("the check digit of {check} does not agree"));
            notes.push(format!("check digit of {check} failed"));
        }
        for note in &zone.notes {
            self.warn(PATH, "DAMAGED", note.clone());
        }
        let document_number = zone.document_number.clone();
        if self.runs(Leg::Document) && !document_number.is_empty() {
            let mut number =
                NumberQuery { only_leg: self.explicit, ..NumberQuery::new(Leg::Document, &document_number) };
            number.country = Country::new(&zone.issuing_country);
            number.document_type = document_type(&zone.document_code).into();
            number.notes = notes.clone();
            self.parsed.numbers.push(number);
        }
        if self.runs(Leg::Person) {
            self.zone_person(zone, notes);
        }
    }

    fn zone_person(&mut self, zone: Mrz, notes: Vec<String>) {
        let words: Vec<&str> = zone.secondary.iter().chain(&zone.primary).map(String::as_str).collect();
        let tokens = self.parsed.normaliser.tokens(&words);
        if tokens.is_empty() {
            return;
        }
        self.parsed.persons.push(PersonQuery {
            tokens,
            birth_date: zone.birth_date,
            gender: zone.gender,
            nationalities: Some(Country::new(&zone.nationality))
                .filter(|country| country.is_known())
                .into_iter()
                .collect(),
            strict: false,
            names_may_be_cut: zone.names_may_be_cut,
            with_coincidences: false,
            notes,
        });
    }

    fn person(&mut self, person: &pb::PersonQuery) {
        const PATH: &str = "query.person";
        if let Some(mut number) = self.number(Leg::Person, "query.person.national_number", &person.national_number) {
            number.kinds = vec![NumberKind::NationalNumber];
            self.parsed.numbers.push(number);
        }
        if let Some(date) = &person.birth_date {
            self.birth_date(date);
        }
        let bytes: usize = person.names.iter().map(String::len).sum();
        if bytes > QUERY_TEXT_BYTES_MAX {
            self.fault(&format!("{PATH}.names"), "TOO_LONG", format!("are longer than {QUERY_TEXT_BYTES_MAX} bytes"));
            return;
        }
        let names: Vec<&str> = person.names.iter().map(String::as_str).collect();
        let mut tokens = self.parsed.normaliser.tokens(&names);
        if tokens.is_empty() {
            if person.names.iter().any(|name| !name.trim().is_empty()) {
                self.warn(&format!("{PATH}.names"), "NO_CONTENT", "hold no name that can be searched");
            }
            if person.national_number.is_empty() {
                self.fault(&format!("{PATH}.names"), "REQUIRED", "a person is searched by a name or a national number");
            }
            return;
        }
        if tokens.len() >= QUERY_TOKENS_MAX {
            self.warn(
                &format!("{PATH}.names"),
                "TOO_MANY",
                format!("only the first {QUERY_TOKENS_MAX} names are searched"),
            );
            tokens.truncate(QUERY_TOKENS_MAX);
        }
        if self.runs(Leg::Person) {
            self.parsed.persons.push(PersonQuery {
                tokens,
                birth_date: person.birth_date.as_ref().map(Date::from_partial).unwrap_or_default(),
                gender: form::gender(person.gender.as_ref()),
                nationalities: person
                    .nationalities
                    .iter()
                    .map(|party| Country::new(&party.code))
                    .filter(|c| c.is_known())
                    .collect(),
                strict: person.strict,
                names_may_be_cut: person.names_may_be_cut,
                with_coincidences: person.with_coincidences,
                notes: Vec::new(),
            });
        }
    }

    fn birth_date(&mut self, date: &pb::PartialDate) {
        const PATH: &str = "query.person.birth_date";
        let parsed = Date::from_partial(date);
        for (part, given, kept) in [
            ("year", date.year, u32::from(parsed.year)),
            ("month", date.month, u32::from(parsed.month)),
            ("day", date.day, u32::from(parsed.day)),
        ] {
            if given.is_some_and(|given| given != kept) {
                self.fault(&format!("{PATH}.{part}"), "OUT_OF_RANGE", format!("is no {part} of a date of birth"));
            }
        }
    }

    fn vehicle(&mut self, vehicle: &pb::VehicleQuery) {
        let make = value(&vehicle.make).to_lowercase();
        let model = vehicle.model.to_lowercase();
        if let Some(mut vin) = self.number(Leg::Vehicle, "query.vehicle.vin", &vehicle.vin) {
            vin.kinds = vec![NumberKind::Vin];
            let refined = number::refine(NumberKind::Vin, vin.number.clone());
            if check_digit::vin(&refined) == Some(false) {
                self.warn("query.vehicle.vin", "CHECK_DIGIT", "the check digit does not agree");
                vin.notes.push("check digit of the vehicle identification number failed".into());
            }
            (vin.make, vin.model) = (make.clone(), model.clone());
            self.parsed.numbers.push(vin);
        }
        if let Some(plate) = &vehicle.plate
            && let Some(mut number) = self.number(Leg::Vehicle, "query.vehicle.plate.number", &plate.number)
        {
            number.kinds = vec![NumberKind::Plate];
            number.country = Country::of(plate.country.as_ref());
            (number.make, number.model) = (make.clone(), model.clone());
            self.parsed.numbers.push(number);
        }
        if let Some(mut engine) = self.number(Leg::Vehicle, "query.vehicle.engine_number", &vehicle.engine_number) {
            engine.kinds = vec![NumberKind::VehicleEngine, NumberKind::EngineSerial];
            (engine.make, engine.model) = (make, model);
            self.parsed.numbers.push(engine);
        }
        let plate = vehicle.plate.as_ref().map_or("", |plate| plate.number.as_str());
        if vehicle.vin.is_empty() && plate.is_empty() && vehicle.engine_number.is_empty() {
            self.fault("query.vehicle", "REQUIRED", "a vehicle is searched by its vin, plate or engine number");
        }
    }

    fn object(&mut self, object: &pb::ObjectQuery) {
        if let Some(mut number) = self.number(Leg::Object, "query.object.number", &object.number) {
            number.object_class = value(&object.class);
            number.make = value(&object.make).to_lowercase();
            number.model = object.model.to_lowercase();
            let refined = number::refine(NumberKind::Imo, number.number.clone());
            if number.object_class == "boat" && check_digit::imo(&refined) == Some(false) {
                self.warn("query.object.number", "CHECK_DIGIT", "the check digit of an IMO number does not agree");
            }
            self.parsed.numbers.push(number);
        } else if object.number.is_empty() {
            self.fault("query.object.number", "REQUIRED", "an object is searched by its number");
        }
    }

    fn any_number(&mut self, text: &str) {
        let explicit = std::mem::take(&mut self.explicit);
        let number = self.number(Leg::Any, "query.any_number", text);
        self.explicit = explicit;
        let Some(number) = number else { return };
        if !explicit {
            self.parsed.numbers.push(number);
            return;
        }
        for leg in self.legs.clone() {
            self.parsed.numbers.push(NumberQuery { leg, only_leg: true, ..number.clone() });
        }
    }

    fn finish(mut self) -> Result<ParsedQuery, Vec<pb::Fault>> {
        let nothing = self.parsed.numbers.is_empty() && self.parsed.persons.is_empty();
        if self.faults.is_empty() && nothing {
            if self.unreadable_zone {
                self.fault("query.mrz", "UNREADABLE", "is no machine-readable zone, and nothing else is asked");
            } else {
                self.fault("query", "REQUIRED", "asks for nothing");
            }
        }
        if self.faults.is_empty() { Ok(self.parsed) } else { Err(self.faults) }
    }
}

/// The value of the list "document-type" for a document code of a zone (ICAO 9303 parts 4 to 7).
fn document_type(code: &str) -> &'static str {
    match code.as_bytes() {
        [b'P', ..] => "passport",
        [b'V', ..] => "visa",
        [b'I', b'R'] | [b'A', b'R'] => "residence-permit",
        [b'I' | b'C', ..] => "identity-card",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEAR: u32 = 2026;
    fn parse(query: &pb::Query, year: u32) -> Result<ParsedQuery, Vec<pb::Fault>> {
        super::parse(query, year, Normaliser::default())
    }

    const TD3: &str = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10";

    fn codes(faults: &[pb::Fault]) -> Vec<(&str, &str)> {
        faults.iter().map(|fault| (fault.field_path.as_str(), fault.code.as_str())).collect()
    }

    #[test]
    fn a_zone_feeds_the_document_leg_and_the_person_leg() {
        let parsed = parse(&pb::Query { mrz: TD3.into(), ..Default::default() }, YEAR).unwrap();
        assert_eq!(parsed.numbers[0].number, "L898902C3");
        assert_eq!(parsed.numbers[0].document_type, "passport");
        assert_eq!(parsed.persons[0].tokens.len(), 3);
        assert_eq!(parsed.persons[0].birth_date, Date { year: 1974, month: 8, day: 12 });
        assert!(parsed.warnings.is_empty());
        let legs = vec![pb::Leg::Person as i32];
        let restricted = parse(&pb::Query { mrz: TD3.into(), legs, ..Default::default() }, YEAR).unwrap();
        assert!(restricted.numbers.is_empty() && restricted.persons.len() == 1);
    }

    #[test]
    fn a_failed_check_digit_warns_and_the_search_goes_on() {
        let parsed = parse(&pb::Query { mrz: TD3.replace("7408122", "7408132"), ..Default::default() }, YEAR).unwrap();
        assert_eq!(
            codes(&parsed.warnings),
            [("query.mrz.birth_date", "CHECK_DIGIT"), ("query.mrz.composite", "CHECK_DIGIT")]
        );
        assert!(parsed.warnings.iter().all(|warning| warning.warning));
        assert_eq!((parsed.numbers.len(), parsed.persons.len()), (1, 1));
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let query = pb::Query {
            document: Some(pb::DocumentQuery { number: " - ".into(), ..Default::default() }),
            person: Some(pb::PersonQuery {
                names: vec!["x".repeat(2000)],
                birth_date: Some(pb::PartialDate { year: Some(19), month: Some(13), day: Some(1) }),
                ..Default::default()
            }),
            vehicle: Some(pb::VehicleQuery::default()),
            legs: vec![99],
            ..Default::default()
        };
        assert_eq!(
            codes(&parse(&query, YEAR).unwrap_err()),
            [
                ("query.legs[0]", "UNKNOWN_CODE"),
                ("query.document.number", "NO_CONTENT"),
                ("query.person.birth_date.year", "OUT_OF_RANGE"),
                ("query.person.birth_date.month", "OUT_OF_RANGE"),
                ("query.person.names", "TOO_LONG"),
                ("query.vehicle", "REQUIRED"),
            ]
        );
        assert_eq!(codes(&parse(&pb::Query::default(), YEAR).unwrap_err()), [("query", "REQUIRED")]);
    }

    #[test]
    fn an_unreadable_zone_stops_a_query_only_when_nothing_else_is_asked() {
        let zone = pb::Query { mrz: "HELLO".into(), ..Default::default() };
        assert_eq!(codes(&parse(&zone, YEAR).unwrap_err()), [("query.mrz", "UNREADABLE")]);
        let both = pb::Query { any_number: "AB 123".into(), ..zone };
        let parsed = parse(&both, YEAR).unwrap();
        assert_eq!(codes(&parsed.warnings), [("query.mrz", "UNREADABLE")]);
        assert_eq!(parsed.numbers[0].number, "AB123");
    }
}

//! A few fixed records that the demo and tests look for. Invented through and through; the documents' numbers carry
//! valid check digits.

use alert_proto::v1 as pb;

use crate::{
    birth::Birth,
    case::System,
    codes::{BASE_DAY, code, party, some_code, time},
    names::{FullName, Gender, Part, PartKind},
    numbers::Zone,
    object, person,
    rng::Rng,
};

/// One record and how it is looked for.
#[derive(Debug, Clone)]
pub struct Known {
    /// Stable, for example "stolen-passport".
    pub name: &'static str,
    /// The record. Without an id: the store gives it.
    pub alert: pb::Alert,
    /// What somebody asks.
    pub query: pb::Query,
}

/// The country of the partner that asks in the demo.
pub const PARTNER: &str = "FR";

/// Number of the stolen passport.
pub const PASSPORT_NUMBER: &str = "533190426";
/// Chassis of the stolen car.
pub const VIN: &str = "SALGA2EV9HA298784";
/// Plate of the stolen van, as it is recorded.
pub const PLATE: &str = "BD51 SMR";

/// All of them.
pub fn records() -> Vec<Known> {
    vec![stolen_passport(), wanted_holder(), stolen_car(), stolen_van(), misspelt(), covert()]
}

/// A passport reported stolen.
pub fn stolen_passport() -> Known {
    let document = pb::IdentityDocument {
        r#type: some_code("document-type", "passport"),
        issuing_country: party("GB"),
        number: PASSPORT_NUMBER.into(),
        ..Default::default()
    };
    let object = pb::Object {
        class: some_code("object-class", "document-issued"),
        status: some_code("object-status", "stolen"),
        detail: Some(pb::object::Detail::Document(document)),
        ..Default::default()
    };
    let query = pb::DocumentQuery {
        number: PASSPORT_NUMBER.into(),
        r#type: some_code("document-type", "passport"),
        issuing_country: party("GB"),
    };
    Known {
        name: "stolen-passport",
        alert: object_alert(
            "stolen-passport",
            "hm-passport-office",
            ("document-invalid", "theft", "seize-document"),
            object,
        ),
        query: pb::Query { document: Some(query), ..Default::default() },
    }
}

/// Wanted for arrest. The passport in front of the officer is new, and no alert knows its number.
pub fn wanted_holder() -> Known {
    let name = full_name(&["Tamsin", "Rosalind"], "Quenthorpe");
    let birth = Birth::exact(1987, 11, 23);
    let fresh = Zone {
        issuer: "GB",
        nationality: "GB",
        number: "548021937",
        name: &name,
        birth: (1987, 11, 23),
        gender: Some(Gender::Female),
        expires: BASE_DAY + 3500,
    };
    let mut alert =
        person_alert("wanted-holder", "met", ("arrest", "failure-to-appear", "arrest"), &name, birth, Gender::Female);
    let identity = &mut alert.identities.get_or_insert_default().identities[0];
    identity.documents.push(pb::IdentityDocument {
        r#type: some_code("document-type", "passport"),
        issuing_country: party("GB"),
        number: "507741268".into(),
        ..Default::default()
    });
    alert.identities.get_or_insert_default().markers.push(pb::Marker {
        marker: some_code("warning-marker", "violent"),
        grading: None,
        note: String::new(),
    });
    Known { name: "wanted-holder", alert, query: pb::Query { mrz: fresh.passport(), ..Default::default() } }
}

/// A stolen car, asked for by its chassis number.
pub fn stolen_car() -> Known {
    let vehicle = pb::Vehicle {
        vin: VIN.into(),
        plate: Some(pb::NumberPlate { number: "KX17 RFL".into(), country: party("GB") }),
        make: some_code("vehicle-make", "land-rover"),
        model: "Range Rover".into(),
        colour: some_code("colour", "black"),
        r#type: some_code("vehicle-type", "car"),
        first_registered_year: Some(2017),
        ..Default::default()
    };
    let query = pb::VehicleQuery { vin: VIN.into(), ..Default::default() };
    Known {
        name: "stolen-car",
        alert: vehicle_alert("stolen-car", "greater-manchester", vehicle),
        query: pb::Query { vehicle: Some(query), ..Default::default() },
    }
}

/// A stolen van, asked for by its plate without the space.
pub fn stolen_van() -> Known {
    let vehicle = pb::Vehicle {
        vin: crate::vehicle::vin("WF0", 2011, &mut Rng::new(0, "stolen-van", 0)),
        plate: Some(pb::NumberPlate { number: PLATE.into(), country: party("GB") }),
        make: some_code("vehicle-make", "ford"),
        model: "Transit".into(),
        colour: some_code("colour", "white"),
        r#type: some_code("vehicle-type", "van"),
        first_registered_year: Some(2001),
        ..Default::default()
    };
    let plate = pb::NumberPlate { number: PLATE.replace(' ', ""), country: party("GB") };
    Known {
        name: "stolen-van",
        alert: vehicle_alert("stolen-van", "kent", vehicle),
        query: pb::Query {
            vehicle: Some(pb::VehicleQuery { plate: Some(plate), ..Default::default() }),
            ..Default::default()
        },
    }
}

/// Refused entry; the name is asked for with a typing error, and with the date of birth.
pub fn misspelt() -> Known {
    let name = full_name(&["Wendelin", "Arkady"], "Vostermann");
    let alert = person_alert(
        "misspelt",
        "border-force",
        ("refusal-of-entry", "serious-crime", "refuse-entry"),
        &name,
        Birth::exact(1979, 5, 14),
        Gender::Male,
    );
    let query = pb::PersonQuery {
        names: vec!["Wendlin".into(), "Vostermann".into()],
        birth_date: Some(pb::PartialDate { year: Some(1979), month: Some(5), day: Some(14) }),
        ..Default::default()
    };
    Known { name: "misspelt", alert, query: pb::Query { person: Some(query), ..Default::default() } }
}

/// Under a discreet check: a partner's search shall say "no hit", and nothing else.
pub fn covert() -> Known {
    let name = full_name(&["Ottoline"], "Brackenshaw-Meer");
    let alert = person_alert(
        "covert",
        "nca",
        ("discreet-check", "serious-crime", "discreet-check"),
        &name,
        Birth::exact(1991, 8, 2),
        Gender::Female,
    );
    let query = pb::PersonQuery {
        names: vec!["Ottoline".into(), "Brackenshaw-Meer".into()],
        birth_date: Some(pb::PartialDate { year: Some(1991), month: Some(8), day: Some(2) }),
        ..Default::default()
    };
    Known { name: "covert", alert, query: pb::Query { person: Some(query), ..Default::default() } }
}

/// Nobody and nothing is known under it.
pub fn no_hit() -> pb::Query {
    let query = pb::PersonQuery {
        names: vec!["Zebulonia".into(), "Quixwetherfold".into()],
        birth_date: Some(pb::PartialDate { year: Some(1966), month: Some(6), day: Some(17) }),
        ..Default::default()
    };
    pb::Query { person: Some(query), ..Default::default() }
}

/// A stolen plate, for streams of writes: record `number` of a run.
pub fn numbered(run: &str, number: u64) -> pb::Alert {
    let object = object::number_plate("stolen", &mut Rng::new(0, run, number));
    object_alert(&format!("{run}-{number:08}"), "nca", ("object-seizure", "theft", "seize"), object)
}

fn full_name(forenames: &[&str], surname: &str) -> FullName {
    let part = |kind, text: &str| Part { kind, latin: vec![text.into()], native: None };
    let mut parts: Vec<Part> = forenames.iter().map(|name| part(PartKind::Forename, name)).collect();
    parts.push(part(PartKind::Surname, surname));
    FullName { parts, language: "en", script: "Latn" }
}

/// (category, reason, action)
type Case<'a> = (&'a str, &'a str, &'a str);

fn core(reference: &str, authority: &str, (category, reason, _): Case<'_>, subject: pb::SubjectKind) -> pb::Core {
    pb::Core {
        owner: Some(pb::Owner {
            party: party("GB"),
            authority: some_code("authority", authority),
            contact: Some(pb::Contact {
                name: format!("Duty desk {authority}"),
                phone: "+44 20 7946 0100".into(),
                email: format!("duty@{authority}.example.police.uk"),
                available_24h: true,
            }),
        }),
        source: Some(pb::Source {
            system: "UK".into(),
            reference: format!("KNOWN-{reference}"),
            source_version: 1,
            source_changed_at: time(BASE_DAY - 30, 0),
            received_at: None,
        }),
        subject_kind: subject as i32,
        category: some_code("category", category),
        reason: some_code("reason", reason),
        ..Default::default()
    }
}

fn action((.., action): Case<'_>) -> Option<pb::ActionSection> {
    Some(pb::ActionSection {
        action: some_code("action", action),
        texts: vec![pb::LocalisedText { language: "en".into(), text: "Contact the owner.".into() }],
        local_effects: vec![],
    })
}

fn object_alert(reference: &str, authority: &str, case: Case<'_>, object: pb::Object) -> pb::Alert {
    pb::Alert {
        core: Some(core(reference, authority, case, pb::SubjectKind::Object)),
        objects: Some(pb::ObjectSection { objects: vec![object] }),
        action: action(case),
        ..Default::default()
    }
}

fn vehicle_alert(reference: &str, authority: &str, vehicle: pb::Vehicle) -> pb::Alert {
    let object = pb::Object {
        class: some_code("object-class", "vehicle"),
        status: some_code("object-status", "stolen"),
        detail: Some(pb::object::Detail::Vehicle(vehicle)),
        ..Default::default()
    };
    object_alert(reference, authority, ("object-seizure", "theft", "seize"), object)
}

fn person_alert(
    reference: &str,
    authority: &str,
    case: Case<'_>,
    name: &FullName,
    birth: Birth,
    gender: Gender,
) -> pb::Alert {
    let mut core = core(reference, authority, case, pb::SubjectKind::Person);
    core.decision = Some(pb::DecisionReference {
        reference: "NM/2025/004711".into(),
        authority: "Northmarket Crown Court".into(),
        country: party("GB"),
        decided_at: time(BASE_DAY - 60, 0),
        ends_at: None,
        kind: some_code("decision-kind", if case.0 == "arrest" { "warrant" } else { "administrative-order" }),
    });
    core.offences.push(pb::Offence { offence: some_code("offence", "fraud"), ..Default::default() });
    let mut names = person::name_forms(name, System::Uk, &mut Rng::new(0, reference, 0));
    for form in &mut names {
        // Always in parts, whatever the generator would do.
        if form.parts.is_empty() {
            let part =
                |(kind, text): (PartKind, String)| pb::NamePart { kind: some_code("name-part", kind.value()), text };
            form.parts = name.spelt(crate::names::Spelling::Usual).map(part).collect();
            form.full_text.clear();
        }
    }
    let identity = pb::Identity {
        kind: some_code("identity-kind", "confirmed"),
        names,
        birth_dates: vec![birth.to_message()],
        gender: some_code("gender", if gender == Gender::Male { "male" } else { "female" }),
        nationalities: party("GB").into_iter().collect(),
        ..Default::default()
    };
    pb::Alert {
        core: Some(core),
        identities: Some(pb::IdentitySection {
            identities: vec![identity],
            roles: vec![pb::SubjectRole { role: Some(code("subject-role", "suspect")), grading: None }],
            ..Default::default()
        }),
        action: action(case),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks;

    #[test]
    fn check_digits_of_the_fixed_records_agree() {
        assert_eq!(VIN.chars().nth(8), Some(checks::vin(VIN)));
        let zone = wanted_holder().query.mrz;
        let lines: Vec<&str> = zone.lines().collect();
        assert_eq!(lines.iter().map(|line| line.len()).collect::<Vec<_>>(), [44, 44], "{zone}");
        assert_eq!(lines[0], "P<GBRQUENTHORPE<<TAMSIN<ROSALIND<<<<<<<<<<<<");
        assert_eq!(lines[1].chars().nth(9), Some(checks::icao(&lines[1][..9])));
    }

    #[test]
    fn references_and_names_are_unique() {
        let records = records();
        let references: std::collections::BTreeSet<_> =
            records.iter().map(|known| known.alert.core.clone().unwrap().source.unwrap().reference).collect();
        assert_eq!(references.len(), records.len());
    }
}

//! What somebody with the subject in front of them would ask.

use alert_proto::v1 as pb;
use pb::object::Detail;

/// The query that finds a record: a person by the first identity's first name form, date of birth, gender and
/// nationality; an object by its best number. `None` for a record without name and number.
pub fn query_for(alert: &pb::Alert) -> Option<pb::Query> {
    let identity = alert.identities.as_ref().and_then(|section| section.identities.first());
    if let Some(identity) = identity {
        return Some(pb::Query { person: Some(person_query(identity)?), ..Default::default() });
    }
    object_query(alert.objects.as_ref()?.objects.first()?)
}

/// By name, date of birth, gender and nationality.
pub fn person_query(identity: &pb::Identity) -> Option<pb::PersonQuery> {
    let names = name_parts(identity.names.first()?);
    let birth_date = identity.birth_dates.first().map(|birth| pb::PartialDate {
        year: birth.year.filter(|_| birth.year_to.is_none()),
        month: birth.month,
        day: birth.day,
    });
    Some(pb::PersonQuery {
        names,
        birth_date: birth_date.filter(|date| date.year.is_some()),
        gender: identity.gender.clone().filter(|gender| gender.value != "unknown"),
        nationalities: identity.nationalities.clone(),
        ..Default::default()
    })
}

/// The parts of a name form, or its text as one part.
pub fn name_parts(form: &pb::NameForm) -> Vec<String> {
    if form.parts.is_empty() {
        return vec![form.full_text.clone()];
    }
    form.parts.iter().map(|part| part.text.clone()).collect()
}

/// Lower case, words sorted: the least that anybody would do about the order of names.
pub fn sorted_words(parts: &[String]) -> String {
    let lower = parts.join(" ").to_lowercase();
    let mut words: Vec<&str> =
        lower.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.sort_unstable();
    words.join(" ")
}

fn object_query(object: &pb::Object) -> Option<pb::Query> {
    let plain = |number: &str| {
        Some(pb::Query {
            object: Some(pb::ObjectQuery { class: object.class.clone(), number: number.into(), ..Default::default() }),
            ..Default::default()
        })
        .filter(|_| !number.is_empty())
    };
    match object.detail.as_ref()? {
        Detail::Vehicle(vehicle) => Some(pb::Query {
            vehicle: Some(pb::VehicleQuery {
                plate: vehicle.plate.clone().filter(|_| vehicle.vin.is_empty()),
                vin: vehicle.vin.clone(),
                ..Default::default()
            }),
            ..Default::default()
        }),
        Detail::NumberPlate(plate) => Some(pb::Query {
            vehicle: Some(pb::VehicleQuery { plate: Some(plate.clone()), ..Default::default() }),
            ..Default::default()
        }),
        Detail::Document(document) => Some(pb::Query {
            document: Some(pb::DocumentQuery {
                number: document.number.clone(),
                r#type: document.r#type.clone(),
                issuing_country: document.issuing_country.clone(),
            }),
            ..Default::default()
        }),
        Detail::Boat(boat) => plain(&boat.hull_number),
        Detail::Aircraft(aircraft) => plain(&aircraft.registration),
        Detail::Engine(engine) => plain(&engine.serial_number),
        Detail::Container(container) => plain(&container.number),
        Detail::Equipment(equipment) => plain(&equipment.serial_number),
        Detail::Firearm(firearm) => plain(&firearm.serial_number),
        Detail::RegistrationCertificate(certificate) => plain(&certificate.number),
        Detail::Banknote(note) => plain(&note.serial_number),
        Detail::PaymentMeans(means) => plain(&means.number),
        Detail::Other(other) => plain(&other.serial_number),
    }
}

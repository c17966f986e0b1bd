//! Section 5: objects, sought or attached to a person's alert.

use super::{
    checker::{
        Checker,
        Need::{Optional, Required},
    },
    number, person,
};
use crate::{
    alert::{
        check_digit, fault,
        rules::codes::{attributes, lists},
        time,
    },
    limits::{LIST_ITEMS_MAX, OBJECTS_MAX},
    pb::{self, object::Detail},
};

/// The first vehicles are older than any registration.
const FIRST_REGISTRATION_YEAR: u32 = 1886;
/// The upper length of a boat in centimetres; the longest ship measured 458 m.
const BOAT_LENGTH_CM_MAX: u32 = 50_000;

pub(super) fn objects(check: &mut Checker, section: &pb::ObjectSection) {
    check.each("objects", &section.objects, OBJECTS_MAX, object);
}

pub(super) fn object(check: &mut Checker, object: &pb::Object) {
    let class = check.code("class", &object.class, lists::OBJECT_CLASS, Required);
    check.code("status", &object.status, "object-status", Optional);
    if let Some(found) = &object.detail {
        let (name, _) = detail_name(found);
        let wanted = class.and_then(|class| check.rules.attribute(lists::OBJECT_CLASS, class, attributes::DETAIL));
        if wanted.is_some_and(|wanted| wanted != name) {
            check.fault_at(name, fault::INCONSISTENT, "this detail does not belong to the object's class");
        }
        check.within(name, |check| detail(check, found));
    }
    check.each("numbers", &object.numbers, LIST_ITEMS_MAX, |check, given| {
        check.code("kind", &given.kind, "number-kind", Required);
        number(check, "number", &given.number, Required);
        check.party("country", &given.country, Optional);
    });
    check.long_text("description", &object.description, Optional);
    person::grading(check, &object.grading);
    range(check, object);
    if !has_identifier(object) {
        let optional = class.is_some_and(|class| {
            check.rules.attribute(lists::OBJECT_CLASS, class, attributes::IDENTIFIER) == Some("optional")
        });
        let described = !object.description.trim().is_empty()
            || matches!(&object.detail, Some(Detail::Other(other)) if !other.name.trim().is_empty());
        if !(optional && described) {
            check.fault(fault::REQUIRED, "an object needs a number that it can be found by");
        }
    }
}

/// A range of numbers belongs to things made in series: blank documents and banknotes.
fn range(check: &mut Checker, object: &pb::Object) {
    if object.number_range_to.is_empty() {
        return;
    }
    number(check, "number_range_to", &object.number_range_to, Optional);
    let lower = match &object.detail {
        Some(Detail::Document(document)) => &document.number,
        Some(Detail::Banknote(banknote)) => &banknote.serial_number,
        _ => {
            check.fault_at("number_range_to", fault::INCONSISTENT, "only documents and banknotes come in ranges");
            return;
        }
    };
    if lower.len() != object.number_range_to.len() || *lower > object.number_range_to {
        let message = "the upper number has the length of the lower one and is not below it";
        check.fault_at("number_range_to", fault::INCONSISTENT, message);
    }
}

/// Field name of a detail, and whether it has a number the object can be found by.
fn detail_name(detail: &Detail) -> (&'static str, bool) {
    let any = |numbers: &[&str]| numbers.iter().any(|number| number.chars().any(char::is_alphanumeric));
    let plate = |plate: &Option<pb::NumberPlate>| plate.as_ref().is_some_and(|plate| any(&[&plate.number]));
    match detail {
        Detail::Vehicle(vehicle) => ("vehicle", any(&[&vehicle.vin, &vehicle.engine_number]) || plate(&vehicle.plate)),
        Detail::Boat(boat) => ("boat", any(&[&boat.hull_number, &boat.imo_number, &boat.registration, &boat.name])),
        Detail::Aircraft(aircraft) => ("aircraft", any(&[&aircraft.registration, &aircraft.serial_number])),
        Detail::Engine(engine) => ("engine", any(&[&engine.serial_number])),
        Detail::Container(container) => ("container", any(&[&container.number])),
        Detail::Equipment(equipment) => ("equipment", any(&[&equipment.serial_number])),
        Detail::Firearm(firearm) => ("firearm", any(&[&firearm.serial_number])),
        Detail::Document(document) => ("document", any(&[&document.number, &document.mrz])),
        Detail::RegistrationCertificate(certificate) => {
            ("registration_certificate", any(&[&certificate.number, &certificate.vin]) || plate(&certificate.plate))
        }
        Detail::NumberPlate(number_plate) => ("number_plate", any(&[&number_plate.number])),
        Detail::Banknote(banknote) => ("banknote", any(&[&banknote.serial_number])),
        Detail::PaymentMeans(payment) => ("payment_means", any(&[&payment.number])),
        Detail::Other(other) => ("other", any(&[&other.serial_number])),
    }
}

/// True when an object has a number (or a boat a name) that it can be found by.
pub(super) fn has_identifier(object: &pb::Object) -> bool {
    object.detail.as_ref().is_some_and(|detail| detail_name(detail).1)
        || object.numbers.iter().any(|given| given.number.chars().any(char::is_alphanumeric))
}

fn detail(check: &mut Checker, detail: &Detail) {
    match detail {
        Detail::Vehicle(vehicle) => self::vehicle(check, vehicle),
        Detail::Boat(boat) => self::boat(check, boat),
        Detail::Aircraft(aircraft) => {
            number(check, "registration", &aircraft.registration, Optional);
            number(check, "serial_number", &aircraft.serial_number, Optional);
            check.code("make", &aircraft.make, "aircraft-make", Optional);
            check.text("model", &aircraft.model, Optional);
            check.party("country", &aircraft.country, Optional);
        }
        Detail::Engine(engine) => {
            number(check, "serial_number", &engine.serial_number, Optional);
            check.code("make", &engine.make, "engine-make", Optional);
            check.text("model", &engine.model, Optional);
        }
        Detail::Container(container) => {
            number(check, "number", &container.number, Optional);
            check.party("country", &container.country, Optional);
            match check_digit::container(&compact(&container.number)) {
                Some(true) => {}
                Some(false) => check.warn_at("number", fault::CHECK_DIGIT, "the check digit does not agree (ISO 6346)"),
                None if container.number.is_empty() => {}
                None => check.warn_at("number", fault::BAD_FORMAT, "not four letters and seven digits (ISO 6346)"),
            }
        }
        Detail::Equipment(equipment) => {
            number(check, "serial_number", &equipment.serial_number, Optional);
            check.code("make", &equipment.make, "equipment-make", Optional);
            check.text("model", &equipment.model, Optional);
            check.code("kind", &equipment.kind, "equipment-kind", Optional);
        }
        Detail::Firearm(firearm) => {
            number(check, "serial_number", &firearm.serial_number, Optional);
            check.code("make", &firearm.make, "firearm-make", Optional);
            check.text("model", &firearm.model, Optional);
            check.code("calibre", &firearm.calibre, "calibre", Optional);
            check.code("kind", &firearm.kind, "firearm-kind", Optional);
            check.party("country_of_manufacture", &firearm.country_of_manufacture, Optional);
        }
        Detail::Document(document) => person::document(check, document),
        Detail::RegistrationCertificate(certificate) => {
            number(check, "number", &certificate.number, Optional);
            check.party("country", &certificate.country, Optional);
            vin(check, &certificate.vin);
            plate(check, &certificate.plate);
        }
        Detail::NumberPlate(number_plate) => plate_fields(check, number_plate),
        Detail::Banknote(banknote) => self::banknote(check, banknote),
        Detail::PaymentMeans(payment) => {
            check.code("kind", &payment.kind, "payment-means", Required);
            number(check, "number", &payment.number, Optional);
            check.text("issuer", &payment.issuer, Optional);
            check.party("country", &payment.country, Optional);
        }
        Detail::Other(other) => {
            number(check, "serial_number", &other.serial_number, Optional);
            check.code("kind", &other.kind, "object-kind", Optional);
            check.text("name", &other.name, Optional);
        }
    }
}

fn vehicle(check: &mut Checker, vehicle: &pb::Vehicle) {
    vin(check, &vehicle.vin);
    plate(check, &vehicle.plate);
    check.code("make", &vehicle.make, "vehicle-make", Optional);
    check.text("model", &vehicle.model, Optional);
    check.code("colour", &vehicle.colour, "colour", Optional);
    number(check, "engine_number", &vehicle.engine_number, Optional);
    check.code("type", &vehicle.r#type, "vehicle-type", Optional);
    let latest = time::civil_date(check.now_ms).year + 1;
    if vehicle.first_registered_year.is_some_and(|year| !(FIRST_REGISTRATION_YEAR..=latest).contains(&year)) {
        check.fault_at("first_registered_year", fault::OUT_OF_RANGE, "no year of a vehicle; absent = unknown");
    }
}

/// Of seventeen characters since ISO 3779, without I, O and Q; older chassis numbers have other lengths.
fn vin(check: &mut Checker, vin: &str) {
    number(check, "vin", vin, Optional);
    let compact = compact(vin);
    if compact.len() == 17 && compact.contains(['I', 'O', 'Q']) {
        check.warn_at("vin", fault::BAD_FORMAT, "I, O and Q do not occur in a number of 17 characters (ISO 3779)");
    }
    if check_digit::vin(&compact) == Some(false) {
        check.warn_at("vin", fault::CHECK_DIGIT, "the check digit does not agree");
    }
}

fn plate(check: &mut Checker, plate: &Option<pb::NumberPlate>) {
    if let Some(plate) = plate {
        check.within("plate", |check| plate_fields(check, plate));
    }
}

fn plate_fields(check: &mut Checker, plate: &pb::NumberPlate) {
    number(check, "number", &plate.number, Required);
    check.party("country", &plate.country, Optional);
}

fn boat(check: &mut Checker, boat: &pb::Boat) {
    number(check, "hull_number", &boat.hull_number, Optional);
    check.text("name", &boat.name, Optional);
    number(check, "imo_number", &boat.imo_number, Optional);
    let imo = compact(&boat.imo_number);
    match check_digit::imo(imo.strip_prefix("IMO").unwrap_or(&imo)) {
        Some(true) => {}
        Some(false) => check.warn_at("imo_number", fault::CHECK_DIGIT, "the check digit does not agree"),
        None if imo.is_empty() => {}
        None => check.warn_at("imo_number", fault::BAD_FORMAT, "an IMO number has seven digits"),
    }
    number(check, "registration", &boat.registration, Optional);
    check.party("flag", &boat.flag, Optional);
    check.code("make", &boat.make, "boat-make", Optional);
    check.text("model", &boat.model, Optional);
    check.code("colour", &boat.colour, "colour", Optional);
    if boat.length_cm.is_some_and(|length| length == 0 || length > BOAT_LENGTH_CM_MAX) {
        check.fault_at("length_cm", fault::OUT_OF_RANGE, "no length of a boat in centimetres; absent = unknown");
    }
}

fn banknote(check: &mut Checker, banknote: &pb::Banknote) {
    number(check, "serial_number", &banknote.serial_number, Optional);
    check.text("currency", &banknote.currency, Optional);
    let is_currency = banknote.currency.len() == 3 && banknote.currency.bytes().all(|byte| byte.is_ascii_uppercase());
    if !banknote.currency.is_empty() && !is_currency {
        check.fault_at("currency", fault::BAD_FORMAT, "no ISO 4217 code, such as \"GBP\"");
    }
    check.text("denomination", &banknote.denomination, Optional);
    let digits = banknote.denomination.bytes();
    let is_amount =
        digits.clone().all(|digit| digit.is_ascii_digit() || digit == b'.') && digits.clone().any(|digit| digit > b'0');
    if !banknote.denomination.is_empty() && !is_amount {
        check.fault_at("denomination", fault::BAD_FORMAT, "an amount in digits, as printed");
    }
}

/// Upper case without spaces, hyphens and other punctuation.
fn compact(number: &str) -> String {
    number.chars().filter(char::is_ascii_alphanumeric).map(|character| character.to_ascii_uppercase()).collect()
}

/// What the section must hold for the kind of subject it is about.
pub(super) fn subject(check: &mut Checker, alert: &pb::Alert, kind: pb::SubjectKind) {
    let empty = alert.objects.as_ref().is_none_or(|section| section.objects.is_empty());
    if kind == pb::SubjectKind::Object && empty {
        check.fault_at("objects.objects", fault::REQUIRED, "an object's alert needs an object");
    }
}

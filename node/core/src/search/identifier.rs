//! Every number that an alert can be found by.

use crate::pb;

use super::{
    mrz,
    normalise::{
        country::Country,
        number::{self, NumberKind},
    },
};

/// One number of an alert, in its normalised form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier {
    /// What it numbers.
    pub kind: NumberKind,
    /// Who issued it; unknown where the alert does not say.
    pub country: Country,
    /// Normalised, never empty.
    pub number: String,
    /// The upper end of a range of numbers (blank documents, banknotes), of the same form.
    pub range_to: Option<String>,
    /// Value of the list "document-type" for documents, else empty.
    pub document_type: String,
    /// Value of the list "identity-kind" for numbers of a person or organisation, else empty.
    pub identity_kind: String,
    /// Value of the list "object-class" for numbers of an object, else empty.
    pub object_class: String,
    /// Make, where the alert states one: lower case.
    pub make: String,
    /// Model: lower case.
    pub model: String,
}

/// All numbers of an alert, in the order of the record. Victims' data is never among them.
pub fn identifiers(alert: &pb::Alert) -> Vec<Identifier> {
    of_sections(alert.identities.as_ref(), alert.objects.as_ref())
}

/// [`identifiers`] of the two sections that hold any.
pub fn of_sections(identities: Option<&pb::IdentitySection>, objects: Option<&pb::ObjectSection>) -> Vec<Identifier> {
    let mut found = Collector::default();
    for identity in identities.iter().flat_map(|section| &section.identities) {
        found.identity_kind = value(&identity.kind);
        for document in &identity.documents {
            found.document(document, None);
        }
        for national in &identity.national_numbers {
            found.add(NumberKind::NationalNumber, national.country.as_ref(), &national.number);
        }
    }
    for organisation in identities.iter().flat_map(|section| &section.organisations) {
        found.identity_kind = value(&organisation.kind);
        for registration in &organisation.registration_numbers {
            found.add(NumberKind::OrganisationNumber, registration.country.as_ref(), &registration.number);
        }
    }
    found.identity_kind.clear();
    for object in objects.iter().flat_map(|section| &section.objects) {
        found.object(object);
    }
    found.numbers
}

fn value(code: &Option<pb::Code>) -> String {
    code.as_ref().map(|code| code.value.clone()).unwrap_or_default()
}

#[derive(Default)]
struct Collector {
    numbers: Vec<Identifier>,
    identity_kind: String,
    object_class: String,
    make: String,
    model: String,
}

impl Collector {
    fn add(&mut self, kind: NumberKind, country: Option<&pb::Party>, text: &str) {
        self.push(kind, Country::of(country), number::normalise(kind, text), None, String::new());
    }

    fn push(
        &mut self,
        kind: NumberKind,
        country: Country,
        number: String,
        range_to: Option<String>,
        document_type: String,
    ) {
        if number.is_empty() {
            return;
        }
        self.numbers.push(Identifier {
            kind,
            country,
            number,
            range_to,
            document_type,
            identity_kind: self.identity_kind.clone(),
            object_class: self.object_class.clone(),
            make: self.make.clone(),
            model: self.model.clone(),
        });
    }

    fn document(&mut self, document: &pb::IdentityDocument, range_to: Option<&str>) {
        let country = Country::of(document.issuing_country.as_ref());
        let range_to = range_to.map(number::plain).filter(|to| !to.is_empty());
        let number = number::plain(&document.number);
        self.push(NumberKind::Document, country, number.clone(), range_to, value(&document.r#type));
        // The machine-readable zone may carry a number that the field does not.
        if let Some(zone) =
            Some(&document.mrz).filter(|zone| !zone.is_empty()).and_then(|zone| mrz::parse(zone, 0).ok())
        {
            let printed = number::plain(&zone.document_number);
            if printed != number {
                self.push(
                    NumberKind::Document,
                    Country::new(&zone.issuing_country),
                    printed,
                    None,
                    value(&document.r#type),
                );
            }
        }
    }

    fn plate(&mut self, plate: Option<&pb::NumberPlate>) {
        if let Some(plate) = plate {
            self.add(NumberKind::Plate, plate.country.as_ref(), &plate.number);
        }
    }

    fn made(&mut self, make: Option<&pb::Code>, model: &str) {
        self.make = make.map(|make| make.value.to_lowercase()).unwrap_or_default();
        self.model = model.to_lowercase();
    }

    fn object(&mut self, object: &pb::Object) {
        use pb::object::Detail;
        self.object_class = value(&object.class);
        self.made(None, "");
        let range_to = Some(object.number_range_to.as_str()).filter(|to| !to.is_empty());
        match &object.detail {
            Some(Detail::Vehicle(vehicle)) => {
                self.made(vehicle.make.as_ref(), &vehicle.model);
                self.add(NumberKind::Vin, None, &vehicle.vin);
                self.plate(vehicle.plate.as_ref());
                self.add(NumberKind::VehicleEngine, None, &vehicle.engine_number);
            }
            Some(Detail::Boat(boat)) => {
                self.made(boat.make.as_ref(), &boat.model);
                self.add(NumberKind::Hull, None, &boat.hull_number);
                self.add(NumberKind::Imo, None, &boat.imo_number);
                self.add(NumberKind::Registration, boat.flag.as_ref(), &boat.registration);
            }
            Some(Detail::Aircraft(aircraft)) => {
                self.made(aircraft.make.as_ref(), &aircraft.model);
                self.add(NumberKind::Registration, aircraft.country.as_ref(), &aircraft.registration);
                self.add(NumberKind::AircraftSerial, None, &aircraft.serial_number);
            }
            Some(Detail::Engine(engine)) => {
                self.made(engine.make.as_ref(), &engine.model);
                self.add(NumberKind::EngineSerial, None, &engine.serial_number);
            }
            Some(Detail::Container(container)) => {
                self.add(NumberKind::Container, container.country.as_ref(), &container.number);
            }
            Some(Detail::Equipment(equipment)) => {
                self.made(equipment.make.as_ref(), &equipment.model);
                self.add(NumberKind::EquipmentSerial, None, &equipment.serial_number);
            }
            Some(Detail::Firearm(firearm)) => {
                self.made(firearm.make.as_ref(), &firearm.model);
                self.add(NumberKind::Firearm, None, &firearm.serial_number);
            }
            Some(Detail::Document(document)) => self.document(document, range_to),
            Some(Detail::RegistrationCertificate(certificate)) => {
                self.add(NumberKind::Certificate, certificate.country.as_ref(), &certificate.number);
                self.add(NumberKind::Vin, None, &certificate.vin);
                self.plate(certificate.plate.as_ref());
            }
            Some(Detail::NumberPlate(plate)) => self.plate(Some(plate)),
            Some(Detail::Banknote(note)) => {
                let number = number::plain(&note.serial_number);
                let range_to = range_to.map(number::plain).filter(|to| !to.is_empty());
                self.push(NumberKind::Banknote, Country::UNKNOWN, number, range_to, String::new());
            }
            Some(Detail::PaymentMeans(means)) => {
                self.add(NumberKind::PaymentMeans, means.country.as_ref(), &means.number);
            }
            Some(Detail::Other(other)) => self.add(NumberKind::Other, None, &other.serial_number),
            None => {}
        }
        for further in &object.numbers {
            let kind = NumberKind::from_code(&value(&further.kind));
            self.add(kind, further.country.as_ref(), &further.number);
        }
        self.object_class.clear();
        self.made(None, "");
    }
}

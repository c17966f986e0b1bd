//! Object alerts in the mix of the Schengen Information System: three quarters issued documents, then vehicles, papers
//! and plates, and a few of everything else.

use alert_proto::v1 as pb;
use pb::object::Detail;

use crate::{
    case::{Case, Kind, System},
    checks,
    codes::{BASE_DAY, partial_date, party, some_code},
    numbers,
    rng::Rng,
    vehicle,
};

/// Object classes and their share in per 10,000.
const CLASSES: &[(&str, u32)] = &[
    ("document-issued", 7480),
    ("registration-certificate", 620),
    ("vehicle", 560),
    ("document-blank", 500),
    ("number-plate", 470),
    ("firearm", 90),
    ("banknote", 70),
    ("trailer", 45),
    ("industrial-equipment", 35),
    ("boat", 25),
    ("boat-engine", 25),
    ("caravan", 20),
    ("container", 20),
    ("non-cash-payment", 15),
    ("it-equipment", 12),
    ("component-part", 8),
    ("aircraft", 3),
    ("aircraft-engine", 2),
    ("other", 10),
];

/// Issuing countries of documents that are sought here.
const ISSUERS: &[(&str, u32)] = &[
    ("GB", 520),
    ("FR", 60),
    ("IT", 60),
    ("ES", 40),
    ("DE", 50),
    ("RO", 40),
    ("PL", 45),
    ("IE", 30),
    ("NL", 25),
    ("BG", 20),
    ("GR", 15),
    ("PT", 20),
    ("TR", 15),
    ("PK", 20),
    ("IN", 20),
    ("NG", 15),
    ("CN", 10),
    ("IQ", 8),
    ("SY", 8),
    ("US", 15),
];

const DOCUMENT: Kind = kind("document-invalid", "seize-document", &["theft", "loss"]);
const SEIZURE: Kind = kind("object-seizure", "seize", &["theft", "robbery", "fraud"]);
const EVIDENCE: Kind = kind("object-evidence", "secure-evidence", &["evidence", "proceeds-of-crime"]);
const COVERT: Kind = kind("discreet-check", "discreet-check", &["serious-crime", "national-security"]);

const fn kind(category: &'static str, action: &'static str, reasons: &'static [&'static str]) -> Kind {
    Kind {
        category,
        action,
        reasons,
        offences: &[],
        role: "other",
        decision: None,
        markers: &[],
        ages: (18, 18),
        birth_may_be_unknown: true,
    }
}

/// The n-th object alert, from its own random stream.
pub(crate) fn alert(rng: &Rng, reference: String) -> pb::Alert {
    let mut lot = rng.fork("class");
    let class = lot.weighted(CLASSES);
    let kind = match (class, lot.below(1000)) {
        ("document-issued" | "document-blank", _) => DOCUMENT,
        ("vehicle" | "number-plate" | "boat" | "aircraft", 0..25) => COVERT,
        (_, 25..100) => EVIDENCE,
        _ => SEIZURE,
    };
    let system = match (class, kind.category, lot.below(100)) {
        (_, "discreet-check", _) => System::Uk,
        ("document-issued" | "document-blank", _, 0..25) => System::InterpolSltd,
        ("vehicle", _, 0..20) => System::InterpolSmv,
        ("firearm", _, 0..30) => System::InterpolIarms,
        ("boat" | "boat-engine", _, 0..20) => System::InterpolSv,
        _ => System::Uk,
    };
    let case = Case::new(kind, system, &mut rng.fork("case"));
    let core = case.core(pb::SubjectKind::Object, reference, &mut rng.fork("core"));
    pb::Alert {
        core: Some(core),
        objects: Some(pb::ObjectSection { objects: vec![object(class, &case, &mut rng.fork("object"))] }),
        action: Some(case.action(false, &mut rng.fork("action"))),
        internal: case.internal(&mut rng.fork("internal")),
        ..Default::default()
    }
}

fn object(class: &str, case: &Case, rng: &mut Rng) -> pb::Object {
    let status = match case.kind.category {
        "object-evidence" => "sought-as-evidence",
        "discreet-check" => "sought",
        _ => rng.weighted(&[("stolen", 800), ("misappropriated", 200)]),
    };
    let issuer = if case.system == System::Uk { rng.weighted(ISSUERS) } else { case.owner };
    let detail = match class {
        "document-issued" => {
            let status = rng.weighted(&[("lost", 520), ("stolen", 330), ("revoked", 100), ("invalid", 50)]);
            return issued_document(issuer, status, rng);
        }
        "document-blank" => return blank_documents(issuer, rng),
        "vehicle" | "trailer" | "caravan" => return vehicle(class, status, rng),
        "number-plate" => return number_plate(status, rng),
        "firearm" => return firearm(status, rng),
        "banknote" => return banknotes(status, rng),
        "registration-certificate" => registration_certificate(rng),
        "boat" => boat(rng),
        "aircraft" => aircraft(rng),
        "boat-engine" | "aircraft-engine" => engine(class, rng),
        "container" => container(rng),
        "non-cash-payment" => payment_means(rng),
        "industrial-equipment" | "it-equipment" | "component-part" => equipment(class, rng),
        _ => Detail::Other(pb::OtherObject {
            serial_number: rng.digits(8),
            kind: some_code("object-kind", rng.pick(&["watch", "bicycle", "instrument", "work-of-art"])),
            name: String::new(),
        }),
    };
    with(class, status, detail)
}

fn with(class: &str, status: &str, detail: Detail) -> pb::Object {
    pb::Object {
        class: some_code("object-class", class),
        status: some_code("object-status", status),
        detail: Some(detail),
        ..Default::default()
    }
}

pub(crate) fn vehicle(class: &str, status: &str, rng: &mut Rng) -> pb::Object {
    with(class, status, Detail::Vehicle(vehicle::vehicle(class, rng)))
}

pub(crate) fn number_plate(status: &str, rng: &mut Rng) -> pb::Object {
    let country = vehicle::plate_country(rng);
    let plate = pb::NumberPlate { number: vehicle::plate(country, None, rng), country: party(country) };
    with("number-plate", status, Detail::NumberPlate(plate))
}

pub(crate) fn issued_document(issuer: &str, status: &str, rng: &mut Rng) -> pb::Object {
    let kind = rng.weighted(&[
        ("passport", 440),
        ("identity-card", 300),
        ("driving-licence", 170),
        ("residence-permit", 70),
        ("visa", 20),
    ]);
    let issued = BASE_DAY - rng.below(9 * 365) as i64 - 30;
    let document = pb::IdentityDocument {
        r#type: some_code("document-type", kind),
        issuing_country: party(issuer),
        number: numbers::document_number(kind, issuer, rng),
        issued: rng.chance(600).then(|| partial_date(issued)).flatten(),
        expires: partial_date(issued + 3652),
        issuing_authority: String::new(),
        mrz: String::new(),
    };
    with("document-issued", status, Detail::Document(document))
}

/// Blank documents are stolen by the box: sometimes a range of numbers.
fn blank_documents(issuer: &str, rng: &mut Rng) -> pb::Object {
    let kind = rng.pick(&["passport", "identity-card", "residence-permit", "visa"]);
    let first = rng.between(100_000, 899_000);
    let prefix = rng.text("ABCDEFGHJKLMNPRSTUVWXYZ", 2);
    let document = pb::IdentityDocument {
        r#type: some_code("document-type", kind),
        issuing_country: party(issuer),
        number: format!("{prefix}{first:06}"),
        ..Default::default()
    };
    let mut object = with("document-blank", "stolen-blank", Detail::Document(document));
    if rng.chance(200) {
        object.number_range_to = format!("{prefix}{:06}", first + rng.between(9, 499));
    }
    object
}

pub(crate) fn firearm(status: &str, rng: &mut Rng) -> pb::Object {
    let (make, model, kind, calibre, country) = rng.pick(&[
        ("glock", "17", "pistol", "9-parabellum", "AT"),
        ("beretta", "92 FS", "pistol", "9-parabellum", "IT"),
        ("walther", "PPK", "pistol", "7-65", "DE"),
        ("cz", "75", "pistol", "9-parabellum", "CZ"),
        ("smith-wesson", "686", "revolver", "357-mag", "US"),
        ("browning", "B525", "shotgun", "12-bore", "BE"),
        ("webley", "700", "shotgun", "12-bore", "GB"),
        ("kalashnikov", "AKM", "rifle", "7-62x39", "RU"),
        ("zastava", "M70", "rifle", "7-62x39", "XXA"),
        ("remington", "700", "rifle", "308-win", "US"),
    ]);
    let letters = rng.between(1, 3) as usize;
    let serial = format!("{}{}", rng.text("ABCDEFGHKLMNPRSTVWXYZ", letters), rng.digits(6));
    let firearm = pb::Firearm {
        serial_number: serial,
        make: some_code("firearm-make", make),
        model: model.into(),
        calibre: some_code("calibre", calibre),
        kind: some_code("firearm-kind", kind),
        country_of_manufacture: if country == "XXA" { None } else { party(country) },
    };
    with("firearm", status, Detail::Firearm(firearm))
}

fn banknotes(status: &str, rng: &mut Rng) -> pb::Object {
    let (currency, denomination) =
        rng.pick(&[("GBP", "20"), ("GBP", "50"), ("GBP", "10"), ("EUR", "50"), ("EUR", "100"), ("USD", "100")]);
    let (prefix, first, length) = match currency {
        "GBP" => (format!("{}{:02}", rng.text("ABCDEHJKLMN", 2), rng.between(1, 80)), rng.between(1, 900_000), 6),
        "EUR" => (rng.text("ENPRSUVWXYZ", 1) + &rng.text("ABCDEFGHJ", 1), rng.between(1, 90_000_000), 10),
        _ => (rng.text("ABCDEFGHKL", 2), rng.between(1, 90_000_000), 8),
    };
    let serial = |number: u32| format!("{prefix}{number:0length$}");
    let note =
        pb::Banknote { serial_number: serial(first), currency: currency.into(), denomination: denomination.into() };
    let mut object = with("banknote", status, Detail::Banknote(note));
    if rng.chance(150) {
        object.number_range_to = serial(first + rng.between(9, 999));
    }
    object
}

fn registration_certificate(rng: &mut Rng) -> Detail {
    let vehicle = vehicle::vehicle("vehicle", rng);
    let country = vehicle.plate.as_ref().and_then(|plate| plate.country.clone());
    let number = match country.as_ref().map(|country| country.code.as_str()) {
        Some("GB") => rng.digits(11),
        _ => format!("{}{}", rng.text("ABCDEFGHJKLMNPRSTUVWXYZ", 2), rng.digits(7)),
    };
    Detail::RegistrationCertificate(pb::RegistrationCertificate {
        number,
        country,
        vin: if rng.chance(400) { vehicle.vin } else { String::new() },
        plate: vehicle.plate.filter(|_| rng.chance(500)),
    })
}

fn boat(rng: &mut Rng) -> Detail {
    let large = rng.chance(120);
    let number = rng.digits(6);
    let name = format!(
        "{} {}",
        rng.pick(&["Silver", "Northern", "Little", "Blue", "Morning", "Sea"]),
        rng.pick(&["Tern", "Star", "Heron", "Whisper", "Dawn", "Piper"])
    );
    Detail::Boat(pb::Boat {
        hull_number: format!(
            "GB-{}{}{}{}{:02}",
            rng.text("ABCDEFGHJKLMNPRSTUVWXYZ", 3),
            rng.text("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", 5),
            rng.text("ABCDEFGHIJKL", 1),
            rng.text("0123456789", 1),
            rng.between(5, 25)
        ),
        name: if rng.chance(700) { name } else { String::new() },
        imo_number: if large { format!("{number}{}", checks::imo(&number)) } else { String::new() },
        registration: if rng.chance(500) { format!("SSR {}", rng.digits(6)) } else { String::new() },
        flag: party("GB"),
        make: some_code("boat-make", rng.pick(&["beneteau", "jeanneau", "bavaria", "sunseeker", "princess", "zodiac"])),
        model: String::new(),
        colour: some_code("colour", rng.pick(&["white", "blue", "grey"])),
        length_cm: Some(rng.between(320, 1900)),
    })
}

fn aircraft(rng: &mut Rng) -> Detail {
    let (make, model) =
        rng.pick(&[("cessna", "172"), ("piper", "PA-28"), ("beechcraft", "King Air 200"), ("robinson", "R44")]);
    Detail::Aircraft(pb::Aircraft {
        registration: format!("G-{}", rng.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 4)),
        serial_number: rng.digits(7),
        make: some_code("aircraft-make", make),
        model: model.into(),
        country: party("GB"),
    })
}

fn engine(class: &str, rng: &mut Rng) -> Detail {
    let makes: &[&str] = if class == "boat-engine" {
        &["yamaha", "mercury", "suzuki", "honda", "tohatsu"]
    } else {
        &["lycoming", "continental", "rotax"]
    };
    Detail::Engine(pb::Engine {
        serial_number: format!("{}{}", rng.text("ABCDEFGHJKLMNPRSTUVWXYZ", 2), rng.digits(7)),
        make: some_code("engine-make", rng.pick(makes)),
        model: format!("{} hp", rng.pick(&["15", "40", "90", "150", "300"])),
    })
}

fn container(rng: &mut Rng) -> Detail {
    let owner = rng.pick(&["MSKU", "TCLU", "CMAU", "HLXU", "TGHU", "OOLU"]);
    let open = format!("{owner}{}", rng.text("0123456789", 6));
    Detail::Container(pb::Container { number: format!("{open}{}", checks::container(&open)), country: None })
}

fn payment_means(rng: &mut Rng) -> Detail {
    if rng.chance(500) {
        let open = format!("4{}", rng.text("0123456789", 14));
        let number = format!("{open}{}", checks::luhn(&open));
        return Detail::PaymentMeans(pb::PaymentMeans {
            kind: some_code("payment-means", "card"),
            number,
            issuer: "Example Bank".into(),
            country: party("GB"),
        });
    }
    Detail::PaymentMeans(pb::PaymentMeans {
        kind: some_code("payment-means", rng.pick(&["cheque", "bond", "share"])),
        number: rng.digits(10),
        issuer: "Example Bank".into(),
        country: party("GB"),
    })
}

fn equipment(class: &str, rng: &mut Rng) -> Detail {
    let (make, model, kind) = match class {
        "industrial-equipment" => rng.pick(&[
            ("jcb", "3CX", "loader"),
            ("kubota", "KX015", "excavator"),
            ("takeuchi", "TB216", "excavator"),
            ("caterpillar", "308", "excavator"),
            ("bobcat", "S70", "loader"),
        ]),
        "it-equipment" => rng.pick(&[
            ("apple", "MacBook Pro", "laptop"),
            ("dell", "Latitude 7440", "laptop"),
            ("samsung", "Galaxy S24", "phone"),
            ("lenovo", "ThinkPad T14", "laptop"),
        ]),
        _ => rng.pick(&[("other", "", "catalytic-converter"), ("other", "", "airbag"), ("other", "", "battery")]),
    };
    Detail::Equipment(pb::Equipment {
        serial_number: format!("{}{}", rng.text("ABCDEFGHJKLMNPRSTUVWXYZ", 3), rng.digits(8)),
        make: some_code("equipment-make", make),
        model: model.into(),
        kind: some_code("equipment-kind", kind),
    })
}

//! A person alert, put together from a case and a person.

use alert_proto::v1 as pb;

use crate::{
    birth::{Birth, Quality},
    case::{Case, System},
    codes::{code, party, some_code},
    names::{CultureId, FullName, Gender, NameBook, Origin, Spelling},
    numbers, object,
    rng::Rng,
};

/// The person behind an alert, as far as the alert's several identities share it.
#[derive(Debug, Clone)]
struct Person {
    culture: CultureId,
    nationality: &'static str,
    gender: Gender,
    gender_known: bool,
    birth: Option<Birth>,
    name: FullName,
}

/// The culture that the n-th person's name follows.
pub(crate) fn culture(book: &NameBook, rng: &Rng) -> CultureId {
    book.draw_culture(&mut rng.fork("culture"))
}

/// The n-th person alert, from its own random stream.
pub(crate) fn alert(book: &NameBook, rng: &Rng, reference: String) -> pb::Alert {
    let case = Case::person(&mut rng.fork("case"));
    let person = draw_person(book, &case, rng);
    let nameless = case.kind.category == "unknown-wanted";
    let mut core = case.core(pb::SubjectKind::Person, reference, &mut rng.fork("core"));
    let adult = person.birth.is_none_or(|birth| birth.to_message().year.is_none_or(|year| year < 2008));
    if matches!(case.kind.category, "missing" | "child-at-risk") {
        let children = ["child-runaway", "child-unaccompanied", "child-abducted", "child-unaccompanied-migrant"];
        let mut rng = rng.fork("missing");
        let kind = match case.kind.category {
            "child-at-risk" => "child-abducted",
            _ if adult => rng.pick(&["adult-other", "adult-protection"]),
            _ => rng.pick(&children),
        };
        core.missing_person_case = some_code("missing-person-case", kind);
    }
    if !adult && rng.fork("handling").chance(500) {
        core.handling.push(code("handling", "child"));
    }
    let (misused, victims) = misused_identity(book, &person, &rng.fork("misused"));
    let mut identities = identities(book, &case, &person, nameless, rng);
    identities.extend(misused);
    pb::Alert {
        core: Some(core),
        identities: Some(pb::IdentitySection {
            identities,
            markers: markers(&case, &mut rng.fork("markers")),
            roles: vec![pb::SubjectRole {
                role: some_code("subject-role", case.kind.role),
                grading: rng.fork("role").chance(300).then(|| grading(&mut rng.fork("role-grading"))),
            }],
            organisations: vec![],
        }),
        victims,
        objects: attached_objects(&person, &case, &mut rng.fork("objects")),
        action: Some(case.action(adult && case.kind.category == "missing", &mut rng.fork("action"))),
        internal: case.internal(&mut rng.fork("internal")),
        attachments: attachments(nameless, &mut rng.fork("attachments")),
        ..Default::default()
    }
}

fn draw_person(book: &NameBook, case: &Case, rng: &Rng) -> Person {
    let culture = culture(book, rng);
    let mut rng = rng.fork("person");
    let women = match case.kind.category {
        "missing" | "child-at-risk" => 480,
        "vulnerable-person" => 800,
        _ => 130,
    };
    let gender = if rng.chance(women) { Gender::Female } else { Gender::Male };
    let quality = match book.origin(culture) {
        Origin::Arab | Origin::Iranian | Origin::SouthAsian | Origin::WestAfrican => {
            Quality { unknown: 50, year_only: 60, first_of_january: 90 }
        }
        Origin::Vietnamese | Origin::Chinese => Quality { unknown: 40, year_only: 50, first_of_january: 30 },
        _ => Quality { unknown: 20, year_only: 20, first_of_january: 5 },
    };
    Person {
        culture,
        nationality: book.draw_nationality(culture, &mut rng),
        gender,
        gender_known: rng.chance(960),
        birth: Birth::draw(case.kind.ages, quality, case.birth_may_be_unknown(), &mut rng),
        name: book.draw_name(culture, gender, &mut rng),
    }
}

fn identities(book: &NameBook, case: &Case, person: &Person, nameless: bool, rng: &Rng) -> Vec<pb::Identity> {
    let mut main_rng = rng.fork("identity");
    let confirmed = !nameless && main_rng.chance(820);
    let mut main = pb::Identity {
        kind: some_code("identity-kind", if confirmed { "confirmed" } else { "unconfirmed" }),
        names: name_forms(&person.name, case.system, &mut main_rng),
        birth_dates: person.birth.map(Birth::to_message).into_iter().collect(),
        gender: some_code("gender", gender_value(person)),
        nationalities: nationalities(person, &mut main_rng),
        ..Default::default()
    };
    describe(&mut main, person, &mut rng.fork("description"));
    if nameless {
        (main.names, main.birth_dates, main.nationalities) = (vec![], vec![], vec![]);
        main.description = "Known by finger marks only.".into();
        return vec![main];
    }
    let mut papers = rng.fork("papers");
    if papers.chance(550) {
        let count = if papers.chance(180) { 2 } else { 1 };
        main.documents.extend((0..count).map(|_| {
            let gender = person.gender_known.then_some(person.gender);
            numbers::person_document(person.nationality, &person.name, person.birth.as_ref(), gender, &mut papers)
        }));
    }
    if papers.chance(350) {
        main.national_numbers.extend(numbers::national_number(
            person.nationality,
            person.birth.as_ref(),
            person.gender,
            &mut papers,
        ));
    }
    let mut identities = vec![main];
    let mut alias_rng = rng.fork("aliases");
    let aliases = alias_rng.weighted(&[(0_u32, 620), (1, 230), (2, 90), (3, 40), (5, 15), (9, 5)]);
    for _ in 0..aliases {
        let other = book.draw_name(person.culture, person.gender, &mut alias_rng);
        identities.push(alias(person, &other, case.system, &mut alias_rng));
    }
    identities
}

fn alias(person: &Person, other: &FullName, system: System, rng: &mut Rng) -> pb::Identity {
    let name = person.name.alias(rng, other);
    let good = rng.chance(450);
    let birth = person.birth.filter(|_| rng.chance(700)).map(|birth| birth.varied(rng));
    pb::Identity {
        kind: some_code("identity-kind", if good { "alias-good" } else { "alias-low" }),
        documents: if good && rng.chance(350) {
            let gender = Some(person.gender);
            vec![numbers::person_document(person.nationality, &name, birth.as_ref(), gender, rng)]
        } else {
            vec![]
        },
        names: name_forms(&name, system, rng),
        birth_dates: birth.map(Birth::to_message).into_iter().collect(),
        gender: rng.chance(800).then(|| code("gender", gender_value(person))),
        nationalities: if rng.chance(500) { party(person.nationality).into_iter().collect() } else { vec![] },
        grading: rng.chance(200).then(|| grading(rng)),
        ..Default::default()
    }
}

fn gender_value(person: &Person) -> &'static str {
    match person.gender {
        _ if !person.gender_known => "unknown",
        Gender::Male => "male",
        Gender::Female => "female",
    }
}

fn nationalities(person: &Person, rng: &mut Rng) -> Vec<pb::Party> {
    let mut all: Vec<pb::Party> = party(person.nationality).into_iter().collect();
    match rng.below(100) {
        0..4 => all.clear(),
        4..10 if person.nationality != "GB" => all.extend(party("GB")),
        _ => {}
    }
    all
}

/// How the source wrote the name: its own script and Latin, one of them, in parts or as one string.
pub(crate) fn name_forms(name: &FullName, system: System, rng: &mut Rng) -> Vec<pb::NameForm> {
    let as_parts = !rng.chance(40);
    let form = |spelling: Spelling, script: &str, origin: pb::NameOrigin, scheme: &str| {
        let written: Vec<_> = name.spelt(spelling).collect();
        let single = written.len() == 1;
        let full_text = if as_parts {
            String::new()
        } else {
            let separator = if matches!(script, "Hani" | "Hang") { "" } else { " " };
            written.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join(separator)
        };
        let part = |(kind, text): (crate::names::PartKind, String)| pb::NamePart {
            kind: some_code("name-part", if single { "mononym" } else { kind.value() }),
            text,
        };
        pb::NameForm {
            parts: if as_parts { written.into_iter().map(part).collect() } else { vec![] },
            full_text,
            script: script.into(),
            language: name.language.into(),
            origin: origin as i32,
            scheme: scheme.into(),
        }
    };
    let source = pb::NameOrigin::Source;
    let latin = if system != System::Uk && rng.chance(250) { Spelling::Other } else { Spelling::Usual };
    if !name.has_native() {
        let mut forms = vec![form(latin, "Latn", source, "")];
        let icao = form(Spelling::Icao, "Latn", pb::NameOrigin::Generated, "icao-9303");
        if name.spelt(latin).any(|(_, text)| !text.is_ascii()) && rng.chance(250) {
            forms.push(icao);
        }
        return forms;
    }
    let scheme = if name.script == "Grek" { "iso-843" } else { "icao-9303" };
    match rng.below(100) {
        0..55 => vec![form(Spelling::Native, name.script, source, ""), form(latin, "Latn", source, "")],
        55..67 => vec![
            form(Spelling::Native, name.script, source, ""),
            form(Spelling::Usual, "Latn", pb::NameOrigin::Generated, scheme),
        ],
        67..72 => vec![form(Spelling::Native, name.script, source, "")],
        _ => vec![form(latin, "Latn", source, "")],
    }
}

fn describe(identity: &mut pb::Identity, person: &Person, rng: &mut Rng) {
    let adult = person.birth.is_none_or(|birth| birth.to_message().year.is_none_or(|year| year < 2008));
    if adult && rng.chance(450) {
        let base = if person.gender == Gender::Male { 174 } else { 162 };
        identity.height_cm = Some(base - 14 + rng.below(15) as u32 + rng.below(15) as u32);
    }
    if rng.chance(400) {
        identity.birth_places.push(pb::Place { country: party(person.nationality), ..Default::default() });
    }
    if rng.chance(160) {
        let (kind, text) = rng.pick(&[
            ("tattoo", "Tattoo of a bird"),
            ("tattoo", "Lettering in black ink"),
            ("scar", "Scar of about four centimetres"),
            ("piercing", "Pierced ear"),
            ("birthmark", "Birthmark, dark"),
            ("hair", "Shaven head"),
            ("eye-colour", "Green eyes"),
            ("amputation", "Finger missing"),
        ]);
        identity.physical_marks.push(pb::PhysicalMark {
            kind: some_code("physical-mark", kind),
            location: (rng.pick(&["left forearm", "right hand", "neck", "left shoulder", "back", "face"])).into(),
            description: text.into(),
            grading: None,
        });
    }
    if rng.chance(100) {
        identity.addresses.push(pb::Place {
            text: format!("{} Example Street", rng.between(1, 199)),
            city: (rng.pick(&["Eastbridge", "Northmarket", "Midvale", "Kingsferry"])).into(),
            region: String::new(),
            country: party("GB"),
        });
    }
}

/// Fact or assessment, and how far the source is trusted.
fn grading(rng: &mut Rng) -> pb::Grading {
    let fact = rng.chance(700);
    pb::Grading {
        assertion: some_code("assertion", if fact { "fact" } else { "assessment" }),
        source_evaluation: some_code("source-evaluation", rng.pick(&["1", "2", "3"])),
        information_assessment: some_code("information-assessment", rng.pick(&["A", "B", "C", "D"])),
        handling_condition: some_code("handling-condition", rng.pick(&["P", "C"])),
    }
}

fn markers(case: &Case, rng: &mut Rng) -> Vec<pb::Marker> {
    let drawn: Vec<_> = case.kind.markers.iter().filter(|(_, per_mille)| rng.chance(*per_mille)).collect();
    drawn
        .into_iter()
        .map(|(marker, _)| pb::Marker {
            marker: some_code("warning-marker", marker),
            grading: rng.chance(300).then(|| grading(rng)),
            note: String::new(),
        })
        .collect()
}

/// Somebody whose identity the sought person uses: the misused identity is searchable, the victim's own data is not.
fn misused_identity(book: &NameBook, person: &Person, rng: &Rng) -> (Option<pb::Identity>, Option<pb::VictimSection>) {
    let mut rng = rng.clone();
    if !rng.chance(8) {
        return (None, None);
    }
    let name = book.draw_name(person.culture, person.gender, &mut rng);
    let birth = Birth::draw((20, 60), Quality { unknown: 0, year_only: 0, first_of_january: 0 }, false, &mut rng);
    let names = name_forms(&name, System::Uk, &mut rng);
    let document = numbers::person_document(person.nationality, &name, birth.as_ref(), Some(person.gender), &mut rng);
    let own = pb::Identity {
        kind: some_code("identity-kind", "confirmed"),
        names: names.clone(),
        birth_dates: birth.map(Birth::to_message).into_iter().collect(),
        gender: some_code("gender", gender_value(person)),
        documents: vec![document.clone()],
        ..Default::default()
    };
    let misused = pb::Identity {
        kind: some_code("identity-kind", "misused"),
        names,
        birth_dates: own.birth_dates.clone(),
        documents: vec![document],
        ..Default::default()
    };
    let given = rng.below(300) as i64;
    let consent = |field: &str| pb::Consent {
        field_category: some_code("victim-field", field),
        given_at: crate::codes::time(crate::codes::BASE_DAY - 1 - given, 36_000),
        evidence: "Signed form, scanned".into(),
        withdrawn_at: None,
    };
    let victim = pb::Victim {
        consents: ["names", "birth", "gender", "documents"].map(consent).into(),
        identity: Some(own),
        how_to_tell_apart: "The victim carries a letter of the owner's bureau.".into(),
    };
    (Some(misused), Some(pb::VictimSection { victims: vec![victim] }))
}

/// Vehicles, papers and weapons of the person: child records that end with the alert.
fn attached_objects(person: &Person, case: &Case, rng: &mut Rng) -> Option<pb::ObjectSection> {
    if matches!(case.kind.category, "unknown-wanted" | "refusal-of-entry") {
        return None;
    }
    let objects: Vec<pb::Object> = match rng.below(1000) {
        0..60 => vec![object::vehicle("vehicle", "sought", rng)],
        60..75 => vec![object::issued_document(person.nationality, "stolen", rng)],
        75..79 if case.kind.category == "arrest" => vec![object::firearm("sought", rng)],
        79..82 => vec![object::number_plate("sought", rng)],
        _ => return None,
    };
    Some(pb::ObjectSection { objects })
}

fn attachments(finger_marks: bool, rng: &mut Rng) -> Option<pb::AttachmentSection> {
    let photo = rng.chance(350);
    if !photo && !finger_marks {
        return None;
    }
    let kind = if finger_marks { "finger-marks" } else { "photo" };
    let attachment = pb::AttachmentReference {
        content_hash: (0..4).map(|_| format!("{:016x}", rng.bits())).collect(),
        kind: some_code("attachment-kind", kind),
        media_type: "image/jpeg".into(),
        size_bytes: 20_000 + rng.below(400_000),
        description: String::new(),
        handling: None,
    };
    Some(pb::AttachmentSection { attachments: vec![attachment] })
}

//! A full name by the custom of its culture, and the other ways in which the same name is written.

use super::{
    Gender, Name,
    culture::{Lists, NameList, Pattern},
    script,
};
use crate::rng::Rng;

/// Values of the list "name-part" that this crate uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// A given name.
    Forename,
    /// A further given name in British and Irish custom.
    MiddleName,
    /// A family name.
    Surname,
    /// The mother's, in Spanish and Portuguese custom.
    SecondSurname,
    /// A name made from the father's, or his given name.
    Patronymic,
    /// The father's father's given name.
    GrandfatherName,
    /// "van der", "de la", "bin": stands alone where papers write it apart.
    Particle,
}

impl PartKind {
    /// Its value in the list.
    pub fn value(self) -> &'static str {
        match self {
            Self::Forename => "forename",
            Self::MiddleName => "middle-name",
            Self::Surname => "surname",
            Self::SecondSurname => "second-surname",
            Self::Patronymic => "patronymic",
            Self::GrandfatherName => "grandfather-name",
            Self::Particle => "particle",
        }
    }
}

/// One part of a name with its spellings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Which part.
    pub kind: PartKind,
    /// Latin spellings, the usual one first; never empty.
    pub latin: Vec<String>,
    /// In the culture's own script, where that is not Latin.
    pub native: Option<String>,
}

/// A person's name in the order of its culture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullName {
    /// Its parts in order.
    pub parts: Vec<Part>,
    /// BCP 47.
    pub language: &'static str,
    /// ISO 15924 of the culture's own script.
    pub script: &'static str,
}

/// How to write the parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// The usual Latin spelling.
    Usual,
    /// Another spelling of each part that has one.
    Other,
    /// In the culture's own script; Latin for parts that have none.
    Native,
    /// Upper case, A to Z (ICAO 9303).
    Icao,
}

impl FullName {
    /// Its parts, written in one way.
    pub fn spelt(&self, spelling: Spelling) -> impl Iterator<Item = (PartKind, String)> {
        self.parts.iter().map(move |part| {
            let text = match spelling {
                Spelling::Usual => part.latin[0].clone(),
                Spelling::Other => part.latin.get(1).unwrap_or(&part.latin[0]).clone(),
                Spelling::Native => part.native.as_ref().unwrap_or(&part.latin[0]).clone(),
                Spelling::Icao => script::icao_latin(&part.latin[0]),
            };
            (part.kind, text)
        })
    }

    /// True when all its parts exist in a script other than Latin.
    pub fn has_native(&self) -> bool {
        self.script != "Latn" && self.parts.iter().all(|part| part.native.is_some())
    }

    /// Chinese, Korean, Vietnamese: the family name first.
    pub fn surname_first(&self) -> bool {
        self.parts.first().is_some_and(|part| part.kind == PartKind::Surname)
    }

    /// The same person under another form of the name: a nickname or another spelling, a part left out, parts in
    /// another order, or another surname.
    pub fn alias(&self, rng: &mut Rng, other: &FullName) -> Self {
        let mut alias = self.clone();
        match rng.below(10) {
            0..=3 => {
                for part in &mut alias.parts {
                    let count = part.latin.len();
                    if count > 1 {
                        part.latin.rotate_left(1 + rng.below(count as u64 - 1) as usize);
                    }
                }
            }
            4..=5 if alias.parts.len() > 2 => {
                alias.parts.remove(1);
            }
            6 => alias.parts.reverse(),
            7 => alias.parts.truncate(1),
            8 => {
                let surname = other.parts.iter().find(|part| part.kind == PartKind::Surname);
                if let (Some(mine), Some(others)) =
                    (alias.parts.iter_mut().find(|part| part.kind == PartKind::Surname), surname)
                {
                    mine.clone_from(others);
                }
            }
            _ => alias = other.clone(),
        }
        alias
    }
}

/// A full name by the custom of the culture.
pub(super) fn full_name(lists: &Lists, gender: Gender, rng: &mut Rng) -> FullName {
    let culture = lists.culture();
    let mut parts = match culture.pattern {
        Pattern::Western => western(lists, gender, rng),
        Pattern::Polish => inflected(western(lists, gender, rng), gender, polish_feminine),
        Pattern::Greek => inflected_native(western(lists, gender, rng), gender, culture.language, greek_feminine),
        Pattern::TwoSurnames => two_surnames(lists, gender, rng),
        Pattern::EastSlavic => east_slavic(lists, gender, rng),
        Pattern::Arab => arab(lists, gender, rng),
        Pattern::SouthAsianMuslim => south_asian_muslim(lists, gender, rng),
        Pattern::Sikh => sikh(lists, gender, rng),
        Pattern::Chinese => chinese(lists, gender, rng),
        Pattern::Korean => korean(lists, gender, rng),
        Pattern::Vietnamese => vietnamese(lists, gender, rng),
    };
    if rng.chance(400) {
        parts = with_particles_apart(parts);
    }
    FullName { parts, language: culture.language, script: culture.script }
}

fn part(kind: PartKind, name: &Name) -> Part {
    Part { kind, latin: name.latin.clone(), native: name.native.clone() }
}

fn literal(kind: PartKind, latin: &str, native: Option<&str>) -> Part {
    Part { kind, latin: latin.split('/').map(String::from).collect(), native: native.map(String::from) }
}

fn forename(list: &NameList, rng: &mut Rng) -> Part {
    part(PartKind::Forename, list.draw(rng))
}

fn western(lists: &Lists, gender: Gender, rng: &mut Rng) -> Vec<Part> {
    let given = lists.given(gender);
    let mut parts = vec![forename(given, rng)];
    let english = lists.culture().language.starts_with("en");
    if rng.chance(if english { 550 } else { 180 }) {
        let second = forename(given, rng);
        if second != parts[0] {
            parts.push(Part { kind: if english { PartKind::MiddleName } else { PartKind::Forename }, ..second });
        }
    }
    let mut surname = lists.draw_surname(rng);
    if rng.chance(30) {
        let second = lists.draw_surname(rng);
        if second != surname && second.native.is_none() {
            surname = Name {
                latin: vec![
                    format!("{}-{}", surname.latin[0], second.latin[0]),
                    format!("{} {}", surname.latin[0], second.latin[0]),
                    surname.latin[0].clone(),
                ],
                native: None,
            };
        }
    }
    parts.push(part(PartKind::Surname, &surname));
    parts
}

fn two_surnames(lists: &Lists, gender: Gender, rng: &mut Rng) -> Vec<Part> {
    let mut parts = vec![forename(lists.given(gender), rng)];
    parts.push(part(PartKind::Surname, &lists.draw_surname(rng)));
    if rng.chance(850) {
        parts.push(part(PartKind::SecondSurname, &lists.draw_surname(rng)));
    }
    parts
}

fn east_slavic(lists: &Lists, gender: Gender, rng: &mut Rng) -> Vec<Part> {
    let language = lists.culture().language;
    let mut parts = vec![forename(lists.given(gender), rng)];
    if rng.chance(650)
        && let Some(father) = &lists.male.draw(rng).native
    {
        let name = Name::from_native(patronymic(father, language, gender), language);
        parts.push(part(PartKind::Patronymic, &name));
    }
    parts.push(part(PartKind::Surname, &lists.draw_surname(rng)));
    inflected_native(parts, gender, language, slavic_feminine)
}

/// -ovich and -ovna, their Ukrainian and Bulgarian relatives: (ending of the father's name, son's, daughter's).
fn patronymic(father: &str, language: &str, gender: Gender) -> String {
    const RUSSIAN: &[(&str, &str, &str)] = &[
        ("ий", "ьевич", "ьевна"),
        ("ей", "еевич", "еевна"),
        ("ай", "аевич", "аевна"),
        ("ь", "евич", "евна"),
        ("а", "ич", "ична"),
        ("я", "ич", "инична"),
        ("", "ович", "овна"),
    ];
    const UKRAINIAN: &[(&str, &str, &str)] = &[
        ("ій", "ійович", "іївна"),
        ("ь", "ьович", "івна"),
        ("о", "ович", "івна"),
        ("а", "ович", "івна"),
        ("", "ович", "івна"),
    ];
    const BULGARIAN: &[(&str, &str, &str)] =
        &[("ай", "аев", "аева"), ("и", "иев", "иева"), ("о", "ов", "ова"), ("", "ов", "ова")];
    let table = match language {
        "uk" => UKRAINIAN,
        "bg" => BULGARIAN,
        _ => RUSSIAN,
    };
    let (stem, son, daughter) = table
        .iter()
        .find_map(|(end, son, daughter)| father.strip_suffix(end).map(|stem| (stem, son, daughter)))
        .unwrap_or((father, &"ович", &"овна"));
    format!("{stem}{}", if gender == Gender::Male { son } else { daughter })
}

fn arab(lists: &Lists, gender: Gender, rng: &mut Rng) -> Vec<Part> {
    let mut parts = vec![forename(lists.given(gender), rng)];
    let with_bin = rng.chance(120);
    let ancestors = rng.below(3);
    for generation in 0..ancestors {
        if with_bin && generation == 0 {
            let word = if gender == Gender::Male { ("bin/ibn/ben", "بن") } else { ("bint", "بنت") };
            parts.push(literal(PartKind::Particle, word.0, Some(word.1)));
        }
        let kind = if generation == 0 { PartKind::Patronymic } else { PartKind::GrandfatherName };
        parts.push(part(kind, lists.male.draw(rng)));
    }
    // A single name, or a chain of given names without a family name, is nothing unusual.
    if parts.len() < 2 && !rng.chance(30) || rng.chance(850) {
        let surname = lists.draw_surname(rng);
        let mut surname = part(PartKind::Surname, &surname);
        if surname.latin.len() == 1
            && let Some(bare) = surname.latin[0].strip_prefix("Al-").map(String::from)
        {
            surname.latin.extend([format!("El {bare}"), bare]);
        }
        parts.push(surname);
    }
    parts
}

fn south_asian_muslim(lists: &Lists, gender: Gender, rng: &mut Rng) -> Vec<Part> {
    let mut parts = vec![];
    if gender == Gender::Male && rng.chance(350) {
        parts.push(part(PartKind::Forename, &lists.male.names[0]));
    }
    let own = forename(lists.given(gender), rng);
    if parts.first() != Some(&own) {
        parts.push(own);
    }
    if rng.chance(40) {
        return parts;
    }
    if gender == Gender::Female && rng.chance(350) {
        let (latin, native) = if rng.chance(500) { ("Bibi/Bebe", "بی‌بی") } else { ("Begum/Begam", "بیگم") };
        parts.push(literal(PartKind::Surname, latin, Some(native)));
    } else {
        parts.push(part(PartKind::Surname, &lists.draw_surname(rng)));
    }
    parts
}

fn sikh(lists: &Lists, gender: Gender, rng: &mut Rng) -> Vec<Part> {
    let mut parts = vec![forename(lists.given(gender), rng)];
    let name = if gender == Gender::Male { "Singh/Sing" } else { "Kaur/Kour" };
    let clan = rng.chance(700);
    parts.push(literal(if clan { PartKind::Forename } else { PartKind::Surname }, name, None));
    if clan {
        parts.push(part(PartKind::Surname, &lists.draw_surname(rng)));
    }
    parts
}

/// Two syllables as one given name: joined, apart, hyphenated.
fn two_syllables(first: &Name, second: &Name, spellings: [&str; 3]) -> Part {
    let (one, two) = (&first.latin[0], &second.latin[0]);
    let small = two.to_lowercase();
    let write = |how: &str| match how {
        "joined" => format!("{one}{small}"),
        "apart" => format!("{one} {two}"),
        _ => format!("{one}-{small}"),
    };
    let mut latin: Vec<String> = spellings.iter().map(|how| write(how)).collect();
    if first.latin.len() > 1 || second.latin.len() > 1 {
        let (one, two) = (first.latin.last().unwrap_or(one), second.latin.last().unwrap_or(two));
        latin.push(format!("{one} {two}"));
    }
    let native = first.native.as_ref().zip(second.native.as_ref()).map(|(one, two)| format!("{one}{two}"));
    Part { kind: PartKind::Forename, latin, native }
}

fn chinese(lists: &Lists, gender: Gender, rng: &mut Rng) -> Vec<Part> {
    let given = lists.given(gender);
    let surname = part(PartKind::Surname, &lists.draw_surname(rng));
    let first = given.draw(rng);
    if rng.chance(180) {
        return vec![surname, part(PartKind::Forename, first)];
    }
    let either = if rng.chance(300) { lists.given(Gender::Male) } else { given };
    vec![surname, two_syllables(first, either.draw(rng), ["joined", "apart", "hyphen"])]
}

fn korean(lists: &Lists, gender: Gender, rng: &mut Rng) -> Vec<Part> {
    let given = lists.given(gender);
    let surname = part(PartKind::Surname, &lists.draw_surname(rng));
    vec![surname, two_syllables(given.draw(rng), given.draw(rng), ["hyphen", "joined", "apart"])]
}

fn vietnamese(lists: &Lists, gender: Gender, rng: &mut Rng) -> Vec<Part> {
    let given = lists.given(gender);
    let mut parts = vec![part(PartKind::Surname, &lists.draw_surname(rng))];
    if rng.chance(600) {
        let middle = if gender == Gender::Male { "Văn/Van" } else { "Thị/Thi" };
        parts.push(literal(PartKind::Forename, middle, None));
    } else if rng.chance(700) {
        parts.push(forename(given, rng));
    }
    parts.push(forename(given, rng));
    parts
}

fn inflected(mut parts: Vec<Part>, gender: Gender, feminine: impl Fn(&str) -> String) -> Vec<Part> {
    if gender == Gender::Female {
        for part in parts.iter_mut().filter(|part| part.kind == PartKind::Surname) {
            let masculine = part.latin[0].clone();
            part.latin.iter_mut().for_each(|spelling| *spelling = feminine(spelling));
            // Abroad the father's or husband's form is often kept.
            if !part.latin.contains(&masculine) {
                part.latin.push(masculine);
            }
        }
    }
    parts
}

fn inflected_native(
    mut parts: Vec<Part>,
    gender: Gender,
    language: &str,
    feminine: impl Fn(&str) -> String,
) -> Vec<Part> {
    if gender == Gender::Female {
        for part in parts.iter_mut().filter(|part| part.kind == PartKind::Surname) {
            if let Some(native) = &part.native {
                let masculine = part.latin[0].clone();
                let name = Name::from_native(feminine(native), language);
                (part.latin, part.native) = (name.latin, name.native);
                if !part.latin.contains(&masculine) {
                    part.latin.push(masculine);
                }
            }
        }
    }
    parts
}

fn polish_feminine(surname: &str) -> String {
    surname.strip_suffix("ki").map_or_else(|| surname.to_owned(), |stem| format!("{stem}ka"))
}

fn slavic_feminine(surname: &str) -> String {
    for (end, replacement) in [("ский", "ская"), ("ський", "ська"), ("ски", "ска")] {
        if let Some(stem) = surname.strip_suffix(end) {
            return format!("{stem}{replacement}");
        }
    }
    if ["ов", "ев", "ёв", "ин"].iter().any(|end| surname.ends_with(end)) {
        return format!("{surname}а");
    }
    surname.to_owned()
}

fn greek_feminine(surname: &str) -> String {
    const ENDINGS: [(&str, &str); 7] = [
        ("όπουλος", "οπούλου"),
        ("ίδης", "ίδου"),
        ("ιάδης", "ιάδου"),
        ("ος", "ου"),
        ("ης", "η"),
        ("άς", "ά"),
        ("ής", "ή"),
    ];
    ENDINGS
        .iter()
        .find_map(|(end, replacement)| surname.strip_suffix(end).map(|stem| format!("{stem}{replacement}")))
        .unwrap_or_else(|| surname.to_owned())
}

/// "van der Meer" as a particle and a surname.
fn with_particles_apart(parts: Vec<Part>) -> Vec<Part> {
    const PARTICLES: [&str; 14] = [
        "van den ", "van der ", "van de ", "van ", "de la ", "de ", "da ", "das ", "dos ", "di ", "Abu ", "El ", "Le ",
        "Du ",
    ];
    let apart = |part: Part| {
        let particle = PARTICLES.iter().find(|particle| part.latin[0].starts_with(**particle));
        match particle {
            Some(particle) if part.kind == PartKind::Surname && part.native.is_none() => {
                let rest: Vec<String> = part
                    .latin
                    .iter()
                    .filter_map(|spelling| spelling.strip_prefix(particle))
                    .map(String::from)
                    .collect();
                vec![
                    literal(PartKind::Particle, particle.trim_end(), None),
                    Part { kind: PartKind::Surname, latin: rest, native: None },
                ]
            }
            _ => vec![part],
        }
    };
    parts.into_iter().flat_map(apart).collect()
}

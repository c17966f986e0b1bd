//! National numbers, document numbers and machine-readable zones.

use alert_proto::v1 as pb;

use crate::{
    birth::Birth,
    checks,
    codes::{BASE_DAY, partial_date, party, some_code, zone_code},
    names::{FullName, Gender, PartKind, Spelling, script},
    rng::Rng,
};

const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const CLEAR_LETTERS: &str = "BCDFGHJKLMNPRSTVWXYZ";

/// The national number of a country that has one here, with valid check digits.
pub(crate) fn national_number(
    country: &str,
    birth: Option<&Birth>,
    gender: Gender,
    rng: &mut Rng,
) -> Option<pb::NationalNumber> {
    let date = birth.and_then(Birth::complete);
    let (kind, number) = match (country, date) {
        ("GB", _) => ("gb-nino", nino(rng)),
        ("ES", _) => ("es-dni", dni(rng)),
        ("TR", _) => ("tr-kimlik", kimlik(rng)),
        ("NL", _) => ("nl-bsn", bsn(rng)),
        ("PK", _) => {
            ("pk-cnic", format!("{}-{}-{}", rng.digits(5), rng.digits(7), checks::as_digit(1 + 2 * rng.between(0, 4))))
        }
        ("SE", Some(date)) => ("se-personnummer", personnummer(date, gender, rng)),
        ("PL", Some(date)) => ("pl-pesel", pesel(date, gender, rng)),
        ("RO", Some(date)) => ("ro-cnp", cnp(date, gender, rng)),
        ("BG", Some(date)) => ("bg-egn", egn(date, rng)),
        ("CN", Some(date)) => ("cn-resident-id", resident_identity(date, rng)),
        ("FR", Some(date)) => ("fr-nir", nir(date, gender, rng)),
        _ => return None,
    };
    Some(pb::NationalNumber { kind: some_code("national-number", kind), country: party(country), number })
}

fn nino(rng: &mut Rng) -> String {
    let prefix = [rng.text("ABCEGHJKLMNPRSTWXYZ", 1), rng.text("ABCEGHJKLMNPRSTWXYZ", 1)].concat();
    // Prefixes that are never given out.
    let prefix = if ["BG", "GB", "KN", "NK", "NT", "TN", "ZZ"].contains(&prefix.as_str()) { "AB" } else { &prefix };
    format!("{prefix}{}{}", rng.text("0123456789", 6), rng.text("ABCD", 1))
}

fn dni(rng: &mut Rng) -> String {
    let number = rng.between(10_000_000, 99_999_999);
    let letter = b"TRWAGMYFPDXBNJZSQVHLCKE"[(number % 23) as usize];
    format!("{number}{}", char::from(letter))
}

fn kimlik(rng: &mut Rng) -> String {
    let base = rng.digits(9);
    let digits: Vec<u32> = base.chars().filter_map(|digit| digit.to_digit(10)).collect();
    let odd: u32 = digits.iter().step_by(2).sum();
    let even: u32 = digits.iter().skip(1).step_by(2).sum();
    let tenth = (odd * 7 + 100 - even) % 10;
    format!("{base}{}{}", checks::as_digit(tenth), checks::as_digit(odd + even + tenth))
}

fn bsn(rng: &mut Rng) -> String {
    loop {
        let base = rng.digits(8);
        let last = checks::weighted(&base, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
        if last < 10 {
            return format!("{base}{}", checks::as_digit(last));
        }
    }
}

/// An odd digit for men, an even one for women, as several countries have it.
fn gender_digit(gender: Gender, rng: &mut Rng) -> char {
    checks::as_digit(2 * rng.between(0, 4) + u32::from(gender == Gender::Male))
}

fn personnummer((year, month, day): (u32, u32, u32), gender: Gender, rng: &mut Rng) -> String {
    let body = format!("{:02}{month:02}{day:02}{}{}", year % 100, rng.text("0123456789", 2), gender_digit(gender, rng));
    format!("{}-{}{}", &body[..6], &body[6..], checks::luhn(&body))
}

fn pesel((year, month, day): (u32, u32, u32), gender: Gender, rng: &mut Rng) -> String {
    let month = if year >= 2000 { month + 20 } else { month };
    let body = format!("{:02}{month:02}{day:02}{}{}", year % 100, rng.text("0123456789", 3), gender_digit(gender, rng));
    let check = 10 - checks::weighted(&body, &[1, 3, 7, 9]) % 10;
    format!("{body}{}", checks::as_digit(check))
}

fn cnp((year, month, day): (u32, u32, u32), gender: Gender, rng: &mut Rng) -> String {
    let first = if year >= 2000 { 5 } else { 1 } + u32::from(gender == Gender::Female);
    let county = rng.between(1, 46);
    let body = format!("{first}{:02}{month:02}{day:02}{county:02}{:03}", year % 100, rng.between(1, 999));
    let check = checks::weighted(&body, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
    format!("{body}{}", checks::as_digit(if check == 10 { 1 } else { check }))
}

fn egn((year, month, day): (u32, u32, u32), rng: &mut Rng) -> String {
    let month = if year >= 2000 { month + 40 } else { month };
    let body = format!("{:02}{month:02}{day:02}{}", year % 100, rng.text("0123456789", 3));
    let check = checks::weighted(&body, &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10;
    format!("{body}{}", checks::as_digit(check))
}

fn resident_identity((year, month, day): (u32, u32, u32), rng: &mut Rng) -> String {
    let body = format!(
        "{}{year}{month:02}{day:02}{:03}",
        rng.pick(&["110101", "310104", "350102", "350181"]),
        rng.between(1, 999)
    );
    let sum = checks::weighted(&body, &[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
    format!("{body}{}", char::from(b"10X98765432"[(sum % 11) as usize]))
}

fn nir((year, month, _): (u32, u32, u32), gender: Gender, rng: &mut Rng) -> String {
    let first = if gender == Gender::Male { 1 } else { 2 };
    let body = format!(
        "{first}{:02}{month:02}{:02}{:03}{:03}",
        year % 100,
        rng.between(1, 95),
        rng.between(1, 900),
        rng.between(1, 999)
    );
    let key = 97 - body.parse::<u64>().unwrap_or(0) % 97;
    format!("{body}{key:02}")
}

/// The number of a document in its country's format.
pub(crate) fn document_number(kind: &str, country: &str, rng: &mut Rng) -> String {
    let letters = |rng: &mut Rng, count| rng.text(LETTERS, count);
    match (kind, country) {
        ("driving-licence", "GB") => {
            format!("{}{}{}{}", letters(rng, 5), rng.digits(6), letters(rng, 2), rng.text("23456789ACDEFGHJ", 3))
        }
        ("identity-card", "DE") | ("passport", "DE") => {
            format!("{}{}", rng.text("CFGHJKL", 1), rng.text("0123456789CFGHJKLMNPRTVWXYZ", 8))
        }
        ("identity-card", "PL") => format!("{}{}", letters(rng, 3), rng.digits(6)),
        ("identity-card", "IT") => format!("C{}{}{}", letters(rng, 1), rng.digits(5), letters(rng, 2)),
        ("identity-card", "RO") => format!("{}{}", rng.text(CLEAR_LETTERS, 2), rng.digits(6)),
        ("identity-card", "ES") => format!("{}{}", letters(rng, 3), rng.digits(6)),
        ("residence-permit", "GB") => format!("{}{}", rng.pick(&["ZR", "RB", "ZX"]), rng.digits(7)),
        ("identity-card" | "residence-permit" | "driving-licence", _) => {
            format!("{}{}", letters(rng, 2), rng.digits(7))
        }
        ("visa", _) => rng.digits(9),
        (_, "GB") => rng.digits(9),
        (_, "FR") => format!("{}{}{}", rng.digits(2), rng.text(CLEAR_LETTERS, 2), rng.text("0123456789", 5)),
        (_, "IE") => format!("{}{}", letters(rng, 2), rng.digits(7)),
        (_, "IT") => format!("{}{}", rng.pick(&["YA", "YB", "YC"]), rng.digits(7)),
        (_, "ES") => format!("{}{}", letters(rng, 3), rng.text("0123456789", 6)),
        (_, "NL") => format!("N{}{}", rng.text(CLEAR_LETTERS, 4), rng.text("123456789", 4)),
        (_, "PL") => format!("{}{}", rng.pick(&["EA", "EB", "EP"]), rng.digits(7)),
        (_, "RU" | "UA" | "BG" | "SE" | "NO") => rng.digits(9),
        (_, "CN") => format!("{}{}", rng.pick(&["E", "EA", "EJ", "G"]), rng.digits(8)).chars().take(9).collect(),
        (_, "KR") => format!("M{}", rng.digits(8)),
        (_, "VN") => format!("{}{}", rng.pick(&["B", "C", "N"]), rng.digits(7)),
        (_, "TR") => format!("U{}", rng.digits(8)),
        (_, "IR") => format!("{}{}", rng.text("ABDEFGHIK", 1), rng.digits(8)),
        (_, "PK") => format!("{}{}", letters(rng, 2), rng.digits(7)),
        (_, "IN") => format!("{}{}", rng.text("HJKLMNPRSTUVZ", 1), rng.digits(7)),
        (_, "NG") => format!("{}{}", rng.pick(&["A", "B"]), rng.digits(8)),
        (_, "IQ" | "SY" | "AF" | "DZ" | "MA") => format!("{}{}", letters(rng, 1), rng.digits(8)),
        _ => format!("{}{}", letters(rng, 1), rng.digits(8)),
    }
}

/// An identity document of a person; a passport or identity card sometimes with its machine-readable zone.
pub(crate) fn person_document(
    country: &str,
    name: &FullName,
    birth: Option<&Birth>,
    gender: Option<Gender>,
    rng: &mut Rng,
) -> pb::IdentityDocument {
    let kind =
        rng.weighted(&[("passport", 620), ("identity-card", 220), ("driving-licence", 100), ("residence-permit", 60)]);
    let issuer = if kind == "residence-permit" { "GB" } else { country };
    let number = document_number(kind, issuer, rng);
    let issued = BASE_DAY - rng.below(9 * 365) as i64 - 30;
    let expires = issued + 3652;
    let mrz = match birth.and_then(Birth::complete) {
        Some(date) if kind == "passport" && number.len() <= 9 && rng.chance(250) => {
            let zone = Zone { issuer, nationality: country, number: &number, name, birth: date, gender, expires };
            zone.passport()
        }
        _ => String::new(),
    };
    pb::IdentityDocument {
        r#type: some_code("document-type", kind),
        issuing_country: party(issuer),
        number,
        issued: rng.chance(700).then(|| partial_date(issued)).flatten(),
        expires: partial_date(expires),
        issuing_authority: String::new(),
        mrz,
    }
}

/// What the machine-readable zone of a passport says.
#[derive(Debug, Clone, Copy)]
pub struct Zone<'a> {
    /// Party code of the issuing state.
    pub issuer: &'a str,
    /// Party code.
    pub nationality: &'a str,
    /// At most nine characters.
    pub number: &'a str,
    /// Its holder.
    pub name: &'a FullName,
    /// Year, month, day.
    pub birth: (u32, u32, u32),
    /// `<` when unknown.
    pub gender: Option<Gender>,
    /// Days since 1970.
    pub expires: i64,
}

impl Zone<'_> {
    /// TD3 (ICAO 9303 part 4, section 4.2): two lines of 44 characters, divided by a line feed.
    pub fn passport(&self) -> String {
        let (surnames, forenames): (Vec<_>, Vec<_>) = self
            .name
            .spelt(Spelling::Icao)
            .partition(|(kind, _)| matches!(kind, PartKind::Surname | PartKind::SecondSurname | PartKind::Particle));
        let joined = |parts: Vec<(PartKind, String)>| {
            parts.into_iter().map(|(_, text)| script::icao_latin(&text).replace(' ', "<")).collect::<Vec<_>>().join("<")
        };
        let names = if surnames.is_empty() {
            joined(forenames)
        } else {
            format!("{}<<{}", joined(surnames), joined(forenames))
        };
        let padded = |text: String, length: usize| format!("{text:<<length$}").chars().take(length).collect::<String>();
        let first = padded(format!("P<{}{names}", padded(zone_code(self.issuer).into(), 3)), 44);
        let number = padded(self.number.into(), 9);
        let (year, month, day) = self.birth;
        let birth = format!("{:02}{month:02}{day:02}", year % 100);
        let (year, month, day) = crate::codes::civil(self.expires);
        let expiry = format!("{:02}{month:02}{day:02}", year % 100);
        let sex = match self.gender {
            Some(Gender::Male) => 'M',
            Some(Gender::Female) => 'F',
            None => '<',
        };
        let optional = "<".repeat(14);
        let number = format!("{number}{}", checks::icao(&number));
        let birth = format!("{birth}{}", checks::icao(&birth));
        let expiry = format!("{expiry}{}", checks::icao(&expiry));
        // An empty optional field may carry `<` or 0 as its check digit.
        let optional = format!("{optional}<");
        let composite = checks::icao(&format!("{number}{birth}{expiry}{optional}"));
        let nationality = padded(zone_code(self.nationality).into(), 3);
        format!("{first}\n{number}{nationality}{birth}{sex}{expiry}{optional}{composite}")
    }
}

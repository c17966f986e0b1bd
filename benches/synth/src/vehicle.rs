//! Vehicles: identification numbers with their check digit, and plates in the format of their country.

use alert_proto::v1 as pb;

use crate::{
    checks,
    codes::{party, some_code},
    rng::Rng,
};

const VIN_CHARACTERS: &str = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ";

/// A maker with its world manufacturer identifiers and models.
#[derive(Clone, Copy)]
struct Maker {
    make: &'static str,
    identifiers: &'static [&'static str],
    models: &'static [&'static str],
    kind: &'static str,
}

const fn maker(
    make: &'static str,
    identifiers: &'static [&'static str],
    models: &'static [&'static str],
    kind: &'static str,
) -> Maker {
    Maker { make, identifiers, models, kind }
}

/// Makers of stolen vehicles and their weights.
const MAKERS: &[(Maker, u32)] = &[
    (maker("ford", &["WF0", "SFA"], &["Fiesta", "Focus", "Kuga", "Transit", "Puma"], "car"), 150),
    (maker("volkswagen", &["WVW", "WV1", "WV2"], &["Golf", "Polo", "Tiguan", "Transporter", "Passat"], "car"), 110),
    (
        maker("land-rover", &["SAL"], &["Range Rover", "Range Rover Sport", "Discovery", "Defender", "Evoque"], "car"),
        95,
    ),
    (maker("bmw", &["WBA", "WBS", "WBY"], &["1 Series", "3 Series", "5 Series", "X5", "X3"], "car"), 90),
    (maker("mercedes-benz", &["WDB", "WDD", "W1K"], &["A Class", "C Class", "E Class", "Sprinter", "GLC"], "car"), 85),
    (maker("audi", &["WAU", "WUA"], &["A1", "A3", "A4", "Q5", "Q7"], "car"), 75),
    (maker("vauxhall", &["W0L", "W0V"], &["Corsa", "Astra", "Vivaro", "Mokka"], "car"), 75),
    (maker("toyota", &["SB1", "JTD", "JTM"], &["Yaris", "Corolla", "RAV4", "Prius", "Hilux"], "car"), 65),
    (maker("nissan", &["SJN", "JN1"], &["Qashqai", "Juke", "Micra", "Leaf"], "car"), 50),
    (maker("peugeot", &["VF3"], &["208", "308", "3008", "Boxer"], "car"), 40),
    (maker("renault", &["VF1"], &["Clio", "Megane", "Captur", "Trafic"], "car"), 40),
    (maker("hyundai", &["TMA", "KMH"], &["i10", "i20", "Tucson", "Ioniq 5"], "car"), 35),
    (maker("kia", &["KNA", "U5Y"], &["Picanto", "Ceed", "Sportage", "Niro"], "car"), 35),
    (maker("lexus", &["JTH"], &["NX", "RX", "UX"], "car"), 25),
    (maker("skoda", &["TMB"], &["Fabia", "Octavia", "Superb", "Kodiaq"], "car"), 25),
    (maker("fiat", &["ZFA"], &["500", "Panda", "Ducato"], "car"), 20),
    (maker("tesla", &["5YJ", "LRW"], &["Model 3", "Model Y"], "car"), 10),
    (maker("volvo", &["YV1"], &["XC40", "XC60", "V60"], "car"), 15),
    (maker("honda", &["JH2", "ZDC"], &["CB125", "CBR600", "PCX 125"], "motorcycle"), 45),
    (maker("yamaha", &["JYA", "VG5"], &["MT-07", "R1", "NMAX"], "motorcycle"), 40),
    (maker("piaggio", &["ZAP"], &["Vespa GTS", "Liberty"], "moped"), 20),
    (maker("daf", &["XLR"], &["XF", "CF"], "lorry"), 8),
    (maker("scania", &["XLE", "YS2"], &["R450", "S500"], "tractor-unit"), 8),
];

const COLOURS: &[(&str, u32)] = &[
    ("black", 230),
    ("grey", 210),
    ("white", 170),
    ("blue", 150),
    ("silver", 100),
    ("red", 80),
    ("green", 25),
    ("orange", 10),
    ("yellow", 8),
    ("brown", 8),
    ("beige", 5),
];

/// Where plates come from.
const PLATE_COUNTRIES: &[(&str, u32)] = &[
    ("GB", 640),
    ("IE", 40),
    ("FR", 45),
    ("DE", 50),
    ("NL", 30),
    ("BE", 25),
    ("ES", 25),
    ("IT", 30),
    ("PL", 40),
    ("RO", 30),
    ("BG", 15),
    ("TR", 10),
    ("UA", 10),
    ("LT", 10),
];

/// A vehicle of a make, with its numbers.
pub(crate) fn vehicle(class: &str, rng: &mut Rng) -> pb::Vehicle {
    if class != "vehicle" {
        return trailer(class, rng);
    }
    let maker = rng.weighted(MAKERS);
    let year = 2004 + rng.below(22).max(rng.below(22)) as u32;
    let country = rng.weighted(PLATE_COUNTRIES);
    let old_chassis = rng.chance(12);
    pb::Vehicle {
        vin: match rng.below(100) {
            0..4 => String::new(),
            _ if old_chassis => rng.text("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", 11),
            _ => vin(rng.pick(maker.identifiers), year, rng),
        },
        plate: Some(pb::NumberPlate { number: plate(country, Some(year), rng), country: party(country) }),
        make: some_code("vehicle-make", maker.make),
        model: (rng.pick(maker.models)).into(),
        colour: some_code("colour", rng.weighted(COLOURS)),
        engine_number: if rng.chance(250) { engine_number(rng) } else { String::new() },
        r#type: some_code("vehicle-type", maker.kind),
        first_registered_year: Some(year),
    }
}

/// Trailers and caravans.
fn trailer(class: &str, rng: &mut Rng) -> pb::Vehicle {
    let year = 2005 + rng.below(21) as u32;
    let identifiers: &[&str] = if class == "caravan" { &["SGD", "SGB", "SGE"] } else { &["SCK", "SDC", "WKE", "WSM"] };
    pb::Vehicle {
        vin: vin(rng.pick(identifiers), year, rng),
        plate: None,
        make: some_code("vehicle-make", "other"),
        model: String::new(),
        colour: some_code("colour", "white"),
        engine_number: String::new(),
        r#type: some_code("vehicle-type", if class == "caravan" { "caravan" } else { "trailer" }),
        first_registered_year: Some(year),
    }
}

/// A vehicle identification number (ISO 3779) whose check digit agrees.
pub(crate) fn vin(manufacturer: &str, year: u32, rng: &mut Rng) -> String {
    const YEARS: &[u8; 30] = b"ABCDEFGHJKLMNPRSTVWXY123456789";
    let descriptor = rng.text(VIN_CHARACTERS, 5);
    let year = char::from(YEARS[year as usize % 30]);
    let plant = rng.text("ABCDEFGHJKLMNPRSTUVWXYZ", 1);
    let open = format!("{manufacturer}{descriptor}0{year}{plant}{}", rng.text("0123456789", 6));
    let check = checks::vin(&open);
    format!("{}{check}{}", &open[..8], &open[9..])
}

fn engine_number(rng: &mut Rng) -> String {
    format!("{}{}", rng.text("ABCDEFGHJKLMNPRSTUVWXYZ", 3), rng.digits(7))
}

/// A plate in the format of its country; `year` counts where the plate shows it.
pub(crate) fn plate(country: &str, year: Option<u32>, rng: &mut Rng) -> String {
    const GB: &str = "ABCDEFGHJKLMNOPRSTUVWXYZ";
    const FR: &str = "ABCDEFGHJKLMNPQRSTVWXYZ";
    const CONSONANTS: &str = "BCDFGHJKLMNPRSTVWXYZ";
    const ALL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let year = year.unwrap_or(2008 + rng.below(17) as u32);
    match country {
        "GB" => match rng.below(100) {
            // Northern Ireland.
            0..4 => format!("{}Z {}", rng.text("ABCDEFGHJKLMNOPRSTUVWXY", 2), rng.between(1000, 9999)),
            // Before September 2001.
            4..7 => format!("{}{} {}", rng.text("ABCDEFGHJKLMNPRSTVWXY", 1), rng.between(1, 999), rng.text(GB, 3)),
            _ => {
                let half = if rng.chance(500) { 0 } else { 50 };
                format!("{}{:02} {}", rng.text("ABCDEFGHJKLMNOPRSTUVWXY", 2), year % 100 + half, rng.text(GB, 3))
            }
        },
        "IE" => format!(
            "{:02}{}-{}-{}",
            year % 100,
            rng.between(1, 2),
            rng.pick(&["D", "C", "G", "L", "KE", "MH", "W", "T"]),
            rng.between(1, 60_000)
        ),
        "FR" => format!("{}-{:03}-{}", rng.text(FR, 2), rng.between(1, 999), rng.text(FR, 2)),
        "DE" => format!(
            "{}-{} {}",
            rng.pick(&["B", "HH", "M", "K", "F", "S", "D", "DO", "E", "L", "KA", "AC"]),
            rng.text(ALL, 2),
            rng.between(1, 9999)
        ),
        "NL" => format!("{}-{:03}-{}", rng.text(CONSONANTS, 2), rng.between(1, 999), rng.text(CONSONANTS, 1)),
        "BE" => format!("{}-{}-{:03}", rng.between(1, 2), rng.text(ALL, 3), rng.between(1, 999)),
        "ES" => format!("{:04} {}", rng.between(0, 9999), rng.text(CONSONANTS, 3)),
        "IT" => format!("{} {:03} {}", rng.text(FR, 2), rng.between(1, 999), rng.text(FR, 2)),
        "PL" => format!(
            "{} {}",
            rng.pick(&["WA", "WB", "KR", "PO", "GD", "DW", "EL", "SK"]),
            rng.text("0123456789ACEFGHJKLMNPRSTUVWXY", 5)
        ),
        "RO" => {
            format!("{} {:02} {}", rng.pick(&["B", "CJ", "IS", "TM", "CT", "BV"]), rng.between(1, 99), rng.text(FR, 3))
        }
        "BG" => format!(
            "{} {:04} {}",
            rng.pick(&["CA", "CB", "PB", "BP", "A"]),
            rng.between(1, 9999),
            rng.text("ABEKMHOPCTYX", 2)
        ),
        "TR" => {
            format!("{:02} {} {:03}", rng.between(1, 81), rng.text("ABCDEFGHJKLMNPRSTUVYZ", 3), rng.between(1, 999))
        }
        "UA" => format!(
            "{}{:04}{}",
            rng.pick(&["AA", "KA", "BC", "AX", "BH"]),
            rng.between(1, 9999),
            rng.text("ABCEHIKMOPTX", 2)
        ),
        _ => format!("{} {:03}", rng.text(ALL, 3), rng.between(1, 999)),
    }
}

/// The country of a plate that is sought alone.
pub(crate) fn plate_country(rng: &mut Rng) -> &'static str {
    rng.weighted(PLATE_COUNTRIES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tenth_character_is_the_model_year() {
        let mut rng = Rng::new(1, "vin", 0);
        for (year, letter) in [(2010, 'A'), (2018, 'J'), (2026, 'T'), (2005, '5'), (2030, 'Y')] {
            assert_eq!(vin("WVW", year, &mut rng).chars().nth(9), Some(letter), "{year}");
        }
    }
}

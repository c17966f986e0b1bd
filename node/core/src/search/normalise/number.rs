//! Numbers of documents, vehicles and things: one written form, look-alike classes, and how far two of them differ.

use unicode_normalization::UnicodeNormalization;

use super::script;
use crate::alert::check_digit;

/// At most so many characters may differ, each within its look-alike class.
pub const LOOK_ALIKE_DIFFERENCES_MAX: usize = 2;
/// Longest number that is indexed, in characters; what is longer is cut on both sides.
pub const NUMBER_CHARS_MAX: usize = 64;
/// The rightmost characters of a vehicle identification number that are searched on their own (NCIC practice).
pub const VIN_TAIL_CHARS: usize = 8;
/// Characters of a vehicle identification number (ISO 3779).
pub const VIN_CHARS: usize = 17;

/// What a number numbers. The byte is part of index values and never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum NumberKind {
    /// A passport, identity card, visa, driving licence...
    Document = 1,
    /// A number a state gives to a person.
    NationalNumber = 2,
    /// A registration number of an organisation.
    OrganisationNumber = 3,
    /// A vehicle identification number (ISO 3779) or an older chassis number.
    Vin = 4,
    /// A number plate.
    Plate = 5,
    /// The engine of a vehicle.
    VehicleEngine = 6,
    /// A hull identification number (ISO 10087).
    Hull = 7,
    /// A ship's number of the International Maritime Organization.
    Imo = 8,
    /// The registration of a boat or an aircraft, or a registration of unknown kind.
    Registration = 9,
    /// The serial number of an aircraft.
    AircraftSerial = 10,
    /// The serial number of an engine of a boat or an aircraft.
    EngineSerial = 11,
    /// A freight container (ISO 6346).
    Container = 12,
    /// A serial number of industrial or IT equipment or of a component part.
    EquipmentSerial = 13,
    /// A firearm.
    Firearm = 14,
    /// A registration certificate.
    Certificate = 15,
    /// A banknote.
    Banknote = 16,
    /// A cheque, card, bond...
    PaymentMeans = 17,
    /// Anything else.
    Other = 18,
}

impl NumberKind {
    /// Every kind with the name that explanations use.
    pub const NAMES: [(NumberKind, &'static str); 18] = [
        (NumberKind::Document, "document"),
        (NumberKind::NationalNumber, "national-number"),
        (NumberKind::OrganisationNumber, "organisation-number"),
        (NumberKind::Vin, "vin"),
        (NumberKind::Plate, "plate"),
        (NumberKind::VehicleEngine, "engine"),
        (NumberKind::Hull, "hull"),
        (NumberKind::Imo, "imo"),
        (NumberKind::Registration, "registration"),
        (NumberKind::AircraftSerial, "aircraft-serial"),
        (NumberKind::EngineSerial, "engine-serial"),
        (NumberKind::Container, "container"),
        (NumberKind::EquipmentSerial, "equipment-serial"),
        (NumberKind::Firearm, "firearm"),
        (NumberKind::Certificate, "certificate"),
        (NumberKind::Banknote, "banknote"),
        (NumberKind::PaymentMeans, "payment-means"),
        (NumberKind::Other, "other"),
    ];

    /// Its name in explanations.
    pub fn name(self) -> &'static str {
        Self::NAMES.into_iter().find(|(kind, _)| *kind == self).map_or("other", |(_, name)| name)
    }

    /// From its byte in an index value.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::NAMES.into_iter().map(|(kind, _)| kind).find(|kind| *kind as u8 == byte)
    }

    /// From a value of the code list "number-kind".
    pub fn from_code(value: &str) -> Self {
        match value {
            "vin" | "chassis" => Self::Vin,
            "plate" => Self::Plate,
            "engine" => Self::VehicleEngine,
            "hull" => Self::Hull,
            "imo" => Self::Imo,
            "registration" => Self::Registration,
            "certificate" => Self::Certificate,
            "container" => Self::Container,
            "account" => Self::PaymentMeans,
            "document" => Self::Document,
            _ => Self::Other,
        }
    }
}

/// The one written form: compatibility forms and digits of any script folded, upper case, letters and digits only.
/// Cyrillic and Greek capitals that look like Latin ones become those, as number plates use them.
pub fn plain(text: &str) -> String {
    text.nfkc()
        .flat_map(char::to_uppercase)
        .map(|character| script::ascii_digit(character).unwrap_or(character))
        .map(latin_twin)
        .filter(|character| character.is_alphanumeric())
        .take(NUMBER_CHARS_MAX)
        .collect()
}

/// [`plain`], then what its kind asks for.
pub fn normalise(kind: NumberKind, text: &str) -> String {
    refine(kind, plain(text))
}

/// What the kind asks for, on top of [`plain`].
pub fn refine(kind: NumberKind, number: String) -> String {
    match kind {
        // A vehicle identification number has no I, O or Q (ISO 3779): they are misread digits.
        NumberKind::Vin if number.chars().count() == VIN_CHARS => number
            .chars()
            .map(|character| match character {
                'I' => '1',
                'O' | 'Q' => '0',
                other => other,
            })
            .collect(),
        NumberKind::Imo => number.strip_prefix("IMO").map_or_else(|| number.clone(), str::to_owned),
        // Often noted without its last digit, which follows from the others (ISO 6346).
        NumberKind::Container if is_container_without_check_digit(&number) => {
            let mut whole = ('0'..='9').map(|digit| format!("{number}{digit}"));
            whole.find(|whole| check_digit::container(whole) == Some(true)).unwrap_or(number)
        }
        _ => number,
    }
}

fn is_container_without_check_digit(number: &str) -> bool {
    number.len() == 10
        && number.bytes().take(4).all(|byte| byte.is_ascii_uppercase())
        && number.bytes().skip(4).all(|byte| byte.is_ascii_digit())
}

/// The rightmost eight characters of a longer chassis number.
pub fn vin_tail(number: &str) -> Option<String> {
    let characters: Vec<char> = number.chars().collect();
    (characters.len() > VIN_TAIL_CHARS).then(|| characters[characters.len() - VIN_TAIL_CHARS..].iter().collect())
}

/// Look-alikes folded: {0 O D Q} {1 I} {2 Z} {5 S} {8 B} {6 G}.
pub fn fold_char(character: char) -> char {
    match character {
        'O' | 'D' | 'Q' => '0',
        'I' => '1',
        'Z' => '2',
        'S' => '5',
        'B' => '8',
        'G' => '6',
        other => other,
    }
}

/// How many characters differ when all differences are look-alikes; `None` when one is not, or lengths differ.
pub fn look_alike_differences(a: &str, b: &str) -> Option<usize> {
    let mut differences = 0;
    let mut left = a.chars();
    let mut right = b.chars();
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Some(differences),
            (Some(x), Some(y)) if x == y => {}
            (Some(x), Some(y)) if fold_char(x) == fold_char(y) => differences += 1,
            _ => return None,
        }
    }
}

/// Capitals of Cyrillic and Greek that are drawn as Latin ones.
fn latin_twin(character: char) -> char {
    match character {
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'С' => 'C',
        'Е' | 'Ε' => 'E',
        'Ζ' => 'Z',
        'Н' | 'Η' => 'H',
        'І' | 'Ι' => 'I',
        'Ј' => 'J',
        'К' | 'Κ' => 'K',
        'М' | 'Μ' => 'M',
        'Ν' => 'N',
        'О' | 'Ο' => 'O',
        'Р' | 'Ρ' => 'P',
        'Ѕ' => 'S',
        'Т' | 'Τ' => 'T',
        'У' | 'Υ' => 'Y',
        'Х' | 'Χ' => 'X',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_has_one_form_however_it_is_written() {
        for text in ["ab 12-34 cd", "AB1234CD", " ａｂ１２３４ｃｄ ", "A\u{200b}B12.34/CD", "ab<1234<cd"] {
            assert_eq!(plain(text), "AB1234CD", "{text}");
        }
        assert_eq!(plain("٠١٢٣٤٥٦٧٨٩"), "0123456789");
        assert_eq!(plain("А123ВС77"), "A123BC77", "Cyrillic plate letters");
        assert_eq!(plain("ΙΚΥ 4521"), "IKY4521", "Greek plate letters");
    }

    #[test]
    fn a_kind_adds_its_own_rules() {
        assert_eq!(normalise(NumberKind::Vin, "IM8GDM9AXKP042788"), "1M8GDM9AXKP042788");
        assert_eq!(normalise(NumberKind::Vin, "OLD-CHASSIS-IOQ"), "OLDCHASSISIOQ", "only 17 characters are ISO 3779");
        assert_eq!(normalise(NumberKind::Imo, "IMO 9074729"), "9074729");
        assert_eq!(normalise(NumberKind::Container, "CSQU 305438"), "CSQU3054383");
        assert_eq!(normalise(NumberKind::Container, "CSQU 305438 3"), "CSQU3054383");
        assert_eq!(vin_tail("1M8GDM9AXKP042788").as_deref(), Some("KP042788"));
        assert_eq!(vin_tail("KP042788"), None);
    }

    #[test]
    fn look_alikes_are_counted_and_other_differences_refused() {
        assert_eq!(look_alike_differences("AB0128", "ABOIZ8"), Some(3));
        assert_eq!(look_alike_differences("5S8B6G", "S5B8G6"), Some(6));
        assert_eq!(look_alike_differences("AB1", "AB1"), Some(0));
        assert_eq!(look_alike_differences("AB1", "AC1"), None);
        assert_eq!(look_alike_differences("AB1", "AB12"), None);
        assert_eq!("ODQI2Z5S8B6G".chars().map(fold_char).collect::<String>(), "000122558866");
    }

    #[test]
    fn every_kind_has_a_byte_and_a_name_of_its_own() {
        for (kind, name) in NumberKind::NAMES {
            assert_eq!(NumberKind::from_byte(kind as u8), Some(kind));
            assert_eq!(kind.name(), name);
        }
        assert_eq!(NumberKind::from_byte(0), None);
    }
}

//! Check digits of documents, vehicles, containers, ships and national numbers. The generator puts them on, tests and
//! evaluations may ask whether they agree.

/// ICAO 9303 part 3, section 4.9: weights 7, 3, 1 over 0-9, A-Z = 10-35, `<` = 0.
pub fn icao(text: &str) -> char {
    let sum: u32 =
        text.chars().zip([7, 3, 1].into_iter().cycle()).map(|(letter, weight)| value36(letter) * weight).sum();
    digit(sum % 10)
}

fn value36(letter: char) -> u32 {
    letter.to_digit(36).unwrap_or(0)
}

fn digit(value: u32) -> char {
    char::from_digit(value, 10).unwrap_or('0')
}

/// The ninth character of a vehicle identification number (49 CFR 565.15(c); ISO 3779 leaves it free).
pub fn vin(text: &str) -> char {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let sum: u32 = text.chars().zip(WEIGHTS).map(|(letter, weight)| vin_value(letter) * weight).sum();
    match sum % 11 {
        10 => 'X',
        rest => digit(rest),
    }
}

fn vin_value(letter: char) -> u32 {
    match letter {
        '0'..='9' => value36(letter),
        'A'..='H' => value36(letter) - 9,
        'J'..='N' => value36(letter) - 18,
        'P' => 7,
        'R' => 9,
        'S'..='Z' => value36(letter) - 26,
        _ => 0,
    }
}

/// The eleventh character of a container number (ISO 6346).
pub fn container(text: &str) -> char {
    // Letters count from 10, and multiples of 11 are left out.
    let value = |letter: char| match value36(letter) {
        plain @ 0..=10 => plain,
        letter @ 11..=20 => letter + 1,
        letter @ 21..=30 => letter + 2,
        letter => letter + 3,
    };
    let sum: u32 = text.chars().enumerate().map(|(at, letter)| value(letter) << at).sum();
    digit(sum % 11 % 10)
}

/// The seventh digit of a ship's number of the International Maritime Organization.
pub fn imo(text: &str) -> char {
    digit(weighted(text, &[7, 6, 5, 4, 3, 2]) % 10)
}

/// Luhn's check digit (ISO/IEC 7812-1), for cards and some national numbers.
pub fn luhn(text: &str) -> char {
    let doubled = |value: u32| if value > 4 { value * 2 - 9 } else { value * 2 };
    let digits = text.chars().rev().map(value36).enumerate();
    let sum: u32 = digits.map(|(at, value)| if at % 2 == 0 { doubled(value) } else { value }).sum();
    digit((10 - sum % 10) % 10)
}

/// Sum of digits times weights; the weights begin again when they run out.
pub fn weighted(text: &str, weights: &[u32]) -> u32 {
    text.chars().zip(weights.iter().cycle()).map(|(letter, weight)| value36(letter) * weight).sum()
}

/// A digit for 0 to 9.
pub fn as_digit(value: u32) -> char {
    digit(value % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples_agree() {
        // ICAO 9303 part 4, appendix B: the specimen passport of Utopia.
        assert_eq!(icao("L898902C3"), '6');
        assert_eq!(icao("740812"), '2');
        assert_eq!(icao("120415"), '9');
        assert_eq!(icao("ZE184226B<<<<<"), '1');
        // 49 CFR 565.15, table VI example.
        assert_eq!(vin("1G4AH59H45G118341"), '4');
        // ISO 6346, Annex A.
        assert_eq!(container("CSQU305438"), '3');
        assert_eq!(imo("907472"), '9');
        assert_eq!(luhn("7992739871"), '3');
    }
}

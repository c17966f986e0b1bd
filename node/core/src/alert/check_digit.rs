//! Check digits of identifiers. A failed one is worth a warning and never more: a mistyped number on a record is still the
//! number to be found.

/// ICAO Doc 9303 part 3 section 4.9: weights 7, 3, 1; digits count as they are, A to Z as 10 to 35, `<` as 0. `None` for
/// another character.
pub fn icao_9303(field: &str) -> Option<u8> {
    let mut sum = 0u32;
    for (index, byte) in field.bytes().enumerate() {
        let value = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'Z' => byte - b'A' + 10,
            b'<' => 0,
            _ => return None,
        };
        sum += u32::from(value) * [7, 3, 1][index % 3];
    }
    Some((sum % 10) as u8)
}

/// Whether a vehicle identification number of 17 characters agrees with its ninth (49 CFR 565.15(c)). Only North
/// American and Chinese manufacturers must set it; `None` for others, and for what is no such number.
pub fn vin(vin: &str) -> Option<bool> {
    let bytes = vin.as_bytes();
    if bytes.len() != 17 || !matches!(bytes[0], b'1'..=b'5' | b'L') {
        return None;
    }
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let mut sum = 0;
    for (byte, weight) in bytes.iter().zip(WEIGHTS) {
        sum += vin_value(*byte)? * weight;
    }
    let expected = match sum % 11 {
        10 => b'X',
        digit => b'0' + digit as u8,
    };
    Some(bytes[8] == expected)
}

/// The transliteration of a VIN's character: A to H are 1 to 8, J to R 1 to 9 (without O and Q), S to Z 2 to 9.
fn vin_value(byte: u8) -> Option<u32> {
    Some(match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'A'..=b'H' => u32::from(byte - b'A') + 1,
        b'J'..=b'N' => u32::from(byte - b'J') + 1,
        b'P' => 7,
        b'R' => 9,
        b'S'..=b'Z' => u32::from(byte - b'S') + 2,
        _ => return None,
    })
}

/// Whether a freight container's number agrees with its last digit (ISO 6346: four letters, six digits, check digit).
/// `None` for what is no such number.
pub fn container(number: &str) -> Option<bool> {
    let bytes = number.as_bytes();
    if bytes.len() != 11 || !bytes[..4].iter().all(u8::is_ascii_uppercase) || !bytes[4..].iter().all(u8::is_ascii_digit)
    {
        return None;
    }
    let sum: u32 = bytes[..10].iter().enumerate().map(|(index, byte)| container_value(*byte) << index).sum();
    Some(u32::from(bytes[10] - b'0') == sum % 11 % 10)
}

/// Letters are 10 to 38 without the multiples of eleven.
fn container_value(byte: u8) -> u32 {
    if byte.is_ascii_digit() {
        return u32::from(byte - b'0');
    }
    let index = u32::from(byte - b'A');
    index + 10 + u32::from(index >= 1) + u32::from(index >= 11) + u32::from(index >= 21)
}

/// Whether a ship's IMO number (seven digits) agrees with its last digit: the others times 7 to 2. `None` for what is no
/// such number.
pub fn imo(number: &str) -> Option<bool> {
    let bytes = number.as_bytes();
    if bytes.len() != 7 || !bytes.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let sum: u32 =
        bytes[..6].iter().zip([7, 6, 5, 4, 3, 2]).map(|(byte, weight)| u32::from(byte - b'0') * weight).sum();
    Some(sum % 10 == u32::from(bytes[6] - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_examples_agree() {
        // ICAO Doc 9303 part 4, appendix B: the specimen of Utopia.
        assert_eq!(icao_9303("L898902C3"), Some(6));
        assert_eq!(icao_9303("740812"), Some(2));
        assert_eq!(icao_9303("120415"), Some(9));
        assert_eq!(icao_9303("ZE184226B<<<<<"), Some(1));
        assert_eq!(icao_9303("L898902C3674081221204159ZE184226B<<<<<1"), Some(0));
        assert_eq!(icao_9303("l8"), None);
        // The example of the regulation's annex and of ISO 6346.
        assert_eq!(vin("1M8GDM9AXKP042788"), Some(true));
        assert_eq!(vin("11111111111111111"), Some(true));
        assert_eq!(container("CSQU3054383"), Some(true));
        assert_eq!(imo("9074729"), Some(true));
    }

    #[test]
    fn one_wrong_character_shows() {
        assert_eq!(vin("1M8GDM9AXKP042789"), Some(false));
        assert_eq!(container("CSQU3054384"), Some(false));
        assert_eq!(imo("9074728"), Some(false));
    }

    #[test]
    fn numbers_without_a_check_digit_are_left_alone() {
        assert_eq!(vin("WVWZZZ1JZXW000001"), None);
        assert_eq!(vin("1M8GDM9AXKP04278"), None);
        assert_eq!(vin("1I8GDM9AXKP042788"), None);
        assert_eq!(container("CSQU305438"), None);
        assert_eq!(imo("907472"), None);
    }
}

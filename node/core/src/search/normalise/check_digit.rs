//! Check digits. They warn; they never decide.

/// The check character of a 17-character vehicle identification number is right (ISO 3779 with the North American
/// rule; makers elsewhere need not follow it). `None` when the number has another length or a letter it cannot have.
pub fn vin_is_consistent(vin: &str) -> Option<bool> {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    if vin.len() != 17 {
        return None;
    }
    let mut sum = 0;
    for (byte, weight) in vin.bytes().zip(WEIGHTS) {
        sum += weight * vin_value(byte)?;
    }
    let expected = if sum % 11 == 10 { b'X' } else { b'0' + (sum % 11) as u8 };
    Some(vin.as_bytes()[8] == expected)
}

fn vin_value(byte: u8) -> Option<u32> {
    Some(match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'A'..=b'H' => u32::from(byte - b'A' + 1),
        b'J'..=b'N' => u32::from(byte - b'J' + 1),
        b'P' => 7,
        b'R' => 9,
        b'S'..=b'Z' => u32::from(byte - b'S' + 2),
        _ => return None,
    })
}

/// The check digit of a container number's first ten characters (ISO 6346).
pub fn iso_6346(number: &str) -> Option<char> {
    if number.len() < 10 {
        return None;
    }
    // Letters count from 10, leaving out the multiples of 11.
    const LETTERS: [u32; 26] =
        [10, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 34, 35, 36, 37, 38];
    let mut sum: u32 = 0;
    for (position, byte) in number.bytes().take(10).enumerate() {
        let value = match byte {
            b'0'..=b'9' => u32::from(byte - b'0'),
            b'A'..=b'Z' => LETTERS[usize::from(byte - b'A')],
            _ => return None,
        };
        sum += value << position;
    }
    char::from_digit(sum % 11 % 10, 10)
}

/// The check digit of a ship's number is right: its first six digits weighted 7 to 2, last digit of the sum.
pub fn imo_is_consistent(number: &str) -> Option<bool> {
    if number.len() != 7 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits: Vec<u32> = number.bytes().map(|byte| u32::from(byte - b'0')).collect();
    let sum: u32 = digits.iter().take(6).zip((2..=7).rev()).map(|(digit, weight)| digit * weight).sum();
    Some(sum % 10 == digits[6])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples_are_consistent() {
        assert_eq!(vin_is_consistent("1M8GDM9AXKP042788"), Some(true));
        assert_eq!(vin_is_consistent("11111111111111111"), Some(true));
        assert_eq!(vin_is_consistent("1M8GDM9A1KP042788"), Some(false));
        assert_eq!(vin_is_consistent("1M8GDM9AXKP04278O"), None, "no letter O");
        assert_eq!(vin_is_consistent("SHORT"), None);
        assert_eq!(iso_6346("CSQU305438"), Some('3'));
        assert_eq!(iso_6346("CSQU30543"), None);
        assert_eq!(imo_is_consistent("9074729"), Some(true));
        assert_eq!(imo_is_consistent("9074728"), Some(false));
        assert_eq!(imo_is_consistent("907472"), None);
    }
}

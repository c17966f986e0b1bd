//! Countries as index values hold them: three bytes.
//!
//! Alerts, queries and machine-readable zones name countries by alpha-2, alpha-3 and the special codes of ICAO 9303.
//! A search compares states: a British passport of any class is British.

use crate::alert::party;

/// A country or organisation in its one form: up to three characters, padded with zero bytes; all zero = unknown.
/// Longer codes are kept as three bytes of their hash, which no code of letters and digits can equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Country(pub [u8; 3]);

impl Country {
    /// Not stated.
    pub const UNKNOWN: Country = Country([0; 3]);

    /// From a code in any of the known forms.
    pub fn new(code: &str) -> Self {
        let code = code.trim_matches([' ', '<']).to_ascii_uppercase();
        // ICAO 9303: a person of unspecified nationality.
        if code.is_empty() || code == "XXX" {
            return Self::UNKNOWN;
        }
        let code = party::state_of(&code).unwrap_or(&code);
        if code.len() <= 3 {
            let mut bytes = [0; 3];
            bytes[..code.len()].copy_from_slice(code.as_bytes());
            return Self(bytes);
        }
        let hash = blake3::hash(code.as_bytes());
        let bytes = hash.as_bytes();
        Self([bytes[0] | 0x80, bytes[1], bytes[2]])
    }

    /// From an optional party.
    pub fn of(party: Option<&crate::pb::Party>) -> Self {
        party.map_or(Self::UNKNOWN, |party| Self::new(&party.code))
    }

    /// Stated at all.
    pub fn is_known(self) -> bool {
        self != Self::UNKNOWN
    }

    /// Both stated, and different.
    pub fn conflicts(self, other: Self) -> bool {
        self.is_known() && other.is_known() && self != other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_one_country_are_equal() {
        assert_eq!(Country::new("DEU"), Country::new("de"));
        assert_eq!(Country::new("D"), Country::new("DE"));
        assert_eq!(Country::new("D<<"), Country::new("DE"));
        assert_eq!(Country::new("GBR"), Country::new("GBD"));
        assert_eq!(Country::new("UTO"), Country(*b"UTO"));
        assert_ne!(Country::new("AUT"), Country::new("AUS"));
        assert!(!Country::new("XXX").is_known());
        assert!(Country::new("NO-SUCH-PARTY").is_known() && Country::new("NO-SUCH-PARTY") != Country::new("OTHER"));
        assert!(!Country::new("").conflicts(Country::new("FR")) && Country::new("IT").conflicts(Country::new("FR")));
    }
}

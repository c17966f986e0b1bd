//! The values of index entries: what can be decided about a posting without reading its record.

use crate::{
    alert::LabelId,
    search::normalise::{
        country::Country,
        date::Date,
        name::{Role, Token},
        number::NumberKind,
    },
};

/// Most name tokens in one signature.
pub const TOKENS_MAX: usize = 24;

/// The value of a number's posting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberSignature {
    /// Decides visibility.
    pub label: LabelId,
    /// `None` when the alert has the number in several kinds.
    pub kind: Option<NumberKind>,
    /// Unknown when the alert does not say, or has several.
    pub country: Country,
}

impl NumberSignature {
    /// Eight bytes: label, kind, country.
    pub fn encode(self) -> Vec<u8> {
        let mut bytes = self.label.to_be_bytes().to_vec();
        bytes.push(self.kind.map_or(0, |kind| kind as u8));
        bytes.extend_from_slice(&self.country.0);
        bytes
    }

    /// `None` for bytes that are no signature.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (label, rest) = bytes.split_first_chunk::<4>()?;
        let (kind, country) = rest.split_first()?;
        Some(Self {
            label: u32::from_be_bytes(*label),
            kind: NumberKind::from_byte(*kind),
            country: Country(country.try_into().ok()?),
        })
    }

    /// One posting for two numbers of the same alert under the same key.
    pub fn merge(&mut self, other: Self) {
        if self.kind != other.kind {
            self.kind = None;
        }
        if self.country != other.country {
            self.country = Country::UNKNOWN;
        }
    }
}

/// What a signature keeps of one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenSign {
    letter: u8,
    /// Two bytes of its class.
    pub class: u16,
}

/// The value of a name's posting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameSignature {
    /// Decides visibility.
    pub label: LabelId,
    /// b'M', b'F', or 0 for unknown or several.
    pub gender: u8,
    /// The only date that goes with the name; unknown when there is none or more than one.
    pub date: Date,
    /// False when `date` does not say all (spans, several dates): it then kills nothing.
    pub date_decides: bool,
    /// False when several names share the key: `tokens` holds the tokens of all.
    pub one_name: bool,
    /// All tokens, sorted; empty when there are too many to keep, and then kills nothing.
    pub tokens: Vec<TokenSign>,
}

impl NameSignature {
    /// Label, gender, flags, date, tokens of three bytes each.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(10 + 3 * self.tokens.len());
        bytes.extend_from_slice(&self.label.to_be_bytes());
        bytes.push(self.gender);
        bytes.push(u8::from(self.date_decides) | u8::from(self.one_name) << 1);
        bytes.extend_from_slice(&self.date.to_bytes());
        for token in &self.tokens {
            bytes.push(token.letter);
            bytes.extend_from_slice(&token.class.to_be_bytes());
        }
        bytes
    }

    /// One posting for two names of the same alert under the same key: it kills only what both would kill.
    pub fn merge(&mut self, other: Self) {
        if self.tokens != other.tokens {
            self.one_name = false;
            let unknown = self.tokens.is_empty() || other.tokens.is_empty();
            self.tokens.extend(other.tokens);
            self.tokens.sort_unstable();
            self.tokens.dedup();
            if unknown || self.tokens.len() > TOKENS_MAX {
                self.tokens.clear();
            }
        }
        self.one_name &= other.one_name;
        if self.gender != other.gender {
            self.gender = 0;
        }
        if self.date != other.date || !other.date_decides {
            self.date = Date::UNKNOWN;
            self.date_decides = false;
        }
    }
}

impl TokenSign {
    /// Fills arrays.
    pub const NONE: Self = Self { letter: 0, class: 0 };
    /// Marks what does not count as a name: a particle, an initial, a second reading.
    const WEAK: u8 = 0x80;

    /// The signs of a token: one for each class, of which the first counts.
    pub fn of(token: &Token) -> impl Iterator<Item = Self> + '_ {
        token.classes().enumerate().map(|(at, class)| {
            let weak = if token.role == Role::Name && at == 0 { 0 } else { Self::WEAK };
            Self { letter: token.first_letter() | weak, class: class.short() }
        })
    }

    /// The first letter; 0 for scripts without one.
    pub fn first_letter(self) -> u8 {
        self.letter & !Self::WEAK
    }

    /// It identifies.
    pub fn identifies(self) -> bool {
        self.letter & Self::WEAK == 0
    }
}

/// The value of a name's posting, read in place: a search looks at thousands.
#[derive(Debug, Clone, Copy)]
pub struct NameView<'a> {
    head: &'a [u8; 10],
    tokens: &'a [u8],
}

impl<'a> NameView<'a> {
    /// `None` for bytes that are no signature.
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        let (head, tokens) = bytes.split_first_chunk::<10>()?;
        (tokens.len() % 3 == 0).then_some(Self { head, tokens })
    }

    /// b'M', b'F', or 0 for unknown or several.
    pub fn gender(&self) -> u8 {
        self.head[4]
    }

    /// The only date of birth, where it decides; unknown when the person has none.
    pub fn date(&self) -> Option<Date> {
        (self.head[5] & 1 == 1).then(|| Date::from_bytes([self.head[6], self.head[7], self.head[8], self.head[9]]))
    }

    /// The tokens are those of one name.
    pub fn is_one_name(&self) -> bool {
        self.head[5] & 2 == 2
    }

    /// The tokens; none when there were too many to keep.
    pub fn tokens(&self) -> impl Iterator<Item = TokenSign> + Clone + use<'a> {
        self.tokens
            .chunks_exact(3)
            .map(|token| TokenSign { letter: token[0], class: u16::from_be_bytes([token[1], token[2]]) })
    }
}

/// The label of a posting's value, of numbers and names alike: visibility is decided before anything else is looked at.
pub fn label(bytes: &[u8]) -> Option<LabelId> {
    bytes.first_chunk::<4>().map(|label| u32::from_be_bytes(*label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_come_back_from_their_bytes() {
        let number = NumberSignature { label: 70_000, kind: Some(NumberKind::Vin), country: Country(*b"GB\0") };
        assert_eq!(number.encode(), [0, 1, 17, 112, 4, b'G', b'B', 0]);
        assert_eq!(NumberSignature::decode(&number.encode()), Some(number));
        let name = NameSignature {
            label: 3,
            gender: b'F',
            date: Date { year: 1974, month: 8, day: 12 },
            date_decides: true,
            one_name: true,
            tokens: vec![TokenSign { letter: b'A', class: 5 }, TokenSign { letter: b'E', class: 600 }],
        };
        let bytes = name.encode();
        let view = NameView::new(&bytes).unwrap();
        assert_eq!((view.gender(), view.date(), view.is_one_name()), (b'F', Some(name.date), true));
        assert_eq!(view.tokens().collect::<Vec<_>>(), name.tokens);
        assert_eq!(label(&bytes), Some(3));
        assert!(NameView::new(&bytes[..11]).is_none());
        assert_eq!(NumberSignature::decode(&[0; 7]), None);
    }
}

//! The values of index entries: what can be decided about a posting without reading its record.

use std::collections::BTreeSet;

use crate::{
    alert::LabelId,
    search::normalise::{
        country::Country,
        date::{BirthDate, Date},
        name::{Role, Token},
        number::NumberKind,
        sketch::Sketch,
    },
};

/// Most name tokens in one signature.
pub const TOKENS_MAX: usize = 24;
/// Most dates of birth in one signature; eight could not be told from none.
pub const DATES_MAX: usize = 7;

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
    /// The word itself; no word where the class alone decides.
    pub word: Sketch,
}

/// The value of a name's posting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameSignature {
    /// Decides visibility.
    pub label: LabelId,
    /// b'M', b'F', or 0 for unknown or several.
    pub gender: u8,
    /// The only nationality; unknown when there is none or more than one.
    pub nationality: Country,
    /// Every date of birth that goes with the name, sorted.
    pub dates: Vec<BirthDate>,
    /// False when `dates` does not say all, or a date says nothing about the name: dates then kill nothing.
    pub date_decides: bool,
    /// False when several names share the key: `tokens` holds the tokens of all.
    pub one_name: bool,
    /// All tokens, sorted; empty when there are too many to keep, and then kills nothing.
    pub tokens: Vec<TokenSign>,
}

impl NameSignature {
    /// Label, gender, flags and number of dates, nationality; dates of four bytes, tokens of seven bytes each.
    pub fn encode(&self) -> Vec<u8> {
        let dates = if self.date_decides { self.dates.as_slice() } else { &[] };
        let mut bytes = Vec::with_capacity(HEAD_BYTES + 4 * dates.len() + TOKEN_BYTES * self.tokens.len());
        bytes.extend_from_slice(&self.label.to_be_bytes());
        bytes.push(self.gender);
        bytes.push(u8::from(self.date_decides) | u8::from(self.one_name) << 1 | (dates.len() as u8) << 2);
        bytes.extend_from_slice(&self.nationality.0);
        for date in dates {
            bytes.extend_from_slice(&date_to_bytes(*date));
        }
        for token in &self.tokens {
            bytes.push(token.letter);
            bytes.extend_from_slice(&token.class.to_be_bytes());
            bytes.extend_from_slice(&token.word.to_bytes());
        }
        bytes
    }

    /// One posting for two names of the same alert under the same key: it kills only what both would kill.
    pub fn merge(&mut self, other: Self) {
        let unknown = self.tokens.is_empty() || other.tokens.is_empty();
        if sounds(&self.tokens) == sounds(&other.tokens) {
            // One name in two spellings: the second is there to be near to, and counts as no name of its own.
            for theirs in other.tokens {
                let like = TokenSign { word: theirs.word.as_like(), letter: theirs.letter | TokenSign::WEAK, ..theirs };
                let sounds_so =
                    |mine: &TokenSign| mine.class == theirs.class && mine.first_letter() == theirs.first_letter();
                let is_known = |mine: &TokenSign| sounds_so(mine) && mine.word.as_like() == like.word;
                if !self.tokens.iter().any(is_known) {
                    let others = self.tokens.iter_mut().filter(|mine| sounds_so(mine));
                    others.for_each(|mine| mine.word = mine.word.as_like());
                    self.tokens.push(like);
                }
            }
        } else {
            self.one_name = false;
            self.tokens.extend(other.tokens);
        }
        self.tokens.sort_unstable();
        self.tokens.dedup();
        if unknown || self.tokens.len() > TOKENS_MAX {
            self.tokens.clear();
        }
        self.one_name &= other.one_name;
        if self.gender != other.gender {
            self.gender = 0;
        }
        if self.nationality != other.nationality {
            self.nationality = Country::UNKNOWN;
        }
        // No date at all agrees with every query a little: that cannot be said beside dates.
        self.date_decides &= other.date_decides && self.dates.is_empty() == other.dates.is_empty();
        self.dates.extend(other.dates);
        self.dates.sort_unstable();
        self.dates.dedup();
        self.date_decides &= self.dates.len() <= DATES_MAX;
    }
}

/// How a name sounds: letter and class of each token, whatever its spellings, and how many names they are.
fn sounds(tokens: &[TokenSign]) -> (BTreeSet<(u8, u16)>, usize) {
    let each = tokens.iter().map(|token| (token.first_letter(), token.class)).collect();
    (each, tokens.iter().filter(|token| token.identifies()).count())
}

/// Label, gender, flags, nationality.
const HEAD_BYTES: usize = 9;
/// First letter, class, word.
const TOKEN_BYTES: usize = 7;

/// Marks a span of years where a month would stand; its length in years follows.
const SPAN: u8 = 0xff;

fn date_to_bytes(birth: BirthDate) -> [u8; 4] {
    let mut bytes = birth.date.to_bytes();
    if birth.is_span() {
        bytes[2] = SPAN;
        bytes[3] = (birth.year_to - birth.date.year).min(u16::from(u8::MAX)) as u8;
    }
    bytes
}

fn date_from_bytes(bytes: [u8; 4]) -> BirthDate {
    let date = Date::from_bytes(bytes);
    match date.month {
        SPAN => {
            let first = Date { month: 0, day: 0, ..date };
            BirthDate { date: first, year_to: first.year + u16::from(date.day) }
        }
        _ => BirthDate { date, year_to: date.year },
    }
}

impl TokenSign {
    /// Fills arrays.
    pub const NONE: Self = Self { letter: 0, class: 0, word: Sketch::NONE };
    /// Marks what does not count as a name: a particle, an initial, a second reading.
    const WEAK: u8 = 0x80;

    /// The signs of a token: one for each class, of which the first counts.
    pub fn of(token: &Token) -> impl Iterator<Item = Self> + '_ {
        let word = word(token);
        token.classes().enumerate().map(move |(at, class)| {
            let weak = if token.role == Role::Name && at == 0 { 0 } else { Self::WEAK };
            Self { letter: token.first_letter() | weak, class: class.short(), word }
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

/// The word of a token, as signatures have it: scripts that leave vowels out do not tell a word from its like.
pub fn word(token: &Token) -> Sketch {
    let letters = token.letters();
    if letters == token.base { Sketch::of(letters) } else { Sketch::of_like(letters) }
}

/// The value of a name's posting, read in place: a search looks at thousands.
#[derive(Debug, Clone, Copy)]
pub struct NameView<'a> {
    head: &'a [u8; HEAD_BYTES],
    dates: &'a [u8],
    tokens: &'a [u8],
}

impl<'a> NameView<'a> {
    /// `None` for bytes that are no signature.
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
        let (dates, tokens) = rest.split_at_checked(4 * usize::from(head[5] >> 2))?;
        (tokens.len() % TOKEN_BYTES == 0).then_some(Self { head, dates, tokens })
    }

    /// b'M', b'F', or 0 for unknown or several.
    pub fn gender(&self) -> u8 {
        self.head[4]
    }

    /// The only nationality; unknown for none or several.
    pub fn nationality(&self) -> Country {
        Country([self.head[6], self.head[7], self.head[8]])
    }

    /// Every date of birth, where they decide; none when the person has none.
    pub fn dates(&self) -> Option<impl Iterator<Item = BirthDate> + use<'a>> {
        let dates = self.dates.as_chunks::<4>().0;
        (self.head[5] & 1 == 1).then(|| dates.iter().map(|date| date_from_bytes(*date)))
    }

    /// The tokens are those of one name.
    pub fn is_one_name(&self) -> bool {
        self.head[5] & 2 == 2
    }

    /// The tokens; none when there were too many to keep.
    pub fn tokens(&self) -> impl Iterator<Item = TokenSign> + Clone + use<'a> {
        self.tokens.as_chunks::<TOKEN_BYTES>().0.iter().map(|[letter, a, b, word @ ..]| TokenSign {
            letter: *letter,
            class: u16::from_be_bytes([*a, *b]),
            word: Sketch::from_bytes(*word),
        })
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
        let date = Date { year: 1974, month: 8, day: 12 };
        let span = BirthDate { date: Date { year: 1970, month: 0, day: 0 }, year_to: 1975 };
        let name = NameSignature {
            label: 3,
            gender: b'F',
            nationality: Country(*b"GB\0"),
            dates: vec![span, BirthDate { date, year_to: 1974 }],
            date_decides: true,
            one_name: true,
            tokens: vec![
                TokenSign { letter: b'A', class: 5, word: Sketch::of("ANNA") },
                TokenSign { letter: b'E', class: 600, word: Sketch::NONE },
            ],
        };
        let bytes = name.encode();
        assert_eq!(bytes[..17], [0, 0, 0, 3, b'F', 0b1011, b'G', b'B', 0, 7, 178, 255, 5, 7, 182, 8, 12]);
        let view = NameView::new(&bytes).unwrap();
        assert_eq!((view.gender(), view.nationality(), view.is_one_name()), (b'F', name.nationality, true));
        assert_eq!(view.dates().unwrap().collect::<Vec<_>>(), name.dates);
        assert_eq!(view.tokens().collect::<Vec<_>>(), name.tokens);
        assert_eq!(label(&bytes), Some(3));
        assert!(NameView::new(&bytes[..18]).is_none() && NameView::new(&bytes[..12]).is_none());
        assert_eq!(NumberSignature::decode(&[0; 7]), None);
    }

    #[test]
    fn two_names_under_one_key_kill_only_what_both_would_kill() {
        let birth = |year| BirthDate { date: Date { year, month: 8, day: 12 }, year_to: year };
        let name = |dates: &[BirthDate], nationality: &[u8; 3]| NameSignature {
            label: 3,
            gender: b'F',
            nationality: Country(*nationality),
            dates: dates.to_vec(),
            date_decides: true,
            one_name: true,
            tokens: vec![TokenSign { letter: b'A', class: 5, word: Sketch::of("ANNA") }],
        };
        let merged = |mut first: NameSignature, second| {
            first.merge(second);
            first
        };
        let two = merged(name(&[birth(1980)], b"GB\0"), name(&[birth(1970)], b"FR\0"));
        assert_eq!((two.dates.as_slice(), two.date_decides), ([birth(1970), birth(1980)].as_slice(), true));
        assert!(!two.nationality.is_known() && two.one_name);
        assert!(!merged(name(&[birth(1980)], b"GB\0"), name(&[], b"GB\0")).date_decides, "no date agrees with any");
        let many: Vec<BirthDate> = (1960..1967).map(birth).collect();
        assert!(!merged(name(&many, b"GB\0"), name(&[birth(1970)], b"GB\0")).date_decides, "too many to keep");

        let spelt = |word: &str| {
            let token = TokenSign { letter: b'M', class: 5, word: Sketch::of(word) };
            NameSignature { tokens: vec![token], ..name(&[birth(1980)], b"GB\0") }
        };
        let spellings = merged(merged(merged(spelt("MOHAMED"), spelt("MUHAMMAD")), spelt("MOHAMED")), spelt("MEHMED"));
        assert!(spellings.one_name, "one name however it is spelt");
        assert_eq!(spellings.tokens.iter().filter(|token| token.identifies()).count(), 1);
        for near in ["MOHAMEB", "NUHAMMAD", "MEHMET"] {
            let near = Sketch::of(near);
            assert!(spellings.tokens.iter().any(|token| near.is_near(token.word) && !token.word.is_word()));
        }
        let twice =
            NameSignature { tokens: [spelt("MOHAMED").tokens, spelt("MOHAMED").tokens].concat(), ..spelt("MOHAMED") };
        assert!(!merged(twice, spelt("MUHAMMAD")).one_name, "MOHAMED MOHAMED is not MUHAMMAD");
    }
}

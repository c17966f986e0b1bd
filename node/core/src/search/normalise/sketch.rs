//! A word in four bytes: enough to say of most words that they are not one typing error away, and whether two are one.

use super::name::Class;

/// Letters are of so many kinds; rare ones share theirs with a common one.
const KINDS: u32 = 21;
/// Set for each kind of which the word has an odd number.
const ODD: u32 = (1 << KINDS) - 1;
/// Its length, from this bit on: the last two bits.
const LENGTH: u32 = KINDS;
/// The word is told by its letters.
const IS_WORD: u32 = 1 << 23;
/// Eight bits of its hash, from this bit on: ROMAN and RAMON have the same letters.
const HASH: u32 = 24;

/// What is kept of a word's letters: which of them it has an odd number of, its length by four, and some bits of its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sketch(u32);

impl Sketch {
    /// No letter.
    pub const NONE: Self = Self(0);

    /// Of a word.
    pub fn of(letters: &str) -> Self {
        let (mut odd, mut length) = (0_u32, 0);
        for letter in letters.chars() {
            odd ^= 1 << (u32::from(letter).wrapping_sub(u32::from('A')) % KINDS);
            length += 1;
        }
        let [hash, ..] = Class::of_word(letters).0;
        Self(odd | (length & 3) << LENGTH | IS_WORD | u32::from(hash) << HASH)
    }

    /// Of letters that other words have too: scripts that leave vowels out.
    pub fn of_like(letters: &str) -> Self {
        Self(Self::of(letters).0 & !IS_WORD)
    }

    /// It stands for one word; `false` where whatever sounds the same is the same.
    pub fn is_word(self) -> bool {
        self.0 & IS_WORD != 0
    }

    /// As one of several words that sound the same.
    pub fn as_like(self) -> Self {
        Self(self.0 & !IS_WORD)
    }

    /// At most one typing error may lie between the words; `false` is certain.
    pub fn is_near(self, other: Self) -> bool {
        let differing = ((self.0 ^ other.0) & ODD).count_ones();
        let longer = ((self.0 >> LENGTH) & 3).wrapping_sub((other.0 >> LENGTH) & 3) & 3;
        matches!((differing, longer), (0 | 2, 0) | (1, 1 | 3))
    }

    /// As it lies in signatures.
    pub fn to_bytes(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }

    /// From a signature.
    pub fn from_bytes(bytes: [u8; 4]) -> Self {
        Self(u32::from_be_bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_one_typing_error_away_is_near_and_little_else() {
        let near = |a: &str, b: &str| Sketch::of(a).is_near(Sketch::of(b));
        let word = "ALEXANDRA";
        for at in 0..word.len() {
            assert!(near(word, &format!("{}{}", &word[..at], &word[at + 1..])), "left out at {at}");
            for letter in 'A'..='Z' {
                assert!(near(word, &format!("{}{letter}{}", &word[..at], &word[at..])), "{letter} put in at {at}");
                assert!(near(word, &format!("{}{letter}{}", &word[..at], &word[at + 1..])), "{letter} at {at}");
            }
        }
        assert!(near("MARTIN", "MATRIN") && near("محمد", "محمود") && near("", ""));
        for (a, b) in [("MARTIN", "MARTA"), ("SMITH", "JONES"), ("LEE", "KIM"), ("ANNA", "HANNAH"), ("MARTIN", "MARIN")]
        {
            assert_eq!(near(a, b), (a, b) == ("MARTIN", "MARIN"), "{a} {b}");
        }
    }

    #[test]
    fn bytes_come_back_and_a_likeness_is_no_word() {
        for sketch in [Sketch::of("MARTIN"), Sketch::of("ANNA"), Sketch::of_like("MHMD"), Sketch::NONE] {
            assert_eq!(Sketch::from_bytes(sketch.to_bytes()), sketch);
        }
        assert!(Sketch::of("ANNA").is_word() && !Sketch::of("ANNA").as_like().is_word());
        assert_eq!(Sketch::of("MHMD").as_like(), Sketch::of_like("MHMD"));
        for (a, b) in [("ROMAN", "RAMON"), ("SANDRO", "SONDRA"), ("JEAN", "JANE"), ("KARAM", "KEREM")] {
            assert_ne!(Sketch::of(a), Sketch::of(b), "the same letters");
        }
    }
}

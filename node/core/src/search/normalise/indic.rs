//! The scripts of India: Devanagari, Bengali, Gurmukhi, Gujarati, Oriya, Tamil, Telugu, Kannada, Malayalam.
//!
//! Their blocks in Unicode have one order, 128 places each, so one table reads them all. A consonant has a vowel A of its
//! own unless a sign takes it away, another vowel takes its place, or the word ends: महेश is MAHESH. Letters are spelt as
//! passports of India spell them, without marks.

/// The nine blocks.
const BLOCKS: std::ops::RangeInclusive<u32> = 0x0900..=0x0d7f;

/// Takes the vowel of a consonant away.
const VIRAMA: u32 = 0x4d;
/// Makes another letter of a consonant: ज़ is Z.
const NUKTA: u32 = 0x3c;

enum Letter {
    Consonant(&'static str),
    Vowel(&'static str),
    /// A vowel that takes the place of a consonant's own.
    Sign(&'static str),
    /// The nose: M before lips, N elsewhere.
    Nasal,
    Virama,
    Nukta,
}

/// The word in Latin capitals; `None` when a letter is of no such script.
pub(super) fn romanise(word: &str) -> Option<String> {
    let letters: Vec<Letter> = word
        .chars()
        .filter(|letter| !matches!(letter, '\u{200c}' | '\u{200d}'))
        .map(|letter| BLOCKS.contains(&u32::from(letter)).then(|| read(u32::from(letter) & 0x7f)).flatten())
        .collect::<Option<_>>()?;
    let mut latin = String::with_capacity(letters.len() * 2);
    for (at, letter) in letters.iter().enumerate() {
        let next = letters.get(at + 1);
        match letter {
            Letter::Consonant(text) => {
                latin.push_str(text);
                if matches!(next, Some(Letter::Consonant(_) | Letter::Vowel(_) | Letter::Nasal)) {
                    latin.push('A');
                }
            }
            Letter::Vowel(text) | Letter::Sign(text) => latin.push_str(text),
            Letter::Nasal => {
                let before_lips = matches!(next, Some(Letter::Consonant("P" | "PH" | "B" | "BH" | "M")));
                latin.push(if before_lips { 'M' } else { 'N' });
            }
            Letter::Nukta => {
                // The letters that Persian and Arabic names need.
                for (plain, dotted) in [("PH", "F"), ("J", "Z")] {
                    if let Some(stem) = latin.strip_suffix(plain) {
                        latin = format!("{stem}{dotted}");
                        break;
                    }
                }
                if matches!(next, Some(Letter::Consonant(_) | Letter::Vowel(_) | Letter::Nasal)) {
                    latin.push('A');
                }
            }
            Letter::Virama => {}
        }
    }
    Some(latin)
}

/// The letter at one place of a block; `None` for digits and signs that names do not have.
fn read(place: u32) -> Option<Letter> {
    const CONSONANTS: [&str; 37] = [
        "K", "KH", "G", "GH", "N", "CH", "CHH", "J", "JH", "N", "T", "TH", "D", "DH", "N", "T", "TH", "D", "DH", "N",
        "N", "P", "PH", "B", "BH", "M", "Y", "R", "R", "L", "L", "L", "V", "SH", "SH", "S", "H",
    ];
    const VOWELS: [&str; 16] = ["A", "A", "I", "I", "U", "U", "RI", "L", "E", "E", "E", "AI", "O", "O", "O", "AU"];
    Some(match place {
        0x01..=0x02 => Letter::Nasal,
        0x03 => Letter::Sign("H"),
        0x05..=0x14 => Letter::Vowel(VOWELS[place as usize - 0x05]),
        0x15..=0x39 => Letter::Consonant(CONSONANTS[place as usize - 0x15]),
        NUKTA => Letter::Nukta,
        0x3e..=0x4c => Letter::Sign(VOWELS[place as usize - 0x3d]),
        VIRAMA => Letter::Virama,
        // Consonants with a dot of their own.
        0x58 => Letter::Consonant("Q"),
        0x59 => Letter::Consonant("KH"),
        0x5a => Letter::Consonant("G"),
        0x5b => Letter::Consonant("Z"),
        0x5c => Letter::Consonant("R"),
        0x5d => Letter::Consonant("RH"),
        0x5e => Letter::Consonant("F"),
        0x5f => Letter::Consonant("Y"),
        // The nose in Gurmukhi, and its doubled consonants, which one letter says as well.
        0x70 => Letter::Nasal,
        0x71 => Letter::Virama,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelt_as_passports_spell_them() {
        for (word, latin) in [
            ("महेश", "MAHESH"),
            ("संजय", "SANJAY"),
            ("वेंकटेश", "VENKATESH"),
            ("शाह", "SHAH"),
            ("चौहान", "CHAUHAN"),
            ("रामसुंदरम", "RAMASUNDARAM"),
            ("राजकृष्णन", "RAJAKRISHNAN"),
            ("विक्रम", "VIKRAM"),
            ("फ़िरोज़", "FIROZ"),
            ("মহেশ", "MAHESH"),
            ("ਸਿੰਘ", "SINGH"),
            ("રમેશ", "RAMESH"),
            ("ராஜா", "RAJA"),
        ] {
            assert_eq!(romanise(word).as_deref(), Some(latin), "{word}");
        }
        assert_eq!(romanise("MARTIN"), None);
        assert_eq!(romanise("გიორგი"), None, "another script of a land beyond");
    }
}

//! Letters of other scripts, and Latin letters with marks, as the 26 letters A to Z.
//!
//! Latin and Cyrillic follow ICAO 9303 part 3 section 6, Greek follows ISO 843 (the transcription of Greek passports),
//! Hangul the Revised Romanisation, Han the reading of Standard Chinese (pinyin). Arabic and Hebrew write consonants: their letters become the consonants that a
//! skeleton keeps, so that a name meets its Latin spellings there. What has no rule stays as it is.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::{east, indic};

/// The script a word is written in, as far as rules differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Script {
    Latin,
    Cyrillic,
    Greek,
    Arabic,
    Hebrew,
    Hangul,
    Han,
    Other,
}

/// A word in Latin capitals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Romanised {
    /// Marks dropped: MÜLLER is MULLER.
    pub base: String,
    /// Marks spelt out as ICAO 9303 does: MÜLLER is MUELLER. Of scripts without marks: the other reading of letters
    /// that have two. Equal to `base` for most words.
    pub expanded: String,
    /// The letters that somebody types: `base`, without vowels that the script leaves out.
    pub letters: String,
    /// Where it came from.
    pub script: Script,
}

impl Script {
    /// A letter is a syllable or a word.
    pub fn is_syllabic(self) -> bool {
        matches!(self, Self::Han | Self::Hangul)
    }

    /// By the first letter.
    pub fn of(word: &str) -> Self {
        match word.chars().find(|character| character.is_alphabetic()) {
            Some(character) => match u32::from(character) {
                0x0000..=0x02af | 0x1e00..=0x1eff => Self::Latin,
                0x0370..=0x03ff | 0x1f00..=0x1fff => Self::Greek,
                0x0400..=0x052f => Self::Cyrillic,
                0x0590..=0x05ff => Self::Hebrew,
                0x0600..=0x06ff | 0x0750..=0x077f => Self::Arabic,
                0xac00..=0xd7a3 => Self::Hangul,
                0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x20000..=0x323af => Self::Han,
                _ => Self::Other,
            },
            None => Self::Latin,
        }
    }
}

/// The ASCII form of a decimal digit of any common script; `None` for what is no digit.
pub fn ascii_digit(character: char) -> Option<char> {
    const ZEROS: [u32; 20] = [
        0x0030, 0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0e50,
        0x0ed0, 0x0f20, 0x1040, 0x17e0, 0x1810, 0xff10,
    ];
    let code = u32::from(character);
    ZEROS
        .into_iter()
        .find(|zero| (*zero..*zero + 10).contains(&code))
        .and_then(|zero| char::from_digit(code - zero, 10))
}

/// Romanises one word: upper case, composed (NFKC), without separators.
pub fn romanise(word: &str) -> Romanised {
    let script = Script::of(word);
    let (base, expanded) = match script {
        Script::Latin => spell(&letters_for_digits(word), latin),
        Script::Cyrillic => spell(word, |character| cyrillic(character).map(|text| (text, text))),
        Script::Greek => greek(word),
        Script::Arabic if is_persian(word) => (first_reading(word, persian), other_reading(word, persian)),
        Script::Arabic => (first_reading(word, arabic), other_reading(word, arabic)),
        Script::Hebrew => (first_reading(word, hebrew), other_reading(word, hebrew)),
        Script::Hangul => east::hangul(word),
        Script::Han => east::han(word),
        Script::Other => indic::romanise(word).map_or_else(|| others(word), |latin| (latin.clone(), latin)),
    };
    let letters = match script {
        Script::Arabic if is_persian(word) => consonants(word, persian),
        Script::Arabic => consonants(word, arabic),
        Script::Hebrew => consonants(word, hebrew),
        _ => base.clone(),
    };
    Romanised { base, expanded, letters, script }
}

/// A machine that reads print takes O for 0, I for 1, S for 5, B for 8: in a word with letters, such digits are letters.
fn letters_for_digits(word: &str) -> String {
    if !word.chars().any(char::is_alphabetic) {
        return word.to_owned();
    }
    let letter = |digit: char| match digit {
        '0' => 'O',
        '1' => 'I',
        '5' => 'S',
        '8' => 'B',
        other => other,
    };
    word.chars().map(letter).collect()
}

/// Any other script (Devanagari, Georgian, Thai and so on), letter by letter as the crate's tables have it. What has no
/// reading stays.
fn others(word: &str) -> (String, String) {
    let mut latin = String::with_capacity(word.len());
    for character in word.chars() {
        match any_ascii::any_ascii_char(character) {
            "" if is_combining_mark(character) => {}
            "" => latin.push(character),
            reading => {
                latin.extend(reading.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()))
            }
        }
    }
    if latin.is_empty() {
        latin.push_str(word);
    }
    (latin.clone(), latin)
}

/// Letter by letter; a letter without a rule loses its marks.
fn spell(word: &str, rule: impl Fn(char) -> Option<(&'static str, &'static str)>) -> (String, String) {
    let (mut base, mut expanded) = (String::with_capacity(word.len()), String::with_capacity(word.len()));
    for character in word.chars() {
        if character.is_ascii() {
            base.push(character);
            expanded.push(character);
        } else if let Some((short, long)) = rule(character) {
            base.push_str(short);
            expanded.push_str(long);
        } else {
            for part in character.nfd().filter(|part| !is_combining_mark(*part)) {
                match rule(part) {
                    Some((short, long)) => {
                        base.push_str(short);
                        expanded.push_str(long);
                    }
                    None => {
                        base.push(part);
                        expanded.push(part);
                    }
                }
            }
        }
    }
    (base, expanded)
}

/// Latin letters that are more than a letter and a mark, or that ICAO 9303 spells with two letters.
fn latin(character: char) -> Option<(&'static str, &'static str)> {
    Some(match character {
        'Ä' => ("A", "AE"),
        'Å' => ("A", "AA"),
        'Æ' => ("AE", "AE"),
        'Ö' => ("O", "OE"),
        'Ø' => ("O", "OE"),
        'Œ' => ("OE", "OE"),
        'Ü' => ("U", "UE"),
        'ß' | 'ẞ' => ("SS", "SS"),
        'Þ' => ("TH", "TH"),
        'Ð' | 'Đ' | 'Ɖ' => ("D", "D"),
        'Ł' => ("L", "L"),
        'Ħ' => ("H", "H"),
        'ı' => ("I", "I"),
        'Ĳ' => ("IJ", "IJ"),
        'Ŋ' => ("N", "N"),
        'Ŧ' => ("T", "TH"),
        'ĸ' => ("K", "Q"),
        'Ə' => ("A", "E"),
        'Ɛ' => ("E", "E"),
        'Ɔ' => ("O", "O"),
        'Ƒ' => ("F", "F"),
        'Ɓ' => ("B", "B"),
        'Ɗ' => ("D", "D"),
        'Ƙ' => ("K", "K"),
        'Ƴ' => ("Y", "Y"),
        _ => return None,
    })
}

/// ICAO 9303 part 3 section 6, Cyrillic.
fn cyrillic(character: char) -> Option<&'static str> {
    Some(match character {
        'А' => "A",
        'Б' => "B",
        'В' => "V",
        'Г' | 'Ґ' | 'Ѓ' => "G",
        'Д' => "D",
        'Е' | 'Ё' | 'Э' => "E",
        'Є' => "IE",
        'Ж' => "ZH",
        'З' => "Z",
        'И' | 'І' | 'Ї' | 'Й' => "I",
        'Ј' => "J",
        'К' | 'Ќ' | 'Қ' => "K",
        'Л' => "L",
        'М' => "M",
        'Н' | 'Ң' => "N",
        'О' | 'Ө' => "O",
        'П' => "P",
        'Р' => "R",
        'С' => "S",
        'Т' => "T",
        'У' | 'Ў' | 'Ү' | 'Ұ' => "U",
        'Ф' => "F",
        'Х' => "KH",
        'Һ' => "H",
        'Ц' => "TS",
        'Ч' | 'Ћ' => "CH",
        'Ш' => "SH",
        'Щ' => "SHCH",
        'Ъ' => "IE",
        'Ы' => "Y",
        'Ь' => "",
        'Ю' => "IU",
        'Я' => "IA",
        'Ђ' => "DJ",
        'Љ' => "LJ",
        'Њ' => "NJ",
        'Џ' => "DZH",
        'Ѕ' => "DZ",
        'Ә' => "A",
        'Ғ' => "G",
        _ => return None,
    })
}

/// ISO 843 transcription (ELOT 743), as on Greek passports.
fn greek(word: &str) -> (String, String) {
    // A dialytika says that two vowels are not a digraph: kept until the digraphs are read.
    let letters: Vec<(char, bool)> = word
        .chars()
        .map(|character| {
            let parts: Vec<char> = character.nfd().collect();
            (parts.first().copied().unwrap_or(character), parts.contains(&'\u{308}'))
        })
        .filter(|(character, _)| !is_combining_mark(*character))
        .collect();
    let mut latin = String::with_capacity(word.len());
    let mut at = 0;
    while at < letters.len() {
        let letter = letters[at].0;
        let next = letters.get(at + 1).filter(|(_, dialytika)| !dialytika).map(|(next, _)| *next);
        let after = letters.get(at + 2).map(|(after, _)| *after);
        let (text, used) = match (letter, next) {
            ('Ο', Some('Υ')) => ("OU", 2),
            ('Α' | 'Ε' | 'Η', Some('Υ')) => {
                let voiceless = after.is_none_or(|after| "ΘΚΞΠΣΤΦΧΨ".contains(after));
                let text = match (letter, voiceless) {
                    ('Α', true) => "AF",
                    ('Α', false) => "AV",
                    ('Ε', true) => "EF",
                    ('Ε', false) => "EV",
                    (_, true) => "IF",
                    (_, false) => "IV",
                };
                (text, 2)
            }
            ('Μ', Some('Π')) if at == 0 || at + 2 == letters.len() => ("B", 2),
            ('Γ', Some('Γ')) => ("NG", 2),
            ('Γ', Some('Ξ')) => ("NX", 2),
            ('Γ', Some('Χ')) => ("NCH", 2),
            _ => (greek_letter(letter), 1),
        };
        // A letter of another script among Greek ones, as look-alikes are: it stays as it is.
        if text.is_empty() {
            latin.push(letter);
        }
        latin.push_str(text);
        at += used;
    }
    (latin.clone(), latin)
}

fn greek_letter(letter: char) -> &'static str {
    match letter {
        'Α' => "A",
        'Β' => "V",
        'Γ' => "G",
        'Δ' => "D",
        'Ε' => "E",
        'Ζ' => "Z",
        'Η' | 'Ι' => "I",
        'Θ' => "TH",
        'Κ' => "K",
        'Λ' => "L",
        'Μ' => "M",
        'Ν' => "N",
        'Ξ' => "X",
        'Ο' | 'Ω' => "O",
        'Π' => "P",
        'Ρ' => "R",
        'Σ' => "S",
        'Τ' => "T",
        'Υ' => "Y",
        'Φ' => "F",
        'Χ' => "CH",
        'Ψ' => "PS",
        _ => "",
    }
}

/// What a letter of a script of consonants reads as: (first reading, other reading), told by whether it begins the word.
type Reading = fn(char, bool) -> Option<(&'static str, &'static str)>;

/// A word of a script of consonants. Between two of them stands a vowel that nobody wrote: an E here, which skeletons drop.
fn first_reading(word: &str, rule: Reading) -> String {
    read(unmarked(word), |letter, begins| rule(letter, begins).map(|(first, _)| first))
}

/// The same in its other reading. A word with letters that Persian and Urdu sound otherwise than Arabic is read as theirs:
/// ثاقب is SAQIB, not SAGIB. An article inside a word takes the sound of the letter that follows: فضل‌الدین is FAZLUDDIN.
fn other_reading(word: &str, rule: Reading) -> String {
    let letters: Vec<char> = unmarked(word).collect();
    let is_theirs = letters.iter().any(|letter| "ثذض".contains(*letter));
    let is_article = |at: usize| {
        let (before, after) = (at.checked_sub(1).map(|before| letters[before]), letters.get(at + 1));
        at > 2
            && letters[at] == 'ل'
            && before == Some('ا')
            && after.is_some_and(|after| "تثدذرزسشصضطظن".contains(*after))
    };
    let heard = letters.iter().enumerate().filter(|(at, _)| !is_article(*at)).map(|(_, letter)| *letter);
    read(heard, |letter, begins| {
        let (first, other) = rule(letter, begins)?;
        Some(if is_theirs && matches!(letter, 'ق' | 'ج') { first } else { other })
    })
}

fn unmarked(word: &str) -> impl Iterator<Item = char> {
    word.nfd().filter(|character| !is_combining_mark(*character) && *character != 'ـ')
}

fn read(letters: impl Iterator<Item = char>, rule: impl Fn(char, bool) -> Option<&'static str>) -> String {
    let mut latin = String::new();
    for letter in letters {
        match rule(letter, latin.is_empty()) {
            Some(text) => voice(&mut latin, text),
            None => latin.push(letter),
        }
    }
    latin
}

/// What is written, nothing put between.
fn consonants(word: &str, rule: Reading) -> String {
    let mut letters = String::new();
    for character in unmarked(word) {
        match rule(character, letters.is_empty()) {
            Some((first, _)) => letters.push_str(first),
            None => letters.push(character),
        }
    }
    letters
}

fn voice(word: &mut String, letters: &str) {
    let is_consonant = |letter: char| letter.is_ascii_uppercase() && !"AEIOUY".contains(letter);
    let (last, next) = (word.chars().next_back(), letters.chars().next());
    // A doubled letter is one sound: ALLAH, not ALELAH.
    if last != next && last.is_some_and(is_consonant) && next.is_some_and(is_consonant) {
        word.push('E');
    }
    word.push_str(letters);
}

/// Letters that Persian and Urdu have and Arabic has not.
fn is_persian(word: &str) -> bool {
    word.chars().any(|letter| "پچژگکیےٹڈڑںہھ".contains(letter))
}

/// As [`arabic`], with the sounds that its letters have in Persian and Urdu.
fn persian(letter: char, begins: bool) -> Option<(&'static str, &'static str)> {
    match letter {
        'ث' => Some(("S", "S")),
        'ذ' | 'ض' => Some(("Z", "Z")),
        _ => arabic(letter, begins),
    }
}

/// Arabic, with the letters of Persian and Urdu.
fn arabic(letter: char, begins: bool) -> Option<(&'static str, &'static str)> {
    Some(match letter {
        'ا' | 'أ' | 'إ' | 'آ' | 'ٱ' | 'ى' | 'ة' => ("A", "A"),
        'ع' if begins => ("A", "A"),
        'ع' | 'ء' => ("", ""),
        'ؤ' => ("U", "U"),
        'ئ' => ("I", "I"),
        'ب' => ("B", "B"),
        'پ' => ("P", "P"),
        'ت' | 'ط' | 'ٹ' => ("T", "T"),
        'ث' => ("TH", "S"),
        'ج' => ("J", "G"),
        'چ' => ("CH", "CH"),
        'ح' | 'ه' | 'ھ' | 'ہ' => ("H", "H"),
        'خ' => ("KH", "KH"),
        'د' | 'ڈ' => ("D", "D"),
        'ذ' | 'ض' => ("D", "Z"),
        'ر' | 'ڑ' => ("R", "R"),
        'ز' | 'ظ' => ("Z", "Z"),
        'ژ' => ("ZH", "ZH"),
        'س' | 'ص' => ("S", "S"),
        'ش' => ("SH", "SH"),
        'غ' => ("GH", "GH"),
        'ف' => ("F", "F"),
        'ق' => ("Q", "G"),
        'ك' | 'ک' => ("K", "K"),
        'گ' => ("G", "G"),
        'ل' => ("L", "L"),
        'م' => ("M", "M"),
        'ن' | 'ں' => ("N", "N"),
        'و' if begins => ("W", "W"),
        'و' => ("U", "W"),
        'ي' | 'ی' | 'ے' if begins => ("Y", "Y"),
        'ي' | 'ی' | 'ے' => ("I", "I"),
        _ => return None,
    })
}

fn hebrew(letter: char, begins: bool) -> Option<(&'static str, &'static str)> {
    Some(match letter {
        'א' | 'ע' if begins => ("A", "A"),
        'א' | 'ע' => ("", ""),
        'ב' if begins => ("B", "B"),
        'ב' => ("B", "V"),
        'ג' => ("G", "G"),
        'ד' => ("D", "D"),
        'ה' => ("H", "H"),
        'ו' if begins => ("V", "V"),
        'ו' => ("O", "V"),
        'ז' => ("Z", "Z"),
        'ח' => ("H", "CH"),
        'ט' | 'ת' => ("T", "T"),
        'י' if begins => ("Y", "Y"),
        'י' => ("I", "I"),
        'כ' | 'ך' => ("K", "CH"),
        'ל' => ("L", "L"),
        'מ' | 'ם' => ("M", "M"),
        'נ' | 'ן' => ("N", "N"),
        'ס' => ("S", "S"),
        'פ' if begins => ("P", "F"),
        'פ' | 'ף' => ("F", "P"),
        'צ' | 'ץ' => ("TS", "TS"),
        'ק' => ("K", "K"),
        'ר' => ("R", "R"),
        'ש' => ("SH", "S"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(word: &str) -> String {
        romanise(word).base
    }

    #[test]
    fn latin_letters_lose_their_marks_or_are_spelt_out() {
        let muller = romanise("MÜLLER");
        assert_eq!((muller.base.as_str(), muller.expanded.as_str()), ("MULLER", "MUELLER"));
        assert_eq!(romanise("GAARÐSØ").expanded, "GAARDSOE");
        assert_eq!(base("ŁUKASZ"), "LUKASZ");
        assert_eq!(base("NGUYỄN"), "NGUYEN");
        assert_eq!(base("ƏLİYEV"), "ALIYEV");
    }

    #[test]
    fn cyrillic_follows_icao_9303() {
        assert_eq!(base("ЩЕРБАКОВ"), "SHCHERBAKOV");
        assert_eq!(base("ЮРИЙ"), "IURII");
        assert_eq!(base("ХРУЩЁВ"), "KHRUSHCHEV");
    }

    #[test]
    fn greek_follows_iso_843_with_its_digraphs() {
        assert_eq!(base("ΠΑΠΑΔΌΠΟΥΛΟΣ"), "PAPADOPOULOS");
        assert_eq!(base("ΕΥΆΓΓΕΛΟΣ"), "EVANGELOS");
        assert_eq!(base("ΕΥΘΎΜΙΟΣ"), "EFTHYMIOS");
        assert_eq!(base("ΜΠΆΜΠΗΣ"), "BAMPIS");
        assert_eq!(base("ΧΡΉΣΤΟΣ"), "CHRISTOS");
        assert_eq!(base("ΜARIA"), "MARIA", "a Greek letter that looks like the Latin one");
    }

    #[test]
    fn consonant_scripts_give_their_consonants_and_hangul_its_syllables() {
        assert_eq!(base("محمد"), "MEHEMED");
        assert_eq!(base("يوسف"), "YUSEF");
        assert_eq!(base("כהן"), "KEHEN");
        assert_eq!(base("김민준"), "GIMMINJUN");
        assert_eq!(romanise("김").expanded, "KIM");
    }

    #[test]
    fn digits_that_a_machine_read_for_letters_are_letters() {
        assert_eq!(base("J0HN50N"), "JOHNSON");
        assert_eq!(base("8R0WN"), "BROWN");
        assert_eq!(base("M1LÀN"), "MILAN");
        assert_eq!(base("1850"), "1850", "a number is a number");
    }

    #[test]
    fn digits_of_other_scripts_are_read() {
        assert_eq!(ascii_digit('٧'), Some('7'));
        assert_eq!(ascii_digit('९'), Some('9'));
        assert_eq!(ascii_digit('7'), Some('7'));
        assert_eq!(ascii_digit('x'), None);
    }
}

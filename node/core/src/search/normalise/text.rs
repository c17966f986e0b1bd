//! Free text to words: compatibility forms, case, invisible characters, separators.

use unicode_normalization::UnicodeNormalization;

/// Invisible formatting characters (zero-width, direction marks, soft hyphen): they say nothing about a name.
fn is_invisible(character: char) -> bool {
    matches!(u32::from(character),
        0x00ad | 0x034f | 0x061c | 0x180b..=0x180e | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f
        | 0xfe00..=0xfe0f | 0xfeff | 0xe0000..=0xe0fff)
}

/// Signs inside a word that are written or left out at will: O'Brien, OBrien; and the marks of `ayn and hamza.
fn is_apostrophe(character: char) -> bool {
    matches!(character, '\'' | '`' | '´' | '\u{2b9}'..='\u{2bf}' | '\u{2018}'..='\u{201b}' | '\u{2032}' | '\u{5f3}' | '\u{5f4}' | '"')
}

/// The words of a name: upper case, composed, without apostrophes; divided at everything that is no letter, mark or
/// digit.
pub fn words(text: &str) -> Vec<String> {
    if text.is_ascii() {
        return ascii_words(text);
    }
    let mut words = Vec::new();
    let mut word = String::new();
    // Apostrophes go first: compatibility normalisation takes some of them apart into a space and a mark.
    let visible = text.chars().filter(|character| !is_invisible(*character) && !is_apostrophe(*character));
    for character in visible.nfkc().filter(|character| !is_invisible(*character)).flat_map(char::to_uppercase).nfc() {
        if character.is_alphanumeric() || unicode_normalization::char::is_combining_mark(character) {
            word.push(character);
        } else if !is_apostrophe(character) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The same where nothing has to be composed, which is most names.
fn ascii_words(text: &str) -> Vec<String> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || is_apostrophe(letter);
    text.split(|letter| !is_part(letter))
        .map(|word| word.chars().filter(|letter| !is_apostrophe(*letter)).map(|letter| letter.to_ascii_uppercase()))
        .map(String::from_iter)
        .filter(|word| !word.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_spacing_and_invisible_characters_change_nothing() {
        for text in [
            "Jean-Pierre  O'Brien",
            "JEAN PIERRE O’BRIEN",
            "jean\u{200b}-pierre\u{a0}o\u{2bc}brien",
            "jean.pierre,OBrien",
        ] {
            assert_eq!(words(text), ["JEAN", "PIERRE", "OBRIEN"], "{text}");
        }
        assert_eq!(words("Mu\u{308}ller"), words("MÜLLER"));
        assert_eq!(words("ﬁona ＬＩ"), ["FIONA", "LI"]);
        assert!(words(" - . ").is_empty());
    }
}

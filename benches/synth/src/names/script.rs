//! Transliteration into Latin letters.

/// Latin letters of a Cyrillic or Greek name as passports print them: ICAO 9303 part 3, section 6 (Cyrillic), ISO 843
/// transcription (Greek). The first letter of each word is a capital; other scripts come back unchanged.
pub fn romanise(native: &str, language: &str) -> String {
    if language == "el" { greek(native) } else { capitalised(native, |letter, _| cyrillic_icao(letter, language)) }
}

/// Spellings that people and older papers use beside the standard one.
pub fn popular_romanisations(native: &str, language: &str) -> Vec<String> {
    if language == "el" {
        let standard = greek(native);
        return vec![replace_all(&standard, &[("ch", "h"), ("Ch", "H"), ("f", "ph"), ("F", "Ph")])];
    }
    let spoken = capitalised(native, |letter, first| cyrillic_spoken(letter, first, language));
    let without_double_end = ["iy", "yy", "yi"].iter().find_map(|end| spoken.strip_suffix(end));
    let mut spellings: Vec<String> = without_double_end.map(|stem| format!("{stem}y")).into_iter().collect();
    spellings.push(replace_all(&spoken, &[("kh", "h"), ("Kh", "H"), ("ts", "c"), ("zh", "j")]));
    spellings.insert(0, spoken);
    spellings
}

/// Latin letters with diacritics as a machine-readable zone shows them (ICAO 9303 part 3, section 6.A): upper case,
/// A to Z, apostrophes left out, everything else a space.
pub fn icao_latin(text: &str) -> String {
    let mut zone = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            'A'..='Z' | '0'..='9' => zone.push(letter),
            'a'..='z' => zone.push(letter.to_ascii_uppercase()),
            '\'' | '’' => {}
            _ => zone.push_str(icao_letter(letter).unwrap_or(" ")),
        }
    }
    zone.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Diacritics dropped and nothing else, as keyboards without them make it: Müller -> Muller.
pub fn without_diacritics(text: &str) -> String {
    text.chars()
        .map(|letter| match icao_letter(letter) {
            Some(latin) => {
                // The bare letter is the first one of the pair, but for thorn and sharp s.
                let bare = match letter {
                    'ß' => "ss",
                    'Þ' | 'þ' => "TH",
                    _ => &latin[..1],
                };
                if letter.is_lowercase() { bare.to_lowercase() } else { bare.to_owned() }
            }
            None => letter.to_string(),
        })
        .collect()
}

fn icao_letter(letter: char) -> Option<&'static str> {
    Some(match letter {
        'À' | 'Á' | 'Â' | 'Ã' | 'Ā' | 'Ă' | 'Ą' | 'à' | 'á' | 'â' | 'ã' | 'ā' | 'ă' | 'ą' => "A",
        'Ä' | 'ä' | 'Æ' | 'æ' => "AE",
        'Å' | 'å' => "AA",
        'Ç' | 'Ć' | 'Č' | 'ç' | 'ć' | 'č' => "C",
        'Ð' | 'Đ' | 'Ď' | 'ð' | 'đ' | 'ď' => "D",
        'È' | 'É' | 'Ê' | 'Ë' | 'Ē' | 'Ę' | 'Ě' | 'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ę' | 'ě' => "E",
        'Ğ' | 'ğ' => "G",
        'Ì' | 'Í' | 'Î' | 'Ï' | 'İ' | 'Ĩ' | 'ì' | 'í' | 'î' | 'ï' | 'ı' | 'ĩ' => "I",
        'Ł' | 'ł' => "L",
        'Ñ' | 'Ń' | 'Ň' | 'ñ' | 'ń' | 'ň' => "N",
        'Ö' | 'ö' | 'Ø' | 'ø' | 'Œ' | 'œ' => "OE",
        'Ò' | 'Ó' | 'Ô' | 'Õ' | 'Ő' | 'Ơ' | 'ò' | 'ó' | 'ô' | 'õ' | 'ő' | 'ơ' => "O",
        'Ř' | 'ř' => "R",
        'Ś' | 'Š' | 'Ş' | 'Ș' | 'ś' | 'š' | 'ş' | 'ș' => "S",
        'ß' => "SS",
        'Ţ' | 'Ț' | 'Ť' | 'ţ' | 'ț' | 'ť' => "T",
        'Þ' | 'þ' => "TH",
        'Ü' | 'ü' => "UE",
        'Ù' | 'Ú' | 'Û' | 'Ũ' | 'Ū' | 'Ů' | 'Ư' | 'ù' | 'ú' | 'û' | 'ũ' | 'ū' | 'ů' | 'ư' => "U",
        'Ý' | 'Ÿ' | 'ý' | 'ÿ' | 'ỳ' | 'ỹ' | 'ỷ' | 'ỵ' => "Y",
        'Ź' | 'Ż' | 'Ž' | 'ź' | 'ż' | 'ž' => "Z",
        'Ạ'..='ặ' => "A",
        'Ẹ'..='ệ' => "E",
        'Ỉ'..='ị' => "I",
        'Ọ'..='ợ' => "O",
        'Ụ'..='ự' => "U",
        _ => return None,
    })
}

fn replace_all(text: &str, pairs: &[(&str, &str)]) -> String {
    pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// Letter by letter; `of` is given the lower-case letter and whether it begins a word.
fn capitalised(native: &str, of: impl Fn(char, bool) -> &'static str) -> String {
    let mut latin = String::with_capacity(native.len());
    let mut first = true;
    for letter in native.chars() {
        let lower = letter.to_lowercase().next().unwrap_or(letter);
        let text = of(lower, first);
        if text.is_empty() && !lower.is_alphabetic() {
            latin.push(letter);
            first = true;
            continue;
        }
        if first && !text.is_empty() {
            latin.push_str(&text[..1].to_uppercase());
            latin.push_str(&text[1..]);
            first = false;
        } else {
            latin.push_str(text);
        }
    }
    latin
}

fn cyrillic_icao(letter: char, language: &str) -> &'static str {
    match (letter, language) {
        ('г', "uk" | "be") => "h",
        ('и', "uk") => "y",
        ('щ', "bg") => "sht",
        ('ъ', "bg") => "a",
        _ => match letter {
            'а' => "a",
            'б' => "b",
            'в' => "v",
            'г' | 'ґ' => "g",
            'д' => "d",
            'е' | 'ё' | 'э' => "e",
            'є' => "ie",
            'ж' => "zh",
            'з' => "z",
            'и' | 'й' | 'і' | 'ї' => "i",
            'к' => "k",
            'л' => "l",
            'м' => "m",
            'н' => "n",
            'о' => "o",
            'п' => "p",
            'р' => "r",
            'с' => "s",
            'т' => "t",
            'у' => "u",
            'ф' => "f",
            'х' => "kh",
            'ц' => "ts",
            'ч' => "ch",
            'ш' => "sh",
            'щ' => "shch",
            'ъ' => "ie",
            'ы' => "y",
            'ю' => "iu",
            'я' => "ia",
            _ => "",
        },
    }
}

fn cyrillic_spoken(letter: char, first: bool, language: &str) -> &'static str {
    match (letter, language) {
        ('е', "ru") if first => "ye",
        ('ё', _) => "yo",
        ('є', _) => "ye",
        ('ї', _) => "yi",
        ('й', _) => "y",
        ('ю', _) => "yu",
        ('я', _) => "ya",
        ('ъ', "ru") => "",
        ('щ', "ru") => "sch",
        ('х', "bg") => "h",
        _ => cyrillic_icao(letter, language),
    }
}

/// ISO 843, transcription.
fn greek(native: &str) -> String {
    let letters: Vec<char> = native.chars().flat_map(char::to_lowercase).collect();
    let mut latin = String::with_capacity(native.len());
    let mut at = 0;
    while at < letters.len() {
        let next = letters.get(at + 1).copied();
        // "f" before a voiceless consonant and at the end, "v" otherwise.
        let hard = letters.get(at + 2).is_none_or(|after| "θκξπσςτφχψ".contains(*after));
        let (text, used) = match (letters[at], next) {
            ('ο', Some('υ' | 'ύ')) => ("ou", 2),
            ('α', Some('υ' | 'ύ')) => (if hard { "af" } else { "av" }, 2),
            ('ε', Some('υ' | 'ύ')) => (if hard { "ef" } else { "ev" }, 2),
            ('γ', Some('γ')) => ("ng", 2),
            ('γ', Some('ξ')) => ("nx", 2),
            ('γ', Some('χ')) => ("nch", 2),
            ('μ', Some('π')) => (if at == 0 { "b" } else { "mp" }, 2),
            (letter, _) => (greek_letter(letter), 1),
        };
        latin.push_str(text);
        at += used;
    }
    let mut words = latin.split(' ').map(|word| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    });
    let first = words.next().unwrap_or_default();
    words.fold(first, |text, word| text + " " + &word)
}

fn greek_letter(letter: char) -> &'static str {
    match letter {
        'α' | 'ά' => "a",
        'β' => "v",
        'γ' => "g",
        'δ' => "d",
        'ε' | 'έ' => "e",
        'ζ' => "z",
        'η' | 'ή' | 'ι' | 'ί' | 'ϊ' | 'ΐ' => "i",
        'θ' => "th",
        'κ' => "k",
        'λ' => "l",
        'μ' => "m",
        'ν' => "n",
        'ξ' => "x",
        'ο' | 'ό' | 'ω' | 'ώ' => "o",
        'π' => "p",
        'ρ' => "r",
        'σ' | 'ς' => "s",
        'τ' => "t",
        'υ' | 'ύ' | 'ϋ' | 'ΰ' => "y",
        'φ' => "f",
        'χ' => "ch",
        'ψ' => "ps",
        ' ' => " ",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cyrillic_reads_as_in_a_passport_and_as_people_write_it() {
        assert_eq!(romanise("Дмитрий", "ru"), "Dmitrii");
        assert_eq!(romanise("Юлия", "ru"), "Iuliia");
        assert_eq!(romanise("Щербаков", "ru"), "Shcherbakov");
        assert_eq!(romanise("Олександр", "uk"), "Oleksandr");
        assert_eq!(romanise("Григорій", "uk"), "Hryhorii");
        assert_eq!(romanise("Кръстев", "bg"), "Krastev");
        assert!(popular_romanisations("Дмитрий", "ru").contains(&"Dmitry".into()));
        assert!(popular_romanisations("Юлия", "ru").contains(&"Yuliya".into()));
        assert!(popular_romanisations("Евгений", "ru").contains(&"Yevgeny".into()));
    }

    #[test]
    fn greek_reads_as_iso_843_says() {
        assert_eq!(romanise("Γεώργιος", "el"), "Georgios");
        assert_eq!(romanise("Ευάγγελος", "el"), "Evangelos");
        assert_eq!(romanise("Παύλος", "el"), "Pavlos");
        assert_eq!(romanise("Μπακόπουλος", "el"), "Bakopoulos");
        assert_eq!(romanise("Ευσταθόπουλος", "el"), "Efstathopoulos");
        assert_eq!(romanise("Χρήστος", "el"), "Christos");
    }

    #[test]
    fn latin_diacritics_follow_icao() {
        assert_eq!(icao_latin("Müller-Østergård"), "MUELLER OESTERGAARD");
        assert_eq!(icao_latin("O'Néill"), "ONEILL");
        assert_eq!(icao_latin("Nguyễn Thị"), "NGUYEN THI");
        assert_eq!(without_diacritics("Müller"), "Muller");
        assert_eq!(without_diacritics("Weiß Łukasz Şahin"), "Weiss Lukasz Sahin");
    }
}

//! Chinese, Japanese and Korean names: a syllable a character, often a whole name without spaces.

use pinyin::ToPinyin;

use super::script::Script;

/// Pinyin without tones, character by character; the other reading writes Ü as passports do now. What has no reading stays.
pub(super) fn han(word: &str) -> (String, String) {
    let (mut base, mut expanded) = (String::new(), String::new());
    let family = HAN_SURNAMES.iter().find(|(surname, _)| word.starts_with(*surname)).map(|(_, reading)| *reading);
    for (at, character) in word.chars().enumerate() {
        let reading = character.to_pinyin().map(|reading| reading.plain());
        match (family.filter(|_| at == 0), reading) {
            (Some(reading), _) => {
                base.push_str(reading);
                expanded.push_str(reading);
            }
            (None, Some(reading)) => {
                for letter in reading.chars().flat_map(char::to_uppercase) {
                    base.push(if letter == 'Ü' { 'U' } else { letter });
                    if letter == 'Ü' {
                        expanded.push_str("YU");
                    } else {
                        expanded.push(letter);
                    }
                }
            }
            (None, None) => {
                base.push(character);
                expanded.push(character);
            }
        }
    }
    (base, expanded)
}

/// Surnames that are read otherwise than the same character elsewhere.
const HAN_SURNAMES: &[(&str, &str)] = &[
    ("单", "SHAN"),
    ("單", "SHAN"),
    ("曾", "ZENG"),
    ("仇", "QIU"),
    ("解", "XIE"),
    ("任", "REN"),
    ("朴", "PIAO"),
    ("查", "ZHA"),
    ("盖", "GE"),
    ("区", "OU"),
    ("區", "OU"),
    ("翟", "ZHAI"),
    ("覃", "QIN"),
    ("乐", "YUE"),
    ("樂", "YUE"),
    ("尉", "YU"),
    ("繁", "PO"),
    ("冼", "XIAN"),
];

/// Surnames of two characters.
const HAN_LONG_SURNAMES: &[&str] = &[
    "欧阳", "歐陽", "司马", "司馬", "上官", "诸葛", "諸葛", "司徒", "夏侯", "皇甫", "尉迟", "尉遲", "公孙", "公孫",
    "慕容", "令狐", "长孙", "長孫", "宇文", "司空", "东方", "東方", "南宫", "南宮", "端木", "百里", "呼延", "赫连",
    "赫連", "澹台",
];

/// Surname and given name of a whole name written as one word: two to four characters, or two to five Korean syllables.
pub(super) fn parts(word: &str) -> Option<(&str, &str)> {
    let (long, most) = match Script::of(word) {
        Script::Hangul => (HANGUL_LONG_SURNAMES, 5),
        Script::Han => (HAN_LONG_SURNAMES, 4),
        _ => return None,
    };
    if !(2..=most).contains(&word.chars().count()) {
        return None;
    }
    let surname = match long.iter().find(|surname| word.starts_with(**surname) && word != **surname) {
        Some(surname) => surname.len(),
        None => word.chars().next()?.len_utf8(),
    };
    Some(word.split_at(surname))
}

/// Revised Romanisation, syllable by syllable; the other reading hardens the plain initials as passports often do.
pub(super) fn hangul(word: &str) -> (String, String) {
    const INITIALS: [&str; 19] =
        ["G", "KK", "N", "D", "TT", "R", "M", "B", "PP", "S", "SS", "", "J", "JJ", "CH", "K", "T", "P", "H"];
    const HARD: [&str; 19] =
        ["K", "KK", "N", "T", "TT", "L", "M", "P", "PP", "S", "SS", "", "CH", "CH", "CH", "K", "T", "P", "H"];
    const VOWELS: [&str; 21] = [
        "A", "AE", "YA", "YAE", "EO", "E", "YEO", "YE", "O", "WA", "WAE", "OE", "YO", "U", "WO", "WE", "WI", "YU",
        "EU", "UI", "I",
    ];
    const FINALS: [&str; 28] = [
        "", "K", "K", "K", "N", "N", "N", "T", "L", "K", "M", "L", "L", "L", "P", "L", "M", "P", "P", "T", "T", "NG",
        "T", "T", "K", "T", "P", "T",
    ];
    let (mut base, mut expanded) = (String::new(), String::new());
    let usual = HANGUL_SURNAMES.iter().find(|(surname, _)| *surname == word).map(|(_, usual)| *usual);
    for character in word.chars() {
        match u32::from(character).checked_sub(0xac00).map(|offset| offset as usize) {
            Some(syllable) if syllable < 19 * 21 * 28 => {
                let (initial, vowel, last) = (syllable / (21 * 28), syllable / 28 % 21, syllable % 28);
                base.extend([INITIALS[initial], VOWELS[vowel], FINALS[last]]);
                expanded.extend([HARD[initial], VOWELS[vowel], FINALS[last]]);
            }
            _ => {
                base.push(character);
                expanded.push(character);
            }
        }
    }
    (base, usual.map_or(expanded, str::to_owned))
}

/// Surnames with the Latin spelling that passports usually carry, which is seldom the Revised Romanisation.
const HANGUL_SURNAMES: &[(&str, &str)] = &[
    ("김", "KIM"),
    ("이", "LEE"),
    ("리", "LEE"),
    ("박", "PARK"),
    ("최", "CHOI"),
    ("정", "JUNG"),
    ("강", "KANG"),
    ("조", "CHO"),
    ("윤", "YOON"),
    ("임", "LIM"),
    ("오", "OH"),
    ("신", "SHIN"),
    ("권", "KWON"),
    ("안", "AHN"),
    ("유", "YOO"),
    ("류", "RYU"),
    ("전", "JUN"),
    ("고", "KO"),
    ("문", "MOON"),
    ("백", "PAIK"),
    ("허", "HUR"),
    ("심", "SHIM"),
    ("노", "ROH"),
    ("곽", "KWAK"),
    ("성", "SUNG"),
    ("주", "JOO"),
    ("우", "WOO"),
    ("구", "KOO"),
];

/// Surnames of two syllables.
const HANGUL_LONG_SURNAMES: &[&str] = &["남궁", "황보", "제갈", "사공", "선우", "서문", "독고"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn han_is_read_as_pinyin() {
        assert_eq!(han("王").0, "WANG");
        assert_eq!(han("小明").0, "XIAOMING");
        assert_eq!(han("吕"), ("LU".into(), "LYU".into()));
        assert_eq!(han("曾").0, "ZENG");
    }

    #[test]
    fn a_whole_name_is_divided_after_the_surname() {
        assert_eq!(parts("王小明"), Some(("王", "小明")));
        assert_eq!(parts("欧阳修"), Some(("欧阳", "修")));
        assert_eq!(parts("김민준"), Some(("김", "민준")));
        assert_eq!(parts("남궁민수"), Some(("남궁", "민수")));
        assert_eq!(parts("王"), None);
        assert_eq!(parts("WANG"), None);
    }
}

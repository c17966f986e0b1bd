//! How people get a query wrong: typing errors, parts swapped, dropped, joined or cut to initials, another
//! transliteration, and dates of birth with a wrong digit, day and month swapped, or the year alone.

use alert_proto::v1 as pb;

use crate::{
    names::{NameBook, script},
    rng::Rng,
};

/// One way of getting a query wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// A letter replaced, dropped, doubled or inserted, or two neighbours swapped; the first letter too.
    TypingError,
    /// The parts in another order.
    SwappedParts,
    /// Other Latin spellings of the same name; diacritics left out; without a known spelling, common letter habits.
    Transliteration,
    /// One part left out; at least one stays.
    DroppedPart,
    /// Two neighbouring parts written as one.
    JoinedPart,
    /// A given name cut to its first letter.
    Initial,
    /// A letter read as the digit that looks like it: O as 0, I and L as 1, S as 5, B as 8.
    LookAlike,
    /// One digit of the date wrong; the date stays a date.
    DateDigit,
    /// Day and month swapped.
    DateSwap,
    /// The year alone.
    DateYearOnly,
    /// No date of birth.
    DateMissing,
}

impl Fault {
    /// Every fault, for evaluations.
    pub const ALL: [Fault; 11] = [
        Fault::TypingError,
        Fault::SwappedParts,
        Fault::Transliteration,
        Fault::DroppedPart,
        Fault::JoinedPart,
        Fault::Initial,
        Fault::LookAlike,
        Fault::DateDigit,
        Fault::DateSwap,
        Fault::DateYearOnly,
        Fault::DateMissing,
    ];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::TypingError => "typing-error",
            Self::SwappedParts => "swapped-parts",
            Self::Transliteration => "transliteration",
            Self::DroppedPart => "dropped-part",
            Self::JoinedPart => "joined-part",
            Self::Initial => "initial",
            Self::LookAlike => "look-alike",
            Self::DateDigit => "date-digit",
            Self::DateSwap => "date-swap",
            Self::DateYearOnly => "date-year-only",
            Self::DateMissing => "date-missing",
        }
    }
}

/// Puts faults into queries, each from a random stream of its own.
#[derive(Debug, Clone)]
pub struct Perturb {
    seed: u64,
    names: NameBook,
}

impl Perturb {
    /// The same seed makes the same faults.
    pub fn new(seed: u64) -> Self {
        Self { seed, names: NameBook::new() }
    }

    /// The query with one fault; `number` tells one query from another. `None` when the fault cannot be made here (a
    /// single name has no parts to swap, a date without a day none to confuse).
    pub fn apply(&self, fault: Fault, number: u64, query: &pb::PersonQuery) -> Option<pb::PersonQuery> {
        let mut rng = Rng::new(self.seed, fault.name(), number);
        let mut wrong = query.clone();
        match fault {
            Fault::TypingError => typing_error(&mut wrong.names, &mut rng)?,
            Fault::SwappedParts => swap_parts(&mut wrong.names, &mut rng)?,
            Fault::Transliteration => self.transliterate(&mut wrong.names, &mut rng)?,
            Fault::DroppedPart => drop_part(&mut wrong.names, &mut rng)?,
            Fault::JoinedPart => join_parts(&mut wrong.names, &mut rng)?,
            Fault::Initial => initial(&mut wrong.names, &mut rng)?,
            Fault::LookAlike => look_alike(&mut wrong.names, &mut rng)?,
            Fault::DateDigit => wrong.birth_date = Some(date_digit(wrong.birth_date?, &mut rng)?),
            Fault::DateSwap => {
                let date = wrong.birth_date.as_mut()?;
                let (month, day) = (date.month?, date.day?);
                if day > 12 || day == month {
                    return None;
                }
                (date.month, date.day) = (Some(day), Some(month));
            }
            Fault::DateYearOnly => {
                let date = wrong.birth_date.as_mut()?;
                date.month?;
                (date.month, date.day) = (None, None);
            }
            Fault::DateMissing => drop(wrong.birth_date.take()?),
        }
        Some(wrong).filter(|wrong| wrong != query)
    }

    /// Every part in another spelling where there is one.
    fn transliterate(&self, names: &mut [String], rng: &mut Rng) -> Option<()> {
        let before = names.to_vec();
        for name in names.iter_mut() {
            let known = self.names.other_spellings(name);
            *name = if known.is_empty() { habit(name) } else { known[rng.below(known.len() as u64) as usize].clone() };
        }
        (before != names).then_some(())
    }
}

/// Without a list: diacritics as ICAO 9303 writes them, else letters that languages write differently.
fn habit(name: &str) -> String {
    if !name.is_ascii() {
        return script::icao_latin(name);
    }
    const HABITS: [(&str, &str); 12] = [
        ("ou", "u"),
        ("ee", "i"),
        ("kh", "h"),
        ("ck", "k"),
        ("ph", "f"),
        ("iy", "y"),
        ("sch", "sh"),
        ("tz", "ts"),
        ("ie", "y"),
        ("oo", "u"),
        ("yu", "iu"),
        ("v", "w"),
    ];
    let lower = name.to_lowercase();
    match HABITS.iter().find(|(from, _)| lower.contains(from)) {
        Some((from, to)) => lower.replacen(from, to, 1),
        None => name.to_owned(),
    }
}

/// The part with the most letters, or another one of at least three.
fn part_to_change(names: &[String], rng: &mut Rng) -> Option<usize> {
    let long: Vec<usize> = (0..names.len()).filter(|at| names[*at].chars().count() >= 3).collect();
    if long.is_empty() { None } else { Some(rng.pick(&long)) }
}

fn typing_error(names: &mut [String], rng: &mut Rng) -> Option<()> {
    let part = part_to_change(names, rng)?;
    let mut letters: Vec<char> = names[part].chars().collect();
    let at = rng.below(letters.len() as u64) as usize;
    let other = neighbour(letters[at], rng);
    match rng.below(5) {
        0 => letters[at] = other,
        1 => drop(letters.remove(at)),
        2 => letters.insert(at, letters[at]),
        3 => letters.insert(at, other),
        _ => {
            let second = if at + 1 < letters.len() { at + 1 } else { at - 1 };
            letters.swap(at, second);
            if letters[at] == letters[second] {
                letters[at] = other;
            }
        }
    }
    names[part] = letters.into_iter().collect();
    Some(())
}

/// A key beside the right one; outside the keyboard's letters the next letter of the alphabet.
fn neighbour(letter: char, rng: &mut Rng) -> char {
    const ROWS: [&str; 3] = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];
    let lower = letter.to_ascii_lowercase();
    for row in ROWS {
        if let Some(at) = row.find(lower) {
            let beside = if at == 0 || at + 1 < row.len() && rng.chance(500) { at + 1 } else { at - 1 };
            let key = char::from(row.as_bytes()[beside]);
            return if letter.is_ascii_uppercase() { key.to_ascii_uppercase() } else { key };
        }
    }
    char::from_u32(letter as u32 + 1).filter(|next| next.is_alphabetic()).unwrap_or('e')
}

fn swap_parts(names: &mut [String], rng: &mut Rng) -> Option<()> {
    let count = names.len() as u64;
    if count < 2 {
        return None;
    }
    names.rotate_left(1 + rng.below(count - 1) as usize);
    Some(())
}

fn drop_part(names: &mut Vec<String>, rng: &mut Rng) -> Option<()> {
    if names.len() < 2 {
        return None;
    }
    names.remove(rng.below(names.len() as u64) as usize);
    Some(())
}

fn join_parts(names: &mut Vec<String>, rng: &mut Rng) -> Option<()> {
    if names.len() < 2 {
        return None;
    }
    let first = rng.below(names.len() as u64 - 1) as usize;
    let second = names.remove(first + 1);
    names[first].push_str(&second);
    Some(())
}

fn initial(names: &mut [String], rng: &mut Rng) -> Option<()> {
    if names.len() < 2 {
        return None;
    }
    // Not the last part: that is the surname more often than not.
    let part = rng.below(names.len() as u64 - 1) as usize;
    let first = names[part].chars().next()?;
    if names[part].chars().count() < 2 {
        return None;
    }
    names[part] = first.to_string();
    Some(())
}

fn look_alike(names: &mut [String], rng: &mut Rng) -> Option<()> {
    let digit = |letter: char| match letter.to_ascii_uppercase() {
        'O' => Some('0'),
        'I' | 'L' => Some('1'),
        'S' => Some('5'),
        'B' => Some('8'),
        _ => None,
    };
    let letters =
        |name: &String| name.chars().enumerate().filter_map(|(at, letter)| Some((at, digit(letter)?))).collect();
    let places: Vec<(usize, Vec<(usize, char)>)> = names.iter().map(letters).enumerate().collect();
    let places: Vec<(usize, usize, char)> = places
        .into_iter()
        .flat_map(|(part, places)| places.into_iter().map(move |(at, digit)| (part, at, digit)))
        .collect();
    if places.is_empty() {
        return None;
    }
    let (part, wrong, digit) = rng.pick(&places);
    names[part] =
        names[part].chars().enumerate().map(|(at, letter)| if at == wrong { digit } else { letter }).collect();
    Some(())
}

fn date_digit(date: pb::PartialDate, rng: &mut Rng) -> Option<pb::PartialDate> {
    let year = date.year?;
    for _ in 0..16 {
        let mut wrong = date;
        let digit = |number: u32, place: u32, rng: &mut Rng| {
            let old = number / place % 10;
            let new = (old + 1 + rng.below(9) as u32) % 10;
            number - old * place + new * place
        };
        match rng.below(4) {
            0 => wrong.year = Some(digit(year, 1, rng)),
            1 => wrong.year = Some(digit(year, 10, rng)),
            2 => wrong.month = date.month.map(|month| digit(month, 1, rng)),
            _ => wrong.day = date.day.map(|day| if rng.chance(500) { digit(day, 1, rng) } else { digit(day, 10, rng) }),
        }
        let plausible = wrong.month.is_none_or(|month| (1..=12).contains(&month))
            && wrong.day.is_none_or(|day| (1..=28).contains(&day))
            && wrong.year.is_some_and(|year| (1910..2026).contains(&year));
        if plausible && wrong != date {
            return Some(wrong);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Generator, query_for};

    fn person(names: &[&str]) -> pb::PersonQuery {
        pb::PersonQuery {
            names: names.iter().map(|name| (*name).into()).collect(),
            birth_date: Some(pb::PartialDate { year: Some(1984), month: Some(3), day: Some(7) }),
            ..Default::default()
        }
    }

    #[test]
    fn each_fault_changes_what_it_says_and_nothing_else() {
        let (perturb, right) = (Perturb::new(1), person(&["Mohammed", "Yusuf", "Haddad"]));
        for fault in Fault::ALL {
            for number in 0..200 {
                let wrong =
                    perturb.apply(fault, number, &right).unwrap_or_else(|| panic!("{} #{number}", fault.name()));
                let date_fault = fault >= Fault::DateDigit;
                assert_eq!(wrong.birth_date == right.birth_date, !date_fault, "{} #{number}", fault.name());
                assert_eq!(wrong.names == right.names, date_fault, "{} #{number}", fault.name());
            }
        }
    }

    #[test]
    fn a_single_name_without_a_date_allows_few_faults() {
        let mut right = person(&["Aminata"]);
        right.birth_date = None;
        let possible: Vec<_> =
            Fault::ALL.into_iter().filter(|fault| Perturb::new(1).apply(*fault, 0, &right).is_some()).collect();
        assert_eq!(possible, [Fault::TypingError, Fault::Transliteration, Fault::LookAlike]);
    }

    #[test]
    fn another_transliteration_is_a_known_spelling() {
        let perturb = Perturb::new(5);
        let wrong = perturb.apply(Fault::Transliteration, 0, &person(&["Müller"])).unwrap();
        assert!(["Mueller", "Muller"].contains(&wrong.names[0].as_str()), "{:?}", wrong.names);
        let wrong = perturb.apply(Fault::Transliteration, 1, &person(&["Dmitrii"])).unwrap();
        assert!(wrong.names[0].starts_with("Dmitri") || wrong.names[0] == "Dmitry", "{:?}", wrong.names);
    }

    #[test]
    fn a_wrong_digit_leaves_a_real_date() {
        let perturb = Perturb::new(9);
        for number in 0..500 {
            let date = perturb.apply(Fault::DateDigit, number, &person(&["A"])).unwrap().birth_date.unwrap();
            assert!((1..=12).contains(&date.month.unwrap()) && (1..=28).contains(&date.day.unwrap()), "{date:?}");
        }
    }

    #[test]
    fn generated_persons_can_be_asked_for_wrongly() {
        let (generator, perturb) = (Generator::new(1), Perturb::new(1));
        let asked = (0..300).filter_map(|number| query_for(&generator.person(number))?.person);
        let wrong = asked.enumerate().filter_map(|(n, query)| perturb.apply(Fault::TypingError, n as u64, &query));
        assert!(wrong.count() > 280);
    }
}

//! Machine-readable zones of travel documents (ICAO 9303 parts 3 to 7): TD1, TD2, TD3, MRV-A and MRV-B.
//!
//! A zone is read by cameras and typed by hand, so damage is the rule: a failed check digit, a line too short, an O for a
//! zero. All of it is reported and none of it stops the search; only what has no zone's shape at all is refused.

mod fields;

use thiserror::Error;

use super::normalise::date::Date;
use crate::alert::check_digit::icao_9303;
use fields::{Layout, layout};

/// Longest zone that is read, in characters; the largest real one has 90.
const ZONE_CHARS_MAX: usize = 200;

/// The shape of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Cards: 3 lines of 30.
    Td1,
    /// 2 lines of 36.
    Td2,
    /// Passports: 2 lines of 44.
    Td3,
    /// Visas: 2 lines of 44.
    MrvA,
    /// Visas: 2 lines of 36.
    MrvB,
}

/// What a zone says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mrz {
    /// Its shape.
    pub format: Format,
    /// Document code, without fillers: "P", "I", "V"...
    pub document_code: String,
    /// As printed, without fillers.
    pub issuing_country: String,
    /// Without fillers; a long number is put together again.
    pub document_number: String,
    /// As printed, without fillers.
    pub nationality: String,
    /// Unknown parts are unknown.
    pub birth_date: Date,
    /// b'M', b'F', or 0 when not stated.
    pub gender: u8,
    /// Unknown parts are unknown; the century is the present one.
    pub expires: Date,
    /// Words of the primary identifier (surname).
    pub primary: Vec<String>,
    /// Words of the secondary identifier (forenames).
    pub secondary: Vec<String>,
    /// The name fills its field to the end: words may be cut short or left out.
    pub names_may_be_cut: bool,
    /// Fields whose check digit failed: "document_number", "birth_date", "expires", "composite"...
    pub failed_checks: Vec<&'static str>,
    /// What was repaired or is odd, as words for the officer.
    pub notes: Vec<String>,
}

/// Text that has no zone's shape.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("no machine-readable zone: {0}")]
pub struct NoZone(pub &'static str);

/// Reads a zone. Lines are divided by line feeds, or run on. `reference_year` is the present year, the pivot for years of
/// birth: a later year belongs to the century before.
pub fn parse(text: &str, reference_year: u32) -> Result<Mrz, NoZone> {
    let mut notes = Vec::new();
    let lines = lines(text)?;
    let (format, lines) = recognise(lines, &mut notes)?;
    let layout = layout(format);
    let mut zone = Reader { lines, layout, failed: Vec::new(), notes };
    let (birth_date, expires) = (zone.date("birth_date", layout.birth), zone.date("expires", layout.expires));
    let document_number = zone.document_number();
    zone.composite();
    let (primary, secondary, names_may_be_cut) = zone.names();
    let gender = match zone.field(layout.gender).as_str() {
        "M" => b'M',
        "F" => b'F',
        _ => 0,
    };
    Ok(Mrz {
        format,
        document_code: zone.text(layout.code),
        issuing_country: zone.text(layout.issuer),
        document_number,
        nationality: zone.text(layout.nationality),
        birth_date: with_century(birth_date, reference_year, true),
        gender,
        expires: with_century(expires, reference_year, false),
        primary,
        secondary,
        names_may_be_cut,
        failed_checks: zone.failed,
        notes: zone.notes,
    })
}

/// Two digits of a year, month, day; `None` where unknown.
type ShortDate = [Option<u32>; 3];

fn with_century([year, month, day]: ShortDate, reference_year: u32, is_birth: bool) -> Date {
    let year = year.map(|year| {
        let century = reference_year / 100 * 100;
        if is_birth && year > reference_year % 100 { century.saturating_sub(100) + year } else { century + year }
    });
    Date::new(year, month, day)
}

/// The lines: upper case, only the zone's own characters.
fn lines(text: &str) -> Result<Vec<String>, NoZone> {
    let mut lines: Vec<String> = text
        .split(['\n', '\r'])
        .map(|line| {
            line.chars()
                .map(|character| if matches!(character, '‹' | '«' | '＜' | '>') { '<' } else { character })
                .flat_map(char::to_uppercase)
                .filter(|character| character.is_ascii_uppercase() || character.is_ascii_digit() || *character == '<')
                .take(ZONE_CHARS_MAX)
                .collect::<String>()
        })
        .filter(|line| !line.is_empty())
        .collect();
    if let [line] = lines.as_slice() {
        let length = match line.len() {
            86..=90 if !line.starts_with(['P', 'V']) => 30,
            84..=92 => 44,
            68..=76 => 36,
            _ => return Err(NoZone("one line of a length that no format has")),
        };
        lines = line.as_bytes().chunks(length).map(|part| String::from_utf8_lossy(part).into_owned()).collect();
        lines.truncate(if length == 30 { 3 } else { 2 });
    }
    Ok(lines)
}

/// The format by the number and length of the lines, each brought to its length.
fn recognise(mut lines: Vec<String>, notes: &mut Vec<String>) -> Result<(Format, Vec<String>), NoZone> {
    let longest = lines.iter().map(String::len).max().unwrap_or(0);
    let visa = lines.first().is_some_and(|line| line.starts_with('V'));
    let format = match (lines.len(), longest) {
        (3, 24..=34) => Format::Td1,
        (2, 40..=48) => {
            if visa {
                Format::MrvA
            } else {
                Format::Td3
            }
        }
        (2, 32..=39) => {
            if visa {
                Format::MrvB
            } else {
                Format::Td2
            }
        }
        (0 | 1, _) => return Err(NoZone("fewer than two lines")),
        (4.., _) => return Err(NoZone("more than three lines")),
        _ => return Err(NoZone("lines of a length that no format has")),
    };
    let length = layout(format).line_chars;
    for (number, line) in lines.iter_mut().enumerate() {
        if line.len() != length {
            notes.push(format!("line {} has {} characters instead of {length}", number + 1, line.len()));
        }
        if line.len() > length {
            line.truncate(length);
        } else if let Some(gap) = line.find("<<<").filter(|_| line.len() < length && number + 1 < 3) {
            // Fillers are what gets miscounted: they are put back where they stand.
            line.insert_str(gap, &"<".repeat(length - line.len()));
        } else {
            line.push_str(&"<".repeat(length - line.len()));
        }
    }
    Ok((format, lines))
}

/// The check digit of a field (ICAO 9303 part 3 section 4.9).
fn check_digit(field: &str) -> char {
    icao_9303(field).map_or('?', |digit| char::from(b'0' + digit))
}

/// The digit that a letter is misread for.
fn as_digit(letter: char) -> Option<char> {
    Some(match letter {
        'O' | 'Q' | 'D' | 'U' => '0',
        'I' | 'L' => '1',
        'Z' => '2',
        'S' => '5',
        'G' => '6',
        'B' => '8',
        _ => return None,
    })
}

struct Reader {
    lines: Vec<String>,
    layout: &'static Layout,
    failed: Vec<&'static str>,
    notes: Vec<String>,
}

impl Reader {
    /// Characters of a field, fillers included.
    fn field(&self, (line, from, to): fields::Field) -> String {
        self.lines[line][from..to].to_owned()
    }

    /// A field without fillers.
    fn text(&self, field: fields::Field) -> String {
        self.field(field).replace('<', "")
    }

    /// The check character behind a field.
    fn check_of(&self, (line, _, to): fields::Field) -> char {
        self.lines[line].as_bytes().get(to).map_or('<', |byte| char::from(*byte))
    }

    fn passes(field: &str, check: char) -> bool {
        let check = if check == '<' && field.bytes().all(|byte| byte == b'<') { '0' } else { check };
        check_digit(field) == as_digit(check).unwrap_or(check)
    }

    /// Digits where digits belong: letters that look like them are read as such, and it is said so.
    fn date(&mut self, name: &'static str, field: fields::Field) -> ShortDate {
        let printed = self.field(field);
        let read: String = printed.chars().map(|c| as_digit(c).unwrap_or(c)).collect();
        if read != printed {
            self.notes.push(format!("{name}: '{printed}' read as '{read}'"));
        }
        if !Self::passes(&read, self.check_of(field)) {
            self.failed.push(name);
        }
        let part = |from: usize| read[from..from + 2].parse::<u32>().ok();
        let (year, month, day) = (part(0), part(2).filter(|month| *month != 0), part(4).filter(|day| *day != 0));
        // All zeros say nothing; a year of 00 beside a known month is 2000 or 1900.
        let year = year.filter(|year| *year != 0 || month.is_some() || day.is_some());
        [year, month, day]
    }

    fn document_number(&mut self) -> String {
        let field = self.layout.number;
        let printed = self.field(field);
        let check = self.check_of(field);
        // A number longer than its field goes on in the optional data, its check digit behind it.
        if check == '<' && !printed.ends_with('<') && self.layout.long_numbers {
            let optional = self.field(self.layout.optional);
            let rest = optional.split('<').next().unwrap_or_default();
            if let Some((tail, check)) = rest.char_indices().last().map(|(at, check)| (&rest[..at], check)) {
                let number = format!("{printed}{tail}");
                if !Self::passes(&number, check) {
                    self.failed.push("document_number");
                }
                return number.replace('<', "");
            }
        }
        if !Self::passes(&printed, check) {
            self.failed.push("document_number");
            if let Some(repaired) = repaired(&printed, check) {
                self.notes.push(format!("document_number: '{repaired}' would satisfy its check digit"));
            }
        }
        printed.replace('<', "")
    }

    fn composite(&mut self) {
        let Some((parts, check)) = self.layout.composite else { return };
        let whole: String = parts.iter().map(|part| self.field(*part)).collect();
        let check = self.field(check).chars().next().unwrap_or('<');
        if !Self::passes(&whole, check) {
            self.failed.push("composite");
        }
    }

    fn names(&self) -> (Vec<String>, Vec<String>, bool) {
        let field = self.field(self.layout.names);
        let cut = !field.ends_with('<');
        let words = |part: &str| part.split('<').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        // Letters only: a digit in a name is a misread letter.
        let field: String = field.chars().map(as_letter).collect();
        match field.split_once("<<") {
            Some((primary, secondary)) => (words(primary), words(secondary), cut),
            None => (words(&field), Vec::new(), cut),
        }
    }
}

fn as_letter(character: char) -> char {
    match character {
        '0' => 'O',
        '1' => 'I',
        '2' => 'Z',
        '5' => 'S',
        '6' => 'G',
        '8' => 'B',
        other => other,
    }
}

/// The only number that differs in one look-alike and satisfies the check digit.
fn repaired(printed: &str, check: char) -> Option<String> {
    let mut found = None;
    for (at, character) in printed.char_indices() {
        let swapped =
            if character.is_ascii_digit() { as_letter(character) } else { as_digit(character).unwrap_or(character) };
        if swapped != character {
            let mut attempt = printed.to_owned();
            attempt.replace_range(at..=at, swapped.encode_utf8(&mut [0; 4]));
            if Reader::passes(&attempt, check) {
                if found.is_some() {
                    return None;
                }
                found = Some(attempt.replace('<', ""));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests;

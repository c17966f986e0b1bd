//! Parts that several sections share: places, numbers, machine-readable zones.

use super::checker::{
    Checker,
    Need::{self, Optional},
};
use crate::{
    alert::{check_digit, fault},
    limits::LONG_TEXT_BYTES_MAX,
    pb,
};

pub(super) fn place(check: &mut Checker, field: &str, place: &Option<pb::Place>) {
    if let Some(place) = place {
        check.within(field, |check| place_fields(check, place));
    }
}

pub(super) fn place_fields(check: &mut Checker, place: &pb::Place) {
    if *place == pb::Place::default() {
        check.fault(fault::REQUIRED, "a place without any data; leave it out");
    }
    check.text("text", &place.text, Optional);
    check.text("city", &place.city, Optional);
    check.text("region", &place.region, Optional);
    check.party("country", &place.country, Optional);
}

/// A number that is searched for: it must keep something after normalising.
pub(super) fn number(check: &mut Checker, field: &str, number: &str, need: Need) {
    check.text(field, number, need);
    if !number.trim().is_empty() && !number.chars().any(char::is_alphanumeric) {
        check.fault_at(field, fault::BAD_FORMAT, "a number without a letter or digit");
    }
}

/// (lines, characters of a line) of the formats of ICAO Doc 9303 parts 4 to 7: TD1, TD2 and MRV-B, TD3 and MRV-A.
const MRZ_FORMATS: [(usize, usize); 3] = [(3, 30), (2, 36), (2, 44)];

/// A field with the position of its check digit, on 0-based (line, from, to, check).
type Checked = (usize, usize, usize, usize);

/// A machine-readable zone as printed. What is odd about it only warns: damaged zones are evidence too.
pub(super) fn mrz(check: &mut Checker, field: &str, mrz: &str) {
    if mrz.is_empty() {
        return;
    }
    check.within(field, |check| {
        if mrz.len() > LONG_TEXT_BYTES_MAX {
            check.fault(fault::TOO_LONG, "longer than any machine-readable zone");
            return;
        }
        let lines: Vec<&str> = mrz.lines().collect();
        let fits =
            |(count, length): &(usize, usize)| lines.len() == *count && lines.iter().all(|line| line.len() == *length);
        if mrz.chars().any(|character| super::checker::is_forbidden(character, true)) {
            check.fault(fault::BAD_CHARACTER, "a control character");
            return;
        }
        if !mrz.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'<' | b'\n')) {
            check.warn(fault::BAD_FORMAT, "only A to Z, 0 to 9 and < belong into a machine-readable zone");
        } else if !MRZ_FORMATS.iter().any(fits) {
            check.warn(fault::BAD_FORMAT, "no format of ICAO 9303: 3 lines of 30, 2 of 36 or 2 of 44 characters");
        } else if checked_fields(&lines).into_iter().any(|checked| !agrees(&lines, checked)) {
            check.warn(fault::CHECK_DIGIT, "a check digit of the machine-readable zone does not agree");
        }
    });
}

/// Number, date of birth and date of expiry. A long number of a TD1 or TD2 runs into the optional data; its place of a
/// check digit is then `<`.
fn checked_fields(lines: &[&str]) -> Vec<Checked> {
    if lines.len() == 3 {
        vec![(0, 5, 14, 14), (1, 0, 6, 6), (1, 8, 14, 14)]
    } else {
        vec![(1, 0, 9, 9), (1, 13, 19, 19), (1, 21, 27, 27)]
    }
}

fn agrees(lines: &[&str], (line, from, to, digit): Checked) -> bool {
    let (field, digit) = (&lines[line][from..to], lines[line].as_bytes()[digit]);
    if digit == b'<' {
        // Unknown dates and long numbers carry a filler in place of the digit.
        return true;
    }
    check_digit::icao_9303(field).is_some_and(|expected| digit == b'0' + expected)
}

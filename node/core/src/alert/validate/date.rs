//! Dates of which parts may be unknown.

use super::checker::Checker;
use crate::{
    alert::{fault, time},
    pb,
};

/// Earliest year that a document or event of a living memory can have.
const YEAR_EARLIEST: u32 = 1850;
/// Beyond this age a person's date of birth is worth a second look.
const AGE_UNUSUAL_YEARS: u32 = 110;

/// Where a date may lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Past,
    Any,
}

/// Year, month and day as far as they are known.
#[derive(Debug, Clone, Copy)]
struct Parts {
    year: Option<u32>,
    month: Option<u32>,
    day: Option<u32>,
}

pub(super) fn partial_date(check: &mut Checker, field: &str, date: &Option<pb::PartialDate>, when: When) {
    let Some(date) = date else { return };
    check.within(field, |check| {
        let parts = Parts { year: date.year, month: date.month, day: date.day };
        if parts.year.is_none() && parts.month.is_none() && parts.day.is_none() {
            check.fault(fault::REQUIRED, "a date without any part; leave it out");
        }
        date_parts(check, parts, when);
    });
}

/// True when `a` certainly lies after `b`, as far as both are known.
pub(super) fn is_after(a: &pb::PartialDate, b: &pb::PartialDate) -> bool {
    let (Some(year_a), Some(year_b)) = (a.year, b.year) else { return false };
    if year_a != year_b {
        return year_a > year_b;
    }
    let (Some(month_a), Some(month_b)) = (a.month, b.month) else { return false };
    if month_a != month_b {
        return month_a > month_b;
    }
    matches!((a.day, b.day), (Some(day_a), Some(day_b)) if day_a > day_b)
}

/// Year, month and day are Gregorian; `calendar` and `as_given` tell what the source wrote.
pub(super) fn birth_date(check: &mut Checker, date: &pb::BirthDate) {
    use super::checker::Need::{Optional, Required};
    let parts = Parts { year: date.year, month: date.month, day: date.day };
    let nothing = parts.year.is_none() && parts.month.is_none() && parts.day.is_none();
    if nothing && date.as_given.is_empty() {
        check.fault(fault::REQUIRED, "a date of birth without any part; leave it out");
    }
    date_parts(check, parts, When::Past);
    let qualifier = check.code("qualifier", &date.qualifier, "date-qualifier", Optional);
    let is_range = qualifier == Some("range");
    match (date.year_to, date.year) {
        (None, _) if is_range => check.fault_at("year_to", fault::REQUIRED, "a range needs its last year"),
        (Some(_), None) => check.fault_at("year", fault::REQUIRED, "a range needs its first year"),
        (Some(_), _) if !is_range => {
            check.fault_at("year_to", fault::INCONSISTENT, "a last year needs the qualifier \"range\"");
        }
        (Some(to), Some(from)) if to < from => {
            check.fault_at("year_to", fault::INCONSISTENT, "the range ends before it begins");
        }
        (Some(to), _) if to > this_year(check) => {
            check.fault_at("year_to", fault::OUT_OF_RANGE, "lies in the future");
        }
        _ => {}
    }
    check.code("calendar", &date.calendar, "calendar", Optional);
    check.text("as_given", &date.as_given, if nothing { Required } else { Optional });
    if date.year.is_some_and(|year| year.saturating_add(AGE_UNUSUAL_YEARS) < this_year(check)) {
        check.warn_at("year", fault::UNUSUAL, &format!("an age of more than {AGE_UNUSUAL_YEARS} years"));
    }
}

fn date_parts(check: &mut Checker, date: Parts, when: When) {
    let today = time::civil_date(check.now_ms);
    let latest_year = if when == When::Past { today.year } else { 9999 };
    if let Some(year) = date.year {
        if year == 0 {
            check.fault_at("year", fault::OUT_OF_RANGE, "zero is no year; leave an unknown part out");
        } else if year > latest_year {
            check.fault_at("year", fault::OUT_OF_RANGE, "lies in the future");
        } else if year < YEAR_EARLIEST {
            check.fault_at("year", fault::OUT_OF_RANGE, &format!("before {YEAR_EARLIEST}"));
        }
    }
    if date.month.is_some_and(|month| !(1..=12).contains(&month)) {
        check.fault_at("month", fault::OUT_OF_RANGE, "no month from 1 to 12; leave an unknown part out");
    }
    if let Some(day) = date.day {
        let days = match date.month {
            Some(month) => time::days_in_month(date.year, month).unwrap_or(31),
            None => {
                check.warn_at("day", fault::UNUSUAL, "a day without its month");
                31
            }
        };
        if !(1..=days).contains(&day) {
            check.fault_at("day", fault::OUT_OF_RANGE, "that month has no such day; leave an unknown part out");
        }
    }
    if when == When::Past
        && date.year == Some(today.year)
        && date.month.is_some_and(|month| {
            month <= 12
                && (month > today.month || (month == today.month && date.day.is_some_and(|day| day > today.day)))
        })
    {
        check.fault(fault::OUT_OF_RANGE, "lies in the future");
    }
}

fn this_year(check: &Checker) -> u32 {
    time::civil_date(check.now_ms).year
}

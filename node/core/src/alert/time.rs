//! Times and calendar dates: milliseconds since 1970 in UTC inside the core, `Timestamp` in the contracts.

use jiff::{Span, Timestamp as Instant, civil, tz::Offset};
use prost_types::Timestamp;

/// A day of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CivilDate {
    /// Anno Domini.
    pub year: u32,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
}

/// The latest time the store reckons with, 30 December 9999 at 22:00, where the calendar library ends.
pub const LATEST_MS: u64 = 253_402_207_200_000;
/// The latest time of the contract, the end of 31 December 9999: "for ever" in many systems. It counts as
/// [`LATEST_MS`].
const CONTRACT_LATEST_SECONDS: u64 = 253_402_300_799;

/// Milliseconds since 1970 (fractions of a millisecond are cut); `None` before 1970, after the year 9999, or with
/// nanoseconds out of range.
pub fn to_ms(time: &Timestamp) -> Option<u64> {
    let seconds = u64::try_from(time.seconds).ok().filter(|seconds| *seconds <= CONTRACT_LATEST_SECONDS)?;
    let nanos = u64::try_from(time.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    Some((seconds * 1000 + nanos / 1_000_000).min(LATEST_MS))
}

/// [`to_ms`] of a field that may be absent; a time that cannot be read counts as absent (validation refuses it).
pub fn field_ms(time: &Option<Timestamp>) -> Option<u64> {
    time.as_ref().and_then(to_ms)
}

/// The contract's time from milliseconds since 1970; later than [`LATEST_MS`] becomes that.
pub fn from_ms(unix_ms: u64) -> Timestamp {
    let unix_ms = unix_ms.min(LATEST_MS);
    Timestamp { seconds: (unix_ms / 1000) as i64, nanos: ((unix_ms % 1000) * 1_000_000) as i32 }
}

/// For people: `2026-11-22T00:00:00Z`.
pub fn iso_text(unix_ms: u64) -> String {
    i64::try_from(unix_ms.min(LATEST_MS))
        .ok()
        .and_then(|ms| Instant::from_millisecond(ms).ok())
        .unwrap_or_default()
        .to_string()
}

/// The same day and time of day, `months` calendar months later. Where that month has no such day, its last day
/// (Regulation (EEC, Euratom) No 1182/71 Art. 3(2)(c)): 31 January + 1 = 28 or 29 February. Ends at [`LATEST_MS`].
pub fn add_months(unix_ms: u64, months: u32) -> u64 {
    let later = Span::new()
        .try_months(i64::from(months))
        .and_then(|span| date_time(unix_ms).checked_add(span))
        .ok()
        .and_then(|later| Offset::UTC.to_timestamp(later).ok())
        .and_then(|later| u64::try_from(later.as_millisecond()).ok());
    later.unwrap_or(LATEST_MS).min(LATEST_MS)
}

/// The same day and time of day, `months` calendar months earlier, with the same rule for short months. Not before
/// 1970.
pub fn subtract_months(unix_ms: u64, months: u32) -> u64 {
    let earlier = Span::new()
        .try_months(i64::from(months))
        .and_then(|span| date_time(unix_ms).checked_sub(span))
        .ok()
        .and_then(|earlier| Offset::UTC.to_timestamp(earlier).ok())
        .and_then(|earlier| u64::try_from(earlier.as_millisecond()).ok());
    earlier.unwrap_or(0)
}

/// The day in UTC.
pub fn civil_date(unix_ms: u64) -> CivilDate {
    let date = date_time(unix_ms).date();
    CivilDate { year: date.year().unsigned_abs().into(), month: date.month() as u32, day: date.day() as u32 }
}

/// Midnight UTC of a day; `None` when there is no such day or it lies before 1970.
pub fn midnight_ms(date: CivilDate) -> Option<u64> {
    let date =
        civil::Date::new(i16::try_from(date.year).ok()?, i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?);
    let midnight = date.ok()?.at(0, 0, 0, 0);
    u64::try_from(Offset::UTC.to_timestamp(midnight).ok()?.as_millisecond()).ok()
}

/// Days of a month, leap years included; `None` for no month. A month of an unknown year is given its longest.
pub fn days_in_month(year: Option<u32>, month: u32) -> Option<u32> {
    Some(match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_none_or(is_leap_year) => 29,
        2 => 28,
        _ => return None,
    })
}

fn is_leap_year(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn date_time(unix_ms: u64) -> civil::DateTime {
    let instant = Instant::from_millisecond(unix_ms.min(LATEST_MS) as i64)
        .expect("LATEST_MS and every time before it back to 1970 is in range");
    Offset::UTC.to_datetime(instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(year: u32, month: u32, day: u32) -> u64 {
        midnight_ms(CivilDate { year, month, day }).unwrap()
    }

    #[test]
    fn months_are_calendar_months() {
        assert_eq!(add_months(ms(2024, 1, 31), 1), ms(2024, 2, 29));
        assert_eq!(add_months(ms(2023, 1, 31), 1), ms(2023, 2, 28));
        assert_eq!(add_months(ms(2024, 2, 29), 12), ms(2025, 2, 28));
        assert_eq!(add_months(ms(2024, 2, 29), 48), ms(2028, 2, 29));
        assert_eq!(add_months(ms(2026, 11, 22) + 123, 60), ms(2031, 11, 22) + 123);
        assert_eq!(subtract_months(ms(2026, 3, 31), 1), ms(2026, 2, 28));
        assert_eq!(subtract_months(ms(1970, 1, 31), 2), 0);
        assert_eq!(add_months(LATEST_MS, 1), LATEST_MS);
        assert_eq!(add_months(u64::MAX, u32::MAX), LATEST_MS);
        assert_eq!(add_months(0, u32::MAX), LATEST_MS);
    }

    #[test]
    fn times_of_the_contract_come_back_as_they_were() {
        for time in [0, 1, 999, 1000, 1_795_000_000_123, LATEST_MS] {
            assert_eq!(to_ms(&from_ms(time)), Some(time));
        }
        assert_eq!(to_ms(&from_ms(u64::MAX)), Some(LATEST_MS));
        let for_ever = Timestamp { seconds: 253_402_300_799, nanos: 999_999_999 };
        assert_eq!(to_ms(&for_ever), Some(LATEST_MS));
        assert_eq!(to_ms(&Timestamp { seconds: 253_402_300_800, nanos: 0 }), None);
        assert_eq!(to_ms(&Timestamp { seconds: -1, nanos: 0 }), None);
        assert_eq!(to_ms(&Timestamp { seconds: 1, nanos: -1 }), None);
        assert_eq!(to_ms(&Timestamp { seconds: 1, nanos: 1_000_000_000 }), None);
        assert_eq!(to_ms(&Timestamp { seconds: i64::MAX, nanos: 0 }), None);
    }

    #[test]
    fn days_of_months_know_leap_years() {
        assert_eq!(days_in_month(Some(2024), 2), Some(29));
        assert_eq!(days_in_month(Some(1900), 2), Some(28));
        assert_eq!(days_in_month(Some(2000), 2), Some(29));
        assert_eq!(days_in_month(None, 2), Some(29));
        assert_eq!(days_in_month(Some(2024), 13), None);
        assert_eq!(days_in_month(Some(2024), 0), None);
        assert_eq!(midnight_ms(CivilDate { year: 2023, month: 2, day: 29 }), None);
        assert_eq!(civil_date(ms(2024, 2, 29) + 86_399_999), CivilDate { year: 2024, month: 2, day: 29 });
    }
}

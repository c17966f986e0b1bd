//! Arguments as the contracts want them.

use std::{fs, io::Read, path::Path, time::Duration};

use alert_client::pb;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use prost_types::Timestamp as ProtoTime;

use crate::exit::Failure;

/// "500ms", "2s", "1m".
pub fn duration(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration = text.parse().map_err(|error| format!("{error}"))?;
    match Duration::try_from(parsed) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("must be longer than nothing".to_owned()),
    }
}

/// "2026-03-04T05:06:07Z", or "2026-03-04" for the beginning of that day in UTC.
pub fn time(text: &str) -> Result<ProtoTime, String> {
    let time = match text.parse::<Timestamp>() {
        Ok(time) => time,
        Err(_) => text
            .parse::<Date>()
            .and_then(|date| date.to_zoned(TimeZone::UTC))
            .map_err(|_| "neither a date (2026-03-04) nor a time (2026-03-04T05:06:07Z)".to_owned())?
            .timestamp(),
    };
    Ok(ProtoTime { seconds: time.as_second(), nanos: time.subsec_nanosecond() })
}

/// "1990-05-17", "1990-05", "1990", with "?" for what is not known: "1990-??-17".
pub fn partial_date(text: &str) -> Result<pb::PartialDate, String> {
    let wrong = || format!("'{text}' is no date of the form 1990-05-17, 1990-05 or 1990 ('?' for unknown parts)");
    let mut parts = text.split('-').map(|part| {
        if !part.is_empty() && part.chars().all(|letter| letter == '?') {
            return Ok(None);
        }
        part.parse::<u32>().map(Some).map_err(|_| wrong())
    });
    let year = parts.next().ok_or_else(wrong)??;
    let month = parts.next().transpose()?.flatten();
    let day = parts.next().transpose()?.flatten();
    let is_possible = year.is_none_or(|year| (1000..=9999).contains(&year))
        && month.is_none_or(|month| (1..=12).contains(&month))
        && day.is_none_or(|day| (1..=31).contains(&day))
        && (year, month, day) != (None, None, None);
    if parts.next().is_some() || !is_possible {
        return Err(wrong());
    }
    Ok(pb::PartialDate { year, month, day })
}

/// A coded value of a list.
pub fn code(list: &str, value: impl Into<String>) -> pb::Code {
    pb::Code { list: list.to_owned(), value: value.into() }
}

/// A coded value, where one was given.
pub fn code_if(list: &str, value: Option<String>) -> Option<pb::Code> {
    value.map(|value| code(list, value))
}

/// A country or organisation.
pub fn party(code: impl Into<String>) -> pb::Party {
    pb::Party { code: code.into() }
}

/// The text of a file, or of standard input for "-".
pub fn read_text(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().read_to_string(&mut text).map(|_| ())
    } else {
        fs::read_to_string(path).map(|read| text = read)
    };
    read.map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_may_lack_any_part_but_not_all() {
        let date = |year, month, day| Ok(pb::PartialDate { year, month, day });
        assert_eq!(partial_date("1990-05-17"), date(Some(1990), Some(5), Some(17)));
        assert_eq!(partial_date("1990"), date(Some(1990), None, None));
        assert_eq!(partial_date("1990-??-17"), date(Some(1990), None, Some(17)));
        for wrong in ["", "90-05-17", "1990-13-01", "17.05.1990", "1990-05-17-1", "????-??-??", "1990-00-01"] {
            assert!(partial_date(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_are_read_with_and_without_a_time_of_day() {
        assert_eq!(time("1970-01-02").unwrap().seconds, 86_400);
        assert_eq!(time("1970-01-01T01:00:00+01:00").unwrap().seconds, 0);
        assert!(time("tomorrow").is_err());
        assert_eq!(duration("500ms").unwrap(), Duration::from_millis(500));
        assert!(duration("0s").is_err() && duration("-1s").is_err());
    }
}

//! Dates of birth compared.

use crate::{
    pb,
    search::{
        explain,
        normalise::date::{BirthDate, Date},
    },
};

/// How two dates agree, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DateMatch {
    /// All that is stated agrees, and it is a whole date.
    Exact,
    /// Day and month changed places.
    Swapped,
    /// One digit of eight differs.
    Digit,
    /// All that the query states agrees, and it states no more than the year, or year and month.
    AsAsked,
    /// The year agrees and more is not known, or only 1 January.
    Year,
    /// The year before or after.
    YearNear,
    /// One side states no year.
    Unknown,
    /// They contradict.
    Conflict,
    /// The query states no date.
    NotAsked,
}

impl DateMatch {
    /// The word for it in explanations.
    pub fn how(self) -> &'static str {
        match self {
            Self::Exact => explain::DATE_EXACT,
            Self::Swapped => explain::DATE_SWAPPED,
            Self::Digit => explain::DATE_DIGIT,
            Self::Year | Self::AsAsked => explain::DATE_YEAR,
            Self::YearNear => explain::DATE_YEAR_NEAR,
            Self::Unknown => explain::DATE_UNKNOWN,
            Self::Conflict => explain::DATE_CONFLICT,
            Self::NotAsked => explain::DATE_NOT_ASKED,
        }
    }

    /// What it takes off the date's share of the score; never positive.
    pub fn points(self, profile: &pb::SearchProfile) -> i32 {
        let points = match self {
            Self::Exact | Self::NotAsked => 0,
            Self::Swapped => profile.date_swapped_points,
            Self::Digit => profile.date_digit_points,
            Self::Year => profile.date_year_points,
            Self::AsAsked => profile.date_year_points / 2,
            Self::YearNear => profile.date_year_near_points,
            Self::Unknown => profile.date_unknown_points,
            Self::Conflict => profile.date_conflict_points,
        };
        points.min(0)
    }
}

/// Compares a query's date with one date of a record.
pub fn compare(query: Date, birth: BirthDate) -> DateMatch {
    if !query.is_known() {
        return DateMatch::NotAsked;
    }
    let date = birth.date;
    if query.year == 0 || date.year == 0 {
        return without_year(query, date);
    }
    if birth.is_span() {
        let (from, to) = (date.year, birth.year_to);
        return match query.year {
            year if (from..=to).contains(&year) => DateMatch::Year,
            year if year + 1 == from || year == to + 1 => DateMatch::YearNear,
            _ => DateMatch::Conflict,
        };
    }
    if query.is_full() && date.is_full() {
        return whole(query, date);
    }
    if stated_parts_conflict(query, date) {
        return DateMatch::Conflict;
    }
    let as_asked = query.month == 0 || query.day == 0 && query.month == date.month;
    match query.year.abs_diff(date.year) {
        0 if as_asked => DateMatch::AsAsked,
        0 => DateMatch::Year,
        1 => DateMatch::YearNear,
        _ => DateMatch::Conflict,
    }
}

/// The best agreement with any of a record's dates; unknown when it has none.
pub fn best(query: Date, dates: impl IntoIterator<Item = BirthDate>) -> DateMatch {
    if !query.is_known() {
        return DateMatch::NotAsked;
    }
    dates.into_iter().map(|birth| compare(query, birth)).min().unwrap_or(DateMatch::Unknown)
}

fn whole(query: Date, date: Date) -> DateMatch {
    let differing = query.digits().iter().zip(date.digits()).filter(|(a, b)| **a != *b).count();
    let weak = query.is_new_year() || date.is_new_year();
    match (differing, query.year.abs_diff(date.year)) {
        (0, _) => DateMatch::Exact,
        _ if query.swapped() == Some(date) => DateMatch::Swapped,
        (1, _) => DateMatch::Digit,
        (_, 0) if weak => DateMatch::Year,
        (_, 1) if weak || (query.day == date.day && query.month == date.month) => DateMatch::YearNear,
        _ => DateMatch::Conflict,
    }
}

fn without_year(query: Date, date: Date) -> DateMatch {
    if stated_parts_conflict(query, date) { DateMatch::Conflict } else { DateMatch::Unknown }
}

fn stated_parts_conflict(a: Date, b: Date) -> bool {
    // 1 January stands for "not known" on either side.
    let weak = a.is_new_year() || b.is_new_year();
    let conflict = |a: u8, b: u8| a != 0 && b != 0 && a != b;
    !weak && (conflict(a.month, b.month) || conflict(a.day, b.day))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(year: u16, month: u8, day: u8) -> Date {
        Date { year, month, day }
    }

    fn how(query: Date, record: Date) -> DateMatch {
        compare(query, BirthDate { date: record, year_to: record.year })
    }

    #[test]
    fn each_way_a_date_can_agree_is_told_apart() {
        let query = date(1974, 8, 12);
        for (record, expected) in [
            (date(1974, 8, 12), DateMatch::Exact),
            (date(1974, 12, 8), DateMatch::Swapped),
            (date(1974, 8, 17), DateMatch::Digit),
            (date(1984, 8, 12), DateMatch::Digit),
            (date(1974, 1, 1), DateMatch::Year),
            (date(1974, 0, 0), DateMatch::Year),
            (date(1974, 8, 0), DateMatch::Year),
            (date(1974, 8, 30), DateMatch::Conflict),
            (date(1975, 1, 1), DateMatch::YearNear),
            (date(1973, 0, 0), DateMatch::YearNear),
            (date(1974, 3, 5), DateMatch::Conflict),
            (date(1974, 9, 0), DateMatch::Conflict),
            (date(1990, 8, 0), DateMatch::Conflict),
            (Date::UNKNOWN, DateMatch::Unknown),
            (date(0, 8, 12), DateMatch::Unknown),
            (date(0, 9, 12), DateMatch::Conflict),
        ] {
            assert_eq!(how(query, record), expected, "{record:?}");
        }
        assert_eq!(how(date(1989, 5, 5), date(1990, 5, 5)), DateMatch::YearNear);
        assert_eq!(how(Date::UNKNOWN, query), DateMatch::NotAsked);
        assert_eq!(best(query, []), DateMatch::Unknown);
        assert_eq!(how(date(1974, 0, 0), query), DateMatch::AsAsked);
        assert_eq!(how(date(1974, 8, 0), query), DateMatch::AsAsked);
        assert_eq!(how(date(1974, 8, 0), date(1974, 0, 0)), DateMatch::Year);
        let span = BirthDate { date: date(1970, 0, 0), year_to: 1975 };
        assert_eq!(compare(query, span), DateMatch::Year);
        assert_eq!(compare(date(1976, 1, 2), span), DateMatch::YearNear);
        assert_eq!(compare(date(1980, 1, 2), span), DateMatch::Conflict);
    }
}

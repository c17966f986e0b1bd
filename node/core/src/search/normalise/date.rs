//! Dates of birth of which parts may be unknown, and the dates that one mistake away.

use crate::pb;

/// A date with zero for what is not known. Sorts by time; its four bytes are part of index keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Date {
    /// 0 = unknown.
    pub year: u16,
    /// 0 = unknown.
    pub month: u8,
    /// 0 = unknown.
    pub day: u8,
}

/// Years that a date of birth can have; others count as unknown.
const YEARS: std::ops::RangeInclusive<u32> = 1800..=2200;

impl Date {
    /// Nothing known.
    pub const UNKNOWN: Date = Date { year: 0, month: 0, day: 0 };

    /// From parts; parts that no date can have count as unknown.
    pub fn new(year: Option<u32>, month: Option<u32>, day: Option<u32>) -> Self {
        Self {
            year: year.filter(|year| YEARS.contains(year)).unwrap_or(0) as u16,
            month: month.filter(|month| (1..=12).contains(month)).unwrap_or(0) as u8,
            day: day.filter(|day| (1..=31).contains(day)).unwrap_or(0) as u8,
        }
    }

    /// From a query.
    pub fn from_partial(date: &pb::PartialDate) -> Self {
        Self::new(date.year, date.month, date.day)
    }

    /// Year, month and day are known.
    pub fn is_full(self) -> bool {
        self.year != 0 && self.month != 0 && self.day != 0
    }

    /// Something is known.
    pub fn is_known(self) -> bool {
        self != Self::UNKNOWN
    }

    /// 1 January: what registries write when only the year is known.
    pub fn is_new_year(self) -> bool {
        self.month == 1 && self.day == 1
    }

    /// As it lies in keys: year (big-endian), month, day.
    pub fn to_bytes(self) -> [u8; 4] {
        let year = self.year.to_be_bytes();
        [year[0], year[1], self.month, self.day]
    }

    /// From key bytes.
    pub fn from_bytes(bytes: [u8; 4]) -> Self {
        Self { year: u16::from_be_bytes([bytes[0], bytes[1]]), month: bytes[2], day: bytes[3] }
    }

    /// Day and month changed places, where that is another date.
    pub fn swapped(self) -> Option<Self> {
        (self.is_full() && self.day <= 12 && self.day != self.month).then_some(Self {
            month: self.day,
            day: self.month,
            ..self
        })
    }

    /// A whole date that says something: who was born on it is one list.
    pub fn is_a_birthday(self) -> bool {
        self.is_full() && !self.is_new_year()
    }

    /// What a registry makes of the date when it knows a part of it: others, at least one part of them known.
    pub fn partials(self) -> impl Iterator<Item = Self> {
        let parts = [
            Self { day: 0, ..self },
            Self { month: 0, day: 0, ..self },
            Self { month: 1, day: 1, ..self },
            Self { year: 0, ..self },
        ];
        parts.into_iter().filter(move |partial| partial.is_known() && *partial != self)
    }

    /// Every date of which exactly one digit of YYYYMMDD differs.
    pub fn one_digit_variants(self) -> Vec<Self> {
        if !self.is_full() {
            return Vec::new();
        }
        let digits = self.digits();
        let mut variants = Vec::with_capacity(64);
        for position in 0..8 {
            for digit in 0..10 {
                if digit == digits[position] {
                    continue;
                }
                let mut changed = digits;
                changed[position] = digit;
                variants.extend(Self::from_digits(changed));
            }
        }
        variants
    }

    /// The date as eight digits, YYYYMMDD.
    pub fn digits(self) -> [u8; 8] {
        let year = self.year;
        [
            (year / 1000) as u8,
            (year / 100 % 10) as u8,
            (year / 10 % 10) as u8,
            (year % 10) as u8,
            self.month / 10,
            self.month % 10,
            self.day / 10,
            self.day % 10,
        ]
    }

    fn from_digits(digits: [u8; 8]) -> Option<Self> {
        let two = |at: usize| digits[at] * 10 + digits[at + 1];
        let year = u16::from(two(0)) * 100 + u16::from(two(2));
        let date = Self { year, month: two(4), day: two(6) };
        let possible = (1850..=2100).contains(&year) && (1..=12).contains(&date.month) && (1..=31).contains(&date.day);
        possible.then_some(date)
    }
}

/// A date of birth of a record: one date, or a span of years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BirthDate {
    /// The date, or the first year of the span.
    pub date: Date,
    /// The last year of the span; the year itself for a single date.
    pub year_to: u16,
}

/// Longest span of years that gets an index entry per year; a longer one is indexed as unknown.
pub const SPAN_YEARS_MAX: u16 = 15;

impl BirthDate {
    /// From a record. Years of other calendars become the two Gregorian years that they can fall in.
    pub fn new(date: &pb::BirthDate) -> Option<Self> {
        let calendar = date.calendar.as_ref().map_or("", |code| code.value.as_str());
        let year = date.year;
        let gregorian = match (calendar, year) {
            ("islamic", Some(year)) => return Self::span(year * 32 / 33 + 621, year * 32 / 33 + 623),
            ("persian", Some(year)) => return Self::span(year + 621, year + 622),
            ("buddhist", Some(year)) => Some(year.saturating_sub(543)),
            _ => year,
        };
        let single = Date::new(gregorian, date.month, date.day);
        if !single.is_known() {
            return None;
        }
        let qualifier = date.qualifier.as_ref().map_or("", |code| code.value.as_str());
        match (qualifier, date.year_to) {
            (_, Some(to)) if single.year != 0 && to > u32::from(single.year) => Self::span(u32::from(single.year), to),
            ("circa", _) if single.year != 0 => Self::span(u32::from(single.year) - 1, u32::from(single.year) + 1),
            _ => Some(Self { date: single, year_to: single.year }),
        }
    }

    fn span(from: u32, to: u32) -> Option<Self> {
        let (from, to) = (Date::new(Some(from), None, None), Date::new(Some(to), None, None));
        (from.year != 0 && to.year >= from.year).then_some(Self { date: from, year_to: to.year })
    }

    /// It covers more than one year.
    pub fn is_span(self) -> bool {
        self.year_to > self.date.year
    }

    /// The years it is indexed under; `0` alone when the year is unknown or the span too long.
    pub fn index_years(self) -> impl Iterator<Item = u16> {
        let long = self.year_to.saturating_sub(self.date.year) >= SPAN_YEARS_MAX;
        if long { 0..=0 } else { self.date.year..=self.year_to }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(year: u16, month: u8, day: u8) -> Date {
        Date { year, month, day }
    }

    #[test]
    fn a_date_with_one_wrong_digit_is_among_the_variants_wherever_the_digit_is() {
        let variants = date(1974, 8, 12).one_digit_variants();
        for wrong in [date(1974, 8, 11), date(1974, 8, 22), date(1974, 9, 12), date(1984, 8, 12), date(1874, 8, 12)] {
            assert!(variants.contains(&wrong), "{wrong:?}");
        }
        assert!(!variants.contains(&date(1974, 8, 12)) && variants.len() < 64);
        assert!(date(1974, 0, 0).one_digit_variants().is_empty());
    }

    #[test]
    fn day_and_month_swap_only_where_that_makes_another_date() {
        assert_eq!(date(1974, 8, 12).swapped(), Some(date(1974, 12, 8)));
        assert_eq!(date(1974, 8, 13).swapped(), None);
        assert_eq!(date(1974, 8, 8).swapped(), None);
    }

    #[test]
    fn spans_and_other_calendars_are_indexed_under_each_year() {
        let circa = pb::BirthDate {
            year: Some(1960),
            qualifier: Some(pb::Code { list: "date-qualifier".into(), value: "circa".into() }),
            ..Default::default()
        };
        assert_eq!(BirthDate::new(&circa).unwrap().index_years().collect::<Vec<_>>(), [1959, 1960, 1961]);
        let persian = pb::BirthDate {
            year: Some(1365),
            calendar: Some(pb::Code { list: "calendar".into(), value: "persian".into() }),
            ..Default::default()
        };
        assert_eq!(BirthDate::new(&persian).unwrap().index_years().collect::<Vec<_>>(), [1986, 1987]);
        let century = pb::BirthDate { year: Some(1900), year_to: Some(1999), ..Default::default() };
        assert_eq!(BirthDate::new(&century).unwrap().index_years().collect::<Vec<_>>(), [0]);
        assert_eq!(BirthDate::new(&pb::BirthDate::default()), None);
    }

    #[test]
    fn key_bytes_sort_by_time_and_come_back() {
        let dates = [Date::UNKNOWN, date(1899, 12, 31), date(1974, 0, 0), date(1974, 8, 12), date(2001, 1, 1)];
        let bytes: Vec<_> = dates.iter().map(|date| date.to_bytes()).collect();
        assert!(bytes.is_sorted());
        assert_eq!(bytes.into_iter().map(Date::from_bytes).collect::<Vec<_>>(), dates);
    }
}

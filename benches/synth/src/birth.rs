//! Dates of birth as alerts know them: mostly exact, often enough in part, sometimes not at all.

use alert_proto::v1 as pb;

use crate::{
    codes::{BASE_DAY, BASE_YEAR, civil, some_code},
    rng::Rng,
};

/// What is known of a date of birth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Birth {
    year: u32,
    month: Option<u32>,
    day: Option<u32>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Exact,
    Circa,
    RangeTo(u32),
}

/// How well the birth dates of an origin are recorded, in per mille.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quality {
    /// Nothing known.
    pub unknown: u64,
    /// The year alone.
    pub year_only: u64,
    /// 1 January stands for "not known" in many papers.
    pub first_of_january: u64,
}

impl Birth {
    /// A date of birth for somebody between two ages; `None` when it is unknown and may be.
    pub(crate) fn draw(ages: (u32, u32), quality: Quality, may_be_unknown: bool, rng: &mut Rng) -> Option<Self> {
        // Two draws make the middle of the range more frequent than its ends.
        let span = u64::from(ages.1 - ages.0) * 365;
        let days = (rng.below(span) + rng.below(span)) / 2 + u64::from(ages.0) * 365;
        let (year, month, day) = civil(BASE_DAY - days as i64 - rng.below(365) as i64);
        let mut birth = Self { year, month: Some(month), day: Some(day), kind: Kind::Exact };
        let lot = rng.below(1000);
        if lot < quality.unknown {
            if may_be_unknown {
                return None;
            }
            let last = (year + rng.between(3, 9)).min(BASE_YEAR - 1);
            birth.kind = if last > year { Kind::RangeTo(last) } else { Kind::Circa };
            (birth.month, birth.day) = (None, None);
        } else if lot < quality.unknown + quality.year_only {
            (birth.month, birth.day) = (None, None);
            if rng.chance(500) {
                birth.kind = Kind::Circa;
            }
        } else if lot < quality.unknown + quality.year_only + quality.first_of_january {
            (birth.month, birth.day) = (Some(1), Some(1));
        } else if lot < quality.unknown + quality.year_only + quality.first_of_january + 12 {
            birth.day = None;
        }
        Some(birth)
    }

    /// An exact one.
    pub(crate) fn exact(year: u32, month: u32, day: u32) -> Self {
        Self { year, month: Some(month), day: Some(day), kind: Kind::Exact }
    }

    /// Year, month and day where all are known.
    pub(crate) fn complete(&self) -> Option<(u32, u32, u32)> {
        Some((self.year, self.month?, self.day?))
    }

    /// As an alias may give it: another year, day and month swapped, or the same.
    pub(crate) fn varied(self, rng: &mut Rng) -> Self {
        match (rng.below(4), self.month, self.day) {
            (0, Some(month), Some(day)) if day <= 12 => Self { month: Some(day), day: Some(month), ..self },
            (1, _, Some(29..)) => self,
            (1, ..) => {
                Self { year: if rng.chance(500) { self.year - 1 } else { (self.year + 1).min(BASE_YEAR - 1) }, ..self }
            }
            (2, _, Some(day)) => Self { day: Some(if day > 10 { day - 10 } else { day + 10 }), ..self },
            _ => self,
        }
    }

    /// As the contract has it.
    pub(crate) fn to_message(self) -> pb::BirthDate {
        let (qualifier, year_to, as_given) = match self.kind {
            Kind::Exact => ("exact", None, String::new()),
            Kind::Circa => ("circa", None, format!("about {}", self.year)),
            Kind::RangeTo(year) => ("range", Some(year), format!("between {} and {year}", self.year)),
        };
        pb::BirthDate {
            year: Some(self.year),
            month: self.month,
            day: self.day,
            qualifier: some_code("date-qualifier", qualifier),
            year_to,
            calendar: some_code("calendar", "gregorian"),
            as_given,
        }
    }
}

//! A person query against everything an alert says of its subject.

use super::{
    FULL,
    date::{self, DateMatch},
    name::{AskedName, NameScore},
};
use crate::{
    pb,
    search::{explain, index::form::NameForm, query::PersonQuery},
};

/// The best agreement of a query with one name of an alert.
#[derive(Debug, Clone, PartialEq)]
pub struct PersonScore {
    /// 0 to 10000.
    pub score: u32,
    /// How the dates agree.
    pub date: DateMatch,
    /// Value of the list "identity-kind".
    pub identity_kind: String,
    /// Why.
    pub explanation: pb::Explanation,
    /// The name that matched, as words.
    pub title: String,
}

/// What the best of an alert's names is worth.
#[derive(Debug, Clone, PartialEq)]
pub enum Best {
    /// The best name that is believed, whatever it scores.
    Believed(Box<PersonScore>),
    /// Names that reach the threshold, and are not believed.
    Doubted,
    /// No name agrees at all, or a strict query excludes all.
    None,
}

/// One person query, made ready to be compared with many names.
pub struct Scorer<'a> {
    query: &'a PersonQuery,
    name: AskedName<'a>,
    profile: &'a pb::SearchProfile,
}

/// Scores each name and keeps the best; `None` when none agrees at all, or a strict query excludes all.
/// An added name can only raise the score.
pub fn score(query: &PersonQuery, forms: &[NameForm], profile: &pb::SearchProfile) -> Option<PersonScore> {
    match Scorer::new(query, profile).best(forms, &|_| true) {
        Best::Believed(scored) => Some(*scored),
        Best::Doubted | Best::None => None,
    }
}

impl<'a> Scorer<'a> {
    /// For one query.
    pub fn new(query: &'a PersonQuery, profile: &'a pb::SearchProfile) -> Self {
        Self { query, name: AskedName::new(&query.tokens), profile }
    }

    /// Scores each name and keeps the best that is `believed`: a name that many bear, and whose date agrees in part, must
    /// not stand before another name of the same alert that agrees with its whole date.
    pub fn best(&self, forms: &[NameForm], believed: &dyn Fn(DateMatch) -> bool) -> Best {
        let mut best: Option<PersonScore> = None;
        let mut is_doubted = false;
        for form in forms {
            let Some((scored, date)) = self.score(form) else { continue };
            if best.as_ref().is_some_and(|best| scored.score <= best.score) {
                continue;
            }
            if believed(date) {
                best = Some(scored);
            } else {
                is_doubted |= scored.score >= self.profile.threshold;
            }
        }
        match best {
            Some(best) if best.score >= self.profile.threshold || !is_doubted => Best::Believed(Box::new(best)),
            _ if is_doubted => Best::Doubted,
            _ => Best::None,
        }
    }

    fn score(&self, form: &NameForm) -> Option<(PersonScore, DateMatch)> {
        let (query, profile) = (self.query, self.profile);
        let gender_conflicts = query.gender != 0 && form.gender != 0 && query.gender != form.gender;
        let nationality_matches = query.nationalities.iter().any(|asked| form.nationalities.contains(asked));
        let nationality_conflicts =
            !query.nationalities.is_empty() && !form.nationalities.is_empty() && !nationality_matches;
        if query.strict && (gender_conflicts || nationality_conflicts) {
            return None;
        }
        let name = self.name.compare(&form.tokens, query.names_may_be_cut, profile)?;
        let date = if form.is_organisation { DateMatch::NotAsked } else { date::best(query.birth_date, &form.dates) };
        let base = combine(name.points, date, profile);
        let mut total = base as i32;
        let mut missing = name.missing_points;
        // One name and a date that agrees in part are two weak signs, and many people have both.
        if name.is_weak && matches!(date, DateMatch::Digit | DateMatch::Year | DateMatch::YearNear | DateMatch::Unknown)
        {
            missing += profile.missing_part_points;
            total -= profile.missing_part_points as i32;
        }
        let mut adjustments = Vec::new();
        if missing > 0 {
            adjustments.push(pb::Adjustment { what: explain::MISSING_PART.into(), points: -(missing as i32) });
        }
        let mut adjust = |what: &str, points: i32| {
            total += points;
            adjustments.push(pb::Adjustment { what: what.into(), points });
        };
        if gender_conflicts {
            adjust(explain::GENDER, profile.gender_conflict_points);
        }
        if nationality_matches {
            adjust(explain::NATIONALITY, profile.nationality_match_points);
        } else if nationality_conflicts {
            adjust(explain::NATIONALITY, profile.nationality_conflict_points);
        }
        let NameScore { tokens, points, .. } = name;
        let scored = PersonScore {
            score: total.clamp(0, FULL as i32) as u32,
            date,
            identity_kind: form.identity_kind.clone(),
            explanation: pb::Explanation {
                tokens,
                date: date.how().into(),
                date_points: base as i32 - points as i32,
                adjustments,
                ..Default::default()
            },
            title: form.tokens.iter().map(|token| token.original.as_str()).collect::<Vec<_>>().join(" "),
        };
        Some((scored, date))
    }
}

/// Name and date together, before adjustments: the name's share, the date's share, and what the date takes off. Without
/// a date in the query, the name is all.
pub fn combine(name_points: u32, date: DateMatch, profile: &pb::SearchProfile) -> u32 {
    if date == DateMatch::NotAsked {
        return name_points;
    }
    let name = u64::from(name_points) * u64::from(profile.name_weight) / u64::from(FULL);
    let total = name as i64 + i64::from(profile.date_weight) + i64::from(date.points(profile));
    total.clamp(0, i64::from(FULL)) as u32
}

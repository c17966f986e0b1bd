//! A person query against everything an alert says of its subject.

use super::{
    FULL,
    date::{self, DateMatch},
    name::{self, NameScore},
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

/// Scores each name and keeps the best; `None` when none agrees at all, or a strict query excludes all.
/// An added name can only raise the score.
pub fn score(query: &PersonQuery, forms: &[NameForm], profile: &pb::SearchProfile) -> Option<PersonScore> {
    best_believed(query, forms, profile, &|_| true)
}

/// As [`score`], of the names whose date is `believed` alone: a name whose date agrees in part, and which is not believed
/// because many bear it, must not stand before another name of the same alert that agrees with its whole date.
pub fn best_believed(
    query: &PersonQuery,
    forms: &[NameForm],
    profile: &pb::SearchProfile,
    believed: &dyn Fn(DateMatch) -> bool,
) -> Option<PersonScore> {
    let mut best: Option<PersonScore> = None;
    for form in forms {
        if let Some(scored) = score_form(query, form, profile)
            && best.as_ref().is_none_or(|best| scored.score > best.score)
            && believed(scored.date)
        {
            best = Some(scored);
        }
    }
    best
}

fn score_form(query: &PersonQuery, form: &NameForm, profile: &pb::SearchProfile) -> Option<PersonScore> {
    let gender_conflicts = query.gender != 0 && form.gender != 0 && query.gender != form.gender;
    let nationality_matches = query.nationalities.iter().any(|asked| form.nationalities.contains(asked));
    let nationality_conflicts =
        !query.nationalities.is_empty() && !form.nationalities.is_empty() && !nationality_matches;
    if query.strict && (gender_conflicts || nationality_conflicts) {
        return None;
    }
    let name = name::compare(&query.tokens, &form.tokens, query.names_may_be_cut, profile)?;
    let date = if form.is_organisation { DateMatch::NotAsked } else { date::best(query.birth_date, &form.dates) };
    let base = combine(name.points, date, profile);
    let mut total = base as i32;
    let mut missing = name.missing_points;
    // One name and a date that agrees in part are two weak signs, and many people have both.
    if name.is_weak && matches!(date, DateMatch::Digit | DateMatch::Year | DateMatch::YearNear | DateMatch::Unknown) {
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
    Some(PersonScore {
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
    })
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

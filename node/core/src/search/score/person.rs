//! A person query against everything an alert says of its subject.

use std::{cell::RefCell, collections::HashMap, rc::Rc, sync::Arc};

use super::{
    FULL,
    date::{self, DateMatch},
    name::{AskedName, NameScore, Naming},
};
use crate::{
    pb,
    search::{explain, index::form::NameForm, normalise::name::Token, query::PersonQuery},
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
    /// The best name that reaches the threshold and is believed.
    Believed(Box<PersonScore>),
    /// Names that reach the threshold, and are not believed.
    Doubted,
    /// No name reaches the threshold, or a strict query excludes all.
    None,
}

/// One person query, made ready to be compared with many names.
pub struct Scorer<'a> {
    query: &'a PersonQuery,
    name: AskedName<'a>,
    profile: &'a pb::SearchProfile,
    /// Names that were compared before, by where they are kept.
    compared: RefCell<HashMap<*const Token, Compared>>,
}

/// A name of records and how it agrees. The name is held: no other can come to stand where it is kept.
struct Compared {
    _name: Arc<[Token]>,
    score: Option<Rc<NameScore>>,
}

/// Scores each name and keeps the best; `None` when none reaches the threshold, or a strict query excludes all.
/// An added name can only raise the score.
pub fn score(query: &PersonQuery, forms: &[NameForm], profile: &pb::SearchProfile) -> Option<PersonScore> {
    match Scorer::new(query, profile).best(forms, &|_, _, _| true) {
        Best::Believed(scored) => Some(*scored),
        Best::Doubted | Best::None => None,
    }
}

impl<'a> Scorer<'a> {
    /// For one query.
    pub fn new(query: &'a PersonQuery, profile: &'a pb::SearchProfile) -> Self {
        Self { query, name: AskedName::new(&query.tokens), profile, compared: RefCell::default() }
    }

    /// Scores each name and keeps the best that is `believed`, by its date, its agreement and its place among `forms`: a name that many bear, and whose date agrees in part, must
    /// not stand before another name of the same alert that agrees with its whole date.
    pub fn best(&self, forms: &[NameForm], believed: &dyn Fn(DateMatch, Naming, usize) -> bool) -> Best {
        let mut best: Option<(Points, &NameForm)> = None;
        let mut is_doubted = false;
        for (at, form) in forms.iter().enumerate() {
            let Some(points) = self.points(form) else { continue };
            if best.as_ref().is_some_and(|(best, _)| points.score <= best.score) {
                continue;
            }
            if believed(points.date, points.name.naming, at) {
                best = Some((points, form));
            } else {
                is_doubted |= points.score >= self.profile.threshold;
            }
        }
        match best {
            Some((points, form)) if points.score >= self.profile.threshold => {
                Best::Believed(Box::new(self.explain(points, form)))
            }
            _ if is_doubted => Best::Doubted,
            _ => Best::None,
        }
    }

    /// How a name agrees: candidates share most of theirs.
    fn compare(&self, name: &Arc<[Token]>) -> Option<Rc<NameScore>> {
        if let Some(known) = self.compared.borrow().get(&name.as_ptr()) {
            return known.score.clone();
        }
        let score = self.name.compare(name, self.query.names_may_be_cut, self.profile).map(Rc::new);
        let compared = Compared { _name: Arc::clone(name), score: score.clone() };
        self.compared.borrow_mut().insert(name.as_ptr(), compared);
        score
    }

    fn points(&self, form: &NameForm) -> Option<Points> {
        let (query, profile) = (self.query, self.profile);
        let gender_conflicts = query.gender != 0 && form.gender != 0 && query.gender != form.gender;
        let nationality_matches = query.nationalities.iter().any(|asked| form.nationalities.contains(asked));
        let nationality_conflicts =
            !query.nationalities.is_empty() && !form.nationalities.is_empty() && !nationality_matches;
        if query.strict && (gender_conflicts || nationality_conflicts) {
            return None;
        }
        let name = self.compare(&form.tokens)?;
        let date = if form.is_organisation {
            DateMatch::NotAsked
        } else {
            date::best(query.birth_date, form.dates.iter().copied())
        };
        let base = combine(name.points, date, profile);
        let mut missing = name.missing_points;
        let mut taken = 0;
        // One name and a date that agrees in part are two weak signs, and many people have both.
        if name.is_weak && matches!(date, DateMatch::Digit | DateMatch::Year | DateMatch::YearNear | DateMatch::Unknown)
        {
            missing += profile.missing_part_points;
            taken = profile.missing_part_points as i32;
        }
        let gender = if gender_conflicts { profile.gender_conflict_points } else { 0 };
        let nationality = match (nationality_matches, nationality_conflicts) {
            (true, _) => Some(profile.nationality_match_points),
            (_, true) => Some(profile.nationality_conflict_points),
            _ => None,
        };
        let total = base as i32 - taken + gender + nationality.unwrap_or(0);
        let score = total.clamp(0, FULL as i32) as u32;
        let gender = gender_conflicts.then_some(gender);
        Some(Points { score, date, base, missing, gender, nationality, name })
    }

    /// The score in words; worked out for the best name alone.
    fn explain(&self, points: Points, form: &NameForm) -> PersonScore {
        let missing = (points.missing > 0).then_some((explain::MISSING_PART, -(points.missing as i32)));
        let gender = points.gender.map(|taken| (explain::GENDER, taken));
        let nationality = points.nationality.map(|added| (explain::NATIONALITY, added));
        let adjustments = [missing, gender, nationality]
            .into_iter()
            .flatten()
            .map(|(what, points)| pb::Adjustment { what: what.into(), points })
            .collect();
        PersonScore {
            score: points.score,
            date: points.date,
            identity_kind: form.identity_kind.clone(),
            explanation: pb::Explanation {
                tokens: self.name.explain(&points.name, &form.tokens),
                date: points.date.how().into(),
                date_points: points.base as i32 - points.name.points as i32,
                adjustments,
                ..Default::default()
            },
            title: form.tokens.iter().map(|token| token.original.as_str()).collect::<Vec<_>>().join(" "),
        }
    }
}

/// What one name of an alert is worth, before it is put into words.
struct Points {
    score: u32,
    date: DateMatch,
    /// Name and date together.
    base: u32,
    /// What missing parts took.
    missing: u32,
    /// What a gender that contradicts takes.
    gender: Option<i32>,
    /// What a nationality that agrees or contradicts adds or takes.
    nationality: Option<i32>,
    name: Rc<NameScore>,
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

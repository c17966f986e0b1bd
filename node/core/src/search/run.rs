//! The whole search: every leg, one ranked list.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    Normaliser, explain,
    index::key::Tail,
    leg,
    normalise::name::effective,
    query::ParsedQuery,
    score::{
        coincidence,
        date::DateMatch,
        person::{Best, Scorer},
    },
    session::{Counters, LabelSource, Session, unreadable},
};
use crate::{
    alert::{AlertId, StoredAlert, Viewer, sections},
    limits::SEARCH_CANDIDATES_MAX,
    pb,
    state::{View, ViewError},
};

/// What one call asks for beside the profile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SearchLimits {
    /// Most candidates; 0 = the profile's.
    pub max_candidates: u32,
    /// An alert to leave out (a search for duplicates of itself).
    pub except: Option<AlertId>,
}

/// One alert that answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its id.
    pub id: AlertId,
    /// 0 to 10000.
    pub score: u32,
    /// A number of the query is a number of the alert: ranks before every other.
    pub by_number: bool,
    /// Why.
    pub explanation: pb::Explanation,
    /// Value of the list "identity-kind" of the identity that matched; empty for objects.
    pub identity_kind: String,
    /// The name or number that matched, as the alert has it.
    pub title: String,
    /// The record.
    pub stored: StoredAlert,
    tail: Tail,
}

/// The answer of one search, the same on every node at one revision.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchAnswer {
    /// Numbers first, then by score, priority, newest, id.
    pub found: Vec<Found>,
    /// Persons left out because so many bear the name that a date that agrees in part says nothing, by what their index
    /// entries promise: their records are not read.
    pub coincidences: u32,
    /// Set when a limit cut the search short.
    pub truncation: Option<pb::Truncation>,
    /// What it cost.
    pub counters: Counters,
}

/// Runs every leg of `query` over `view` for `viewer`.
pub fn run(
    view: &dyn View,
    query: &ParsedQuery,
    viewer: &Viewer,
    labels: &dyn LabelSource,
    profile: &pb::SearchProfile,
    limits: SearchLimits,
) -> Result<SearchAnswer, ViewError> {
    Batch::new(view, query.normaliser, viewer, labels, profile)?.search(query, limits)
}

/// Searches of one caller on one state that share their work: the view with its cursors, the decisions about labels, and
/// the records read. Each is answered exactly as [`run()`] would.
pub struct Batch<'a> {
    session: Session<'a>,
    normaliser: Normaliser,
}

impl<'a> Batch<'a> {
    /// For queries that were read by `normaliser`, the one of `profile`.
    pub fn new(
        view: &'a dyn View,
        normaliser: Normaliser,
        viewer: &'a Viewer,
        labels: &'a dyn LabelSource,
        profile: &'a pb::SearchProfile,
    ) -> Result<Self, ViewError> {
        Ok(Self { session: Session::new(view, normaliser, viewer, labels, profile)?, normaliser })
    }

    /// Runs every leg of `query`.
    pub fn search(&mut self, query: &ParsedQuery, limits: SearchLimits) -> Result<SearchAnswer, ViewError> {
        if query.normaliser != self.normaliser {
            return Err(ViewError(format!(
                "a query read by {:?} in a batch of {:?}",
                query.normaliser, self.normaliser
            )));
        }
        self.session.begin();
        search(&mut self.session, query, limits)
    }
}

fn search(session: &mut Session<'_>, query: &ParsedQuery, limits: SearchLimits) -> Result<SearchAnswer, ViewError> {
    let profile = session.profile;
    let most = match limits.max_candidates {
        0 => profile.max_candidates,
        asked => asked.min(SEARCH_CANDIDATES_MAX),
    } as usize;
    let mut found: BTreeMap<AlertId, Found> = BTreeMap::new();
    numbers(session, query, limits, &mut found)?;
    let doubted = persons(session, query, limits, most, &mut found)?;
    let coincidences = doubted.iter().filter(|id| !found.contains_key(id)).count() as u32;
    let mut found: Vec<Found> = found.into_values().collect();
    found.sort_by_key(|found| (!found.by_number, Reverse(found.score), found.tail.order()));
    if found.len() > most {
        session.cut(explain::LIMIT_CANDIDATES, most as u64);
        found.truncate(most);
    }
    let truncation = session.limit.map(|(limit, limit_value)| pb::Truncation {
        limit: limit.into(),
        limit_value,
        narrow_by: query.narrow_by(limit).into(),
    });
    Ok(SearchAnswer { found, coincidences, truncation, counters: session.counters })
}

fn numbers(
    session: &mut Session<'_>,
    query: &ParsedQuery,
    limits: SearchLimits,
    found: &mut BTreeMap<AlertId, Found>,
) -> Result<(), ViewError> {
    for number in &query.numbers {
        let mut possible: Vec<Tail> = leg::number::gather(session, number)?.into_values().collect();
        possible.sort_by_key(Tail::order);
        for tail in possible {
            if limits.except == Some(tail.id) {
                continue;
            }
            let Some(record) = session.record(tail.id)? else { continue };
            if !session.may_score() {
                break;
            }
            let identities = record.section(sections::IDENTITIES).map_err(|error| unreadable(tail.id, error))?;
            let objects = record.section(sections::OBJECTS).map_err(|error| unreadable(tail.id, error))?;
            let Some(scored) = leg::number::score(number, &identities, &objects) else { continue };
            let answer = Found {
                id: tail.id,
                score: scored.score,
                by_number: true,
                explanation: scored.explanation,
                identity_kind: scored.identity_kind,
                title: scored.title,
                stored: StoredAlert::clone(&record),
                tail,
            };
            match found.get_mut(&tail.id) {
                Some(present) if present.score >= answer.score => {}
                _ => {
                    found.insert(tail.id, answer);
                }
            }
        }
    }
    Ok(())
}

/// Alerts that persons of the query may mean, into `found`. Gives back those that were left out as coincidences.
fn persons(
    session: &mut Session<'_>,
    query: &ParsedQuery,
    limits: SearchLimits,
    most: usize,
    found: &mut BTreeMap<AlertId, Found>,
) -> Result<BTreeSet<AlertId>, ViewError> {
    let mut doubted = BTreeSet::new();
    for person in &query.persons {
        let scorer = Scorer::new(person, session.profile);
        let mut scores = Vec::new();
        for possible in leg::person::gather(session, person)? {
            let tail = possible.tail;
            // More than can be shown score what the rest promise at best: the answer is cut, whatever the rest are.
            if scores.iter().filter(|score| **score >= possible.estimate).count() > most {
                break;
            }
            if limits.except == Some(tail.id) {
                continue;
            }
            // Whose number is in the alert as well is met by no coincidence.
            let by_number = found.get(&tail.id).is_some_and(|present| present.by_number);
            let all = by_number || person.with_coincidences;
            if !all && !possible.may_be_believed(session.profile) {
                if possible.estimate >= session.profile.threshold {
                    doubted.insert(tail.id);
                }
                continue;
            }
            let Some(record) = session.record(tail.id)? else { continue };
            if !session.may_score() {
                break;
            }
            let forms = session.name_forms(tail.id, &record, query.normaliser)?;
            let mut rarest = Vec::new();
            if !all && possible.is_undated() {
                for form in &forms {
                    rarest.push((leg::person::rarest_part(session, &form.tokens)?, effective(&form.tokens).count()));
                }
            }
            let asked = effective(&person.tokens).count();
            let believed = |date, naming, at: usize| {
                let bearers = possible.bearers(date);
                let bearers = match rarest.get(at) {
                    Some((rarest, parts)) if date == DateMatch::Unknown => {
                        bearers.max(coincidence::expected_others(*rarest, asked.min(*parts), naming))
                    }
                    _ => bearers,
                };
                all || !coincidence::is_likely(date, naming, bearers, session.profile)
            };
            let scored = match scorer.best(&forms, &believed) {
                Best::Believed(scored) => Some(*scored),
                Best::Doubted => {
                    doubted.insert(tail.id);
                    None
                }
                Best::None => None,
            };
            let Some(mut scored) = scored else { continue };
            scores.push(scored.score);
            scored.explanation.notes = person.notes.clone();
            match found.get_mut(&tail.id) {
                // Found by number as well: one candidate, both reasons.
                Some(present) if present.by_number => {
                    let number = std::mem::take(&mut present.explanation);
                    present.explanation = both(scored.explanation, number);
                    present.score = present.score.max(scored.score);
                    present.identity_kind = scored.identity_kind;
                    present.title = scored.title;
                }
                Some(present) if present.score >= scored.score => {}
                _ => {
                    let answer = Found {
                        id: tail.id,
                        score: scored.score,
                        by_number: false,
                        explanation: scored.explanation,
                        identity_kind: scored.identity_kind,
                        title: scored.title,
                        stored: StoredAlert::clone(&record),
                        tail,
                    };
                    found.insert(tail.id, answer);
                }
            }
        }
    }
    Ok(doubted)
}

fn both(person: pb::Explanation, number: pb::Explanation) -> pb::Explanation {
    let mut notes = number.notes;
    for note in person.notes {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    pb::Explanation {
        number_kind: number.number_kind,
        number_how: number.number_how,
        adjustments: number.adjustments.into_iter().chain(person.adjustments).collect(),
        notes,
        ..person
    }
}

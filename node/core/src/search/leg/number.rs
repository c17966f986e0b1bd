//! Numbers: exact, with look-alikes, by the last eight of a chassis number, inside a range.

use std::collections::BTreeMap;

use crate::{
    alert::AlertId,
    pb,
    search::{
        explain,
        identifier::{self, Identifier},
        index::{
            key::{self, NumberKey, Tail},
            range,
            signature::NumberSignature,
        },
        normalise::number::{self, LOOK_ALIKE_DIFFERENCES_MAX, NumberKind},
        query::{Leg, NumberQuery},
        score::FULL,
        session::Session,
    },
    state::{ViewError, family::Family},
};

/// What each look-alike takes.
const PER_LOOK_ALIKE: u32 = 700;
/// What the last eight characters of a chassis number are worth.
const LAST_8: u32 = 8_500;
/// What a number inside a range is worth.
const IN_RANGE: u32 = 9_800;
/// What a number of another kind than the one asked for takes.
const OTHER_KIND: u32 = 2_500;
/// A number shorter than this is no evidence when the alert has it as another kind.
const OTHER_KIND_CHARS_MIN: usize = 5;
/// What a country that the alert does not state takes.
const COUNTRY_UNKNOWN: u32 = 100;
/// What another type of document takes.
const DOCUMENT_TYPE: u32 = 500;
/// What another make or model of a vehicle takes: plates are cloned.
const MAKE: u32 = 1_000;

/// How a number of an alert answers a query.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberScore {
    /// 0 to 10000.
    pub score: u32,
    /// Why.
    pub explanation: pb::Explanation,
    /// Value of the list "identity-kind", or empty.
    pub identity_kind: String,
    /// The number that matched, as the alert has it.
    pub title: String,
}

/// Alerts whose postings answer `query`, each with the end of its key.
pub fn gather(session: &mut Session<'_>, query: &NumberQuery) -> Result<BTreeMap<AlertId, Tail>, ViewError> {
    let mut found = BTreeMap::new();
    let hashes = hashes(query);
    for head in session.heads() {
        for hash in &hashes {
            session.scan(Family::Number, &head.number(*hash), None, true, &mut |tail, value| {
                let possible = NumberSignature::decode(value).is_some_and(|signature| {
                    signature.kind.is_none_or(|kind| query.may_be(kind)) && !query.country.conflicts(signature.country)
                });
                if possible {
                    found.insert(tail.id, tail);
                }
            })?;
        }
    }
    Ok(found)
}

/// The lists that can hold answers; each once.
fn hashes(query: &NumberQuery) -> Vec<[u8; 8]> {
    let mut hashes = Vec::new();
    let mut add = |what: NumberKey, number: &str| {
        let hash = key::number_hash(what, number);
        if !hashes.contains(&hash) {
            hashes.push(hash);
        }
    };
    add(NumberKey::Whole, &query.number);
    for kind in [NumberKind::Imo, NumberKind::Container] {
        if query.may_be(kind) {
            add(NumberKey::Whole, &number::refine(kind, query.number.clone()));
        }
    }
    if query.may_be(NumberKind::Vin) {
        if query.may_be_vin_tail() {
            add(NumberKey::VinTail, &query.number);
        }
        // An alert may hold no more than the last eight characters.
        if let Some(tail) = number::vin_tail(&query.number).filter(|_| query.expects(NumberKind::Vin)) {
            add(NumberKey::Whole, &tail);
        }
    }
    if query.may_be(NumberKind::Document) || query.may_be(NumberKind::Banknote) {
        for block in range::blocks_of(&query.number) {
            add(NumberKey::Block, &block);
        }
    }
    hashes
}

/// The best answer among a record's numbers; `None` when a posting promised what the record does not hold.
pub fn score(
    query: &NumberQuery,
    identities: &pb::IdentitySection,
    objects: &pb::ObjectSection,
) -> Option<NumberScore> {
    let mut best: Option<NumberScore> = None;
    for identifier in identifier::of_sections(Some(identities), Some(objects)) {
        if let Some(scored) = compare(query, &identifier)
            && best.as_ref().is_none_or(|best| scored.score > best.score)
        {
            best = Some(scored);
        }
    }
    best
}

fn compare(query: &NumberQuery, identifier: &Identifier) -> Option<NumberScore> {
    if !query.may_be(identifier.kind) || query.country.conflicts(identifier.country) {
        return None;
    }
    let asked = number::refine(identifier.kind, query.number.clone());
    let (points, how) = agreement(&asked, identifier)?;
    let mut adjustments = Vec::new();
    let mut take = |what: &str, points: u32| {
        adjustments.push(pb::Adjustment { what: what.into(), points: -(points as i32) });
    };
    let differs = |asked: &str, known: &str| !asked.is_empty() && !known.is_empty() && asked != known;
    let other_class = differs(&query.object_class, &identifier.object_class);
    if !query.expects(identifier.kind) || other_class {
        if asked.chars().count() < OTHER_KIND_CHARS_MIN {
            return None;
        }
        take(explain::OTHER_KIND, OTHER_KIND);
    }
    if query.country.is_known() && !identifier.country.is_known() {
        take(explain::COUNTRY_UNKNOWN, COUNTRY_UNKNOWN);
    }
    if differs(&query.document_type, &identifier.document_type) {
        take(explain::DOCUMENT_TYPE, DOCUMENT_TYPE);
    }
    if differs(&query.make, &identifier.make) || differs(&query.model, &identifier.model) {
        if query.leg == Leg::Object {
            return None;
        }
        take(explain::MAKE, MAKE);
    }
    let taken: i32 = adjustments.iter().map(|adjustment| adjustment.points).sum();
    Some(NumberScore {
        score: (points as i32 + taken).clamp(0, FULL as i32) as u32,
        explanation: pb::Explanation {
            date: explain::DATE_NOT_ASKED.into(),
            adjustments,
            number_kind: identifier.kind.name().into(),
            number_how: how.into(),
            notes: query.notes.clone(),
            ..Default::default()
        },
        identity_kind: identifier.identity_kind.clone(),
        title: identifier.number.clone(),
    })
}

fn agreement(asked: &str, identifier: &Identifier) -> Option<(u32, &'static str)> {
    let known = identifier.number.as_str();
    if asked == known {
        return Some((FULL, explain::NUMBER_EXACT));
    }
    let alike = |a: &str, b: &str| {
        number::look_alike_differences(a, b).filter(|differences| *differences <= LOOK_ALIKE_DIFFERENCES_MAX)
    };
    if let Some(differences) = alike(asked, known) {
        return Some((FULL - PER_LOOK_ALIKE * differences as u32, explain::NUMBER_LOOK_ALIKE));
    }
    if identifier.kind == NumberKind::Vin {
        let tails =
            [(Some(asked.to_owned()), number::vin_tail(known)), (number::vin_tail(asked), Some(known.to_owned()))];
        for pair in tails {
            if let (Some(a), Some(b)) = pair
                && let Some(differences) = alike(&a, &b)
            {
                return Some((LAST_8 - PER_LOOK_ALIKE * differences as u32, explain::NUMBER_LAST_8));
            }
        }
    }
    let to = identifier.range_to.as_deref()?;
    range::contains(known, to, asked).then_some((IN_RANGE, explain::NUMBER_IN_RANGE))
}

//! Likeness of an alert to those in the store: warns its creator, never blocks.

use super::{
    Normaliser, SearchAnswer, SearchLimits, identifier,
    index::form::{self, NameForm},
    query::{Leg, NumberQuery, ParsedQuery, PersonQuery},
    run::run,
    session::LabelSource,
};
use crate::{
    alert::{AlertId, Viewer},
    pb,
    search::normalise::date::Date,
    state::{View, ViewError},
};

/// Most numbers and names of the alert that are looked for.
const PARTS_MAX: usize = 32;

/// Searches for every number and name of `alert`, read by `normaliser` (the profile's), itself left out when it has an id.
pub fn duplicates(
    view: &dyn View,
    alert: &pb::Alert,
    normaliser: Normaliser,
    viewer: &Viewer,
    labels: &dyn LabelSource,
    profile: &pb::SearchProfile,
    limits: SearchLimits,
) -> Result<SearchAnswer, ViewError> {
    let except = limits.except.or_else(|| alert.id.parse::<AlertId>().ok());
    run(view, &query(alert, normaliser), viewer, labels, profile, SearchLimits { except, ..limits })
}

/// The alert as a query for alerts like it.
fn query(alert: &pb::Alert, normaliser: Normaliser) -> ParsedQuery {
    let numbers = identifier::identifiers(alert).into_iter().take(PARTS_MAX).map(|identifier| NumberQuery {
        kinds: vec![identifier.kind],
        only_leg: true,
        country: identifier.country,
        make: identifier.make,
        model: identifier.model,
        ..NumberQuery::new(Leg::Any, &identifier.number)
    });
    let forms = alert.identities.iter().flat_map(|section| form::name_forms(section, normaliser));
    let persons = forms.take(PARTS_MAX).map(person);
    ParsedQuery { normaliser, numbers: numbers.collect(), persons: persons.collect(), warnings: Vec::new() }
}

fn person(form: NameForm) -> PersonQuery {
    let birth_date = form.dates.iter().find(|date| !date.is_span()).map_or(Date::UNKNOWN, |date| date.date);
    PersonQuery {
        tokens: form.tokens.to_vec(),
        birth_date,
        gender: form.gender,
        nationalities: form.nationalities,
        strict: false,
        names_may_be_cut: false,
        with_coincidences: false,
        notes: Vec::new(),
    }
}

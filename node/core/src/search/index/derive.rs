//! All index entries of one alert.

use std::collections::BTreeMap;

use super::{
    form::{self, NameForm},
    key::{self, Head, NumberKey, Tail},
    range,
    signature::{self, NameSignature, NumberSignature, TokenSign},
};
use crate::{
    alert::{AlertId, LabelId, Partition},
    pb,
    search::{
        Normaliser, identifier,
        normalise::{
            country::Country,
            date::Date,
            name::{Class, effective},
            number::{self, NumberKind},
        },
    },
    state::family::Family,
};

/// Most names of one alert that are indexed, in the order of the record: a byte tells one from the other.
pub const FORMS_MAX: usize = u8::MAX as usize + 1;
/// Most identifying tokens of one name that make pairs.
pub const PAIR_TOKENS_MAX: usize = 8;
/// Most dates of birth that one name is indexed under.
pub const DATES_MAX: usize = 16;

/// An active alert, as the index sees it.
#[derive(Debug, Clone, Copy)]
pub struct IndexInput<'a> {
    /// The alert.
    pub id: AlertId,
    /// Which lists it is in.
    pub partition: Partition,
    /// Kept in each value, decides visibility.
    pub label: LabelId,
    /// Of its category; 0 is the highest.
    pub priority: u8,
    /// Replicated time of its creation, milliseconds since 1970.
    pub created_at_ms: u64,
    /// What to derive under.
    pub normaliser: Normaliser,
    /// The record.
    pub alert: &'a pb::Alert,
}

impl IndexInput<'_> {
    /// Its names.
    pub fn forms(&self) -> impl Iterator<Item = NameForm> {
        self.alert.identities.iter().flat_map(|section| form::name_forms(section, self.normaliser))
    }
}

/// Emits every entry (family, key, value) of `input`, each key once, in key order. The same input gives the same
/// entries on every node. Entries of the lexicon are counted, not set: see [`super::lexicon::changes`].
pub fn derive(input: &IndexInput<'_>, emit: &mut dyn FnMut(Family, Vec<u8>, Vec<u8>)) {
    let mut entries = Entries {
        head: Head { normaliser: input.normaliser.version(), partition: input.partition },
        tail: Tail { priority: input.priority, created_at_ms: input.created_at_ms, id: input.id },
        label: input.label,
        numbers: BTreeMap::new(),
        names: BTreeMap::new(),
    };
    for identifier in identifier::identifiers(input.alert) {
        entries.number(&identifier);
    }
    for (number, form) in (0..=u8::MAX).zip(input.forms()) {
        entries.name(number, &form);
    }
    for (key, signature) in entries.numbers {
        emit(Family::Number, key, signature.encode());
    }
    for ((family, key), signature) in entries.names {
        emit(family, key, signature.encode());
    }
}

struct Entries {
    head: Head,
    tail: Tail,
    label: LabelId,
    numbers: BTreeMap<Vec<u8>, NumberSignature>,
    names: BTreeMap<(Family, Vec<u8>), NameSignature>,
}

impl Entries {
    fn number(&mut self, identifier: &identifier::Identifier) {
        let signature = NumberSignature { label: self.label, kind: Some(identifier.kind), country: identifier.country };
        self.number_key(NumberKey::Whole, &identifier.number, signature);
        if identifier.kind == NumberKind::Vin
            && let Some(tail) = number::vin_tail(&identifier.number)
        {
            self.number_key(NumberKey::VinTail, &tail, signature);
        }
        if let Some(to) = &identifier.range_to {
            for block in range::blocks(&identifier.number, to) {
                self.number_key(NumberKey::Block, &block, signature);
            }
        }
    }

    fn number_key(&mut self, what: NumberKey, number: &str, signature: NumberSignature) {
        let key = key::with_tail(self.head.number(key::number_hash(what, number)), self.tail);
        self.numbers.entry(key).and_modify(|present| present.merge(signature)).or_insert(signature);
    }

    /// `number` tells it from the alert's other names.
    fn name(&mut self, number: u8, form: &NameForm) {
        let names: Vec<Vec<Class>> = effective(&form.tokens).map(|token| token.classes().collect()).collect();
        let mut tokens: Vec<_> = form.tokens.iter().flat_map(TokenSign::of).collect();
        tokens.sort_unstable();
        let signature = NameSignature {
            label: self.label,
            gender: form.gender,
            nationality: match form.nationalities.as_slice() {
                [only] => *only,
                _ => Country::UNKNOWN,
            },
            // Nobody asks an organisation for its date of birth.
            date_decides: !form.is_organisation && form.dates.len() <= signature::DATES_MAX,
            dates: form.dates.iter().take(signature::DATES_MAX).copied().collect(),
            one_name: true,
            tokens,
        };
        let mut years: Vec<u16> = form.dates.iter().take(DATES_MAX).flat_map(|date| date.index_years()).collect();
        if years.is_empty() {
            years.push(0);
        }
        years.sort_unstable();
        years.dedup();
        for date in form.dates.iter().take(DATES_MAX) {
            let dates: Vec<Date> = if date.is_span() {
                date.index_years().filter(|year| *year != 0).map(|year| Date { year, month: 0, day: 0 }).collect()
            } else {
                vec![date.date]
            };
            for date in dates {
                for class in names.iter().flatten() {
                    let day = key::with_year(self.head.name_day(*class, date), date.year);
                    self.set_name(Family::NameDay, day, &signature);
                }
                if date.is_a_birthday() {
                    let mut key = key::with_tail(self.head.born(date), self.tail);
                    key.push(number);
                    self.names.insert((Family::Born, key), signature.clone());
                }
            }
        }
        for year in years {
            for (at, classes) in names.iter().enumerate() {
                for class in classes {
                    self.set_name(Family::NameOne, key::with_year(self.head.name_one(*class), year), &signature);
                    for other in names.iter().take(PAIR_TOKENS_MAX).skip(at + 1).flatten() {
                        let pair = self.head.name_pair(*class, *other);
                        self.set_name(Family::NamePair, key::with_year(pair, year), &signature);
                    }
                    if names.len() == 1 {
                        let pair = self.head.name_pair(*class, Class::NONE);
                        self.set_name(Family::NamePair, key::with_year(pair, year), &signature);
                    }
                }
            }
        }
    }

    fn set_name(&mut self, family: Family, prefix: Vec<u8>, signature: &NameSignature) {
        let key = key::with_tail(prefix, self.tail);
        match self.names.entry((family, key)) {
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(signature.clone());
            }
            std::collections::btree_map::Entry::Occupied(mut entry) => entry.get_mut().merge(signature.clone()),
        }
    }
}

//! A query as the search runs it: checked, normalised, divided into legs.

mod parse;

pub use parse::parse;

use super::{
    Normaliser, explain,
    index::key::{self, NumberKey},
    normalise::{
        country::Country,
        date::Date,
        name::{self, Class, Token},
        number::{self, NumberKind},
    },
};
use crate::pb;

/// Which leg of a query asks. Legs are independent: none suppresses another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leg {
    /// Identity documents.
    Document,
    /// Names, dates of birth, national numbers.
    Person,
    /// Vehicles.
    Vehicle,
    /// Everything else.
    Object,
    /// A number of unknown kind.
    Any,
}

impl Leg {
    /// The kinds of number that the leg asks for; a number that an alert has as another kind is found too, for less.
    pub fn expects(self, kind: NumberKind) -> bool {
        use NumberKind::*;
        match self {
            Self::Any => true,
            Self::Document => matches!(kind, Document),
            Self::Person => matches!(kind, NationalNumber),
            Self::Vehicle => matches!(kind, Vin | Plate | VehicleEngine | Certificate),
            Self::Object => !matches!(kind, NationalNumber | Vin | Plate),
        }
    }
}

/// A valid query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParsedQuery {
    /// What its names were read by: it can only be answered from keys and records read by the same.
    pub normaliser: Normaliser,
    /// Numbers to look for, each on its own.
    pub numbers: Vec<NumberQuery>,
    /// Persons to look for, each on its own.
    pub persons: Vec<PersonQuery>,
    /// What was wrong and did not stop the query, for example a failed check digit.
    pub warnings: Vec<pb::Fault>,
}

/// One number to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberQuery {
    /// Who asks.
    pub leg: Leg,
    /// As [`number::plain`] gives it.
    pub number: String,
    /// The kinds that count as asked for; empty = all that the leg expects.
    pub kinds: Vec<NumberKind>,
    /// True: other kinds are left out (explicit `legs`).
    pub only_leg: bool,
    /// Issuer, where the query states one.
    pub country: Country,
    /// Value of the list "document-type", or empty.
    pub document_type: String,
    /// Value of the list "object-class", or empty.
    pub object_class: String,
    /// Lower case, or empty.
    pub make: String,
    /// Lower case, or empty.
    pub model: String,
    /// Notes on where the number came from, for explanations.
    pub notes: Vec<String>,
}

impl NumberQuery {
    /// A number for one leg, nothing else stated.
    pub fn new(leg: Leg, text: &str) -> Self {
        Self {
            leg,
            number: number::plain(text),
            kinds: Vec::new(),
            only_leg: false,
            country: Country::UNKNOWN,
            document_type: String::new(),
            object_class: String::new(),
            make: String::new(),
            model: String::new(),
            notes: Vec::new(),
        }
    }

    /// The number may be the last eight characters of a chassis number.
    pub fn may_be_vin_tail(&self) -> bool {
        self.number.chars().count() == number::VIN_TAIL_CHARS && self.may_be(NumberKind::Vin)
    }

    /// The kind may answer the query.
    pub fn may_be(&self, kind: NumberKind) -> bool {
        !self.only_leg || self.expects(kind)
    }

    /// The kind is what the query asks for.
    pub fn expects(&self, kind: NumberKind) -> bool {
        if self.kinds.is_empty() { self.leg.expects(kind) } else { self.kinds.contains(&kind) }
    }
}

/// One person to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonQuery {
    /// Tokens of all names, in the query's order.
    pub tokens: Vec<Token>,
    /// Unknown parts are zero.
    pub birth_date: Date,
    /// b'M', b'F', or 0 when not stated.
    pub gender: u8,
    /// Stated nationalities.
    pub nationalities: Vec<Country>,
    /// Gender and nationality exclude instead of weighing.
    pub strict: bool,
    /// Tokens may be beginnings of names.
    pub names_may_be_cut: bool,
    /// Persons are shown too whose name many bear and whose date agrees in part only.
    pub with_coincidences: bool,
    /// Notes on where the person came from, for explanations.
    pub notes: Vec<String>,
}

impl ParsedQuery {
    /// Where its first keys lie (of persons: who was born on the day): queries sorted by it seek neighbouring keys one
    /// after the other.
    pub fn place_in_index(&self) -> Vec<u8> {
        match (self.persons.first(), self.numbers.first()) {
            (Some(person), _) => {
                let class = name::effective(&person.tokens).next().map_or(Class::NONE, Token::class);
                [person.birth_date.to_bytes().as_slice(), &class.0].concat()
            }
            (None, Some(number)) => key::number_hash(NumberKey::Whole, &number.number).to_vec(),
            (None, None) => Vec::new(),
        }
    }

    /// What an officer could add to get a shorter list, for a limit of [`explain`].
    pub fn narrow_by(&self, limit: &str) -> &'static str {
        let dated = self.persons.iter().all(|person| person.birth_date.is_full());
        let one_name = self.persons.iter().any(|person| person.tokens.len() < 2);
        match (self.persons.is_empty(), limit) {
            (true, _) => "country, kind, make or model of what the number belongs to",
            (false, explain::LIMIT_EXPANSIONS) => "fewer names",
            (false, _) if !dated => "date of birth",
            (false, _) if one_name => "another name",
            (false, _) => "gender and nationality, as a strict search",
        }
    }
}

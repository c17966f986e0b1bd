//! Synthetic alerts: seeded, the same on every machine, with the skew of the real world (name frequencies, scripts and
//! origins, aliases, dates of birth known in part, the object mix of the Schengen Information System). Used by the
//! demo, by tests and by benches. Nobody in particular is meant by any record.
//!
//! The n-th record depends on (seed, kind, n) alone: a set of ten million can be made in shards, in any order, and its
//! first thousand are the set of one thousand.
//!
//! ```
//! let generator = alert_synth::Generator::new(1);
//! assert_eq!(generator.person(7), alert_synth::Generator::new(1).person(7));
//! ```
//!
//! * `names`: naming cultures, full names, transliteration.
//! * `person`, `birth`, `numbers`: the person's side of an alert.
//! * `object`, `vehicle`: things.
//! * `case`: why, by whom, from which source, what to do.
//! * `plain`: one plain person, numbered, for tests.
//! * `known`: a few fixed records that the demo and tests look for.
//! * `query`, `perturb`: what somebody would ask to find a record, and how they would get it wrong.
//! * `json`: the protobuf JSON mapping, one record a line.

mod birth;
mod case;
pub mod checks;
pub mod codes;
pub mod json;
pub mod known;
pub mod names;
mod numbers;
mod object;
mod person;
pub mod perturb;
pub mod plain;
pub mod query;
pub mod rng;
mod vehicle;

use alert_proto::v1 as pb;

pub use names::Origin;
pub use numbers::Zone;
pub use query::query_for;

use names::NameBook;
use rng::Rng;

/// Makes records by number.
#[derive(Debug, Clone)]
pub struct Generator {
    seed: u64,
    names: NameBook,
}

impl Generator {
    /// A set of records. Two seeds give two sets whose references never clash.
    pub fn new(seed: u64) -> Self {
        Self { seed, names: NameBook::new() }
    }

    /// The n-th person alert. Without an id: the store gives it.
    pub fn person(&self, number: u64) -> pb::Alert {
        person::alert(&self.names, &self.stream("person", number), self.reference('P', number))
    }

    /// The n-th object alert. Without an id: the store gives it.
    pub fn object(&self, number: u64) -> pb::Alert {
        object::alert(&self.stream("object", number), self.reference('O', number))
    }

    /// The group of origin that the n-th person's name comes from.
    pub fn origin(&self, number: u64) -> Origin {
        self.names.origin(person::culture(&self.names, &self.stream("person", number)))
    }

    /// The naming culture of the n-th person, finer than the origin; for tables.
    pub fn culture(&self, number: u64) -> &'static str {
        self.names.culture_name(person::culture(&self.names, &self.stream("person", number)))
    }

    /// The names that records are made of.
    pub fn names(&self) -> &NameBook {
        &self.names
    }

    fn stream(&self, kind: &str, number: u64) -> Rng {
        Rng::new(self.seed, kind, number)
    }

    fn reference(&self, kind: char, number: u64) -> String {
        format!("SYN{}-{kind}{number:08}", self.seed)
    }
}

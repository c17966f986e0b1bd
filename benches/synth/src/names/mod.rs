//! Names as papers show them: composed from small hand-written lists of common given names and surnames, with a long
//! tail of surnames built from stems and endings. The frequencies follow Zipf's law; nobody in particular is meant.
//!
//! * `culture`: what a naming culture is, and its lists made ready.
//! * `compose`: a full name by the custom of its culture, and the other ways in which the same name is written.
//! * `script`: transliteration (ICAO 9303 part 3 for Latin and Cyrillic, ISO 843 for Greek) and its popular rivals.
//! * `data_*`: the lists.

mod compose;
mod culture;
mod data_east;
mod data_far;
mod data_south;
mod data_west;
pub mod script;

use std::collections::BTreeMap;

pub use compose::{FullName, Part, PartKind, Spelling};
pub use culture::{Gender, Origin};

use crate::rng::Rng;
use culture::{Culture, Lists, Name};

/// All cultures, made ready for drawing.
#[derive(Debug, Clone)]
pub struct NameBook {
    cultures: Vec<(Lists, u32)>,
    /// Every Latin spelling in lower case -> the spellings of the same name.
    spellings: BTreeMap<String, Vec<String>>,
}

/// Which culture a person's name follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CultureId(usize);

impl Default for NameBook {
    fn default() -> Self {
        Self::new()
    }
}

impl NameBook {
    /// Reads the lists once.
    pub fn new() -> Self {
        let all = [data_west::CULTURES, data_east::CULTURES, data_south::CULTURES, data_far::CULTURES].concat();
        let cultures: Vec<(Lists, u32)> =
            all.into_iter().map(|culture| (Lists::new(culture), culture.weight)).collect();
        let mut spellings = BTreeMap::<String, Vec<String>>::new();
        for name in cultures.iter().flat_map(|(lists, _)| lists.names()).filter(|name| name.latin.len() > 1) {
            for spelling in &name.latin {
                let known = spellings.entry(spelling.to_lowercase()).or_default();
                known.extend(name.latin.iter().filter(|other| *other != spelling).cloned());
            }
        }
        for known in spellings.values_mut() {
            known.sort();
            known.dedup();
        }
        Self { cultures, spellings }
    }

    /// A culture, by its share among the persons of the store.
    pub fn draw_culture(&self, rng: &mut Rng) -> CultureId {
        let total: u64 = self.cultures.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let mut left = rng.below(total);
        for (at, (_, weight)) in self.cultures.iter().enumerate() {
            match left.checked_sub(u64::from(*weight)) {
                Some(less) => left = less,
                None => return CultureId(at),
            }
        }
        CultureId(0)
    }

    /// The group of origin that a culture is counted under.
    pub fn origin(&self, culture: CultureId) -> Origin {
        self.culture(culture).origin
    }

    /// The culture's name, for tables.
    pub fn culture_name(&self, culture: CultureId) -> &'static str {
        self.culture(culture).name
    }

    /// A nationality, as frequent as in that culture.
    pub fn draw_nationality(&self, culture: CultureId, rng: &mut Rng) -> &'static str {
        rng.weighted(self.culture(culture).nationalities)
    }

    /// A full name by the custom of the culture.
    pub fn draw_name(&self, culture: CultureId, gender: Gender, rng: &mut Rng) -> FullName {
        compose::full_name(&self.cultures[culture.0].0, gender, rng)
    }

    /// Other Latin spellings of one part of a name, where the lists know any. Case does not matter.
    pub fn other_spellings(&self, part: &str) -> &[String] {
        self.spellings.get(&part.to_lowercase()).map_or(&[], Vec::as_slice)
    }

    fn culture(&self, culture: CultureId) -> &Culture {
        self.cultures[culture.0].0.culture()
    }
}

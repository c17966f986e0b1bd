//! What a naming culture is.

use super::script;
use crate::rng::{Rng, Zipf};

/// Groups of origin, for example to see that no origin is missed more often than another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// Great Britain and Ireland.
    British,
    /// Western, Southern and Northern Europe and their Latin American relatives.
    WestEuropean,
    /// Latin and Cyrillic Eastern Europe.
    EastEuropean,
    /// Greece and Cyprus.
    Greek,
    /// The Levant, the Gulf, Egypt and the Maghreb.
    Arab,
    /// Turkey.
    Turkish,
    /// Iran and Afghanistan.
    Iranian,
    /// Pakistan, Bangladesh, India, Sri Lanka, Nepal.
    SouthAsian,
    /// Chinese in Han characters, pinyin and southern spellings.
    Chinese,
    /// Korea.
    Korean,
    /// Viet Nam.
    Vietnamese,
    /// Nigeria, Ghana, Senegambia.
    WestAfrican,
}

/// Which given names are drawn. An unknown gender draws from both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gender {
    /// List "gender": male.
    Male,
    /// List "gender": female.
    Female,
}

/// How a full name is put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pattern {
    /// Forename, sometimes a second one, surname.
    Western,
    /// Forename, the father's and the mother's surname.
    TwoSurnames,
    /// As Western; -ski has a feminine.
    Polish,
    /// Forename, often a patronymic, surname with a feminine.
    EastSlavic,
    /// Forename, surname with a feminine.
    Greek,
    /// Own, father's, often grandfather's given name, family name; "bin" between them or not.
    Arab,
    /// As Western, often with a leading Muhammad; women with Bibi, Begum; often a single name.
    SouthAsianMuslim,
    /// Forename, Singh or Kaur, clan or none.
    Sikh,
    /// Surname of one character or two, given name of one or two.
    Chinese,
    /// Surname, given name of two syllables.
    Korean,
    /// Surname, middle name, given name.
    Vietnamese,
}

/// The lists of one culture. Entries are divided by spaces (`_` stands for a space inside), spellings by `/`, the
/// commonest first; `=` leads to the name in its own script.
#[derive(Debug, Clone, Copy)]
pub(super) struct Culture {
    /// For tables.
    pub name: &'static str,
    pub origin: Origin,
    /// Its share among persons.
    pub weight: u32,
    /// BCP 47.
    pub language: &'static str,
    /// ISO 15924 of its own script.
    pub script: &'static str,
    pub pattern: Pattern,
    pub nationalities: &'static [(&'static str, u32)],
    pub male: &'static str,
    pub female: &'static str,
    pub surnames: &'static str,
    /// The long tail of surnames: a stem and an ending.
    pub stems: &'static str,
    pub endings: &'static str,
    pub tail_per_mille: u32,
}

/// One entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    /// Latin spellings, the usual one first; never empty.
    pub latin: Vec<String>,
    /// In the culture's own script, where that is not Latin.
    pub native: Option<String>,
}

impl Name {
    /// From an entry of a list.
    pub(super) fn parse(entry: &str, language: &str) -> Self {
        let entry = entry.replace('_', " ");
        if let Some((latin, native)) = entry.split_once('=') {
            return Self { latin: latin.split('/').map(String::from).collect(), native: Some(native.into()) };
        }
        if entry.chars().any(|letter| letter as u32 >= 0x370 && letter as u32 <= 0x52f) {
            return Self::from_native(entry, language);
        }
        Self { latin: entry.split('/').map(String::from).collect(), native: None }
    }

    /// A Cyrillic or Greek name, its Latin spellings derived.
    pub(super) fn from_native(native: String, language: &str) -> Self {
        let mut latin = vec![script::romanise(&native, language)];
        for popular in script::popular_romanisations(&native, language) {
            if !latin.contains(&popular) {
                latin.push(popular);
            }
        }
        Self { latin, native: Some(native) }
    }

    /// Two entries written as one word.
    pub(super) fn joined(&self, ending: &Name) -> Self {
        let native = match (&self.native, &ending.native) {
            (Some(stem), Some(ending)) => Some(format!("{stem}{ending}")),
            _ => None,
        };
        Self { latin: vec![format!("{}{}", self.latin[0], ending.latin[0])], native }
    }
}

/// A list with its frequencies.
#[derive(Debug, Clone)]
pub(super) struct NameList {
    pub names: Vec<Name>,
    zipf: Zipf,
}

impl NameList {
    fn new(list: &str, language: &str, offset: u64) -> Self {
        let names: Vec<Name> = list.split_whitespace().map(|entry| Name::parse(entry, language)).collect();
        Self { zipf: Zipf::new(names.len(), offset), names }
    }

    pub(super) fn draw(&self, rng: &mut Rng) -> &Name {
        &self.names[self.zipf.rank(rng)]
    }
}

/// The lists of a culture, made ready for drawing.
#[derive(Debug, Clone)]
pub(super) struct Lists {
    culture: Culture,
    pub male: NameList,
    pub female: NameList,
    surnames: NameList,
    stems: NameList,
    endings: NameList,
}

impl Lists {
    pub(super) fn new(culture: Culture) -> Self {
        let list = |list, offset| NameList::new(list, culture.language, offset);
        Self {
            culture,
            male: list(culture.male, 8),
            female: list(culture.female, 8),
            surnames: list(culture.surnames, 6),
            stems: list(culture.stems, 20),
            endings: list(culture.endings, 20),
        }
    }

    pub(super) fn culture(&self) -> &Culture {
        &self.culture
    }

    pub(super) fn given(&self, gender: Gender) -> &NameList {
        match gender {
            Gender::Male => &self.male,
            Gender::Female => &self.female,
        }
    }

    /// A surname: one of the common ones, or one of the tail.
    pub(super) fn draw_surname(&self, rng: &mut Rng) -> Name {
        if rng.chance(u64::from(self.culture.tail_per_mille)) {
            let joined = self.stems.draw(rng).joined(self.endings.draw(rng));
            return match joined.native {
                // Cyrillic and Greek: the Latin form of the whole word, with the accent where the ending has it.
                Some(native) if matches!(self.culture.script, "Cyrl" | "Grek") => {
                    Name::from_native(native, self.culture.language)
                }
                _ => joined,
            };
        }
        self.surnames.draw(rng).clone()
    }

    /// Every whole name of the lists.
    pub(super) fn names(&self) -> impl Iterator<Item = &Name> {
        [&self.male, &self.female, &self.surnames].into_iter().flat_map(|list| &list.names)
    }
}

//! An alert's names, each with what is known of the person under that name.

use std::{collections::HashMap, convert::Infallible, sync::Arc};

use bytes::Bytes;
use prost::Message;

use crate::{
    pb,
    search::Normaliser,
    search::normalise::{
        country::Country,
        date::BirthDate,
        name::{KnownWords, Token},
    },
};

/// One name of an alert's subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameForm {
    /// Its tokens, in the order of the record.
    pub tokens: Arc<[Token]>,
    /// Every date of birth that may go with the name.
    pub dates: Vec<BirthDate>,
    /// Value of the list "identity-kind".
    pub identity_kind: String,
    /// b'M', b'F', or 0 when unknown or neither.
    pub gender: u8,
    /// Known nationalities.
    pub nationalities: Vec<Country>,
    /// The name of an organisation, not of a person.
    pub is_organisation: bool,
}

/// The kind of identity that belongs to somebody else: its dates never mix with the subject's own.
const MISUSED: &str = "misused";

/// What names need of one identity, its names being read already or not.
struct Subject<'a, Name> {
    kind: &'a Option<pb::Code>,
    names: &'a [Name],
    birth_dates: &'a [pb::BirthDate],
    gender: Option<&'a pb::Code>,
    nationalities: &'a [pb::Party],
}

/// All names of the section. Dates of one identity hold for the aliases too: an alias is the same person, and an alert
/// seldom repeats the date. What is known of a misused identity stays with it.
pub fn name_forms(section: &pb::IdentitySection, normaliser: Normaliser) -> Vec<NameForm> {
    let persons: Vec<_> = section
        .identities
        .iter()
        .map(|identity| Subject {
            kind: &identity.kind,
            names: &identity.names,
            birth_dates: &identity.birth_dates,
            gender: identity.gender.as_ref(),
            nationalities: &identity.nationalities,
        })
        .collect();
    let organisations = section.organisations.iter().map(|organisation| (&organisation.kind, &organisation.names[..]));
    forms(&persons, organisations, |name| Ok::<_, Infallible>(tokens_of(name, normaliser).into()))
        .unwrap_or_else(|never| match never {})
}

/// The part of an identity section that names need, each name as its bytes: candidates of a search share most of theirs,
/// and one that was read before is not decoded again.
#[derive(Clone, PartialEq, prost::Message)]
pub struct NamesOnly {
    #[prost(message, repeated, tag = "1")]
    identities: Vec<IdentityNames>,
    #[prost(message, repeated, tag = "4")]
    organisations: Vec<OrganisationNames>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct IdentityNames {
    #[prost(message, optional, tag = "1")]
    kind: Option<pb::Code>,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    names: Vec<Bytes>,
    #[prost(message, repeated, tag = "3")]
    birth_dates: Vec<pb::BirthDate>,
    #[prost(message, optional, tag = "4")]
    gender: Option<pb::Code>,
    #[prost(message, repeated, tag = "5")]
    nationalities: Vec<pb::Party>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct OrganisationNames {
    #[prost(message, optional, tag = "1")]
    kind: Option<pb::Code>,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    names: Vec<Bytes>,
}

/// Names that candidates of a search have had, by their bytes, and the words they consist of.
#[derive(Debug, Default)]
pub struct KnownNames {
    names: HashMap<Bytes, Arc<[Token]>>,
    words: KnownWords,
}

impl KnownNames {
    /// How many names there are.
    pub fn count(&self) -> usize {
        self.names.len()
    }

    /// All names of a section, as [`name_forms`] has them.
    pub fn forms(&mut self, section: &NamesOnly, normaliser: Normaliser) -> Result<Vec<NameForm>, prost::DecodeError> {
        let persons: Vec<_> = section
            .identities
            .iter()
            .map(|identity| Subject {
                kind: &identity.kind,
                names: &identity.names,
                birth_dates: &identity.birth_dates,
                gender: identity.gender.as_ref(),
                nationalities: &identity.nationalities,
            })
            .collect();
        let organisations =
            section.organisations.iter().map(|organisation| (&organisation.kind, &organisation.names[..]));
        forms(&persons, organisations, |name| self.tokens(name, normaliser))
    }

    fn tokens(&mut self, name: &Bytes, normaliser: Normaliser) -> Result<Arc<[Token]>, prost::DecodeError> {
        if let Some(known) = self.names.get(name) {
            return Ok(Arc::clone(known));
        }
        let mut tokens = tokens_of(&pb::NameForm::decode(name.clone())?, normaliser);
        for token in &mut tokens {
            self.words.share(token);
        }
        let tokens: Arc<[Token]> = tokens.into();
        // A copy of its own, or the name would keep its whole record.
        self.names.insert(Bytes::copy_from_slice(name), Arc::clone(&tokens));
        Ok(tokens)
    }
}

fn forms<'a, Name: 'a, E>(
    persons: &[Subject<'a, Name>],
    organisations: impl Iterator<Item = (&'a Option<pb::Code>, &'a [Name])>,
    mut tokens_of: impl FnMut(&Name) -> Result<Arc<[Token]>, E>,
) -> Result<Vec<NameForm>, E> {
    let mut own_dates: Vec<BirthDate> = persons
        .iter()
        .filter(|person| kind(person.kind) != MISUSED)
        .flat_map(|person| person.birth_dates.iter().filter_map(BirthDate::new))
        .collect();
    own_dates.sort_unstable();
    own_dates.dedup();
    let mut forms = Vec::new();
    for person in persons {
        let identity_kind = kind(person.kind).to_owned();
        let dates = if identity_kind == MISUSED {
            person.birth_dates.iter().filter_map(BirthDate::new).collect()
        } else {
            own_dates.clone()
        };
        let gender = gender(person.gender);
        let mut nationalities: Vec<Country> =
            person.nationalities.iter().map(|party| Country::new(&party.code)).filter(|c| c.is_known()).collect();
        nationalities.sort_unstable();
        nationalities.dedup();
        for name in person.names {
            let tokens = tokens_of(name)?;
            if !tokens.is_empty() {
                forms.push(NameForm {
                    tokens,
                    dates: dates.clone(),
                    identity_kind: identity_kind.clone(),
                    gender,
                    nationalities: nationalities.clone(),
                    is_organisation: false,
                });
            }
        }
    }
    for (kind_of_name, names) in organisations {
        for name in names {
            let tokens = tokens_of(name)?;
            if !tokens.is_empty() {
                forms.push(NameForm {
                    tokens,
                    dates: Vec::new(),
                    identity_kind: kind(kind_of_name).to_owned(),
                    gender: 0,
                    nationalities: Vec::new(),
                    is_organisation: true,
                });
            }
        }
    }
    Ok(forms)
}

/// b'M', b'F', or 0 when unknown or neither.
pub fn gender(code: Option<&pb::Code>) -> u8 {
    match code.and_then(|code| code.value.chars().next()).map(|letter| letter.to_ascii_uppercase()) {
        Some('M') => b'M',
        Some('F') => b'F',
        _ => 0,
    }
}

fn kind(code: &Option<pb::Code>) -> &str {
    code.as_ref().map_or("", |code| code.value.as_str())
}

fn tokens_of(name: &pb::NameForm, normaliser: Normaliser) -> Vec<Token> {
    let parts: Vec<&str> =
        name.parts.iter().filter(|part| kind(&part.kind) != "title").map(|part| part.text.as_str()).collect();
    let tokens = normaliser.tokens(&parts);
    if tokens.is_empty() { normaliser.tokens(&[name.full_text.as_str()]) } else { tokens }
}

#[cfg(test)]
mod tests {
    use alert_synth::Generator;

    use super::*;

    #[test]
    fn names_are_the_same_whether_all_of_the_section_is_decoded_or_the_names_alone() {
        let (generator, normaliser) = (Generator::new(3), Normaliser::default());
        let mut known = KnownNames::default();
        let mut names = 0;
        for number in 0..500 {
            let section = generator.person(number).identities.unwrap_or_default();
            let whole = name_forms(&section, normaliser);
            let alone = NamesOnly::decode(section.encode_to_vec().as_slice()).unwrap();
            for _ in 0..2 {
                assert_eq!(known.forms(&alone, normaliser).unwrap(), whole, "person {number}");
            }
            names += whole.len();
        }
        assert!(known.count() < names, "some names came twice");
    }
}

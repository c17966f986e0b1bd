//! An alert's names, each with what is known of the person under that name.

use crate::{
    pb,
    search::Normaliser,
    search::normalise::{country::Country, date::BirthDate, name::Token},
};

/// One name of an alert's subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameForm {
    /// Its tokens, in the order of the record.
    pub tokens: Vec<Token>,
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

/// All names of the section. Dates of one identity hold for the aliases too: an alias is the same person, and an alert
/// seldom repeats the date. What is known of a misused identity stays with it.
pub fn name_forms(section: &pb::IdentitySection, normaliser: Normaliser) -> Vec<NameForm> {
    let mut own_dates: Vec<BirthDate> = section
        .identities
        .iter()
        .filter(|identity| kind(&identity.kind) != MISUSED)
        .flat_map(|identity| identity.birth_dates.iter().filter_map(BirthDate::new))
        .collect();
    own_dates.sort_unstable();
    own_dates.dedup();
    let mut forms = Vec::new();
    for identity in &section.identities {
        let identity_kind = kind(&identity.kind).to_owned();
        let dates = if identity_kind == MISUSED {
            identity.birth_dates.iter().filter_map(BirthDate::new).collect()
        } else {
            own_dates.clone()
        };
        let gender = gender(identity.gender.as_ref());
        let mut nationalities: Vec<Country> =
            identity.nationalities.iter().map(|party| Country::new(&party.code)).filter(|c| c.is_known()).collect();
        nationalities.sort_unstable();
        nationalities.dedup();
        for name in &identity.names {
            let tokens = tokens_of(name, normaliser);
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
    for organisation in &section.organisations {
        for name in &organisation.names {
            let tokens = tokens_of(name, normaliser);
            if !tokens.is_empty() {
                forms.push(NameForm {
                    tokens,
                    dates: Vec::new(),
                    identity_kind: kind(&organisation.kind).to_owned(),
                    gender: 0,
                    nationalities: Vec::new(),
                    is_organisation: true,
                });
            }
        }
    }
    forms
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

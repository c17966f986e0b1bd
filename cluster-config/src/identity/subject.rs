//! What a certificate says of its holder. Anything ambiguous is refused: a subject with two roles could be read as
//! either by two readers.

use data_encoding::HEXLOWER;
use rustls_pki_types::CertificateDer;
use x509_parser::{
    certificate::X509Certificate,
    extensions::GeneralName,
    prelude::{FromDer, ParsedExtension},
    x509::AttributeTypeAndValue,
};

use super::{IdentityError, NODE_URI_PREFIX, roles};

/// Most characters of a country's code: ISO 3166-1 has two, ICAO 9303 part 3 one to three.
const COUNTRY_LETTERS_MAX: usize = 3;
/// Most characters of an authority's or system's name (X.520's own bound for both).
const NAME_LETTERS_MAX: usize = 64;

/// What a certificate says, well formed, not yet believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// C.
    pub country: String,
    /// O.
    pub authority: String,
    /// CN.
    pub system: String,
    /// OU: one of [`roles::ALL`].
    pub role: String,
    /// Set exactly when the role is `node`.
    pub node_id: Option<u64>,
    /// Small hexadecimal digits without leading zeros.
    pub serial: String,
}

impl Subject {
    /// Reads a certificate.
    pub fn of(certificate: &CertificateDer<'_>) -> Result<Self, IdentityError> {
        let parsed = parse(certificate)?;
        let serial = serial_of(&parsed);
        let name = parsed.subject();
        let country = one(name.iter_country(), "country (C)", &serial)?;
        let authority = one(name.iter_organization(), "organisation (O)", &serial)?;
        let system = one(name.iter_common_name(), "common name (CN)", &serial)?;
        let role = one(name.iter_organizational_unit(), "organisational unit (OU)", &serial)?;

        let wrong = |what: &str| IdentityError::Subject { serial: serial.clone(), what: what.to_owned() };
        if !is_country(&country) {
            return Err(wrong("a country (C) that is not 1 to 3 capital letters"));
        }
        if !is_name(&authority) {
            return Err(wrong(
                "an organisation (O) that is not 1 to 64 letters, digits, dots, hyphens and underscores",
            ));
        }
        if !is_name(&system) {
            return Err(wrong("a common name (CN) that is not 1 to 64 letters, digits, dots, hyphens and underscores"));
        }
        if !roles::ALL.contains(&role.as_str()) {
            return Err(wrong("an organisational unit (OU) that is no role"));
        }
        let node_id = node_number(&parsed, &role, &serial)?;
        Ok(Self { country, authority, system, role, node_id, serial })
    }
}

/// A code of 1 to 3 capital letters.
pub fn is_country(text: &str) -> bool {
    (1..=COUNTRY_LETTERS_MAX).contains(&text.len()) && text.bytes().all(|letter| letter.is_ascii_uppercase())
}

/// 1 to 64 letters, digits, dots, hyphens and underscores: what may stand in a log line without quotes.
pub fn is_name(text: &str) -> bool {
    (1..=NAME_LETTERS_MAX).contains(&text.len())
        && text.bytes().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, b'.' | b'-' | b'_'))
}

/// A serial number in the one form that is compared: small hexadecimal digits, no colons, no leading zeros.
pub fn normal_serial(text: &str) -> Option<String> {
    let digits: String =
        text.chars().filter(|letter| *letter != ':').map(|letter| letter.to_ascii_lowercase()).collect();
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let digits = digits.trim_start_matches('0');
    Some(if digits.is_empty() { "0".to_owned() } else { digits.to_owned() })
}

/// The serial number of any certificate, ours or not.
pub(super) fn serial_number(certificate: &CertificateDer<'_>) -> Result<String, IdentityError> {
    Ok(serial_of(&parse(certificate)?))
}

fn parse<'a>(certificate: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, IdentityError> {
    let unreadable = |reason: String| IdentityError::Unreadable { reason };
    let (rest, parsed) = X509Certificate::from_der(certificate).map_err(|error| unreadable(error.to_string()))?;
    if rest.is_empty() { Ok(parsed) } else { Err(unreadable("bytes follow it".to_owned())) }
}

fn serial_of(certificate: &X509Certificate<'_>) -> String {
    let digits = HEXLOWER.encode(certificate.raw_serial());
    normal_serial(&digits).unwrap_or_else(|| "0".to_owned())
}

fn one<'a>(
    mut values: impl Iterator<Item = &'a AttributeTypeAndValue<'a>>,
    what: &str,
    serial: &str,
) -> Result<String, IdentityError> {
    let wrong = |what: String| IdentityError::Subject { serial: serial.to_owned(), what };
    let value = values.next().ok_or_else(|| wrong(format!("no {what}")))?;
    if values.next().is_some() {
        return Err(wrong(format!("more than one {what}")));
    }
    value.as_str().map(str::to_owned).map_err(|_| wrong(format!("a {what} that is no plain text")))
}

fn node_number(certificate: &X509Certificate<'_>, role: &str, serial: &str) -> Result<Option<u64>, IdentityError> {
    let wrong = |what| IdentityError::NodeNumber { serial: serial.to_owned(), what };
    let names = certificate
        .extensions()
        .iter()
        .filter_map(|extension| match extension.parsed_extension() {
            ParsedExtension::SubjectAlternativeName(names) => Some(&names.general_names),
            _ => None,
        })
        .flatten();
    let mut numbers = names.filter_map(|name| match name {
        GeneralName::URI(uri) => uri.strip_prefix(NODE_URI_PREFIX),
        _ => None,
    });
    match (role == roles::NODE, numbers.next(), numbers.next()) {
        (_, Some(_), Some(_)) => Err(wrong("more than one node number")),
        (true, None, _) => Err(wrong("the role 'node' but no node number")),
        (false, Some(_), _) => Err(wrong("a node number without the role 'node'")),
        (false, None, _) => Ok(None),
        (true, Some(number), None) => match number.parse::<u64>() {
            Ok(id) if id > 0 && id.to_string() == number => Ok(Some(id)),
            _ => Err(wrong("a node number that is not a whole number from 1")),
        },
    }
}

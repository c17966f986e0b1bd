//! Who is who without TLS: one line in front of everything else, believed because only this machine can send it.
//!
//! For development and tests. Configuration refuses plain text on any address but a loopback one.

use crate::identity::{Identity, is_country, is_name, roles};

/// Longest line, in bytes.
pub const LINE_BYTES_MAX: usize = 256;
const GREETING: &str = "ALERTSTORE-PLAINTEXT";

/// The line that a connector sends first.
pub fn line(country: &str, authority: &str, system: &str, role: &str, node_id: Option<u64>) -> String {
    let node = node_id.map_or_else(|| "-".to_owned(), |id| id.to_string());
    format!("{GREETING} {country} {authority} {system} {role} {node}\n")
}

/// Who a client says that it is where nothing else is configured.
pub const DEFAULT_CLIENT: &str = "GB/nca/development/bureau";

/// The line of a client that is written `country/authority/system/role`.
///
/// # Errors
/// One sentence.
pub fn client_line(text: &str) -> Result<String, String> {
    let parts: Vec<_> = text.split('/').collect();
    let [country, authority, system, role] = parts[..] else {
        return Err(format!("'{text}' is not of the form country/authority/system/role, such as {DEFAULT_CLIENT}"));
    };
    let line = line(country, authority, system, role, None);
    parse(line.trim_end())?;
    Ok(line)
}

/// What a line (without its line feed) claims.
///
/// # Errors
/// One sentence.
pub fn parse(line: &str) -> Result<Identity, String> {
    let parts: Vec<_> = line.split(' ').collect();
    let [GREETING, country, authority, system, role, node] = parts[..] else {
        return Err("the connection did not begin by saying who it is: is the other end using TLS?".into());
    };
    if !roles::ALL.contains(&role) {
        return Err(format!("unknown role '{role}'"));
    }
    // The same form as in a certificate: what may stand in a log line without quotes.
    if !is_country(country) || !is_name(authority) || !is_name(system) {
        return Err("the connection began with a country, authority or system that is no name".into());
    }
    let node_id = match (role == roles::NODE, node.parse()) {
        (true, Ok(id)) => Some(id),
        (true, Err(_)) => return Err("a node has to say its number".into()),
        (false, _) => None,
    };
    Ok(Identity {
        country: country.into(),
        authority: authority.into(),
        system: system.into(),
        role: role.into(),
        node_id,
        serial: String::new(),
        anchor: "plaintext".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_who_calls() {
        let identity = parse(line("GB", "nca", "desk", "bureau", None).trim_end()).unwrap();
        assert_eq!((identity.country.as_str(), identity.role.as_str(), identity.node_id), ("GB", "bureau", None));
        assert_eq!(parse(line("GB", "nca", "n1", "node", Some(4)).trim_end()).unwrap().node_id, Some(4));
    }

    #[test]
    fn a_client_is_written_in_one_word() {
        let line = client_line("FR/dgpn/desk/partner").unwrap();
        assert_eq!(parse(line.trim_end()).unwrap().country, "FR");
        assert!(client_line(DEFAULT_CLIENT).is_ok());
        assert!(client_line("FR/dgpn/partner").unwrap_err().contains("country/authority/system/role"));
        assert!(client_line("FR/dgpn/desk/node").is_err(), "a node is no client");
    }

    #[test]
    fn anything_else_is_refused() {
        assert!(parse("PRI * HTTP/2.0").unwrap_err().contains("TLS"));
        assert!(parse("ALERTSTORE-PLAINTEXT GB nca x king -").unwrap_err().contains("king"));
        assert!(parse("ALERTSTORE-PLAINTEXT gb nca x bureau -").unwrap_err().contains("no name"));
        assert!(parse("ALERTSTORE-PLAINTEXT GB nca/y x bureau -").unwrap_err().contains("no name"));
        assert!(parse("ALERTSTORE-PLAINTEXT GB nca x node -").unwrap_err().contains("number"));
    }
}

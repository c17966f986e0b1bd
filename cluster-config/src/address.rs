//! Addresses as configuration writes them.

use std::net::{IpAddr, Ipv6Addr};

/// Splits host:port; an IPv6 address stands in brackets. The error is a sentence.
pub(crate) fn host_and_port(address: &str) -> Result<(&str, u16), String> {
    let wrong = || format!("'{address}' is not host:port");
    let (host, port) = address.rsplit_once(':').ok_or_else(wrong)?;
    let port = port.parse::<u16>().ok().filter(|port| *port != 0).ok_or_else(wrong)?;
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').filter(|host| host.parse::<Ipv6Addr>().is_ok()),
        None => Some(host).filter(|host| {
            !host.is_empty() && host.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-'))
        }),
    };
    Ok((host.ok_or_else(wrong)?, port))
}

/// A host that only this machine can reach.
pub(crate) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|host| host.is_loopback())
}

//! What must hold between a node's fields. Each fault is one sentence that says what to do.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::Path,
};

use super::{ClientCa, NodeConfig, RaftTimes};
use crate::{
    address::{host_and_port, is_loopback},
    fault::Fault,
    identity::{is_country, is_name, normal_serial, roles},
    settings::Section,
};

pub(super) fn faults_of(config: &NodeConfig) -> Vec<Fault> {
    let mut faults = Vec::new();
    bounds(config, &mut faults);
    names(config, &mut faults);
    addresses(config, &mut faults);
    directories(config, &mut faults);
    timers(config, &mut faults);
    tls(config, &mut faults);
    if config.log.filter.trim().is_empty() {
        faults.push(Fault::at("log.filter", "is empty; 'info' is usual, 'error' the least"));
    }
    faults
}

fn bounds(config: &NodeConfig, faults: &mut Vec<Fault>) {
    config.node.check_bounds("node", faults);
    config.storage.check_bounds("storage", faults);
    config.raft.check_bounds("raft", faults);
    config.limits.check_bounds("limits", faults);
    config.policy.check_bounds("policy", faults);
}

fn names(config: &NodeConfig, faults: &mut Vec<Fault>) {
    for (path, text, dots) in [
        ("node.cluster_id", &config.node.cluster_id, false),
        ("node.name", &config.node.name, true),
        ("node.data_centre", &config.node.data_centre, false),
    ] {
        let fits = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        if text.is_empty() || text.len() > 63 || !text.chars().all(|letter| fits(letter) || (dots && letter == '.')) {
            let dots = if dots { ", dots" } else { "" };
            let message = format!("'{text}' is not 1 to 63 small letters, digits{dots} and hyphens");
            faults.push(Fault::at(path, message));
        }
    }
}

fn addresses(config: &NodeConfig, faults: &mut Vec<Fault>) {
    let listen = &config.listen;
    let mut taken: BTreeMap<SocketAddr, &str> = BTreeMap::new();
    for (path, address) in [("listen.client", listen.client), ("listen.raft", listen.raft), ("listen.ops", listen.ops)]
    {
        if address.port() == 0 {
            faults.push(Fault::at(path, "port 0 would be another one at each start; name a port"));
        } else if let Some(other) = taken.insert(address, path) {
            faults.push(Fault::at(path, format!("{address} is already that of {other}")));
        }
    }
    for (path, advertised, listened) in [
        ("advertise.client", &config.advertise.client, listen.client),
        ("advertise.raft", &config.advertise.raft, listen.raft),
    ] {
        match advertised {
            Some(address) => faults.extend(host_and_port(address).err().map(|message| Fault::at(path, message))),
            None if listened.ip().is_unspecified() => {
                let message = format!("is needed, because nobody can connect to {listened}");
                faults.push(Fault::at(path, message));
            }
            None => {}
        }
    }
}

fn directories(config: &NodeConfig, faults: &mut Vec<Fault>) {
    let storage = &config.storage;
    let all: [(&str, &Path); 3] = [
        ("storage.log_directory", &storage.log_directory),
        ("storage.state_directory", &storage.state_directory),
        ("storage.audit_directory", &storage.audit_directory),
    ];
    for (index, (path, directory)) in all.iter().enumerate() {
        if directory.as_os_str().is_empty() {
            faults.push(Fault::at(*path, "is empty; name a directory"));
            continue;
        }
        for (other_path, other) in all[..index].iter().filter(|(_, other)| !other.as_os_str().is_empty()) {
            if directory.starts_with(other) || other.starts_with(directory) {
                let message = format!(
                    "{} and {} of {other_path} are the same or one lies in the other",
                    directory.display(),
                    other.display()
                );
                faults.push(Fault::at(*path, message));
            }
        }
    }
}

fn timers(config: &NodeConfig, faults: &mut Vec<Fault>) {
    let RaftTimes { heartbeat, election_timeout_min: shortest, election_timeout_max: longest, .. } =
        config.raft_times();
    if shortest * 4 > longest {
        let message = format!("{shortest:?} is more than a quarter of the longest election time-out ({longest:?})");
        faults.push(Fault::at("raft.election_timeout_min_ms", message));
    }
    if heartbeat * 2 > shortest {
        let message = format!("{heartbeat:?} is more than half of the shortest election time-out ({shortest:?})");
        faults.push(Fault::at("raft.heartbeat_ms", message));
    }
    let round_trip = std::time::Duration::from_millis(config.raft.round_trip_ms);
    if round_trip * 5 > longest {
        let message = format!("{longest:?} is less than five round trips ({round_trip:?} each)");
        faults.push(Fault::at("raft.election_timeout_max_ms", message));
    }
}

fn tls(config: &NodeConfig, faults: &mut Vec<Fault>) {
    let tls = &config.tls;
    let files = [
        ("tls.certificate", tls.certificate.is_some()),
        ("tls.key", tls.key.is_some()),
        ("tls.cluster_ca", tls.cluster_ca.is_some()),
        ("tls.token_key", tls.token_key.is_some()),
        ("tls.client_cas", !tls.client_cas.is_empty()),
    ];
    if tls.plaintext {
        for (path, _) in files.iter().filter(|(_, set)| *set) {
            faults.push(Fault::at(*path, "has no use with tls.plaintext = true; leave one of the two out"));
        }
        plaintext_addresses(config, faults);
    } else {
        for (path, _) in files[..4].iter().filter(|(_, set)| !set) {
            faults.push(Fault::at(*path, "is missing (for development on loopback: tls.plaintext = true)"));
        }
    }
    let mut paths = BTreeSet::new();
    for (index, authority) in tls.client_cas.iter().enumerate() {
        let path = format!("tls.client_cas[{index}]");
        if tls.cluster_ca.as_ref() == Some(&authority.path) {
            let message = "is the cluster's own authority, which vouches for nodes and operators only";
            faults.push(Fault::at(format!("{path}.path"), message));
        }
        if !paths.insert(&authority.path) {
            let message = format!("{} stands here twice; join the two entries", authority.path.display());
            faults.push(Fault::at(format!("{path}.path"), message));
        }
        client_ca(&path, authority, faults);
    }
    for (index, serial) in tls.deny_serials.iter().enumerate() {
        if normal_serial(serial).is_none() {
            let message = format!("'{serial}' is not a serial number in hexadecimal digits");
            faults.push(Fault::at(format!("tls.deny_serials[{index}]"), message));
        }
    }
}

fn plaintext_addresses(config: &NodeConfig, faults: &mut Vec<Fault>) {
    let listen = &config.listen;
    for (path, address) in [("listen.client", listen.client), ("listen.raft", listen.raft), ("listen.ops", listen.ops)]
    {
        if !address.ip().is_loopback() {
            let message = format!("{address} is no loopback address, which tls.plaintext = true asks for");
            faults.push(Fault::at(path, message));
        }
    }
    for (path, address) in [("advertise.client", &config.advertise.client), ("advertise.raft", &config.advertise.raft)]
    {
        let Some(Ok((host, _))) = address.as_deref().map(host_and_port) else { continue };
        if !is_loopback(host) {
            let message = format!("{host} is no loopback address, which tls.plaintext = true asks for");
            faults.push(Fault::at(path, message));
        }
    }
}

/// One authority vouches for one kind of caller: United Kingdom systems, or partners. A mixture would let the
/// authority of a partner give out the United Kingdom's roles, covert alerts included.
fn client_ca(path: &str, authority: &ClientCa, faults: &mut Vec<Fault>) {
    for (name, list) in [("countries", &authority.countries), ("roles", &authority.roles)] {
        if list.is_empty() {
            faults.push(Fault::at(format!("{path}.{name}"), "is empty; the authority could vouch for nobody"));
        }
    }
    for country in authority.countries.iter().filter(|country| !is_country(country)) {
        let message = format!("'{country}' is not a code of 1 to 3 capital letters");
        faults.push(Fault::at(format!("{path}.countries"), message));
    }
    for name in authority.authorities.iter().flatten().filter(|name| !is_name(name)) {
        let message = format!("'{name}' is not 1 to 64 letters, digits, dots, hyphens and underscores");
        faults.push(Fault::at(format!("{path}.authorities"), message));
    }
    for role in &authority.roles {
        let message = match role.as_str() {
            roles::NODE | roles::OPERATOR => {
                format!("'{role}' comes from the cluster's own authority only")
            }
            roles::PARTNER if authority.countries.iter().any(|country| country == roles::HOME_COUNTRY) => {
                format!("'{role}' is for other countries; give {} an entry of its own", roles::HOME_COUNTRY)
            }
            roles::PARTNER => continue,
            known if roles::ALL.contains(&known) => {
                match authority.countries.iter().find(|country| *country != roles::HOME_COUNTRY) {
                    Some(country) => format!("'{role}' is for {} only, and {country} is named", roles::HOME_COUNTRY),
                    None => continue,
                }
            }
            _ => format!("'{role}' is no role; the roles are {}", roles::ALL.join(", ")),
        };
        faults.push(Fault::at(format!("{path}.roles"), message));
    }
}

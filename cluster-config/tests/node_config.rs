//! A node's configuration tells everything that is wrong with it, in sentences, with lines.

use alert_cluster_config::{ClientConfig, Config, ConfigError, NodeConfig, sample};

const GOOD: &str = r#"
[node]
cluster_id = "uk-alerts"
id = 1
name = "node1"
data_centre = "lon"

[listen]
client = "127.0.0.1:7100"
raft = "127.0.0.1:7101"
ops = "127.0.0.1:7102"

[tls]
certificate = "tls/node1.pem"
key = "tls/node1.key"
cluster_ca = "ca/cluster.pem"
token_key = "tls/token.key"

[[tls.client_cas]]
path = "ca/uk-clients.pem"
countries = ["GB"]
roles = ["bureau", "search"]

[[tls.client_cas]]
path = "ca/partner-fr.pem"
countries = ["FR"]
roles = ["partner"]
"#;

fn faults(text: &str) -> Vec<String> {
    match NodeConfig::parse(text, "node.toml") {
        Ok(_) => Vec::new(),
        Err(error) => error.faults().iter().map(ToString::to_string).collect(),
    }
}

/// The one fault of the good file with `from` replaced by `to`.
#[track_caller]
fn fault(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "the good file has no {from}");
    let found = faults(&GOOD.replacen(from, to, 1));
    assert_eq!(found.len(), 1, "{found:#?}");
    found[0].clone()
}

/// The one fault of the good file with `section` added.
#[track_caller]
fn fault_with(section: &str) -> String {
    let found = faults(&format!("{GOOD}\n{section}\n"));
    assert_eq!(found.len(), 1, "{found:#?}");
    found[0].clone()
}

#[test]
fn a_good_file_is_taken_and_defaults_fill_the_rest() {
    let config = NodeConfig::parse(GOOD, "node.toml").unwrap();
    assert_eq!(config.client_address(), "127.0.0.1:7100");
    assert_eq!(config.raft_address(), "127.0.0.1:7101");
    assert_eq!(config.storage.log_directory.to_str(), Some("/var/lib/alertstore/log"));
    assert_eq!(config.policy.bounded_default_ms, 1000);
    assert!(!config.policy.local_without_quorum);
}

#[test]
fn relative_paths_start_at_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("node.toml");
    std::fs::write(&path, GOOD).unwrap();
    let config = NodeConfig::load(&path).unwrap();
    assert_eq!(config.tls.key, Some(directory.path().join("tls/node1.key")));
    assert_eq!(config.tls.client_cas[1].path, directory.path().join("ca/partner-fr.pem"));
    assert_eq!(config.storage.state_directory.to_str(), Some("/var/lib/alertstore/state"));
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_its_neighbours() {
    assert_eq!(
        fault("data_centre = \"lon\"", "data_centre = \"lon\"\ndatacenter = \"lon\""),
        "line 7: node.datacenter: unknown key 'datacenter' in [node]: the keys there are cluster_id, id, name, \
         data_centre"
    );
    assert_eq!(
        fault("roles = [\"partner\"]", "roles = [\"partner\"]\ncountry = \"FR\""),
        "line 28: tls.client_cas[1].country: unknown key 'country' in [tls.client_cas]: the keys there are path, \
         countries, roles, authorities"
    );
    assert!(
        fault_with("[rafts]").starts_with("line 29: rafts: unknown key 'rafts' at the top: the keys there are node,")
    );
}

#[test]
fn missing_keys_and_sections_are_named() {
    assert_eq!(fault("id = 1\n", ""), "line 2: node.id: is missing");
    assert_eq!(fault("countries = [\"FR\"]\n", ""), "line 24: tls.client_cas[1].countries: is missing");
    let without =
        GOOD.replace("[listen]", "").replace("client = \"127", "#").replace("raft = ", "#").replace("ops = ", "#");
    assert_eq!(faults(&without), ["listen: the section [listen] is missing"]);
}

#[test]
fn a_value_of_the_wrong_kind_is_told_with_its_key_and_line() {
    assert_eq!(fault("id = 1", "id = \"one\""), "line 4: node.id: invalid type: string \"one\", expected u64");
    assert_eq!(fault("\"127.0.0.1:7100\"", "\"somewhere\""), "line 9: listen.client: invalid socket address syntax");
    let found = fault_with("[log]\nformat = \"xml\"");
    assert_eq!(found, "line 30: log.format: unknown variant `xml`, expected `text` or `json`");
}

#[test]
fn broken_syntax_is_told_with_its_line() {
    assert!(fault("id = 1", "id = ").starts_with("line 4: "), "{}", fault("id = 1", "id = "));
}

#[test]
fn all_faults_come_at_once_in_the_order_of_the_lines() {
    let text = GOOD
        .replace("id = 1", "id = 0")
        .replace("data_centre = \"lon\"", "data_centre = \"London\"\nsite = 1")
        .replace("roles = [\"partner\"]", "roles = [\"node\"]\nrole = \"node\"");
    let error = NodeConfig::parse(&text, "node.toml").unwrap_err();
    assert_eq!(
        error.to_string(),
        "node.toml: 5 faults\n  \
         line 4: node.id: 0 is not from 1 to 9007199254740991\n  \
         line 6: node.data_centre: 'London' is not 1 to 63 small letters, digits and hyphens\n  \
         line 7: node.site: unknown key 'site' in [node]: the keys there are cluster_id, id, name, data_centre\n  \
         line 28: tls.client_cas[1].roles: 'node' comes from the cluster's own authority only\n  \
         line 29: tls.client_cas[1].role: unknown key 'role' in [tls.client_cas]: the keys there are path, countries, \
         roles, authorities"
    );
}

#[test]
fn numbers_have_bounds() {
    for (section, expected) in [
        ("[storage]\nblock_cache_mib = 1", "line 30: storage.block_cache_mib: 1 is not from 8 to 1048576"),
        ("[storage]\nsnapshot_age_max_s = 86401", "line 30: storage.snapshot_age_max_s: 86401 is not from 60 to 86400"),
        ("[raft]\nround_trip_ms = 0", "line 30: raft.round_trip_ms: 0 is not from 1 to 1000"),
        ("[limits]\nconnections_max = 0", "line 30: limits.connections_max: 0 is not from 1 to 1000000"),
        ("[policy]\nbounded_default_ms = 5000", "line 30: policy.bounded_default_ms: 5000 is not from 10 to 1000"),
    ] {
        assert_eq!(fault_with(section), expected);
    }
}

#[test]
fn addresses_must_be_reachable_and_differ() {
    assert_eq!(fault("7101", "7100"), "line 10: listen.raft: 127.0.0.1:7100 is already that of listen.client");
    assert_eq!(fault("7102", "0"), "line 11: listen.ops: port 0 would be another one at each start; name a port");
    assert_eq!(
        fault("127.0.0.1:7100", "0.0.0.0:7100"),
        "advertise.client: is needed, because nobody can connect to 0.0.0.0:7100"
    );
    assert_eq!(fault_with("[advertise]\nraft = \"node1\""), "line 30: advertise.raft: 'node1' is not host:port");
    for good in ["node1.example:1", "[::1]:7101", "10.0.0.1:65535"] {
        assert_eq!(faults(&format!("{GOOD}\n[advertise]\nraft = \"{good}\"\n")), [""; 0]);
    }
    for bad in ["node1:0", "node1:70000", "[::1:7101", "::1:7101", ":7101", "a b:1"] {
        let found = fault_with(&format!("[advertise]\nraft = \"{bad}\""));
        assert_eq!(found, format!("line 30: advertise.raft: '{bad}' is not host:port"));
    }
}

#[test]
fn directories_stay_apart() {
    assert_eq!(
        fault_with("[storage]\nstate_directory = \"/var/lib/alertstore/log/state\""),
        "line 30: storage.state_directory: /var/lib/alertstore/log/state and /var/lib/alertstore/log of \
         storage.log_directory are the same or one lies in the other"
    );
    assert_eq!(
        fault_with("[storage]\naudit_directory = \"\""),
        "line 30: storage.audit_directory: is empty; name a directory"
    );
}

#[test]
fn timers_must_let_elections_end() {
    assert_eq!(
        fault_with("[raft]\nelection_timeout_min_ms = 500"),
        "line 30: raft.election_timeout_min_ms: 500ms is more than a quarter of the longest election time-out (1s)"
    );
    assert_eq!(
        fault_with("[raft]\nheartbeat_ms = 200"),
        "line 30: raft.heartbeat_ms: 200ms is more than half of the shortest election time-out (250ms)"
    );
    assert_eq!(
        fault_with("[raft]\nround_trip_ms = 100\nelection_timeout_max_ms = 400"),
        "line 31: raft.election_timeout_max_ms: 400ms is less than five round trips (100ms each)"
    );
}

#[test]
fn tls_needs_its_files() {
    assert_eq!(
        fault("key = \"tls/node1.key\"\n", ""),
        "line 13: tls.key: is missing (for development on loopback: tls.plaintext = true)"
    );
    assert_eq!(
        fault("[tls]", "[tls]\ndeny_serials = [\"0a:1f\", \"xyz\"]"),
        "line 14: tls.deny_serials[1]: 'xyz' is not a serial number in hexadecimal digits"
    );
    assert_eq!(
        fault(
            "certificate = \"tls/node1.pem\"\nkey = \"tls/node1.key\"\ncluster_ca = \"ca/cluster.pem\"\ntoken_key = \"tls/token.key\"",
            "plaintext = true"
        ),
        "line 16: tls.client_cas: has no use with tls.plaintext = true; leave one of the two out"
    );
}

#[test]
fn plaintext_is_for_loopback_alone() {
    let plain = GOOD.split("[tls]").next().unwrap().to_owned() + "[tls]\nplaintext = true\n";
    assert_eq!(faults(&plain), [""; 0]);
    assert_eq!(
        faults(&plain.replace("127.0.0.1:7101", "10.1.2.3:7101")),
        ["line 10: listen.raft: 10.1.2.3:7101 is no loopback address, which tls.plaintext = true asks for"]
    );
    assert_eq!(
        faults(&format!("{plain}[advertise]\nclient = \"node1.example:7100\"\n")),
        ["line 16: advertise.client: node1.example is no loopback address, which tls.plaintext = true asks for"]
    );
}

#[test]
fn an_authority_of_clients_is_bound_to_one_kind_of_caller() {
    let partner = "countries = [\"FR\"]\nroles = [\"partner\"]";
    for (countries, roles, expected) in [
        ("FR", "operator", "line 27: tls.client_cas[1].roles: 'operator' comes from the cluster's own authority only"),
        ("FR", "search", "line 27: tls.client_cas[1].roles: 'search' is for GB only, and FR is named"),
        (
            "GB",
            "partner",
            "line 27: tls.client_cas[1].roles: 'partner' is for other countries; give GB an entry of its own",
        ),
        (
            "FR",
            "king",
            "line 27: tls.client_cas[1].roles: 'king' is no role; the roles are node, operator, bureau, search, \
             search-open, partner, auditor, policy",
        ),
        ("fr", "partner", "line 26: tls.client_cas[1].countries: 'fr' is not a code of 1 to 3 capital letters"),
    ] {
        let entry = format!("countries = [\"{countries}\"]\nroles = [\"{roles}\"]");
        assert_eq!(fault(partner, &entry), expected);
    }
    assert_eq!(
        fault("countries = [\"FR\"]", "countries = []"),
        "line 26: tls.client_cas[1].countries: is empty; the authority could vouch for nobody"
    );
    assert_eq!(
        fault("ca/partner-fr.pem", "ca/uk-clients.pem"),
        "line 25: tls.client_cas[1].path: ca/uk-clients.pem stands here twice; join the two entries"
    );
    assert_eq!(
        fault("ca/partner-fr.pem", "ca/cluster.pem"),
        "line 25: tls.client_cas[1].path: is the cluster's own authority, which vouches for nodes and operators only"
    );
    assert_eq!(
        fault(partner, &format!("{partner}\nauthorities = [\"a/b\"]")),
        "line 28: tls.client_cas[1].authorities: 'a/b' is not 1 to 64 letters, digits, dots, hyphens and underscores"
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = NodeConfig::load("/nowhere/node.toml".as_ref()).unwrap_err();
    assert!(matches!(error, ConfigError::Read { .. }));
    assert!(error.to_string().starts_with("/nowhere/node.toml: cannot be read: "), "{error}");
}

#[test]
fn a_client_tells_its_faults_too() {
    let found = |text: &str| match ClientConfig::parse(text, "client.toml") {
        Ok(_) => Vec::new(),
        Err(error) => error.faults().iter().map(ToString::to_string).collect(),
    };
    assert_eq!(found("[cluster]\nseeds = [\"127.0.0.1:7100\", \"localhost:1\"]\n[tls]\nplaintext = true\n"), [""; 0]);
    assert_eq!(
        found("[cluster]\nseeds = []\n[tls]\ncertificate = \"a\"\nkey = \"b\"\n"),
        [
            "line 2: cluster.seeds: is empty; name at least one node",
            "line 3: tls.cluster_ca: is missing (for development on loopback: tls.plaintext = true)",
        ]
    );
    assert_eq!(
        found("[cluster]\nseeds = [\"node1.example:7100\", \"x\"]\n[tls]\nplaintext = true\n"),
        [
            "line 2: cluster.seeds[0]: node1.example is no loopback address, which tls.plaintext = true asks for",
            "line 2: cluster.seeds[1]: 'x' is not host:port",
        ]
    );
}

/// `cargo run -p alert-cluster-config -- sample node > cluster-config/examples/node.toml` makes them anew.
#[test]
fn the_sample_files_are_those_that_the_tool_prints_and_can_be_loaded() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let written = |name: &str| std::fs::read_to_string(directory.join(name)).unwrap();
    assert_eq!(written("node.toml"), sample::of::<NodeConfig>());
    assert_eq!(written("client.toml"), sample::of::<ClientConfig>());
    assert_eq!(NodeConfig::parse(&written("node.toml"), "node.toml").unwrap(), NodeConfig::sample());
    assert_eq!(ClientConfig::parse(&written("client.toml"), "client.toml").unwrap(), ClientConfig::sample());
}

#[test]
fn what_the_sample_shows_as_a_comment_is_valid_too() {
    // Examples stand as `# key = value`, and explanations never begin so.
    let is_key = |text: &str| text.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
    for text in [sample::of::<NodeConfig>(), sample::of::<ClientConfig>()] {
        let example = |line: &str| {
            line.strip_prefix("# ")
                .filter(|rest| rest.split_once(" = ").is_some_and(|(key, _)| is_key(key)))
                .map(str::to_owned)
        };
        let shown: Vec<String> = text.lines().map(|line| example(line).unwrap_or_else(|| line.to_owned())).collect();
        let shown = shown.join("\n");
        assert!(shown.len() < text.len() - 1, "the sample shows at least one example");
        let loaded = if text.contains("[node]") {
            NodeConfig::parse(&shown, "node.toml").map(drop)
        } else {
            ClientConfig::parse(&shown, "client.toml").map(drop)
        };
        if let Err(error) = loaded {
            panic!("{error}");
        }
    }
}

/// The text of every Rust file below `directory`.
fn code_below(directory: &std::path::Path) -> String {
    std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).fold(
        String::new(),
        |text, path| match path.extension().and_then(|extension| extension.to_str()) {
            _ if path.is_dir() => text + &code_below(&path),
            Some("rs") => text + &std::fs::read_to_string(path).unwrap(),
            _ => text,
        },
    )
}

/// A key that nobody reads tells an operator a lie: it is accepted, and changes nothing.
#[test]
fn every_key_of_a_node_is_read_where_the_node_is_put_together() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut code = code_below(&root.join("../node/src"));
    // What this crate does for the node itself: TLS, Raft's timers, and the addresses that others are told.
    code += &code_below(&root.join("src/tls"));
    for file in ["raft_times.rs", "mod.rs"] {
        let text = std::fs::read_to_string(root.join("src/node").join(file)).unwrap();
        code += text.split("impl Config for").next().unwrap();
    }
    let is_read = |owner: &str, key: &str| {
        let place = format!("{owner}.{key}");
        let part_of_a_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        code.match_indices(&place).any(|(start, _)| {
            !code[..start].ends_with(part_of_a_name) && !code[start + place.len()..].starts_with(part_of_a_name)
        })
    };
    for section in NodeConfig::SECTIONS {
        let owners: &[&str] = match section.path {
            "tls" => &["tls", "section"],
            "tls.client_cas" => &["authority"],
            path => &[path],
        };
        for field in section.fields {
            assert!(
                owners.iter().any(|owner| is_read(owner, field.name)),
                "nobody reads {}.{}",
                section.path,
                field.name
            );
        }
    }
    assert!(!is_read("storage", "attachments_directory"), "the search itself finds what is not there");
}

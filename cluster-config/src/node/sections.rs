//! The tables of a node's fields. Everything about a field stands here, once.

use std::{net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::NodeConfig;
use crate::settings::settings;

settings! {
    /// Which node of which cluster this is.
    required NodeSection {
        /// The cluster's name; nodes of another cluster are refused. Small letters, digits and hyphens, at most 63.
        cluster_id: String;
        /// This node's number in the cluster. Never used again for another node, nor for this one on a new disk.
        id: u64, 1 to 9_007_199_254_740_991;
        /// Its name, for people. Small letters, digits, dots and hyphens, at most 63.
        name: String;
        /// The site it stands in; clients prefer nodes of their own. Small letters, digits and hyphens, at most 63.
        data_centre: String;
    }
}

settings! {
    /// Where this node listens: address and port.
    required ListenSection {
        /// For clients and operators (gRPC).
        client: SocketAddr;
        /// For other nodes only (gRPC).
        raft: SocketAddr;
        /// Liveness, readiness and metrics: plain HTTP, no personal data. Keep it inside the site.
        ops: SocketAddr;
    }
}

settings! {
    /// How others reach this node, where that differs from where it listens (host:port). Needed when it listens on
    /// every address of its machine (0.0.0.0).
    optional AdvertiseSection {
        /// For clients. Without it: where it listens.
        client: Option<String> = None, example "\"node1.alerts.example:7100\"";
        /// For other nodes. Without it: where it listens.
        raft: Option<String> = None, example "\"node1.alerts.example:7101\"";
    }
}

settings! {
    /// What this node keeps and where. The three directories may stand on disks of their own, and the log's gains most
    /// by it; none may lie inside another. A relative path starts at this file's directory.
    optional StorageSection {
        /// Raft's log and vote: small, every write waits for its fsync.
        log_directory: PathBuf = "/var/lib/alertstore/log".into();
        /// Alerts with their attachments, indexes, snapshots: large.
        state_directory: PathBuf = "/var/lib/alertstore/state".into();
        /// The search log: every answer waits for its fsync.
        audit_directory: PathBuf = "/var/lib/alertstore/audit".into();
        /// Memory for blocks of the state, in MiB. About half of the machine's memory is good.
        block_cache_mib: u64 = 512, 8 to 1_048_576;
        /// Memory for writes of the state that are not yet in its files, over all its families together, in MiB.
        write_buffer_mib: u64 = 128, 4 to 65_536;
        /// Most MiB per second that compaction and flushing write, so that they leave the log's fsyncs in peace.
        /// 0 = no limit.
        compaction_rate_mib_per_s: u64 = 64, 0 to 65_536;
        /// A snapshot is made when the log has grown by so many bytes since the last one.
        snapshot_log_bytes: u64 = 268_435_456, 1_048_576 to 1_099_511_627_776;
        /// A snapshot is made when the last one is so many seconds old. A day at most: erased data lives on in log
        /// and snapshots until then.
        snapshot_age_max_s: u64 = 21_600, 60 to 86_400;
        /// Most MiB per second at which a snapshot is sent to one node. 0 = no limit.
        snapshot_send_mib_per_s: u64 = 256, 0 to 65_536;
        /// Most bytes of log kept for a member that lags; beyond them it gets a snapshot.
        log_keep_bytes_max: u64 = 1_073_741_824, 1_048_576 to 1_099_511_627_776;
    }
}

settings! {
    /// Raft's timing. Say how far apart the voters are; the timers follow from it.
    optional RaftSection {
        /// Longest round trip between two voters, in milliseconds.
        round_trip_ms: u64 = 10, 1 to 1_000;
        /// Longest election time-out, in milliseconds. Without it: 20 round trips, and 1000 at least.
        election_timeout_max_ms: Option<u64> = None, 100 to 60_000, example "1000";
        /// Shortest election time-out, in milliseconds; a quarter of the longest at most, or elections take longer.
        /// Without it: that quarter.
        election_timeout_min_ms: Option<u64> = None, 20 to 15_000, example "250";
        /// The leader tells followers that it lives every so many milliseconds. Without it: a tenth of the longest
        /// election time-out.
        heartbeat_ms: Option<u64> = None, 5 to 6_000, example "100";
    }
}

settings! {
    /// How this node shows who it is, and whom it trusts. TLS 1.3, with certificates on both sides.
    optional TlsSection {
        /// No TLS at all, for development: refused unless every address is a loopback one.
        plaintext: bool = false;
        /// This node's certificate (PEM, with its intermediates), issued by the cluster's authority. Its
        /// role (OU) is node, and the URI alertstore:node:ID stands among its names.
        certificate: Option<PathBuf> = None, example "\"/etc/alertstore/tls/node.pem\"";
        /// Its private key (PEM). Nobody but this user and group may read the file.
        key: Option<PathBuf> = None, example "\"/etc/alertstore/tls/node.key\"";
        /// The cluster's own authority (PEM): it alone vouches for nodes and operators.
        cluster_ca: Option<PathBuf> = None, example "\"/etc/alertstore/tls/cluster-ca.pem\"";
        /// The key that seals the tokens and cursors given to clients: 64 hexadecimal digits, the same on every node.
        /// Nobody but this user and group may read the file.
        token_key: Option<PathBuf> = None, example "\"/etc/alertstore/tls/token.key\"";
        /// Serial numbers (hexadecimal) of certificates that are no longer accepted from anyone.
        deny_serials: Vec<String> = Vec::new();
        /// The authorities that vouch for clients, each with what it may say of them.
        client_cas: Vec<ClientCa> = Vec::new();
    }
}

settings! {
    /// An authority that vouches for clients. It is believed only within these bounds; it can never vouch for a node
    /// or an operator.
    required ClientCa {
        /// Its certificate (PEM; several when it is being replaced).
        path: PathBuf;
        /// Countries or organisations (C) it may name.
        countries: Vec<String>;
        /// Roles (OU) it may give: bureau, search, search-open, auditor and policy for GB; partner for all others.
        roles: Vec<String>;
        /// Authorities (O) it may name. Without it: any.
        authorities: Option<Vec<String>>, example "[\"nca\", \"border-force\"]";
    }
}

settings! {
    /// How much work this node takes on before it answers RESOURCE_EXHAUSTED with a time to wait.
    optional LimitsSection {
        /// Connections to the client port.
        connections_max: u64 = 4_096, 1 to 1_000_000;
        /// Calls at work at a time on one connection.
        calls_per_connection_max: u64 = 256, 1 to 10_000;
        /// Writes waiting to be proposed.
        writes_waiting_max: u64 = 4_096, 1 to 1_000_000;
        /// Linearizable reads waiting for their probe.
        linearizable_waiting_max: u64 = 4_096, 1 to 1_000_000;
        /// Searches waiting for a thread.
        searches_waiting_max: u64 = 1_024, 1 to 1_000_000;
        /// Streams of batch searches open.
        batches_open_max: u64 = 64, 1 to 10_000;
        /// Streams of the feed and of exports open.
        feeds_open_max: u64 = 256, 1 to 100_000;
        /// Calls per second of one caller (country, authority, system), over time.
        caller_calls_per_s: u64 = 2_000, 1 to 10_000_000;
        /// Calls of one caller at once, after a quiet time.
        caller_burst_calls: u64 = 4_000, 1 to 10_000_000;
        /// Longest deadline that a caller may ask for, in milliseconds; later ones are cut to it.
        deadline_max_ms: u64 = 60_000, 100 to 600_000;
    }
}

settings! {
    /// What the authority that runs this cluster has decided.
    optional PolicySection {
        /// While no quorum can be reached, United Kingdom callers get answers from whatever this node holds, marked as
        /// such, instead of none. Partners never do.
        local_without_quorum: bool = false;
        /// How old the answer to a search may be when the caller does not say, in milliseconds.
        bounded_default_ms: u64 = 1_000, 10 to 1_000;
    }
}

settings! {
    /// This node's own messages, on standard error. A line about a call names the caller's system and the search id, which
    /// lead to the audit record; no line names a person, a number or anything else that was written or searched.
    optional LogSection {
        /// "text" for people, "json" for machines.
        format: LogFormat = LogFormat::Text;
        /// What is shown: a level (error, warn, info, debug, trace), or one per module, parted by commas.
        filter: String = "info".to_owned();
    }
}

/// How messages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What the sample file shows: a node of a production cluster.
pub(super) fn sample() -> NodeConfig {
    let address = |port: u16| SocketAddr::from(([0, 0, 0, 0], port));
    let tls = |name: &str| PathBuf::from("/etc/alertstore/tls").join(name);
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    NodeConfig {
        node: NodeSection { cluster_id: "uk-alerts".into(), id: 1, name: "node1".into(), data_centre: "lon".into() },
        listen: ListenSection {
            client: address(7100),
            raft: address(7101),
            ops: SocketAddr::from(([127, 0, 0, 1], 7102)),
        },
        advertise: AdvertiseSection {
            client: Some("node1.alerts.example:7100".into()),
            raft: Some("node1.alerts.example:7101".into()),
        },
        storage: StorageSection::default(),
        raft: RaftSection::default(),
        tls: TlsSection {
            certificate: Some(tls("node.pem")),
            key: Some(tls("node.key")),
            cluster_ca: Some(tls("cluster-ca.pem")),
            token_key: Some(tls("token.key")),
            client_cas: vec![
                ClientCa {
                    path: tls("uk-clients-ca.pem"),
                    countries: texts(&["GB"]),
                    roles: texts(&["bureau", "search", "search-open", "auditor", "policy"]),
                    authorities: None,
                },
                ClientCa {
                    path: tls("partner-fr-ca.pem"),
                    countries: texts(&["FR"]),
                    roles: texts(&["partner"]),
                    authorities: None,
                },
            ],
            ..TlsSection::default()
        },
        limits: LimitsSection::default(),
        policy: PolicySection::default(),
        log: LogSection::default(),
    }
}

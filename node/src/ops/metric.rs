//! Every metric of the node, by name. Dashboards and alert rules are checked against this list.

macro_rules! metrics {
    ($($(#[doc = $doc:literal])+ $constant:ident: $kind:ident = $name:literal;)*) => {
        $($(#[doc = $doc])+ pub const $constant: &str = $name;)*

        /// Name, kind and meaning of every metric.
        pub const ALL: &[(&str, &str, &str)] = &[$(($name, stringify!($kind), concat!($($doc),+)),)*];

        #[cfg(test)]
        const CONSTANTS: &[&str] = &[$(stringify!($constant)),*];

        /// Tells the recorder what each metric means.
        pub fn describe() {
            $(describe::$kind!($name, concat!($($doc),+));)*
        }
    };
}

/// `metrics` describes by macros of other names than it records with.
mod describe {
    pub use metrics::{describe_counter as counter, describe_gauge as gauge, describe_histogram as histogram};
}

metrics! {
    /// Public calls, by method and gRPC code.
    CALLS: counter = "alertstore_calls_total";
    /// Time from a public call's arrival to its answer, in seconds, by method.
    CALL_SECONDS: histogram = "alertstore_call_seconds";
    /// Public calls refused, by method and error code of docs/errors.md.
    REFUSALS: counter = "alertstore_refusals_total";
    /// Limits of the configuration, by what they limit.
    LIMIT: gauge = "alertstore_limit";
    /// Calls under way, by class.
    UNDER_WAY: gauge = "alertstore_calls_under_way";
    /// Pieces of work that wait for a thread, by class.
    WORK_WAITING: gauge = "alertstore_work_waiting";
    /// Calls refused because the node has enough to do, by class.
    OVERLOADS: counter = "alertstore_overloads_total";
    /// Calls refused because a quota is used up, by whose ("caller" or "agreement").
    QUOTA_REFUSALS: counter = "alertstore_quota_refusals_total";
    /// Probes of the quorum sent for reads and for this node's own staleness; one serves all reads that wait for it.
    READ_PROBES: counter = "alertstore_read_probes_total";
    /// Log index applied here.
    APPLIED_INDEX: gauge = "alertstore_applied_index";
    /// Revision of the state machine.
    REVISION: gauge = "alertstore_revision";
    /// Current term.
    TERM: gauge = "alertstore_term";
    /// 1 while this node leads.
    IS_LEADER: gauge = "alertstore_is_leader";
    /// Records, by state.
    ALERTS: gauge = "alertstore_alerts";
    /// Sequence of the last durable audit record.
    AUDIT_SEQUENCE: gauge = "alertstore_audit_sequence";
    /// fsyncs of the Raft log.
    LOG_SYNCS: counter = "alertstore_log_syncs_total";
    /// Entries appended to the Raft log.
    LOG_ENTRIES: counter = "alertstore_log_entries_total";
    /// fsyncs of the audit log.
    AUDIT_SYNCS: counter = "alertstore_audit_syncs_total";
    /// 1 while /readyz says ready.
    READY: gauge = "alertstore_ready";
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    /// The text of every Rust file below `directory` but this one.
    fn code_below(directory: &Path) -> String {
        let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        paths.fold(String::new(), |text, path| {
            if path.is_dir() {
                text + &code_below(&path)
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("ops/metric.rs") {
                text + &fs::read_to_string(path).unwrap()
            } else {
                text
            }
        })
    }

    #[test]
    fn every_metric_is_recorded_somewhere() {
        let code = code_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
        for constant in super::CONSTANTS {
            let recorded = ["!(metric::", "!("].iter().any(|macro_end| {
                code.contains(&format!("{macro_end}{constant},")) || code.contains(&format!("{macro_end}{constant})"))
            });
            assert!(recorded, "nobody records {constant}");
        }
    }

    #[test]
    fn every_metric_has_a_name_of_its_own_and_a_meaning() {
        let mut names: Vec<_> = super::ALL
            .iter()
            .map(|(name, _, meaning)| {
                assert!(name.starts_with("alertstore_") && meaning.len() > 10, "{name}");
                *name
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), super::ALL.len());
    }
}

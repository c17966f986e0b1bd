//! Every metric of the client, by name. Recorded through the `metrics` facade: without a recorder in the process they
//! cost nothing.

macro_rules! metrics {
    ($($(#[doc = $doc:literal])+ $constant:ident: $kind:ident = $name:literal;)*) => {
        $($(#[doc = $doc])+ pub const $constant: &str = $name;)*

        /// Name, kind and meaning of every metric.
        pub const ALL: &[(&str, &str, &str)] = &[$(($name, stringify!($kind), concat!($($doc),+)),)*];

        /// Tells the recorder what each metric means.
        pub fn describe() {
            $(describe::$kind!($name, concat!($($doc),+));)*
        }
    };
}

/// `metrics` describes by macros of other names than it records with.
mod describe {
    pub use metrics::{describe_counter as counter, describe_histogram as histogram};
}

metrics! {
    /// Unary calls, by method and outcome ("ok", or the error's code).
    CALLS: counter = "alert_client_calls_total";
    /// Time of a unary call over all its attempts, in seconds, by method.
    CALL_SECONDS: histogram = "alert_client_call_seconds";
    /// Attempts sent to a node, by method and cause ("first", "retry", "hint", "hedge").
    ATTEMPTS: counter = "alert_client_attempts_total";
    /// Reads that a hedge answered before the attempt it was a hedge of, by method.
    HEDGES_WON: counter = "alert_client_hedges_won_total";
    /// Times that a retry waited because the retry budget was spent.
    RETRIES_HELD: counter = "alert_client_retries_held_total";
    /// Nodes put out of favour, by node and reason ("unreachable", "not-serving", "slow").
    EJECTIONS: counter = "alert_client_ejections_total";
    /// Connections of streams that were lost and replaced, by stream ("import", "batch", "export", "watch").
    STREAMS_LOST: counter = "alert_client_streams_lost_total";
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_metric_has_a_name_of_its_own_and_a_meaning() {
        let mut names: Vec<_> = super::ALL
            .iter()
            .map(|(name, _, meaning)| {
                assert!(name.starts_with("alert_client_") && meaning.len() > 10, "{name}");
                *name
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), super::ALL.len());
    }
}

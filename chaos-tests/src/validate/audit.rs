//! The audit logs of all nodes: unbroken chains, and for each answered search its record, once for each attempt.

use std::collections::BTreeMap;

use alert_core::{
    audit::{End, Verifier, read_frame},
    pb,
};

use super::Findings;
use crate::model::Searched;

/// The audit log of one node as it lies on its disk: (file name, content), in order.
pub struct AuditLog {
    pub cluster: String,
    pub node: String,
    /// Processes that ran on it, one after the other.
    pub processes: u64,
    pub files: Vec<(String, Vec<u8>)>,
}

/// Judges the chains, and the searches that nodes of `logs` answered.
pub fn check_audit(logs: &[AuditLog], searches: &[Searched], end_us: u64) -> Findings {
    let mut findings = Findings::default();
    let mut records: BTreeMap<(&str, String), Vec<pb::AuditRecord>> = BTreeMap::new();
    for log in logs {
        let mut verifier = Verifier::new(&log.cluster, &log.node);
        for (number, (name, bytes)) in log.files.iter().enumerate() {
            let end = if number + 1 == log.files.len() { End::MayBeCut } else { End::Whole };
            verifier.file(name, bytes, end);
            let mut at = 0;
            while let Ok(frame) = read_frame(&bytes[at..]) {
                at += frame.length;
                let key = (log.node.as_str(), frame.record.search_id.clone());
                records.entry(key).or_default().push(frame.record);
            }
        }
        let report = verifier.finish();
        findings.checked += report.records;
        if let Some(fault) = report.faults.first() {
            let what = format!("{}: {} at byte {}: {}", log.node, fault.file, fault.offset, fault.what);
            findings.violation("the audit chain is unbroken", end_us, what);
        }
    }
    let processes: BTreeMap<&str, u64> = logs.iter().map(|log| (log.node.as_str(), log.processes)).collect();
    for search in searches.iter().filter(|search| logs.iter().any(|log| log.node == search.node)) {
        findings.checked += 1;
        let of_search = records.get(&(search.node.as_str(), search.search_id.clone()));
        let of_search = of_search.map_or(&[][..], Vec::as_slice);
        let given = |record: &pb::AuditRecord| {
            let ids: Vec<(String, u64)> =
                record.disclosed.iter().map(|given| (given.alert_id.clone(), given.version)).collect();
            record.revision == search.revision && ids == search.found
        };
        if !of_search.iter().any(given) {
            let what = format!("{} answered search {} and kept no record of it", search.node, search.search_id);
            findings.violation("no answer without its audit record", search.returned_us, what);
        }
        let attempts: Vec<u32> = of_search.iter().map(|record| record.attempt).collect();
        if !counts_attempts(&attempts, processes[search.node.as_str()]) {
            let what = format!("{} has attempts {attempts:?} of search {}", search.node, search.search_id);
            findings.violation("one audit record for each attempt", search.returned_us, what);
        }
    }
    findings
}

/// One record for each attempt, in order. A process counts the attempts that it has seen, so the next one begins anew.
fn counts_attempts(attempts: &[u32], processes: u64) -> bool {
    let goes_on = attempts.windows(2).all(|pair| pair[1] == pair[0] + 1 || pair[1] == 1);
    let begun = attempts.iter().filter(|attempt| **attempt == 1).count() as u64;
    goes_on && attempts.first().is_none_or(|first| *first == 1) && begun <= processes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_counted_one_by_one_and_anew_by_the_next_process() {
        assert!(counts_attempts(&[1, 2, 3], 1) && counts_attempts(&[1, 2, 1], 2) && counts_attempts(&[], 1));
        assert!(!counts_attempts(&[1, 1], 1), "one attempt twice");
        assert!(!counts_attempts(&[1, 3], 2) && !counts_attempts(&[2], 2), "one is missing");
    }
}

//! One record for each question: its attempts (retries, hedges, on one node or several) put together on reading.

use std::collections::BTreeMap;

use prost::Message;

use crate::{alert::time::field_ms, pb};

/// What makes two records attempts of one question: who asked what for, under which id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Question {
    search_id: String,
    operation: String,
    caller: Vec<u8>,
}

impl Question {
    /// The question that a record is about.
    pub fn of(record: &pb::AuditRecord) -> Self {
        Self {
            search_id: record.search_id.clone(),
            operation: record.operation.clone(),
            caller: record.caller.as_ref().map(Message::encode_to_vec).unwrap_or_default(),
        }
    }
}

/// Puts records together that are attempts of one question. In the order of their earliest attempts.
pub fn merge_attempts(records: impl IntoIterator<Item = pb::AuditRecord>) -> Vec<pb::AuditRecord> {
    let mut questions: BTreeMap<Question, Vec<pb::AuditRecord>> = BTreeMap::new();
    for record in records {
        questions.entry(Question::of(&record)).or_default().push(record);
    }
    let mut merged: Vec<_> = questions.into_values().filter_map(merge).collect();
    merged.sort_by_key(|record| (field_ms(&record.at), record.node.clone(), record.sequence));
    merged
}

fn merge(records: Vec<pb::AuditRecord>) -> Option<pb::AuditRecord> {
    let mut attempts: Vec<pb::AuditAttempt> = records.iter().flat_map(attempts_of).collect();
    attempts.sort_by_key(|attempt| (field_ms(&attempt.at), attempt.node.clone(), attempt.sequence));
    attempts.dedup_by(|a, b| (&a.node, a.sequence) == (&b.node, b.sequence));
    let mut record =
        records.into_iter().min_by_key(|record| (field_ms(&record.at), record.node.clone(), record.sequence))?;
    // What the caller learned is what any of them gave.
    record.disclosed.clear();
    for disclosure in attempts.iter().flat_map(|attempt| &attempt.disclosed) {
        if !record.disclosed.contains(disclosure) {
            record.disclosed.push(disclosure.clone());
        }
    }
    let answered = attempts.iter().find(|attempt| attempt.outcome == "Ok").or(attempts.last())?;
    (record.outcome, record.revision) = (answered.outcome.clone(), answered.revision);
    record.attempts = attempts;
    Some(record)
}

/// The attempts of a record: those put together before, or itself.
fn attempts_of(record: &pb::AuditRecord) -> Vec<pb::AuditAttempt> {
    if !record.attempts.is_empty() {
        return record.attempts.clone();
    }
    vec![pb::AuditAttempt {
        node: record.node.clone(),
        sequence: record.sequence,
        at: record.at,
        attempt: record.attempt,
        outcome: record.outcome.clone(),
        disclosed: record.disclosed.clone(),
        revision: record.revision,
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::time::from_ms;

    fn record(node: &str, sequence: u64, search_id: &str, outcome: &str, shown: &[&str]) -> pb::AuditRecord {
        let disclosed = shown.iter().map(|id| pb::AuditDisclosure { alert_id: (*id).into(), ..Default::default() });
        pb::AuditRecord {
            node: node.into(),
            sequence,
            search_id: search_id.into(),
            at: Some(from_ms(sequence * 1000)),
            operation: "search".into(),
            outcome: outcome.into(),
            disclosed: disclosed.collect(),
            ..Default::default()
        }
    }

    #[test]
    fn a_retry_and_a_hedge_are_one_record_with_what_all_of_them_gave() {
        let merged = merge_attempts([
            record("man-1", 2, "a", "Ok", &["x", "y"]),
            record("lon-1", 1, "a", "Unavailable", &[]),
            record("edi-1", 3, "a", "Ok", &["y"]),
            record("lon-1", 4, "b", "Ok", &[]),
        ]);
        assert_eq!(merged.iter().map(|record| record.search_id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        let first = &merged[0];
        assert_eq!((first.node.as_str(), first.sequence, first.outcome.as_str()), ("lon-1", 1, "Ok"));
        assert_eq!(first.disclosed.iter().map(|one| one.alert_id.as_str()).collect::<Vec<_>>(), ["x", "y"]);
        let nodes: Vec<_> = first.attempts.iter().map(|attempt| attempt.node.as_str()).collect();
        assert_eq!(nodes, ["lon-1", "man-1", "edi-1"]);
        // Each node puts its own together first; putting those together gives the same.
        let by_node = merge_attempts([record("man-1", 2, "a", "Ok", &["x", "y"]), record("man-1", 9, "a", "Ok", &[])]);
        let again = merge_attempts(by_node.clone().into_iter().chain([record("lon-1", 1, "a", "Unavailable", &[])]));
        assert_eq!(again[0].attempts.len(), 3);
        assert_eq!(merge_attempts([by_node.clone(), by_node.clone()].concat()), by_node, "told twice, counted once");
    }

    #[test]
    fn the_same_id_of_another_caller_or_operation_is_another_question() {
        let mut other = record("lon-1", 2, "a", "Ok", &[]);
        other.caller = Some(pb::AuditCaller { system: "other".into(), ..Default::default() });
        let mut get = record("lon-1", 3, "a", "Ok", &[]);
        get.operation = "get".into();
        assert_eq!(merge_attempts([record("lon-1", 1, "a", "Ok", &[]), other, get]).len(), 3);
    }
}

//! Answers as an officer wants to read them: what was found, why, what to do, whom to call; and always whether
//! everything was searched.
//!
//! Everything here returns text and prints nothing. Texts are wrapped at [`WIDTH`] columns.

mod candidate;
mod record;
mod verdict;
mod words;

use alert_proto::v1 as pb;

pub use self::{
    candidate::candidate,
    record::record,
    verdict::{Verdict, verdict},
    words::{date, fault, name, party, time},
};

/// Columns of the printed text.
pub const WIDTH: usize = 100;

/// The whole answer of a search: verdict, candidates, warnings, and where the answer came from.
///
/// ```
/// use alert_client::{pb, present};
/// let answer = pb::SearchResponse {
///     sources: vec![pb::SourceAnswer {
///         source: "UK".into(),
///         status: pb::SourceStatus::Complete as i32,
///         ..Default::default()
///     }],
///     ..Default::default()
/// };
/// assert!(present::search(&answer).starts_with("NO HIT: fully searched (UK)"));
/// ```
pub fn search(response: &pb::SearchResponse) -> String {
    answers(&response.sources, &response.warnings, response.answer.as_ref())
}

/// One answer of a batch, headed by the caller's key.
pub fn keyed(answer: &pb::KeyedAnswer) -> String {
    let body = match &answer.error {
        Some(error) => format!("NOT SEARCHED because {}: {}\n", error.code, error.message),
        None => answers(&answer.sources, &answer.warnings, None),
    };
    format!("[{}] {body}", answer.key)
}

fn answers(sources: &[pb::SourceAnswer], warnings: &[pb::Fault], context: Option<&pb::AnswerContext>) -> String {
    let mut text = format!("{}\n", verdict(sources));
    if context.is_some_and(|context| context.without_quorum) {
        text.push_str("CAUTION: answered without a quorum; newer alerts and cancellations may be missing.\n");
    }
    let many_sources = sources.len() > 1;
    let mut number = 0;
    for source in sources {
        for found in &source.candidates {
            number += 1;
            let from = if many_sources { format!(" [{}]", source.source) } else { String::new() };
            text.push_str(&format!("\n{number}.{from} {}", candidate(found)));
        }
    }
    if number > 0 {
        text.push_str("\nA candidate is not a hit: confirm the identity before you act.\n");
    }
    for warning in warnings {
        text.push_str(&format!("Note on the query: {}\n", fault(warning)));
    }
    if let Some(context) = context {
        text.push_str(&provenance(context));
    }
    text
}

/// Which node answered, how fresh, and the receipt.
fn provenance(context: &pb::AnswerContext) -> String {
    let mut parts = Vec::new();
    if !context.node.is_empty() {
        let place = if context.data_centre.is_empty() { String::new() } else { format!(" in {}", context.data_centre) };
        parts.push(format!("answered by {}{place}", context.node));
    }
    match context.staleness_bound.and_then(|bound| std::time::Duration::try_from(bound).ok()) {
        Some(bound) if bound.is_zero() => parts.push("up to date".to_owned()),
        Some(bound) => parts.push(format!("at most {} ms old", bound.as_millis().max(1))),
        None => {}
    }
    if context.revision != 0 {
        parts.push(format!("revision {}", context.revision));
    }
    if !context.receipt.is_empty() {
        parts.push(format!("receipt {}", context.receipt));
    }
    if parts.is_empty() { String::new() } else { format!("({})\n", parts.join(", ")) }
}

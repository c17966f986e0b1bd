//! "No hit" is never confused with "not fully searched".

use std::fmt;

use alert_proto::v1 as pb;

/// What a search amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every source was searched to the end and has nothing.
    NoHit {
        /// The sources searched.
        sources: Vec<String>,
    },
    /// Every source was searched to the end; there are candidates.
    Candidates {
        /// How many.
        count: usize,
        /// The sources searched.
        sources: Vec<String>,
    },
    /// Something was left out: the absence of a candidate proves nothing.
    NotFullySearched {
        /// Candidates found all the same.
        count: usize,
        /// Why, one sentence for each source concerned.
        reasons: Vec<String>,
    },
}

impl Verdict {
    /// Every source was searched to the end.
    pub fn is_complete(&self) -> bool {
        !matches!(self, Verdict::NotFullySearched { .. })
    }

    /// Candidates found.
    pub fn count(&self) -> usize {
        match self {
            Verdict::NoHit { .. } => 0,
            Verdict::Candidates { count, .. } | Verdict::NotFullySearched { count, .. } => *count,
        }
    }
}

/// Judges what the sources said.
///
/// ```
/// use alert_client::{pb, present};
/// let source = |status: pb::SourceStatus| pb::SourceAnswer { source: "UK".into(), status: status as i32, ..Default::default() };
/// assert!(present::verdict(&[source(pb::SourceStatus::Complete)]).is_complete());
/// assert!(!present::verdict(&[source(pb::SourceStatus::TimedOut)]).is_complete());
/// assert!(!present::verdict(&[]).is_complete(), "no source was asked");
/// ```
pub fn verdict(sources: &[pb::SourceAnswer]) -> Verdict {
    let count = sources.iter().map(|source| source.candidates.len()).sum();
    let mut reasons: Vec<String> = sources.iter().filter_map(shortfall).collect();
    if sources.is_empty() {
        reasons.push("no source was asked".to_owned());
    }
    let names = || sources.iter().map(|source| source.source.clone()).collect();
    match (reasons.is_empty(), count) {
        (false, _) => Verdict::NotFullySearched { count, reasons },
        (true, 0) => Verdict::NoHit { sources: names() },
        (true, _) => Verdict::Candidates { count, sources: names() },
    }
}

/// Why a source was not searched to the end; `None` when it was.
fn shortfall(source: &pb::SourceAnswer) -> Option<String> {
    let name = &source.source;
    let because = |text: &str| {
        let reason = if source.reason.is_empty() { String::new() } else { format!(" ({})", source.reason) };
        Some(format!("{name} {text}{reason}"))
    };
    match source.status() {
        pb::SourceStatus::Complete => None,
        pb::SourceStatus::Truncated => {
            let cut = source.truncation.clone().unwrap_or_default();
            let limit = match (cut.limit.as_str(), cut.limit_value) {
                ("", _) => String::new(),
                ("candidates", value) => format!(" after {}", candidates(usize::try_from(value).unwrap_or(usize::MAX))),
                (limit, value) => format!(" at its limit of {value} {limit}"),
            };
            let narrow =
                if cut.narrow_by.is_empty() { String::new() } else { format!("; to narrow it: {}", cut.narrow_by) };
            Some(format!("{name} was cut short{limit}{narrow}"))
        }
        pb::SourceStatus::Unavailable => because("is unavailable"),
        pb::SourceStatus::TimedOut => because("did not answer in time"),
        pb::SourceStatus::NotEntitled => because("is not open to this caller"),
        pb::SourceStatus::Unspecified => because("did not say whether it was searched"),
    }
}

fn candidates(count: usize) -> String {
    if count == 1 { "1 candidate".to_owned() } else { format!("{count} candidates") }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::NoHit { sources } => write!(formatter, "NO HIT: fully searched ({})", sources.join(", ")),
            Verdict::Candidates { count, sources } => {
                write!(formatter, "{}: fully searched ({})", candidates(*count).to_uppercase(), sources.join(", "))
            }
            Verdict::NotFullySearched { count, reasons } => {
                write!(formatter, "NOT FULLY SEARCHED because")?;
                match reasons.as_slice() {
                    [only] => write!(formatter, " {only}")?,
                    several => several.iter().try_for_each(|reason| write!(formatter, "\n  - {reason}"))?,
                }
                if *count > 0 { write!(formatter, "\n{} found so far", candidates(*count)) } else { Ok(()) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(name: &str, status: pb::SourceStatus, candidates: usize) -> pb::SourceAnswer {
        pb::SourceAnswer {
            source: name.into(),
            status: status as i32,
            candidates: vec![pb::Candidate::default(); candidates],
            ..Default::default()
        }
    }

    #[test]
    fn no_hit_is_said_only_when_every_source_was_searched_to_the_end() {
        let complete = source("UK", pb::SourceStatus::Complete, 0);
        assert_eq!(verdict(std::slice::from_ref(&complete)).to_string(), "NO HIT: fully searched (UK)");

        for status in [
            pb::SourceStatus::Unspecified,
            pb::SourceStatus::Truncated,
            pb::SourceStatus::Unavailable,
            pb::SourceStatus::TimedOut,
            pb::SourceStatus::NotEntitled,
        ] {
            let verdict = verdict(&[complete.clone(), source("INTERPOL", status, 0)]);
            assert!(!verdict.is_complete());
            assert!(verdict.to_string().starts_with("NOT FULLY SEARCHED because INTERPOL "), "{verdict}");
        }
        assert!(!verdict(&[]).is_complete());
    }

    #[test]
    fn a_cut_list_says_which_limit_and_what_would_narrow_it() {
        let mut cut = source("UK", pb::SourceStatus::Truncated, 1);
        cut.truncation = Some(pb::Truncation {
            limit: "postings".into(),
            limit_value: 5000,
            narrow_by: "give a date of birth".into(),
        });
        assert_eq!(
            verdict(&[cut]).to_string(),
            "NOT FULLY SEARCHED because UK was cut short at its limit of 5000 postings; to narrow it: give a date of \
             birth\n1 candidate found so far"
        );
    }
}

//! Calls and their outcomes, as clients saw them.

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// One call of one client. Times are microseconds on one clock that never jumps: simulated time, or the monotonic clock
/// of the one process that all clients run in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Who called. A client has one call open at a time; after one whose outcome is unknown it goes on under a new
    /// number, because the old call may still take effect.
    pub client: u32,
    pub called_us: u64,
    /// When the answer came. `None`: no answer told what became of the call; it stays open to the end.
    pub returned_us: Option<u64>,
    /// The node that answered, or the last one asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<u64>,
    /// The alert, under any name that is the same in the whole history.
    pub alert: String,
    pub call: Call,
    pub outcome: Outcome,
}

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Changes the alert, however often it is sent: once, under one request id.
    Write {
        expects: Expects,
        change: Change,
    },
    Read {
        level: Level,
    },
}

/// What a write demands of the alert's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expects {
    /// There is no such alert yet.
    Absent,
    /// Whatever the version is.
    Any,
    /// Exactly this one; otherwise the write is refused.
    Version(u64),
}

/// What a write makes of the alert. Each makes the version one higher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Sets the content to a value that no other write of the history sets.
    Set(u64),
    /// Changes something else: a restriction, an extension.
    Touch,
    /// Ends the alert; what stays is a tombstone.
    Cancel,
    /// Removes the alert and its history.
    Erase,
}

/// What a read demanded of its freshness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// All that was acknowledged before the call.
    Linearizable,
    /// Not older than what this session has seen: at least this version of the alert.
    Session { version: u64 },
    /// All that was acknowledged longer than this before the call.
    Bounded { bound_us: u64 },
    /// Whatever the node held.
    Local,
}

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A write may or may not have taken effect, now or later; a read told nothing.
    Unknown,
    /// Refused before it could have any effect, or a read that was refused.
    Refused,
    /// A write was refused because the version was another one, or because the alert had ended.
    Conflict,
    /// A write took effect and led to this version.
    Written { version: u64 },
    /// A read found this version with this content. `staleness_us`: how old the node said that the answer may be.
    Found { version: u64, value: u64, staleness_us: Option<u64> },
    /// A read found a tombstone with this version.
    Ended { version: u64, staleness_us: Option<u64> },
    /// A read found nothing.
    Absent { staleness_us: Option<u64> },
}

impl Operation {
    /// True when a read came back with an answer.
    pub fn is_answered_read(&self) -> bool {
        matches!(self.outcome, Outcome::Found { .. } | Outcome::Ended { .. } | Outcome::Absent { .. })
    }

    /// True when the write was acknowledged.
    pub fn is_acknowledged(&self) -> bool {
        matches!(self.outcome, Outcome::Written { .. })
    }

    /// True for an erasure, whatever became of it.
    pub fn erases(&self) -> bool {
        matches!(self.call, Call::Write { change: Change::Erase, .. })
    }

    /// The version that the answer tells; 0 when it found nothing.
    pub fn version(&self) -> Option<u64> {
        match self.outcome {
            Outcome::Written { version } | Outcome::Found { version, .. } | Outcome::Ended { version, .. } => {
                Some(version)
            }
            Outcome::Absent { .. } => Some(0),
            Outcome::Unknown | Outcome::Refused | Outcome::Conflict => None,
        }
    }

    /// How old the node said that its answer may be.
    pub fn staleness_us(&self) -> Option<u64> {
        match self.outcome {
            Outcome::Found { staleness_us, .. }
            | Outcome::Ended { staleness_us, .. }
            | Outcome::Absent { staleness_us } => staleness_us,
            _ => None,
        }
    }
}

/// All calls of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    pub operations: Vec<Operation>,
}

/// Why a history could not be read.
#[derive(Debug, Error)]
pub enum HistoryError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("line {line}: {error}")]
    Line { line: usize, error: serde_json::Error },
}

impl History {
    /// One JSON object a line.
    ///
    /// # Errors
    /// Of the writer.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for operation in &self.operations {
            serde_json::to_writer(&mut *out, operation)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    /// Reads what [`History::write`] wrote.
    ///
    /// # Errors
    /// Of the reader, and a line that is no operation.
    pub fn read(from: impl BufRead) -> Result<Self, HistoryError> {
        let mut operations = Vec::new();
        for (number, line) in from.lines().enumerate() {
            let operation = serde_json::from_str(&line?);
            operations.push(operation.map_err(|error| HistoryError::Line { line: number + 1, error })?);
        }
        Ok(Self { operations })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_comes_back_as_it_was_written() {
        let operation = |outcome, returned_us| Operation {
            client: 1,
            called_us: 10,
            returned_us,
            node: Some(2),
            alert: "a".into(),
            call: Call::Write { expects: Expects::Version(3), change: Change::Set(7) },
            outcome,
        };
        let history = History {
            operations: vec![operation(Outcome::Unknown, None), operation(Outcome::Written { version: 4 }, Some(20))],
        };
        let mut bytes = Vec::new();
        history.write(&mut bytes).unwrap();
        assert_eq!(History::read(bytes.as_slice()).unwrap(), history);
        let error = History::read(&b"{}\n"[..]).unwrap_err().to_string();
        assert!(error.starts_with("line 1: "), "{error}");
    }
}

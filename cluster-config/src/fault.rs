//! What is wrong with a configuration, in sentences with lines.

use std::{fmt, io, path::PathBuf};

/// One thing wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// For example `tls.client_cas[1].roles`.
    pub path: String,
    /// Line in the file, counted from 1, where the file has one for it.
    pub line: Option<usize>,
    /// One sentence without a full stop.
    pub message: String,
}

impl Fault {
    pub(crate) fn at(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), line: None, message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(formatter, "line {line}: ")?;
        }
        if !self.path.is_empty() {
            write!(formatter, "{}: ", self.path)?;
        }
        write!(formatter, "{}", self.message)
    }
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("{path}: cannot be read: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file was read and is wrong: all its faults.
    #[error("{}", list(origin, faults))]
    Invalid {
        /// The file's path, or what else the text came from.
        origin: String,
        /// At least one, in the order of the lines.
        faults: Vec<Fault>,
    },
}

impl ConfigError {
    /// The faults of an invalid file; empty when it could not be read at all.
    pub fn faults(&self) -> &[Fault] {
        match self {
            Self::Read { .. } => &[],
            Self::Invalid { faults, .. } => faults,
        }
    }
}

/// One fault is one line; several are a list.
fn list(origin: &str, faults: &[Fault]) -> String {
    match faults {
        [fault] => format!("{origin}: {fault}"),
        _ => {
            let begin = format!("{origin}: {} faults", faults.len());
            faults.iter().fold(begin, |text, fault| format!("{text}\n  {fault}"))
        }
    }
}

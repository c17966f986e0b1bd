//! How the tool ends. The codes are documented in its help.

use std::{fmt, process::ExitCode};

use alert_client::{Error, codes, present};

/// An exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// Refused, or failed.
    Failed = 1,
    /// Wrong usage, configuration or certificate.
    Usage = 2,
    /// Not found.
    NotFound = 3,
    /// Unavailable, or the deadline passed; nothing was changed.
    Unavailable = 4,
    /// Done in part.
    Partial = 5,
    /// The change may have taken effect.
    Unknown = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// Why a command did not end well.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    pub message: String,
}

impl Failure {
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into() }
    }

    pub fn failed(message: impl Into<String>) -> Self {
        Self { exit: Exit::Failed, message: message.into() }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let exit = if error.maybe_applied {
            Exit::Unknown
        } else if error.is_not_found() {
            Exit::NotFound
        } else if error.code == codes::CONFIGURATION || error.code == codes::CERTIFICATE {
            Exit::Usage
        } else if error.is_unavailable() {
            Exit::Unavailable
        } else {
            Exit::Failed
        };
        let mut message = error.to_string();
        for fault in &error.faults {
            let kind = if fault.warning { "warning" } else { "fault" };
            message.push_str(&format!("\n  {kind}: {}", present::fault(fault)));
        }
        Self { exit, message }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

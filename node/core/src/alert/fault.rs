//! What is wrong with a message: the codes callers can rely on, and how a fault is made.

use crate::pb::Fault;

/// Something that must be there is not.
pub const REQUIRED: &str = "REQUIRED";
/// A number or date outside its range.
pub const OUT_OF_RANGE: &str = "OUT_OF_RANGE";
/// A value that its code list does not hold.
pub const UNKNOWN_CODE: &str = "UNKNOWN_CODE";
/// A value that its code list keeps for old records only.
pub const WITHDRAWN_CODE: &str = "WITHDRAWN_CODE";
/// A code that names another list than its field takes.
pub const WRONG_LIST: &str = "WRONG_LIST";
/// A party code that is neither ISO 3166, ICAO 9303 nor an organisation's.
pub const UNKNOWN_PARTY: &str = "UNKNOWN_PARTY";
/// A text longer than its limit.
pub const TOO_LONG: &str = "TOO_LONG";
/// A list longer than its limit, or a record larger than its limit.
pub const TOO_MANY: &str = "TOO_MANY";
/// A record larger than its limit.
pub const TOO_LARGE: &str = "TOO_LARGE";
/// A text that is not of the form asked for.
pub const BAD_FORMAT: &str = "BAD_FORMAT";
/// Control or other characters that no text may hold.
pub const BAD_CHARACTER: &str = "BAD_CHARACTER";
/// Two fields that contradict each other.
pub const INCONSISTENT: &str = "INCONSISTENT";
/// The same thing twice.
pub const DUPLICATE: &str = "DUPLICATE";
/// A check digit that does not agree; always a warning.
pub const CHECK_DIGIT: &str = "CHECK_DIGIT";
/// Possible, but rarely right; always a warning.
pub const UNUSUAL: &str = "UNUSUAL";
/// Short of the minimum fields of its category and source.
pub const MINIMUM_FIELD: &str = "MINIMUM_FIELD";
/// A change of rules that stored records or indexes could not follow.
pub const FORBIDDEN_CHANGE: &str = "FORBIDDEN_CHANGE";

/// Something that blocks. `message` quotes no personal data.
pub fn fault(path: impl Into<String>, code: &str, message: impl Into<String>) -> Fault {
    Fault { field_path: path.into(), code: code.into(), message: message.into(), warning: false }
}

/// Something worth a look that never blocks.
pub fn warning(path: impl Into<String>, code: &str, message: impl Into<String>) -> Fault {
    Fault { warning: true, ..fault(path, code, message) }
}

/// True when anything in the list blocks.
pub fn blocks(faults: &[Fault]) -> bool {
    faults.iter().any(|fault| !fault.warning)
}

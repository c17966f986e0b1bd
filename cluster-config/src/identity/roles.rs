//! The names of roles, as a certificate's OU says them.

/// Another node of the cluster.
pub const NODE: &str = "node";
/// Runs nodes; reads no alert.
pub const OPERATOR: &str = "operator";
/// A United Kingdom authority's bureau.
pub const BUREAU: &str = "bureau";
/// A United Kingdom system that searches, covert alerts included.
pub const SEARCH: &str = "search";
/// A United Kingdom system that searches and may not know of covert alerts.
pub const SEARCH_OPEN: &str = "search-open";
/// A foreign partner, under an agreement.
pub const PARTNER: &str = "partner";
/// Reads the audit log; no alerts.
pub const AUDITOR: &str = "auditor";
/// Keeps agreements and rules.
pub const POLICY: &str = "policy";

/// Every role.
pub const ALL: [&str; 8] = [NODE, OPERATOR, BUREAU, SEARCH, SEARCH_OPEN, PARTNER, AUDITOR, POLICY];

/// The country whose store this is: all roles are its own but `partner`, which is every other's.
pub const HOME_COUNTRY: &str = "GB";

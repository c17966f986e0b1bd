//! Who calls, as its certificate says.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What a certificate lets its holder do. Roles are separate: an operator runs nodes and reads no alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    /// Another node of the cluster: the Raft port, and nothing else.
    Node,
    /// Runs nodes: cluster administration, no alerts.
    Operator,
    /// A United Kingdom authority's bureau: creates, changes and ends the alerts it owns; searches.
    Bureau,
    /// A United Kingdom system that searches, covert alerts included.
    Search,
    /// A United Kingdom system that searches and may not know of covert alerts.
    SearchOpen,
    /// A foreign partner, under an agreement.
    Partner,
    /// Reads the audit log, no alerts.
    Auditor,
    /// Keeps agreements and rules.
    Policy,
}

impl Role {
    /// Every role with its name in a certificate (organisational unit).
    pub const NAMES: [(Role, &'static str); 8] = [
        (Role::Node, "node"),
        (Role::Operator, "operator"),
        (Role::Bureau, "bureau"),
        (Role::Search, "search"),
        (Role::SearchOpen, "search-open"),
        (Role::Partner, "partner"),
        (Role::Auditor, "auditor"),
        (Role::Policy, "policy"),
    ];

    /// Its name in a certificate.
    pub fn name(self) -> &'static str {
        Self::NAMES.into_iter().find(|(role, _)| *role == self).map(|(_, name)| name).expect("NAMES holds every role")
    }

    /// Reads alerts at all.
    pub fn reads_alerts(self) -> bool {
        matches!(self, Role::Bureau | Role::Search | Role::SearchOpen | Role::Partner)
    }

    /// May know of covert alerts without an agreement saying so.
    pub fn sees_covert(self) -> bool {
        matches!(self, Role::Bureau | Role::Search)
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::NAMES
            .into_iter()
            .find(|(_, known)| *known == name)
            .map(|(role, _)| role)
            .ok_or_else(|| format!("unknown role '{name}'"))
    }
}

/// A caller, from its certificate: C = country, O = authority, CN = system, OU = role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Caller {
    /// ISO 3166-1 alpha-2 or an organisation's code.
    pub country: String,
    /// Value of the code list "authority".
    pub authority: String,
    /// The system's own name.
    pub system: String,
    /// What it may do.
    pub role: Role,
}

impl fmt::Display for Caller {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}/{} ({})", self.country, self.authority, self.system, self.role.name())
    }
}

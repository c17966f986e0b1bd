//! Party codes: who issues, owns, receives, and of which state a person is.
//!
//! Records come with ISO 3166-1 alpha-2 or alpha-3, with withdrawn codes, with the special codes of ICAO 9303. To compare
//! them, each party has one canonical code: alpha-2 where one exists. Records keep what they came with; labels, index
//! keys and queries use the canonical one.

mod table;

use std::{collections::BTreeMap, sync::LazyLock};

/// What a party code stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartyKind {
    /// A country or territory of ISO 3166-1.
    Country,
    /// A Crown Dependency: Guernsey, Jersey, the Isle of Man. Not part of the United Kingdom.
    CrownDependency,
    /// A British Overseas Territory.
    OverseasTerritory,
    /// A code of a state that no longer exists (ISO 3166-3).
    Withdrawn,
    /// A special code of ICAO 9303 part 3: a nationality or status that no country code expresses.
    Special,
    /// An international organisation.
    Organisation,
    /// A jurisdiction of the United Kingdom: a territory of suspensions and flags, no owner and no nationality.
    Jurisdiction,
}

/// One party.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartyEntry {
    /// The one code by which parties are compared.
    pub code: &'static str,
    /// What it is.
    pub kind: PartyKind,
    /// The state it belongs to (the United Kingdom for `GBO` and `GB-SCT`, Germany for `DD`), else its own code.
    pub state: &'static str,
}

static BY_CODE: LazyLock<BTreeMap<&'static str, PartyEntry>> = LazyLock::new(|| {
    let mut by_code = BTreeMap::new();
    for &(code, others, kind, state) in table::TABLE {
        let entry = PartyEntry { code, kind, state: if state.is_empty() { code } else { state } };
        for known in std::iter::once(code).chain(others.split_whitespace()) {
            by_code.insert(known, entry);
        }
    }
    by_code
});

/// Finds a party by any of its codes; case and surrounding spaces do not matter, nor does the filler `<` of an MRZ.
pub fn lookup(code: &str) -> Option<PartyEntry> {
    let trimmed = code.trim_matches([' ', '<']);
    if let Some(found) = BY_CODE.get(trimmed) {
        return Some(*found);
    }
    BY_CODE.get(trimmed.to_ascii_uppercase().as_str()).copied()
}

/// The canonical code of a party (`GBR`, `uk` -> `GB`; `D` -> `DE`; `GBO` stays), or `None` for no known party.
pub fn normalise(code: &str) -> Option<&'static str> {
    lookup(code).map(|entry| entry.code)
}

/// The canonical code where there is one, else the code as it came: for comparisons that must not lose a foreign code.
pub fn canonical(code: &str) -> String {
    normalise(code).map_or_else(|| code.to_owned(), str::to_owned)
}

/// The state behind a code: `GB` for `GBN` and `GB-SCT`, `DE` for `D`, the party itself otherwise.
pub fn state_of(code: &str) -> Option<&'static str> {
    lookup(code).map(|entry| entry.state)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_names_one_party() {
        let mut seen = BTreeSet::new();
        for &(code, others, _, state) in table::TABLE {
            for known in std::iter::once(code).chain(others.split_whitespace()) {
                assert!(seen.insert(known), "{known} stands twice");
            }
            assert!(state.is_empty() || normalise(state) == Some(state), "{code} belongs to unknown {state}");
        }
    }

    #[test]
    fn iso_3166_1_is_complete() {
        // 249 officially assigned codes; AC, TA and XK are not among them.
        let assigned = table::TABLE
            .iter()
            .filter(|(code, _, kind, _)| {
                matches!(kind, PartyKind::Country | PartyKind::CrownDependency | PartyKind::OverseasTerritory)
                    && !["AC", "TA", "XK"].contains(code)
            })
            .count();
        assert_eq!(assigned, 249);
    }

    #[test]
    fn codes_of_one_party_are_compared_as_one() {
        for (code, canonical) in [
            ("GBR", "GB"),
            ("uk", "GB"),
            ("D<<", "DE"),
            ("deu", "DE"),
            ("ZAR", "CD"),
            ("EUE", "EU"),
            ("UNO", "UN"),
            ("INTERPOL", "XPO"),
            ("GBO", "GBO"),
            ("XXB", "XXB"),
            ("SUN", "SU"),
            ("GB-ENG", "GB-EAW"),
            ("IMN", "IM"),
        ] {
            assert_eq!(normalise(code), Some(canonical), "{code}");
        }
        for unknown in ["", "ZZ", "CS", "GB-", "XYZ", "G B", "\u{ff27}\u{ff22}"] {
            assert_eq!(normalise(unknown), None, "{unknown}");
        }
        assert_eq!(state_of("GBN"), Some("GB"));
        assert_eq!(state_of("gb-sct"), Some("GB"));
        assert_eq!(state_of("IM"), Some("IM"));
        assert_eq!(state_of("DDR"), Some("DE"));
    }
}

//! How each family of the state is used.

use alert_core::{search::index::prefix_length, state::family::Family};

use crate::storage::engine::{EngineSpec, FamilyIndex, FamilySpec, Recovery, Tuning};

/// The state's database.
pub fn spec() -> EngineSpec {
    EngineSpec {
        name: "state",
        families: Family::ALL.iter().map(|family| family_spec(*family)).collect(),
        // A lost suffix is applied again from the log.
        recovery: Recovery::KeepPrefix,
        // What the process wrote survives the process: after a kill there is nothing to apply again.
        wal_in_memory: false,
    }
}

/// Position of a family in the spec.
pub fn index(family: Family) -> FamilyIndex {
    family as FamilyIndex
}

fn family_spec(family: Family) -> FamilySpec {
    let (tuning, personal_data) = match family {
        Family::Alerts | Family::History | Family::Hits | Family::Attachments => (Tuning::Records, true),
        Family::Links | Family::Changes | Family::Requests | Family::Sources => (Tuning::Records, true),
        Family::Number => (Tuning::Index, true),
        Family::Born | Family::NameDay | Family::NamePair | Family::NameOne | Family::Lexicon => (Tuning::Index, true),
        // Labels, acknowledgements, erasure list: who, never what.
        Family::Expiry | Family::Agreements | Family::Rules | Family::Sys => (Tuning::Small, false),
    };
    FamilySpec { name: family.name(), prefix_length: prefix_length(family), tuning, personal_data }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_lie_where_their_number_says() {
        let spec = spec();
        for family in Family::ALL {
            assert_eq!(spec.families[index(*family)].name, family.name());
        }
    }

    #[test]
    fn every_search_index_leaves_the_disk_when_it_is_erased() {
        for family in Family::ALL.iter().filter(|family| !family.is_primary() && **family != Family::Sys) {
            assert!(family_spec(*family).personal_data, "{family:?}");
        }
    }
}

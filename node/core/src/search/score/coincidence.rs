//! Whether a candidate is probably somebody else of the same name.
//!
//! A name that many bear and a date that agrees in part only are no evidence: among two million persons, a common forename
//! and surname meet a date with one digit changed by chance in one search out of seven. How many bear the name is counted
//! from the postings that the caller may see, so hidden alerts change nothing, and every node counts the same.

use super::{date::DateMatch, name::Naming};
use crate::pb;

/// How likely a person of any date of birth agrees in this way with a given one, in a million: dates of birth spread over
/// some 60 years, 22,000 days. `None` for dates that agree in full, or are not asked for: such candidates are always
/// shown, but for records of one name that meet a query of several.
fn chance_ppm(date: DateMatch, naming: Naming) -> Option<u64> {
    match date {
        // One day in 22,000, and ten times as many on the days that registries make up.
        DateMatch::Exact if naming == Naming::OneOfSeveral => Some(450),
        DateMatch::Exact | DateMatch::AsAsked | DateMatch::NotAsked => None,
        // One other date.
        DateMatch::Swapped => Some(50),
        // About 25 dates that living people have.
        DateMatch::Digit => Some(1_200),
        // One year in sixty, and one date in eight that says no more than the year.
        DateMatch::Year => Some(2_000),
        // Two years, and fewer ways to agree.
        DateMatch::YearNear => Some(2_000),
        // One record in thirty has no date.
        DateMatch::Unknown => Some(30_000),
        DateMatch::Conflict => Some(1_000_000),
    }
}

/// True when a candidate whose name `bearers` others bear, and whose date agrees like this, is met by chance too often.
/// Never for a date that agrees in full, whatever the name: a missed hit can cost a life.
pub fn is_likely(date: DateMatch, naming: Naming, bearers: u32, profile: &pb::SearchProfile) -> bool {
    let most = u64::from(profile.coincidence_ppm_max);
    if most == 0 {
        return false;
    }
    // A date that agrees in part is one doubt; a name that is not quite the same is the second.
    let is_doubly_doubtful = naming != Naming::Same
        && bearers > 0
        && matches!(date, DateMatch::Digit | DateMatch::Year | DateMatch::YearNear | DateMatch::Unknown);
    is_doubly_doubtful || chance_ppm(date, naming).is_some_and(|chance| chance * u64::from(bearers) > most)
}

/// Of so many who bear one part of a name, one bears another given part too: the commonest forenames and surnames are those
/// of one in fifty, most are much rarer.
const BEAR_A_SECOND: u64 = 200;
/// Of these, so many bear a third.
const BEAR_A_THIRD: u64 = 20;
/// Of so many who bear a name, one is known by it alone.
const HAVE_NO_OTHER: u64 = 10;
/// Names that are merely near one are so many times as many.
const ARE_NEAR: u64 = 10;

/// How many others bear a name, to be expected by the alerts that have the rarest of its `parts`, this one among them. No
/// date says nothing for a person and against others; that nobody else here bears the name is little evidence then, where
/// each part is common.
pub fn expected_others(rarest: u64, parts: usize, naming: Naming) -> u32 {
    let among = match parts {
        0 | 1 => HAVE_NO_OTHER,
        2 => BEAR_A_SECOND,
        _ => BEAR_A_SECOND * BEAR_A_THIRD,
    };
    let among = if naming == Naming::Same { among } else { (among / ARE_NEAR).max(1) };
    u32::try_from((rarest.saturating_sub(1) + among / 2) / among).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::RuleSet;

    #[test]
    fn a_rare_name_is_believed_with_any_date_and_a_common_one_with_its_own() {
        let rules = RuleSet::defaults();
        let profile = rules.search_profile();
        for date in [DateMatch::Exact, DateMatch::Swapped, DateMatch::Digit, DateMatch::Year, DateMatch::Unknown] {
            assert!(!is_likely(date, Naming::Same, 0, profile), "{date:?}");
        }
        assert!(!is_likely(DateMatch::Exact, Naming::Near, 100_000, profile));
        assert!(!is_likely(DateMatch::NotAsked, Naming::Near, 100_000, profile));
        assert!(is_likely(DateMatch::Digit, Naming::Same, 100, profile));
        assert!(is_likely(DateMatch::Unknown, Naming::Same, 2, profile));
        assert!(is_likely(DateMatch::Digit, Naming::Near, 1, profile), "neither quite the date nor quite the name");
        assert!(is_likely(DateMatch::Exact, Naming::OneOfSeveral, 1_000, profile));
        assert!(!is_likely(DateMatch::Exact, Naming::OneOfSeveral, 10, profile));
        let mut everybody = *profile;
        everybody.coincidence_ppm_max = 0;
        assert!(!is_likely(DateMatch::Unknown, Naming::Near, 100_000, &everybody));
    }

    #[test]
    fn a_name_is_expected_to_be_borne_by_few_where_one_part_is_rare() {
        for (rarest, parts, naming, others) in [
            (1, 1, Naming::Same, 0),
            (5, 1, Naming::Same, 0),
            (41, 1, Naming::Same, 4),
            (90, 2, Naming::Same, 0),
            (1_001, 2, Naming::Same, 5),
            (90, 2, Naming::Near, 4),
            (9, 2, Naming::Near, 0),
            (1_001, 3, Naming::Same, 0),
        ] {
            assert_eq!(expected_others(rarest, parts, naming), others, "{rarest} {parts} {naming:?}");
        }
    }
}

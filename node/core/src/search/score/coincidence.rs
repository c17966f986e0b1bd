//! Whether a candidate is probably somebody else of the same name.
//!
//! A name that many bear and a date that agrees in part only are no evidence: among two million persons, a common forename
//! and surname meet a date with one digit changed by chance in one search out of seven. How many bear the name is counted
//! from the postings that the caller may see, so hidden alerts change nothing, and every node counts the same.

use super::date::DateMatch;
use crate::pb;

/// How likely a person of any date of birth agrees in this way with a given one, in a million: dates of birth spread over
/// some 60 years, 22,000 days. `None` for dates that agree in full, or are not asked for: such candidates are always shown.
fn chance_ppm(date: DateMatch) -> Option<u64> {
    match date {
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
pub fn is_likely(date: DateMatch, bearers: u32, profile: &pb::SearchProfile) -> bool {
    let most = u64::from(profile.coincidence_ppm_max);
    most > 0 && chance_ppm(date).is_some_and(|chance| chance * u64::from(bearers) > most)
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
            assert!(!is_likely(date, 0, profile), "{date:?}");
        }
        assert!(!is_likely(DateMatch::Exact, 100_000, profile));
        assert!(!is_likely(DateMatch::NotAsked, 100_000, profile));
        assert!(is_likely(DateMatch::Digit, 100, profile));
        assert!(is_likely(DateMatch::Unknown, 2, profile));
        let mut everybody = *profile;
        everybody.coincidence_ppm_max = 0;
        assert!(!is_likely(DateMatch::Unknown, 100_000, &everybody));
    }
}

//! The search profile: weights, threshold and budgets, replicated and versioned like any rule.

use super::NORMALISER_VERSION;
use crate::pb;

/// The profile that a new store starts with.
///
/// A score is `(name_weight * name + date_weight * date) / (name_weight + date_weight)` when the query states a date,
/// the name's points alone when it does not, and adjustments on top; all of it 0 to 10000. Token points
/// (`typing_error_points`, `variant_points`, `initial_points`) and date points are what such an agreement earns;
/// `missing_part_points` is what each name that one side lacks takes; gender and nationality points are added as they
/// are, so conflicts are negative.
pub fn default_profile() -> pb::SearchProfile {
    pb::SearchProfile {
        threshold: 7_500,
        max_candidates: 20,
        name_weight: 65,
        date_weight: 35,
        date_swapped_points: 8_500,
        date_digit_points: 8_500,
        date_year_near_points: 4_500,
        date_year_points: 7_000,
        date_conflict_points: 0,
        date_unknown_points: 5_500,
        gender_conflict_points: -800,
        nationality_match_points: 100,
        nationality_conflict_points: -200,
        typing_error_points: 8_600,
        variant_points: 9_200,
        initial_points: 7_200,
        missing_part_points: 500,
        budget_expansions: 160,
        budget_seeks: 4_000,
        budget_postings: 50_000,
        budget_scores: 500,
        normaliser_version: NORMALISER_VERSION,
    }
}

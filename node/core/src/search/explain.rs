//! The words of explanations. They are part of the contract: callers show and test them.

/// A token is the same.
pub const EXACT: &str = "exact";
/// One typing error, or two in a long name.
pub const TYPING_ERROR: &str = "typing-error";
/// Another spelling of the same sound.
pub const VARIANT: &str = "variant";
/// The same name in another script or with its marks spelt otherwise.
pub const TRANSLITERATION: &str = "transliteration";
/// One side has the first letter only.
pub const INITIAL: &str = "initial";
/// Two tokens of one side are one of the other.
pub const JOINED: &str = "joined";
/// The query's token is cut short.
pub const PREFIX: &str = "prefix";

/// The whole date agrees.
pub const DATE_EXACT: &str = "exact";
/// Day and month changed places.
pub const DATE_SWAPPED: &str = "day-month-swapped";
/// One digit differs.
pub const DATE_DIGIT: &str = "digit";
/// The year agrees.
pub const DATE_YEAR: &str = "year";
/// The year before or after.
pub const DATE_YEAR_NEAR: &str = "year-near";
/// One side states no year.
pub const DATE_UNKNOWN: &str = "unknown";
/// The dates contradict.
pub const DATE_CONFLICT: &str = "conflict";
/// The query states no date.
pub const DATE_NOT_ASKED: &str = "not-asked";

/// A number is the same.
pub const NUMBER_EXACT: &str = "exact";
/// At most two look-alike characters differ.
pub const NUMBER_LOOK_ALIKE: &str = "look-alike";
/// The last eight characters of a chassis number are the same.
pub const NUMBER_LAST_8: &str = "last-8";
/// The number lies in a range that the alert names.
pub const NUMBER_IN_RANGE: &str = "in-range";

/// Adjustment: gender contradicts.
pub const GENDER: &str = "gender";
/// Adjustment: a nationality agrees or contradicts.
pub const NATIONALITY: &str = "nationality";
/// Adjustment: one side has more names than the other.
pub const MISSING_PART: &str = "missing-part";
/// Adjustment of a number: the alert has it as another kind of number.
pub const OTHER_KIND: &str = "other-kind";
/// Adjustment of a number: the alert does not say which country.
pub const COUNTRY_UNKNOWN: &str = "country-unknown";
/// Adjustment of a number: another type of document.
pub const DOCUMENT_TYPE: &str = "document-type";
/// Adjustment of a number: another make or model.
pub const MAKE: &str = "make";

/// Truncation: more candidates than asked for.
pub const LIMIT_CANDIDATES: &str = "candidates";
/// Truncation: too many lists.
pub const LIMIT_SEEKS: &str = "seeks";
/// Truncation: lists too long.
pub const LIMIT_POSTINGS: &str = "postings";
/// Truncation: too many records to compare.
pub const LIMIT_SCORES: &str = "scores";
/// Truncation: too many spellings to try.
pub const LIMIT_EXPANSIONS: &str = "expansions";

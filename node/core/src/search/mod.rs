//! Normalise, derive index keys, plan, score.
//!
//! * [`normalise`]: one form for numbers, countries, dates and names; * [`identifier`]: the numbers of an alert;
//! * [`Normaliser`]: one version of all that index keys depend on;
//! * [`index`]: keys and values, and what a change of an alert changes; * [`mrz`]: machine-readable zones;
//! * [`query`]: a caller's question, checked and divided into legs; * `leg`: how each leg finds postings;
//! * [`score`]: how well a record answers; * [`run()`]: the whole search; * [`candidate`]: what a caller is shown.
//!
//! Visibility is decided before any budget, score or cap: covert lists are not sought without the right, and the label in
//! each posting is tested before the posting counts. Everything is integers and sorted orders, so that at one revision
//! every node gives the same answer.

pub mod candidate;
pub mod duplicates;
pub mod explain;
pub mod identifier;
pub mod index;
mod leg;
pub mod mrz;
pub mod normalise;
mod normaliser;
pub mod query;
mod run;
pub mod score;
mod session;
mod sharing;

pub use duplicates::duplicates;
pub use identifier::identifiers;
pub use normaliser::{Normaliser, Normalisers, UnknownNormaliser};
pub use run::{Batch, Found, SearchAnswer, SearchLimits, run};
pub use session::{Counters, LabelSource};
pub use sharing::sharing_an_identifier;

/// The version that a new store begins with: of everything that index keys depend on. It is part of each key; a change of
/// the normaliser, the skeleton or the layout is a new version, built beside the old one.
pub const NORMALISER_VERSION: u32 = 2;

#[cfg(test)]
mod tests;

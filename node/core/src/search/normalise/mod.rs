//! One form for what can be written in many: numbers, countries, dates, and names in any script.
//!
//! Everything here is a pure function of its text. Index keys are made of its results, so a change of any of them is a
//! new `NORMALISER_VERSION`; the golden keys in `golden_names.txt` make an unintended change fail a test.

pub mod country;
pub mod date;
mod east;
mod indic;
pub mod name;
pub mod number;
pub mod script;
pub mod skeleton;
pub mod sketch;
pub mod text;
pub mod variants;

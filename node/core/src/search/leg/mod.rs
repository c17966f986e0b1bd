//! How each leg finds postings and turns them into scored records.

pub mod estimate;
mod lists;
pub mod number;
pub mod person;
pub mod plan;

//! The commands, one file per group.

pub mod agreement;
pub mod alert;
pub mod audit;
pub mod change;
pub mod cluster;
pub mod export;
pub mod import;
pub mod membership;
pub mod rules;
pub mod search;

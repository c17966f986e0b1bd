//! The commands, one file per group.

pub mod agreement;
pub mod alert;
pub mod attachment;
pub mod audit;
pub mod change;
pub mod cluster;
pub mod export;
pub mod hit;
pub mod import;
pub mod membership;
pub mod relations;
pub mod review;
pub mod rules;
pub mod search;
pub mod statistics;

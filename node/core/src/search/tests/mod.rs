//! The search as a whole, over a state in memory.

mod batch;
mod budget;
mod coincidence;
mod golden;
mod metamorphic;
mod model;
mod names;
mod numbers;
mod persons;
mod store;
mod visibility;

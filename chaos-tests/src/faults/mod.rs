//! What goes wrong: which faults a seed turns on, and whether each took effect.

mod nemesis;
mod operator;
mod plan;
mod tally;

pub use nemesis::Nemesis;
pub use operator::{Operator, Order};
pub use plan::{Kind, Plan};
pub use tally::Tally;

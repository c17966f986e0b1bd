//! What a run looked like, for people.

mod html;
mod timeline;

pub use html::page;
pub use timeline::{Note, Timeline};

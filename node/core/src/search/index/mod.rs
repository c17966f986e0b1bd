//! What an alert is found by: composite keys in the families of the state, written in the batch that changes the alert.
//!
//! * [`key`]: the layout; * [`signature`]: the values, which kill most candidates without a read;
//! * [`form`]: an alert's names with the dates that go with them; * [`derive()`]: all entries of one alert;
//! * [`range`]: ranges of numbers; * [`lexicon`]: which names are in use, for typing errors.
//!
//! Every key begins with the normaliser's version and the visibility partition, goes on with a prefix of fixed length
//! that says what is looked for, and goes on with priority, newest first, id: a list that is cut keeps what matters most.

mod derive;
pub mod form;
pub mod key;
pub mod lexicon;
pub mod range;
pub mod signature;

pub use derive::{IndexInput, derive};
pub use key::prefix_length;

//! The one source of randomness of a client: jitter, session, ids of questions. With a seed given, a run repeats exactly.

use std::{ops::Range, time::Duration};

use parking_lot::Mutex;
use rand::{Rng, SeedableRng, rngs::StdRng};

pub(crate) struct Random(Mutex<StdRng>);

impl Random {
    /// `None` = a seed from the operating system.
    pub fn new(seed: Option<u64>) -> Self {
        Self(Mutex::new(seed.map_or_else(StdRng::from_os_rng, StdRng::seed_from_u64)))
    }

    pub fn bytes(&self) -> [u8; 16] {
        self.0.lock().random()
    }

    /// A new `search_id`.
    pub fn search_id(&self) -> String {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid().to_string()
    }

    pub fn below(&self, end: usize) -> usize {
        self.0.lock().random_range(0..end)
    }

    /// `time` times a factor out of `range`.
    pub fn jitter(&self, time: Duration, range: Range<f64>) -> Duration {
        time.mul_f64(self.0.lock().random_range(range))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_ids() {
        let (one, two) = (Random::new(Some(7)), Random::new(Some(7)));
        assert_eq!(one.search_id(), two.search_id());
        assert_ne!(one.search_id(), one.search_id());
        assert_ne!(Random::new(None).search_id(), Random::new(None).search_id());
    }
}

//! Randomness that is the same on every machine and for ever.
//!
//! Not the `rand` crate: its small generators may change between versions, and a record's number shall name the same
//! record for as long as the test data is used. Integers only, so no platform's floating point takes part.

/// xoshiro256** seeded by SplitMix64.
#[derive(Debug, Clone)]
pub struct Rng {
    state: [u64; 4],
}

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl Rng {
    /// A stream of its own for each (seed, stream, number), so that any record can be made without the ones before it.
    pub fn new(seed: u64, stream: &str, number: u64) -> Self {
        let mut state = seed;
        for byte in stream.bytes() {
            state = split_mix(&mut state) ^ u64::from(byte);
        }
        state = split_mix(&mut state) ^ number;
        Self { state: std::array::from_fn(|_| split_mix(&mut state)) }
    }

    /// A further stream that leaves this one where it is: adding a field to one part of a record changes no other part.
    pub fn fork(&self, stream: &str) -> Self {
        Self::new(self.state[0] ^ self.state[3].rotate_left(17), stream, self.state[1])
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let [s0, s1, s2, s3] = self.state;
        let result = s1.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let (s2, s3) = (s2 ^ s0, s3 ^ s1);
        self.state = [s0 ^ s3, s1 ^ s2, s2 ^ (s1 << 17), s3.rotate_left(45)];
        result
    }

    /// 0 to `limit - 1`; 0 when the limit is 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(limit)) >> 64) as u64
    }

    /// `low` to `high`, both included.
    pub fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(u64::from(high - low) + 1) as u32
    }

    /// True in `per_mille` of 1000 cases.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// One of them, all equally likely.
    ///
    /// # Panics
    /// When there is none: every list of this crate has entries.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }

    /// One of them, by weight.
    ///
    /// # Panics
    /// When there is none.
    pub fn weighted<T: Copy>(&mut self, of: &[(T, u32)]) -> T {
        let total: u64 = of.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let mut left = self.below(total);
        for (value, weight) in of {
            match left.checked_sub(u64::from(*weight)) {
                Some(less) => left = less,
                None => return *value,
            }
        }
        of[of.len() - 1].0
    }

    /// A string of `length` characters out of `alphabet`.
    pub fn text(&mut self, alphabet: &str, length: usize) -> String {
        let alphabet = alphabet.as_bytes();
        (0..length).map(|_| char::from(self.pick(alphabet))).collect()
    }

    /// A string of `length` decimal digits, the first of them not zero.
    pub fn digits(&mut self, length: usize) -> String {
        let mut text = self.text("123456789", length.min(1));
        text.push_str(&self.text("0123456789", length.saturating_sub(1)));
        text
    }
}

/// Ranks 0 to n - 1 by Zipf's law with an offset: rank r has weight 1 / (r + offset).
#[derive(Debug, Clone)]
pub struct Zipf {
    cumulated: Vec<u64>,
}

impl Zipf {
    /// Over `count` ranks. A larger offset makes the first ranks more alike.
    pub fn new(count: usize, offset: u64) -> Self {
        let cumulated = (0..count as u64).scan(0, |sum, rank| {
            *sum += (1 << 32) / (rank + offset);
            Some(*sum)
        });
        Self { cumulated: cumulated.collect() }
    }

    /// A rank.
    pub fn rank(&self, rng: &mut Rng) -> usize {
        let at = rng.below(self.cumulated.last().copied().unwrap_or(0));
        self.cumulated.partition_point(|sum| *sum <= at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_do_not_depend_on_what_was_drawn_before() {
        let mut first = Rng::new(1, "person", 7);
        let drawn: Vec<u64> = (0..4).map(|_| first.bits()).collect();
        let mut again = Rng::new(1, "person", 7);
        assert_eq!(drawn, (0..4).map(|_| again.bits()).collect::<Vec<_>>());
        assert_ne!(drawn[0], Rng::new(1, "person", 8).bits());
        assert_ne!(drawn[0], Rng::new(1, "object", 7).bits());
        assert_ne!(drawn[0], Rng::new(2, "person", 7).bits());
    }

    #[test]
    fn every_value_of_a_range_is_reached() {
        let mut rng = Rng::new(3, "range", 0);
        let mut seen = [false; 12];
        for _ in 0..500 {
            seen[rng.between(1, 12) as usize - 1] = true;
        }
        assert_eq!(seen, [true; 12]);
    }

    #[test]
    fn the_first_rank_is_the_most_frequent() {
        let (zipf, mut rng) = (Zipf::new(50, 3), Rng::new(3, "zipf", 0));
        let mut counts = [0_u32; 50];
        for _ in 0..20_000 {
            counts[zipf.rank(&mut rng)] += 1;
        }
        assert!(counts[0] > counts[5] && counts[5] > counts[40], "{counts:?}");
        assert!(counts.iter().all(|count| *count > 0));
    }
}

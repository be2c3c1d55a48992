//! Numbers that look random and follow from a seed, the same on every machine and for ever.
//!
//! SplitMix64, after Steele, Lea and Flood (2014).

/// A sequence of numbers.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// A number below `limit`; zero when the limit is zero.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        // The slight preference for small numbers does no harm to a test.
        self.next().checked_rem(limit).unwrap_or(0)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

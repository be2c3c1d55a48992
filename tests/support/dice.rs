//! What chance decides: SplitMix64 (Steele, Lea and Flood 2014), the same from the same seed.

use std::thread;

/// A source of chance.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    /// Gives other threads their turn, mostly not at all, sometimes more than once. Rarely enough,
    /// since on a busy machine others than these threads may take it too.
    #[allow(dead_code, reason = "not every test has threads")]
    pub(crate) fn pause(&mut self) {
        let times = match self.below(64) {
            0 => 4,
            1..6 => 1,
            _ => 0,
        };
        (0..times).for_each(|_| thread::yield_now());
    }
}

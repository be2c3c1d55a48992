//! Chance that can be repeated: the same seed throws the same numbers.
//!
//! SplitMix64, after Steele, Lea and Flood (2014).

/// Numbers that look random.
pub(super) struct Dice(u64);

/// What texts are made of: also what JSON has to escape, and more than one byte.
const LETTERS: [char; 16] =
    ['a', 'b', 'e', 'n', 'o', 'r', 's', 't', ' ', '"', '\\', '\n', 'é', 'ß', '語', '😀'];

impl Dice {
    /// The dice of one user of a run.
    pub(super) fn new(seed: u64, user: u64) -> Dice {
        let mut dice = Dice(seed ^ user.wrapping_mul(0xD134_2543_DE82_EF95));
        // Neighbours begin far apart.
        dice.0 = dice.next();
        dice
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below a bound, which must not be zero.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// True once in so many times.
    pub(super) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// A number from zero to one, one excluded.
    pub(super) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// One of some things, of which there must be one.
    pub(super) fn one_of<T: Copy>(&mut self, things: &[T]) -> Option<T> {
        let bound = (things.len() as u64).max(1);
        things.get(self.below(bound) as usize).copied()
    }

    /// A text of fewer letters than `bound`.
    pub(super) fn text(&mut self, bound: u64) -> String {
        let length = self.below(bound);
        (0..length).filter_map(|_| self.one_of(&LETTERS)).collect()
    }
}

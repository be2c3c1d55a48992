//! The order in which one user's operations come, dealt so that the mix is kept by all together.
//!
//! Drawn by chance, some three thousand operations would miss a share by one in a hundred. So hands
//! of operations are dealt that have the shares exactly. Each is in a new random order, the same
//! for all users, and each user begins at another place of it: where the time ends within a hand, the
//! places that were not reached are spread over all of it.

use super::{
    dice::Dice,
    mix::{Mix, Operation},
};

/// Operations of a hand. Shares that need more are drawn by chance.
const HAND_MAX: u64 = 1_000;

/// What one user is dealt.
pub(super) struct Deal {
    mix: Mix,
    hand: Vec<Operation>,
    /// How many operations of the hand have come; all of them where there is no hand yet.
    dealt: usize,
    user: usize,
    /// The order of hands, which is thrown alike for all users.
    order: Dice,
}

impl Deal {
    /// The deal of a user of a run with this seed.
    pub(super) fn new(mix: &Mix, seed: u64, user: u32) -> Deal {
        let hand = mix.hand(HAND_MAX).unwrap_or_default();
        let (dealt, user) = (hand.len(), user as usize);
        Deal { mix: mix.clone(), hand, dealt, user, order: Dice::new(seed, u64::MAX) }
    }

    /// The next operation.
    pub(super) fn next(&mut self, dice: &mut Dice) -> Operation {
        if self.dealt >= self.hand.len() {
            self.shuffle();
        }
        let place = (self.user + self.dealt) % self.hand.len().max(1);
        self.dealt += 1;
        match self.hand.get(place) {
            Some(operation) => *operation,
            None => self.mix.draw(dice),
        }
    }

    /// After Fisher and Yates (1938).
    fn shuffle(&mut self) {
        self.dealt = 0;
        for place in (1..self.hand.len()).rev() {
            let other = self.order.below(place as u64 + 1) as usize;
            self.hand.swap(place, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often each operation comes when so many users do so many.
    fn counts(mix: &str, users: u32, each: u32) -> [u32; 4] {
        let mix: Mix = mix.parse().expect("it is a good one");
        let mut counts = [0; 4];
        for user in 0..users {
            let (mut deal, mut dice) = (Deal::new(&mix, 9, user), Dice::new(9, user.into()));
            for _ in 0..each {
                counts[deal.next(&mut dice) as usize] += 1;
            }
        }
        counts
    }

    #[test]
    fn whole_hands_have_the_shares_exactly() {
        let mix = "read=70,insert=15,update=10,delete=5";
        assert_eq!(counts(mix, 1, 40), [28, 6, 4, 2]);
        assert_eq!(counts(mix, 100, 33), [2_310, 495, 330, 165], "each begins at another place");
        assert_eq!(counts("delete=3", 2, 5), [0, 0, 0, 10]);
    }

    #[test]
    fn shares_without_a_small_hand_are_drawn() {
        let [read, insert, ..] = counts("read=99991,insert=10007", 1, 10_000);
        assert!(read.abs_diff(9_090) < 200 && read + insert == 10_000, "{read}");
    }

    #[test]
    fn the_order_is_the_seeds() {
        let mix: Mix = "read=5,insert=5".parse().expect("it is a good one");
        let order = |seed| {
            let (mut deal, mut dice) = (Deal::new(&mix, seed, 1), Dice::new(seed, 1));
            (0..100).map(|_| deal.next(&mut dice)).collect::<Vec<_>>()
        };
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
    }
}

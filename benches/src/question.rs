//! What the engines are asked about many documents.
//!
//! Two paths have an index in every engine: `age` with about 1,000 documents a value among 100,000,
//! and `balance` with about one. `address.zip`, `city` and `active` have none.

use serde::{Deserialize, Serialize};

use crate::documents::{AGES, BALANCES, Random};

/// Documents that a range returns.
pub const RANGE_LIMIT: usize = 50;

/// Documents that the top returns.
pub const TOP_LIMIT: usize = 20;

/// Zip codes below it belong to one document in a hundred.
pub const ZIP_BELOW: &str = "01000";

/// One kind of question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// The documents of one age, by an index.
    Equality,
    /// The first of those with at least some balance, in the order of balances, by an index.
    Range,
    /// The active ones with a low zip code, by looking at each.
    Scan,
    /// Those with the greatest zip codes, by looking at each.
    Top,
    /// How many are at least some age, by an index.
    Count,
    /// Count and mean balance by city, by looking at each.
    Aggregate,
}

/// A question with its figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Question {
    /// [`Topic::Equality`]
    Equality {
        /// Years.
        age: i64,
    },
    /// [`Topic::Range`]
    Range {
        /// The least one.
        balance: i64,
    },
    /// [`Topic::Scan`]
    Scan,
    /// [`Topic::Top`]
    Top,
    /// [`Topic::Count`]
    Count {
        /// The least one.
        age: i64,
    },
    /// [`Topic::Aggregate`]
    Aggregate,
}

/// What an engine found. Engines that were asked the same find the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Answer {
    /// Documents or groups; for a count the count.
    pub rows: usize,
    /// Of the texts of all documents.
    pub bytes: usize,
}

impl Topic {
    /// Every one, in the order of their rows.
    pub const ALL: [Topic; 6] =
        [Topic::Equality, Topic::Range, Topic::Scan, Topic::Top, Topic::Count, Topic::Aggregate];

    /// Asks it with figures by chance.
    pub(crate) fn ask(self, random: &mut Random) -> Question {
        let mut below = |bound: usize| random.below(bound) as i64;
        match self {
            Topic::Equality => Question::Equality { age: below(AGES) },
            // The last tenth might have fewer than the limit in a small database.
            Topic::Range => Question::Range { balance: below(BALANCES / 10 * 9) },
            Topic::Scan => Question::Scan,
            Topic::Top => Question::Top,
            Topic::Count => Question::Count { age: below(AGES) },
            Topic::Aggregate => Question::Aggregate,
        }
    }
}

impl Answer {
    /// Adds a document.
    pub fn add(&mut self, text: &str) {
        self.rows += 1;
        self.bytes += text.len();
    }
}

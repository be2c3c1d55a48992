//! What a client is to do, by chance: the same plans from the same seed.

use monsterdb::Isolation;

use super::recorder::Recorder;

/// One transaction to run.
pub(crate) struct Plan {
    pub(crate) isolation: Isolation,
    /// Chooses among the ways to run it.
    pub(crate) style: u64,
    /// Each chooses an operation.
    pub(crate) choices: Vec<u64>,
}

/// One step of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    ReadList {
        key: u64,
    },
    /// Reads the list and writes it whole.
    Append {
        key: u64,
        value: u64,
    },
    /// Appends to the list without reading it, where it is there.
    Push {
        key: u64,
        value: u64,
    },
    ReadRegister {
        key: u64,
    },
    WriteRegister {
        key: u64,
        value: u64,
    },
    ReadBag {
        bag: u64,
        limit: Option<usize>,
    },
    CountBag {
        bag: u64,
    },
    AddItem {
        bag: u64,
        item: u64,
    },
    ReadCounter {
        key: u64,
    },
    Increment {
        key: u64,
    },
}

/// Lists, registers and bags are left behind after so many values, so that they stay short.
const VALUES_PER_KEY: u64 = 150;

/// A choice is one of so many.
const WAYS: u64 = 13;

const ADD_ITEM: u64 = 9;

/// Keys in use at one time.
const KEYS: u64 = 3;

/// Counters are never left behind.
pub(crate) const COUNTERS: u64 = 2;

impl Plan {
    pub(crate) fn new(random: &mut Random) -> Plan {
        let isolation = match random.below(4) {
            0 => Isolation::Snapshot,
            _ => Isolation::Serializable,
        };
        let style = random.next();
        let choices = (0..=random.below(5)).map(|_| random.next()).collect();
        Plan { isolation, style, choices }
    }

    /// A plan of one increment by itself.
    #[cfg(feature = "server")]
    pub(crate) fn of_one_increment() -> Plan {
        Plan { isolation: Isolation::Serializable, style: 1, choices: vec![WAYS - 1] }
    }

    /// Lets a plan that writes also add an item to a bag.
    pub(crate) fn mark(&mut self) {
        if self.choices.iter().any(|choice| matches!(choice % WAYS, 1..=3 | 5 | 11 | 12)) {
            self.choices.push((self.style >> 8) / WAYS * WAYS + ADD_ITEM);
        }
    }
}

impl Operation {
    /// The operation of a choice. Whoever runs it again asks again: its value is new each time.
    pub(crate) fn choose(choice: u64, recorder: &Recorder) -> Operation {
        let value = recorder.value();
        let key = value / VALUES_PER_KEY * KEYS + (choice >> 8) % KEYS;
        match choice % WAYS {
            0 => Operation::ReadList { key },
            1..=3 => Operation::Append { key, value },
            4 => Operation::ReadRegister { key },
            5 => Operation::WriteRegister { key, value },
            6 | 7 => {
                let limit = [None, Some(1), Some(3), Some(10)][(choice >> 16) as usize % 4];
                Operation::ReadBag { bag: key, limit }
            }
            8 => Operation::CountBag { bag: key },
            ADD_ITEM => {
                // Ids in no order, so that new items come before and behind a limit's boundary.
                let item = value.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 8;
                Operation::AddItem { bag: key, item }
            }
            10 => Operation::ReadCounter { key: key % COUNTERS },
            11 => Operation::Push { key, value },
            _ => Operation::Increment { key: key % COUNTERS },
        }
    }

    /// Every key that was ever chosen lies below this.
    pub(crate) fn keys(recorder: &Recorder) -> u64 {
        (recorder.values() / VALUES_PER_KEY + 1) * KEYS
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

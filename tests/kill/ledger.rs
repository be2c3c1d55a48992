//! What was sent, what was acknowledged, and what must therefore be there.

use std::{collections::BTreeMap, fmt};

use serde_json::{Value, json};

pub(crate) const ACCOUNTS: u64 = 8;
pub(crate) const BALANCE: i64 = 1000;

/// One request of a writer. Each leaves a record under an id that no other write has.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Write {
    pub id: String,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A single document.
    Insert { payload: u64 },
    /// Money from one account to another and a record of it, as one batch.
    Transfer { from: u64, to: u64, amount: i64 },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    /// Its answer never came, and nobody has looked yet.
    Unknown,
    Present,
    Absent,
}

/// Every document by collection and id, as the server returns it.
pub(crate) type Contents = BTreeMap<String, BTreeMap<String, Value>>;

#[derive(Default)]
pub(crate) struct Ledger {
    writes: BTreeMap<String, (Write, Fate)>,
    acknowledged: u64,
    unknown_present: u64,
    unknown_absent: u64,
}

impl Write {
    pub(crate) fn random(
        round: u64,
        writer: u64,
        number: u64,
        below: &mut dyn FnMut(u64) -> u64,
    ) -> Write {
        let id = format!("r{round}-w{writer}-{number}");
        let kind = match below(3) {
            0 => Kind::Insert { payload: below(1 << 40) },
            _ => {
                let from = below(ACCOUNTS);
                let to = (from + 1 + below(ACCOUNTS - 1)) % ACCOUNTS;
                Kind::Transfer { from, to, amount: i64::try_from(below(50)).unwrap() }
            }
        };
        Write { id, kind }
    }

    /// The record that it leaves in `records`.
    pub(crate) fn record(&self) -> Value {
        match self.kind {
            Kind::Insert { payload } => json!({"_id": self.id, "payload": payload}),
            Kind::Transfer { from, to, amount } => {
                json!({"_id": self.id, "from": from, "to": to, "amount": amount})
            }
        }
    }
}

impl Ledger {
    pub(crate) fn sent(&mut self, write: &Write) {
        let before = self.writes.insert(write.id.clone(), (write.clone(), Fate::Unknown));
        assert_eq!(before, None, "an id was used twice");
    }

    pub(crate) fn acknowledged(&mut self, write: &Write) {
        self.acknowledged += 1;
        self.writes.get_mut(&write.id).unwrap().1 = Fate::Present;
    }

    /// Holds what is there against what was written.
    pub(crate) fn check(&mut self, contents: &Contents) {
        let empty = BTreeMap::new();
        let records = contents.get("records").unwrap_or(&empty);
        for id in records.keys() {
            assert!(self.writes.contains_key(id), "{id} is there but was never sent");
        }
        let mut balances = vec![BALANCE; usize::try_from(ACCOUNTS).unwrap()];
        for (id, (write, fate)) in &mut self.writes {
            let found = records.get(id);
            match (*fate, found) {
                (Fate::Present, None) => panic!("{id} was acknowledged and is lost"),
                (Fate::Absent, Some(_)) => panic!("{id} was absent after an earlier kill"),
                (Fate::Unknown, Some(_)) => {
                    self.unknown_present += 1;
                    *fate = Fate::Present;
                }
                (Fate::Unknown, None) => {
                    self.unknown_absent += 1;
                    *fate = Fate::Absent;
                }
                (Fate::Present, Some(_)) | (Fate::Absent, None) => {}
            }
            let Some(found) = found else { continue };
            let mut found = found.clone();
            found.as_object_mut().unwrap().remove("_version");
            assert_eq!(found, write.record(), "{id} is not what was written");
            if let Kind::Transfer { from, to, amount } = write.kind {
                balances[usize::try_from(from).unwrap()] -= amount;
                balances[usize::try_from(to).unwrap()] += amount;
            }
        }
        for (account, expected) in balances.iter().enumerate() {
            let found = contents["accounts"][&format!("a{account}")]["balance"].as_i64();
            assert_eq!(found, Some(*expected), "account {account}: a transfer is half or doubled");
        }
        assert_eq!(balances.iter().sum::<i64>(), BALANCE * i64::try_from(ACCOUNTS).unwrap());
    }

    pub(crate) fn assert_not_vacuous(&self) {
        assert!(self.acknowledged > 500, "too few writes were acknowledged to prove anything");
        assert!(self.unknown_present + self.unknown_absent > 50, "the kills met too few writes");
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} writes acknowledged and there; of {} without an answer {} were there and {} absent",
            self.acknowledged,
            self.unknown_present + self.unknown_absent,
            self.unknown_present,
            self.unknown_absent
        )
    }
}

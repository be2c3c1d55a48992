//! Who wrote what, and in which order: what lists show, and for registers the order of versions.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    anomaly::Anomaly,
    record::{Event, History, Key, NEVER, Outcome},
};

#[derive(Default)]
pub(crate) struct Writes {
    /// The transactions that wrote a value, by kind, key and value.
    writers: BTreeMap<(Key, u64), usize>,
    /// The values of each key in the order in which they were written.
    orders: BTreeMap<Key, Vec<u64>>,
    /// What only ever grows, and in no known order: items of bags, and values that were appended
    /// to lists and that no list shows.
    additions: BTreeMap<Key, Vec<u64>>,
}

impl Writes {
    pub(crate) fn of(history: &History) -> Writes {
        let mut writes = Writes::default();
        let mut registers: BTreeMap<Key, Vec<(u64, u64)>> = BTreeMap::new();
        for (number, record) in history.records.iter().enumerate() {
            for (key, value) in record.written() {
                writes.writers.insert((key, value), number);
                match (key.0, record.version()) {
                    ("register", Some(version)) => {
                        registers.entry(key).or_default().push((version, value));
                    }
                    ("bag" | "list", _) if record.took_effect() => {
                        writes.additions.entry(key).or_default().push(value);
                    }
                    _ => {}
                }
            }
            // One that did not commit has seen its own appends, which never were.
            for event in record.events.iter().filter(|_| record.took_effect()) {
                if let Event::ReadList { values, .. } = event {
                    let longest = writes.orders.entry(event.key()).or_default();
                    if values.len() > longest.len() {
                        longest.clone_from(values);
                    }
                }
            }
        }
        for (key, mut written) in registers {
            written.sort_unstable();
            writes.orders.insert(key, written.into_iter().map(|(_, value)| value).collect());
        }
        writes.forget_additions_that_lists_show();
        writes
    }

    /// What disagrees about the writes.
    pub(crate) fn contradictions(&self, history: &History) -> Vec<Anomaly> {
        let mut found = Vec::new();
        self.check_lists_agree(history, &mut found);
        self.check_sightings(history, &mut found);
        found
    }

    pub(crate) fn writer(&self, key: Key, value: u64) -> Option<usize> {
        self.writers.get(&(key, value)).copied()
    }

    /// The values of a key in the order in which they were written, as far as it is known.
    pub(crate) fn order(&self, key: Key) -> &[u64] {
        self.orders.get(&key).map_or(&[][..], |order| order)
    }

    pub(crate) fn orders(&self) -> impl Iterator<Item = (Key, &[u64])> {
        self.orders.iter().map(|(key, order)| (*key, &order[..]))
    }

    /// Values of a key that has no order: who does not find one comes before its writer.
    pub(crate) fn additions(&self, key: Key) -> &[u64] {
        self.additions.get(&key).map_or(&[][..], |values| values)
    }

    fn forget_additions_that_lists_show(&mut self) {
        for (key, order) in self.orders.iter().filter(|(key, _)| key.0 == "list") {
            let shown: BTreeSet<u64> = order.iter().copied().collect();
            if let Some(additions) = self.additions.get_mut(key) {
                additions.retain(|value| !shown.contains(value));
            }
        }
    }

    /// Every list read is the beginning of the longest one.
    fn check_lists_agree(&self, history: &History, found: &mut Vec<Anomaly>) {
        for (number, record) in history.records.iter().enumerate() {
            for event in record.events.iter().filter(|_| record.took_effect()) {
                let Event::ReadList { values, .. } = event else { continue };
                let (key, order) = (event.key(), self.order(event.key()));
                if order.starts_with(values) {
                    continue;
                }
                // Of one of the two that stand in the same place, perhaps, nobody was told that
                // it is well, and yet it was seen.
                let differ = order.iter().zip(values).find(|(one, two)| one != two);
                let name = match differ {
                    Some((one, two))
                        if self.has_no_answer(key, *one, history)
                            || self.has_no_answer(key, *two, history) =>
                    {
                        "G1a, dirty read over a crash"
                    }
                    _ => "incompatible orders",
                };
                let what = format!("reads {values:?} of {key:?}, and another {order:?}");
                found.push(Anomaly::of_one(name, number, &what, history));
            }
        }
    }

    fn has_no_answer(&self, key: Key, value: u64, history: &History) -> bool {
        let writer = self.writer(key, value);
        writer.is_some_and(|writer| history.records[writer].finish == NEVER)
    }

    /// A document has the version of the commit that wrote it.
    fn check_sightings(&self, history: &History, found: &mut Vec<Anomaly>) {
        for ((key, value), version) in history.sightings.iter().map(|(k, v, n)| ((*k, *v), *n)) {
            let Some(writer) = self.writer(key, value) else { continue };
            if let Outcome::Committed(told) = history.records[writer].outcome
                && told != version
            {
                let what = format!("wrote {value} to {key:?}, found at version {version}");
                found.push(Anomaly::of_one("version", writer, &what, history));
            }
        }
    }
}

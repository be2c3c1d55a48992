//! The same history, explained by running it again in the order of versions.

use std::collections::{BTreeMap, BTreeSet};

use monsterdb::Isolation;

use super::record::{Event, History, Record};

#[derive(Default, Clone)]
struct State {
    lists: BTreeMap<u64, Vec<u64>>,
    registers: BTreeMap<u64, u64>,
    bags: BTreeMap<u64, BTreeSet<u64>>,
    counters: BTreeMap<u64, u64>,
}

/// Runs committed transactions by version, readers after the writer of the version that they read.
/// Every read of a serializable transaction must be what it is here.
pub(crate) fn check(history: &History) -> Result<(), String> {
    let mut order: Vec<&Record> =
        history.records.iter().filter(|r| r.version().is_some()).collect();
    order.sort_by_key(|record| (record.version(), !record.writes(), record.start));
    let mut state = State::default();
    let mut last = None;
    for record in order {
        if record.writes() {
            if last == record.version() {
                return Err(format!("two writers have version {last:?}: {record:?}"));
            }
            last = record.version();
        }
        for event in &record.events {
            let is_so = state.follow(event);
            if !is_so && record.isolation == Isolation::Serializable {
                return Err(format!("{event:?} in {record:?}"));
            }
        }
    }
    Ok(())
}

impl State {
    /// Applies a write; of a read, whether it is right.
    fn follow(&mut self, event: &Event) -> bool {
        match event {
            Event::Append { key, value } => self.lists.entry(*key).or_default().push(*value),
            Event::WriteRegister { key, value } => drop(self.registers.insert(*key, *value)),
            Event::AddItem { bag, item } => drop(self.bags.entry(*bag).or_default().insert(*item)),
            Event::Increment { key } => *self.counters.entry(*key).or_default() += 1,
            Event::ReadList { key, values } => {
                return self.lists.get(key).map_or(&[][..], |list| list) == values;
            }
            Event::ReadRegister { key, value } => return self.registers.get(key) == value.as_ref(),
            Event::ReadBag { bag, limit, items } => {
                let all = self.bags.get(bag).into_iter().flatten().copied();
                return all.take(limit.unwrap_or(usize::MAX)).eq(items.iter().copied());
            }
            Event::CountBag { bag, count } => {
                return self.bags.get(bag).map_or(0, BTreeSet::len) == *count;
            }
            Event::ReadCounter { key, value } => {
                return self.counters.get(key).copied().unwrap_or(0) == *value;
            }
        }
        true
    }
}

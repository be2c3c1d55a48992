//! The same history, explained by running it again in the order of versions.
//!
//! Transactions run by version, readers after the writer of the version that they read. Every read
//! of a serializable transaction must be what it is here; one at snapshot isolation must have read
//! what was there at the version that it began with. And versions must grow with time: who begins
//! after another has ended is not told a smaller one.

use std::collections::{BTreeMap, BTreeSet};

use monsterdb::Isolation;

use super::{
    anomaly::Anomaly,
    placement,
    record::{Event, History, Key, Outcome, Record},
    writes::Writes,
};

#[derive(Default, Clone)]
struct State {
    lists: BTreeMap<u64, Vec<u64>>,
    registers: BTreeMap<u64, u64>,
    bags: BTreeMap<u64, BTreeSet<u64>>,
    counters: BTreeMap<u64, u64>,
    /// Increments of which nobody knows when or whether they took effect.
    perhaps: BTreeMap<u64, u64>,
}

/// A place in the serial order. A writer at snapshot isolation has two.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// Of one whose version is only known to be smaller than this one.
    EarlierWrites,
    Writes,
    Reads,
}

/// Finds the first transaction that the order of versions does not explain.
pub(crate) fn check(history: &History, writes: &Writes) -> Result<(), Anomaly> {
    check_versions_grow(history)?;
    let places = placement::places(history, writes);
    let mut order: Vec<_> = places
        .into_iter()
        .map(|(number, (version, rank))| (version, Step::EarlierWrites, rank as u64, number))
        .collect();
    for (number, record) in history.records.iter().enumerate() {
        let Some(version) = record.version() else { continue };
        if record.writes() {
            order.push((version, Step::Writes, record.start, number));
        }
        let read = match record.isolation {
            Isolation::Snapshot => record.snapshot,
            Isolation::Serializable => (!record.writes()).then_some(version),
        };
        order.extend(read.map(|read| (read, Step::Reads, record.start, number)));
    }
    order.sort_unstable();
    let mut state = State { perhaps: open_increments(history), ..State::default() };
    let mut last = None;
    for (version, step, _, number) in order {
        let record = &history.records[number];
        let wrong = match (step, record.isolation) {
            (Step::Writes, _) if last == Some(version) => {
                Some("has the version of another writer".to_owned())
            }
            (Step::EarlierWrites, _) | (Step::Writes, Isolation::Snapshot) => {
                state.write(record);
                None
            }
            (Step::Reads, Isolation::Snapshot) => state.part_of(record).run(record),
            (Step::Writes | Step::Reads, Isolation::Serializable) => state.run(record),
        };
        if let Some(wrong) = wrong {
            return Err(Anomaly::of_one("the order of versions", number, &wrong, history));
        }
        if step == Step::Writes {
            last = Some(version);
        }
    }
    Ok(())
}

/// Order agrees with time.
fn check_versions_grow(history: &History) -> Result<(), Anomaly> {
    let mut ends: Vec<(u64, u64)> =
        history.records.iter().filter_map(|r| Some((r.finish, r.version()?))).collect();
    ends.sort_unstable();
    let mut ends = ends.into_iter().peekable();
    let mut known = 0;
    for (number, record) in history.records.iter().enumerate() {
        while let Some((_, version)) = ends.next_if(|(finish, _)| *finish < record.start) {
            known = known.max(version);
        }
        let Some(version) = record.version() else { continue };
        let least = if record.writes() { known + 1 } else { known };
        if version < least || record.snapshot.is_some_and(|read| read < known) {
            let what = format!("when version {known} was known");
            return Err(Anomaly::of_one("version before its time", number, &what, history));
        }
    }
    Ok(())
}

/// Increments that may come at any version, or not at all.
fn open_increments(history: &History) -> BTreeMap<u64, u64> {
    let mut perhaps = BTreeMap::new();
    let open = |record: &&Record| matches!(record.outcome, Outcome::Unknown | Outcome::TookEffect);
    for event in history.records.iter().filter(open).flat_map(|record| &record.events) {
        if let Event::Increment { key } = event {
            *perhaps.entry(*key).or_default() += 1;
        }
    }
    perhaps
}

impl State {
    /// The part of it that a transaction touches.
    fn part_of(&self, record: &Record) -> State {
        let keys: BTreeSet<Key> = record.events.iter().map(Event::key).collect();
        let mut part = State { perhaps: self.perhaps.clone(), ..State::default() };
        for (kind, key) in keys {
            match kind {
                "list" => part.lists.extend(self.lists.get(&key).map(|l| (key, l.clone()))),
                "register" => part.registers.extend(self.registers.get(&key).map(|r| (key, *r))),
                "bag" => part.bags.extend(self.bags.get(&key).map(|b| (key, b.clone()))),
                _ => part.counters.extend(self.counters.get(&key).map(|c| (key, *c))),
            }
        }
        part
    }

    /// Runs a transaction, up to the first read that is wrong.
    fn run(&mut self, record: &Record) -> Option<String> {
        let wrong = record.events.iter().find(|event| !self.follow(event));
        wrong.map(|event| format!("should not see {event:?}"))
    }

    /// Runs its writes; the increments of one whose version is not known are counted already.
    fn write(&mut self, record: &Record) {
        let is_open = record.version().is_none();
        for event in record.events.iter().filter(|event| event.is_write()) {
            if !(is_open && matches!(event, Event::Increment { .. })) {
                self.follow(event);
            }
        }
    }

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
                let certain = self.counters.get(key).copied().unwrap_or(0);
                let perhaps = self.perhaps.get(key).copied().unwrap_or(0);
                return (certain..=certain + perhaps).contains(value);
            }
        }
        true
    }
}

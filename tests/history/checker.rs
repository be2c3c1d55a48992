//! Anomalies of a history, by name and with the transactions that show them.
//!
//! The order of the writes to a list is what lists show; that of a register is the order of its
//! writers' versions, which values read must agree with. Items of a bag only appear, so whoever
//! does not find one that was in reach comes before its writer: phantoms are edges too.

use std::collections::BTreeMap;

use monsterdb::Isolation;

use super::{
    anomaly::Anomaly,
    graph::{Edge, Graph},
    record::{Event, History, Key, NEVER, Outcome, Record},
    writes::Writes,
};

/// Everything that no serial order could explain, what shows it first in front.
pub(crate) fn anomalies(history: &History, writes: &Writes) -> Vec<Anomaly> {
    let mut found = writes.contradictions(history);
    let mut graph = Graph::new(history.records.len());
    for (number, record) in history.records.iter().enumerate() {
        if record.took_effect() {
            let (graph, found) = (&mut graph, &mut found);
            Reader { number, record, writes, graph, history, found }.read_all();
        }
    }
    for (key, order) in writes.orders() {
        for two in order.windows(2) {
            if let (Some(one), Some(two)) = (writes.writer(key, two[0]), writes.writer(key, two[1]))
            {
                graph.add(one, two, Edge::WriteWrite);
            }
        }
    }
    add_real_time(history, &mut graph);
    let cycles = graph.cycles();
    found.extend(cycles.iter().map(|cycle| Anomaly::of_cycle(cycle, history)));
    found.sort_by_key(Anomaly::after);
    found
}

/// One transaction that took effect, while its reads are turned into edges.
struct Reader<'a> {
    number: usize,
    record: &'a Record,
    writes: &'a Writes,
    graph: &'a mut Graph,
    history: &'a History,
    found: &'a mut Vec<Anomaly>,
}

impl Reader<'_> {
    fn read_all(&mut self) {
        // What it wrote itself before it read is no news from others.
        let mut own: BTreeMap<Key, Vec<u64>> = BTreeMap::new();
        for event in &self.record.events {
            let key = event.key();
            match event {
                Event::Append { value, .. } => own.entry(key).or_default().push(*value),
                Event::WriteRegister { value, .. } => drop(own.insert(key, vec![*value])),
                Event::AddItem { item, .. } => own.entry(key).or_default().push(*item),
                Event::ReadList { values, .. } => {
                    let mine = own.get(&key).cloned().unwrap_or_default();
                    match values.strip_suffix(&*mine) {
                        Some(others) => {
                            self.read_value(key, others.last().copied());
                            self.miss_additions(key, values, None);
                        }
                        None => self.note("internal", &format!("{key:?} without its own appends")),
                    }
                }
                Event::ReadRegister { value, .. } => match own.get(&key) {
                    Some(mine) if mine.last() == value.as_ref() => {}
                    Some(_) => self.note("internal", &format!("{key:?} without its own write")),
                    None => self.read_value(key, *value),
                },
                Event::ReadBag { limit, items, .. } => {
                    let mine = own.get(&key).cloned().unwrap_or_default();
                    for item in items.iter().filter(|item| !mine.contains(item)) {
                        self.read_from(key, *item);
                    }
                    let reached = limit.filter(|limit| items.len() >= *limit);
                    self.miss_additions(key, items, reached.and_then(|_| items.last().copied()));
                }
                Event::CountBag { .. } | Event::ReadCounter { .. } | Event::Increment { .. } => {}
            }
        }
    }

    /// A value of a list or a register: after its writer, and before the writer of the next one.
    fn read_value(&mut self, key: Key, value: Option<u64>) {
        let order = self.writes.order(key);
        let next = match value {
            None => order.first(),
            Some(value) => {
                self.read_from(key, value);
                let place = order.iter().position(|one| *one == value);
                place.and_then(|place| order.get(place + 1))
            }
        };
        let writer_of_next = next.and_then(|next| self.writes.writer(key, *next));
        self.precedes(writer_of_next, key);
        if let (Some(value), Some(next), Some(writer)) = (value, next, writer_of_next)
            && self.writes.writer(key, value) == Some(writer)
            && writer != self.number
        {
            self.note(
                "G1b, intermediate read",
                &format!("{key:?} holds {value}, which its writer T{writer} followed by {next}"),
            );
        }
    }

    /// What was added and is not there, as far as this one has looked, was added later.
    fn miss_additions(&mut self, key: Key, there: &[u64], reached: Option<u64>) {
        let all = self.writes.additions(key);
        let in_reach = all.iter().filter(|value| reached.is_none_or(|last| **value <= last));
        for missed in in_reach.filter(|value| !there.contains(value)) {
            self.precedes(self.writes.writer(key, *missed), key);
        }
    }

    fn read_from(&mut self, key: Key, value: u64) {
        match self.writes.writer(key, value) {
            None => {
                self.note("phantom value", &format!("{key:?} holds {value}, which nobody wrote"))
            }
            Some(writer) if self.history.records[writer].outcome == Outcome::Aborted => {
                self.note(
                    "G1a, dirty read",
                    &format!("{key:?} holds {value} of T{writer}, which did not commit"),
                );
            }
            Some(writer) => self.graph.add(writer, self.number, Edge::WriteRead),
        }
    }

    /// At snapshot isolation reads do not order, but for those of what it writes itself. What is
    /// added to a bag is a document of its own, and writes over nothing.
    fn precedes(&mut self, writer: Option<usize>, key: Key) {
        let writes_it = key.0 != "bag" && self.record.writes_to(key);
        if let Some(writer) = writer
            && (self.record.isolation == Isolation::Serializable || writes_it)
        {
            self.graph.add(self.number, writer, Edge::ReadWrite);
        }
    }

    fn note(&mut self, name: &'static str, what: &str) {
        let what = format!("reads: {what}");
        self.found.push(Anomaly::of_one(name, self.number, &what, self.history));
    }
}

/// Who ended comes before who began later. A node for each moment keeps the edges few.
fn add_real_time(history: &History, graph: &mut Graph) {
    let mut moments = Vec::new();
    for (number, record) in history.records.iter().enumerate() {
        if record.took_effect() {
            moments.push((record.start, number, true));
            if record.finish != NEVER {
                moments.push((record.finish, number, false));
            }
        }
    }
    moments.sort_unstable();
    let mut last = None;
    for (_, number, begins) in moments {
        if begins {
            if let Some(moment) = last {
                graph.add(moment, number, Edge::RealTime);
            }
            continue;
        }
        let moment = graph.add_node();
        graph.add(number, moment, Edge::RealTime);
        if let Some(before) = last {
            graph.add(before, moment, Edge::RealTime);
        }
        last = Some(moment);
    }
}

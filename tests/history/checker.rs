//! Anomalies of a history, by name and with the transactions that show them.
//!
//! The order of the writes to a list is what lists show; that of a register is the order of its
//! writers' versions, which values read must agree with. Items of a bag only appear, so whoever
//! does not find one that was in reach comes before its writer: phantoms are edges too.

use std::collections::BTreeMap;

use monsterdb::Isolation;

use super::{
    graph::{Edge, Graph},
    record::{Event, History, Outcome, Record},
};

type Key = (&'static str, u64);

/// What the checker knows of all writes.
#[derive(Default)]
struct Writes {
    /// The transactions that wrote a value, by kind, key and value.
    writers: BTreeMap<(Key, u64), usize>,
    /// The values of each key in the order in which they were written.
    orders: BTreeMap<Key, Vec<u64>>,
    /// The items of each bag.
    bags: BTreeMap<u64, Vec<u64>>,
}

/// Everything that no serial order could explain.
pub(crate) fn anomalies(history: &History) -> Vec<String> {
    let mut found = Vec::new();
    let writes = Writes::of(history, &mut found);
    let mut graph = Graph::new(history.records.len());
    for (number, record) in history.records.iter().enumerate() {
        if record.version().is_some() {
            let mut reader = Reader {
                number,
                record,
                writes: &writes,
                graph: &mut graph,
                history,
                found: &mut found,
            };
            reader.read_all();
        }
    }
    for (key, order) in &writes.orders {
        for two in order.windows(2) {
            if let (Some(one), Some(two)) =
                (writes.writer(*key, two[0]), writes.writer(*key, two[1]))
            {
                graph.add(one, two, Edge::WriteWrite);
            }
        }
    }
    add_real_time(history, &mut graph);
    let cycles = graph.cycles();
    found.extend(cycles.iter().map(|cycle| describe(cycle, history)));
    found
}

impl Writes {
    fn of(history: &History, found: &mut Vec<String>) -> Writes {
        let mut writes = Writes::default();
        let mut registers: BTreeMap<Key, Vec<(u64, u64)>> = BTreeMap::new();
        for (number, record) in history.records.iter().enumerate() {
            for event in &record.events {
                match event {
                    Event::Append { key, value } => {
                        writes.writers.insert((("list", *key), *value), number);
                    }
                    Event::WriteRegister { key, value } => {
                        writes.writers.insert((("register", *key), *value), number);
                        let version = record.version();
                        let written = registers.entry(("register", *key)).or_default();
                        written.extend(version.map(|version| (version, *value)));
                    }
                    Event::AddItem { bag, item } => {
                        writes.writers.insert((("bag", *bag), *item), number);
                        if record.version().is_some() {
                            writes.bags.entry(*bag).or_default().push(*item);
                        }
                    }
                    // One that did not commit has seen its own appends, which never were.
                    Event::ReadList { key, values } if record.version().is_some() => {
                        let longest = writes.orders.entry(("list", *key)).or_default();
                        if values.len() > longest.len() {
                            longest.clone_from(values);
                        }
                    }
                    Event::ReadList { .. }
                    | Event::ReadRegister { .. }
                    | Event::ReadBag { .. }
                    | Event::CountBag { .. }
                    | Event::ReadCounter { .. }
                    | Event::Increment { .. } => {}
                }
            }
        }
        for (key, mut written) in registers {
            written.sort_unstable();
            writes.orders.insert(key, written.into_iter().map(|(_, value)| value).collect());
        }
        writes.check_lists_agree(history, found);
        writes
    }

    /// Every list read is the beginning of the longest one.
    fn check_lists_agree(&self, history: &History, found: &mut Vec<String>) {
        for (number, record) in history.records.iter().enumerate() {
            for event in &record.events {
                let Event::ReadList { key, values } = event else { continue };
                if record.version().is_some() && !self.orders[&("list", *key)].starts_with(values) {
                    found.push(format!(
                        "incompatible orders: T{number} reads {values:?} of list {key}"
                    ));
                }
            }
        }
    }

    fn writer(&self, key: Key, value: u64) -> Option<usize> {
        self.writers.get(&(key, value)).copied()
    }
}

/// One committed transaction while its reads are turned into edges.
struct Reader<'a> {
    number: usize,
    record: &'a Record,
    writes: &'a Writes,
    graph: &'a mut Graph,
    history: &'a History,
    found: &'a mut Vec<String>,
}

impl Reader<'_> {
    fn read_all(&mut self) {
        // What it wrote itself before it read is no news from others.
        let mut own: BTreeMap<Key, Vec<u64>> = BTreeMap::new();
        for event in &self.record.events {
            match event {
                Event::Append { key, value } => own.entry(("list", *key)).or_default().push(*value),
                Event::WriteRegister { key, value } => {
                    own.insert(("register", *key), vec![*value]);
                }
                Event::AddItem { bag, item } => own.entry(("bag", *bag)).or_default().push(*item),
                Event::ReadList { key, values } => {
                    let mine = own.get(&("list", *key)).cloned().unwrap_or_default();
                    match values.strip_suffix(&*mine) {
                        Some(others) => self.read_value(("list", *key), others.last().copied()),
                        None => {
                            self.note("internal", &format!("list {key} without its own appends"))
                        }
                    }
                }
                Event::ReadRegister { key, value } => match own.get(&("register", *key)) {
                    Some(mine) if mine.last() == value.as_ref() => {}
                    Some(_) => {
                        self.note("internal", &format!("register {key} without its own write"))
                    }
                    None => self.read_value(("register", *key), *value),
                },
                Event::ReadBag { bag, limit, items } => {
                    let mine = own.get(&("bag", *bag)).cloned().unwrap_or_default();
                    self.read_bag(*bag, *limit, items, &mine);
                }
                Event::CountBag { .. } | Event::ReadCounter { .. } | Event::Increment { .. } => {}
            }
        }
    }

    /// A value of a list or a register: after its writer, and before the writer of the next one.
    fn read_value(&mut self, key: Key, value: Option<u64>) {
        let order = self.writes.orders.get(&key).map_or(&[][..], |order| order);
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
                "G1b",
                &format!("{key:?} holds {value}, which its writer T{writer} followed by {next}"),
            );
        }
    }

    fn read_bag(&mut self, bag: u64, limit: Option<usize>, items: &[u64], mine: &[u64]) {
        let key = ("bag", bag);
        for item in items.iter().filter(|item| !mine.contains(item)) {
            self.read_from(key, *item);
        }
        let reached = limit.filter(|limit| items.len() >= *limit).and_then(|_| items.last());
        let all = self.writes.bags.get(&bag).map_or(&[][..], |all| all);
        let in_reach = all.iter().filter(|item| reached.is_none_or(|last| *item <= last));
        for missed in in_reach.filter(|item| !items.contains(item)) {
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
                    "G1a",
                    &format!("{key:?} holds {value} of T{writer}, which did not commit"),
                );
            }
            Some(writer) => self.graph.add(writer, self.number, Edge::WriteRead),
        }
    }

    /// At snapshot isolation reads do not order, but for those of what it writes itself.
    fn precedes(&mut self, writer: Option<usize>, key: Key) {
        let writes_it = self.record.events.iter().any(|event| match event {
            Event::Append { key: own, .. } => key == ("list", *own),
            Event::WriteRegister { key: own, .. } => key == ("register", *own),
            _ => false,
        });
        if let Some(writer) = writer
            && (self.record.isolation == Isolation::Serializable || writes_it)
        {
            self.graph.add(self.number, writer, Edge::ReadWrite);
        }
    }

    fn note(&mut self, name: &str, what: &str) {
        self.found.push(format!("{name}: T{} reads: {what}", self.number));
    }
}

/// Who ended comes before who began later. A node for each moment keeps the edges few.
fn add_real_time(history: &History, graph: &mut Graph) {
    let mut moments = Vec::new();
    for (number, record) in history.records.iter().enumerate() {
        if record.version().is_some() {
            moments.extend([(record.start, number, true), (record.finish, number, false)]);
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

/// A cycle's name after Adya, and its course.
fn describe(cycle: &[(usize, Edge)], history: &History) -> String {
    let count = |edge| cycle.iter().filter(|(_, found)| *found == edge).count();
    let name = match (count(Edge::ReadWrite), count(Edge::WriteRead), count(Edge::RealTime)) {
        (0, 0, 0) => "G0, dirty write",
        (0, _, 0) => "G1c, circular information flow",
        (1, _, 0) => "G-single, read skew or lost update",
        (_, _, 0) => "G2, write skew",
        (0, _, _) => "real time: a later transaction was overwritten or read early",
        (_, _, _) => "real time: a stale read",
    };
    let course = cycle.iter().map(|(node, edge)| match history.records.get(*node) {
        Some(record) => format!("\n  T{node} {record:?}\n    {edge:?}"),
        None => String::new(),
    });
    format!("{name}:{}", course.collect::<String>())
}

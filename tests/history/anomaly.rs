//! Something that no serial order explains: its name, and the transactions that show it.

use std::fmt;

use super::{
    graph::Edge,
    record::{Event, History, NEVER, Record},
};

pub(crate) struct Anomaly {
    pub(crate) name: &'static str,
    /// What happened, for people.
    course: String,
    /// How many transactions had begun when the last of those that show it had ended.
    after: usize,
}

impl Anomaly {
    /// What one transaction shows by itself.
    pub(crate) fn of_one(
        name: &'static str,
        number: usize,
        what: &str,
        history: &History,
    ) -> Anomaly {
        let record = &history.records[number];
        let course = format!("\n  T{number} {what}\n    {record:?}");
        Anomaly { name, course, after: begun_until(&[number], history) }
    }

    /// What a cycle shows, with its name after Adya.
    pub(crate) fn of_cycle(cycle: &[(usize, Edge)], history: &History) -> Anomaly {
        let mut course = String::new();
        let mut transactions = Vec::new();
        // Between two transactions there may be a moment, which is none.
        for (node, edge) in cycle {
            if let Some(record) = history.records.get(*node) {
                transactions.push(*node);
                course.push_str(&format!("\n  T{node} {record:?}\n    {edge:?}"));
            }
        }
        let after = begun_until(&transactions, history);
        Anomaly { name: name(cycle, history), course, after }
    }

    pub(crate) fn after(&self) -> usize {
        self.after
    }
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, after {} transactions:{}", self.name, self.after, self.course)
    }
}

fn begun_until(transactions: &[usize], history: &History) -> usize {
    let end = |record: &Record| match record.finish {
        NEVER => record.start,
        finish => finish,
    };
    let last = transactions.iter().map(|number| end(&history.records[*number])).max();
    history.records.iter().filter(|record| Some(record.start) <= last).count()
}

fn name(cycle: &[(usize, Edge)], history: &History) -> &'static str {
    let count = |edge| cycle.iter().filter(|(_, found)| *found == edge).count();
    let next = cycle.iter().cycle().skip(1);
    let pairs = cycle.iter().zip(next);
    let overtaken: Vec<Overtaken> = pairs
        .filter(|((_, edge), _)| *edge == Edge::ReadWrite)
        .map(|((one, _), (two, _))| Overtaken::of(&history.records[*one], &history.records[*two]))
        .collect();
    match (&overtaken[..], count(Edge::WriteRead), count(Edge::RealTime)) {
        ([], 0, 0) => "G0, dirty write",
        ([], _, 0) => "G1c, circular information flow",
        ([Overtaken::ItsOwnWrite], _, 0) => "G-single, lost update",
        ([Overtaken::Predicate], _, 0) => "G-single, phantom",
        ([Overtaken::Value], _, 0) => "G-single, read skew",
        // Of two that wrote over each other's reads, one's write is nowhere to be seen.
        (several, _, 0) if several.iter().all(|one| *one == Overtaken::ItsOwnWrite) => {
            "G2-item, lost update"
        }
        (several, _, 0) if several.contains(&Overtaken::Predicate) => "G2, phantom",
        (_, _, 0) => "G2-item, write skew",
        ([], _, _) => "real time, overwritten or read early",
        (_, _, _) => "real time, stale read",
    }
}

/// How the write of one transaction overtook the read of another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Overtaken {
    /// The reader wrote there too, and one of the two writes is gone.
    ItsOwnWrite,
    /// The reader had asked a predicate for what was written.
    Predicate,
    Value,
}

impl Overtaken {
    fn of(reader: &Record, writer: &Record) -> Overtaken {
        let read = |event: &&Event| !event.is_write() && writer.writes_to(event.key());
        let keys: Vec<_> = reader.events.iter().filter(read).map(Event::key).collect();
        if keys.iter().any(|key| key.0 != "bag" && reader.writes_to(*key)) {
            Overtaken::ItsOwnWrite
        } else if keys.iter().all(|key| key.0 == "bag") {
            Overtaken::Predicate
        } else {
            Overtaken::Value
        }
    }
}

//! Histories with a planted anomaly: the checker has to find it and to call it by its name, and
//! the serial order must not explain it.

use monsterdb::Isolation::{self, Serializable, Snapshot};

use super::{
    explanation::Explanation,
    record::{
        Event::{
            self, AddItem, Append, CountBag, Increment, ReadBag, ReadCounter, ReadList,
            ReadRegister, WriteRegister,
        },
        History, NEVER, Outcome, Record,
    },
};

/// A transaction that began and ended then, with this version; zero for one that did not commit.
fn at(start: u64, finish: u64, version: u64, isolation: Isolation, events: &[Event]) -> Record {
    let outcome = if version > 0 { Outcome::Committed(version) } else { Outcome::Aborted };
    let (kind, snapshot, events) = ("planted", None, events.to_vec());
    Record { kind, isolation, start, finish, snapshot, events, outcome }
}

fn list(values: &[u64]) -> Event {
    ReadList { key: 1, values: values.to_vec() }
}

fn append(value: u64) -> Event {
    Append { key: 1, value }
}

fn register(key: u64, value: Option<u64>) -> Event {
    ReadRegister { key, value }
}

fn write(key: u64, value: u64) -> Event {
    WriteRegister { key, value }
}

fn bag(limit: Option<usize>, items: &[u64]) -> Event {
    ReadBag { bag: 1, limit, items: items.to_vec() }
}

fn item(item: u64) -> Event {
    AddItem { bag: 1, item }
}

/// What the graph shows of these, and whether the serial order explains them.
fn judge(records: &[Record]) -> (String, bool) {
    judge_history(History { records: records.to_vec(), ..History::default() })
}

fn judge_history(mut history: History) -> (String, bool) {
    let Explanation { anomalies, serial, .. } = Explanation::of(&mut history);
    let names: Vec<String> = anomalies.iter().map(ToString::to_string).collect();
    (names.join("\n"), serial.is_ok())
}

fn assert_found(name: &str, records: &[Record]) {
    let (found, is_explained) = judge(records);
    assert!(found.contains(name), "{name} is not found, but: {found:?}");
    assert!(!is_explained, "the serial order explains {name}");
}

fn assert_clean(what: &str, records: &[Record]) {
    let (found, is_explained) = judge(records);
    assert!(found.is_empty() && is_explained, "{what}: {found} (explained: {is_explained})");
}

#[test]
fn a_lost_update_is_found() {
    assert_found(
        "G-single",
        &[
            at(0, 10, 1, Serializable, &[register(1, None), write(1, 5)]),
            at(1, 11, 2, Serializable, &[register(1, None), write(1, 6)]),
            at(12, 13, 2, Serializable, &[register(1, Some(6))]),
        ],
    );
    // At snapshot isolation too: it has written what it read.
    let (found, _) = judge(&[
        at(0, 10, 1, Snapshot, &[register(1, None), write(1, 5)]),
        at(1, 11, 2, Snapshot, &[register(1, None), write(1, 6)]),
    ]);
    assert!(found.contains("G-single"), "{found}");
    assert_found(
        "incompatible orders",
        &[
            at(0, 10, 1, Serializable, &[list(&[]), append(5)]),
            at(1, 11, 2, Serializable, &[list(&[]), append(6)]),
            at(12, 13, 1, Serializable, &[list(&[5])]),
            at(14, 15, 2, Serializable, &[list(&[6])]),
        ],
    );
    // One of the two appends is in no list that anybody has seen.
    assert_found(
        "G2-item, lost update",
        &[
            at(0, 10, 1, Serializable, &[list(&[]), append(5)]),
            at(1, 11, 2, Serializable, &[list(&[]), append(6)]),
            at(12, 13, 2, Serializable, &[list(&[6])]),
        ],
    );
}

#[test]
fn write_skew_is_found() {
    let skew = |isolation| {
        [
            at(0, 10, 1, isolation, &[register(2, None), write(1, 5)]),
            at(1, 11, 2, isolation, &[register(1, None), write(2, 6)]),
        ]
    };
    assert_found("G2", &skew(Serializable));
    assert_clean("write skew at snapshot isolation", &skew(Snapshot));
}

#[test]
fn a_phantom_is_found() {
    assert_found(
        "G2",
        &[
            at(0, 10, 1, Serializable, &[bag(None, &[]), item(5)]),
            at(1, 11, 2, Serializable, &[bag(None, &[]), item(6)]),
        ],
    );
    // In reach of a limit, and behind it.
    assert_found(
        "G-single",
        &[
            at(0, 1, 1, Serializable, &[item(3), item(9)]),
            at(2, 10, 2, Serializable, &[item(5), write(1, 1)]),
            at(3, 11, 3, Serializable, &[bag(Some(2), &[3, 9]), register(1, Some(1)), write(2, 1)]),
        ],
    );
    assert_clean(
        "a change behind the boundary",
        &[
            at(0, 1, 1, Serializable, &[item(3), item(9)]),
            at(2, 10, 2, Serializable, &[item(10), write(1, 1)]),
            at(3, 11, 3, Serializable, &[bag(Some(2), &[3, 9]), register(1, Some(1)), write(2, 1)]),
        ],
    );
}

#[test]
fn a_stale_read_is_found() {
    assert_found(
        "real time",
        &[
            at(0, 1, 1, Serializable, &[write(1, 5)]),
            at(2, 3, 2, Serializable, &[register(1, None), write(2, 1)]),
        ],
    );
}

#[test]
fn reads_of_what_is_not_committed_are_found() {
    assert_found(
        "G1a",
        &[
            at(0, 10, 0, Serializable, &[write(1, 5)]),
            at(1, 11, 1, Serializable, &[register(1, Some(5)), write(2, 1)]),
        ],
    );
    assert_found(
        "G1b",
        &[
            at(0, 10, 1, Serializable, &[list(&[]), append(5), append(6)]),
            at(1, 11, 2, Serializable, &[list(&[5])]),
            at(12, 13, 1, Serializable, &[list(&[5, 6])]),
        ],
    );
    assert_found(
        "G1c",
        &[
            at(0, 10, 1, Serializable, &[write(1, 5), register(2, Some(6))]),
            at(1, 11, 2, Serializable, &[write(2, 6), register(1, Some(5))]),
        ],
    );
    assert_found(
        "phantom value",
        &[at(0, 1, 1, Serializable, &[register(1, Some(5)), write(2, 1)])],
    );
    assert_found("internal", &[at(0, 1, 1, Serializable, &[write(1, 5), register(1, None)])]);
}

#[test]
fn read_skew_is_found() {
    assert_found(
        "G-single",
        &[
            at(0, 10, 1, Serializable, &[write(1, 5), write(2, 6)]),
            at(1, 11, 1, Serializable, &[register(1, None), register(2, Some(6))]),
        ],
    );
}

/// What the graph does not hold, the serial order does.
#[test]
fn counts_and_counters_are_checked_by_the_serial_order() {
    let (_, is_explained) = judge(&[
        at(0, 1, 1, Serializable, &[item(5)]),
        at(2, 3, 2, Serializable, &[CountBag { bag: 1, count: 0 }, write(1, 1)]),
    ]);
    assert!(!is_explained);
    let (_, is_explained) = judge(&[
        at(0, 1, 1, Serializable, &[Increment { key: 1 }]),
        at(2, 3, 2, Serializable, &[ReadCounter { key: 1, value: 0 }, write(1, 1)]),
    ]);
    assert!(!is_explained);
    assert_clean(
        "a serial history",
        &[
            at(0, 1, 1, Serializable, &[item(5), Increment { key: 1 }]),
            at(2, 3, 2, Serializable, &[CountBag { bag: 1, count: 1 }, write(1, 1)]),
            at(4, 5, 2, Serializable, &[ReadCounter { key: 1, value: 1 }, register(1, Some(1))]),
        ],
    );
}

/// The answer never came.
fn unanswered(start: u64, events: &[Event]) -> Record {
    let committed = at(start, NEVER, 1, Serializable, events);
    Record { outcome: Outcome::Unknown, ..committed }
}

#[test]
fn without_an_answer_both_is_fine() {
    assert_clean(
        "one that did not take effect",
        &[
            unanswered(0, &[list(&[]), append(5)]),
            at(2, 3, 1, Serializable, &[list(&[]), append(6)]),
            at(4, 5, 1, Serializable, &[list(&[6])]),
        ],
    );
    assert_clean(
        "one that did, and whose version nobody was told",
        &[
            unanswered(0, &[list(&[]), append(5), Increment { key: 1 }]),
            at(2, 3, 2, Serializable, &[append(6)]),
            at(4, 5, 2, Serializable, &[list(&[5, 6]), ReadCounter { key: 1, value: 1 }]),
        ],
    );
    assert_clean(
        "one that took its time",
        &[
            unanswered(0, &[write(1, 5), Increment { key: 1 }]),
            at(2, 3, 1, Serializable, &[register(1, None), item(1)]),
            at(4, 5, 3, Serializable, &[ReadCounter { key: 1, value: 1 }, item(2)]),
        ],
    );
}

#[test]
fn without_an_answer_not_everything_is_fine() {
    assert_found(
        "G1a, dirty read over a crash",
        &[
            unanswered(0, &[list(&[]), append(5)]),
            at(2, 3, 1, Serializable, &[list(&[5])]),
            at(4, 5, 2, Serializable, &[list(&[]), append(6)]),
            at(6, 7, 2, Serializable, &[list(&[6])]),
        ],
    );
    // It was there, and then it was not.
    assert_found(
        "real time",
        &[
            unanswered(0, &[item(5)]),
            at(2, 3, 1, Serializable, &[bag(None, &[5])]),
            at(4, 5, 1, Serializable, &[bag(None, &[])]),
        ],
    );
    // Half of it is there.
    assert_found(
        "G-single, read skew",
        &[
            unanswered(0, &[write(2, 4), append(5), item(6)]),
            at(2, 3, 1, Serializable, &[bag(None, &[6]), list(&[])]),
        ],
    );
}

#[test]
fn what_was_acknowledged_and_is_lost_is_found() {
    let lost = [
        at(0, 1, 1, Serializable, &[list(&[]), append(5)]),
        at(2, 3, 1, Serializable, &[list(&[])]),
    ];
    assert_found("real time, stale read", &lost);
}

#[test]
fn versions_that_do_not_grow_are_found() {
    let (_, is_explained) = judge(&[
        at(0, 1, 5, Serializable, &[write(1, 5)]),
        at(2, 3, 4, Serializable, &[write(2, 6)]),
    ]);
    assert!(!is_explained);
    // The document that holds it has another version than its writer.
    let mut history =
        History { records: vec![at(0, 1, 5, Serializable, &[write(1, 5)])], ..History::default() };
    history.sightings.insert((("register", 1), 5, 6));
    assert!(judge_history(history).0.contains("version"));
}

/// At snapshot isolation everything is read at one version.
#[test]
fn read_skew_at_snapshot_isolation_is_found() {
    let reader = at(1, 12, 2, Snapshot, &[register(1, None), register(2, Some(6))]);
    let skewed = |snapshot| {
        judge(&[
            at(0, 10, 1, Serializable, &[write(1, 5), write(2, 6)]),
            Record { snapshot: Some(snapshot), ..reader.clone() },
        ])
    };
    assert!(!skewed(0).1 && !skewed(1).1);
}

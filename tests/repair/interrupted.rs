//! The manifest is lost, and the last checkpoint had written the file of one collection and not that of
//! the other: only the log holds what became of it.

use std::collections::BTreeSet;

use monsterdb::{
    Snapshot,
    database::{Loss, RepairReport, Unproved},
    storage::MemoryStorage,
};

use crate::{bytes::damage_all, verdict::repaired, world::World};

/// The same with a record that is not one any more.
fn without_record(world: &World, seq: u64) -> MemoryStorage {
    let (name, start, end) = world.place_of(seq);
    let mut bytes = world.files()[&name].clone();
    bytes[start + 20..end - 3].fill(b'x');
    world.with(&name, &bytes)
}

fn ids(state: &Snapshot, collection: &str) -> BTreeSet<String> {
    let collection = state.collection(collection).unwrap();
    collection.documents().map(|(id, _)| id.to_string()).collect()
}

/// The commits that may have changed a collection.
fn commits(report: &RepairReport, name: &str) -> Vec<(u64, u64)> {
    let commits = report.unproved.iter().find_map(|unproved| match unproved {
        Unproved::Catalog { collection, commits } if collection.as_str() == name => Some(commits),
        _ => None,
    });
    let commits = commits.into_iter().flatten();
    commits.map(|(first, last)| (first.get(), last.get())).collect()
}

/// What the report lists as readable: versions, with what they did.
fn readable(report: &RepairReport) -> Vec<(u64, String)> {
    let commit = |loss: &Loss| match loss {
        Loss::Commit { version, operations, .. } => {
            let operations: Vec<String> = operations.iter().map(|o| o.to_string()).collect();
            (version.get(), operations.join(", "))
        }
        other => panic!("{other}"),
    };
    report.losses.iter().map(commit).collect()
}

#[test]
fn the_log_makes_up_for_files_that_are_not_there_yet() {
    let world = World::interrupted(10, 10);
    let (report, state) = repaired(&world.copy(), None, &world.history, "no damage").unwrap();
    assert!(report.losses.is_empty() && state == world.last, "{report:?}");

    let damaged = without_record(&world, 7);
    let (report, state) = repaired(&damaged, None, &world.history, "record 7").unwrap();
    assert_eq!((report.state.get(), report.version.get()), (7, 7), "{report:?}");
    assert_eq!(ids(&state, "bees"), ["b2", "b3"].map(str::to_owned).into());
    assert_eq!(ids(&state, "ants"), ["a1", "a2", "a3"].map(str::to_owned).into());
    assert_eq!((commits(&report, "bees"), commits(&report, "ants")), (vec![(7, 7)], vec![]));
    assert!(report.losses.is_empty(), "the file of ants has it: {report:?}");
    assert_eq!(report.cut, None, "it was acknowledged");
}

/// Behind what is damaged in a segment nothing is applied, but it is listed where no file has it.
#[test]
fn what_can_only_be_read_is_listed() {
    let world = World::interrupted(10, 10);
    let damaged = without_record(&world, 4);
    let (report, state) = repaired(&damaged, None, &world.history, "record 4").unwrap();
    assert_eq!((report.state.get(), report.version.get()), (7, 7), "{report:?}");
    assert_eq!(ids(&state, "bees"), ["b1", "b2"].map(str::to_owned).into());
    assert_eq!(commits(&report, "bees"), [(4, 7)]);
    assert_eq!(readable(&report), [(5, "delete bees/b1".to_owned())]);
    assert_eq!(report.cut, None);
}

/// In a segment of its own it is applied.
#[test]
fn what_another_segment_has_is_applied() {
    let world = World::interrupted(40_000, 5000);
    let damaged = without_record(&world, 3);
    assert_ne!(world.place_of(3).0, world.place_of(4).0);
    let (report, state) = repaired(&damaged, None, &world.history, "record 3").unwrap();
    assert_eq!(ids(&state, "bees"), ["b3"].map(str::to_owned).into());
    assert_eq!((commits(&report, "bees"), readable(&report)), (vec![(3, 3)], vec![]));
}

#[test]
fn anything_else_is_damaged() {
    for padding in [10, 1300] {
        let kinds = damage_all(&World::interrupted(10, padding), None);
        assert!(kinds["wal"].salvaged > 0 && kinds["collections"].salvaged == 0, "{kinds:?}");
    }
}

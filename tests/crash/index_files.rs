//! Index files are no more than a help, since an index can be built from its documents. But a
//! checkpoint that was finished leaves them whole, so that no power cut makes the next start slow.

use monsterdb::{
    storage::{CrashKind, MemoryStorage},
    wal::frame_line,
};

use crate::workload::{Run, Step, depth, open, script};

/// Images of a power cut that are looked at after each checkpoint.
const SEEDS: u64 = 100;

const WORK: &str = "
    always: put a/1 100; put a/2 150; put b/1 10
    always: index a by_n n
    checkpoint
    always: inc a/1
    always: index a by_list -list,n
    always: index b by_n -n
    checkpoint
    always: put a/3 7; delete a/2; inc b/1
    checkpoint
";

#[test]
fn a_power_cut_leaves_those_of_a_finished_checkpoint() {
    let storage = MemoryStorage::new();
    let mut run = Run::open(&storage).unwrap();
    for (number, step) in script(WORK).iter().enumerate() {
        run.step(step).unwrap();
        if !matches!(step, Step::Checkpoint) {
            continue;
        }
        let snapshot = run.snapshot();
        for seed in 0..SEEDS * depth() {
            let db = open(&storage.crash(CrashKind::Power, seed)).unwrap();
            let rebuilt = db.status().recovery.rebuilt;
            assert!(rebuilt.is_empty(), "step {number}, seed {seed}: {rebuilt:?}");
            assert_eq!(db.snapshot(), snapshot, "step {number}, seed {seed}");
        }
    }
}

/// A file that is whole by its checksum, and holds another order than that of the keys.
#[test]
fn one_that_does_not_fit_the_documents_is_built_anew() {
    let storage = MemoryStorage::new();
    let mut run = Run::open(&storage).unwrap();
    for step in script(WORK) {
        run.step(&step).unwrap();
    }
    let snapshot = run.snapshot();
    let file = storage.names().into_iter().find(|name| name.contains("a/by_n-")).unwrap();
    let text = String::from_utf8(storage.contents(&file).unwrap()).unwrap();
    let (members, order) =
        text.trim_end().split_once(',').unwrap().1.split_once("order\":[").unwrap();
    assert_eq!(order, "0,1]}", "the order before what changed since");
    for (order, reason) in [
        ("1,0", "not in the order of keys"),
        ("1", "lacks an entry"),
        ("0,1,1", "an entry that no document has"),
        ("0,7", "an entry that no document has"),
    ] {
        let image = storage.crash(CrashKind::Process, 0);
        image.plant(&file, &frame_line(&format!("{members}order\":[{order}]"))).unwrap();
        let db = open(&image).unwrap();
        let rebuilt = db.status().recovery.rebuilt;
        assert!(rebuilt.len() == 1 && rebuilt[0].contains(reason), "{order}: {rebuilt:?}");
        assert_eq!(db.snapshot(), snapshot, "{order}");
    }
}

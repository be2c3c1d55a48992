//! The files of what changed: which of them a checkpoint writes, that they are taken into larger
//! ones, and that every one of their states is found again.

use monsterdb::{
    Error,
    checkpoint::{MANIFEST, Manifest},
    storage::{CrashKind, MemoryStorage},
};

use crate::workload::{Run, open, script};

/// Each step of the work, and the files of `a` after it: `w` is the whole, `d` what changed.
const WORK: [(&str, &str); 11] = [
    ("always: put a/1 6000; put a/2 3000; put a/3 3000; put b/1 9000", "w1"),
    ("always: put a/4 1500", "w1 d2"),
    ("always: put a/5 300", "w1 d2 d3"),
    ("always: put a/8 200; put b/2 20", "w1 d2 d4"),
    ("always: put a/6 10", "w1 d2 d4 d5"),
    ("always: delete a/4", "w1 d2 d4 d5 d6"),
    ("always: delete a/1; inc a/5; put a/6 700", "w1 d7"),
    ("always: put a/4 40; put a/1 30", "w1 d7 d8"),
    ("always: inc b/1", "w1 d7 d8"),
    ("always: index a by_n n", "w10"),
    ("always: delete a/4; put a/7 50; inc a/5", "w10 d11"),
];

#[test]
fn a_checkpoint_writes_what_changed_and_takes_small_files_in() {
    let storage = MemoryStorage::new();
    let mut run = Run::open(&storage).unwrap();
    for (work, expected) in WORK {
        for step in script(&format!("{work}\ncheckpoint")) {
            run.step(&step).unwrap();
        }
        assert_eq!(files_of_a(&storage), expected, "{work}");
        let image = storage.crash(CrashKind::Process, 0);
        let reopened = open(&image).unwrap();
        assert_eq!(reopened.status().recovery.replayed, 0, "{work}");
        assert_eq!(reopened.status().recovery.rebuilt, [""; 0], "{work}");
        assert_eq!(reopened.snapshot(), run.snapshot(), "{work}");
    }
}

#[test]
fn what_is_in_memory_is_the_same_after_opening_and_before_it() {
    let storage = MemoryStorage::new();
    let mut run = Run::open(&storage).unwrap();
    for (work, expected) in WORK {
        // The last checkpoint's documents are those that the opening found.
        for step in script(&format!("{work}\nreopen\ncheckpoint")) {
            run.step(&step).unwrap();
        }
        assert_eq!(files_of_a(&storage), expected, "{work}");
    }
}

#[test]
fn what_changed_is_refused_behind_another_file() {
    let storage = MemoryStorage::new();
    let mut run = Run::open(&storage).unwrap();
    for (work, _) in &WORK[..3] {
        for step in script(&format!("{work}\ncheckpoint")) {
            run.step(&step).unwrap();
        }
    }
    let mut manifest = Manifest::decode(&storage.contents(MANIFEST).unwrap()).unwrap();
    let image = storage.crash(CrashKind::Process, 0);
    // The file in the middle is left out of the manifest, which is whole by its checksum.
    let lost = manifest.collections[0].files.remove(1);
    let after = manifest.collections[0].files[1].file.clone();
    image.plant(MANIFEST, &manifest.encode()).unwrap();
    let Err(Error::Damaged(damage)) = open(&image) else { panic!("{} is missed", lost.file) };
    assert_eq!((damage.file, &*damage.reason), (after, "it belongs to another checkpoint"));
}

fn files_of_a(storage: &MemoryStorage) -> String {
    let manifest = Manifest::decode(&storage.contents(MANIFEST).unwrap()).unwrap();
    let files = manifest.collections[0].files.iter().map(|file| {
        let name = file.file.strip_prefix("collections/a-").unwrap();
        match name.strip_suffix(".delta.ndjson") {
            Some(version) => format!("d{version}"),
            None => format!("w{}", name.strip_suffix(".ndjson").unwrap()),
        }
    });
    files.collect::<Vec<_>>().join(" ")
}

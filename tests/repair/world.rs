//! A database in files, and every state it had.

use std::{collections::BTreeMap, sync::Arc};

use monsterdb::{
    Database, Snapshot,
    checkpoint::{MANIFEST, Manifest},
    storage::{CrashKind, MemoryStorage, Storage},
    wal::{self, Record},
};

use crate::{
    files::{Lose, contents, segment_number, segments_of},
    workload::{History, script},
};

/// Collections with chains of one to three files, indexes, one that was dropped and one that was made
/// anew; a checkpoint with a log behind it that goes on in several segments.
const WORK: &str = "
    always: put a/01 100; put a/02 140; put a/03 20; put a/04 300; put a/05 150; put a/06 90
    always: put b/1 150; put b/2 20; put b/3 80
    always: create empty; put gone/1 10; put anew/1 10
    always: index a by_n n
    always: index b by_list -list,n
    always: put a/07 200; put a/08 120; inc a/01
    always: drop gone
    checkpoint
    always: put a/02 1500; delete a/05; put a/20 300; inc a/04
    always: put b/4 100; append b/1; drop anew
    checkpoint
    always: inc a/03; put anew/2 40
    always: index b by_n n
    checkpoint
    always: unindex b by_list
    always: double a/06; delete a/07; put d/1 30
    checkpoint
    always: put a/21 700; double a/01
    always: put c/1 900; append b/1
    always: put a/22 1100; inc a/01; delete b/2
    always: index c by_n -n
    always: put c/2 1100; double a/01
    always: put c/3 1800; inc a/01
    always: drop d; inc a/02
    always: put c/4 1100; double b/1
    always: put a/23 1100; inc a/01; append b/3
";

/// Two collections with a file each, and then with changes in a second one.
const INTERRUPTED: &str = "
    always: put bees/b1 FIRST
    always: put ants/a1 FIRST
    checkpoint
    always: put bees/b2 PADDING
    always: put bees/b3 PADDING
    always: delete bees/b1
    always: put ants/a2 PADDING
    always: put ants/a3 10
    checkpoint
";

/// A database in files, and every state it had.
pub(crate) struct World {
    pub(crate) storage: MemoryStorage,
    pub(crate) history: History,
    pub(crate) last: Arc<Snapshot>,
}

impl World {
    /// With all of its log, from the first commit on.
    pub(crate) fn whole() -> World {
        World::after(WORK)
    }

    /// As a kill leaves it: nothing proves the end of its log acknowledged.
    pub(crate) fn killed() -> World {
        World::after(&format!("{WORK}\nnone: inc a/01\nnone: put a/30 10\nnone: inc b/1\nkill"))
    }

    /// Without its manifest, and with a checkpoint that did not get to the files of one collection.
    /// Its first documents have so much padding, and later ones.
    pub(crate) fn interrupted(first: u64, padding: u64) -> World {
        let work = INTERRUPTED.replace("FIRST", &first.to_string());
        let world = World::after(&work.replace("PADDING", &padding.to_string()));
        for name in ["collections/bees-5.delta.ndjson", MANIFEST] {
            world.storage.remove_named(name);
        }
        world
    }

    /// What is left of it when it is closed after this work, without a checkpoint at the end.
    fn after(work: &str) -> World {
        let (work, killed) = match work.strip_suffix("\nkill") {
            Some(work) => (work, true),
            None => (work, false),
        };
        let storage = MemoryStorage::new();
        let options = || Database::builder().background(false).segment_bytes(4096);
        let options = || options().feed_retain_bytes(u64::MAX).checkpoint_on_close(false);
        let open = || options().open_in(Arc::new(storage.clone())).unwrap();
        let (mut db, mut history) = (open(), History::default());
        history.note(db.snapshot());
        for step in script(work) {
            match step {
                crate::workload::Step::Checkpoint => drop(db.checkpoint().unwrap()),
                crate::workload::Step::Maintain => db.maintain().unwrap(),
                crate::workload::Step::Reopen => {
                    db.close().unwrap();
                    db = open();
                }
                crate::workload::Step::Commit(durability, writes) => {
                    crate::workload::commit(&db, durability, &writes).unwrap();
                }
            }
            history.note(db.snapshot());
        }
        let last = db.snapshot();
        let image = storage.crash(CrashKind::Process, 0);
        db.close().unwrap();
        let storage = if killed { image } else { storage.crash(CrashKind::Process, 0) };
        World { storage, history, last }
    }

    /// The same without the segments that its checkpoint covers.
    pub(crate) fn short(&self) -> World {
        let manifest = self.manifest();
        let storage = self.copy();
        let numbers: Vec<u64> = segments_of(&storage).into_keys().collect();
        for (first, next) in numbers.iter().zip(&numbers[1..]) {
            if *next <= manifest.version.next().get() {
                storage.remove_named(&format!("wal/{first}.ndjson"));
            }
        }
        World { storage, history: self.history.clone(), last: Arc::clone(&self.last) }
    }

    pub(crate) fn manifest(&self) -> Manifest {
        Manifest::decode(&self.storage.contents(MANIFEST).unwrap()).unwrap()
    }

    /// Its log alone, in a storage of its own.
    pub(crate) fn log(&self) -> MemoryStorage {
        let archive = MemoryStorage::new();
        archive.create_folder(wal::FOLDER).unwrap();
        for (name, bytes) in self.files() {
            if segment_number(&name).is_some() {
                let file = archive.create(&name).unwrap();
                file.write_at(0, &bytes).unwrap();
            }
        }
        archive
    }

    pub(crate) fn copy(&self) -> MemoryStorage {
        self.storage.crash(CrashKind::Process, 0)
    }

    pub(crate) fn without(&self, name: &str) -> MemoryStorage {
        let copy = self.copy();
        copy.remove_named(name);
        copy
    }

    /// The same with other bytes in a file.
    pub(crate) fn with(&self, name: &str, bytes: &[u8]) -> MemoryStorage {
        let copy = self.copy();
        copy.plant(name, bytes).unwrap();
        copy
    }

    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        contents(&self.storage)
    }

    /// The segment that holds a record, and where its line is.
    pub(crate) fn place_of(&self, seq: u64) -> (String, usize, usize) {
        for (name, bytes) in self.files() {
            let mut offset = 0;
            for line in bytes.split_inclusive(|byte| *byte == b'\n') {
                let record = line.strip_suffix(b"\n").map(Record::parse);
                if matches!(record, Some(Ok(record)) if record.seq.get() == seq) {
                    return (name, offset, offset + line.len());
                }
                offset += line.len();
            }
        }
        panic!("no record {seq}");
    }
}

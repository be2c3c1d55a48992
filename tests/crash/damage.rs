//! Every byte of every file is damaged once; files are cut short, lost and mixed up. What opens
//! afterwards is a committed state that holds everything provably acknowledged, its indexes made
//! anew where their files were damaged; what does not open names the file and the place, and leaves
//! everything as it was.
//!
//! A check of the same files changes nothing and agrees with the opening:
//! - what an opening refuses, a check names in the same words, perhaps beside more;
//! - when it opens, a check tells the same version, the same torn tail, the same indexes that are
//!   built anew, the same number of records in doubt; and it finds damage only in segments that the
//!   checkpoint covers, which an opening does not read. How often it so knows more is counted.
//!
//! `cargo test --test crash every_byte -- --nocapture` prints how each kind of file ended.

use std::{collections::BTreeMap, sync::Arc};

use monsterdb::{
    Damage, Database, Error, Snapshot, Version,
    checkpoint::{MANIFEST, Manifest},
    database::CheckReport,
    snapshot::Index,
    storage::{CrashKind, MemoryStorage},
    wal::frame_line,
};

use crate::{
    ends::{self, Ends},
    files::{Lose, contents, provably_acknowledged, segment_number, segments_of},
    workload::{History, Run, depth, open, options, script},
};

/// Three collection files, three indexes, a checkpoint that covers some of the log, and three
/// segments after it.
const WORK: &str = "
    always: put a/1 100; put b/1 150
    always: inc a/1; put c/1 100
    always: put a/2 900; append b/1
    always: put a/3 1800; double b/1
    always: index a by_n n
    always: index a by_list -list,n
    always: index c by_n -n
    always: delete c/1; inc a/1
    checkpoint
    always: put c/2 700; put c/9 30
    none: put c/3 700; double a/1
    none: put c/4 700; double a/1
    always: put c/5 900; append b/1
    always: put c/6 1100; inc a/1
    always: put c/7 1100; double a/1
    always: put c/8 1100; inc a/1
    always: put c/3 1100; inc a/1
    always: inc a/1; delete c/2
    none: double a/1; append b/1
    none: inc a/1
";

/// A database in files, and every state it had.
struct Base {
    storage: MemoryStorage,
    history: History,
    last: Arc<Snapshot>,
}

#[test]
fn every_byte_after_a_crash() {
    flip_every_byte(&Base::crashed());
}

#[test]
fn every_byte_after_a_close() {
    let ends = flip_every_byte(&Base::closed());
    assert_eq!(ends.cut, 0, "after a close all of the log is known to be safe");
}

#[test]
fn files_are_cut_short_or_lost() {
    for (base, cut) in [(Base::crashed(), true), (Base::reopened(), false), (Base::closed(), false)]
    {
        let mut ends = Ends::default();
        for name in base.storage.names() {
            let whole = base.storage.contents(&name).unwrap();
            for length in (0..whole.len()).step_by(64) {
                let damaged = base.copy();
                damaged.plant(&name, &whole[..length]).unwrap();
                base.judge(&damaged, &name, &format!("{name} cut to {length} bytes"), &mut ends);
            }
            let damaged = base.without(&name);
            base.judge(&damaged, &name, &format!("{name} removed"), &mut ends);
        }
        println!("cut short: {ends:?}");
        assert!(ends.refused > 0 && ends.exact > 0);
        assert_eq!(ends.cut > 0, cut, "once it was served, all of the log is known to be safe");
    }
}

#[test]
fn segments_are_missing_or_mixed_up() {
    let base = Base::closed();
    let segments = base.segments();
    let needed: Vec<&String> = segments.iter().filter(|name| !base.covered(name)).collect();
    assert!(needed.len() >= 3, "{segments:?}");
    let mut refused = 0;
    for name in &segments {
        match open(&base.without(name)) {
            // What was in doubt stands in two segments.
            Ok(db) => assert_eq!(db.snapshot(), base.last, "{name} is missing"),
            Err(Error::Damaged(damage)) => {
                assert!(damage.file.starts_with("wal"), "{name}: {damage}");
                assert!(!base.covered(name), "{name}: the checkpoint holds it");
                refused += 1;
            }
            Err(error) => panic!("{name}: {error}"),
        }
    }
    assert!(refused >= 3, "{refused} of {segments:?}");
    for (one, other) in needed.iter().zip(&needed[1..]) {
        let damaged = base.copy();
        damaged.plant(one, &base.storage.contents(other).unwrap()).unwrap();
        assert_eq!(&base.damage(&damaged).file, *one, "{other} in place of {one}");
        damaged.plant(other, &base.storage.contents(one).unwrap()).unwrap();
        assert_eq!(&base.damage(&damaged).file, *one, "{one} and {other} swapped");
    }
    let damaged = base.copy();
    segments.iter().for_each(|name| damaged.remove_named(name));
    assert!(base.damage(&damaged).file.starts_with("wal"));
}

/// Whole records go, come twice, or stand in another order; each with its own good checksum.
#[test]
fn records_are_missing_or_out_of_order() {
    for base in [Base::crashed(), Base::closed()] {
        let mut ends = Ends::default();
        for name in base.segments() {
            let whole = base.storage.contents(&name).unwrap();
            let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
            for place in 0..lines.len() {
                let (before, after) = (lines[..place].concat(), lines[place + 1..].concat());
                let next = lines.get(place + 1).copied().unwrap_or_default();
                let behind = lines.get(place + 2..).unwrap_or_default().concat();
                for (what, bytes) in [
                    ("gone", [&before[..], &after].concat()),
                    ("twice", [&before[..], lines[place], lines[place], &after].concat()),
                    ("too late", [&before[..], next, lines[place], &behind].concat()),
                ] {
                    let damaged = base.copy();
                    damaged.plant(&name, &bytes).unwrap();
                    let what = format!("line {place} of {name} is {what}");
                    base.judge(&damaged, &name, &what, &mut ends);
                }
            }
        }
        println!("out of order: {ends:?}");
        assert!(ends.refused > 0);
    }
}

/// Any number of files are lost. What is left is never taken for a new database.
#[test]
fn files_are_lost_together() {
    let base = Base::closed();
    let names = base.storage.names();
    for lost in 1..1_u64 << names.len() {
        let damaged = base.copy();
        let chosen = names.iter().enumerate().filter(|(place, _)| lost >> place & 1 == 1);
        chosen.for_each(|(_, name)| damaged.remove_named(name));
        let everything = damaged.names().is_empty();
        match open(&damaged) {
            Ok(db) if everything => assert_eq!(db.snapshot().version(), Version::ZERO),
            Ok(db) => assert_eq!(db.snapshot(), base.last, "{:?}", damaged.names()),
            Err(Error::Damaged(_)) => assert!(!everything),
            Err(error) => panic!("{:?}: {error}", damaged.names()),
        }
    }
}

#[test]
fn a_newer_format_is_told_from_damage() {
    let base = Base::closed();
    let text = |name: &str| String::from_utf8(base.storage.contents(name).unwrap()).unwrap();
    let expect = |storage: &MemoryStorage, name: &str| match open(storage).map(drop) {
        Err(Error::NewerFormat { file, found: 2, supported: 1 }) => assert_eq!(file, name),
        other => panic!("{name}: {other:?}"),
    };
    let reframed = |line: &str| {
        let members = line.trim_end_matches(['\n', '}']).split_once(',').unwrap().1;
        frame_line(&members.replacen("\"format\":1", "\"format\":2", 1))
    };
    // An opening does not look at those that the checkpoint covers.
    let segment = base.segments().pop().unwrap();
    let whole = text(&segment);
    let (head, rest) = whole.split_once('\n').unwrap();
    let damaged = base.copy();
    damaged.plant(&segment, &[&reframed(head)[..], rest.as_bytes()].concat()).unwrap();
    expect(&damaged, &segment);

    let manifest = text(MANIFEST);
    let members = manifest.trim_end().strip_suffix('}').unwrap().split_once(',').unwrap().1;
    let newer = members.replacen("\"format\":1", "\"format\":2", 1);
    let damaged = base.copy();
    damaged.plant(MANIFEST, &frame_line(&newer)).unwrap();
    expect(&damaged, MANIFEST);

    let mut manifest = Manifest::decode(manifest.as_bytes()).unwrap();
    let entry = &mut manifest.collections[0].files[0];
    let newer = text(&entry.file).replacen("\"format\":1", "\"format\":2", 1);
    entry.crc = format!("{:08x}", crc32fast::hash(newer.as_bytes()));
    let file = entry.file.clone();
    let damaged = base.copy();
    damaged.plant(&file, newer.as_bytes()).unwrap();
    damaged.plant(MANIFEST, &manifest.encode()).unwrap();
    expect(&damaged, &file);
}

fn flip_every_byte(base: &Base) -> Ends {
    let mut kinds: BTreeMap<String, Ends> = BTreeMap::new();
    let patterns = [0x01, 0xFF, 0x0A, 0x20, 0x80].into_iter().take(1 + depth() as usize);
    let patterns: Vec<u8> = patterns.collect();
    for name in base.storage.names() {
        let bytes = base.storage.contents(&name).unwrap();
        let ends = kinds.entry(name.split('/').take(1).collect()).or_default();
        for (offset, byte) in bytes.iter().enumerate() {
            // Of the room behind the last record a part is enough.
            if *byte == 0 && offset % 16 != 0 {
                continue;
            }
            for xor in &patterns {
                let damaged = base.copy();
                damaged.alter(&name, offset as u64, *xor).unwrap();
                let what = format!("byte {offset} of {name} xor {xor:#x}");
                if let Some(damage) = base.judge(&damaged, &name, &what, ends) {
                    assert_eq!(damage.file, name, "{what}: {damage}");
                    assert!(damage.offset <= offset as u64, "{what}: {damage}");
                }
            }
        }
    }
    let all = ends::table(&kinds);
    assert!(all.refused > 0 && all.exact > 0 && all.known_more > 0);
    let indexes = &kinds["indexes"];
    assert!(indexes.rebuilt > 0 && indexes.refused == 0, "what can be made anew stops nobody");
    all
}

impl Base {
    /// As a killed process leaves it: there is a tail that nothing proves acknowledged.
    fn crashed() -> Base {
        let mut run = Run::open(&MemoryStorage::new()).unwrap();
        let mut history = History::default();
        history.note(run.snapshot());
        for step in script(WORK) {
            run.step(&step).unwrap();
            history.note(run.snapshot());
        }
        Base { storage: run.storage.crash(CrashKind::Process, 0), history, last: run.snapshot() }
    }

    /// As it is when it is killed right after it was opened again.
    fn reopened() -> Base {
        let base = Base::crashed();
        let db = open(&base.storage).unwrap();
        let storage = base.storage.crash(CrashKind::Process, 0);
        drop(db);
        Base { storage, ..base }
    }

    /// As it is after closing without a checkpoint: the manifest knows that the log is safe.
    fn closed() -> Base {
        let base = Base::crashed();
        let storage = Arc::new(base.storage.clone());
        let db = options().checkpoint_on_close(false).open_in(storage).unwrap();
        db.create_collection("d", Default::default()).unwrap();
        let last = db.snapshot();
        db.close().unwrap();
        let mut history = base.history.up_to(base.last.version());
        history.note(Arc::clone(&last));
        let storage = base.storage.crash(CrashKind::Process, 0);
        Base { storage, history, last }
    }

    fn copy(&self) -> MemoryStorage {
        self.storage.crash(CrashKind::Process, 0)
    }

    fn without(&self, name: &str) -> MemoryStorage {
        let copy = self.copy();
        copy.remove_named(name);
        copy
    }

    fn segments(&self) -> Vec<String> {
        let mut first: Vec<u64> = segments_of(&self.storage).into_keys().collect();
        first.sort_unstable();
        first.iter().map(|first| format!("wal/{first}.ndjson")).collect()
    }

    /// True when the checkpoint holds every record of a segment.
    fn covered(&self, name: &str) -> bool {
        let manifest = Manifest::decode(&self.storage.contents(MANIFEST).unwrap()).unwrap();
        let next = self.segments().into_iter().skip_while(|other| other != name).nth(1);
        let next = next.and_then(|next| segment_number(&next));
        next.is_some_and(|next| next <= manifest.version.next().get())
    }

    /// Why a storage does not open.
    fn damage(&self, storage: &MemoryStorage) -> Damage {
        match open(storage) {
            Err(Error::Damaged(damage)) => *damage,
            Err(error) => panic!("{error}"),
            Ok(db) => panic!("it opens, at version {}", db.snapshot().version()),
        }
    }

    /// Holds a check against an opening that succeeded.
    fn agrees(&self, report: &CheckReport, db: &Database, what: &str, ends: &mut Ends) {
        let recovery = db.status().recovery;
        assert_eq!(report.version, db.snapshot().version(), "{what}");
        assert_eq!(report.checkpoint, recovery.checkpoint, "{what}");
        assert_eq!(report.cut, recovery.cut, "{what}");
        assert_eq!(report.rebuilt, recovery.rebuilt, "{what}");
        assert_eq!(report.in_doubt, recovery.in_doubt, "{what}");
        for damage in &report.damage {
            assert!(self.covered(&damage.file), "{what}: it opens, and yet: {damage}");
        }
        ends.known_more += u64::from(!report.damage.is_empty());
    }

    fn judge(
        &self,
        storage: &MemoryStorage,
        name: &str,
        what: &str,
        ends: &mut Ends,
    ) -> Option<Damage> {
        let provable = provably_acknowledged(storage);
        let files = contents(storage);
        let operations = storage.operations();
        let report = CheckReport::of(storage).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(storage.operations(), operations, "{what}: a check changes nothing");
        match open(storage) {
            Ok(db) => {
                self.agrees(&report, &db, what, ends);
                let state = db.snapshot();
                let objection = self.history.objection(&state, provable);
                assert_eq!(objection, None, "{what}");
                assert_fresh(&state, what);
                if state.version() == self.last.version() {
                    match db.status().recovery.rebuilt.is_empty() {
                        true => ends.exact += 1,
                        false => ends.rebuilt += 1,
                    }
                    return None;
                }
                let cut = db.status().recovery.cut;
                let lost = storage.contents(name).is_none();
                assert!(lost || cut.is_none_or(|cut| cut.file == name), "{what}");
                ends.cut += 1;
                None
            }
            Err(Error::Damaged(damage)) => {
                ends.refused += 1;
                assert!(report.damage.contains(&damage), "{what}: {damage}: {report:?}");
                assert_eq!(files, contents(storage), "{what}: refused, and files changed");
                Some(*damage)
            }
            Err(error) => panic!("{what}: {error}"),
        }
    }
}

/// Every index holds what building it over the documents makes.
fn assert_fresh(state: &Snapshot, what: &str) {
    for (name, collection) in state.collections() {
        for index in collection.indexes() {
            let (of, definition) = (index.name().clone(), Arc::clone(index.definition()));
            let built = Index::build(of, definition, name, collection.documents()).unwrap();
            assert!(built == *index, "{what}: {} of {name} is stale", index.name());
        }
    }
}

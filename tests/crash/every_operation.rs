//! The process or the power ends at every storage operation of a script. Whatever is left opens,
//! is a state that was committed, and holds everything acknowledged.

use std::sync::atomic::{AtomicU64, Ordering};

use monsterdb::{
    Version,
    storage::{CrashKind, Fault, MemoryStorage},
};

use crate::{
    recovery::{interrupted, second_generation, served_is_safe},
    scripts,
    workload::{
        History, Promise, commits, depth, needless_file, open, script, undisturbed, until_it_stops,
    },
};

/// Images of a power cut that are looked at for every operation.
const SEEDS: u64 = 5;

/// Of so many images the recovery of one is interrupted, and one is worked on.
const SAMPLE: u64 = 23;

/// What has to happen sometimes, or the test has tested nothing.
#[derive(Debug, Default)]
pub(crate) struct Sometimes {
    pub images: AtomicU64,
    pub torn_tail: AtomicU64,
    pub in_doubt: AtomicU64,
    pub many_segments: AtomicU64,
    pub interrupted_checkpoint: AtomicU64,
    pub interrupted_recovery: AtomicU64,
    pub unacknowledged_there: AtomicU64,
    pub second_generation: AtomicU64,
}

/// A disk after a crash, the history that it comes from, and what it must hold.
pub(crate) struct Image<'a> {
    pub storage: MemoryStorage,
    pub history: &'a History,
    /// What is there now, and what outlives a power cut.
    pub promise: Promise,
    pub what: String,
}

#[test]
fn always_durable() {
    crash_everywhere("ALWAYS", scripts::ALWAYS);
}

#[test]
fn mixed_durability() {
    crash_everywhere("MIXED", scripts::MIXED);
}

#[test]
fn collections_come_and_go() {
    crash_everywhere("CATALOG", scripts::CATALOG);
}

#[test]
fn indexes_come_and_go() {
    crash_everywhere("INDEXES", scripts::INDEXES);
}

#[test]
fn files_of_changes_come_and_go() {
    crash_everywhere("CHAINS", scripts::CHAINS);
}

fn crash_everywhere(name: &str, text: &str) {
    let steps = script(text);
    let sometimes = Sometimes::default();
    let whole = MemoryStorage::new();
    let history = undisturbed(&whole, &steps);
    let unchanged = commits(&steps) - history.last().get();
    assert_eq!(unchanged, if name == "MIXED" { 2 } else { 0 }, "{name}: the others count");
    let operations = whole.operations();
    for operation in 1..=operations {
        let storage = MemoryStorage::new();
        storage.inject(Fault::CrashAt { operation });
        let promise = until_it_stops(&storage, &steps);
        let powers = (0..SEEDS * depth()).map(|seed| (CrashKind::Power, operation * 1000 + seed));
        for (kind, seed) in powers.chain([(CrashKind::Process, 0)]) {
            let image = Image {
                storage: storage.crash(kind, seed),
                history: &history,
                promise: promise.after(kind),
                what: format!("{name}, {kind:?} at operation {operation}, seed {seed}"),
            };
            try_image(&image, &sometimes, operation + seed);
        }
    }
    println!("{name}: {operations} operations, {sometimes:?}");
    sometimes.check(name);
}

fn try_image(image: &Image<'_>, sometimes: &Sometimes, number: u64) {
    let version = image.reopen(sometimes);
    served_is_safe(image, version, number, sometimes);
    if number.is_multiple_of(SAMPLE) {
        interrupted(image, number, sometimes);
    }
    if number % SAMPLE == SAMPLE / 2 {
        second_generation(image, number, sometimes);
    }
}

impl Image<'_> {
    /// Opens a copy of the image, which must hold what it should, and returns its version.
    pub(crate) fn reopen(&self, sometimes: &Sometimes) -> Version {
        let copy = self.storage.crash(CrashKind::Process, 0);
        let names = copy.names();
        let db = open(&copy).unwrap_or_else(|error| panic!("{}: {error}", self.what));
        let state = db.snapshot();
        if let Some(objection) = self.history.objection(&state, self.promise.process) {
            panic!("{}: {objection}", self.what);
        }
        assert_eq!(needless_file(&copy), None, "{}", self.what);
        let temporary = copy.names().into_iter().find(|name| name.ends_with(".tmp"));
        assert_eq!(temporary, None, "{}", self.what);
        let recovery = db.status().recovery;
        count(&sometimes.images, true);
        count(&sometimes.torn_tail, recovery.cut.is_some());
        count(&sometimes.in_doubt, recovery.in_doubt > 0);
        count(&sometimes.unacknowledged_there, state.version() > self.promise.process);
        let segments = names.iter().filter(|n| n.starts_with("wal/") && n.ends_with(".ndjson"));
        count(&sometimes.many_segments, segments.count() > 1);
        let of_checkpoint = |n: &&String| !n.starts_with("wal/");
        let (before, after) = (&names, &copy.names());
        let needless = before.iter().filter(of_checkpoint).any(|name| !after.contains(name));
        count(&sometimes.interrupted_checkpoint, needless);
        state.version()
    }
}

impl Sometimes {
    fn check(&self, name: &str) {
        for (what, counter) in [
            ("torn tail", &self.torn_tail),
            ("records in doubt", &self.in_doubt),
            ("rotation crossed", &self.many_segments),
            ("checkpoint interrupted", &self.interrupted_checkpoint),
            ("recovery interrupted", &self.interrupted_recovery),
            ("more there than acknowledged", &self.unacknowledged_there),
            ("second generation", &self.second_generation),
        ] {
            assert!(counter.load(Ordering::Relaxed) > 0, "{name}: never happened: {what}");
        }
    }
}

pub(crate) fn count(counter: &AtomicU64, happened: bool) {
    counter.fetch_add(u64::from(happened), Ordering::Relaxed);
}

//! What happens after a crash: recovery is interrupted, what it served is asked for again, and
//! the database works on until it crashes once more.

use monsterdb::{
    Version,
    storage::{CrashKind, Failure, Fault, MemoryStorage},
};

use crate::{
    every_operation::{Image, Sometimes, count},
    scripts,
    workload::{Promise, commits, depth, open, script, undisturbed, until_it_stops},
};

/// Images of a power cut after each interruption.
const SEEDS: u64 = 3;

/// Crashes of the second generation that are tried on one image.
const CRASHES: u64 = 4;

/// Once a reopened database has served a state, no power cut takes it back.
pub(crate) fn served_is_safe(image: &Image<'_>, served: Version, seed: u64, sometimes: &Sometimes) {
    let copy = image.storage.crash(CrashKind::Process, 0);
    let db = open(&copy).unwrap();
    let later = Image {
        storage: copy.crash(CrashKind::Power, seed),
        history: image.history,
        promise: Promise::of(served),
        what: format!("{}, served {served}, then a power cut (seed {seed})", image.what),
    };
    drop(db);
    assert_eq!(later.reopen(sometimes), served, "{}", later.what);
}

/// Recovery crashes, and fails, at each of its own operations.
pub(crate) fn interrupted(image: &Image<'_>, seed: u64, sometimes: &Sometimes) {
    let whole = image.storage.crash(CrashKind::Process, 0);
    drop(open(&whole));
    for operation in 1..=whole.operations() {
        for fault in
            [Fault::CrashAt { operation }, Fault::FailAt { operation, failure: Failure::Device }]
        {
            interrupt_with(image, fault, seed + operation, sometimes);
        }
    }
}

fn interrupt_with(image: &Image<'_>, fault: Fault, seed: u64, sometimes: &Sometimes) {
    let storage = image.storage.crash(CrashKind::Process, 0);
    storage.inject(fault);
    let opened = open(&storage);
    count(&sometimes.interrupted_recovery, opened.is_err());
    // What it served in spite of the fault has to stay; else what was promised before.
    let served = opened.as_ref().map(|db| Promise::of(db.snapshot().version()));
    let promise = served.unwrap_or(image.promise);
    for (kind, seed) in crashes(seed) {
        let later = Image {
            storage: storage.crash(kind, seed),
            history: image.history,
            promise: promise.after(kind),
            what: format!("{}, recovery with {fault:?}, {kind:?}, seed {seed}", image.what),
        };
        let version = later.reopen(sometimes);
        served_is_safe(&later, version, seed, sometimes);
    }
}

/// The database goes on from an image, crashes again, and is opened again: what the first crash
/// took away stays away.
pub(crate) fn second_generation(image: &Image<'_>, seed: u64, sometimes: &Sometimes) {
    let steps = script(scripts::AFTERWARDS);
    let whole = image.storage.crash(CrashKind::Process, 0);
    let before = open(&image.storage.crash(CrashKind::Process, 0)).unwrap().snapshot().version();
    let mut history = image.history.up_to(before);
    history.extend(undisturbed(&whole, &steps));
    assert_eq!(history.last().get(), before.get() + commits(&steps), "{}", image.what);
    for crash in 0..CRASHES * depth() {
        let operation = 1 + (seed * 31 + crash * 7919) % whole.operations();
        let storage: MemoryStorage = image.storage.crash(CrashKind::Process, 0);
        storage.inject(Fault::CrashAt { operation });
        let promise = until_it_stops(&storage, &steps);
        for (kind, seed) in crashes(seed + crash) {
            let later = Image {
                storage: storage.crash(kind, seed),
                history: &history,
                promise: promise.or(image.promise).after(kind),
                what: format!(
                    "{}, then {kind:?} at operation {operation} of what followed, seed {seed}",
                    image.what
                ),
            };
            count(&sometimes.second_generation, true);
            let version = later.reopen(sometimes);
            served_is_safe(&later, version, seed, sometimes);
        }
    }
}

fn crashes(seed: u64) -> impl Iterator<Item = (CrashKind, u64)> {
    (0..SEEDS).map(move |n| (CrashKind::Power, seed * 7 + n)).chain([(CrashKind::Process, 0)])
}

//! Property 2, atomic write guarantee: a fault or a crash at any file operation leaves each
//! replaced file wholly old or wholly new.

use std::{cell::Cell, io};

use monsterdb::storage::{CrashKind, Failure, Fault, MemoryStorage, Storage, replace_file};
use proptest::prelude::*;

use crate::met::Met;

/// Images of a power cut that are looked at for every operation.
const IMAGES: u64 = 6;

/// A way to replace a file.
type Replace = fn(&dyn Storage, &str, &[u8]) -> io::Result<()>;

static MET: Met = Met::new();

#[test]
fn p02_atomic_write_guarantee() {
    p02_atomic_write_guarantee_cases();
    MET.report(
        "p02_atomic_write_guarantee",
        &["replaced", "made", "old after a fault", "new after a fault"],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    fn p02_atomic_write_guarantee_cases(
        old in proptest::option::of(content()),
        new in content(),
        name in prop_oneof![Just("MANIFEST.json"), Just("collections/c-1.ndjson")],
        seed: u64,
    ) {
        let met = MET.case();
        met.note("replaced", old.is_some());
        met.note("made", old.is_none());
        let replacement = Replacement { name, old, new, seed, found: Cell::default() };
        prop_assert_eq!(replacement.violation(replace_file), None);
        let [old, new] = replacement.found.get();
        met.note("old after a fault", old);
        met.note("new after a fault", new);
    }
}

/// The property itself must be able to fail: each step that `replace_file` takes is needed.
#[test]
fn a_replacement_without_one_of_its_steps_is_caught() {
    for (what, replace) in [
        ("write in place", in_place as Replace),
        ("no sync of the file", without_sync),
        ("no sync of the folder", without_folder_sync),
        ("the temporary file stays", without_removal),
    ] {
        let caught = (0..64).any(|seed| {
            let (old, new) = (Some(vec![1; 3000]), vec![2; 5000]);
            let found = Cell::default();
            let replacement = Replacement { name: "MANIFEST.json", old, new, seed, found };
            replacement.violation(replace).is_some()
        });
        assert!(caught, "{what}: the property did not notice");
    }
}

fn content() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..1500),
        (any::<u8>(), 1usize..20_000).prop_map(|(byte, length)| vec![byte; length]),
    ]
}

/// A file to replace, and what may happen on the way.
struct Replacement {
    name: &'static str,
    old: Option<Vec<u8>>,
    new: Vec<u8>,
    seed: u64,
    /// The old file and the new one, where a fault came in the way.
    found: Cell<[bool; 2]>,
}

impl Replacement {
    /// What goes wrong with this way to replace the file, at whichever operation.
    fn violation(&self, replace: Replace) -> Option<String> {
        let disk = self.disk();
        let first = disk.operations() + 1;
        replace(&disk, self.name, &self.new).expect("nothing fails yet");
        let last = disk.operations();
        self.crashes(&disk, true)
            .or_else(|| (first..=last).find_map(|n| self.fault_at(n, replace)))
            .map(|violation| {
                let trace = disk.trace().iter().map(ToString::to_string).collect::<Vec<_>>();
                format!("{violation}, of {}", trace.join(", "))
            })
    }

    /// A disk with the old file, safely.
    fn disk(&self) -> MemoryStorage {
        let disk = MemoryStorage::new();
        disk.create_folder("collections").expect("no faults yet");
        disk.sync_folder("").expect("no faults yet");
        if let Some(old) = &self.old {
            disk.plant(self.name, old).expect("no faults yet");
        }
        disk
    }

    fn fault_at(&self, operation: u64, replace: Replace) -> Option<String> {
        [
            Fault::CrashAt { operation },
            Fault::ShortWrite { operation },
            Fault::FailAt { operation, failure: Failure::Device },
            Fault::FailAt { operation, failure: Failure::Full },
        ]
        .into_iter()
        .find_map(|fault| {
            let disk = self.disk();
            disk.inject(fault);
            let result = replace(&disk, self.name, &self.new);
            let crashed = matches!(fault, Fault::CrashAt { .. });
            let left_behind = disk.names().into_iter().find(|name| name.ends_with(".tmp"));
            None.or_else(|| result.is_ok().then(|| "it claims to have worked".to_owned()))
                .or_else(|| left_behind.filter(|_| !crashed).map(|name| format!("{name} stays")))
                .or_else(|| self.crashes(&disk, false))
                .map(|violation| format!("{violation}, after {fault:?}"))
        })
    }

    /// What may be found after a crash now. Once the replacement was acknowledged, only the new
    /// file.
    fn crashes(&self, disk: &MemoryStorage, acknowledged: bool) -> Option<String> {
        let powers = (0..IMAGES).map(|n| (CrashKind::Power, self.seed.wrapping_add(n)));
        powers.chain([(CrashKind::Process, 0)]).find_map(|(kind, seed)| {
            let found = disk.crash(kind, seed).contents(self.name);
            let is_new = found.as_ref() == Some(&self.new);
            let is_old = !acknowledged && found == self.old;
            let [old, new] = self.found.get();
            self.found.set([old || is_old, new || (is_new && !acknowledged)]);
            let length = found.map(|bytes| bytes.len());
            (!is_new && !is_old).then(|| format!("a mixture of {length:?} bytes after {kind:?}"))
        })
    }
}

fn in_place(storage: &dyn Storage, name: &str, bytes: &[u8]) -> io::Result<()> {
    let file = storage.create(name)?;
    file.write_at(0, bytes)?;
    file.sync()?;
    storage.sync_folder(folder(name))
}

fn without_sync(storage: &dyn Storage, name: &str, bytes: &[u8]) -> io::Result<()> {
    let temporary = format!("{name}.tmp");
    removing(storage, &temporary, || {
        storage.create(&temporary)?.write_at(0, bytes)?;
        storage.rename(&temporary, name)
    })?;
    storage.sync_folder(folder(name))
}

fn without_folder_sync(storage: &dyn Storage, name: &str, bytes: &[u8]) -> io::Result<()> {
    let temporary = format!("{name}.tmp");
    removing(storage, &temporary, || {
        let file = storage.create(&temporary)?;
        file.write_at(0, bytes)?;
        file.sync()?;
        storage.rename(&temporary, name)
    })
}

fn without_removal(storage: &dyn Storage, name: &str, bytes: &[u8]) -> io::Result<()> {
    let temporary = format!("{name}.tmp");
    let file = storage.create(&temporary)?;
    file.write_at(0, bytes)?;
    file.sync()?;
    storage.rename(&temporary, name)?;
    storage.sync_folder(folder(name))
}

fn removing(
    storage: &dyn Storage,
    name: &str,
    work: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    work().inspect_err(|_| drop(storage.remove(name)))
}

fn folder(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

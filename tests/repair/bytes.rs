//! Every kind of file is damaged everywhere, cut short and lost.

use std::collections::BTreeMap;

use monsterdb::{
    checkpoint::MANIFEST,
    database::{RepairReport, Unproved},
    storage::MemoryStorage,
};

use crate::{verdict::repaired, workload::depth, world::World};

/// How repairs ended.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    exact: u64,
    /// Nothing is lost but what was never acknowledged.
    cut: u64,
    commits_lost: u64,
    pub(crate) salvaged: u64,
    manifest_lost: u64,
}

impl Ends {
    fn count(&mut self, world: &World, report: &RepairReport) {
        let last = world.last.version();
        if report.is_whole() && report.state == last {
            self.exact += 1;
        }
        self.cut += u64::from(report.is_whole() && report.state < last);
        self.commits_lost += u64::from(report.version > report.state);
        self.salvaged +=
            u64::from(report.unproved.iter().any(|u| matches!(u, Unproved::Documents { .. })));
        self.manifest_lost +=
            u64::from(report.unproved.iter().any(|u| matches!(u, Unproved::Manifest { .. })));
    }
}

/// Damages each file of a world in every way.
pub(crate) fn damage_all(world: &World, archive: Option<&MemoryStorage>) -> BTreeMap<String, Ends> {
    let step = (7 / depth()).max(1) as usize;
    let mut kinds: BTreeMap<String, Ends> = BTreeMap::new();
    for (name, bytes) in world.files() {
        let ends = kinds.entry(name.split('/').take(1).collect()).or_default();
        let mut judge = |damaged: &MemoryStorage, what: &str| {
            let (report, _) = repaired(damaged, archive, &world.history, what).unwrap();
            ends.count(world, &report);
        };
        for (number, offset) in (0..bytes.len()).step_by(step).enumerate() {
            // Of the room behind the last record a part is enough.
            if bytes[offset] == 0 && number % 16 != 0 {
                continue;
            }
            let pattern = [0x01, 0xFF, 0x0A, 0x20, 0x80, 0x03][number % 6];
            let damaged = world.copy();
            damaged.alter(&name, offset as u64, pattern).unwrap();
            judge(&damaged, &format!("byte {offset} of {name} xor {pattern:#x}"));
        }
        for length in (0..bytes.len()).step_by(97 * step / 7 + 1) {
            let damaged = world.with(&name, &bytes[..length]);
            judge(&damaged, &format!("{name} cut to {length} bytes"));
        }
        judge(&world.without(&name), &format!("{name} removed"));
    }
    println!("{kinds:#?}");
    kinds
}

#[test]
fn of_a_database_with_all_of_its_log() {
    let kinds = damage_all(&World::whole(), None);
    let ends = |kind: &str| &kinds[kind];
    assert!(ends("indexes").exact > 0 && ends("indexes").commits_lost == 0);
    // Each file of the checkpoint can be made again.
    assert!(ends("collections").exact > 0 && ends("collections").salvaged == 0);
    assert!(ends("wal").exact > 0 && ends("wal").commits_lost > 0);
    assert!(ends(MANIFEST).manifest_lost > 0 && ends(MANIFEST).salvaged == 0);
}

#[test]
fn of_a_database_with_a_short_log() {
    let kinds = damage_all(&World::whole().short(), None);
    assert!(kinds["collections"].salvaged > 0 && kinds["collections"].commits_lost == 0);
    assert!(kinds["wal"].commits_lost > 0);
    assert!(kinds[MANIFEST].salvaged > 0);
}

/// With an archive of its log nothing is lost, whatever is damaged; only without its manifest nobody
/// knows that the last version was the last.
#[test]
fn of_a_database_with_an_archive() {
    let world = World::whole();
    let kinds = damage_all(&world.short(), Some(&world.log()));
    for (name, ends) in &kinds {
        assert_eq!((ends.commits_lost, ends.salvaged), (0, 0), "{name}");
        assert!(ends.exact > 0 || name == MANIFEST, "{name}");
    }
}

/// What is in doubt at the end of its log may be cut, as at an opening, and is no loss then.
#[test]
fn of_a_database_that_was_killed() {
    let world = World::killed();
    let kinds = damage_all(&world, None);
    assert!(kinds["wal"].cut > 0 && kinds["wal"].commits_lost > 0);
    let ends = damage_all(&world.short(), None);
    assert!(ends["wal"].cut > 0 && ends[MANIFEST].salvaged > 0);
}

/// Any two files are lost.
#[test]
fn of_two_files() {
    for world in [World::whole(), World::whole().short()] {
        let names: Vec<String> = world.files().into_keys().collect();
        for (place, one) in names.iter().enumerate() {
            for other in &names[place + 1..] {
                let damaged = world.without(one);
                crate::files::Lose::remove_named(&damaged, other);
                repaired(&damaged, None, &world.history, &format!("{one} and {other} removed"));
            }
        }
    }
}

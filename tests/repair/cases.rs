//! What is expected of some repairs, by name.

use monsterdb::{
    Error,
    checkpoint::MANIFEST,
    database::{CheckReport, Loss, repair},
    storage::{CrashKind, Fault, MemoryStorage},
    wal::frame_line,
};

use crate::{dice::Dice, files::Lose, verdict::repaired, workload::open, world::World};

#[test]
fn what_is_good_stays_as_it_is() {
    for world in [World::whole(), World::whole().short()] {
        let (report, state) = repaired(&world.copy(), None, &world.history, "good").unwrap();
        assert!(report.is_whole(), "{report:?}");
        assert_eq!(state, world.last);
    }
}

/// A record goes: everything before it is saved, and all that comes after it is listed.
#[test]
fn a_record_in_the_middle_is_lost() {
    let world = World::whole().short();
    let first = world.manifest().version.get() + 1;
    let last = world.last.version().get();
    for seq in first..=last {
        let (name, start, end) = world.place_of(seq);
        let mut bytes = world.files()[&name].clone();
        bytes[start + 20..end - 3].fill(b'x');
        let damaged = world.with(&name, &bytes);
        let (report, _) =
            repaired(&damaged, None, &world.history, &format!("record {seq}")).unwrap();
        assert_eq!((report.state.get(), report.version.get()), (seq - 1, last));
        let readable = report.losses.iter().filter(|loss| matches!(loss, Loss::Commit { .. }));
        assert_eq!(readable.count() as u64, last - seq, "{:?}", report.losses);
    }
}

/// Segments are what their heads say, whatever their names.
#[test]
fn renamed_segments_are_known_again() {
    let world = World::whole();
    let segments: Vec<(String, Vec<u8>)> =
        world.files().into_iter().filter(|(name, _)| name.starts_with("wal/")).collect();
    assert!(segments.len() > 3);
    for (place, (one, first)) in segments.iter().enumerate() {
        for (other, second) in &segments[place + 1..] {
            let damaged = world.with(one, second);
            damaged.plant(other, first).unwrap();
            let what = format!("{one} and {other} have one another's name");
            let (report, state) = repaired(&damaged, None, &world.history, &what).unwrap();
            assert!(report.is_whole() && state == world.last, "{what}: {report:?}");
        }
    }
}

/// Records that stand twice or in another order are all there.
#[test]
fn records_are_known_again_in_any_order() {
    let world = World::whole();
    for seq in 1..world.last.version().get() {
        let ((name, start, end), next) = (world.place_of(seq), world.place_of(seq + 1));
        if next.0 != name {
            continue;
        }
        let bytes = world.files()[&name].clone();
        let parts = [&bytes[..start], &bytes[start..end], &bytes[next.1..next.2], &bytes[next.2..]];
        let [before, one, other, after] = parts;
        for bytes in
            [[before, one, one, other, after].concat(), [before, other, one, after].concat()]
        {
            let damaged = world.with(&name, &bytes);
            let what = format!("record {seq} stands elsewhere");
            let (report, state) = repaired(&damaged, None, &world.history, &what).unwrap();
            assert!(report.is_whole() && state == world.last, "{what}: {report:?}");
        }
    }
}

#[test]
fn the_archive_of_another_log_is_refused() {
    let (one, other) = (World::whole(), World::whole());
    let target = MemoryStorage::new();
    let refused = repair(&one.short().copy(), Some(&other.log()), &target, |_| {});
    assert!(matches!(refused, Err(Error::Io { .. })), "{refused:?}");
    assert!(target.names().is_empty(), "{:?}", target.names());
}

/// Whatever a newer release wrote is not taken apart by this one.
#[test]
fn a_newer_format_is_refused() {
    let world = World::whole();
    for (name, bytes) in world.files() {
        let Some(members) = String::from_utf8_lossy(&bytes).lines().next().and_then(|line| {
            let at = line.find("\"format\":1")?;
            Some(line[at..].replacen("\"format\":1", "\"format\":9", 1))
        }) else {
            continue;
        };
        if name.starts_with("collections/") || name.starts_with("indexes/") {
            continue;
        }
        let line = frame_line(members.strip_suffix('}').unwrap());
        let rest = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let damaged = world.with(&name, &[&line, &bytes[rest..]].concat());
        let refused = repair(&damaged, None, &MemoryStorage::new(), |_| {});
        assert!(matches!(refused, Err(Error::NewerFormat { .. })), "{name}: {refused:?}");
    }
}

/// A newer format in a collection file is refused where the manifest's checksum vouches for it.
#[test]
fn a_newer_file_is_refused_when_it_is_whole() {
    let world = World::whole();
    for entry in world.manifest().files() {
        let text = String::from_utf8(world.files()[&entry.file].clone()).unwrap();
        let text = text.replacen("\"format\":1", "\"format\":9", 1);
        let mut manifest = world.manifest();
        let files = manifest.collections.iter_mut().flat_map(|collection| &mut collection.files);
        for file in files.filter(|file| file.file == entry.file) {
            file.crc = format!("{:08x}", crc32fast::hash(text.as_bytes()));
        }
        let damaged = world.with(&entry.file, text.as_bytes());
        damaged.plant(MANIFEST, &manifest.encode()).unwrap();
        let refused = repair(&damaged, None, &MemoryStorage::new(), |_| {});
        assert!(matches!(refused, Err(Error::NewerFormat { .. })), "{}: {refused:?}", entry.file);
    }
}

/// Nothing vouches for a header: whatever it says, the log has everything. And without that, a file
/// whose header alone is damaged is read as a whole.
#[test]
fn a_header_is_damaged_anywhere() {
    let world = World::whole();
    let short = world.short();
    for entry in world.manifest().files() {
        let bytes = &world.files()[&entry.file];
        let header = bytes.iter().position(|byte| *byte == b'\n').unwrap();
        for offset in 0..header {
            // The second makes a 9 of a 1.
            for pattern in [[0x01, 0x10, 0x40, 0x80][offset % 4], 0x08] {
                let what = format!("byte {offset} of {} xor {pattern:#x}", entry.file);
                let damaged = world.copy();
                damaged.alter(&entry.file, offset as u64, pattern).unwrap();
                let (report, state) = repaired(&damaged, None, &world.history, &what).unwrap();
                assert!(report.is_whole() && state == world.last, "{what}: {report:?}");
                damaged.remove_named(MANIFEST);
                let (report, state) = repaired(&damaged, None, &world.history, &what).unwrap();
                assert!(report.losses.is_empty() && state == world.last, "{what}: {report:?}");
                let damaged = short.copy();
                damaged.alter(&entry.file, offset as u64, pattern).unwrap();
                let (report, _) = repaired(&damaged, None, &world.history, &what).unwrap();
                assert!(report.losses.is_empty(), "{what}: {report:?}");
                assert_eq!(report.state, world.last.version(), "{what}");
            }
        }
    }
}

/// Much damage at once: what comes out is good, whatever it lacks.
#[test]
fn much_damage_at_once() {
    let mut dice = Dice::new(11);
    for world in [World::whole(), World::whole().short(), World::killed()] {
        let names: Vec<String> = world.files().into_keys().collect();
        for round in 0..150 {
            let damaged = world.copy();
            for _ in 0..1 + dice.below(12) {
                let name = &names[dice.below(names.len() as u64) as usize];
                let length = damaged.contents(name).unwrap().len() as u64;
                if length > 0 {
                    damaged.alter(name, dice.below(length), 1 + dice.below(255) as u8).unwrap();
                }
            }
            let target = MemoryStorage::new();
            let report = repair(&damaged, None, &target, |_| {}).unwrap();
            let check = CheckReport::of(&target).unwrap();
            assert!(check.damage.is_empty(), "round {round}: {check:?}");
            assert_eq!(check.version, report.version, "round {round}");
            let db = open(&target).unwrap();
            db.create_collection("later", Default::default()).unwrap();
        }
    }
}

/// A full target is an error, and the next try into another one goes well.
#[test]
fn a_target_that_fails_is_no_database() {
    let world = World::whole();
    let whole = MemoryStorage::new();
    repair(&world.copy(), None, &whole, |_| {}).unwrap();
    for operation in 1..=whole.operations() {
        let target = MemoryStorage::new();
        target.inject(Fault::CrashAt { operation });
        assert!(repair(&world.copy(), None, &target, |_| {}).is_err(), "operation {operation}");
        for seed in 0..4 {
            let image = target.crash(CrashKind::Power, seed);
            // The manifest is the last thing to get its name, and only that may be open.
            if let Ok(report) = CheckReport::of(&image)
                && report.opens
            {
                assert!(operation + 2 > whole.operations(), "operation {operation}");
                assert_eq!(report.version, world.last.version());
            }
        }
    }
}

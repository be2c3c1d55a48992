//! What is expected of some repairs, by name.

use monsterdb::database::Loss;

use crate::{verdict::repaired, world::World};

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

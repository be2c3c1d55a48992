//! Property 3, file lock exclusivity: a data directory opens once; the lock is gone after close.
//! (After a crash: see `tests/storage.rs`, which kills a process.)

use std::fs;

use monsterdb::{
    Error,
    storage::{Access, FileStorage},
};
use proptest::prelude::*;

use crate::met::Met;

/// How many try to hold the directory.
const HOLDERS: usize = 4;

#[derive(Debug, Clone)]
enum Step {
    Open(usize, Access),
    Close(usize),
    DeleteLock,
    /// Somebody puts an unlocked LOCK in place of the locked one.
    ReplaceLock,
}

static MET: Met = Met::new();

#[test]
fn p03_file_lock_exclusivity() {
    p03_file_lock_exclusivity_cases();
    MET.report(
        "p03_file_lock_exclusivity",
        &[
            "opened for writing",
            "refused",
            "shared by readers",
            "LOCK deleted under a holder",
            "LOCK replaced under a holder",
            "opened again after a close",
        ],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    fn p03_file_lock_exclusivity_cases(steps in proptest::collection::vec(step(), 1..40)) {
        let case = MET.case();
        let mut closed = false;
        let directory = tempfile::tempdir().expect("a temporary directory");
        let lock = directory.path().join("LOCK");
        let mut holders: [Option<(Access, FileStorage)>; HOLDERS] = Default::default();
        for step in steps {
            match step {
                Step::Open(who, access) if holders[who].is_none() => {
                    let free = match access {
                        Access::Write => holders.iter().all(Option::is_none),
                        Access::Watch => true,
                        Access::Read => {
                            holders.iter().flatten().all(|(other, _)| *other == Access::Read)
                        }
                    };
                    match FileStorage::open(directory.path(), access) {
                        // Whoever watches holds nothing.
                        Ok(_) if access == Access::Watch => {}
                        Ok(storage) => {
                            prop_assert!(free, "two hold the directory");
                            case.note("opened for writing", access == Access::Write);
                            case.note("opened again after a close", closed);
                            case.note("shared by readers", holders.iter().any(Option::is_some));
                            holders[who] = Some((access, storage));
                        }
                        Err(Error::Locked { path, .. }) => {
                            case.note("refused", true);
                            prop_assert!(!free, "nobody holds the directory, yet it is locked");
                            prop_assert_eq!(path.as_path(), directory.path());
                        }
                        Err(other) => prop_assert!(false, "{}", other),
                    }
                }
                Step::Open(..) => {}
                Step::Close(who) => closed |= holders[who].take().is_some(),
                Step::DeleteLock => {
                    case.note("LOCK deleted under a holder", holders.iter().any(Option::is_some));
                    drop(fs::remove_file(&lock));
                }
                Step::ReplaceLock => {
                    case.note("LOCK replaced under a holder", holders.iter().any(Option::is_some));
                    drop(fs::remove_file(&lock));
                    fs::write(&lock, "1\n").expect("the directory is writable");
                }
            }
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..HOLDERS).prop_map(|who| Step::Open(who, Access::Write)),
        5 => (0..HOLDERS).prop_map(|who| Step::Open(who, Access::Read)),
        1 => (0..HOLDERS).prop_map(|who| Step::Open(who, Access::Watch)),
        4 => (0..HOLDERS).prop_map(Step::Close),
        2 => Just(Step::DeleteLock),
        1 => Just(Step::ReplaceLock),
    ]
}

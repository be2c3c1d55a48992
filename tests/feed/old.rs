//! What documents were before a commit: known to one who keeps up, and to one who comes back while
//! the state that it stopped at is kept; never made up.

use std::time::Duration;

use monsterdb::{Database, Selection, Version, storage::MemoryStorage};

use crate::{line, put, workload::options};

fn followed(db: &Database, since: u64) -> Vec<String> {
    let mut changes = db.changes_of(Version::new(since), Selection::all().old()).unwrap();
    std::iter::from_fn(|| changes.try_next().unwrap()).map(|change| line(&change)).collect()
}

#[test]
fn one_who_keeps_up_knows_what_was_there() {
    let db = Database::in_memory();
    put(&db, "c", "x", r#"{"n":1}"#);
    let mut changes = db.changes_of(Version::new(1), Selection::all().old()).unwrap();
    let mut next = || line(&changes.try_next().unwrap().unwrap());
    put(&db, "c", "x", r#"{"n":2}"#);
    assert_eq!(next(), r#"2: put c/x {"_id":"x","n":2} was {"_id":"x","n":1}"#);
    // Several at once: what the earlier ones wrote is what was before the later ones.
    put(&db, "c", "x", r#"{"n":3}"#);
    put(&db, "c", "y", "{}");
    db.drop_collection("c").unwrap();
    put(&db, "c", "x", r#"{"n":4}"#);
    put(&db, "c", "x", r#"{"n":5}"#);
    assert_eq!(next(), r#"3: put c/x {"_id":"x","n":3} was {"_id":"x","n":2}"#);
    assert_eq!(next(), r#"4: put c/y {"_id":"y"} was absent"#);
    assert_eq!(next(), "5: drop c");
    assert_eq!(next(), r#"6: create c; put c/x {"_id":"x","n":4} was absent"#);
    assert_eq!(next(), r#"7: put c/x {"_id":"x","n":5} was {"_id":"x","n":4}"#);
}

#[test]
fn one_who_comes_back_begins_from_a_state_that_is_kept() {
    let storage = MemoryStorage::new();
    let open = |retain| {
        let storage = std::sync::Arc::new(storage.clone());
        options().feed_retain_bytes(u64::MAX).retain(retain).open_in(storage).unwrap()
    };
    let db = open(Duration::from_secs(3600));
    for n in 0..20 {
        if n == 5 {
            // Version 5 is kept from here on.
            db.maintain().unwrap();
        }
        put(&db, "c", "x", &format!(r#"{{"n":{n}}}"#));
    }
    let known = |n: u64| {
        let was = n - 1;
        format!(r#"{}: put c/x {{"_id":"x","n":{n}}} was {{"_id":"x","n":{was}}}"#, n + 1)
    };
    for since in 5..20 {
        let expected: Vec<String> = (since..20).map(known).collect();
        assert_eq!(followed(&db, since), expected, "since {since}");
    }
    // Nothing is kept from before, but everything began with nothing.
    assert!(followed(&db, 0)[1].ends_with(r#"was {"_id":"x","n":0}"#));
    let unknown = followed(&db, 3);
    assert!(unknown.len() == 17 && unknown.iter().all(|line| line.ends_with(" was unknown")));
    drop(db);

    // The database is opened anew: nothing of before is kept but the published state.
    let db = open(Duration::from_secs(3600));
    assert!(followed(&db, 10).iter().all(|line| line.ends_with(" was unknown")));
    put(&db, "c", "x", r#"{"n":20}"#);
    assert_eq!(followed(&db, 20), [known(20)]);

    // Once it has caught up, it knows again.
    let mut changes = db.changes_of(Version::new(10), Selection::all().old()).unwrap();
    while changes.try_next().unwrap().is_some() {}
    put(&db, "c", "x", r#"{"n":21}"#);
    assert_eq!(line(&changes.try_next().unwrap().unwrap()), known(21));
}

#[test]
fn where_the_log_does_not_reach_back_to_the_kept_state_nothing_is_known() {
    let storage = std::sync::Arc::new(MemoryStorage::new());
    let db = options().feed_retain_bytes(0).open_in(storage).unwrap();
    let pad = "x".repeat(1500);
    let write = |n: u64| put(&db, "c", "x", &format!(r#"{{"n":{n},"pad":"{pad}"}}"#));
    write(0);
    db.maintain().unwrap();
    for n in 1..20 {
        write(n);
    }
    db.checkpoint().unwrap();
    let since = match db.changes(Version::ZERO) {
        Err(monsterdb::Error::ChangesGone { oldest, .. }) => oldest.get(),
        _ => panic!("the first segments are there"),
    };
    write(20);
    let seen = followed(&db, since);
    assert!(since > 1 && seen.len() as u64 == 21 - since);
    assert!(seen.iter().all(|line| line.ends_with(" was unknown")), "{seen:?}");
}

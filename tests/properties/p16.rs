//! Property 16, commit atomicity: all operations of a commit appear at one version.
//!
//! Writers keep the sum over all accounts of all collections, and the number of documents, what
//! it is; every state that a reader can get hold of must have it so, and must show each commit's
//! documents together.

use std::{
    collections::BTreeMap,
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use monsterdb::{Database, Json, Snapshot, Transaction, Version};
use proptest::{collection::vec, prelude::*};

use crate::met::Met;

const COLLECTIONS: [&str; 3] = ["x", "y", "z"];
const ACCOUNTS: usize = 3;
const BALANCE: i64 = 100;

/// Amounts to move, each from one account to another.
type Transfer = Vec<(Place, Place, i64)>;
type Place = (usize, usize);

static MET: Met = Met::new();

#[test]
fn p16_commit_atomicity() {
    p16_commit_atomicity_cases();
    MET.report(
        "p16_commit_atomicity",
        &["seen between the first and the last", "several collections at once", "conflicts"],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    fn p16_commit_atomicity_cases(work in vec(vec(transfer(), 5..40), 3)) {
        let db = Database::in_memory();
        open_accounts(&db);
        let (done, begun) = (AtomicBool::new(false), Barrier::new(2 + work.len()));
        let (commits, mut seen) = thread::scope(|scope| {
            // Nobody writes before everybody looks.
            let (db, done, begun) = (&db, &done, &begun);
            let reader = |_| {
                scope.spawn(move || {
                    begun.wait();
                    watch(db, done)
                })
            };
            let writer = |work| {
                scope.spawn(move || {
                    begun.wait();
                    move_all(db, work)
                })
            };
            let readers: Vec<_> = (0..2).map(reader).collect();
            let writers: Vec<_> = work.iter().map(|work| writer(work.as_slice())).collect();
            let commits = writers.into_iter().flat_map(|w| w.join().expect("no panic"));
            let commits: Vec<_> = commits.collect();
            done.store(true, Ordering::Release);
            let seen = readers.into_iter().flat_map(|r| r.join().expect("no panic"));
            let seen: Vec<_> = seen.collect();
            (commits, seen)
        });
        seen.push(read(&db.snapshot()));
        let case = MET.case();
        let last = db.snapshot().version();
        let between = |state: &State| Version::new(1) < state.version && state.version < last;
        case.note("seen between the first and the last", seen.iter().any(between));
        let collections = |places: &Vec<Place>| places.windows(2).any(|two| two[0].0 != two[1].0);
        case.note("several collections at once", commits.iter().any(|(_, of)| collections(of)));
        case.note("conflicts", db.status().commits.conflicts > 0);
        for state in &seen {
            prop_assert_eq!(state.accounts.len(), COLLECTIONS.len() * ACCOUNTS);
            let sum: i64 = state.accounts.values().map(|(balance, _)| balance).sum();
            prop_assert_eq!(sum, BALANCE * state.accounts.len() as i64);
            for (version, places) in &commits {
                // A document that a later commit wrote again says nothing about this one.
                let versions = places.iter().map(|place| state.accounts[place].1);
                let (before, after): (Vec<_>, Vec<_>) = versions.partition(|found| found < version);
                prop_assert!(before.is_empty() || after.is_empty(), "half of commit {}", version);
                prop_assert_eq!(before.is_empty(), *version <= state.version);
            }
        }
    }
}

struct State {
    version: Version,
    accounts: BTreeMap<Place, (i64, Version)>,
}

fn transfer() -> impl Strategy<Value = Transfer> {
    let place = || (0..COLLECTIONS.len(), 0..ACCOUNTS);
    vec((place(), place(), 1..10i64), 1..5)
}

fn open_accounts(db: &Database) {
    let opened = db.transact(|tx| {
        for place in places() {
            put(tx, place, BALANCE)?;
        }
        Ok(())
    });
    opened.expect("nobody else is there");
}

/// Moves the amounts, and returns each commit's version with the documents that it wrote.
fn move_all(db: &Database, work: &[Transfer]) -> Vec<(Version, Vec<Place>)> {
    let mut commits = Vec::new();
    for transfer in work {
        let committed = db.transact_with(Default::default(), |tx| {
            let mut before = BTreeMap::new();
            for place in transfer.iter().flat_map(|(from, to, _)| [*from, *to]) {
                before.insert(place, balance(tx, place)?);
            }
            // Somebody else may come between.
            thread::yield_now();
            let mut after = before.clone();
            for (from, to, amount) in transfer {
                *after.entry(*from).or_default() -= amount;
                *after.entry(*to).or_default() += amount;
            }
            after.retain(|place, balance| before[place] != *balance);
            for (place, balance) in &after {
                put(tx, *place, *balance)?;
            }
            Ok(after.into_keys().collect::<Vec<_>>())
        });
        let committed = committed.expect("transact ends well");
        if !committed.value.is_empty() {
            commits.push((committed.version, committed.value));
        }
    }
    commits
}

/// Looks again and again, and keeps every state that is new.
fn watch(db: &Database, done: &AtomicBool) -> Vec<State> {
    let mut seen: Vec<State> = Vec::new();
    while !done.load(Ordering::Acquire) {
        let snapshot = db.snapshot();
        let last = seen.last().map(|state| state.version);
        assert!(last.is_none_or(|last| last <= snapshot.version()), "time runs backwards");
        if last != Some(snapshot.version()) {
            seen.push(read(&snapshot));
        }
        thread::yield_now();
    }
    seen
}

fn read(snapshot: &Snapshot) -> State {
    let account = |place: Place| {
        let document = snapshot.get(COLLECTIONS[place.0], &place.1.to_string())?;
        let body: serde_json::Value = serde_json::from_str(document.json()).expect("JSON");
        Some((place, (body["n"].as_i64().expect("a number"), document.version())))
    };
    State { version: snapshot.version(), accounts: places().filter_map(account).collect() }
}

fn places() -> impl Iterator<Item = Place> {
    (0..COLLECTIONS.len()).flat_map(|collection| (0..ACCOUNTS).map(move |id| (collection, id)))
}

fn balance(tx: &Transaction, place: Place) -> monsterdb::Result<i64> {
    let entry =
        tx.collection::<serde_json::Value>(COLLECTIONS[place.0])?.get(&place.1.to_string())?;
    Ok(entry.and_then(|entry| entry["n"].as_i64()).expect("every account is open"))
}

fn put(tx: &Transaction, place: Place, balance: i64) -> monsterdb::Result<()> {
    let body = Json::parse(&format!(r#"{{"n":{balance}}}"#))?;
    tx.collection::<Json>(COLLECTIONS[place.0])?.put(&place.1.to_string(), &body)
}

//! An index is built beside four writers: what they wait for their commits, and what the build
//! makes them wait.

use std::{
    env,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use monsterdb::{
    CollectionName, Database, Durability, IndexDefinition, IndexMade, Json, Snapshot,
    snapshot::Index,
};

use crate::{id, import, in_files};

/// Commits that are measured for each build, without it.
const COMMITS: usize = 2000;

/// The longest that a build should hold a collection's lock. Told, not asserted: a busy machine
/// may take the processor away under it.
const LOCKED_MAX: Duration = Duration::from_millis(5);

/// What writers write to.
struct Cities {
    db: Database,
    count: u64,
    /// Rises with each write, so that none writes what is there.
    round: AtomicU64,
}

/// Writes until nobody wants to know any more how long each commit took.
fn write(cities: &Cities, writer: u64, took: &Sender<Duration>) {
    loop {
        let round = cities.round.fetch_add(1, Ordering::Relaxed);
        // A multiplier after Steele and Vigna (2021), so that the documents lie anywhere. No two
        // writers share one: waiting for each other's conflicts is not what is measured.
        let place = round.wrapping_mul(0xd134_2543_de82_ef95) % (cities.count / 4) * 4 + writer;
        let begun = Instant::now();
        let written = cities.db.transact(|tx| {
            let documents = tx.collection::<Json>("cities")?;
            match round % 8 {
                0 => documents.delete(&id(place)).map(drop),
                _ => {
                    let set = format!(r#"{{"$set":{{"country":"NO","name":"S{round}"}}}}"#);
                    documents.upsert(&id(place), &set).map(drop)
                }
            }
        });
        written.expect("writers are not refused");
        if took.send(begun.elapsed()).is_err() {
            return;
        }
    }
}

/// Does some work beside four writers, who tell it how long their commits took.
fn beside<R>(cities: &Cities, work: impl FnOnce(&Receiver<Duration>) -> R) -> R {
    thread::scope(|scope| {
        let (took, times) = mpsc::channel();
        for writer in 0..4 {
            let took = took.clone();
            scope.spawn(move || write(cities, writer, &took));
        }
        drop(took);
        // The writers end when `times` is dropped here, also when the work fails.
        work(&times)
    })
}

fn build(db: &Database) -> IndexMade {
    let by_name = IndexDefinition::on(["country", "name"]).expect("these are paths");
    db.create_index("cities", "by_name", by_name).expect("every city fits")
}

/// Every index is what building it over the documents makes.
fn assert_fresh(snapshot: &Snapshot) {
    let name = CollectionName::new("cities").expect("it is a name");
    let cities = snapshot.collection("cities").expect("it was imported");
    let index = cities.index("by_name").expect("it was made");
    let (index_name, definition) = (index.name().clone(), index.definition().clone());
    let afresh = Index::build(index_name, definition, &name, cities.documents());
    assert!(afresh.expect("every city fits") == *index, "the index is stale");
}

fn show(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |part: usize| times.get(times.len() * part / 100).or(times.last()).copied();
    let [p50, p99, most] = [at(50), at(99), at(100)].map(Option::unwrap_or_default);
    println!("{} commits {what}: p50 {p50:.1?}, p99 {p99:.1?}, max {most:.1?}", times.len());
}

#[test]
fn built_beside_four_writers() {
    let (db, _folder) = in_files(Durability::Always);
    let Some(count) = import(&db) else { return };
    let cities = Cities { db: db.clone(), count, round: AtomicU64::new(0) };
    let builds = env::var("CITIES_BUILDS").map_or(1, |builds| builds.parse().expect("a number"));
    show("without a build", beside(&cities, |times| times.iter().take(COMMITS * builds).collect()));
    let mut locked = Vec::new();
    let mut caught_up = 0;
    let times = beside(&cities, |times| {
        let mut of_builds = Vec::new();
        for number in 1..=builds {
            // What was written since the last build is not beside one.
            times.try_iter().for_each(drop);
            let begun = Instant::now();
            let made = build(&db);
            let elapsed = begun.elapsed();
            let of_this: Vec<Duration> = times.try_iter().collect();
            let longest = of_this.iter().max().copied().unwrap_or_default();
            println!("built in {elapsed:.1?}, longest commit {longest:.1?}: {made:?}");
            of_builds.extend(of_this);
            locked.push(made.locked);
            caught_up += made.caught_up;
            assert_fresh(&db.snapshot());
            if number < builds {
                db.drop_index("cities", "by_name").expect("it is there");
            }
        }
        // Writers go on over the index that is there now.
        times.iter().take(500).for_each(drop);
        of_builds
    });
    assert_fresh(&db.snapshot());
    show("beside a build", times);
    let longest = locked.iter().max().copied().unwrap_or_default();
    let verdict = if longest < LOCKED_MAX { "under" } else { "OVER" };
    println!(
        "{caught_up} changes caught up with; the longest lock: {longest:.1?}, {verdict} {LOCKED_MAX:?}"
    );
    assert!(caught_up > 0, "no build met a writer");
}

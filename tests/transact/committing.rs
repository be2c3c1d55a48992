//! Commits that a future waits for.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use monsterdb::{
    Database, Error, Isolation, Transaction, database::Committing, limits::ASYNC_COMMITS_MAX,
    storage::MemoryStorage,
};

use crate::{number, put};

/// Wakes a thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// A task that sleeps longer than this is not woken any more.
const FOREVER: Duration = Duration::from_secs(20);

/// The smallest executor: it sleeps until it is woken.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let begun = Instant::now();
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => {
                thread::park_timeout(FOREVER);
                assert!(begun.elapsed() < FOREVER, "nobody wakes the task");
            }
        }
    }
}

/// A transaction that raises a counter by one.
fn raised(database: &Database) -> Transaction {
    let tx = database.begin_with(Isolation::Serializable);
    let n = number(&tx, "c", "n").unwrap();
    put(&tx, "c", "n", n + 1).unwrap();
    tx
}

fn filled() -> Database {
    let database = Database::in_memory();
    database.transact(|tx| put(tx, "c", "n", 0)).unwrap();
    database
}

#[test]
fn a_commit_wakes_who_waits_for_it() {
    let database = filled();
    for n in 1..=200 {
        let version = block_on(database.commit_async(raised(&database))).unwrap();
        let snapshot = database.snapshot();
        assert_eq!(snapshot.version(), version);
        assert_eq!(number(&database.begin(), "c", "n").unwrap(), n);
    }
}

#[test]
fn of_several_at_once_one_wins_and_the_others_are_told() {
    let database = filled();
    let transactions: Vec<_> = (0..8).map(|_| raised(&database)).collect();
    let under_way: Vec<Committing> =
        transactions.into_iter().map(|tx| database.commit_async(tx)).collect();
    let outcomes: Vec<_> = under_way.into_iter().map(block_on).collect();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let refused = outcomes.iter().filter(|outcome| matches!(outcome, Err(Error::Conflict(_))));
    assert_eq!(refused.count(), 7, "{outcomes:?}");
    assert_eq!(number(&database.begin(), "c", "n").unwrap(), 1);
}

/// What was begun is done, whether or not somebody waits for it.
#[test]
fn a_commit_goes_on_without_its_future() {
    let database = filled();
    let before = database.snapshot().version();
    drop(database.commit_async(raised(&database)));
    let mut changes = database.changes(before).unwrap();
    let change = changes.next().unwrap().unwrap();
    assert!(change.version > before);
    assert_eq!(number(&database.begin(), "c", "n").unwrap(), 1);
}

/// Each has a thread, so there are so many and no more.
#[test]
fn so_many_are_under_way_and_no_more() {
    let storage = MemoryStorage::new();
    let opened = Database::builder().background(false).open_in(Arc::new(storage.clone()));
    let database = opened.unwrap();
    database.transact(|tx| put(tx, "c", "n", 0)).unwrap();
    storage.hold_syncs();
    let begun = |id: usize| {
        let tx = database.begin();
        put(&tx, "c", &id.to_string(), 1).unwrap();
        database.commit_async(tx)
    };
    let under_way: Vec<_> = (0..ASYNC_COMMITS_MAX).map(begun).collect();
    let refused = block_on(begun(ASYNC_COMMITS_MAX));
    storage.release_syncs();
    assert!(matches!(refused, Err(Error::LimitExceeded { .. })), "{refused:?}");
    assert!(under_way.into_iter().map(block_on).all(|outcome| outcome.is_ok()));
    // Their places are free again.
    block_on(begun(ASYNC_COMMITS_MAX)).unwrap();
    assert_eq!(database.snapshot().collection("c").unwrap().count(), ASYNC_COMMITS_MAX + 2);
}

#[test]
fn a_closed_database_refuses() {
    let database = filled();
    let tx = raised(&database);
    database.clone().close().unwrap();
    let outcome = block_on(database.commit_async(tx));
    assert!(matches!(outcome, Err(Error::Closed)), "{outcome:?}");
}

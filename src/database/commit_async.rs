//! A commit that a future waits for.
//!
//! Committing waits for the device, and a thread that an executor shares among its tasks must not wait.
//! So the commit runs on a thread that is made for it, and wakes the future's task when it is
//! acknowledged, or refused. That needs no runtime of ours and none in particular: whoever polls the
//! future is told by its [`Waker`]. Commits that are under way together share a sync, as others do.
//!
//! Invariant: the outcome is stored exactly once, and whoever polls before that is woken after it.
//! Both sides hold the mutex while they look, so that no waker comes between a look at the outcome and
//! its being stored.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use super::Database;
use crate::{
    error::{Error, Result},
    limits::ASYNC_COMMITS_MAX,
    sync::{Arc, Mutex, lock, mutant, thread},
    transaction::Transaction,
    version::Version,
};

/// The outcome of a commit under way. See [`Database::commit_async`].
#[derive(Debug)]
#[must_use = "the commit goes on without it, but nobody learns its outcome"]
pub struct Committing {
    shared: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    outcome: Option<Result<Version>>,
    waker: Option<Waker>,
    is_taken: bool,
}

/// The committing side. When it is dropped without an outcome, its thread panicked.
struct Teller(Arc<Mutex<State>>);

impl Database {
    /// Commits a transaction without holding up the thread that asks for it, with any executor and
    /// without one of its own. The commit begins at once, not when the future is first polled, and goes
    /// on when the future is dropped.
    ///
    /// ```
    /// # use monsterdb::{Database, Json};
    /// # use std::{future::Future, pin::pin, task::{Context, Poll, Waker}};
    /// # fn block_on<F: Future>(future: F) -> F::Output {
    /// #     let mut future = pin!(future);
    /// #     loop {
    /// #         match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
    /// #             Poll::Ready(output) => return output,
    /// #             Poll::Pending => std::thread::yield_now(),
    /// #         }
    /// #     }
    /// # }
    /// # block_on(async {
    /// let db = Database::in_memory();
    /// let tx = db.begin();
    /// tx.collection::<Json>("notes")?.put("n1", &Json::parse(r#"{"text":"hello"}"#)?)?;
    /// let version = db.commit_async(tx).await?;
    /// assert_eq!(db.snapshot().version(), version);
    /// # Ok::<(), monsterdb::Error>(())
    /// # })?;
    /// # Ok::<(), monsterdb::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The future gives what [`Database::commit`] returns; [`Error::LimitExceeded`] when
    /// [`ASYNC_COMMITS_MAX`] are under way, and [`Error::Io`] when no thread can be had. Nothing has
    /// changed then.
    ///
    /// # Complexity
    ///
    /// That of a commit, and a thread while it is under way.
    pub fn commit_async(&self, transaction: Transaction) -> Committing {
        let shared = Arc::new(Mutex::new(State::default()));
        // Counted before it is looked at, so that of those that come together not one too many passes.
        let counted = Arc::clone(&self.shared.committing);
        let under_way = Arc::strong_count(&counted) - 1;
        if under_way > ASYNC_COMMITS_MAX {
            lock(&shared).outcome = Some(Err(Error::LimitExceeded {
                what: "the number of asynchronous commits under way",
                max: ASYNC_COMMITS_MAX as u64,
                actual: under_way as u64,
            }));
            return Committing { shared };
        }
        let (database, teller) = (self.clone(), Teller(Arc::clone(&shared)));
        let started = thread::Builder::new().name("monsterdb-commit".to_owned()).spawn(move || {
            let outcome = database.commit(transaction);
            // The handle goes first: whoever is told may count on it.
            drop((database, counted));
            teller.tell(outcome);
        });
        if let Err(source) = started {
            // The closure is gone, and its teller told that it was not asked.
            lock(&shared).outcome = Some(Err(Error::Io {
                action: "start a thread for",
                path: "a commit".into(),
                source,
            }));
        }
        Committing { shared }
    }
}

impl Future for Committing {
    type Output = Result<Version>;

    /// # Panics
    ///
    /// When it is polled again after it was ready.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<Version>> {
        let mut state = lock(&self.shared);
        assert!(!state.is_taken, "the future was ready already");
        match state.outcome.take() {
            Some(outcome) => {
                state.is_taken = true;
                Poll::Ready(outcome)
            }
            None => {
                // The task may have moved since the last poll.
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Teller {
    fn tell(&self, outcome: Result<Version>) {
        let waker = {
            let mut state = lock(&self.0);
            state.outcome.get_or_insert(outcome);
            state.waker.take()
        };
        // Outside of the mutex, which the task takes at once.
        if let Some(waker) = waker
            && !mutant("async_commit_unwoken")
        {
            waker.wake();
        }
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        let is_told = {
            let state = lock(&self.0);
            state.is_taken || state.outcome.is_some()
        };
        if !is_told {
            let reason = "the thread that committed panicked".to_owned();
            self.tell(Err(Error::OutcomeUnknown { reason }));
        }
    }
}

//! Everything that threads share: the only module that knows whether the threads are the
//! operating system's or those of the model checker.
//!
//! Built with `--cfg loom`, locks, condition variables, atomics and threads are loom's, so that
//! the models in `loom-tests` explore the interleavings of the engine's own code.
//!
//! [`Published`] is the one cell that readers look at. In production it is an `ArcSwap`. For loom
//! it is an index register: every value ever stored is kept in a list that loom does not see, and
//! a loom atomic holds the place of the current one, stored with `Release` and loaded with
//! `Acquire`. That is exactly the promise relied on; a lock around the value would promise more
//! and hide a missing ordering. Beside each value lies a cell that is written before the place is
//! stored and read after it was loaded: it stands for the value's memory, so that loom reports a
//! hand-over that does not order the one before the other.

#[cfg(loom)]
pub(crate) use loom::{
    sync::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard},
    thread::{self, ThreadId},
};
// What is derived from an immutable value, once: no thread waits for another while it is made.
pub(crate) use std::sync::{Arc, LazyLock, OnceLock, Weak};
#[cfg(not(loom))]
pub(crate) use std::{
    sync::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard},
    thread::{self, ThreadId},
};

use std::{
    sync::{
        PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use uuid::Uuid;

/// Locks a mutex. A thread that panicked while it held one of the engine's mutexes has already
/// poisoned the database by a drop guard; the state itself is never left half changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits on a condition variable, with the same view of panics as [`lock`].
pub(crate) fn wait<'a, T>(condition: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condition.wait(guard).unwrap_or_else(PoisonError::into_inner)
}

/// Takes a lock shared, with the same view of panics as [`lock`].
pub(crate) fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

/// Takes a lock exclusively, with the same view of panics as [`lock`].
pub(crate) fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

/// A value that one writer replaces as a whole and any number of readers load without waiting.
#[cfg(not(loom))]
pub(crate) struct Published<T>(arc_swap::ArcSwap<T>);

#[cfg(not(loom))]
impl<T> Published<T> {
    pub(crate) fn new(value: Arc<T>) -> Published<T> {
        Published(arc_swap::ArcSwap::new(value))
    }

    /// The value stored last. Snapshots are held long, so this takes a full reference.
    pub(crate) fn load(&self) -> Arc<T> {
        self.0.load_full()
    }

    /// Looks at the value stored last for a moment. Unlike [`Published::load`] it counts no
    /// reference, for which readers on several processors would have to take turns.
    pub(crate) fn peek<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.0.load())
    }

    /// Replaces the value. The one before is the caller's to drop, where nobody waits for it.
    pub(crate) fn replace(&self, value: Arc<T>) -> Arc<T> {
        self.0.swap(value)
    }

    pub(crate) fn store(&self, value: Arc<T>) {
        drop(self.replace(value));
    }
}

/// The index register that stands for an `ArcSwap` in a model (see the module's document).
///
/// `turn` has no meaning but to loom's search. Loom remembers only the last access to an atomic
/// when it looks for the accesses that a store could have gone before: a thread that loads and
/// then stores, as every committer does, hides the loads of others from it, and models of readers
/// pass after a single execution. So every access takes a turn first, by an operation that loom
/// holds to depend on every other turn. It is relaxed and so orders no memory: a load may still
/// return what is out of date.
#[cfg(loom)]
pub(crate) struct Published<T> {
    values: std::sync::Mutex<Vec<(Arc<T>, loom::cell::UnsafeCell<()>)>>,
    current: loom::sync::atomic::AtomicUsize,
    turn: loom::sync::atomic::AtomicUsize,
}

#[cfg(loom)]
impl<T> Published<T> {
    pub(crate) fn new(value: Arc<T>) -> Published<T> {
        Published {
            values: std::sync::Mutex::new(vec![(value, loom::cell::UnsafeCell::new(()))]),
            current: loom::sync::atomic::AtomicUsize::new(0),
            turn: loom::sync::atomic::AtomicUsize::new(0),
        }
    }

    pub(crate) fn peek<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.load())
    }

    pub(crate) fn load(&self) -> Arc<T> {
        self.turn.fetch_add(1, Ordering::Relaxed);
        let current = self.current.load(Ordering::Acquire);
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        let (value, memory) = values.get(current).expect("only stored values are published");
        memory.with(|_| ());
        Arc::clone(value)
    }

    pub(crate) fn replace(&self, value: Arc<T>) -> Arc<T> {
        let (place, before) = {
            let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
            let before = values.last().map(|(before, _)| Arc::clone(before));
            let memory = loom::cell::UnsafeCell::new(());
            memory.with_mut(|_| ());
            values.push((value, memory));
            (values.len() - 1, before.expect("there is a first value"))
        };
        self.turn.fetch_add(1, Ordering::Relaxed);
        let relaxed = mutant("publish_relaxed");
        self.current.store(place, if relaxed { Ordering::Relaxed } else { Ordering::Release });
        before
    }

    pub(crate) fn store(&self, value: Arc<T>) {
        drop(self.replace(value));
    }
}

/// A number that is written once, before anybody else can see it, and then only read.
///
/// The orderings are relaxed because the value that holds it reaches other threads through a lock
/// or through [`Published`], and that hand-over orders the write before every read. For the same
/// reason it is the standard library's atomic under loom too: a model has nothing to explore here.
#[derive(Default)]
pub(crate) struct WriteOnce(AtomicU64);

impl WriteOnce {
    pub(crate) const fn new(value: u64) -> WriteOnce {
        WriteOnce(AtomicU64::new(value))
    }

    /// The value, or zero when it has not been written.
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Writes the value.
    ///
    /// # Panics
    ///
    /// When another value was written before.
    pub(crate) fn set(&self, value: u64) {
        let before = self.0.swap(value, Ordering::Relaxed);
        assert!(before == 0 || before == value, "a number written once was written again");
    }
}

/// A count that any thread may raise; it orders nothing.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The time, and ids made of it. In a model it stands still, so that every run takes the same
/// course.
pub(crate) struct Clock;

impl Clock {
    pub(crate) fn now() -> SystemTime {
        if cfg!(loom) { SystemTime::UNIX_EPOCH } else { SystemTime::now() }
    }

    /// A moment to measure from.
    pub(crate) fn instant() -> Instant {
        static FIRST: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        if cfg!(loom) { *FIRST.get_or_init(Instant::now) } else { Instant::now() }
    }

    /// A new id that sorts after those made before it (UUIDv7, RFC 9562). In a model always the
    /// same one: nothing there may rest on chance.
    pub(crate) fn id() -> Uuid {
        if cfg!(loom) { Uuid::nil() } else { Uuid::now_v7() }
    }
}

/// How many threads can run at once. In a model one: nothing there may rest on the machine.
pub(crate) fn processors() -> usize {
    if cfg!(loom) { 1 } else { std::thread::available_parallelism().map_or(1, usize::from) }
}

/// Lets other threads go first, for about `pause`. In a model it only yields.
pub(crate) fn back_off(pause: Duration) {
    #[cfg(loom)]
    {
        let _ = pause;
        thread::yield_now();
    }
    #[cfg(not(loom))]
    thread::sleep(pause);
}

/// Waits on a condition variable, at most for `timeout`. There is no time in a model, so there
/// nothing calls this.
#[cfg(not(loom))]
pub(crate) fn wait_timeout<'a, T>(
    condition: &Condvar,
    guard: MutexGuard<'a, T>,
    timeout: Duration,
) -> MutexGuard<'a, T> {
    condition.wait_timeout(guard, timeout).unwrap_or_else(PoisonError::into_inner).0
}

/// A value behind a lock that no model sees, and a signal that it has changed.
///
/// For what is not part of the protocol: the file system that `MemoryStorage` stands for is one
/// to the models, a thing that answers at once. It is the standard library's under loom too, so
/// whoever holds the guard must not touch anything that loom knows.
#[derive(Default)]
pub(crate) struct Unseen<T> {
    value: std::sync::Mutex<T>,
    changed: std::sync::Condvar,
}

/// The guard of an [`Unseen`] value.
pub(crate) type UnseenGuard<'a, T> = std::sync::MutexGuard<'a, T>;

impl<T> Unseen<T> {
    pub(crate) fn new(value: T) -> Unseen<T> {
        Unseen { value: std::sync::Mutex::new(value), changed: std::sync::Condvar::new() }
    }

    pub(crate) fn lock(&self) -> UnseenGuard<'_, T> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the lock up until [`Unseen::notify_all`]; the caller asks again whether to go on.
    pub(crate) fn wait<'a>(&self, guard: UnseenGuard<'a, T>) -> UnseenGuard<'a, T> {
        self.changed.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn notify_all(&self) {
        self.changed.notify_all();
    }
}

/// A protective step that a mutant of this name leaves out (see [`mutant`]).
#[inline]
pub(crate) fn step<T: Default, E>(
    name: &str,
    do_it: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    if mutant(name) { Ok(T::default()) } else { do_it() }
}

/// True when this protective step is to be left out or done wrongly. Builds with `--cfg mutants`
/// have every such mutant in them, and the variable `MUTANT` chooses one of them when they run, so
/// that one build shows for all of them that a test or a model notices. In every other build this
/// is a constant, and the mutants are not compiled.
#[inline]
pub(crate) fn mutant(name: &str) -> bool {
    #[cfg(mutants)]
    {
        static CHOSEN: std::sync::OnceLock<String> = std::sync::OnceLock::new();
        CHOSEN.get_or_init(|| std::env::var("MUTANT").unwrap_or_default()) == name
    }
    #[cfg(not(mutants))]
    {
        let _ = name;
        false
    }
}

//! Who waits for the group, each on a signal of its own.
//!
//! A leader wakes those whose goal it has reached, and of the others one, to lead next: so nobody
//! is woken in vain, and nobody who is woken has to pass the group's mutex to learn that it is
//! done. They are told when the mutex is released again, so that none of them runs into it; the
//! next leader is told first, for the device has nothing to do until it comes. One signal for all
//! is less to explain, but with it a commit of one of 64 threads on two processors took five and a
//! half system calls to sleep and to wake, where it now takes two and a half, and those threads
//! did less than half as much.
//!
//! # Why nobody sleeps for ever
//!
//! Whoever goes to sleep finds, under the mutex, that its goal is not reached, that the storage has
//! not failed and that somebody leads. Whoever leads ends under the mutex (a panic poisons the
//! group): it puts the writer back and takes out of the list everybody, after a failure, or those
//! who are done and one of the others. That one looks again, under the mutex. Either nobody has led
//! since, and it finds the writer and leads; or somebody leads or has led, and does or did at its
//! own end what is said here. So as long as somebody sleeps, somebody leads or is about to look.

use super::state::{Goal, State};
use crate::sync::{Arc, Condvar, Mutex, lock, mutant, wait};

/// One who waits.
#[derive(Default)]
pub(super) struct Waiter {
    told: Mutex<Option<Told>>,
    signal: Condvar,
}

/// What one who waits is woken with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// Its goal is reached.
    Done,
    /// It has to look for itself: to lead, or to learn of a failure.
    Look,
}

/// Those who were taken out of the list and are to be told.
#[derive(Default)]
pub(super) struct Woken(Vec<(Told, Arc<Waiter>)>);

impl Waiter {
    /// Sleeps until it is told.
    pub(super) fn sleep(&self) -> Told {
        let mut told = lock(&self.told);
        loop {
            match *told {
                Some(told) => return told,
                None => told = wait(&self.signal, told),
            }
        }
    }

    fn tell(&self, what: Told) {
        *lock(&self.told) = Some(what);
        self.signal.notify_one();
    }
}

impl Woken {
    /// Wakes them. The caller holds no lock.
    pub(super) fn tell(self) {
        for (what, waiter) in self.0 {
            waiter.tell(what);
        }
    }
}

impl State {
    /// Notes that somebody will sleep until its goal is reached.
    pub(super) fn join(&mut self, goal: Goal) -> Arc<Waiter> {
        let waiter = Arc::new(Waiter::default());
        self.waiters.push((goal, Arc::clone(&waiter)));
        waiter
    }

    /// Takes those out of the list who have something to do now, the next leader first.
    pub(super) fn wake(&mut self) -> Woken {
        let waiters = std::mem::take(&mut self.waiters);
        if self.failed.is_some() {
            return Woken(waiters.into_iter().map(|(_, waiter)| (Told::Look, waiter)).collect());
        }
        let mut woken = Vec::with_capacity(waiters.len());
        let (reached, others): (Vec<_>, Vec<_>) =
            waiters.into_iter().partition(|(goal, _)| self.reached(*goal));
        let mut others = others.into_iter();
        if !mutant("wake_no_leader") {
            woken.extend(others.next().map(|(_, leader)| (Told::Look, leader)));
        }
        self.waiters = others.collect();
        woken.extend(reached.into_iter().map(|(_, waiter)| (Told::Done, waiter)));
        Woken(woken)
    }
}

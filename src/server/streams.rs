//! Who follows the changes over HTTP: how many they may be, and how they hear of the next commit.
//!
//! One thread a server waits for publications and tells all of them; while nobody follows, it waits
//! for somebody to. A follower that is idle is a task that is not woken.
//!
//! Invariant: whoever has a [`Slot`] is told of every publication after the one it saw last, if
//! perhaps of several at once.

use std::time::Duration;

use tokio::sync::watch;

use super::{kinds::Kind, problem::Problem};
use crate::{
    database::Database,
    sync::{Arc, Condvar, Mutex, lock, thread, wait},
    version::Version,
};

/// How many may follow, and how they are treated.
#[derive(Debug, Clone, Copy)]
pub(super) struct StreamLimits {
    /// How many there may be at once.
    pub(super) all: usize,
    /// Time without a commit after which a stream gets a sign of life.
    pub(super) heartbeat: Duration,
    /// Time that a long poll waits.
    pub(super) poll: Duration,
    /// Time in which a client has to take something of what it is sent.
    pub(super) write: Duration,
}

/// See the module's document.
pub(super) struct Streams {
    pub(super) limits: StreamLimits,
    gate: Mutex<Gate>,
    /// Somebody follows, or nobody ever will.
    opened: Condvar,
    published: watch::Sender<Version>,
}

#[derive(Default)]
struct Gate {
    open: usize,
    ended: bool,
}

/// The place of one who follows; it is free again when this is dropped.
pub(super) struct Slot {
    streams: Arc<Streams>,
    published: watch::Receiver<Version>,
}

/// The thread that waits for publications.
pub(super) struct Notifier(thread::JoinHandle<()>);

impl Streams {
    pub(super) fn new(limits: StreamLimits) -> Streams {
        let (published, _) = watch::channel(Version::ZERO);
        Streams { limits, gate: Mutex::default(), opened: Condvar::new(), published }
    }

    /// Takes a place.
    pub(super) fn open(self: &Arc<Streams>) -> Result<Slot, Problem> {
        let mut gate = lock(&self.gate);
        if gate.open >= self.limits.all {
            let all = self.limits.all;
            let detail = format!("{all} clients follow the changes already, and no more may");
            return Err(Problem::new(Kind::TooManyStreams, detail));
        }
        gate.open += 1;
        self.opened.notify_all();
        Ok(Slot { streams: Arc::clone(self), published: self.published.subscribe() })
    }

    /// How many follow now.
    #[cfg(test)]
    fn count(&self) -> usize {
        lock(&self.gate).open
    }

    /// Waits until somebody follows; false when nobody will.
    fn wait_for_one(&self) -> bool {
        let mut gate = lock(&self.gate);
        while gate.open == 0 && !gate.ended {
            gate = wait(&self.opened, gate);
        }
        !gate.ended
    }
}

impl Slot {
    /// How those who follow are treated.
    pub(super) fn limits(&self) -> StreamLimits {
        self.streams.limits
    }

    /// Takes what is published by now for seen. Called before looking at the log, so that nothing
    /// that comes meanwhile is missed.
    pub(super) fn see(&mut self) {
        self.published.borrow_and_update();
    }

    /// Waits for a publication that was not seen.
    pub(super) async fn published(&mut self) {
        if self.published.changed().await.is_err() {
            // Its sender is gone with the server.
            std::future::pending().await
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        lock(&self.streams.gate).open -= 1;
    }
}

impl Notifier {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// When no thread can be had.
    pub(super) fn start(streams: Arc<Streams>, database: Database) -> std::io::Result<Notifier> {
        let run = move || {
            let mut told = Version::ZERO;
            while streams.wait_for_one() && matches!(database.wait_beyond(told), Ok(true)) {
                told = database.snapshot().version();
                streams.published.send_replace(told);
            }
        };
        thread::Builder::new().name("monsterdb-changes".to_owned()).spawn(run).map(Notifier)
    }

    /// Waits for its end. The database has to be closed by now.
    pub(super) fn stop(self, streams: &Streams) {
        lock(&streams.gate).ended = true;
        streams.opened.notify_all();
        if self.0.join().is_err() {
            tracing::error!("the thread that tells of publications panicked");
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    fn streams(all: usize) -> Arc<Streams> {
        let minute = Duration::from_secs(60);
        Arc::new(Streams::new(StreamLimits { all, heartbeat: minute, poll: minute, write: minute }))
    }

    #[test]
    fn no_more_than_the_limit_follow() {
        let streams = streams(2);
        let [first, _second] = [streams.open().unwrap(), streams.open().unwrap()];
        assert_eq!(streams.open().err().map(|problem| problem.kind()), Some(Kind::TooManyStreams));
        drop(first);
        let _third = streams.open().unwrap();
        assert_eq!(streams.count(), 2);
    }

    #[actix_web::test]
    async fn every_publication_is_told_of_though_some_follow_late() {
        let (streams, database) = (streams(9), Database::in_memory());
        let notifier = Notifier::start(Arc::clone(&streams), database.clone()).unwrap();
        let commit = |name: &str| database.create_collection(name, Default::default()).unwrap();
        commit("a");
        let mut early = streams.open().unwrap();
        // What was published before anybody followed is told of too: it costs a look.
        early.published().await;
        early.see();
        commit("b");
        early.published().await;
        let mut late = streams.open().unwrap();
        late.see();
        commit("c");
        late.published().await;
        drop((early, late));
        database.close().unwrap();
        notifier.stop(&streams);
    }
}

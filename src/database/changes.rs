//! Following the changes of an open database.
//!
//! A [`Changes`] does not keep the database open, and does not keep it from closing: it looks for the
//! engine when it is asked for more, and whoever waits in it is woken when the database closes.

use std::{collections::VecDeque, iter::FusedIterator, time::Duration};

use super::{Database, engine::Engine};
use crate::{
    commit::Beyond,
    error::{Error, Result},
    feed::{Change, Selection, Subscriber},
    query::invalid,
    sync::{Arc, Clock, Weak, mutant},
    version::Version,
};

/// The changes after a version, one commit after the other.
///
/// As an iterator it waits for the next commit. It ends when the database was closed and everything
/// was given out, and with [`Error::Closed`] when there may be more; after an error it ends too.
/// [`Changes::position`] is where another one can go on.
pub struct Changes {
    engine: Weak<Engine>,
    subscriber: Subscriber,
    ready: VecDeque<Change>,
    ended: bool,
}

impl Database {
    /// The changes after a version, in order, every commit once: what is in the log by now, and then
    /// each commit when it is published.
    ///
    /// ```
    /// # use monsterdb::{Database, Json, Version};
    /// let db = Database::in_memory();
    /// let people = db.collection::<Json>("people")?;
    /// people.put("ada", &Json::parse(r#"{"age":36}"#)?)?;
    /// people.delete("ada")?;
    /// db.clone().close()?;
    /// for change in db.changes(Version::ZERO)? {
    ///     let change = change?;
    ///     println!("{}: {} operations", change.version, change.operations.len());
    /// }
    /// # Ok::<(), monsterdb::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::ChangesGone`] when the commits after that version are not kept any more: see
    /// [`Builder::feed_retain_bytes`](super::Builder::feed_retain_bytes). [`Error::InvalidQuery`] when
    /// there is no such version yet.
    ///
    /// # Complexity
    ///
    /// Beginning takes a look at up to 64 KiB of the log, at a segment of it where nobody has been
    /// there before; each change then takes what its record has. An idle one takes nothing.
    pub fn changes(&self, since: Version) -> Result<Changes> {
        self.changes_of(since, Selection::all())
    }

    /// As [`Database::changes`], of what is selected, and with old contents if these are asked for.
    ///
    /// # Errors
    ///
    /// As [`Database::changes`].
    pub fn changes_of(&self, since: Version, selection: Selection) -> Result<Changes> {
        let engine = &self.shared.engine;
        engine.look_back();
        let latest = engine.committer.published().version();
        if since > latest {
            return Err(invalid(format!(
                "there is no version {since} yet: the latest is {latest}"
            )));
        }
        let subscriber = Subscriber::new(since, selection, Arc::clone(&engine.waypoints));
        subscriber.check(&*engine.storage, latest)?;
        let engine = Arc::downgrade(engine);
        Ok(Changes { engine, subscriber, ready: VecDeque::new(), ended: false })
    }

    /// Waits until a version beyond this one is published; false when none ever will be.
    #[cfg(feature = "server")]
    pub(crate) fn wait_beyond(&self, version: Version) -> Result<bool> {
        let beyond = self.shared.engine.committer.group().wait_beyond(version, None)?;
        Ok(beyond == Beyond::Published)
    }
}

impl Changes {
    /// The version up to which everything was given out, also what was not selected.
    pub fn position(&self) -> Version {
        match self.ready.front() {
            Some(change) => Version::new(change.version.get() - 1),
            None => self.subscriber.position(),
        }
    }

    /// The next change that is there, without waiting for one.
    ///
    /// # Errors
    ///
    /// [`Error::ChangesGone`] when it fell behind what is kept, [`Error::Damaged`], [`Error::Io`];
    /// [`Error::Closed`] when the database was closed and there may be more; [`Error::ReadOnly`] when
    /// its storage failed and everything was given out. It ends then.
    pub fn try_next(&mut self) -> Result<Option<Change>> {
        self.wait(Some(Duration::ZERO))
    }

    /// The next change, waiting for it at most this long.
    ///
    /// # Errors
    ///
    /// As [`Changes::try_next`].
    pub fn next_within(&mut self, time: Duration) -> Result<Option<Change>> {
        self.wait(Some(time))
    }

    /// The changes that one look at the log gives, without waiting. There may be none although the
    /// position moved; when it did not, everything that is published was given out.
    ///
    /// # Errors
    ///
    /// As [`Changes::try_next`], but for [`Error::ReadOnly`].
    pub fn ready(&mut self) -> Result<Vec<Change>> {
        if self.ready.is_empty() && !self.ended {
            self.look()?;
        }
        Ok(self.ready.drain(..).collect())
    }

    fn wait(&mut self, time: Option<Duration>) -> Result<Option<Change>> {
        let until = time.map(|time| Clock::instant() + time);
        loop {
            if let Some(change) = self.ready.pop_front() {
                return Ok(Some(change));
            }
            if self.ended {
                return Ok(None);
            }
            if self.look()? {
                continue;
            }
            let engine = self.engine()?;
            let group = engine.committer.group();
            match group.wait_beyond(self.subscriber.position(), until) {
                Ok(Beyond::Published) => {}
                Ok(Beyond::NotYet) => return Ok(None),
                Ok(Beyond::Never) => {
                    self.ended = true;
                    return Ok(None);
                }
                Err(error) => return Err(self.end(error)),
            }
        }
    }

    /// Reads on in the log; false when everything that is published was read.
    fn look(&mut self) -> Result<bool> {
        let engine = self.engine()?;
        let published = match mutant("feed_gives_unpublished") {
            true => engine.committer.group().tip(),
            false => engine.committer.published(),
        };
        let kept = |version| engine.history.up_to(version);
        let before = self.subscriber.position();
        match self.subscriber.read(&*engine.storage, &published, &kept) {
            Ok(changes) => {
                self.ready.extend(changes);
                Ok(self.subscriber.position() > before)
            }
            Err(error) => Err(self.end(error)),
        }
    }

    fn engine(&mut self) -> Result<Arc<Engine>> {
        self.engine.upgrade().ok_or_else(|| self.end(Error::Closed))
    }

    fn end(&mut self, error: Error) -> Error {
        self.ended = true;
        error
    }
}

impl Iterator for Changes {
    type Item = Result<Change>;

    fn next(&mut self) -> Option<Result<Change>> {
        self.wait(None).transpose()
    }
}

impl FusedIterator for Changes {}

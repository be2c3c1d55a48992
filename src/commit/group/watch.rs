//! Waiting for the next publication, for those who follow the changes.
//!
//! They wait on a signal of their own, and only while somebody does so is it given: a commit pays
//! nothing for a feed that nobody follows. Who waits here never leads the group.

use std::time::Instant;

use super::{Group, state::State};
#[cfg(not(loom))]
use crate::sync::wait_timeout;
use crate::{
    error::Result,
    sync::{Clock, MutexGuard, lock, mutant, wait},
    version::Version,
};

/// What there is to be seen behind a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beyond {
    /// A later version is published.
    Published,
    /// None is, and the time is over.
    NotYet,
    /// None is, and none will ever be: the database was closed, or takes no writes.
    Never,
}

impl Group {
    /// Waits until something is published beyond a version, or until a time; without one, as long
    /// as it takes.
    ///
    /// # Errors
    ///
    /// [`Error::ReadOnly`](crate::Error::ReadOnly) when the storage failed, so that nothing more
    /// will be published.
    pub fn wait_beyond(&self, version: Version, until: Option<Instant>) -> Result<Beyond> {
        let mut state = lock(&self.state);
        loop {
            if state.published > version {
                return Ok(Beyond::Published);
            }
            if state.refused || (state.closed && state.published == state.tip.version()) {
                return Ok(Beyond::Never);
            }
            state.check_usable()?;
            if until.is_some_and(|until| until <= Clock::instant()) {
                return Ok(Beyond::NotYet);
            }
            state.watchers += 1;
            state = self.wait_watching(state, until);
            state.watchers -= 1;
        }
    }

    fn wait_watching<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        until: Option<Instant>,
    ) -> MutexGuard<'a, State> {
        #[cfg(not(loom))]
        if let Some(until) = until {
            let pause = until.saturating_duration_since(Clock::instant());
            return wait_timeout(&self.watched, state, pause);
        }
        let _ = until;
        wait(&self.watched, state)
    }

    /// Wakes those who wait here, if there are any.
    pub(super) fn wake_watchers(&self, state: &State) {
        if state.watchers > 0 && !mutant("feed_wake_up_lost") {
            self.watched.notify_all();
        }
    }
}

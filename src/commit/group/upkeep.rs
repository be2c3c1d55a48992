//! What the thread in the background does for the group: it waits for work, and syncs what was
//! promised to be safe by now.

#[cfg(not(loom))]
use std::time::Duration;

use super::Group;
#[cfg(not(loom))]
use crate::sync::wait_timeout;
use crate::{
    error::Result,
    sync::{Clock, lock},
};

impl Group {
    /// Waits for work to do or until something should be synced, at most this long. False when
    /// the group was closed or has failed, so that there will be no work.
    #[cfg(not(loom))]
    pub fn wait_for_work(&self, at_most: Duration) -> bool {
        let state = lock(&self.state);
        if state.check_writable().is_err() {
            return false;
        }
        let pause = state
            .sync_due
            .map_or(at_most, |due| due.saturating_duration_since(Clock::instant()).min(at_most));
        let state = wait_timeout(&self.work, state, pause);
        state.check_writable().is_ok()
    }

    /// Syncs when a commit with durability `interval` has waited for its time.
    ///
    /// # Errors
    ///
    /// As [`Group::wait_published`].
    pub fn sync_if_due(&self) -> Result<()> {
        let last = {
            let mut state = lock(&self.state);
            if state.sync_due.is_none_or(|due| due > Clock::instant()) {
                return Ok(());
            }
            state.sync_due = None;
            state.tip.version()
        };
        self.wait_synced(last)
    }
}

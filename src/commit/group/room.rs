//! Room in the log, made before a record needs it: a full device refuses a commit here, where
//! nothing has changed yet.

use super::Group;
use crate::{
    error::{Error, Result},
    sync::lock,
    wal::{self, Segment},
};

/// More than a record takes besides its operations.
pub(super) const RECORD_FRAME_BYTES: u64 = 256;

/// More than a segment takes besides its records.
const SEGMENT_FRAME_BYTES: u64 = 128;

impl Group {
    /// Makes sure that a record of so many bytes has room, and waits for it to be made.
    ///
    /// # Errors
    ///
    /// [`Error::StorageFull`] or [`Error::Io`] when it cannot be made; nothing has changed then.
    pub fn make_room(&self, bytes: u64) -> Result<()> {
        let needed = bytes + RECORD_FRAME_BYTES;
        if lock(&self.state).space.fits(needed) {
            return Ok(());
        }
        let mut number = lock(&self.preparing);
        let small = {
            let mut state = lock(&self.state);
            state.check_writable()?;
            if state.space.fits(needed) {
                return Ok(());
            }
            // The segment made ahead is there but too small for this record.
            state.space.clear_next();
            state.prepared.take()
        };
        if let Some(small) = small {
            small.discard(&*self.storage);
        }
        self.prepare_segment(&mut number, needed)
    }

    /// Makes the next segment ahead, unless it is there.
    ///
    /// # Errors
    ///
    /// As [`Group::make_room`].
    pub fn make_ahead(&self) -> Result<()> {
        let mut number = lock(&self.preparing);
        let state = lock(&self.state);
        if state.space.has_next() || state.check_writable().is_err() {
            return Ok(());
        }
        drop(state);
        self.prepare_segment(&mut number, 0)
    }

    fn prepare_segment(&self, number: &mut u64, needed: u64) -> Result<()> {
        let capacity = self.options.segment_bytes.max(needed + SEGMENT_FRAME_BYTES);
        *number += 1;
        let segment = Segment::prepare(&*self.storage, *number, capacity)
            .map_err(|error| Error::io("make a log segment in", self.storage.path("wal"), error))?;
        let mut state = lock(&self.state);
        state.space.set_next(segment.room());
        state.prepared = Some(segment);
        drop(state);
        match self.options.kept_bytes {
            Some(kept) => wal::remove_beyond(&*self.storage, kept).map_err(|error| {
                Error::io("remove log segments in", self.storage.path("wal"), error)
            }),
            None => Ok(()),
        }
    }
}

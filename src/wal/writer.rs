//! The writing end of the log: room taken by arithmetic, records gathered into a batch, a batch
//! written and synced by whoever leads the group.

use std::{io, mem};

use super::{EncodedOps, Segment};
use crate::{
    histogram::Histogram,
    storage::Storage,
    sync::{Arc, Clock, step},
    version::Version,
};

/// The room left for records: in the segment being filled, and in the one made ahead.
#[derive(Debug, Default)]
pub struct Space {
    current: u64,
    next: Option<u64>,
}

/// Longer lines are written by themselves: joining them would cost more than another call does.
const JOINED_BYTES_MAX: usize = 64 * 1024;

/// Where the next record goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// Into the segment being filled.
    Current,
    /// Into the segment made ahead, which becomes the one being filled.
    Next,
}

/// Records that have their number but are not written yet.
#[derive(Default)]
pub struct Batch {
    parts: Vec<Part>,
    records: u64,
    /// Whether somebody who waits for it needs it synced.
    pub sync: bool,
}

/// Records that go into one segment: a new one, or the one being filled.
#[derive(Default)]
struct Part {
    segment: Option<(Segment, Version)>,
    lines: Vec<Vec<u8>>,
}

/// What the leader of a commit group writes with.
pub struct Writer {
    storage: Arc<dyn Storage>,
    current: Option<Segment>,
    /// How long syncs took, in microseconds.
    syncs: Arc<Histogram>,
}

impl Space {
    /// True when a record of so many bytes has room.
    pub fn fits(&self, bytes: u64) -> bool {
        bytes <= self.current || self.next.is_some_and(|room| bytes <= room)
    }

    /// True when a segment made ahead waits.
    pub fn has_next(&self) -> bool {
        self.next.is_some()
    }

    /// States the room of the segment made ahead.
    pub fn set_next(&mut self, room: u64) {
        self.next = Some(room);
    }

    /// States that no segment made ahead waits any more.
    pub fn clear_next(&mut self) {
        self.next = None;
    }

    /// Takes room for a record; none when there is too little, and then nothing is taken.
    pub fn take(&mut self, bytes: u64) -> Option<Placement> {
        if let Some(left) = self.current.checked_sub(bytes) {
            self.current = left;
            return Some(Placement::Current);
        }
        self.current = self.next?.checked_sub(bytes)?;
        self.next = None;
        Some(Placement::Next)
    }
}

impl Batch {
    /// Begins a segment with the record of version `first`.
    pub fn begin_segment(&mut self, segment: Segment, first: Version) {
        self.parts.push(Part { segment: Some((segment, first)), lines: Vec::new() });
    }

    /// Adds a record: its head as encoded and its operations.
    pub fn push(&mut self, head: Vec<u8>, operations: EncodedOps) {
        if self.parts.is_empty() {
            self.parts.push(Part::default());
        }
        if let Some(part) = self.parts.last_mut() {
            part.lines.push(head);
            part.lines.push(operations.into_bytes());
        }
        self.records += 1;
    }

    /// How many records are in it.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// True when there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Takes the batch and leaves an empty one.
    #[must_use]
    pub fn take(&mut self) -> Batch {
        mem::take(self)
    }
}

impl Writer {
    /// A writer that begins with the first segment it is given.
    pub fn new(storage: Arc<dyn Storage>) -> Writer {
        Writer { storage, current: None, syncs: Arc::default() }
    }

    /// How long its syncs take, in microseconds; to be read while somebody else writes.
    pub(crate) fn syncs(&self) -> Arc<Histogram> {
        Arc::clone(&self.syncs)
    }

    /// Writes a batch, and syncs it if one of its commits asks for that.
    ///
    /// # Errors
    ///
    /// When the device failed. What is on it is then unknown, and nothing may be written again.
    pub fn write(&mut self, batch: Batch) -> io::Result<()> {
        let sync = batch.sync;
        for Part { segment, lines } in batch.parts {
            if let Some((segment, first)) = segment {
                self.begin(segment, first)?;
            }
            let current = self.current.as_mut().expect("the first record begins a segment");
            append(current, &lines)?;
        }
        if sync { self.sync() } else { Ok(()) }
    }

    /// Makes everything written safe.
    ///
    /// # Errors
    ///
    /// As [`Writer::write`].
    pub fn sync(&mut self) -> io::Result<()> {
        let Some(current) = &self.current else { return Ok(()) };
        let begun = Clock::instant();
        current.sync()?;
        self.syncs.note_time(Clock::instant() - begun);
        Ok(())
    }

    fn begin(&mut self, mut segment: Segment, first: Version) -> io::Result<()> {
        step("segment_begun_before_sync", || self.sync())?;
        segment.activate(&*self.storage, first)?;
        self.current = Some(segment);
        Ok(())
    }
}

/// Appends lines, the short ones among them joined, so that many take one call.
fn append(segment: &mut Segment, lines: &[Vec<u8>]) -> io::Result<()> {
    let mut joined = Vec::new();
    for line in lines {
        if line.len() <= JOINED_BYTES_MAX {
            joined.extend_from_slice(line);
            continue;
        }
        segment.append(&mem::take(&mut joined))?;
        segment.append(line)?;
    }
    segment.append(&joined)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        storage::{MemoryStorage, read_all},
        wal::segment::FOLDER,
    };

    #[test]
    fn long_lines_and_short_ones_keep_their_order() -> io::Result<()> {
        let storage = MemoryStorage::new();
        storage.create_folder(FOLDER)?;
        let lengths = [1, 2, JOINED_BYTES_MAX, JOINED_BYTES_MAX + 1, 3, JOINED_BYTES_MAX + 2];
        let lines: Vec<_> = (b'a'..).zip(lengths).map(|(byte, n)| vec![byte; n]).collect();
        let mut segment = Segment::prepare(&storage, 1, 1 << 20)?;
        append(&mut segment, &lines)?;
        let written = read_all(&storage, "wal/prepared-1.tmp")?;
        assert!(written.starts_with(&lines.concat()));
        assert!(written.iter().skip(lengths.iter().sum()).all(|byte| *byte == 0));
        Ok(())
    }

    #[test]
    fn room_is_taken_whole_or_not_at_all() {
        let mut space = Space::default();
        assert_eq!(space.take(1), None);
        space.set_next(10);
        assert_eq!(space.take(11), None);
        assert_eq!(space.take(7), Some(Placement::Next));
        assert_eq!(space.take(3), Some(Placement::Current));
        assert!(!space.fits(1) && space.fits(0));
    }
}

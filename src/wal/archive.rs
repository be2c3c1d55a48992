//! The archive: a copy of every record, kept in another directory for as long as its owner likes.
//!
//! It is laid out as a log is, `wal/<first>.ndjson`, and read as one, without the room that is made
//! ahead. So a database directory itself may serve as an archive of what is in its log.
//!
//! Invariant: a segment of the archive holds records of the segment of its name that are safe on the
//! device, from the first on and without a gap; it is replaced by longer ones only. So what a crash
//! takes back is never in it.

use std::{collections::BTreeSet, io};

use super::{FOLDER, Record, list_segments, record::segment_head, rewrite};
use crate::{
    storage::{Storage, read_all},
    sync::{Arc, Mutex, lock, mutant},
    version::Version,
};

/// A directory that segments are copied to.
pub struct Archive {
    storage: Arc<dyn Storage>,
    /// Segments that are in it as a whole.
    whole: Mutex<BTreeSet<Version>>,
}

impl Archive {
    /// An archive in a storage, empty or of the same log.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn open(storage: Arc<dyn Storage>) -> io::Result<Archive> {
        storage.create_folder(FOLDER)?;
        storage.sync_folder("")?;
        Ok(Archive { storage, whole: Mutex::default() })
    }

    /// Copies every segment of a log that others follow, and of the last one what is safe.
    ///
    /// # Errors
    ///
    /// What the system says; some segments may have been copied.
    ///
    /// # Complexity
    ///
    /// O(bytes of the segments that are new), and of the last one.
    pub fn keep(&self, log: &dyn Storage, synced: Version) -> io::Result<()> {
        self.keep_followed(log)?;
        match list_segments(log)?.last() {
            Some((first, file)) => self.copy(log, *first, file, synced.next()),
            None => Ok(()),
        }
    }

    /// Copies the segments of a log that others follow.
    ///
    /// # Errors
    ///
    /// As [`Archive::keep`].
    ///
    /// # Complexity
    ///
    /// O(bytes of the segments that are new).
    pub fn keep_followed(&self, log: &dyn Storage) -> io::Result<()> {
        let segments = list_segments(log)?;
        let mut whole = lock(&self.whole);
        for ((first, file), (next, _)) in segments.iter().zip(segments.iter().skip(1)) {
            if !whole.contains(first) {
                self.copy(log, *first, file, *next)?;
                whole.insert(*first);
            }
        }
        whole.retain(|first| segments.iter().any(|(listed, _)| listed == first));
        Ok(())
    }

    /// Copies the records of a segment that come before `end`.
    fn copy(&self, log: &dyn Storage, first: Version, file: &str, end: Version) -> io::Result<()> {
        let bytes = read_all(log, file)?;
        let mut lines = Vec::new();
        let mut expected = first;
        // The head is made anew.
        for line in bytes.split(|byte| *byte == b'\n').skip(1) {
            let fits = |record: &Record<'_>| record.seq == expected && expected < end;
            if !Record::parse(line).is_ok_and(|record| fits(&record)) {
                break;
            }
            lines.extend_from_slice(line);
            lines.push(b'\n');
            expected = expected.next();
        }
        if mutant("archive_lacks_last") {
            return Ok(());
        }
        let kept = match self.storage.open(file) {
            Ok(kept) => kept.len()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        match expected == first || kept >= (segment_head(first).len() + lines.len()) as u64 {
            true => Ok(()),
            false => rewrite(&*self.storage, first, &lines),
        }
    }
}

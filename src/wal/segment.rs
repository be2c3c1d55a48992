//! A segment: a file with room made ahead, that gets its name when its first record is known.

use std::io;

use super::record::segment_head;
use crate::{
    storage::{Storage, StorageFile, replace_file, split_name},
    sync::{mutant, step},
    version::Version,
};

/// The folder that holds the segments.
pub const FOLDER: &str = "wal";

/// A segment being written. Its bytes are zeros from `position` on.
pub struct Segment {
    file: Box<dyn StorageFile>,
    name: String,
    capacity: u64,
    position: u64,
}

impl Segment {
    /// Makes room for a segment under a temporary name. Slow: it writes and syncs every byte.
    ///
    /// # Errors
    ///
    /// What the system says, e.g. that the device is full; the temporary file is removed.
    pub fn prepare(storage: &dyn Storage, number: u64, capacity: u64) -> io::Result<Segment> {
        let name = format!("{FOLDER}/prepared-{number}.tmp");
        let file = storage.create(&name)?;
        // The sync is for speed alone: later ones then move data and nothing else.
        let made = file.allocate(capacity).and_then(|()| file.sync());
        let segment = Segment { file, name, capacity, position: 0 };
        match made {
            Ok(()) => Ok(segment),
            Err(error) => {
                segment.discard(storage);
                Err(error)
            }
        }
    }

    /// Bytes that records may take in it.
    pub fn room(&self) -> u64 {
        self.capacity.saturating_sub(head_bytes())
    }

    /// Removes a segment that was never used. That it fails is no loss: temporary files are
    /// removed when the database is opened.
    pub fn discard(self, storage: &dyn Storage) {
        if let Err(error) = storage.remove(&self.name) {
            tracing::warn!(file = self.name, %error, "a temporary file could not be removed");
        }
    }

    /// Gives it the name of its first record. Everything before that must be safe by now, since
    /// the name is proof of it.
    ///
    /// # Errors
    ///
    /// When the device failed.
    pub fn activate(&mut self, storage: &dyn Storage, first: Version) -> io::Result<()> {
        let name = segment_name(first);
        storage.rename(&self.name, &name)?;
        // Sync the folder too: without it a crash may forget the name and so the whole segment.
        step("segment_name_unsynced", || storage.sync_folder(FOLDER))?;
        self.name = name;
        self.append(&segment_head(first))
    }

    /// Writes lines behind those already there.
    ///
    /// # Errors
    ///
    /// When the device failed.
    pub fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        self.file.write_at(self.position, lines)?;
        self.position += lines.len() as u64;
        assert!(self.position <= self.capacity, "a segment's room is taken before it is used");
        Ok(())
    }

    /// Makes what was appended safe.
    ///
    /// # Errors
    ///
    /// When the device failed.
    pub fn sync(&self) -> io::Result<()> {
        step("log_unsynced", || self.file.sync())
    }
}

/// The segments of a database by the version of their first record, in that order.
///
/// # Errors
///
/// What the system says.
pub fn list_segments(storage: &dyn Storage) -> io::Result<Vec<(Version, String)>> {
    let mut segments: Vec<_> = storage
        .list(FOLDER)?
        .iter()
        .filter_map(|name| {
            let first = Version::new(name.strip_suffix(".ndjson")?.parse().ok()?);
            // A number has other spellings, and numbers before the first and beyond the last one
            // are none of ours: as any other name they are no segment's.
            let is_one = Version::ZERO < first && first <= Version::MAX;
            let file = segment_name(first);
            (is_one && split_name(&file).1 == name).then_some((first, file))
        })
        .collect();
    segments.sort_unstable();
    Ok(segments)
}

/// Writes records again as a segment of their own, in one step: afterwards they are safe, and
/// what earlier segments hold from `first` on no longer counts.
///
/// # Errors
///
/// What the system says; then nothing has changed.
pub fn rewrite(storage: &dyn Storage, first: Version, lines: &[u8]) -> io::Result<()> {
    let mut bytes = segment_head(first);
    bytes.extend_from_slice(lines);
    replace_file(storage, &segment_name(first), &bytes)
}

/// The oldest segments whose every record a checkpoint of this version holds: those that go when
/// so many bytes of covered segments are kept, in the order in which they have to go. The last
/// segment stays always.
///
/// # Errors
///
/// What the system says.
pub fn needless_segments(
    storage: &dyn Storage,
    version: Version,
    kept_bytes: u64,
) -> io::Result<Vec<String>> {
    let segments = list_segments(storage)?;
    let followed = segments.iter().zip(segments.iter().skip(1));
    let safe = if mutant("remove_one_too_many") { version.next().next() } else { version.next() };
    let covered = followed.filter(|((_, _), (next, _))| *next <= safe).map(|((_, name), _)| name);
    let mut covered: Vec<String> = covered.cloned().collect();
    let (mut left, mut kept) = (kept_bytes, 0);
    for name in covered.iter().rev() {
        let bytes = storage.open(name)?.len()?;
        let Some(rest) = left.checked_sub(bytes) else { break };
        (left, kept) = (rest, kept + 1);
    }
    covered.truncate(covered.len() - kept);
    if mutant("newest_covered_first") {
        covered.reverse();
    }
    Ok(covered)
}

/// Removes the oldest segments of a log that nobody will ever replay, so that at most so many
/// bytes are left beside the last one.
///
/// # Errors
///
/// What the system says.
pub fn remove_beyond(storage: &dyn Storage, kept_bytes: u64) -> io::Result<()> {
    let names = needless_segments(storage, Version::MAX, kept_bytes)?;
    names.iter().try_for_each(|name| storage.remove(name))
}

fn segment_name(first: Version) -> String {
    format!("{FOLDER}/{first}.ndjson")
}

/// A head is longest with the longest number.
fn head_bytes() -> u64 {
    segment_head(Version::new(u64::MAX)).len() as u64
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;
    use crate::storage::MemoryStorage;

    #[test]
    fn segments_have_the_names_that_are_given_to_them() {
        let storage = MemoryStorage::new();
        storage.create_folder(FOLDER).unwrap();
        for name in
            ["17", "1", "0", "01", "+2", "-3", "x", "18446744073709551615", "9999999999999999999"]
        {
            storage.create(&format!("{FOLDER}/{name}.ndjson")).unwrap();
        }
        let listed = list_segments(&storage).unwrap();
        let expected = [1, 17].map(|first| (Version::new(first), format!("wal/{first}.ndjson")));
        assert_eq!(listed, expected);
    }
}

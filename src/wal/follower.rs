//! Following the log while it is written: the records after a position, in order.
//!
//! A follower has a position and the place in a segment where the record after it begins. It reads
//! from there in pieces, so that it never looks at a record twice; a segment is read from its start
//! only when nobody has been near the position before (see [`Waypoints`]).
//!
//! # What holds
//!
//! - Nothing above the bound that the caller gives is looked at, and the caller has to know that
//!   everything up to it is written. Bytes are read after the bound is known and forgotten when the
//!   read ends, so what was half written then is never taken for a record later.
//! - The records given out are those after the position, each one once and in order. The number of
//!   each is compared with the one expected; there is no other way to give one out. So what is
//!   missing is an error, never a gap: either the segment is gone, since a checkpoint removed it
//!   ([`Error::ChangesGone`]), or a segment that should hold it does not (damage).
//! - A segment may go while it is read. A handle stays good; when the next one is looked for and the
//!   oldest one there begins behind the record expected, the follower is behind the horizon.
//!   Segments go oldest first, each made sure of before the next, so the ones there are always
//!   without a hole, after a crash too.
//! - A segment that begins with version *n* supersedes what earlier ones hold from *n* on. The next
//!   segment is known when one is entered, unless that is the last one. Then either it is being
//!   written, and nothing follows its last record; or it is from an earlier opening, and behind its
//!   last record stands what recovery did not take for a record, which this does not either.

use std::{collections::BTreeMap, io, ops::Range};

use super::{FOLDER, Place, Record, list_segments, record::open_line};
use crate::{
    error::{Error, Result},
    storage::{Storage, StorageFile},
    sync::{Arc, Unseen, mutant},
    version::Version,
};

/// Bytes that are read first: one commit is commonly less.
const FIRST_PIECE_BYTES: usize = 16 * 1024;

/// Bytes that are read at once when there is more. A longer record is read as a whole.
const PIECE_BYTES: usize = 64 * 1024;

/// Bytes of log between two waypoints.
const WAYPOINT_BYTES: u64 = 64 * 1024;

/// How often in one read a segment may go between the look at the list and the opening of its file.
const MISSES_MAX: usize = 64;

/// Whoever reads the records of a log that is being written.
pub struct Follower {
    waypoints: Arc<Waypoints>,
    position: Version,
    /// Where the record after the position begins; none when it has to be looked for.
    spot: Option<Spot>,
}

/// Where some records of a log begin, found by those who read it and shared by all of them.
///
/// It has at most one entry for every 64 KiB of the segments that are there.
#[derive(Default)]
pub struct Waypoints(Unseen<BTreeMap<Version, (Version, u64)>>);

/// A place between two records.
#[derive(Debug, Clone, Copy)]
struct Spot {
    /// The segment's first record.
    first: Version,
    /// The record of this version and later ones stand in the next segment, if there is one.
    limit: Option<Version>,
    offset: u64,
}

/// How a look at a segment ended.
enum Look {
    /// At the bound, or with enough bytes.
    Enough,
    /// There is no record of the next version at this offset, for this reason.
    EndOfSegment(u64, String),
}

impl Follower {
    /// A follower that has everything up to this version.
    pub fn new(position: Version, waypoints: Arc<Waypoints>) -> Follower {
        Follower { waypoints, position, spot: None }
    }

    /// The version of the last record that was given out.
    pub fn position(&self) -> Version {
        self.position
    }

    /// Makes sure that the record after the position is kept, if there is one up to `bound`.
    ///
    /// # Errors
    ///
    /// As [`Follower::read`].
    pub fn check(&self, storage: &dyn Storage, bound: Version) -> Result<()> {
        if self.position < bound { self.find(storage, bound).map(drop) } else { Ok(()) }
    }

    /// Gives out records after the position: up to `bound`, and no more once they had `bytes`
    /// together. When `take` fails, the record it failed on is not counted as given out.
    ///
    /// # Errors
    ///
    /// [`Error::ChangesGone`] when the next record is not kept any more, [`Error::Damaged`], what
    /// the system says, or what `take` returns.
    pub fn read(
        &mut self,
        storage: &dyn Storage,
        bound: Version,
        bytes: usize,
        mut take: impl FnMut(Place<'_>, Record<'_>) -> Result<()>,
    ) -> Result<()> {
        if self.position >= bound {
            return Ok(());
        }
        let (mut budget, mut misses) = (bytes, 0);
        loop {
            let spot = match self.spot {
                Some(spot) => spot,
                None => self.find(storage, bound)?,
            };
            let name = segment_name(spot.first);
            let file = match storage.open(&name) {
                // It went since the look at the list.
                Err(error) if error.kind() == io::ErrorKind::NotFound && misses < MISSES_MAX => {
                    (self.spot, misses) = (None, misses + 1);
                    continue;
                }
                opened => opened.map_err(|error| failed(storage, &name, error))?,
            };
            let mut pass = Pass { file, name, spot, budget, bound };
            let look = self.look(&mut pass, storage, &mut take)?;
            budget = pass.budget;
            match look {
                Look::Enough => return Ok(()),
                Look::EndOfSegment(offset, reason) => {
                    let next = self.find(storage, bound)?;
                    if next.first == pass.spot.first {
                        let version = self.position.next();
                        return Err(Error::damaged(pass.name, offset, Some(version), reason));
                    }
                    self.spot = Some(next);
                    if mutant("follower_skips_at_a_border") {
                        self.position = self.position.next();
                    }
                }
            }
        }
    }

    /// Where to begin: in the last segment that begins no later than the record sought.
    fn find(&self, storage: &dyn Storage, bound: Version) -> Result<Spot> {
        let sought = self.position.next();
        let segments = list_segments(storage)
            .map_err(|error| Error::io("list", storage.path(FOLDER), error))?;
        let firsts: Vec<Version> = segments.into_iter().map(|(first, _)| first).collect();
        let behind = firsts.partition_point(|first| *first <= sought);
        let limit = firsts.get(behind).copied();
        self.waypoints.forget_before(firsts.first().copied());
        let Some(first) = behind.checked_sub(1).and_then(|place| firsts.get(place)).copied() else {
            let oldest = limit.map_or(bound, |first| Version::new(first.get() - 1));
            return Err(Error::ChangesGone { since: self.position, oldest });
        };
        let offset = self.waypoints.before(sought, first);
        Ok(Spot { first, limit, offset })
    }

    /// Reads on in a segment.
    fn look(
        &mut self,
        pass: &mut Pass,
        storage: &dyn Storage,
        take: &mut impl FnMut(Place<'_>, Record<'_>) -> Result<()>,
    ) -> Result<Look> {
        let mut size = FIRST_PIECE_BYTES;
        loop {
            let mut piece = vec![0; size];
            let read = pass.file.read_at(pass.spot.offset, &mut piece);
            let read = read.map_err(|error| failed(storage, &pass.name, error))?;
            piece.truncate(read);
            let before = pass.spot.offset;
            if let Some(look) = self.look_at_lines(pass, &piece, take)? {
                return Ok(look);
            }
            let is_zero = piece.first().is_none_or(|byte| *byte == 0);
            if pass.spot.offset == before && (is_zero || read < size) {
                let reason = "the segment ends there".to_owned();
                return Ok(Look::EndOfSegment(before, reason));
            }
            size = match pass.spot.offset == before {
                // A record longer than that.
                true => size.saturating_mul(4),
                false => PIECE_BYTES,
            };
        }
    }

    /// Takes the whole lines of a piece, as far as they are records that are sought.
    fn look_at_lines(
        &mut self,
        pass: &mut Pass,
        piece: &[u8],
        take: &mut impl FnMut(Place<'_>, Record<'_>) -> Result<()>,
    ) -> Result<Option<Look>> {
        let begin = pass.spot.offset;
        let mut start = 0;
        while let Some(length) = memchr::memchr(b'\n', piece.get(start..).unwrap_or_default()) {
            let line = piece.get(start..start + length).unwrap_or_default();
            let (offset, next) = (begin + start as u64, begin + (start + length + 1) as u64);
            let sought = self.position.next();
            if pass.spot.limit == Some(sought) {
                let reason = "the next segment begins".to_owned();
                return Ok(Some(Look::EndOfSegment(offset, reason)));
            }
            match record(line, offset) {
                Ok(None) => {}
                Ok(Some(record)) if record.seq < sought => {
                    self.waypoints.note(record.seq, pass.spot.first, offset..next);
                }
                Ok(Some(record)) if record.seq == sought => {
                    take(Place { file: &pass.name, offset }, record)?;
                    self.position = sought;
                    self.waypoints.note(sought, pass.spot.first, offset..next);
                    pass.budget = pass.budget.saturating_sub(length);
                }
                Ok(Some(record)) => {
                    let reason = format!("sequence number {} stands there", record.seq);
                    return Ok(Some(Look::EndOfSegment(offset, reason)));
                }
                Err(reason) => return Ok(Some(Look::EndOfSegment(offset, reason))),
            }
            start += length + 1;
            pass.spot.offset = next;
            self.spot = Some(pass.spot);
            if self.position >= pass.bound || pass.budget == 0 {
                return Ok(Some(Look::Enough));
            }
        }
        Ok(None)
    }
}

/// One segment, while it is read.
struct Pass {
    file: Box<dyn StorageFile>,
    name: String,
    spot: Spot,
    /// Bytes that records may still have.
    budget: usize,
    bound: Version,
}

impl Waypoints {
    /// Where to begin to look for a record in a segment.
    fn before(&self, sought: Version, first: Version) -> u64 {
        let known = self.0.lock();
        let nearest = known.range(..=sought).next_back();
        nearest.filter(|(_, (segment, _))| *segment == first).map_or(0, |(_, (_, offset))| *offset)
    }

    /// Notes where the line of this record ends, and so the next one begins, if the line crosses
    /// the place of a waypoint.
    fn note(&self, seq: Version, first: Version, line: Range<u64>) {
        if line.start / WAYPOINT_BYTES < line.end / WAYPOINT_BYTES {
            self.0.lock().insert(seq.next(), (first, line.end));
        }
    }

    /// Forgets what is about segments that are not there any more.
    fn forget_before(&self, oldest: Option<Version>) {
        let Some(oldest) = oldest else { return };
        let mut known = self.0.lock();
        while let Some(entry) = known.first_entry()
            && entry.get().0 < oldest
        {
            entry.remove();
        }
    }
}

/// The record of a line; none when it is a segment's head.
fn record(line: &[u8], offset: u64) -> Result<Option<Record<'_>>, String> {
    match offset {
        0 => open_line(line).map(|_| None),
        _ => Record::parse(line).map(Some),
    }
}

fn segment_name(first: Version) -> String {
    format!("{FOLDER}/{first}.ndjson")
}

fn failed(storage: &dyn Storage, name: &str, error: io::Error) -> Error {
    Error::io("read", storage.path(name), error)
}

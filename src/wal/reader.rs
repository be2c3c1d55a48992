//! The reading end of the log: which records count, what is damage, what is a torn tail.
//!
//! The log is scanned twice in memory. The first pass opens every line and learns the highest
//! version that an intact one proves acknowledged; intact lines behind a damaged one count for
//! that, since they are what tells damage from a torn tail. The second pass walks the versions
//! upwards and stops at the first one that is not there: an error if it is provably acknowledged,
//! the end of the log if not.

use super::{FORMAT, Record, list_segments, record::SegmentHead, record::open_line};
use crate::{
    error::{Error, Result},
    storage::{Storage, read_all},
    sync::mutant,
    version::Version,
};

/// What the checkpoint and the manifest prove about the log.
#[derive(Debug, Clone, Copy)]
pub struct Proof {
    /// The state up to here is in the checkpoint: the log must go on from it.
    pub checkpoint: Version,
    /// The manifest knows that the log was safe up to here.
    pub synced: Version,
}

/// The records that count, read from the segments.
#[derive(Debug)]
pub struct Log {
    segments: Vec<ScannedSegment>,
    /// Each record that counts: its segment's place, and where its line is.
    lines: Vec<(usize, Line)>,
    /// Every version up to here is provably acknowledged.
    pub acknowledged: Version,
    /// The last record's version, or the checkpoint's when there is none behind it.
    pub last: Version,
    /// What stands behind the last record, if anything does.
    pub cut: Option<Cut>,
}

/// Bytes behind the last record that do not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The segment, relative to the data directory.
    pub file: String,
    /// Where it was cut.
    pub offset: u64,
    /// How many bytes were left behind, zeros at the end not counted.
    pub bytes: u64,
    /// Why the first of them is not a record.
    pub reason: String,
}

#[derive(Debug)]
struct ScannedSegment {
    first: Version,
    file: String,
    bytes: Vec<u8>,
    lines: Vec<Line>,
    /// Where the zeros at the end begin.
    end: usize,
}

#[derive(Debug, Clone)]
struct Line {
    start: usize,
    end: usize,
    content: LineContent,
}

#[derive(Debug, Clone)]
enum LineContent {
    Head,
    Record { seq: Version, synced: Version },
    Damaged(String),
}

impl Log {
    /// Reads the segments that a checkpoint does not cover.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] where something provably acknowledged is damaged or missing,
    /// [`Error::NewerFormat`], or what the system says.
    pub fn read(storage: &dyn Storage, proof: Proof) -> Result<Log> {
        let names = list_segments(storage)
            .map_err(|error| Error::io("list", storage.path(super::FOLDER), error))?;
        let needed = names.iter().rposition(|(first, _)| *first <= proof.checkpoint.next());
        let segments = names
            .into_iter()
            .skip(needed.unwrap_or(0))
            .map(|(first, file)| ScannedSegment::read(storage, first, file))
            .collect::<Result<Vec<_>>>()?;
        let mut log = Log {
            acknowledged: acknowledged(&segments, proof),
            segments,
            lines: Vec::new(),
            last: proof.checkpoint,
            cut: None,
        };
        log.walk(proof)?;
        Ok(log)
    }

    /// The records after `version`, in order.
    ///
    /// # Panics
    ///
    /// Never: each line was parsed when the log was read.
    pub fn records_after(&self, version: Version) -> impl Iterator<Item = (Place<'_>, Record<'_>)> {
        self.lines_after(version).map(|(place, line)| {
            (place, Record::parse_again(line).expect("it was parsed when the log was read"))
        })
    }

    /// The lines of the records after `version` as they stand in the files, without their line
    /// feeds.
    pub fn lines_after(&self, version: Version) -> impl Iterator<Item = (Place<'_>, &[u8])> {
        self.lines.iter().filter_map(move |(segment, line)| {
            let LineContent::Record { seq, .. } = line.content else { return None };
            let segment = self.segments.get(*segment)?;
            let text = segment.bytes.get(line.start..line.end)?;
            let place = Place { file: &segment.file, offset: line.start as u64 };
            (seq > version).then_some((place, text))
        })
    }

    /// The lines of the records that are in doubt: intact, but not provably acknowledged.
    pub fn in_doubt(&self) -> Vec<u8> {
        let mut lines = Vec::new();
        for (_, line) in self.lines_after(self.acknowledged) {
            lines.extend_from_slice(line);
            lines.push(b'\n');
        }
        lines
    }

    /// Follows the versions upwards through the segments.
    fn walk(&mut self, proof: Proof) -> Result<()> {
        let mut expected = match self.segments.first() {
            Some(segment)
                if segment.first > proof.checkpoint.next()
                    && !mutant("missing_segment_unnoticed") =>
            {
                return Err(Error::damaged(
                    segment_before(proof.checkpoint.next()),
                    0,
                    Some(proof.checkpoint.next()),
                    format!(
                        "the segment is missing: the checkpoint ends at version {}, and the log \
                         goes on at {}",
                        proof.checkpoint, segment.first
                    ),
                ));
            }
            Some(segment) => segment.first,
            None => proof.checkpoint.next(),
        };
        for place in 0..self.segments.len() {
            let limit = self.segments.get(place + 1).map(|next| next.first);
            expected = self.walk_segment(place, expected, limit)?;
        }
        self.last = Version::new(expected.get() - 1).max(proof.checkpoint);
        if self.last < self.acknowledged && !mutant("short_log_unnoticed") {
            let (file, offset) = self
                .segments
                .last()
                .map_or(("wal".to_owned(), 0), |last| (last.file.clone(), last.end as u64));
            return Err(Error::damaged(
                file,
                offset,
                Some(self.last.next()),
                format!(
                    "the log ends at version {}, but version {} was acknowledged",
                    self.last, self.acknowledged
                ),
            ));
        }
        Ok(())
    }

    /// Takes a segment's records up to `limit`, where the next segment begins.
    fn walk_segment(
        &mut self,
        place: usize,
        mut expected: Version,
        limit: Option<Version>,
    ) -> Result<Version> {
        let Some(segment) = self.segments.get(place) else { return Ok(expected) };
        let mut fault = None;
        for line in &segment.lines {
            let reason = match &line.content {
                LineContent::Head => continue,
                LineContent::Record { .. }
                    if limit == Some(expected) && !mutant("nothing_superseded") =>
                {
                    return Ok(expected);
                }
                LineContent::Record { seq, .. }
                    if *seq == expected || mutant("sequence_unchecked") =>
                {
                    self.lines.push((place, line.clone()));
                    expected = expected.next();
                    continue;
                }
                LineContent::Record { seq, .. } => format!("sequence number {seq} stands there"),
                LineContent::Damaged(reason) => reason.clone(),
            };
            fault = Some((line.start, reason));
            break;
        }
        if limit == Some(expected) {
            return Ok(expected);
        }
        let (offset, reason) = match (fault, limit) {
            (None, None) => return Ok(expected),
            (None, Some(next)) => (
                segment.end,
                format!("the segment ends, and the next one begins at sequence number {next}"),
            ),
            (Some(fault), _) => fault,
        };
        if expected <= self.acknowledged && !mutant("damage_cut_as_torn") {
            return Err(Error::damaged(&segment.file, offset as u64, Some(expected), reason));
        }
        self.cut = Some(Cut {
            file: segment.file.clone(),
            offset: offset as u64,
            bytes: segment.end.saturating_sub(offset) as u64,
            reason,
        });
        Ok(expected)
    }
}

/// Where a record stands.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The segment, relative to the data directory.
    pub file: &'a str,
    /// Bytes before the record.
    pub offset: u64,
}

impl ScannedSegment {
    fn read(storage: &dyn Storage, first: Version, file: String) -> Result<ScannedSegment> {
        let bytes = read_all(storage, &file)
            .map_err(|error| Error::io("read", storage.path(&file), error))?;
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let mut segment = ScannedSegment { first, file, bytes, lines: Vec::new(), end };
        let mut start = 0;
        while start < end {
            let line = segment.line(start)?;
            start = line.end + 1;
            segment.lines.push(line);
        }
        Ok(segment)
    }

    /// The line that begins at `start`: up to its line feed, or to the end.
    fn line(&self, start: usize) -> Result<Line> {
        let rest = self.bytes.get(start..self.end).unwrap_or_default();
        let length = memchr::memchr(b'\n', rest);
        let end = start + length.unwrap_or(rest.len());
        let content = match length {
            None => LineContent::Damaged("the line has no end".to_owned()),
            Some(length) => self.content(start, rest.get(..length).unwrap_or_default())?,
        };
        Ok(Line { start, end, content })
    }

    fn content(&self, start: usize, line: &[u8]) -> Result<LineContent> {
        if start == 0 {
            return self.head(line);
        }
        Ok(match Record::parse(line) {
            Ok(record) => LineContent::Record { seq: record.seq, synced: record.synced },
            Err(reason) => LineContent::Damaged(reason),
        })
    }

    fn head(&self, line: &[u8]) -> Result<LineContent> {
        let parsed = open_line(line).and_then(|text| {
            serde_json::from_str::<SegmentHead>(text).map_err(|error| error.to_string())
        });
        Ok(match parsed {
            Err(reason) => LineContent::Damaged(reason),
            Ok(head) if head.format > FORMAT && !mutant("newer_segment_accepted") => {
                return Err(Error::NewerFormat {
                    file: self.file.clone(),
                    found: head.format,
                    supported: FORMAT,
                });
            }
            // No crash leaves a head that is whole and another segment's: somebody renamed it.
            Ok(head) if head.first != self.first && !mutant("segment_name_unchecked") => {
                let reason = format!("the head names {} as its first record", head.first);
                return Err(Error::damaged(&self.file, 0, Some(head.first), reason));
            }
            Ok(_) => LineContent::Head,
        })
    }
}

/// The highest version that anything proves acknowledged. A record that a later segment
/// supersedes proves nothing: it belongs to a history that was cut.
fn acknowledged(segments: &[ScannedSegment], proof: Proof) -> Version {
    let stated = if mutant("manifest_proves_nothing") { Version::ZERO } else { proof.synced };
    let mut highest = stated.max(proof.checkpoint);
    for segment in segments {
        if !mutant("names_prove_nothing") {
            highest = highest.max(Version::new(segment.first.get().saturating_sub(1)));
        }
        for line in &segment.lines {
            if let LineContent::Record { synced, .. } = line.content
                && !mutant("records_prove_nothing")
            {
                highest = highest.max(synced);
            }
        }
    }
    highest
}

fn segment_before(version: Version) -> String {
    format!("{}/{version}.ndjson or an earlier one", super::FOLDER)
}

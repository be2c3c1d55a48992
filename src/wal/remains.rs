//! What is left of a log that is damaged, perhaps with an archive of it beside.
//!
//! [`super::Log`] ends at the first record that is not there. Here every record that can be believed
//! is found, wherever it stands:
//!
//! - A segment is what its head says, or its name where the head is damaged. Segments of one number
//!   are copies of one another: a record is taken from whichever holds it. An archive that says
//!   otherwise than the log does where the log is intact is another's, which is refused. Records do
//!   not name the database or the record in front of them: so where the two have no version in common,
//!   nothing tells another's archive from the right one, and it is believed.
//! - A segment that begins with version *n* supersedes what earlier ones hold from *n* on, as ever.
//! - Within a segment, records are believed up to the first that no copy holds. What stands behind it
//!   may be damaged there, or may be the cut end of another history: it is told ([`Remains::behind`])
//!   and never applied.
//!
//! Invariant: every record given out has its checksum and its place in the sequence.

use std::{
    collections::{BTreeMap, BTreeSet},
    io, mem,
};

use super::{Cut, FOLDER, FORMAT, Record, list_segments, record::SegmentHead, record::open_line};
use crate::{
    error::{Damage, Error, Result},
    storage::{Storage, read_all},
    version::Version,
};

/// The records that are left.
#[derive(Debug, Default)]
pub struct Remains {
    files: Vec<SegmentFile>,
    /// Records to be believed.
    lines: BTreeMap<Version, Line>,
    /// The unbroken rows of them: the first of each, and the last.
    rows: BTreeMap<Version, Version>,
    /// Intact ones that stand behind something damaged.
    behind: BTreeMap<Version, Line>,
    /// Why there is nothing at a version, in the segment that should hold it.
    faults: BTreeMap<Version, Cut>,
    /// The first record that the storage itself has a segment for.
    own: Option<Version>,
    /// Every version up to here is provably acknowledged by what is intact.
    acknowledged: Version,
}

/// One file of a segment.
#[derive(Debug)]
struct SegmentFile {
    file: String,
    bytes: Vec<u8>,
}

/// Where a line is.
#[derive(Debug, Clone, Copy)]
struct Line {
    file: usize,
    start: usize,
    end: usize,
}

/// What one file holds.
struct Scan {
    file: usize,
    first: Version,
    records: Vec<(Version, Line)>,
    /// Where its damaged lines begin, and why they are.
    faults: Vec<(usize, String)>,
    /// Where the zeros at the end begin.
    end: usize,
}

/// The copies of one segment.
struct Copies {
    records: BTreeMap<Version, Line>,
    /// The damaged lines of the first copy, or its end.
    faults: Vec<(usize, String)>,
    file: usize,
    end: usize,
}

impl Remains {
    /// Reads the log in a storage, and an archive of it if there is one.
    ///
    /// # Errors
    ///
    /// [`Error::NewerFormat`]; [`Error::Io`] when the archive is of another log, or what the system
    /// says.
    ///
    /// # Complexity
    ///
    /// O(bytes of all segments), in memory too.
    pub fn read(source: &dyn Storage, archive: Option<&dyn Storage>) -> Result<Remains> {
        let mut remains = Remains::default();
        let mut segments = BTreeMap::new();
        for (named, file) in segments_of(source)? {
            let scan = remains.scan(source, named, file)?;
            remains.take_in(scan, &mut segments);
        }
        remains.own = segments.keys().next().copied();
        remains.join(&segments);
        let Some(archive) = archive else { return Ok(remains) };
        let own = mem::take(&mut remains.lines);
        let mut differing = BTreeSet::new();
        for (named, file) in segments_of(archive)? {
            let scan = remains.scan(archive, named, file)?;
            differing.extend(remains.take_in(scan, &mut segments));
        }
        remains.join(&segments);
        // Where a segment of the archive is in place of one of the log, or beside it.
        let differs = |(version, line): &(&Version, &Line)| {
            let other = remains.lines.get(version);
            let other = other.is_some_and(|other| remains.text(*other) != remains.text(**line));
            other || differing.contains(version)
        };
        match own.iter().find(differs) {
            None => Ok(remains),
            Some((version, _)) => {
                let reason = format!("its commit {version} is another one than in the log");
                let source = io::Error::new(io::ErrorKind::InvalidInput, reason);
                let (action, path) = ("take for an archive of the log", archive.path(FOLDER));
                Err(Error::Io { action, path, source })
            }
        }
    }

    /// Every version up to here is provably acknowledged by what is intact of the log.
    pub fn acknowledged(&self) -> Version {
        self.acknowledged
    }

    /// The first record to be believed.
    pub fn first(&self) -> Option<Version> {
        self.lines.keys().next().copied()
    }

    /// True when every record after one version up to another is there.
    pub fn covers(&self, after: Version, to: Version) -> bool {
        after >= to || self.begin_of(to) <= after.next()
    }

    /// Where the unbroken row of records begins that leads to this one; the one after it when it is
    /// not there.
    pub fn begin_of(&self, end: Version) -> Version {
        let row = self.rows.range(..=end).next_back();
        row.filter(|(_, last)| **last >= end).map_or(end.next(), |(begin, _)| *begin)
    }

    /// Where the unbroken row of records ends that goes on after a version; that version when there
    /// is none.
    pub fn end_after(&self, version: Version) -> Version {
        let row = self.rows.range(..=version.next()).next_back();
        row.map_or(version, |(_, last)| (*last).max(version))
    }

    /// The versions after one up to another that there is no record to be believed of, as ranges from
    /// the first to the last.
    pub fn missing(&self, after: Version, to: Version) -> Vec<(Version, Version)> {
        let (mut missing, mut next) = (Vec::new(), after.next());
        for (begin, last) in self.rows.range(..=to).filter(|(_, last)| **last > after) {
            if *begin > next {
                missing.push((next, Version::new(begin.get() - 1)));
            }
            next = last.next();
        }
        if next <= to {
            missing.push((next, to));
        }
        missing
    }

    /// The records to be believed from one version up to another, in order, each with its place.
    pub fn records(
        &self,
        from: Version,
        to: Version,
    ) -> impl Iterator<Item = (Damage, Record<'_>)> {
        let to = to.max(Version::new(from.get().saturating_sub(1)));
        let range = self.lines.range(from..to.next());
        range.filter_map(|(_, line)| self.parsed(*line))
    }

    /// The intact records after one version up to another that are not to be believed, in order.
    pub fn set_aside(&self, after: Version, to: Version) -> impl Iterator<Item = Record<'_>> {
        let range = self.behind.range(after.next()..to.max(after).next());
        range.filter_map(|(_, line)| Some(self.parsed(*line)?.1))
    }

    /// Every intact record after a version, also behind what is damaged.
    pub fn behind(&self, version: Version) -> impl Iterator<Item = (Damage, Record<'_>)> {
        let mut found: BTreeMap<Version, Line> = self.behind.clone();
        found.extend(self.lines.iter().map(|(version, line)| (*version, *line)));
        let later = found.split_off(&version.next());
        later.into_values().filter_map(|line| self.parsed(line))
    }

    /// The lines of records, as a segment holds them.
    pub fn lines(&self, from: Version, to: Version) -> Vec<u8> {
        let mut lines = Vec::new();
        for line in self.lines.range(from..to.next().max(from)).map(|(_, line)| line) {
            lines.extend_from_slice(self.text(*line));
            lines.push(b'\n');
        }
        lines
    }

    /// Where the segment's records end that should hold a version, with the first one that is not
    /// there, and what stands in its place; none where there is no such segment.
    pub fn fault(&self, version: Version) -> Option<(Version, &Cut)> {
        let (from, fault) = self.faults.range(..=version).next_back()?;
        self.lines.range(*from..=version).next().is_none().then_some((*from, fault))
    }

    /// The first record of the log itself, whatever its archive holds.
    pub fn own_first(&self) -> Option<Version> {
        self.own
    }

    fn text(&self, line: Line) -> &[u8] {
        let file = self.files.get(line.file);
        file.and_then(|file| file.bytes.get(line.start..line.end)).unwrap_or_default()
    }

    fn parsed(&self, line: Line) -> Option<(Damage, Record<'_>)> {
        let record = Record::parse_again(self.text(line))?;
        let file = self.files.get(line.file)?.file.clone();
        let (offset, version) = (line.start as u64, Some(record.seq));
        Some((Damage { file, offset, version, reason: String::new() }, record))
    }

    /// Looks at every line of a file.
    fn scan(&mut self, storage: &dyn Storage, named: Version, file: String) -> Result<Scan> {
        let bytes = read_all(storage, &file)
            .map_err(|error| Error::io("read", storage.path(&file), error))?;
        let place = self.files.len();
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let (records, faults) = (Vec::new(), Vec::new());
        let mut scan = Scan { file: place, first: named, records, faults, end };
        let mut start = 0;
        while start < end {
            let rest = bytes.get(start..end).unwrap_or_default();
            let length = memchr::memchr(b'\n', rest);
            let line = rest.get(..length.unwrap_or(rest.len())).unwrap_or_default();
            let here = Line { file: place, start, end: start + line.len() };
            match length {
                None => scan.faults.push((start, "the line has no end".to_owned())),
                Some(_) if start == 0 => match head(&file, line)? {
                    Ok(first) => scan.first = first,
                    Err(reason) => scan.faults.push((0, reason)),
                },
                Some(_) => match Record::parse(line) {
                    Ok(record) => {
                        self.acknowledged = self.acknowledged.max(record.synced);
                        scan.records.push((record.seq, here));
                    }
                    Err(reason) => scan.faults.push((start, reason)),
                },
            }
            start = here.end + 1;
        }
        self.files.push(SegmentFile { file, bytes });
        Ok(scan)
    }

    /// Adds a file to the copies of its segment, and returns what stands otherwise in the first.
    fn take_in(
        &mut self,
        scan: Scan,
        segments: &mut BTreeMap<Version, Copies>,
    ) -> BTreeSet<Version> {
        // It got its number when everything before it was safe.
        let before = Version::new(scan.first.get().saturating_sub(1));
        self.acknowledged = self.acknowledged.max(before);
        let copies = segments.entry(scan.first).or_insert_with(|| {
            let mut faults = scan.faults;
            faults.push((scan.end, "the segment ends".to_owned()));
            Copies { records: BTreeMap::new(), faults, file: scan.file, end: scan.end }
        });
        let mut differing = BTreeSet::new();
        for (seq, line) in scan.records {
            let known = *copies.records.entry(seq).or_insert(line);
            if self.text(known) != self.text(line) {
                differing.insert(seq);
            }
        }
        differing
    }

    /// Puts the segments one behind the other.
    fn join(&mut self, segments: &BTreeMap<Version, Copies>) {
        for found in [&mut self.lines, &mut self.behind] {
            found.clear();
        }
        self.faults.clear();
        self.rows.clear();
        let nexts = segments.keys().skip(1).copied().map(Some).chain([None]);
        let mut row = Version::ZERO;
        for ((first, copies), next) in segments.iter().zip(nexts) {
            let limit = next.unwrap_or(Version::new(u64::MAX));
            let (mut expected, mut end) = (*first, 0);
            if self.rows.get(&row).is_none_or(|last| last.next() != *first) {
                row = *first;
            }
            for (seq, line) in copies.records.range(*first..limit) {
                if *seq == expected {
                    self.lines.insert(*seq, *line);
                    self.rows.insert(row, *seq);
                    expected = expected.next();
                    end = if line.file == copies.file { line.end } else { end };
                } else {
                    self.behind.insert(*seq, *line);
                }
            }
            if expected < limit {
                self.note_fault(expected, copies, end);
            }
        }
    }

    /// Why a segment's records end where they do: the first damaged line behind the last of them.
    fn note_fault(&mut self, expected: Version, copies: &Copies, end: usize) {
        let Some(file) = self.files.get(copies.file) else { return };
        let behind = copies.faults.iter().find(|(start, _)| *start >= end);
        if let Some((start, reason)) = behind.or(copies.faults.last()) {
            let (file, offset) = (file.file.clone(), *start as u64);
            let bytes = (copies.end as u64).saturating_sub(offset);
            self.faults.insert(expected, Cut { file, offset, bytes, reason: reason.clone() });
        }
    }
}

/// The segments of a storage; none where it has no log.
fn segments_of(storage: &dyn Storage) -> Result<Vec<(Version, String)>> {
    match list_segments(storage) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        listed => listed.map_err(|error| Error::io("list", storage.path(FOLDER), error)),
    }
}

/// The number in a segment's head, or what is wrong with the head.
fn head(file: &str, line: &[u8]) -> Result<Result<Version, String>> {
    let parsed = open_line(line).and_then(|text| {
        serde_json::from_str::<SegmentHead>(text).map_err(|error| error.to_string())
    });
    match parsed {
        Ok(head) if head.format > FORMAT => {
            let file = file.to_owned();
            Err(Error::NewerFormat { file, found: head.format, supported: FORMAT })
        }
        Ok(head) if head.first == Version::ZERO || head.first > Version::MAX => {
            Ok(Err("the head names no record as its first".to_owned()))
        }
        Ok(head) => Ok(Ok(head.first)),
        Err(reason) => Ok(Err(reason)),
    }
}

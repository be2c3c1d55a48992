//! One file of the model: what the page cache shows, what the disk surely holds, and the changes
//! that lie between the two.
//!
//! Invariant: `durable` with all of `unsynced` applied in order is `current`, except where a sync
//! has failed. The pages of a failed sync count as clean afterwards, as on Linux: reading goes on
//! showing them, no later sync writes them, and only writing into them again changes that.

use std::{collections::BTreeMap, ops::Range};

use super::{bytes::Bytes, random::Random};

/// What a disk writes as a whole.
pub(super) const SECTOR_BYTES: u64 = 512;

/// What the page cache keeps or forgets as a whole.
const PAGE_BYTES: u64 = 4096;

/// The state of one file.
#[derive(Debug, Clone, Default)]
pub(super) struct FileState {
    pub(super) current: Bytes,
    durable: Bytes,
    unsynced: Vec<Change>,
    /// How many open handles lead here.
    pub(super) handles: usize,
}

/// A part of a file that was written and not yet synced.
#[derive(Debug, Clone)]
struct Change {
    /// The number of the operation that made it.
    operation: u64,
    offset: u64,
    content: Content,
    length_after: u64,
    /// A sync of it failed.
    abandoned: bool,
}

#[derive(Debug, Clone)]
enum Content {
    Data(Vec<u8>),
    Zeros(u64),
}

impl FileState {
    /// An empty file with one handle.
    pub(super) fn just_created() -> FileState {
        FileState { handles: 1, ..FileState::default() }
    }

    /// A file that holds these bytes safely.
    pub(super) fn durable(bytes: Bytes) -> FileState {
        FileState { current: bytes.clone(), durable: bytes, ..FileState::default() }
    }

    pub(super) fn write(&mut self, operation: u64, offset: u64, bytes: &[u8]) {
        self.current.write(offset, bytes);
        self.record(operation, offset, Content::Data(bytes.to_vec()));
    }

    /// Writes zeros over everything and sets the length.
    pub(super) fn allocate(&mut self, operation: u64, length: u64) {
        self.current.set_len(length);
        self.current.write_zeros(0..length);
        self.record(operation, 0, Content::Zeros(length));
    }

    /// Makes safe what was written up to an operation.
    pub(super) fn sync(&mut self, operation: u64) {
        let (synced, rest) = std::mem::take(&mut self.unsynced)
            .into_iter()
            .partition(|change| change.operation <= operation && !change.abandoned);
        self.unsynced = rest;
        let synced: Vec<Change> = synced;
        for change in &synced {
            change.apply_to(&mut self.durable);
        }
    }

    /// Gives up what was written up to an operation (see the module's document).
    pub(super) fn fail_sync(&mut self, operation: u64) {
        for change in std::mem::take(&mut self.unsynced) {
            if change.operation <= operation && !change.abandoned {
                self.unsynced.extend(change.abandoned_pages());
            } else {
                self.unsynced.push(change);
            }
        }
    }

    /// Prepares for a disk that has no handles yet and counts its operations anew: whatever is
    /// unsynced came before.
    pub(super) fn outlive_process(&mut self) {
        self.handles = 0;
        self.unsynced.iter_mut().for_each(|change| change.operation = 0);
    }

    /// Damages the file, in the page cache and on the disk.
    pub(super) fn alter(&mut self, offset: u64, xor: u8) -> bool {
        self.durable.alter(offset, xor);
        self.current.alter(offset, xor)
    }

    /// What a power cut may leave of the file.
    pub(super) fn after_power_cut(&self, random: &mut Random) -> Bytes {
        let mut image = self.durable.clone();
        let mood = Mood::choose(random);
        for (sector, changes) in self.unsynced_sectors() {
            self.cut_sector(&mut image, sector, &changes, mood, random);
        }
        image.set_len(self.length_after_power_cut(mood, random));
        image
    }

    fn record(&mut self, operation: u64, offset: u64, content: Content) {
        let length_after = self.current.len();
        let change = Change { operation, offset, content, length_after, abandoned: false };
        let pages = pieces(&change.range(), PAGE_BYTES);
        for older in self.unsynced.iter_mut().filter(|older| older.abandoned) {
            // Whoever writes into a page makes all of it dirty.
            older.abandoned = !overlap(&pieces(&older.range(), PAGE_BYTES), &pages);
        }
        self.unsynced.push(change);
    }

    /// The sectors that a power cut may leave old or new, each with the changes in it, in order.
    fn unsynced_sectors(&self) -> BTreeMap<u64, Vec<&Change>> {
        let mut sectors: BTreeMap<u64, Vec<&Change>> = BTreeMap::new();
        for change in &self.unsynced {
            let mut range = change.range();
            if matches!(change.content, Content::Zeros(_)) {
                // Zeros over zeros make no difference; a prepared segment is full of them.
                range.end = range.end.min(self.durable.stored_len()).max(range.start);
            }
            for sector in pieces(&range, SECTOR_BYTES) {
                sectors.entry(sector).or_default().push(change);
            }
        }
        sectors
    }

    fn cut_sector(
        &self,
        image: &mut Bytes,
        sector: u64,
        changes: &[&Change],
        mood: Mood,
        random: &mut Random,
    ) {
        let start = sector * SECTOR_BYTES;
        let mut bytes = [0; SECTOR_BYTES as usize];
        self.durable.read(start, &mut bytes);
        let fate = mood.fate(changes.len(), random);
        let mut touched = Vec::new();
        for (place, change) in changes.iter().enumerate() {
            touched.extend(change.range_in_sector(start));
            if place < fate.applied {
                change.overlay(start, &mut bytes);
            }
        }
        match fate.harm {
            Harm::None => {}
            Harm::Zeroed => touched.iter().for_each(|&at| set(&mut bytes, at, |_| 0)),
            Harm::Altered => {
                for _ in 0..=random.below(8) {
                    let at = touched.get(random.below(touched.len() as u64) as usize);
                    let xor = random.below(255) as u8 + 1;
                    at.iter().for_each(|&&at| set(&mut bytes, at, |old| old ^ xor));
                }
            }
        }
        image.write(start, &bytes);
    }

    fn length_after_power_cut(&self, mood: Mood, random: &mut Random) -> u64 {
        let new = self.unsynced.last().map_or(self.durable.len(), |last| last.length_after);
        match mood {
            Mood::AllOld => self.durable.len(),
            Mood::AllNew => new,
            Mood::Mixed if random.below(2) == 0 => self.durable.len(),
            Mood::Mixed => {
                let any = random.below(self.unsynced.len() as u64 + 1) as usize;
                self.unsynced.get(any).map_or(new, |change| change.length_after)
            }
        }
    }
}

impl Change {
    fn range(&self) -> Range<u64> {
        match &self.content {
            Content::Data(bytes) => self.offset..self.offset + bytes.len() as u64,
            Content::Zeros(length) => self.offset..self.offset + length,
        }
    }

    fn apply_to(&self, bytes: &mut Bytes) {
        bytes.set_len(self.length_after);
        match &self.content {
            Content::Data(data) => bytes.write(self.offset, data),
            Content::Zeros(_) => bytes.write_zeros(self.range()),
        }
    }

    /// The same change, page by page and given up.
    fn abandoned_pages(self) -> Vec<Change> {
        let whole = self.range();
        pieces(&whole, PAGE_BYTES)
            .map(|page| {
                let start = whole.start.max(page * PAGE_BYTES);
                let end = whole.end.min((page + 1) * PAGE_BYTES);
                let content = match &self.content {
                    Content::Data(bytes) => {
                        let from = (start - whole.start) as usize;
                        let to = (end - whole.start) as usize;
                        Content::Data(bytes.get(from..to).unwrap_or_default().to_vec())
                    }
                    Content::Zeros(_) => Content::Zeros(end - start),
                };
                Change { offset: start, content, abandoned: true, ..self }
            })
            .collect()
    }

    /// The places in the sector that this change writes.
    fn range_in_sector(&self, start: u64) -> Range<usize> {
        let range = self.range();
        let from = range.start.clamp(start, start + SECTOR_BYTES) - start;
        let to = range.end.clamp(start, start + SECTOR_BYTES) - start;
        from as usize..to as usize
    }

    fn overlay(&self, start: u64, sector: &mut [u8]) {
        for at in self.range_in_sector(start) {
            let byte = match &self.content {
                Content::Data(bytes) => {
                    bytes.get((start + at as u64 - self.offset) as usize).copied()
                }
                Content::Zeros(_) => Some(0),
            };
            set(sector, at, |old| byte.unwrap_or(old));
        }
    }
}

/// How a power cut goes about one file. Without the plain cases whole files would hardly ever
/// survive or be lost as a whole.
#[derive(Debug, Clone, Copy)]
enum Mood {
    AllOld,
    AllNew,
    Mixed,
}

/// What becomes of one sector.
struct Fate {
    /// How many of its changes arrived, in order.
    applied: usize,
    harm: Harm,
}

enum Harm {
    None,
    Zeroed,
    Altered,
}

impl Mood {
    fn choose(random: &mut Random) -> Mood {
        match random.below(5) {
            0 => Mood::AllOld,
            1 => Mood::AllNew,
            _ => Mood::Mixed,
        }
    }

    fn fate(self, changes: usize, random: &mut Random) -> Fate {
        let applied = match self {
            Mood::AllOld => return Fate { applied: 0, harm: Harm::None },
            Mood::AllNew => return Fate { applied: changes, harm: Harm::None },
            Mood::Mixed if random.below(2) == 0 => changes,
            Mood::Mixed => random.below(changes as u64) as usize,
        };
        let harm = match random.below(8) {
            0 => Harm::Zeroed,
            1 => Harm::Altered,
            _ => Harm::None,
        };
        Fate { applied, harm }
    }
}

/// The numbers of the pieces of `size` that a range touches.
fn pieces(range: &Range<u64>, size: u64) -> Range<u64> {
    if range.is_empty() { 0..0 } else { range.start / size..range.end.div_ceil(size) }
}

fn overlap(one: &Range<u64>, other: &Range<u64>) -> bool {
    one.start < other.end && other.start < one.end
}

fn set(bytes: &mut [u8], at: usize, new: impl FnOnce(u8) -> u8) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte = new(*byte);
    }
}

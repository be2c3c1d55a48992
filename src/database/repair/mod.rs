//! From a damaged database to the last good state of it, in a new directory.
//!
//! # What the last good state is
//!
//! One version of the whole database, as far as that can be had: the checkpoint, and the records of
//! the log after it up to the first that is not there. Nothing behind a missing record is applied, not
//! even to collections that it may not have changed: which those are, only the record could say. What
//! is behind it is listed.
//!
//! A collection whose files in the checkpoint are damaged is brought back, in this order:
//!
//! 1. *Whole.* Its files are as the manifest says. Index files do not matter: indexes are built anew.
//! 2. *From the log.* The files at the front of its chain that are good hold it at an earlier version
//!    (or it was made by a commit that the log still has), and every record since then is there: the
//!    log is kept for a while behind a checkpoint, and an archive keeps what nobody removes
//!    from it. This is exact, as long as the archive is this database's: the module of
//!    [`Remains`] says when that shows.
//! 3. *Salvaged.* Each line of a damaged file that the engine may have written is taken
//!    ([`crate::checkpoint::read_layer`]), then the good files behind it, then the records of the log
//!    up to the checkpoint that are there without a gap. What the last two say is certain, since files
//!    and records hold contents and not changes to them. The rest is listed as *not proved*, and the
//!    bytes that are no lines as *lost*, with the ids between which they stood.
//!
//! Where the manifest is lost, the files themselves say what they are, by their names and their first
//! lines, but nothing vouches for them: so everything that does not come from an unbroken log is not
//! proved. The newest file of all says which version they are of. A collection that has none as new did
//! not change since its own, or the checkpoint was interrupted before it had one. So all records since
//! are applied to it that can be believed; those that can only be read, and change it, are listed as
//! *lost*, and those that cannot be read as commits that may have.
//!
//! # What holds
//!
//! - The damaged directory is only read. The new one is a database when everything is in it and safe,
//!   as after a restore.
//! - Every document of the new database is as it was at [`RepairReport::state`], but for those
//!   that [`RepairReport::unproved`] names, and those that stood in what [`RepairReport::losses`]
//!   names. Where damage has changed the id in a line that is not proved, the document is listed under
//!   the id that stands there, and is missing, or of an earlier version, under its own.
//! - Versions that are lost are not given out again: the new database goes on behind all that are known
//!   ([`RepairReport::version`]). So whoever holds a version of a lost commit, as an ETag or as a
//!   place in the change feed, is told that it is gone, and is not taken for somebody up to date.
//! - Where no commit is lost, what is still there of the log comes along for the feed.
//!
//! A file that the system cannot read stops the repair: copy the directory to a sound device first.

mod ground;
mod rebuilt;
mod report;
mod unapplied;

pub use report::{Loss, LostOperation, Origin, RepairReport, RepairedCollection, Unproved};

use std::collections::BTreeMap;

use super::backup::{check_empty, make_folders};
use crate::{
    checkpoint::{self, Checkpoint},
    error::{Error, Result},
    names::CollectionName,
    snapshot::{Collection, Operation, Snapshot, WriteSet},
    storage::Storage,
    sync::{Arc, mutant},
    version::Version,
    wal::{self, Record, Remains},
};
use ground::Ground;
use rebuilt::Rebuilt;

/// Saves what can be saved of a damaged database into an empty storage, and lists what is lost. The
/// damaged one is only read; nobody may have it open. `progress` is told how many bytes of its files
/// have been read.
///
/// # Errors
///
/// [`Error::NewerFormat`] where a checksum vouches for it; [`Error::Io`] when there is no database, when
/// the target is not empty, when the archive is of another log, or what the system says.
///
/// # Complexity
///
/// That of opening the database, with its whole log and that of the archive in memory.
pub fn repair(
    source: &dyn Storage,
    archive: Option<&dyn Storage>,
    target: &dyn Storage,
    mut progress: impl FnMut(u64),
) -> Result<RepairReport> {
    check_empty(target)?;
    let remains = Remains::read(source, archive)?;
    let ground = Ground::find(source, &remains)?;
    let mut repair = Repair { source, remains, ground, report: RepairReport::default() };
    let (found, salvaged) = repair.collections(&mut progress)?;
    let unapplied = unapplied::list(&repair.ground, &repair.remains);
    repair.report.losses.extend(unapplied);
    let (exact, stopped) = repair.replay(found, &salvaged);
    let state = exact.version();
    let lost = repair.list_lost_commits(state, stopped);
    let version = if mutant("repair_reuses_versions") { state } else { lost.unwrap_or(state) };
    let snapshot = repair.join(&exact, salvaged, version);
    repair.tell_of_manifest();
    let failed = |error| Error::io("write", target.path(wal::FOLDER), error);
    make_folders(target, []).map_err(failed)?;
    if lost.is_none() {
        repair.write_log(target, state).map_err(failed)?;
    }
    let written = checkpoint::write(target, &snapshot, version, &Checkpoint::default());
    written.map_err(checkpoint::Failure::into_error)?;
    let acknowledged = repair.acknowledged();
    Ok(RepairReport { state, version, acknowledged, ..repair.report })
}

/// A repair on its way.
struct Repair<'a> {
    source: &'a dyn Storage,
    remains: Remains,
    ground: Ground,
    report: RepairReport,
}

/// A collection as it is at the checkpoint.
enum Found {
    Exact(Collection),
    Salvaged(Rebuilt),
    /// It was dropped before.
    Absent,
}

impl Repair<'_> {
    /// Every version up to here was provably acknowledged.
    fn acknowledged(&self) -> Version {
        let manifest = &self.ground.manifest;
        let stated = if self.ground.vouched { manifest.synced } else { Version::ZERO };
        self.remains.acknowledged().max(stated).max(manifest.version)
    }

    /// Every collection of the checkpoint: those that are exact there, and those that are not.
    fn collections(
        &mut self,
        progress: &mut impl FnMut(u64),
    ) -> Result<(BTreeMap<CollectionName, Collection>, BTreeMap<CollectionName, Rebuilt>)> {
        let (mut exact, mut salvaged) = (BTreeMap::new(), BTreeMap::new());
        let mut bytes = 0;
        for place in 0..self.ground.manifest.collections.len() {
            let Some(entry) = self.ground.manifest.collections.get(place) else { break };
            let name = entry.name.clone();
            bytes += entry.files.iter().map(|file| file.bytes).sum::<u64>();
            match self.collection(place)? {
                Found::Exact(collection) => drop(exact.insert(name, collection)),
                Found::Salvaged(rebuilt) => drop(salvaged.insert(name, rebuilt)),
                Found::Absent => {}
            }
            progress(bytes);
        }
        Ok((exact, salvaged))
    }

    /// One collection at the checkpoint, in the best way there is.
    fn collection(&mut self, place: usize) -> Result<Found> {
        let Ground { manifest, vouched, .. } = &self.ground;
        let Some(entry) = manifest.collections.get(place) else { return Ok(Found::Absent) };
        if *vouched {
            match checkpoint::load_collection(self.source, entry, &mut Vec::new()) {
                Ok(collection) => return Ok(Found::Exact(collection)),
                Err(Error::Damaged(_)) => {}
                Err(error) => return Err(error),
            }
        }
        // What changed it after its last file was no document.
        let last = entry.files.last().map_or(entry.changed, |file| Version::new(file.version));
        let until = if *vouched { last } else { manifest.version };
        let layers = rebuilt::layers(self.source, entry, *vouched)?;
        if let Some(rebuilt) = Rebuilt::from_log(entry, &layers, &self.remains, until) {
            let rebuilt = if *vouched { rebuilt.with_stated(entry) } else { rebuilt };
            if !rebuilt.exists() {
                return Ok(Found::Absent);
            }
            // Were it otherwise, a record would be damaged in spite of its checksum.
            if let Ok(collection) = rebuilt.into_exact() {
                self.report.set_origin(&entry.name, Origin::Log);
                return Ok(Found::Exact(collection));
            }
        }
        let mut rebuilt = Rebuilt::salvaged(entry, layers, &self.remains, (last, until));
        if *vouched {
            rebuilt = rebuilt.with_stated(entry);
        }
        Ok(Found::Salvaged(rebuilt))
    }

    /// The exact collections, and what the log makes of them: up to the first record that is not
    /// there, or that does not fit, whose version and reason are returned too.
    fn replay(
        &self,
        found: BTreeMap<CollectionName, Collection>,
        salvaged: &BTreeMap<CollectionName, Rebuilt>,
    ) -> (Snapshot, Option<(Version, String)>) {
        let begin = self.ground.manifest.version;
        let mut snapshot = Snapshot::from_checkpoint(begin, found);
        let end = match mutant("repair_goes_past_damage") {
            true => Version::MAX,
            false => self.remains.end_after(begin),
        };
        for (_, record) in self.remains.records(begin.next(), end) {
            let next = WriteSet::decode(record.ops).and_then(|mut writes| {
                salvaged.keys().for_each(|name| drop(writes.take(name)));
                snapshot.apply(&writes, record.seq).map_err(|unfit| unfit.to_string())
            });
            match next {
                Ok(next) => snapshot = next,
                Err(reason) => return (snapshot, Some((record.seq, reason))),
            }
        }
        (snapshot, None)
    }

    /// Lists the commits after the state that were acknowledged, and then all of which something is
    /// left; returns the last version of them if there are any. Where nothing acknowledged is missing,
    /// what stands behind the log's end is a torn tail.
    fn list_lost_commits(
        &mut self,
        state: Version,
        stopped: Option<(Version, String)>,
    ) -> Option<Version> {
        let acknowledged = self.acknowledged();
        let fault = self.remains.fault(state.next());
        let is_torn = fault.is_none_or(|(first, _)| first > acknowledged);
        if acknowledged <= state && stopped.is_none() && is_torn {
            self.report.cut = fault.map(|(_, cut)| cut).filter(|cut| cut.bytes > 0).cloned();
            return None;
        }
        let (file, offset, reason) = match (fault, stopped) {
            (_, Some((_, reason))) => (wal::FOLDER.to_owned(), 0, reason),
            (Some((_, cut)), None) => (cut.file.clone(), cut.offset, cut.reason.clone()),
            (None, None) => (wal::FOLDER.to_owned(), 0, "no segment holds them".to_owned()),
        };
        let gap = |first: Version, last: Version| Loss::Commits {
            first,
            last,
            file: file.clone(),
            offset,
            reason: reason.clone(),
        };
        let (mut expected, mut losses) = (state.next(), Vec::new());
        for (_, record) in self.remains.behind(state) {
            let last = Version::new(record.seq.get() - 1);
            if expected <= last {
                losses.push(gap(expected, last));
            }
            losses.push(lost_commit(&record, acknowledged));
            expected = record.seq.next();
        }
        if expected <= acknowledged {
            losses.push(gap(expected, acknowledged));
        }
        if mutant("repair_conceals_commits") {
            losses.truncate(1);
        }
        self.report.losses.extend(losses);
        let last = Version::new(expected.get() - 1).max(acknowledged);
        (last > state).then_some(last)
    }

    /// The exact collections and the others as one state.
    fn join(
        &mut self,
        exact: &Snapshot,
        salvaged: BTreeMap<CollectionName, Rebuilt>,
        version: Version,
    ) -> Snapshot {
        let begin = self.ground.manifest.version;
        let mut collections: BTreeMap<CollectionName, Arc<Collection>> = BTreeMap::new();
        for (name, collection) in exact.collections() {
            collections.insert(name.clone(), Arc::clone(collection));
        }
        for (name, mut rebuilt) in salvaged {
            rebuilt.replay(&self.remains, begin.next(), exact.version());
            let collection = rebuilt.into_salvaged(&mut self.report, self.ground.vouched);
            if let Some(collection) = collection {
                self.report.set_origin(&name, Origin::Salvaged);
                collections.insert(name, Arc::new(collection));
            }
        }
        let counts = collections.iter().map(|(name, collection)| (name, collection.count()));
        self.report.set_counts(counts);
        Snapshot::from_checkpoint(version, collections)
    }

    /// That the manifest is lost is something that is not proved.
    fn tell_of_manifest(&mut self) {
        if let Some(damage) = self.ground.damage.take() {
            let unknown = self.ground.unknown;
            let collections = !self.remains.covers(Version::ZERO, self.ground.manifest.version);
            let manifest = Unproved::Manifest { damage, collections, unknown };
            self.report.unproved.insert(0, manifest);
        }
    }

    /// Writes what is there of the log up to a version, for those who follow it.
    fn write_log(&self, target: &dyn Storage, end: Version) -> std::io::Result<()> {
        let begin = self.remains.begin_of(end).max(self.remains.own_first().unwrap_or(end.next()));
        if begin > end {
            return Ok(());
        }
        wal::rewrite(target, begin, &self.remains.lines(begin, end))
    }
}

/// A commit that is still to be read, but rests on one that is not.
fn lost_commit(record: &Record<'_>, acknowledged: Version) -> Loss {
    let operations: Vec<Operation<'_>> = serde_json::from_str(record.ops).unwrap_or_default();
    let operations = operations.iter().map(LostOperation::from);
    Loss::Commit {
        version: record.seq,
        time: record.time.to_owned(),
        acknowledged: record.seq <= acknowledged,
        operations: operations.collect(),
    }
}

//! What a repair made, held against every state that the database had.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use monsterdb::{
    DocumentId, Error, Result, Snapshot, Version,
    checkpoint::Gap,
    database::{CheckReport, Loss, RepairReport, Unproved, repair},
    snapshot::Collection,
    storage::{MemoryStorage, Storage},
};

use crate::{
    files::{contents, provably_acknowledged},
    workload::{History, open},
};

/// Repairs a damaged database and looks at everything that always holds. None where there is nothing
/// to repair.
pub(crate) fn repaired(
    damaged: &MemoryStorage,
    archive: Option<&MemoryStorage>,
    history: &History,
    what: &str,
) -> Option<(RepairReport, Arc<Snapshot>)> {
    let (files, operations) = (contents(damaged), damaged.operations());
    let target = MemoryStorage::new();
    let made: Result<RepairReport> =
        repair(damaged, archive.map(|archive| archive as &dyn Storage), &target, |_| {});
    assert_eq!(contents(damaged), files, "{what}: the old one is as it was");
    assert_eq!(damaged.operations(), operations, "{what}: the old one is only read");
    let report = match made {
        Ok(report) => report,
        Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            return None;
        }
        Err(error) => panic!("{what}: {error}"),
    };
    let check = CheckReport::of(&target).unwrap();
    assert_eq!((&check.damage[..], &check.cut, check.version), (&[][..], &None, report.version));
    assert!(check.rebuilt.is_empty(), "{what}: {check:?}");
    let db = open(&target).unwrap_or_else(|error| panic!("{what}: {error}"));
    let state = db.snapshot();
    judge(&report, &state, history, what);
    let acknowledged = provably_acknowledged(damaged);
    if archive.is_none() {
        assert!(report.acknowledged >= acknowledged, "{what}: {report:?}");
    }
    assert!(report.version >= report.acknowledged.max(report.state), "{what}: {report:?}");
    if let Ok(db) = open(damaged) {
        assert!(report.is_whole(), "{what}: it opens, and yet: {report:?}");
        let opened = db.snapshot();
        assert!(opened.version() <= report.state, "{what}: {report:?}");
        assert_eq!(report.cut, db.status().recovery.cut, "{what}");
    }
    Some((report, state))
}

/// Holds what was saved against the state that it is of, and the losses against what is missing.
fn judge(report: &RepairReport, state: &Snapshot, history: &History, what: &str) {
    let truth = history.at(report.state).unwrap_or_else(|| panic!("{what}: {report:?}"));
    judge_commits(report, history, what);
    let counts: Vec<_> = state.collections().map(|(name, c)| (name.clone(), c.count())).collect();
    let told: Vec<_> = report.collections.iter().map(|c| (c.name.clone(), c.documents)).collect();
    assert_eq!(told, counts, "{what}");
    let names = truth.collections().chain(state.collections()).map(|(name, _)| name.clone());
    for name in names.collect::<BTreeSet<_>>() {
        let collections = [truth.as_ref(), state].map(|s| s.collection(name.as_str()));
        let doubts = Doubts::of(report, name.as_str());
        if doubts.manifest && collections.iter().any(Option::is_none) {
            continue;
        }
        if doubts.none() {
            assert_eq!(collections[0], collections[1], "{what}: {name}: {report:?}");
        } else {
            doubts.judge(collections, &format!("{what}: {name}: {report:?}"));
        }
    }
}

/// What a report says of one collection.
#[derive(Default)]
struct Doubts<'a> {
    ids: BTreeSet<&'a DocumentId>,
    gaps: Vec<&'a Gap>,
    count: u64,
    indexes: BTreeSet<&'a str>,
    catalog: bool,
    /// What these changed may be missing.
    commits: Vec<(Version, Version)>,
    /// The manifest is lost: there may be collections that were dropped, or some may be missing.
    manifest: bool,
    unknown: Option<(Version, Version)>,
}

impl<'a> Doubts<'a> {
    fn of(report: &'a RepairReport, name: &str) -> Doubts<'a> {
        let mut doubts = Doubts::default();
        for loss in &report.losses {
            match loss {
                Loss::Lines { collection, gap } if collection.as_str() == name => {
                    doubts.gaps.push(gap);
                }
                Loss::Documents { collection, count } if collection.as_str() == name => {
                    doubts.count += count;
                }
                Loss::Index { collection, index, .. } if collection.as_str() == name => {
                    doubts.indexes.insert(index.as_str());
                }
                _ => {}
            }
        }
        for unproved in &report.unproved {
            match unproved {
                Unproved::Documents { collection, ids } if collection.as_str() == name => {
                    doubts.ids.extend(ids);
                }
                Unproved::Catalog { collection, commits } if collection.as_str() == name => {
                    (doubts.catalog, doubts.commits) = (true, commits.clone());
                }
                Unproved::Manifest { collections, unknown, .. } => {
                    (doubts.manifest, doubts.unknown) = (*collections, *unknown);
                }
                Unproved::Catalog { .. } | Unproved::Documents { .. } => {}
            }
        }
        doubts
    }

    fn none(&self) -> bool {
        let listed = self.ids.is_empty() && self.gaps.is_empty() && self.indexes.is_empty();
        listed && self.count == 0 && !self.catalog
    }

    fn judge(&self, [truth, state]: [Option<&Arc<Collection>>; 2], what: &str) {
        let (Some(truth), Some(state)) = (truth, state) else { panic!("{what}") };
        if !self.catalog {
            assert_eq!(truth.options(), state.options(), "{what}");
            assert_eq!((truth.created(), truth.changed()), (state.created(), state.changed()));
            let names = |c: &Collection| -> BTreeSet<String> {
                c.indexes().iter().map(|index| index.name().to_string()).collect()
            };
            let lost = self.indexes.iter().map(|name| (*name).to_owned());
            let found: BTreeSet<String> = names(state).into_iter().chain(lost).collect();
            assert_eq!(found, names(truth), "{what}");
        }
        self.judge_documents(truth, state, what);
    }

    /// Each document is as it was, or in a gap, or not proved. Damage may have changed an id: then one
    /// that is not proved is wrong for each that is not listed.
    fn judge_documents(&self, truth: &Collection, state: &Collection, what: &str) {
        let all = truth.documents().chain(state.documents()).map(|(id, _)| id);
        let (mut wrong, mut unlisted, mut absent) = (0, 0, 0);
        for id in all.collect::<BTreeSet<_>>() {
            let [was, is] = [truth.get_by_id(id), state.get_by_id(id)];
            match was == is {
                true => {}
                false if self.ids.contains(id) => wrong += 1,
                false if was.is_some_and(|was| self.is_unknown(was.version())) => {}
                false if is.is_none() && self.gaps.iter().any(|gap| gap.may_hold(id)) => {
                    absent += 1;
                }
                false => unlisted += 1,
            }
        }
        assert!(unlisted <= wrong, "{what}: {unlisted} unlisted, {wrong} wrong");
        let unknown = self.gaps.iter().any(|gap| gap.bytes == 0);
        assert!(unknown || absent <= self.count, "{what}: {absent} absent");
    }

    fn is_unknown(&self, version: Version) -> bool {
        let mut unknown = self.commits.iter().chain(&self.unknown);
        unknown.any(|(first, last)| *first <= version && version <= *last)
    }
}

/// Each acknowledged commit after the state is listed once, and those that can be read as they were. Of
/// those before there are parts, where the manifest is lost.
fn judge_commits(report: &RepairReport, history: &History, what: &str) {
    let mut listed = Vec::new();
    for loss in &report.losses {
        match loss {
            Loss::Commits { first, last, .. } => {
                listed.extend((first.get()..=last.get()).map(|version| (version, None)));
            }
            Loss::Commit { version, operations, .. } => {
                let of = operations.iter().filter(|o| o.op == "put" || o.op == "delete");
                let of = of.map(|o| (o.collection.clone(), o.target.clone().unwrap()));
                listed.push((version.get(), Some(of.collect::<BTreeSet<_>>())));
            }
            _ => {}
        }
    }
    let versions = listed.iter().map(|(version, _)| *version);
    let (before, versions): (Vec<u64>, Vec<u64>) =
        versions.partition(|version| *version <= report.state.get());
    let lost = |unproved: &Unproved| matches!(unproved, Unproved::Manifest { .. });
    assert!(before.is_empty() || report.unproved.iter().any(lost), "{what}: {report:?}");
    let end = versions.last().copied().unwrap_or(report.state.get());
    let expected: Vec<u64> =
        (report.state.get() + 1..=end.max(report.acknowledged.get())).collect();
    assert_eq!(versions, expected, "{what}: {report:?}");
    assert_eq!(report.version.get(), end.max(report.state.get()), "{what}");
    for (version, operations) in listed {
        let at = |version| history.at(Version::new(version));
        let (Some(operations), Some(before), Some(after)) =
            (operations, at(version - 1), at(version))
        else {
            continue;
        };
        let dropped = |name: &str| after.collection(name).is_none();
        let mut changed = changes(before, after);
        // That a collection goes is one operation.
        changed.retain(|(name, _)| !dropped(name));
        if version <= report.state.get() {
            let is_part = operations.is_subset(&changed);
            assert!(is_part, "{what}: commit {version}: {operations:?} of {changed:?}");
            continue;
        }
        assert_eq!(operations, changed, "{what}: commit {version}");
    }
}

fn changes(before: &Snapshot, after: &Snapshot) -> BTreeSet<(String, String)> {
    let documents = |snapshot: &Snapshot| -> BTreeMap<(String, String), Version> {
        let of = |(name, collection): (&monsterdb::CollectionName, &Arc<Collection>)| {
            let all = collection.documents();
            let key = |id: &DocumentId| (name.to_string(), id.to_string());
            all.map(|(id, document)| (key(id), document.version())).collect::<Vec<_>>()
        };
        snapshot.collections().flat_map(of).collect()
    };
    let (before, after) = (documents(before), documents(after));
    let keys = before.keys().chain(after.keys());
    keys.filter(|key| before.get(*key) != after.get(*key)).cloned().collect()
}

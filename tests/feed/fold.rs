//! Whatever is committed, checkpointed and reopened, and wherever a follower stops and goes on: the
//! changes folded onto what it had are the database, every version once and in order.

use std::{collections::BTreeMap, sync::Arc};

use monsterdb::{
    Builder, Change, Database, Error, Selection, Snapshot, Version,
    feed::{Action, Old},
    storage::MemoryStorage,
};
use proptest::prelude::*;

use crate::{
    met::Met,
    workload::{
        Step, commit, is_refusal, options,
        random::{crash_kind, steps},
    },
};

static MET: Met = Met::new();

#[test]
fn the_changes_folded_are_the_database() {
    the_changes_folded_are_the_database_cases();
    let expected = [
        "behind the horizon",
        "over a reopening",
        "over a checkpoint",
        "several segments",
        "old contents known",
        "old contents unknown",
        "after a crash",
    ];
    MET.report("the_changes_folded_are_the_database", &expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    fn the_changes_folded_are_the_database_cases(
        steps in proptest::collection::vec((steps(6), any::<u8>()), 1..16),
        kept in prop_oneof![Just(0_u64), Just(4096), Just(4 * 4096), Just(u64::MAX)],
        kind in crash_kind(),
        seed: u64,
    ) {
        let storage = MemoryStorage::new();
        let builder = options().feed_retain_bytes(kept);
        let mut db = Some(open(&builder, &storage));
        let mut followers = [Follower::new(1), Follower::new(3), Follower::new(11)];
        let case = MET.case();
        for (steps, pick) in &steps {
            for step in steps {
                perform(&mut db, &builder, &storage, step)?;
            }
            for follower in &mut followers {
                if pick % follower.patience == 0 {
                    follower.follow(db.as_ref().unwrap(), &case)?;
                }
            }
        }
        case.note("several segments", storage.names().iter().filter(|n| n.starts_with("wal/")).count() > 2);
        let open_db = db.take().unwrap();
        for follower in &mut followers {
            follower.follow(&open_db, &case)?;
        }

        // Whoever follows sees no more than a crash leaves, or as much: a promise is for others to
        // check. What is left can be followed as far as it is kept, without a hole.
        let image = storage.crash(kind, seed);
        drop(open_db);
        let after = open(&builder, &image);
        let mut follower = Follower::new(1);
        follower.follow(&after, &case)?;
        case.note("after a crash", after.snapshot().version() > Version::ZERO);
    }
}

fn open(builder: &Builder, storage: &MemoryStorage) -> Database {
    builder.clone().open_in(Arc::new(storage.clone())).unwrap()
}

fn perform(
    db: &mut Option<Database>,
    builder: &Builder,
    storage: &MemoryStorage,
    step: &Step,
) -> Result<(), TestCaseError> {
    let open_db = db.as_ref().unwrap();
    let done = match step {
        Step::Commit(durability, writes) => commit(open_db, *durability, writes).map(drop),
        Step::Checkpoint => open_db.checkpoint().map(drop),
        Step::Maintain => open_db.maintain(),
        Step::Reopen => {
            db.take().unwrap().close().unwrap();
            *db = Some(open(builder, storage));
            Ok(())
        }
    };
    if let Err(error) = done {
        prop_assert!(is_refusal(&error), "{step:?}: {error}");
    }
    Ok(())
}

/// The documents and indexes of every collection, by name.
type State = BTreeMap<String, (BTreeMap<String, String>, BTreeMap<String, String>)>;

/// Somebody who keeps a copy by following the changes.
struct Follower {
    patience: u8,
    position: Version,
    state: State,
}

impl Follower {
    fn new(patience: u8) -> Follower {
        Follower { patience, position: Version::ZERO, state: State::new() }
    }

    /// Goes on from where it was, up to what is published.
    fn follow(&mut self, db: &Database, case: &crate::met::Case<'_>) -> Result<(), TestCaseError> {
        let published = db.snapshot();
        let mut changes = match db.changes_of(self.position, Selection::all().old()) {
            Ok(changes) => changes,
            Err(Error::ChangesGone { since, oldest }) => {
                prop_assert!(since == self.position && oldest > since);
                case.note("behind the horizon", true);
                // It reads everything anew: what is kept of the log goes on from there.
                let begun = db.changes_of(oldest, Selection::all());
                prop_assert!(begun.is_ok(), "{:?}", begun.err());
                self.count(begun.unwrap(), oldest, published.version())?;
                (self.position, self.state) = (published.version(), state(&published));
                return Ok(());
            }
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        case.note("over a checkpoint", db.status().checkpoint > self.position);
        let opened_at = db.status().recovery.checkpoint;
        case.note("over a reopening", opened_at > self.position);
        while let Some(change) =
            changes.try_next().map_err(|e| TestCaseError::fail(e.to_string()))?
        {
            prop_assert!(
                change.version == self.position.next(),
                "{:?} behind {}",
                change,
                self.position
            );
            self.take(&change, case)?;
        }
        prop_assert_eq!(changes.position(), published.version());
        prop_assert_eq!(self.position, published.version());
        prop_assert_eq!(&self.state, &state(&published));
        Ok(())
    }

    /// The versions from one on to another one.
    fn count(
        &self,
        changes: monsterdb::Changes,
        from: Version,
        to: Version,
    ) -> Result<(), TestCaseError> {
        let mut changes = changes;
        let mut last = from;
        while let Some(change) =
            changes.try_next().map_err(|e| TestCaseError::fail(e.to_string()))?
        {
            prop_assert_eq!(change.version, last.next());
            last = change.version;
        }
        prop_assert_eq!(last, to);
        Ok(())
    }

    fn take(&mut self, change: &Change, case: &crate::met::Case<'_>) -> Result<(), TestCaseError> {
        for operation in &change.operations {
            let name = operation.collection.to_string();
            if let Action::CreateCollection(_) = operation.action {
                prop_assert!(self.state.insert(name, Default::default()).is_none());
                continue;
            }
            let Some((documents, indexes)) = self.state.get_mut(&name) else {
                return Err(TestCaseError::fail(format!(
                    "{operation:?} on a collection that is not"
                )));
            };
            match &operation.action {
                Action::Put { id, document, old } => {
                    prop_assert_eq!(document.version(), change.version);
                    let before = documents.insert(id.to_string(), document.json().to_owned());
                    check_old(old, before.as_ref(), case)?;
                }
                Action::Delete { id, old } => {
                    let before = documents.remove(id.as_str());
                    prop_assert!(before.is_some(), "{id} was not there");
                    check_old(old, before.as_ref(), case)?;
                }
                Action::CreateIndex(index, definition) => {
                    drop(indexes.insert(index.to_string(), definition.to_json()));
                }
                Action::DropIndex(index) => drop(indexes.remove(index.as_str())),
                Action::DropCollection => drop(self.state.remove(&name)),
                Action::CreateCollection(_) => {}
            }
        }
        self.position = change.version;
        Ok(())
    }
}

/// What is told of the content before must be true.
fn check_old(
    old: &Old,
    before: Option<&String>,
    case: &crate::met::Case<'_>,
) -> Result<(), TestCaseError> {
    match old {
        Old::NotAsked => prop_assert!(false, "it was asked for"),
        Old::Absent => prop_assert_eq!(before, None),
        Old::Document(document) => {
            prop_assert_eq!(before.map(String::as_str), Some(document.json()));
        }
        Old::Unknown => {}
    }
    case.note("old contents known", *old != Old::Unknown);
    case.note("old contents unknown", *old == Old::Unknown);
    Ok(())
}

fn state(snapshot: &Snapshot) -> State {
    let collections = snapshot.collections().map(|(name, collection)| {
        let documents = collection.documents();
        let documents =
            documents.map(|(id, document)| (id.to_string(), document.json().to_owned())).collect();
        let indexes = collection.indexes().iter();
        let indexes = indexes.map(|index| (index.name().to_string(), index.definition().to_json()));
        (name.to_string(), (documents, indexes.collect()))
    });
    collections.collect()
}

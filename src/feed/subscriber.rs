//! One follower of the changes: its position, what it asked for, and how it reads on.

use std::time::SystemTime;

use super::{Action, Change, Old, Operation, Selection, before::Before};
use crate::{
    error::{Error, Result},
    limits::FEED_LOOK_BYTES,
    names::CollectionName,
    snapshot::{CatalogChange, CollectionWrites, IndexChange, Snapshot, WriteSet},
    storage::Storage,
    sync::Arc,
    version::Version,
    wal::{Follower, Place, Record, Waypoints},
};

/// One follower of the changes. It holds no file, no lock and nothing of the database.
pub struct Subscriber {
    follower: Follower,
    waypoints: Arc<Waypoints>,
    selection: Selection,
    before: Before,
    /// Whether a state to begin from was looked for.
    began: bool,
}

impl Subscriber {
    /// A follower that has everything up to this version.
    pub fn new(position: Version, selection: Selection, waypoints: Arc<Waypoints>) -> Subscriber {
        let follower = Follower::new(position, Arc::clone(&waypoints));
        Subscriber { follower, waypoints, selection, before: Before::default(), began: false }
    }

    /// The version up to which everything was given out.
    pub fn position(&self) -> Version {
        self.follower.position()
    }

    /// Makes sure that what follows the position is kept.
    ///
    /// # Errors
    ///
    /// [`Error::ChangesGone`], or what the system says.
    pub fn check(&self, storage: &dyn Storage, published: Version) -> Result<()> {
        self.follower.check(storage, published)
    }

    /// The changes behind the position, up to a published state and to about
    /// [`FEED_LOOK_BYTES`] of the log. There may be none although the position moved. `kept` gives
    /// the latest state that is kept up to a version.
    ///
    /// # Errors
    ///
    /// [`Error::ChangesGone`], [`Error::Damaged`], or what the system says.
    pub fn read(
        &mut self,
        storage: &dyn Storage,
        published: &Arc<Snapshot>,
        kept: &dyn Fn(Version) -> Option<Arc<Snapshot>>,
    ) -> Result<Vec<Change>> {
        let bound = published.version();
        if self.selection.asks_for_old() && !self.began {
            self.begin(storage, published, kept)?;
        }
        let begun = self.position();
        let Subscriber { follower, selection, before, .. } = self;
        let mut changes = Vec::new();
        let read = follower.read(storage, bound, FEED_LOOK_BYTES, |place, record| {
            let writes = decode(place, record)?;
            changes.extend(change(record, place, &writes, selection, before)?);
            before.absorb(&writes);
            Ok(())
        });
        if read.is_err() && self.position() > begun {
            // What was read before it is given out first; the next look meets it again.
            return Ok(changes);
        }
        read?;
        if self.selection.asks_for_old() && self.position() == bound {
            self.before = Before::at(Arc::clone(published));
        }
        Ok(changes)
    }

    /// Looks for the state at the position: the published one, or one that is kept and the records
    /// from there on.
    fn begin(
        &mut self,
        storage: &dyn Storage,
        published: &Arc<Snapshot>,
        kept: &dyn Fn(Version) -> Option<Arc<Snapshot>>,
    ) -> Result<()> {
        self.began = true;
        let position = self.position();
        if published.version() == position {
            self.before = Before::at(Arc::clone(published));
            return Ok(());
        }
        let base = match kept(position) {
            Some(base) => base,
            None if position == Version::ZERO => Arc::new(Snapshot::empty()),
            None => return Ok(()),
        };
        let mut follower = Follower::new(base.version(), Arc::clone(&self.waypoints));
        let mut before = Before::at(base);
        while before.base().is_some() && follower.position() < position {
            let read = follower.read(storage, position, FEED_LOOK_BYTES, |place, record| {
                before.absorb(&decode(place, record)?);
                Ok(())
            });
            match read {
                Ok(()) => {}
                // The state is kept, but not the log behind it: then nothing is known of old contents.
                Err(Error::ChangesGone { .. }) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        self.before = before;
        Ok(())
    }
}

fn decode(place: Place<'_>, record: Record<'_>) -> Result<WriteSet> {
    WriteSet::decode(record.ops)
        .map_err(|reason| Error::damaged(place.file, place.offset, Some(record.seq), reason))
}

/// What is asked for of a commit; none when nothing of it is.
fn change(
    record: Record<'_>,
    place: Place<'_>,
    writes: &WriteSet,
    selection: &Selection,
    before: &Before,
) -> Result<Option<Change>> {
    let mut operations = Vec::new();
    for (name, writes) in writes.iter().filter(|(name, _)| selection.covers(name)) {
        add_operations(&mut operations, name, writes, record.seq, selection, before);
    }
    if operations.is_empty() {
        return Ok(None);
    }
    let time: SystemTime = humantime::parse_rfc3339(record.time).map_err(|error| {
        Error::damaged(place.file, place.offset, Some(record.seq), error.to_string())
    })?;
    Ok(Some(Change { version: record.seq, time, operations }))
}

fn add_operations(
    operations: &mut Vec<Operation>,
    name: &CollectionName,
    writes: &CollectionWrites,
    version: Version,
    selection: &Selection,
    before: &Before,
) {
    let catalog = writes.catalog.iter().map(|change| match change {
        CatalogChange::Create(options) => Action::CreateCollection(*options),
        CatalogChange::Drop => Action::DropCollection,
    });
    let indexes = writes.indexes.iter().map(|(index, change)| match change {
        IndexChange::Create(definition, _) => {
            Action::CreateIndex(index.clone(), Arc::clone(definition))
        }
        IndexChange::Drop => Action::DropIndex(index.clone()),
    });
    let documents = writes.documents.iter().map(|(id, document)| {
        let old = match selection.asks_for_old() {
            true => before.document(name, id),
            false => Old::NotAsked,
        };
        match document {
            Some(document) => {
                document.stamp(version);
                Action::Put { id: id.clone(), document: Arc::clone(document), old }
            }
            None => Action::Delete { id: id.clone(), old },
        }
    });
    let all = catalog.chain(indexes).chain(documents);
    let all = all.map(|action| Operation { collection: name.clone(), action });
    operations.extend(all.filter(|operation| selection.passes(operation)));
}

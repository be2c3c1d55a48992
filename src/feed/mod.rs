//! The change feed: every commit after a version, once and in order, out of the log itself.
//!
//! Whoever follows the changes holds a position, not a buffer: a follower that is slow costs no
//! memory, one that is idle costs nothing at all, and one that was away goes on where it was. What
//! it reads are the records of the log ([`Follower`]), up to the state that is published and never
//! beyond: the segment being written may hold records that are not safe yet.
//!
//! ```
//! # use monsterdb::{Database, Json, Version};
//! let db = Database::in_memory();
//! db.collection::<Json>("people")?.put("ada", &Json::parse(r#"{"age":36}"#)?)?;
//! let mut changes = db.changes(Version::ZERO)?;
//! let change = changes.try_next()?.expect("there is one");
//! assert_eq!((change.version.get(), change.operations.len()), (1, 2));
//! # Ok::<(), monsterdb::Error>(())
//! ```
//!
//! # What is given out
//!
//! - One [`Change`] a commit, with what it did to ordinary collections: documents put and deleted,
//!   collections and indexes made and dropped. The reserved collections, of keys and of results,
//!   never appear. A dropped collection is one operation; its documents are not listed.
//! - A commit of which nothing is left gives no change, but the position passes it.
//! - With a [`Selection`], operations on other collections are left out, and a put whose document
//!   does not match the filter, unless the content before it is known and matches: then the document
//!   has left what the filter means, and whoever follows has to hear of it. Where old contents are not
//!   asked for that is not seen. Deletions and changes of the catalog pass always: the former have
//!   no content to be held against a filter, and a follower that never had the document loses nothing.
//!
//! # Once, in order, without a gap
//!
//! *The bound.* A follower takes the published state first and then reads up to its version. What is
//! published was written before that, so its bytes are whole; a record beyond is not looked at.
//!
//! *The order.* Versions are dense, and a record is given out only when its number is the position's
//! next. There is no other way to move the position.
//!
//! *The horizon.* Checkpoints remove segments, oldest first and each made sure of before the next.
//! A follower that has a segment open goes on reading it; when it needs a segment that is gone, the
//! oldest one there begins behind the record that it needs, and it gets [`Error::ChangesGone`] with
//! the oldest version that can be asked for. A record that is missing within what is there is
//! reported as damage.
//!
//! *Durability.* What is published is safe when it was committed with durability `always`. With
//! `interval` and `none` the feed shows, like every reader, what a loss of power may take back; a
//! follower whose position is then ahead of the database is refused, and one that comes back after
//! others have written over it cannot be told.
//!
//! # Old contents
//!
//! A follower that asks for them holds the *state at its position*: a snapshot from before, and
//! beside it the documents that the records in between have written. It begins with the latest
//! version that is kept no later than its position (one a second, see
//! [`Builder::retain`](crate::Builder::retain)) and folds the log from there; and each time it has
//! read all that is published, the published snapshot is the state at its position, so it takes that
//! and forgets the rest. So it knows the content before every commit while it keeps up, and after a
//! pause of some minutes too. Where no such state is kept, where the log does not reach back to it, or
//! where what lies between has more than
//! [`FEED_OLD_BYTES_MAX`](crate::limits::FEED_OLD_BYTES_MAX) of documents, the old content is
//! [`Old::Unknown`]: it is told as not known, never as not there. It becomes known again when the
//! follower has caught up. A follower that holds a snapshot keeps the documents of that version in
//! memory, as whoever holds a snapshot does.

mod before;
mod selection;
mod subscriber;

pub use selection::Selection;
pub use subscriber::Subscriber;

use std::time::SystemTime;

use crate::{
    document::Document,
    names::{CollectionName, DocumentId, IndexName},
    snapshot::{CollectionOptions, IndexDefinition},
    sync::Arc,
    version::Version,
};
#[cfg(doc)]
use crate::{error::Error, wal::Follower};

/// What one commit changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The commit.
    pub version: Version,
    /// When it was committed.
    pub time: SystemTime,
    /// What it did, in the order of the names of collections: first to the collection itself, then
    /// to its indexes, then to its documents in the order of their ids.
    pub operations: Vec<Operation>,
}

/// One thing that a commit did.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// The collection it was done to.
    pub collection: CollectionName,
    /// What was done.
    pub action: Action,
}

/// What was done to a collection.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// A document has a content, be it new or another one.
    Put {
        /// Its id.
        id: DocumentId,
        /// Its content.
        document: Arc<Document>,
        /// What it was before.
        old: Old,
    },
    /// A document is no more.
    Delete {
        /// Its id.
        id: DocumentId,
        /// What it was before.
        old: Old,
    },
    /// The collection is made.
    CreateCollection(CollectionOptions),
    /// The collection is no more, with all its documents and indexes.
    DropCollection,
    /// An index is made.
    CreateIndex(IndexName, Arc<IndexDefinition>),
    /// An index is no more.
    DropIndex(IndexName),
}

/// What a document was before a commit.
#[derive(Debug, Clone, PartialEq)]
pub enum Old {
    /// Nobody asked.
    NotAsked,
    /// It was not there.
    Absent,
    /// It had this content.
    Document(Arc<Document>),
    /// The state before the commit is not kept.
    Unknown,
}

//! The write of one document under its preconditions, as one transaction.
//!
//! Invariant: what is told of a write (made or replaced, its version, its content) was decided by
//! the same transaction that wrote it.

use super::{extract::DocumentPath, ground::Base, precondition::Preconditions, problem::Problem};
use crate::{
    document::Document,
    error::{Error, Result},
    names::CollectionName,
    sync::Arc,
    transaction::Transaction,
    update::Update,
    version::Version,
};

/// A write to one document that waits for its transaction.
pub(super) struct Write {
    pub(super) target: DocumentPath,
    pub(super) preconditions: Preconditions,
    /// The body itself says which version it means to replace.
    pub(super) states_version: bool,
}

/// What became of a document.
pub(super) struct Written {
    /// It was not there before.
    pub(super) made: bool,
    /// The version that its content has now.
    pub(super) version: Version,
    /// Its content, where there is one.
    pub(super) document: Option<Arc<Document>>,
}

impl Write {
    /// Runs the write. `change` writes to the document of the path.
    ///
    /// # Errors
    ///
    /// What a precondition or the change refuses, without having changed anything.
    pub(super) fn run(
        &self,
        base: &Base<'_>,
        change: impl Fn(&Transaction, &DocumentPath) -> Result<()>,
    ) -> Result<Written, Problem> {
        let DocumentPath { collection, id } = &self.target;
        let committed = base.transact(|tx| {
            let before = tx.get(collection, id)?;
            require_precondition(tx, collection, self.has_precondition())?;
            let version = before.as_deref().map(|document| standing(document, tx.version()));
            self.preconditions.check_write(version)?;
            change(tx, &self.target)?;
            Ok((before, tx.get(collection, id)?))
        })?;
        let (before, after) = committed.value;
        if let Base::Session(_) = base {
            let (made, version) = (before.is_none(), committed.version);
            return Ok(Written { made, version, document: after });
        }
        // A write that changed nothing was not logged: the document from before stands.
        let unchanged = |after: &Arc<Document>| after.version() == Version::ZERO;
        let document = match (&before, after) {
            (Some(before), Some(after)) if unchanged(&after) => Some(Arc::clone(before)),
            (_, after) => after,
        };
        let version = document.as_ref().map_or(committed.version, |document| document.version());
        Ok(Written { made: before.is_none(), version, document })
    }

    /// Runs an update that reads nothing, so that concurrent counters do not conflict. In an
    /// interactive transaction it is looked at once, without a dependency, whether it fits.
    ///
    /// # Errors
    ///
    /// As [`Write::run`].
    pub(super) fn update_unseen(
        &self,
        base: &Base<'_>,
        update: &Update,
    ) -> Result<Written, Problem> {
        let DocumentPath { collection, id } = &self.target;
        let committed = base.transact(|tx| {
            tx.update(collection, id, update.clone())?;
            if let Base::Session(_) = base
                && tx.snapshot_read(collection, id)?.is_none()
            {
                let (collection, id) = (collection.clone(), id.clone());
                return Err(Error::DocumentNotFound { collection, id });
            }
            require_precondition(tx, collection, self.has_precondition())
        })?;
        let Base::Database(database) = base else {
            let version = committed.version;
            return Ok(Written { made: false, version, document: None });
        };
        // An update that changed nothing left the older version. If another commit has written
        // the document since, either number is that of a version which is gone.
        let snapshot = database.snapshot();
        let current = snapshot.get(collection.as_str(), id.as_str());
        let version = current.map_or(committed.version, |document| document.version());
        Ok(Written { made: false, version: version.min(committed.version), document: None })
    }

    fn has_precondition(&self) -> bool {
        self.states_version || !self.preconditions.is_empty()
    }
}

/// The version that a document has for preconditions: what a transaction has written itself, and
/// what nobody else sees, stands at the version that the transaction reads, as its answers say.
pub(super) fn standing(document: &Document, read_at: Version) -> Version {
    match document.version() {
        Version::ZERO => read_at,
        version => version,
    }
}

/// Refuses a write without a precondition where the collection requires one.
pub(super) fn require_precondition(
    tx: &Transaction,
    collection: &CollectionName,
    stated: bool,
) -> Result<()> {
    let stored = tx.snapshot().collection(collection.as_str());
    match stored.is_some_and(|stored| stored.options().require_preconditions) && !stated {
        true => Err(Error::PreconditionRequired { collection: collection.clone() }),
        false => Ok(()),
    }
}

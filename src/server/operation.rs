//! One operation of a batch: how it is read, and how it runs in a transaction.

use super::{auth::Caller, body::Object, problem::Problem, write::require_precondition};
use crate::{
    document::Draft,
    error::{Error, Result},
    names::{CollectionName, DocumentId},
    transaction::Transaction,
    update::{JsonPatch, MergePatch, Update},
    version::Version,
};

/// One operation of a batch.
pub(super) struct Operation {
    collection: CollectionName,
    id: DocumentId,
    /// The version that the document must have before the batch; zero for absence.
    if_version: Option<Version>,
    change: Change,
}

enum Change {
    Insert(Draft),
    Replace(Draft),
    Put(Draft),
    Delete,
    Merge(MergePatch),
    Patch(JsonPatch),
    Update(Update),
}

/// When an update meets the document that it is to change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Updates {
    /// At the commit, so that concurrent counters do not conflict.
    AtCommit,
    /// Also at once, so that one that does not fit is known by its place in the batch.
    AtOnce,
}

impl Operation {
    /// Reads an operation of a caller whose key is for its collection; `pointer` is its place in
    /// the body.
    pub(super) fn parse(text: &str, pointer: &str, caller: &Caller) -> Result<Operation, Problem> {
        let mut object = Object::parse(text, pointer)?;
        let name = object.require("op")?;
        let change = read_change(name, &mut object)?;
        let collection = string_of(&mut object, "collection")?;
        let collection = CollectionName::new(&collection).map_err(Error::from)?;
        caller.check_covers(&collection)?;
        let given = object.string("id")?;
        let given = given.map(|id| DocumentId::new(&id)).transpose().map_err(Error::from)?;
        let if_version = object.integer("if_version")?.map(Version::new);
        let id = match (given, change.own_id(), &change) {
            (Some(given), _, _) => given,
            (None, Some(own), _) => own.clone(),
            (None, None, Change::Insert(_)) => DocumentId::generate(),
            (None, None, _) => return Err(object.invalid("id", "the member is missing")),
        };
        object.finish()?;
        Ok(Operation { collection, id, if_version, change })
    }

    /// The document that it is about.
    pub(super) fn id(&self) -> &DocumentId {
        &self.id
    }

    /// Writes to the transaction.
    ///
    /// # Errors
    ///
    /// What a precondition, the state or a limit refuses.
    pub(super) fn run(&self, tx: &Transaction, updates: Updates) -> Result<()> {
        let Operation { collection, id, if_version, change } = self;
        if let Some(expected) = if_version {
            tx.require_version(collection, id, *expected)?;
        }
        match change {
            // Its own condition, absence, is precondition enough.
            Change::Insert(draft) => {
                if tx.get(collection, id)?.is_some() {
                    let (collection, id) = (collection.clone(), id.clone());
                    return Err(Error::AlreadyExists { collection, id });
                }
                return tx.put(collection, id, draft.clone());
            }
            Change::Replace(draft) => tx.replace(collection, id, draft.clone())?,
            Change::Put(draft) => tx.put(collection, id, draft.clone())?,
            Change::Delete => {
                if !tx.delete(collection, id)? {
                    return Err(self.not_found());
                }
            }
            Change::Merge(patch) => tx.merge(collection, id, patch)?,
            Change::Patch(patch) => tx.patch(collection, id, patch)?,
            Change::Update(update) => {
                tx.update(collection, id, update.clone())?;
                if updates == Updates::AtOnce && tx.snapshot_read(collection, id)?.is_none() {
                    return Err(self.not_found());
                }
            }
        }
        require_precondition(tx, collection, if_version.is_some() || change.states_version())
    }

    fn not_found(&self) -> Error {
        Error::DocumentNotFound { collection: self.collection.clone(), id: self.id.clone() }
    }
}

impl Change {
    /// The `_id` that the document itself gives.
    fn own_id(&self) -> Option<&DocumentId> {
        match self {
            Change::Insert(draft) | Change::Replace(draft) | Change::Put(draft) => draft.id(),
            Change::Delete | Change::Merge(_) | Change::Patch(_) | Change::Update(_) => None,
        }
    }

    /// True when the body itself says which version it means to replace.
    fn states_version(&self) -> bool {
        match self {
            Change::Insert(draft) | Change::Replace(draft) | Change::Put(draft) => {
                draft.expected().is_some()
            }
            Change::Merge(patch) => patch.expected().is_some(),
            Change::Delete | Change::Patch(_) | Change::Update(_) => false,
        }
    }
}

fn read_change(name: &str, object: &mut Object<'_>) -> Result<Change, Problem> {
    let name = super::body::string(name).unwrap_or_default();
    Ok(match &*name {
        "insert" => Change::Insert(Draft::parse(object.require("document")?.as_bytes())?),
        "replace" => Change::Replace(Draft::parse(object.require("document")?.as_bytes())?),
        "put" => Change::Put(Draft::parse(object.require("document")?.as_bytes())?),
        "delete" => Change::Delete,
        "merge" => Change::Merge(MergePatch::parse(object.require("merge")?.as_bytes())?),
        "patch" => Change::Patch(JsonPatch::parse(object.require("patch")?)?),
        "update" => Change::Update(Update::parse(object.require("update")?)?),
        _ => {
            let known = "this release knows insert, replace, put, delete, merge, patch and update";
            return Err(object.invalid("op", known));
        }
    })
}

fn string_of(object: &mut Object<'_>, name: &str) -> Result<String, Problem> {
    let value = object.string(name)?;
    value.map(String::from).ok_or_else(|| object.invalid(name, "the member is missing"))
}

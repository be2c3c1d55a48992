//! What the shell works on: a data directory that it has open, or a running server.
//!
//! Both answer with the same text, so that nobody sees which it is.

use serde_json::{Value, json};

use super::{
    super::{
        Failure, NewIndexArgs, QuestionArgs, query::Print, remote::Client, remote::understood,
    },
    statement::Which,
};
use crate::{
    database::Database,
    document::{Draft, Json},
    error::Error,
    filter::Filter,
    names::{CollectionName, DocumentId, IndexName},
    server::{self, MadeIndex},
    snapshot::CollectionOptions,
};

/// The type of a body of update operators.
const OPERATORS: &str = "application/json";

/// The type of a body to be merged.
const MERGE: &str = "application/merge-patch+json";

/// What the shell works on.
pub(super) enum Store {
    Directory(Box<Database>),
    Server(Box<Client>),
}

impl Store {
    /// Each collection as a line of JSON, in the order of names.
    pub(super) fn collections(&self) -> Result<Vec<String>, Failure> {
        match self {
            Store::Directory(database) => {
                let snapshot = database.snapshot();
                let seen = snapshot.collections().filter(|(name, _)| !name.is_reserved());
                let lines = seen.map(|(name, collection)| {
                    let (count, bytes) = (collection.count(), collection.bytes());
                    format!(r#"{{"name":"{name}","count":{count},"bytes":{bytes}}}"#)
                });
                Ok(lines.collect())
            }
            Store::Server(client) => members(&client.collections()?, "collections"),
        }
    }

    /// Makes a collection; false when it is there.
    pub(super) fn create(&self, name: &CollectionName) -> Result<bool, Failure> {
        match self {
            Store::Directory(database) => {
                let is_new = database.snapshot().collection(name.as_str()).is_none();
                database.create_collection(name.as_str(), CollectionOptions::default())?;
                Ok(is_new)
            }
            Store::Server(client) => client.create_collection(name),
        }
    }

    /// Drops a collection.
    pub(super) fn drop_collection(&self, name: &CollectionName) -> Result<(), Failure> {
        match self {
            Store::Directory(database) => Ok(database.drop_collection(name.as_str()).map(drop)?),
            Store::Server(client) => client.drop_collection(name),
        }
    }

    /// Asks.
    pub(super) fn ask(
        &self,
        question: &QuestionArgs,
        json: bool,
        print: &mut Print<'_>,
    ) -> Result<(), Failure> {
        match self {
            Store::Directory(database) => question.ask(&database.snapshot(), json, print),
            Store::Server(client) => question.ask_server(client, json, print),
        }
    }

    /// One document with its version.
    pub(super) fn get(&self, name: &CollectionName, id: &DocumentId) -> Result<String, Failure> {
        match self {
            Store::Directory(database) => {
                let snapshot = database.snapshot();
                snapshot.existing(name)?;
                match snapshot.get(name.as_str(), id.as_str()) {
                    Some(document) => Ok(document.to_json_with_version()),
                    None => Err(not_found(name, id).into()),
                }
            }
            Store::Server(client) => client.document(name, id),
        }
    }

    /// Adds documents in one commit, and returns their ids.
    pub(super) fn insert(
        &self,
        name: &CollectionName,
        documents: &[String],
    ) -> Result<Vec<String>, Failure> {
        let drafts = documents.iter().map(|text| Draft::parse(text.as_bytes()));
        let drafts = drafts.collect::<Result<Vec<_>, _>>()?;
        match self {
            Store::Directory(database) => Ok(database.transact(|tx| {
                let ids = drafts.iter().map(|draft| tx.insert(name, draft.clone()));
                ids.map(|id| Ok(id?.as_str().to_owned())).collect()
            })?),
            Store::Server(client) => {
                let lines: Vec<Json> =
                    documents.iter().map(|text| Json::parse(text)).collect::<Result<_, _>>()?;
                let lines = lines.iter().map(|json| format!("{}\n", json.as_str())).collect();
                let answer: Value = understood(&client.insert_many(name, lines)?)?;
                let ids = answer["ids"].as_array().into_iter().flatten();
                Ok(ids.filter_map(Value::as_str).map(str::to_owned).collect())
            }
        }
    }

    /// Writes a document, and says whether it is new.
    pub(super) fn put(
        &self,
        name: &CollectionName,
        id: &DocumentId,
        document: &str,
    ) -> Result<bool, Failure> {
        match self {
            Store::Directory(database) => {
                let draft = Draft::parse(document.as_bytes())?;
                Ok(database.transact(|tx| {
                    let is_new = tx.get(name, id)?.is_none();
                    tx.put(name, id, draft.clone())?;
                    Ok(is_new)
                })?)
            }
            Store::Server(client) => Ok(client.put(name, id, document.to_owned())?.0),
        }
    }

    /// Changes documents, and says how many there were.
    pub(super) fn update(
        &self,
        name: &CollectionName,
        which: &Which,
        update: &str,
    ) -> Result<usize, Failure> {
        let change = Json::parse(update)?;
        let is_merge = !change.as_raw().members().any(|member| member.name().starts_with('$'));
        match (self, which) {
            (Store::Directory(database), Which::One(id)) => {
                let collection = database.collection::<Json>(name.as_str())?;
                match is_merge {
                    true => collection.merge(id.as_str(), update)?,
                    false => collection.update(id.as_str(), update)?,
                }
                Ok(1)
            }
            (Store::Server(client), Which::One(id)) => {
                let media_type = if is_merge { MERGE } else { OPERATORS };
                client.patch(name, id, media_type, update.to_owned())?;
                Ok(1)
            }
            (_, Which::Matching(_)) if is_merge => {
                let reason = "many documents are changed by operators, e.g. {\"$set\":{…}}";
                Err(Failure::Statement(reason.to_owned()))
            }
            (Store::Directory(database), Which::Matching(filter)) => {
                let collection = database.collection::<Json>(name.as_str())?;
                Ok(collection.update_many(Filter::parse(filter)?, update)?)
            }
            (Store::Server(client), Which::Matching(filter)) => {
                let update: Value = understood(update)?;
                client.change_many(name, filter, json!({ "op": "update", "update": update }))
            }
        }
    }

    /// Deletes documents, and says how many there were.
    pub(super) fn delete(&self, name: &CollectionName, which: &Which) -> Result<usize, Failure> {
        match (self, which) {
            (Store::Directory(database), Which::One(id)) => {
                match database.collection::<Json>(name.as_str())?.delete(id.as_str())? {
                    true => Ok(1),
                    false => Err(not_found(name, id).into()),
                }
            }
            (Store::Directory(database), Which::Matching(filter)) => {
                let collection = database.collection::<Json>(name.as_str())?;
                Ok(collection.delete_many(Filter::parse(filter)?)?)
            }
            (Store::Server(client), Which::One(id)) => client.delete(name, id).map(|()| 1),
            (Store::Server(client), Which::Matching(filter)) => {
                client.change_many(name, filter, json!({ "op": "delete" }))
            }
        }
    }

    /// Each index of a collection as a line of JSON.
    pub(super) fn indexes(&self, name: &CollectionName) -> Result<Vec<String>, Failure> {
        let text = match self {
            Store::Directory(database) => server::list_indexes(&database.snapshot(), name)?,
            Store::Server(client) => client.indexes(name)?,
        };
        members(&text, "indexes")
    }

    /// Makes an index.
    pub(super) fn create_index(
        &self,
        index: &NewIndexArgs,
        quiet: bool,
    ) -> Result<MadeIndex, Failure> {
        match self {
            Store::Directory(database) => index.make(database, quiet),
            Store::Server(client) => {
                client.create_index(&index.collection, &index.name, index.definition()?)
            }
        }
    }

    /// Drops an index.
    pub(super) fn drop_index(
        &self,
        name: &CollectionName,
        index: &IndexName,
    ) -> Result<(), Failure> {
        match self {
            Store::Directory(database) => {
                Ok(database.drop_index(name.as_str(), index.as_str()).map(drop)?)
            }
            Store::Server(client) => client.drop_index(name, index),
        }
    }

    /// Closes a directory in good order.
    pub(super) fn close(self) -> Result<(), Failure> {
        match self {
            Store::Directory(database) => Ok(database.close()?),
            Store::Server(_) => Ok(()),
        }
    }
}

fn not_found(collection: &CollectionName, id: &DocumentId) -> Error {
    Error::DocumentNotFound { collection: collection.clone(), id: id.clone() }
}

/// The elements of a member of an answer, each as it stands there.
fn members(text: &str, name: &str) -> Result<Vec<String>, Failure> {
    let answer = Json::parse(text)?;
    let list = answer.as_raw().member(name);
    let elements = list.into_iter().flat_map(|list| list.elements());
    Ok(elements.map(|element| element.text().to_owned()).collect())
}

//! Documents and collections of a running server.

use reqwest::{StatusCode, Url, blocking::Response, header::CONTENT_TYPE};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Client, Failure, understood};
use crate::{
    document::Json,
    limits::PAGE_MAX,
    names::{CollectionName, DocumentId},
};

/// What a write of one document answers.
#[derive(Deserialize)]
struct Written {
    _version: u64,
}

/// What a document is named by in a page that asks for no more.
#[derive(Deserialize)]
struct Named {
    _id: String,
    _version: u64,
}

impl Client {
    /// The list of all collections, as JSON.
    pub(in crate::cli) fn collections(&self) -> Result<String, Failure> {
        self.read(self.http.get(format!("{}/collections", self.url)))
    }

    /// Makes a collection; false when it is there.
    pub(in crate::cli) fn create_collection(&self, name: &CollectionName) -> Result<bool, Failure> {
        let made = self.write(self.http.put(format!("{}/collections/{name}", self.url)))?;
        Ok(made.status() == StatusCode::CREATED)
    }

    /// One document with its version.
    pub(in crate::cli) fn document(
        &self,
        collection: &CollectionName,
        id: &DocumentId,
    ) -> Result<String, Failure> {
        self.read(self.http.get(self.document_url(collection, id)?))
    }

    /// Writes a document whether it is there or not, and says whether it is new, and its version.
    pub(in crate::cli) fn put(
        &self,
        collection: &CollectionName,
        id: &DocumentId,
        document: String,
    ) -> Result<(bool, u64), Failure> {
        let request = self.http.put(self.document_url(collection, id)?);
        let answer = self.write(request.header(CONTENT_TYPE, "application/json").body(document))?;
        let is_new = answer.status() == StatusCode::CREATED;
        Ok((is_new, self.version(answer)?))
    }

    /// Changes a document by a body of this type, and returns its version.
    pub(in crate::cli) fn patch(
        &self,
        collection: &CollectionName,
        id: &DocumentId,
        media_type: &str,
        patch: String,
    ) -> Result<u64, Failure> {
        let request = self.http.patch(self.document_url(collection, id)?);
        let answer = self.write(request.header(CONTENT_TYPE, media_type).body(patch))?;
        self.version(answer)
    }

    /// Deletes a document, which must be there.
    pub(in crate::cli) fn delete(
        &self,
        collection: &CollectionName,
        id: &DocumentId,
    ) -> Result<(), Failure> {
        self.write(self.http.delete(self.document_url(collection, id)?)).map(drop)
    }

    /// Does the same to every document that a filter matches, all in one commit, and says how many
    /// there were. Should one of them be changed in between, nothing is done.
    pub(in crate::cli) fn change_many(
        &self,
        collection: &CollectionName,
        filter: &str,
        mut change: Value,
    ) -> Result<usize, Failure> {
        change["collection"] = collection.as_str().into();
        let mut operations = Vec::new();
        let mut place = String::new();
        loop {
            let body =
                format!(r#"{{"filter":{filter},"fields":["_id"],"limit":{PAGE_MAX}{place}}}"#);
            let page = self.query(collection, body)?;
            for line in &page.lines {
                let Named { _id, _version } = understood(line)?;
                change["id"] = _id.into();
                change["if_version"] = _version.into();
                operations.push(change.clone());
            }
            let Some(cursor) = page.cursor else { break };
            place = format!(r#","cursor":{}"#, Json::from(cursor));
        }
        let count = operations.len();
        if count > 0 {
            let request = self.http.post(format!("{}/transactions/batch", self.url));
            let body = json!({ "operations": operations }).to_string();
            self.write(request.header(CONTENT_TYPE, "application/json").body(body))?;
        }
        Ok(count)
    }

    fn version(&self, answer: Response) -> Result<u64, Failure> {
        let Written { _version } = understood(&self.text(answer)?)?;
        Ok(_version)
    }

    fn document_url(&self, collection: &CollectionName, id: &DocumentId) -> Result<Url, Failure> {
        if [".", ".."].contains(&id.as_str()) {
            // Whoever reads an address takes these for steps in it.
            let reason = format!(r#"no address can name it; use the filter {{"_id":"{id}"}}"#);
            return Err(Failure::Usage { argument: "ID", reason });
        }
        self.below(&["collections", collection.as_str(), "documents", id.as_str()])
    }
}

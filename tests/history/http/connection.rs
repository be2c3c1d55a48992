//! Requests of one client, and what is in the answers.

use reqwest::{Method, blocking};
use serde_json::{Value, json};

use crate::workload::Gone;

/// The key that servers under test are given.
pub(crate) const KEY: &str = "a key for tests";

pub(crate) struct Connection {
    http: blocking::Client,
    /// `http://127.0.0.1:…`
    address: String,
}

/// What a read of one document found.
pub(crate) struct Found {
    /// The document with its version.
    pub(crate) document: Option<(u64, Value)>,
    /// The version of the state that was read; an answer that there is no document tells none.
    pub(crate) read_at: Option<u64>,
}

/// What must hold of a document that is written.
#[derive(Clone, Copy)]
pub(crate) enum Condition {
    Nothing,
    /// It has this version; none when it must be absent.
    Has(Option<u64>),
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    read_at: Option<u64>,
}

impl Connection {
    pub(crate) fn new(address: &str) -> Connection {
        Connection { http: blocking::Client::new(), address: address.to_owned() }
    }

    /// Reads one document.
    pub(crate) fn get(&self, collection: &str, key: u64) -> Result<Found, Gone> {
        let path = format!("/collections/{collection}/documents/{key}");
        let answer = self.send("GET", &path, Condition::Nothing, None)?;
        let document = match answer.status {
            200 => Some((answer.number("_version"), answer.body)),
            404 => None,
            status => panic!("a read is answered with {status}: {}", answer.body),
        };
        Ok(Found { document, read_at: answer.read_at })
    }

    /// Writes one document, and returns the version of the commit, none when it was refused.
    pub(crate) fn put(
        &self,
        collection: &str,
        id: &str,
        condition: Condition,
        document: &Value,
    ) -> Result<Option<u64>, Gone> {
        let path = format!("/collections/{collection}/documents/{id}");
        let answer = self.send("PUT", &path, condition, Some(document))?;
        Ok(answer.written("_version"))
    }

    /// Changes one document by an update that reads nothing.
    pub(crate) fn update(
        &self,
        collection: &str,
        key: u64,
        update: &Value,
    ) -> Result<Option<u64>, Gone> {
        let path = format!("/collections/{collection}/documents/{key}");
        let answer = self.send("PATCH", &path, Condition::Nothing, Some(update))?;
        Ok(answer.written("_version"))
    }

    /// Runs a batch, and returns the version of the commit, none when it was refused.
    pub(crate) fn batch(&self, operations: Vec<Value>) -> Result<Option<u64>, Gone> {
        let body = json!({ "operations": operations });
        let answer = self.send("POST", "/transactions/batch", Condition::Nothing, Some(&body))?;
        Ok(answer.written("version"))
    }

    /// Asks a question about a collection.
    pub(crate) fn query(&self, collection: &str, question: &Value) -> Result<Answer, Gone> {
        let path = format!("/collections/{collection}/query");
        let answer = self.send("POST", &path, Condition::Nothing, Some(question))?;
        assert_eq!(answer.status, 200, "{question} is answered with {}", answer.body);
        Ok(answer)
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        condition: Condition,
        body: Option<&Value>,
    ) -> Result<Answer, Gone> {
        let method = Method::from_bytes(method.as_bytes()).expect("it is a method");
        let mut request = self.http.request(method, format!("{}{path}", self.address));
        request = request.header("X-API-Key", KEY);
        request = match condition {
            Condition::Nothing => request,
            Condition::Has(Some(version)) => request.header("If-Match", format!("\"{version}\"")),
            Condition::Has(None) => request.header("If-None-Match", "*"),
        };
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json").body(body.to_string());
        }
        // Whatever goes wrong on the way, the server may have done it.
        let response = request.send().map_err(|_| Gone)?;
        let status = response.status().as_u16();
        let read_at = response.headers().get("db-version").map(|value| {
            value.to_str().ok().and_then(|text| text.parse().ok()).expect("it is a version")
        });
        let text = response.text().map_err(|_| Gone)?;
        let body = serde_json::from_str(&text).expect("bodies are JSON");
        Ok(Answer { status, body, read_at })
    }
}

impl Answer {
    /// A member that is a number.
    pub(crate) fn number(&self, member: &str) -> u64 {
        self.body[member].as_u64().unwrap_or_else(|| panic!("no {member} in {}", self.body))
    }

    /// The version that a write was answered with, none when a condition or a conflict refused it.
    fn written(&self, member: &str) -> Option<u64> {
        match self.status {
            200 | 201 => Some(self.number(member)),
            409 | 412 => None,
            status => panic!("a write is answered with {status}: {}", self.body),
        }
    }
}

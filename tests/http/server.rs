//! A server under test, and a client to talk to it.

use std::{net::SocketAddr, path::Path, thread::JoinHandle, time::Duration};

use monsterdb::{
    CollectionName, Database, DocumentId, Draft, TransactOptions,
    server::{ServeError, ServeOptions, StopHandle},
};
use reqwest::{Method, blocking::Client};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::interface;

/// A running server. It is stopped when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) key: String,
    client: Client,
    stop: StopHandle,
    thread: Option<JoinHandle<Result<(), ServeError>>>,
    folder: Option<TempDir>,
}

/// A request to send, and the document that its answer is held against.
pub(crate) struct Call {
    client: Client,
    request: reqwest::blocking::RequestBuilder,
    document: &'static serde_json::Value,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

/// The key of the role `read` that every server under test knows.
pub(crate) const READER: &str = "mdb_reader_secret";

/// The key of the role `write` that every server under test knows.
pub(crate) const WRITER: &str = "mdb_writer_secret";

impl Server {
    /// A server of an empty database.
    pub(crate) fn start() -> Server {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Server::start_in(&folder.path().join("data"), |_| {});
        server.folder = Some(folder);
        server
    }

    /// A server of the database in this directory.
    pub(crate) fn start_in(path: &Path, change: impl FnOnce(&mut ServeOptions)) -> Server {
        let database = Database::builder().segment_bytes(1 << 20).open(path).unwrap();
        store_key(&database, READER, "read");
        store_key(&database, WRITER, "write");
        Server::start_on(database, change)
    }

    /// A server of this database.
    pub(crate) fn start_on(database: Database, change: impl FnOnce(&mut ServeOptions)) -> Server {
        let mut options = ServeOptions::new("127.0.0.1:0".parse().unwrap());
        // Most tests are not about how often a key may ask, or be wrong.
        options.failed_auth_limit = None;
        // Nor about how long a poll waits for changes that do not come.
        options.poll_timeout = Duration::from_millis(50);
        options.rate_limit = None;
        change(&mut options);
        let given = options.admin_key.clone();
        let server = monsterdb::server::Server::bind(database, options).unwrap();
        let key = server.admin_key().map(str::to_owned).or(given).unwrap_or_default();
        let (address, stop) = (server.address(), server.handle());
        let thread = std::thread::spawn(move || server.run());
        let client = Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        Server { address, key, client, stop, thread: Some(thread), folder: None }
    }

    /// A request with the admin key.
    pub(crate) fn call(&self, method: &str, path: &str) -> Call {
        self.call_with(&self.key, method, path)
    }

    /// A request with this key, without one when it is empty.
    pub(crate) fn call_with(&self, key: &str, method: &str, path: &str) -> Call {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.client.request(method, format!("http://{}{path}", self.address));
        let request = if key.is_empty() { request } else { request.header("X-API-Key", key) };
        Call { client: self.client.clone(), request, document: self.document() }
    }

    /// What the server says of its interface.
    pub(crate) fn document(&self) -> &'static serde_json::Value {
        interface::document(|| {
            let url = format!("http://{}/openapi.json", self.address);
            self.client.get(url).send().unwrap().text().unwrap()
        })
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.call("GET", path).send()
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        self.call("POST", path).json(body).send()
    }

    pub(crate) fn put(&self, path: &str, body: &str) -> Answer {
        self.call("PUT", path).json(body).send()
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path).send()
    }

    /// A request to stop, without waiting for the end.
    pub(crate) fn tell_to_stop(&self) {
        self.stop.stop();
    }

    /// Stops the server and says how it ended.
    pub(crate) fn stop(mut self) -> Result<(), ServeError> {
        self.stop.stop();
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            if !std::thread::panicking() {
                ended.unwrap().unwrap();
            }
        }
        // Only now is the directory not in use any more.
        drop(self.folder.take());
    }
}

impl Call {
    pub(crate) fn header(self, name: &str, value: &str) -> Call {
        Call { request: self.request.header(name, value), ..self }
    }

    pub(crate) fn json(self, body: &str) -> Call {
        self.typed("application/json", body)
    }

    pub(crate) fn typed(self, media_type: &str, body: impl Into<Vec<u8>>) -> Call {
        Call { request: self.request.body(body.into()), ..self }.header("Content-Type", media_type)
    }

    /// Sends it, and checks that the answer is one that the document tells of.
    #[track_caller]
    pub(crate) fn send(self) -> Answer {
        let request = self.request.build().unwrap();
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = self.client.execute(request).unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let answer = Answer { status, headers, body: response.text().unwrap() };
        interface::check(self.document, method.as_str(), &path, &answer);
        answer
    }
}

impl Answer {
    /// Checks status and body, and returns the answer to look further.
    #[track_caller]
    pub(crate) fn expect(self, status: u16, body: &str) -> Answer {
        assert_eq!((self.status, self.body.as_str()), (status, body));
        assert!(self.headers.contains_key("x-request-id"));
        self
    }

    /// Checks that this is a problem of this type, whole in its form, and returns it.
    #[track_caller]
    pub(crate) fn problem(self, status: u16, slug: &str) -> serde_json::Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(problem["type"], format!("/problems/{slug}"), "{problem}");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["instance"], self.header("x-request-id"));
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        assert!(problem["retryable"].is_boolean(), "{problem}");
        problem
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn value(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// Stores a key as the server does: under the id in its middle, by its hash.
fn store_key(database: &Database, key: &str, role: &str) {
    let id = DocumentId::new(key.split('_').nth(1).unwrap()).unwrap();
    let hash: String = Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect();
    let text = format!(r#"{{"name":"{role}","role":"{role}","hash":"{hash}"}}"#);
    let keys = CollectionName::stored("_keys").unwrap();
    let draft = Draft::parse(text.as_bytes()).unwrap();
    let store = |tx: &monsterdb::Transaction| tx.put(&keys, &id, draft.clone());
    database.transact_with(TransactOptions::default(), store).unwrap();
}

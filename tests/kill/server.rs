//! The server as a process, and a client that knows when the process died under it.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Lines},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::Mutex,
};

use reqwest::blocking as http;
use serde_json::{Value, json};

use super::ledger::{Contents, Kind, Write};

const KEY: &str = "a key for tests";

pub(crate) struct Server {
    child: Mutex<Child>,
    address: String,
    /// Kept open, so that the server can go on to write to it.
    _output: Lines<BufReader<ChildStdout>>,
}

pub(crate) struct Client {
    http: http::Client,
    address: String,
}

impl Server {
    /// Starts a server and waits until it says where it listens.
    pub(crate) fn start(data: &Path) -> Server {
        Server::try_start(data).expect("the server says where it listens")
    }

    /// The same, and none when it ends before that.
    pub(crate) fn try_start(data: &Path) -> Option<Server> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_monsterdb"))
            .args(["serve", "--listen", "127.0.0.1:0", "--rate-limit", "off", "--data"])
            .arg(data.join("data"))
            .env("MONSTERDB_ADMIN_KEY", KEY)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = output.by_ref().map_while(Result::ok).find_map(|line| {
            let start = line.find("http://")?;
            Some(line[start..].split_whitespace().next()?.to_owned())
        });
        if address.is_none() {
            child.wait().unwrap();
        }
        Some(Server { child: Mutex::new(child), address: address?, _output: output })
    }

    pub(crate) fn kill(&self) {
        self.child.lock().unwrap().kill().unwrap();
    }

    pub(crate) fn wait(&self) {
        self.child.lock().unwrap().wait().unwrap();
    }

    pub(crate) fn client(&self) -> Client {
        Client { http: http::Client::new(), address: self.address.clone() }
    }

    pub(crate) fn create_accounts(&self, count: u64, balance: i64) {
        let operations: Vec<Value> = (0..count)
            .map(|n| {
                json!({"op": "insert", "collection": "accounts", "id": format!("a{n}"),
                       "document": {"balance": balance}})
            })
            .collect();
        let answer = self.client().post("/transactions/batch", &json!({"operations": operations}));
        assert!(answer.unwrap().status().is_success());
    }

    /// Every document of the two collections.
    pub(crate) fn contents(&self) -> Contents {
        let client = self.client();
        ["accounts", "records"].map(|name| (name.to_owned(), client.read_all(name))).into()
    }
}

impl Drop for Server {
    /// Ends the process, also when the test has failed. It may be dead already.
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap();
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Client {
    /// Sends a write; none when the server died before it answered.
    pub(crate) fn send(&self, write: &Write) -> Option<()> {
        let answer = match write.kind {
            Kind::Insert { .. } => self.post("/collections/records/documents", &write.record()),
            Kind::Transfer { from, to, amount } => {
                let add = |account, amount: i64| {
                    json!({"op": "update", "collection": "accounts", "id": format!("a{account}"),
                           "update": {"$inc": {"balance": amount}}})
                };
                let record = json!({"op": "insert", "collection": "records", "id": write.id,
                                    "document": write.record()});
                let operations = [add(from, -amount), add(to, amount), record];
                self.post("/transactions/batch", &json!({"operations": operations}))
            }
        };
        let answer = answer.ok()?;
        let status = answer.status();
        let text = answer.text().ok()?;
        assert!(status.is_success(), "{write:?}: {status} {text}");
        Some(())
    }

    pub(crate) fn get(&self, path: &str) -> reqwest::Result<http::Response> {
        self.http.get(format!("{}{path}", self.address)).header("X-API-Key", KEY).send()
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> reqwest::Result<http::Response> {
        self.http
            .post(format!("{}{path}", self.address))
            .header("X-API-Key", KEY)
            .header("Content-Type", "application/json")
            .body(body.to_string())
            .send()
    }

    /// Every document of a collection, by its id.
    pub(crate) fn read_all(&self, collection: &str) -> BTreeMap<String, Value> {
        let mut documents = BTreeMap::new();
        let mut last = String::new();
        loop {
            let filter = if last.is_empty() { json!({}) } else { json!({"_id": {"$gt": last}}) };
            let body = json!({"filter": filter, "limit": 1000});
            let answer = self.post(&format!("/collections/{collection}/query"), &body).unwrap();
            let page: Value = serde_json::from_str(&answer.text().unwrap()).unwrap();
            let page = page["documents"].as_array().unwrap().clone();
            let Some(end) = page.last() else { return documents };
            last = end["_id"].as_str().unwrap().to_owned();
            for document in page {
                let id = document["_id"].as_str().unwrap().to_owned();
                assert_eq!(documents.insert(id, document), None, "a document is there twice");
            }
        }
    }
}

//! Asking a server.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::Duration,
};

use reqwest::{Method, blocking as http, header::HeaderMap};
use serde_json::Value;

/// Shorter than the defaults of those settings that a test makes shorter still.
pub(crate) const PATIENCE: Duration = Duration::from_secs(8);

/// A client with a key.
pub(crate) struct Client {
    http: http::Client,
    address: String,
    key: String,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Client {
    pub(crate) fn new(address: &str, key: &str) -> Client {
        let http = http::Client::builder().no_proxy().timeout(Duration::from_secs(60));
        let http = http.build().unwrap();
        Client { http, address: address.to_owned(), key: key.to_owned() }
    }

    /// The same with another key.
    pub(crate) fn with_key(&self, key: &str) -> Client {
        Client { http: self.http.clone(), address: self.address.clone(), key: key.to_owned() }
    }

    /// Sends a request; with a body it is one of JSON.
    pub(crate) fn try_ask(&self, method: &str, path: &str, body: &str) -> reqwest::Result<Answer> {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.http.request(method, format!("http://{}{path}", self.address));
        let request = request.header("X-API-Key", &self.key);
        let request = match body {
            "" => request,
            _ => request.header("Content-Type", "application/json").body(body.to_owned()),
        };
        let response = request.send()?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer { status, headers, text: response.text()? })
    }

    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        self.try_ask(method, path, body).unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "")
    }

    /// Inserts a document into the collection `c`.
    #[track_caller]
    pub(crate) fn insert(&self) {
        self.ask("POST", "/collections/c/documents", "{}").expect(201);
    }

    /// How the database is doing, in numbers.
    pub(crate) fn stats(&self) -> Value {
        self.get("/admin/stats").expect(200)
    }

    /// A stream of changes, of which a line with this text has come.
    pub(crate) fn stream_until(&self, path: &str, text: &str) -> TcpStream {
        let mut stream = self.raw(&format!("GET {path}"), "Accept: text/event-stream\r\n\r\n");
        read_until(&mut stream, text);
        stream
    }

    /// A connection on which the first line of a request with a key is sent, and then this.
    pub(crate) fn raw(&self, first: &str, rest: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let key = &self.key;
        let text = format!("{first} HTTP/1.1\r\nHost: test\r\nX-API-Key: {key}\r\n{rest}");
        stream.write_all(text.as_bytes()).unwrap();
        stream
    }
}

impl Answer {
    /// Checks the status, and returns the body as JSON.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Reads until this text has come.
#[track_caller]
pub(crate) fn read_until(stream: &mut TcpStream, text: &str) {
    let mut read = Vec::new();
    let mut bytes = [0; 1024];
    while !String::from_utf8_lossy(&read).contains(text) {
        let count = stream.read(&mut bytes).unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&bytes[..count]);
    }
}

/// All that still comes on a connection until the server closes it.
#[track_caller]
pub(crate) fn to_the_end(mut stream: TcpStream) -> String {
    let mut text = String::new();
    match stream.read_to_string(&mut text) {
        Ok(_) => text,
        Err(error) if error.kind() == ErrorKind::ConnectionReset => text,
        Err(error) => panic!("{error}, after {text:?}"),
    }
}

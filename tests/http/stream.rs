//! A client that follows the changes, event by event.

use std::{
    io::{BufRead, BufReader},
    time::Duration,
};

use reqwest::blocking::{Client, Response};

use crate::server::Server;

pub(crate) const EVENTS: &str = "text/event-stream";
pub(crate) const LINES: &str = "application/x-ndjson";

/// A stream of changes that is read.
pub(crate) struct Stream {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    body: BufReader<Response>,
    /// The id that the last block of lines had, as a browser keeps it.
    pub(crate) last_id: Option<u64>,
}

/// One block of lines that carries data.
#[derive(Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) id: Option<u64>,
    pub(crate) event: String,
    pub(crate) data: String,
}

impl Stream {
    /// Begins to follow with the admin key.
    pub(crate) fn open(server: &Server, accept: &str, path: &str) -> Stream {
        Stream::open_with(server, &server.key, accept, path, None)
    }

    /// Begins to follow, or comes back behind an event.
    pub(crate) fn open_with(
        server: &Server,
        key: &str,
        accept: &str,
        path: &str,
        last_id: Option<u64>,
    ) -> Stream {
        let opened =
            Stream::try_open(&format!("http://{}{path}", server.address), key, accept, last_id);
        opened.unwrap()
    }

    pub(crate) fn try_open(
        url: &str,
        key: &str,
        accept: &str,
        last_id: Option<u64>,
    ) -> reqwest::Result<Stream> {
        // A stream that says nothing more fails its test after a while.
        let client = Client::builder().timeout(Duration::from_secs(120)).build()?;
        let mut request = client.get(url).header("X-API-Key", key).header("Accept", accept);
        if let Some(id) = last_id {
            request = request.header("Last-Event-ID", id.to_string());
        }
        let response = request.send()?;
        Ok(Stream {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: BufReader::new(response),
            last_id,
        })
    }

    /// The next line; none at the end, also when the connection breaks off.
    pub(crate) fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.body.read_line(&mut line) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(line),
        }
    }

    /// The next lines up to an empty one.
    pub(crate) fn block(&mut self) -> Option<String> {
        let mut block = String::new();
        loop {
            match self.line()?.as_str() {
                "\n" => return Some(block),
                line => block.push_str(line),
            }
        }
    }

    /// The next event, read as a browser does.
    pub(crate) fn event(&mut self) -> Option<Event> {
        loop {
            let block = self.block()?;
            let field = |name: &str| {
                let name = format!("{name}: ");
                block.lines().find_map(|line| line.strip_prefix(&name)).map(str::to_owned)
            };
            let id: Option<u64> = field("id").map(|id| id.parse().unwrap());
            self.last_id = id.or(self.last_id);
            if let Some(data) = field("data") {
                return Some(Event { id, event: field("event").unwrap_or_default(), data });
            }
        }
    }

    /// The next commit's data, without its time.
    #[track_caller]
    pub(crate) fn commit(&mut self) -> String {
        let event = self.event().unwrap();
        assert_eq!(event.event, "commit", "{event:?}");
        without_time(&event.data)
    }

    /// The rest of it.
    pub(crate) fn rest(&mut self) -> String {
        std::iter::from_fn(|| self.line()).collect()
    }
}

/// A text with changes, their times taken out.
pub(crate) fn without_time(text: &str) -> String {
    let mut parts = text.split(r#""time":""#);
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        let (time, rest) = part.split_once(r#"","#).unwrap();
        assert!(time.len() == 27 && time.ends_with('Z'), "{time} is no time");
        out.push_str(rest);
    }
    out
}

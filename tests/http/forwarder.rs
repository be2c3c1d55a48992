//! A server in front of another one, that passes on every request and notes down what passed.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use reqwest::{
    Method,
    blocking::{Client, Response},
    header::{HeaderMap, HeaderName, HeaderValue},
};

use crate::server::Answer;

/// A request and what it was answered with.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) method: String,
    /// With its query string.
    pub(crate) path: String,
    /// Empty where there is no body.
    pub(crate) media_type: String,
    pub(crate) body: String,
    pub(crate) answer: Answer,
}

/// A running forwarder.
pub(crate) struct Forwarder {
    pub(crate) address: SocketAddr,
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Exchange>>,
}

/// A request as it was read.
struct Request {
    method: String,
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// What is about one connection and not about the request, or is said anew.
const OF_THE_CONNECTION: [&str; 4] = ["host", "connection", "content-length", "transfer-encoding"];

impl Forwarder {
    /// A forwarder to this address, on a free port.
    pub(crate) fn to(target: SocketAddr) -> Forwarder {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let is_over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&is_over);
        let thread = thread::spawn(move || serve(&listener, target, &told));
        Forwarder { address, is_over, thread }
    }

    /// Ends it, when every connection is closed, and tells what passed.
    pub(crate) fn stop(self) -> Vec<Exchange> {
        self.is_over.store(true, Ordering::SeqCst);
        // It is asleep until somebody comes.
        drop(TcpStream::connect(self.address).unwrap());
        self.thread.join().unwrap()
    }
}

fn serve(listener: &TcpListener, target: SocketAddr, is_over: &AtomicBool) -> Vec<Exchange> {
    let client = Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
    let (client, passed) = (&client, &Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for stream in listener.incoming() {
            if is_over.load(Ordering::SeqCst) {
                break;
            }
            let stream = stream.unwrap();
            scope.spawn(move || {
                let exchange = pass_on(stream, client, target);
                passed.lock().unwrap().push(exchange);
            });
        }
    });
    std::mem::take(&mut passed.lock().unwrap())
}

/// One request of a connection, which is closed after its answer.
fn pass_on(mut stream: TcpStream, client: &Client, target: SocketAddr) -> Exchange {
    let Request { method, path, headers, body } = Request::read(&stream);
    let media_type = headers.get("content-type").map_or("", |value| value.to_str().unwrap());
    let media_type = if body.is_empty() { String::new() } else { media_type.to_owned() };
    let request = client
        .request(Method::from_bytes(method.as_bytes()).unwrap(), format!("http://{target}{path}"));
    let response = request.headers(headers).body(body.clone()).send().unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = answer(response, &mut stream);
    Exchange {
        method,
        path,
        media_type,
        body: String::from_utf8(body).unwrap(),
        answer: Answer { status, headers, body: String::from_utf8_lossy(&text).into_owned() },
    }
}

/// Writes the answer as it comes, and returns what there was of its body. One without an end is
/// read until nobody takes it any more.
fn answer(mut response: Response, stream: &mut TcpStream) -> Vec<u8> {
    let status = response.status();
    let reason = status.canonical_reason().unwrap_or_default();
    let mut head = format!("HTTP/1.1 {} {reason}\r\nconnection: close\r\n", status.as_u16());
    for (name, value) in response.headers() {
        if name == "content-length" || !OF_THE_CONNECTION.contains(&name.as_str()) {
            head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
        }
    }
    head.push_str("\r\n");
    let has_end = response.content_length().is_some();
    let mut is_taken = stream.write_all(head.as_bytes()).is_ok();
    let (mut all, mut piece) = (Vec::new(), [0; 8192]);
    while is_taken || has_end {
        let read = response.read(&mut piece).unwrap();
        if read == 0 {
            break;
        }
        all.extend_from_slice(&piece[..read]);
        is_taken = is_taken && stream.write_all(&piece[..read]).is_ok();
    }
    all
}

impl Request {
    fn read(stream: &TcpStream) -> Request {
        let mut reader = BufReader::new(stream);
        let mut line = || {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            line.trim_end().to_owned()
        };
        let first = line();
        let mut words = first.split(' ');
        let (method, path) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
        let mut headers = HeaderMap::new();
        let mut length = 0;
        loop {
            let line = line();
            let Some((name, value)) = line.split_once(": ") else { break };
            let name: HeaderName = name.parse().unwrap();
            if name == "content-length" {
                length = value.parse().unwrap();
            }
            if !OF_THE_CONNECTION.contains(&name.as_str()) {
                headers.append(name, HeaderValue::from_str(value).unwrap());
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        Request { method, path, headers, body }
    }
}

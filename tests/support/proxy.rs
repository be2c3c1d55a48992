//! A proxy between a client and a server that does not always do what it says.

use std::{
    io::{BufRead, BufReader, Read, Result, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

/// What becomes of a request.
#[derive(Debug, Clone)]
pub(crate) enum Fate {
    /// It is passed on, and its answer back.
    Pass,
    /// It is answered with a status and a JSON body, and not passed on.
    Lie(u16, String),
    /// It is passed on twice, and the second answer back.
    Twice,
    /// It is passed on, and in its answer a text is replaced once by another of the same length.
    Alter(String, String),
    /// The connection is closed instead.
    Cut,
    /// It is passed on, and then the connection is closed.
    CutAfter,
    /// It is not answered, and passed on when the client has given up.
    Late,
}

/// A request on its way.
pub(crate) struct Passing<'a> {
    /// Such as `POST /collections/c/documents`.
    pub(crate) line: &'a str,
    /// The head, in lower case.
    pub(crate) head: &'a str,
    pub(crate) body: &'a str,
}

/// A running proxy. It takes no more connections when it is dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// A request or an answer as it came.
struct Message {
    head: String,
    body: Vec<u8>,
}

impl Proxy {
    /// A proxy of the server at an address, which asks `judge` about every request.
    pub(crate) fn start(
        server: SocketAddr,
        judge: impl Fn(&Passing<'_>) -> Fate + Send + Sync + 'static,
    ) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stopped = Arc::new(AtomicBool::new(false));
        let (seen, judge) = (Arc::clone(&stopped), Arc::new(judge));
        let thread = thread::spawn(move || {
            for client in listener.incoming() {
                if seen.load(Ordering::SeqCst) {
                    break;
                }
                let judge = Arc::clone(&judge);
                // A connection that breaks is for the client to notice.
                thread::spawn(move || relay(client?, server, &*judge));
            }
        });
        Proxy { address, stopped, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // It waits for a connection.
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().unwrap().join();
    }
}

fn relay(
    client: TcpStream,
    server: SocketAddr,
    judge: &dyn Fn(&Passing<'_>) -> Fate,
) -> Result<()> {
    let mut back = client.try_clone()?;
    let mut client = BufReader::new(client);
    let mut server = BufReader::new(TcpStream::connect(server)?);
    back.set_nodelay(true)?;
    server.get_ref().set_nodelay(true)?;
    while let Some(request) = Message::read(&mut client)? {
        let head = request.head.to_lowercase();
        let line = request.head.lines().next().unwrap_or_default();
        let line = line.trim_end_matches(" HTTP/1.1");
        let body = String::from_utf8_lossy(&request.body);
        match judge(&Passing { line, head: &head, body: &body }) {
            fate @ (Fate::Pass | Fate::Twice) => {
                if let Fate::Twice = fate {
                    request.write(server.get_mut())?;
                    Message::read(&mut server)?;
                }
                request.write(server.get_mut())?;
                let answer = Message::read(&mut server)?;
                answer.map_or(Ok(()), |answer| answer.write(&mut back))?;
            }
            Fate::Alter(from, to) => {
                request.write(server.get_mut())?;
                if let Some(mut answer) = Message::read(&mut server)? {
                    answer.alter(from.as_bytes(), to.as_bytes());
                    answer.write(&mut back)?;
                }
            }
            Fate::Lie(status, body) => {
                let length = body.len();
                write!(
                    back,
                    "HTTP/1.1 {status} Told\r\nContent-Type: application/json\r\n\
                     Content-Length: {length}\r\n\r\n{body}"
                )?;
            }
            Fate::Cut => return Ok(()),
            Fate::CutAfter => {
                request.write(server.get_mut())?;
                Message::read(&mut server)?;
                return Ok(());
            }
            Fate::Late => {
                while client.read(&mut [0; 64])? > 0 {}
                request.write(server.get_mut())?;
                Message::read(&mut server)?;
                return Ok(());
            }
        }
    }
    Ok(())
}

impl Message {
    /// The next one, none at the end of the connection.
    fn read(from: &mut impl BufRead) -> Result<Option<Message>> {
        let mut head = String::new();
        loop {
            let before = head.len();
            if from.read_line(&mut head)? == 0 {
                return Ok(None);
            }
            if head[before..].trim_end().is_empty() {
                break;
            }
        }
        let lower = head.to_lowercase();
        let field =
            |name: &str| lower.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let mut body = Vec::new();
        if field("transfer-encoding:") == Some("chunked") {
            while read_chunk(from, &mut body)? {}
        } else if let Some(length) = field("content-length:") {
            from.take(length.parse().unwrap()).read_to_end(&mut body)?;
        }
        Ok(Some(Message { head, body }))
    }

    fn alter(&mut self, from: &[u8], to: &[u8]) {
        assert_eq!(from.len(), to.len(), "the length of the answer stays");
        let place = self.body.windows(from.len()).position(|window| window == from);
        let place = place.expect("the text is in the answer");
        self.body[place..place + to.len()].copy_from_slice(to);
    }

    fn write(&self, to: &mut impl Write) -> Result<()> {
        to.write_all(&[self.head.as_bytes(), &self.body].concat())
    }
}

/// Reads a chunk as it is, and says whether it was not the last one.
fn read_chunk(from: &mut impl BufRead, to: &mut Vec<u8>) -> Result<bool> {
    let mut size = String::new();
    from.read_line(&mut size)?;
    to.extend_from_slice(size.as_bytes());
    let length = u64::from_str_radix(size.trim(), 16).unwrap_or(0);
    // With the end of the line behind it.
    from.take(length + 2).read_to_end(to)?;
    Ok(length > 0)
}

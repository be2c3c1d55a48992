//! The REST server beside a bare handler of the same framework, and beside the engine alone.
//!
//! ```text
//! cargo bench -p benches --bench serve [-- CONNECTIONS [SECONDS [REPETITIONS]]]
//! cargo bench -p benches --bench serve -- --test      once, for a second: does it work?
//! ```
//!
//! One client asks all of them: a thread and a connection for each that is open at once, kept alive,
//! one request after the other, nothing pipelined. The bare handler answers a constant body of 323
//! bytes, the server a stored document of about as many, and writes its log as it does by default,
//! to nowhere; both run in this process with as many workers as the machine has processors, and
//! share them with the client. These ratios differ by a tenth from one repetition to the next:
//! fifteen of one second (`64 1 15`) tell more than five of three. Repetitions alternate (A B
//! C D, A B C D, …); what is told are medians, and the median of the ratios of each repetition.

use std::{
    error::Error,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::ExitCode,
    sync::{
        Barrier, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use actix_web::{App, HttpServer, rt, web};
use monsterdb::{
    Database, Json,
    server::{ServeOptions, Server},
};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Bytes of the constant answer.
const BODY_BYTES: usize = 323;

/// Documents to read.
const DOCUMENTS: usize = 10_000;

/// What one measurement gave.
struct Figures {
    per_second: f64,
    p50: Duration,
    p99: Duration,
}

/// What a client does on its connection, again and again.
type Step<'a> = dyn Fn(&mut Client, usize) -> Result<()> + Sync + 'a;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    arguments.retain(|argument| argument != "--bench");
    if arguments.iter().any(|argument| argument == "--test") {
        arguments = ["2", "1", "1"].map(str::to_owned).to_vec();
    }
    let mut numbers = arguments.iter();
    let mut number = |default: u64| numbers.next().map_or(Ok(default), |text| text.parse());
    let (connections, seconds, repetitions) = (number(64)? as usize, number(3)?, number(5)?);
    let time = Duration::from_secs(seconds);

    tracing_subscriber::fmt().with_writer(std::io::sink).init();

    // Beside the build, on the device that holds it.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let bare = start_bare()?;
    let (served, engine) = (folder.path().join("served"), folder.path().join("engine"));
    let (address, stop, server) = start_server(&served)?;
    let database = Database::open(&engine)?;

    let names = ["bare handler", "GET by id", "POST, durable", "engine, durable inserts"];
    let mut rows: [Vec<Figures>; 4] = Default::default();
    for repetition in 1..=repetitions {
        eprintln!("repetition {repetition} of {repetitions}");
        let get_bare = |client: &mut Client, _| client.ask("GET", "/", "");
        let get = |client: &mut Client, turn: usize| {
            let id = turn.wrapping_mul(7919) % DOCUMENTS;
            client.ask("GET", &format!("/collections/c/documents/{id:05}"), "")
        };
        let post = |client: &mut Client, _| {
            client.ask("POST", "/collections/inserted/documents", &document("insert"))
        };
        rows[0].push(measure(bare, connections, time, &get_bare)?);
        rows[1].push(measure(address, connections, time, &get)?);
        rows[2].push(measure(address, connections, time, &post)?);
        rows[3].push(measure_engine(&database, connections, time)?);
    }
    stop.stop();
    server.join().map_err(|_| "the server panicked")??;
    database.close()?;
    report(&names, &rows, connections);
    Ok(())
}

fn report(names: &[&str; 4], rows: &[Vec<Figures>; 4], connections: usize) {
    println!("{connections} connections, one request at a time on each");
    println!("{:<26}{:>12}{:>12}{:>12}", "", "requests/s", "p50 us", "p99 us");
    for (name, row) in names.iter().zip(rows) {
        let figure = |of: fn(&Figures) -> f64| median(row.iter().map(of).collect());
        let (rate, p50) = (figure(|row| row.per_second), figure(|row| micros(row.p50)));
        println!("{name:<26}{rate:>12.0}{p50:>12.0}{:>12.0}", figure(|row| micros(row.p99)));
    }
    let ratio = |one: usize, other: usize| {
        let pairs = rows[one].iter().zip(&rows[other]);
        median(pairs.map(|(one, other)| one.per_second / other.per_second).collect())
    };
    println!("GET by id / bare handler:   {:.2} (at least 0.7 is aimed at)", ratio(1, 0));
    println!("POST / engine:              {:.2} (at least 0.5, or 20,000/s)", ratio(2, 3));
}

/// A server that answers everything with the same.
fn start_bare() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let body: &'static str = Box::leak("x".repeat(BODY_BYTES).into_boxed_str());
    thread::spawn(move || {
        let served = rt::System::new().block_on(async move {
            let app = move || App::new().route("/", web::get().to(move || async move { body }));
            HttpServer::new(app).workers(processors()).listen(listener)?.run().await
        });
        if let Err(error) = served {
            eprintln!("the bare server failed: {error}");
        }
    });
    Ok(address)
}

type Serving = thread::JoinHandle<std::result::Result<(), monsterdb::server::ServeError>>;

fn start_server(path: &Path) -> Result<(SocketAddr, monsterdb::server::StopHandle, Serving)> {
    let database = Database::open(path)?;
    let documents = database.collection::<Json>("c")?;
    database.transact(|tx| {
        let documents = tx.collection::<Json>("c")?;
        (0..DOCUMENTS).try_for_each(|n| {
            let text = document(&format!("{n:05}"));
            documents.put(&format!("{n:05}"), &Json::parse(&text)?)
        })
    })?;
    drop(documents);
    let mut options = ServeOptions::new("127.0.0.1:0".parse()?);
    options.no_auth = true;
    let server = Server::bind(database, options)?;
    let (address, stop) = (server.address(), server.handle());
    Ok((address, stop, thread::spawn(move || server.run())))
}

/// A document of about as many bytes as the constant answer.
fn document(name: &str) -> String {
    format!(r#"{{"name":"{name}","text":"{}"}}"#, "x".repeat(BODY_BYTES - 50))
}

/// How often a step can be done in a time, on so many connections at once.
fn measure(
    address: SocketAddr,
    connections: usize,
    time: Duration,
    step: &Step<'_>,
) -> Result<Figures> {
    let clients = (0..connections).map(|_| Client::connect(address));
    let clients = clients.collect::<Result<Vec<_>>>()?;
    repeat(clients, time, |client, turn| step(client, turn))
}

fn measure_engine(database: &Database, threads: usize, time: Duration) -> Result<Figures> {
    let inserted = database.collection::<Json>("inserted")?;
    let document = Json::parse(&document("insert"))?;
    repeat(vec![(); threads], time, |(), _| {
        inserted.insert(&document)?;
        Ok(())
    })
}

/// Repeats a step on a thread for each of these, and takes the time of each one.
fn repeat<C: Send>(
    clients: Vec<C>,
    time: Duration,
    step: impl Fn(&mut C, usize) -> Result<()> + Sync,
) -> Result<Figures> {
    let (barrier, over) = (Barrier::new(clients.len() + 1), AtomicBool::new(false));
    let all: Mutex<Vec<Duration>> = Mutex::default();
    let failed: Mutex<Option<Box<dyn Error + Send + Sync>>> = Mutex::default();
    let elapsed = thread::scope(|scope| {
        for (place, mut client) in clients.into_iter().enumerate() {
            let (barrier, over, all, failed, step) = (&barrier, &over, &all, &failed, &step);
            scope.spawn(move || {
                let mut times = Vec::new();
                barrier.wait();
                let mut turn = place * 1_000_003;
                while !over.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    if let Err(error) = step(&mut client, turn) {
                        *failed.lock().expect("nobody panics with it") = Some(error);
                        return;
                    }
                    times.push(begun.elapsed());
                    turn = turn.wrapping_add(1);
                }
                all.lock().expect("nobody panics with it").extend(times);
            });
        }
        barrier.wait();
        let begun = Instant::now();
        thread::sleep(time);
        over.store(true, Ordering::Relaxed);
        begun.elapsed()
    });
    if let Some(error) = failed.into_inner()? {
        return Err(error);
    }
    let mut times = all.into_inner()?;
    times.sort_unstable();
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied();
    let per_second = times.len() as f64 / elapsed.as_secs_f64();
    let (p50, p99) = (at(0.5).ok_or("nothing was done")?, at(0.99).unwrap_or_default());
    Ok(Figures { per_second, p50, p99 })
}

/// A connection that is kept.
struct Client(BufReader<TcpStream>);

impl Client {
    fn connect(address: SocketAddr) -> Result<Client> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Client(BufReader::new(stream)))
    }

    /// Sends a request and reads its answer to the end.
    fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<()> {
        let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: bench\r\n{kind}Content-Length: {length}\r\n\r\n{body}"
        );
        self.0.get_mut().write_all(request.as_bytes())?;
        let mut line = String::new();
        let mut length = 0;
        self.0.read_line(&mut line)?;
        if !line.starts_with("HTTP/1.1 2") {
            return Err(format!("{method} {path} was answered with {line}").into());
        }
        loop {
            line.clear();
            self.0.read_line(&mut line)?;
            if line == "\r\n" {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok(())
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

//! Histories over HTTP that go on over kills: the program is ended by SIGKILL while clients are at
//! work, and started again on the same directory.

use std::{
    io::{BufRead, BufReader, Lines},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    explanation::Explanation,
    http::{self, Connection, Http, KEY},
    plan::{Plan, Random},
    recorder::Recorder,
    seeds,
    shares::{self, Shares},
    workload::{Client, Gone, Workload},
};

/// Kills of one database.
const KILLS: u64 = 8;

#[test]
fn across_kills() {
    let mut shares = Shares::default();
    for seed in 0..seeds(1) {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let (mut random, recorder) = (Random(seed), Recorder::default());
        for generation in 0..KILLS {
            let program = Program::start(folder.path());
            if generation == 0 {
                http::make_counters(&Connection::new(&program.address));
            }
            // The kill comes at the end of some plan, while the other clients are under way.
            let (ended, fatal) = (AtomicU64::new(0), 60 + random.below(60));
            let client = || Doomed {
                http: Http(Connection::new(&program.address)),
                program: &program,
                ended: &ended,
                fatal,
            };
            let seed = seed * KILLS + generation;
            Workload { seed, clients: 4, plans: u64::MAX }.run(&recorder, client);
            program.wait();
            shares.count("kill", 1);
        }
        let program = Program::start(folder.path());
        http::read_all(Connection::new(&program.address), &recorder);
        let mut history = recorder.into_history();
        let explanation = Explanation::of(&mut history);
        shares.count("unanswered", explanation.fates.sum());
        shares.add(&history, &explanation);
        explanation.assert_good();
    }
    let met: &[&str] = &["unanswered"];
    shares.require("across kills", &[shares::ALWAYS, http::OVER_HTTP, met]);
}

/// A negative control: between two lives of the program its log loses the last record, which was
/// acknowledged. No server notices a tail that is gone; the history does.
#[test]
fn a_lost_acknowledgement_is_found() {
    let (folder, recorder) =
        (tempfile::tempdir().expect("a temporary directory"), Recorder::default());
    let program = Program::start(folder.path());
    let connection = Connection::new(&program.address);
    http::make_counters(&connection);
    let mut client = Http(connection);
    let increment = Plan::of_one_increment();
    for plan in [Plan::new(&mut Random(1)), Plan::new(&mut Random(2)), increment] {
        client.run(&mut { plan }, &recorder).expect("the server is there");
    }
    program.kill();
    program.wait();
    forget_last_record(&folder.path().join("data/wal"));
    let program = Program::start(folder.path());
    http::read_all(Connection::new(&program.address), &recorder);
    let Explanation { serial, .. } = Explanation::of(&mut recorder.into_history());
    let found = serial.expect_err("something is lost").to_string();
    assert!(found.starts_with("version before its time"), "{found}");
}

/// Overwrites the last record of a log with zeros, as what was never written.
fn forget_last_record(log: &Path) {
    let names = std::fs::read_dir(log).expect("the log is there");
    let paths = names.map(|name| name.expect("it can be listed").path());
    let mut segments: Vec<_> = paths
        .filter_map(|path| {
            let bytes = std::fs::read(&path).expect("it can be read");
            let end = bytes.iter().rposition(|byte| *byte != 0)?;
            let lines = bytes[..end].iter().filter(|byte| **byte == b'\n').count();
            (lines > 0).then_some((path, bytes, end))
        })
        .collect();
    segments.sort();
    let (path, mut bytes, end) = segments.pop().expect("something was logged");
    let start = bytes[..end].iter().rposition(|byte| *byte == b'\n').expect("it has more records");
    bytes[start + 1..].fill(0);
    std::fs::write(path, bytes).expect("it can be written");
}

/// A client, one of whose kind kills the server.
struct Doomed<'a> {
    http: Http,
    program: &'a Program,
    /// Plans that ended so far.
    ended: &'a AtomicU64,
    fatal: u64,
}

impl Client for Doomed<'_> {
    fn run(&mut self, plan: &mut Plan, recorder: &Recorder) -> Result<(), Gone> {
        self.http.run(plan, recorder)?;
        if self.ended.fetch_add(1, Ordering::Relaxed) + 1 == self.fatal {
            self.program.kill();
        }
        Ok(())
    }
}

/// The running program. Dropped, it is killed.
struct Program {
    child: Mutex<Child>,
    /// `http://127.0.0.1:…`
    address: String,
    /// Kept open, so that the server can go on to write to it.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Program {
    /// Starts a server and waits until it says where it listens.
    fn start(folder: &Path) -> Program {
        let mut child = Command::new(env!("CARGO_BIN_EXE_monsterdb"))
            .args(["serve", "--listen", "127.0.0.1:0", "--rate-limit", "off", "--data"])
            .arg(folder.join("data"))
            .env("MONSTERDB_ADMIN_KEY", KEY)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let output = child.stdout.take().expect("it is piped");
        let mut output = BufReader::new(output).lines();
        let address = output.by_ref().map_while(Result::ok).find_map(|line| {
            let start = line.find("http://")?;
            Some(line[start..].split_whitespace().next()?.to_owned())
        });
        let address = address.expect("the server says where it listens");
        Program { child: Mutex::new(child), address, _output: output }
    }

    fn kill(&self) {
        self.child.lock().expect("nobody panicked").kill().expect("it can be killed");
    }

    /// Waits until it is dead.
    fn wait(&self) {
        self.child.lock().expect("nobody panicked").wait().expect("it can be waited for");
    }
}

impl Drop for Program {
    /// Ends the process, also when the test has failed. It may be dead already.
    fn drop(&mut self) {
        let child = self.child.get_mut().expect("nobody panicked");
        let _ = child.kill();
        let _ = child.wait();
    }
}

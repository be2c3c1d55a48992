//! `load-test`: many users at once drive a real server, and then everything that must be there is
//! looked for.
//!
//! Each user is a thread with a connection of its own. It reads, inserts, changes and deletes
//! documents that nobody else writes, so that it knows exactly what must be there ([`model`]), and
//! raises counters that all users share, so that there are conflicts ([`counters`]). How often, says
//! the pace ([`pace`]); what, the mix ([`mix`], dealt by [`deal`]); both from one seed. All of it happens in one
//! collection that is made for the run.
//!
//! A write that was not answered for certain allows two states, that with it and that without. All
//! else allows one: what was acknowledged. So every finding is a broken promise of the server, and
//! none is one of chance.
//!
//! Invariant: a run passes only if at its end the server holds what it acknowledged, all of it,
//! once, unchanged, and nothing else; and if no user read anything else on the way.

mod check;
mod connection;
mod content;
mod counters;
mod deal;
mod dice;
mod finding;
mod mix;
mod model;
mod pace;
mod report;
mod table;
mod tally;
mod user;

pub use finding::{Finding, Findings, Kind};
pub use mix::{Mix, Operation};
pub use pace::Rate;
pub use report::{Check, Concurrency, Latency, Report, Row, Throughput};

use std::{
    io, panic,
    sync::{Condvar, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use clap::Args;

use super::{Failure, interrupt::Interrupt, output::Output, remote::Client, values::parse_pause};
use crate::{
    error::Error,
    names::{CollectionName, DocumentId},
};
use check::Checked;
use connection::{Connection, Peer};
use counters::Counters;
use deal::Deal;
use dice::Dice;
use model::Documents;
use pace::Pace;
use report::Material;
use tally::Tally;
use user::{Course, User};

/// Users of a run: each takes two threads and a connection.
const USERS_MAX: i64 = 5_000;

/// Drive a server with many users at once, then check everything it holds.
#[derive(Debug, Args)]
pub struct LoadTestArgs {
    /// The running server, e.g. http://127.0.0.1:7117
    #[arg(long, value_name = "URL")]
    pub url: String,

    /// The API key for the server; of the role admin, or the collection stays
    #[arg(long, env = "MONSTERDB_API_KEY", hide_env_values = true, value_name = "KEY")]
    pub key: Option<String>,

    /// Users at once
    #[arg(long, value_name = "N", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(1..=USERS_MAX))]
    pub users: u32,

    /// Writes a minute of all users together, or unlimited; reads come in proportion, by the mix
    #[arg(long, value_name = "N", default_value = "1000")]
    pub writes_per_minute: Rate,

    /// How long, e.g. 60s or 5m
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_pause)]
    pub duration: Duration,

    /// End when each user has done so many operations, if that is sooner
    #[arg(long, value_name = "N")]
    pub operations: Option<u64>,

    /// How often each operation comes, in any shares
    #[arg(long, value_name = "SHARES", default_value = "read=70,insert=15,update=10,delete=5")]
    pub mix: Mix,

    /// The collection to make for the run, by default one of a new name
    #[arg(long, short, value_name = "NAME")]
    pub collection: Option<CollectionName>,

    /// Leave the collection where it is; it also stays when something was wrong with it
    #[arg(long)]
    pub keep: bool,

    /// How long a request may take
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_pause)]
    pub timeout: Duration,

    /// The seed of everything random, as a report tells it, by default a new one
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

/// Where users wait until all are there.
#[derive(Default)]
struct Gate {
    /// The beginning of the run; none inside when it does not begin.
    opened: Mutex<Option<Option<Instant>>>,
    changed: Condvar,
}

/// Runs and reports; a failure if the server holds anything else than it must.
pub(super) fn run(args: &LoadTestArgs, json: bool) -> Result<(), Failure> {
    let interrupt = Interrupt::listen();
    if !json {
        eprintln!("{} users for {}", args.users, humantime::format_duration(args.duration));
    }
    let report = args.drive(&|| interrupt.is_asked(), |_| {})?;
    let mut output = Output::new();
    output.line(&if json { report.to_json() } else { report.to_string() })?;
    output.finish()?;
    if report.kept && !json {
        eprintln!("the collection {} is kept", report.collection);
    }
    report.verdict()
}

impl LoadTestArgs {
    /// Drives the server, checks what it holds, and tells. It ends early when `is_stopped` says so.
    /// `before_check` is called between the last operation and the check, with the collection's name,
    /// for tests that plant something there.
    ///
    /// # Errors
    ///
    /// When the run cannot begin. That the server holds something else than it must, or cannot be
    /// asked at the end, is told by the report.
    pub fn drive(
        &self,
        is_stopped: &(dyn Fn() -> bool + Sync),
        before_check: impl FnOnce(&CollectionName),
    ) -> Result<Report, Failure> {
        let client = Client::new(&self.url, self.key.as_deref())?;
        let collection = match &self.collection {
            Some(name) => name.clone(),
            None => CollectionName::new(&format!("load-test-{}", DocumentId::generate()))
                .map_err(Error::from)?,
        };
        require_absent(&client, &collection)?;
        let counters = Counters::new(self.users);
        client.insert_many(&collection, counters.documents())?;

        let seed = self.seed.unwrap_or_else(random_seed);
        let tally = Tally::new();
        let url = self.url.trim_end_matches('/');
        let peer =
            Peer { url, key: self.key.as_deref(), collection: &collection, timeout: self.timeout };
        let course = Course {
            counters: &counters,
            tally: &tally,
            duration: self.duration,
            operations: self.operations,
            is_stopped,
        };
        let (documents, elapsed) = self.let_users_run(&course, &peer, seed)?;
        before_check(&collection);
        // What was measured is told in any case.
        let checked = check::check(&client, &collection, &documents, &counters);
        let checked = checked.unwrap_or_else(|failure| Checked {
            unasked: Some(failure.to_string()),
            ..Checked::default()
        });

        let material = Material {
            url,
            collection: collection.as_str(),
            seed,
            users: self.users,
            rate: self.writes_per_minute,
            mix: &self.mix,
            duration: self.duration,
            elapsed,
            counters: &counters,
        };
        let (counts, flights) = tally.finish();
        let mut report = Report::new(material, counts, flights, checked);
        report.kept = self.keep || !report.check.passed || !removed(&client, &collection);
        Ok(report)
    }

    /// Lets all users begin at once, and returns what each knows must be there, and the time that
    /// all of it took.
    fn let_users_run(
        &self,
        course: &Course<'_>,
        peer: &Peer<'_>,
        seed: u64,
    ) -> Result<(Vec<Documents>, Duration), Failure> {
        let user = |number| {
            let connection = Connection::new(peer, course.tally)?;
            let dice = Dice::new(seed, u64::from(number));
            let pace = Pace::new(self.writes_per_minute, &self.mix, self.users);
            let deal = Deal::new(&self.mix, seed, number);
            Ok(User { course, connection, documents: Documents::new(number), dice, deal, pace })
        };
        let users = (0..self.users).map(user).collect::<Result<Vec<_>, Failure>>()?;
        let gate = &Gate::default();
        thread::scope(|scope| {
            let spawned = users.into_iter().map(|user| {
                let begin = move || gate.wait().map(|begun| user.run(begun));
                thread::Builder::new().spawn_scoped(scope, begin)
            });
            let threads: io::Result<Vec<_>> = spawned.collect();
            let begun = Instant::now();
            // Those that are there already must not wait for those that never come.
            gate.open(threads.is_ok().then_some(begun));
            let threads = threads.map_err(Failure::Threads)?;
            let joined = threads.into_iter().filter_map(|thread| {
                thread.join().unwrap_or_else(|cause| panic::resume_unwind(cause))
            });
            let documents = joined.collect();
            Ok((documents, begun.elapsed()))
        })
    }
}

impl Report {
    /// A failure if the server held anything else than it must.
    ///
    /// # Errors
    ///
    /// [`Failure::Mismatch`], with how much of what; [`Failure::Unreachable`] if it could not be
    /// asked.
    pub fn verdict(&self) -> Result<(), Failure> {
        let Check { passed, at_end, while_running, unasked, .. } = &self.check;
        if let Some(reason) = unasked {
            let reason = format!("nothing could be checked: {reason}");
            return Err(Failure::Unreachable { url: self.url.clone(), reason });
        }
        match passed {
            true => Ok(()),
            false => Err(Failure::Mismatch {
                lost: at_end.lost,
                duplicated: at_end.duplicated,
                changed: at_end.changed,
                unexpected: at_end.unexpected,
                while_running: while_running.count(),
            }),
        }
    }
}

impl Gate {
    fn open(&self, begun: Option<Instant>) {
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner) = Some(begun);
        self.changed.notify_all();
    }

    fn wait(&self) -> Option<Instant> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = self.changed.wait_while(opened, |opened| opened.is_none());
        opened.unwrap_or_else(PoisonError::into_inner).flatten()
    }
}

/// What stands in a collection already would be found, and removed at the end.
fn require_absent(client: &Client, collection: &CollectionName) -> Result<(), Failure> {
    match client.count(collection) {
        Err(Failure::Engine(Error::CollectionNotFound { .. })) => Ok(()),
        Err(failure) => Err(failure),
        Ok(_) => {
            let reason = format!("{collection} is there already, and a run needs one of its own");
            Err(Failure::Usage { argument: "--collection", reason })
        }
    }
}

/// Removes the collection; where the key may not, a person is told.
fn removed(client: &Client, collection: &CollectionName) -> bool {
    match client.drop_collection(collection) {
        Ok(()) => true,
        Err(failure) => {
            tracing::warn!(%collection, %failure, "the collection of the run stays");
            false
        }
    }
}

fn random_seed() -> u64 {
    // Nobody has to be kept from guessing it: it only has to be another one each time.
    DocumentId::generate()
        .as_str()
        .bytes()
        .fold(0, |seed, byte| Dice::new(seed, u64::from(byte)).next())
}

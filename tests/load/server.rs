//! A server in this process, and load tests of it.

use std::{net::SocketAddr, thread::JoinHandle};

use clap::Parser;
use monsterdb::{
    CollectionName, Database,
    cli::{Cli, Command, LoadTestArgs, Report},
    server::{self, ServeError, ServeOptions, StopHandle},
};
use proptest::prelude::*;

/// A running server of a database in memory. It is stopped when it is dropped.
pub(crate) struct Server {
    pub(crate) database: Database,
    pub(crate) address: SocketAddr,
    stop: StopHandle,
    thread: Option<JoinHandle<Result<(), ServeError>>>,
}

/// A small run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) users: u32,
    /// Of each user.
    pub(crate) operations: u64,
    pub(crate) mix: [u32; 4],
    pub(crate) seed: u64,
}

impl Server {
    pub(crate) fn start() -> Server {
        let database = Database::in_memory();
        let mut options = ServeOptions::new("127.0.0.1:0".parse().unwrap());
        options.no_auth = true;
        options.rate_limit = None;
        let server = server::Server::bind(database.clone(), options).unwrap();
        let (address, stop) = (server.address(), server.handle());
        let thread = Some(std::thread::spawn(move || server.run()));
        Server { database, address, stop, thread }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.stop();
        let ended = self.thread.take().unwrap().join();
        if !std::thread::panicking() {
            ended.unwrap().unwrap();
        }
    }
}

impl Plan {
    /// Runs it as fast as it goes. `plant` comes between the last operation and the check.
    pub(crate) fn run(&self, url: &str, more: &str, plant: impl FnOnce(&CollectionName)) -> Report {
        let [read, insert, update, delete] = self.mix;
        let line = format!(
            "monsterdb load-test --url {url} --users {} --operations {} --seed {} \
             --mix read={read},insert={insert},update={update},delete={delete} --duration 1h \
             --writes-per-minute unlimited {more}",
            self.users, self.operations, self.seed
        );
        arguments(&line).drive(&|| false, plant).unwrap()
    }
}

/// The arguments of a load test on a command line.
pub(crate) fn arguments(line: &str) -> LoadTestArgs {
    match Cli::try_parse_from(line.split_whitespace()).unwrap().command {
        Command::LoadTest(arguments) => arguments,
        other => panic!("{other:?} is no load test"),
    }
}

/// Small runs of every kind.
pub(crate) fn plan() -> impl Strategy<Value = Plan> {
    let mix =
        prop::array::uniform4(0..6_u32).prop_filter("no share", |mix| mix.iter().any(|&n| n > 0));
    (1..6_u32, 1..30_u64, mix, any::<u64>()).prop_map(|(users, operations, mix, seed)| Plan {
        users,
        operations,
        mix,
        seed,
    })
}

//! Where the program runs, told by its environment alone: here, or in a container.

use std::{collections::BTreeMap, process::Output};

use crate::{lines::Lines, wire::Client};

/// Variables and their values, over those of the image.
pub(crate) type Environment = BTreeMap<String, String>;

/// A place for the program, with folders for what it is given and what it makes.
pub(crate) trait Host {
    /// Text in which `{given}` and `{out}` are the names of these folders for the program, `{listen}`
    /// is an address that is not the default, and `{loopback}` one that only this machine reaches.
    fn named(&self, text: &str) -> String;

    /// Puts a file where `{given}` is.
    fn give(&self, name: &str, text: &str);

    /// The names of the files below `{out}`, and how long they are.
    fn made(&self) -> BTreeMap<String, u64>;

    /// Runs a command to its end.
    fn run(&self, environment: &Environment, arguments: &[&str]) -> Output;

    /// Starts a server, which is the command of the image, and waits until it says where it listens.
    fn serve(&self, environment: &Environment) -> Box<dyn Served + '_>;
}

/// A server that runs.
pub(crate) trait Served {
    /// Where it is asked from here. What listens on a loopback address within a container is not.
    fn address(&self) -> String;

    /// Where it is asked by who is beside it.
    fn address_beside(&self) -> String;

    /// What it prints.
    fn lines(&self) -> &Lines;

    /// Runs a command beside it, with its environment.
    fn beside(&self, arguments: &[&str]) -> Output;

    /// Sends SIGHUP.
    fn hang_up(&self);

    /// Stops it as an engine or a service manager does.
    fn stop(self: Box<Self>) -> Ended;

    /// Kills it.
    fn kill(self: Box<Self>);
}

/// What a server left.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) lines: Vec<String>,
}

impl dyn Served + '_ {
    /// A client with the key of all tests.
    pub(crate) fn client(&self) -> Client {
        Client::new(&self.address(), KEY)
    }
}

/// The admin key that servers are given, unless a test is about it.
pub(crate) const KEY: &str = "the admin key of the tests";

/// These variables with these values.
pub(crate) fn environment(pairs: &[(&str, &str)]) -> Environment {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// What ended with success printed.
#[track_caller]
pub(crate) fn good(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

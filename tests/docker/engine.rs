//! A container engine, asked by its command `docker`.

use std::{
    env,
    process::{Command, Output},
    sync::{
        Once,
        atomic::{AtomicU32, Ordering},
    },
};

use crate::{host::good, skipped::skipped};

/// An engine that answers, and has the image.
pub(crate) struct Engine {
    /// The image under test.
    pub(crate) image: String,
}

/// Names of containers, volumes and projects of this run.
static NEXT: AtomicU32 = AtomicU32::new(0);

impl Engine {
    /// The engine. Without one, which `docker/test` sees to, the tests that need it say so, once.
    pub(crate) fn get() -> Option<Engine> {
        static SAID: Once = Once::new();
        if env::var_os("MONSTERDB_TEST_DOCKER").is_none() {
            SAID.call_once(|| {
                skipped("the tests in a container, since docker/test did not start them");
            });
            return None;
        }
        let image = env::var("MONSTERDB_TEST_IMAGE").unwrap_or_else(|_| "monsterdb".to_owned());
        Some(Engine { image })
    }

    /// A name that nothing else has.
    pub(crate) fn name(&self) -> String {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        format!("monsterdb-test-{}-{number}", std::process::id())
    }

    /// A command of the engine.
    pub(crate) fn command<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new("docker");
        command.args(arguments);
        command
    }

    pub(crate) fn run<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a command that has to go well, without quotes in it, and returns what it prints.
    #[track_caller]
    pub(crate) fn good(&self, line: &str) -> String {
        good(&self.run(line.split_whitespace())).trim().to_owned()
    }

    /// What the engine says of something, by a template without blanks.
    #[track_caller]
    pub(crate) fn inspect(&self, name: &str, template: &str) -> String {
        self.good(&format!("inspect --format {template} {name}"))
    }

    /// `docker-compose` or `docker compose`, whichever is there, without the variables that tests of
    /// the plain program are given.
    pub(crate) fn compose(&self, arguments: &str) -> Command {
        let program =
            env::var("MONSTERDB_TEST_COMPOSE").unwrap_or_else(|_| "docker compose".into());
        let mut words = program.split_whitespace().chain(arguments.split_whitespace());
        let mut command = Command::new(words.next().unwrap());
        command.args(words).current_dir(env!("CARGO_MANIFEST_DIR"));
        command
    }
}

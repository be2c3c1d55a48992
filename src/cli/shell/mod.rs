//! `shell`: statements, one after the other, against a data directory or a server.
//!
//! At a terminal a line can be edited, Tab completes, the history is kept, and answers are tables. By
//! a pipe the lines are read as they come, so that a script can be run; with `--json` answers are
//! lines of JSON, and so are errors.
//!
//! What always holds:
//! - A statement does what the command of its name does, and fails as that does.
//! - An error ends the statement, never the shell. A script that goes on after one ends with exit
//!   code 1.
//! - A directory is open, and locked, from the first statement to the last. Every statement is a
//!   commit of its own, safe when its answer is there.

mod reader;
mod session;
mod show;
mod statement;
mod store;
mod terminal;
mod vocabulary;
mod words;

use std::{
    env,
    io::{self, IsTerminal},
    path::PathBuf,
};

use clap::Args;

use super::{Failure, TargetArgs, output::Output};
use crate::database::Database;
use reader::{Input, Reader, Script};
use session::{Outcome, Session};
use store::Store;
use terminal::Terminal;

/// Type statements, or read them from a script on standard input.
#[derive(Debug, Args)]
pub struct ShellArgs {
    /// Where they go.
    #[command(flatten)]
    pub target: TargetArgs,

    /// What is remembered.
    #[command(flatten)]
    pub history: HistoryArgs,
}

/// What a shell remembers.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// The file that the shell keeps its history in, by default monsterdb/history in the user's
    /// directory for state, $XDG_STATE_HOME or ~/.local/state
    #[arg(long, env = "MONSTERDB_HISTORY", value_name = "FILE")]
    pub history: Option<PathBuf>,
}

/// How the statements of a shell went.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    run: u64,
    failed: u64,
}

/// Runs statements until there are no more.
pub(super) fn run(args: &ShellArgs, json: bool) -> Result<(), Failure> {
    let store = match args.target.client()? {
        Some(client) => Store::Server(Box::new(client)),
        None => Store::Directory(Box::new(Database::open(&args.target.data.data)?)),
    };
    let session = Session::new(store, json)?;
    let is_person = io::stdin().is_terminal() && io::stdout().is_terminal();
    if is_person {
        greet(args, &session)?;
        let history = args.history.path();
        let mut terminal = Terminal::new(session.vocabulary(), history.as_deref())?;
        converse(&session, &mut terminal, json)?;
        return session.close();
    }
    let tally = converse(&session, &mut Script::new(io::stdin().lock()), json)?;
    session.close()?;
    match tally {
        Tally { failed: 0, .. } => Ok(()),
        Tally { failed, run } => Err(Failure::Script { failed, run }),
    }
}

/// Reads statements and shows what comes of each.
fn converse(session: &Session, reader: &mut dyn Reader, json: bool) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    loop {
        let text = match reader.next()? {
            Input::Statement(text) => text,
            Input::Dropped => continue,
            Input::End => return Ok(tally),
        };
        let width = reader.width();
        match session.respond(&text, width) {
            Ok(Outcome::Nothing) => continue,
            Ok(Outcome::Left) => return Ok(tally),
            Ok(Outcome::Shown(shown)) => {
                let mut output = Output::new();
                output.text(&shown)?;
                output.finish()?;
            }
            Err(failure) => {
                tally.failed += 1;
                failure.report(json);
            }
        }
        tally.run += 1;
    }
}

fn greet(args: &ShellArgs, session: &Session) -> Result<(), Failure> {
    let place = match &args.target.url {
        Some(url) => format!("the server at {url}"),
        None => format!("the data directory {}", args.target.data.data.display()),
    };
    let count = session.collections()?.len();
    let collections = if count == 1 { "collection" } else { "collections" };
    let mut output = Output::new();
    output.line(&format!(
        "MonsterDB {} on {place}, {count} {collections}. Say help, or exit to leave.",
        env!("CARGO_PKG_VERSION")
    ))?;
    output.finish()
}

impl HistoryArgs {
    /// The file; none where nobody knows the user's directories.
    fn path(&self) -> Option<PathBuf> {
        if let Some(path) = &self.history {
            return Some(path.clone());
        }
        let directory = |name: &str| env::var_os(name).map(PathBuf::from);
        let absolute = |path: &PathBuf| path.is_absolute();
        let state = directory("XDG_STATE_HOME").filter(absolute);
        let state = state.or_else(|| Some(directory("HOME")?.join(".local/state")));
        Some(state?.join("monsterdb/history"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// Statements that a test says.
    struct Lines(Vec<&'static str>);

    impl Reader for Lines {
        fn next(&mut self) -> Result<Input, Failure> {
            match self.0.is_empty() {
                true => Ok(Input::End),
                false => Ok(match self.0.remove(0) {
                    "^C" => Input::Dropped,
                    text => Input::Statement(text.to_owned()),
                }),
            }
        }

        fn width(&mut self) -> Option<usize> {
            Some(80)
        }
    }

    #[test]
    fn an_error_ends_the_statement_and_not_the_shell() {
        let database = Database::in_memory();
        let store = Store::Directory(Box::new(database.clone()));
        let session = Session::new(store, true).unwrap();
        let said = [
            "insert c {\"_id\":\"a\"}",
            "",
            "fnd",
            "^C",
            "get c b",
            "put c b {}",
            "exit",
            "drop c",
        ];
        let tally = converse(&session, &mut Lines(said.to_vec()), true).unwrap();
        assert_eq!(tally, Tally { run: 4, failed: 2 });
        assert_eq!(database.snapshot().collection("c").unwrap().count(), 2);
    }
}

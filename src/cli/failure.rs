//! Why a command did not succeed, and what its process says of that when it ends.
//!
//! Invariant: every failure has a stable name for programs, and says to a person what to do next.

use std::{fmt, io, path::PathBuf};

use serde_json::{Value, json};

use super::damage::{DamageList, damage_json};
use crate::{
    error::{Damage, Error},
    names::DocumentId,
    server::{KeyError, ServeError},
};

/// Why a command did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The engine says so.
    #[error(transparent)]
    Engine(#[from] Error),

    /// The server says so.
    #[error(transparent)]
    Serve(#[from] ServeError),

    /// A key is not made, or not revoked.
    #[error(transparent)]
    Key(KeyError),

    /// What was given on the command line is not understood.
    #[error("{argument}: {reason}")]
    Usage {
        /// The argument, as the help names it.
        argument: &'static str,
        /// What is wrong with it.
        reason: String,
    },

    /// A setting is wrong, in the environment or in the file.
    #[error("{place}: {reason}")]
    Setting {
        /// The variable, or the file and the line.
        place: String,
        /// What is wrong with it.
        reason: String,
    },

    /// A server runs, and does not take everything.
    #[error("the server at {url} is {state}")]
    NotReady {
        /// The address asked.
        url: String,
        /// What it says of itself.
        state: String,
    },

    /// The input of an import ends or breaks where it should not.
    #[error("{0}")]
    Input(String),

    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,

    /// An import stopped.
    #[error(transparent)]
    Import(Box<ImportStopped>),

    /// An import as one commit is larger than a commit may be.
    #[error("the input is too large for one commit, which takes at most {limit}; nothing is in")]
    TooLargeForOne {
        /// The limit, with its unit.
        limit: String,
    },

    /// Files are damaged.
    #[error("{}", DamageList(.0))]
    Damaged(Vec<Damage>),

    /// A repair could not save everything.
    #[error("{losses} losses, {unproved} doubts; what could be saved is in {}", target.display())]
    Lost {
        /// Losses that the report lists.
        losses: usize,
        /// Things that it lists as not proved.
        unproved: usize,
        /// Where the saved database is.
        target: PathBuf,
    },

    /// A server cannot be reached, or broke off.
    #[error("cannot talk to {url}: {reason}")]
    Unreachable {
        /// The address asked.
        url: String,
        /// What went wrong on the way.
        reason: String,
    },

    /// A server answered with a problem.
    #[error("the server refused: {detail} (status {status})")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The problem's slug.
        slug: String,
        /// What the server says.
        detail: String,
    },

    /// A file outside the database cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },

    /// A file outside the database cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },

    /// A statement of the shell is not understood.
    #[error("{0}")]
    Statement(String),

    /// A script for the shell went on after statements that failed.
    #[error("{failed} of {run} statements failed")]
    Script {
        /// Those that failed.
        failed: u64,
        /// All of them.
        run: u64,
    },

    /// A server holds something else than it acknowledged.
    #[error(
        "the server does not hold what it acknowledged: {lost} lost, {duplicated} duplicated, \
         {changed} changed, {unexpected} unexpected at the end, {while_running} while it ran"
    )]
    Mismatch {
        /// What was acknowledged and is not there.
        lost: u64,
        /// What is there more than once.
        duplicated: u64,
        /// What is there with another content or version.
        changed: u64,
        /// What must not be there.
        unexpected: u64,
        /// What was read otherwise than it must be while the run went on.
        while_running: u64,
    },

    /// The system has no room for the threads of a load test.
    #[error("cannot start the threads of all users: {0}")]
    Threads(io::Error),

    /// Standard output takes no more.
    #[error("cannot write to standard output: {0}")]
    Output(io::Error),
}

/// An import that stopped, and what is in by then.
#[derive(Debug)]
pub struct ImportStopped {
    /// Which document it stopped at, e.g. "line 17".
    pub place: String,
    /// Why.
    pub cause: Failure,
    /// Documents that are in.
    pub imported: u64,
    /// How to go on.
    pub resume: Resume,
}

/// How to go on after an import that stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resume {
    /// From the beginning: nothing is in.
    Anew,
    /// With `--from-line` and this number.
    At(u64),
    /// It depends on whether the batch that failed is in, which the document of this id tells.
    LookFor {
        /// The first document of the batch.
        id: DocumentId,
        /// Where to go on when it is not there.
        absent: u64,
        /// Where to go on when it is.
        present: u64,
    },
}

impl Failure {
    /// A stable name of the kind of failure, in the form of a slug.
    pub fn code(&self) -> &str {
        match self {
            Failure::Engine(error) => error.code(),
            Failure::Serve(ServeError::Database(error)) => error.code(),
            Failure::Serve(_) => "serve",
            Failure::Key(KeyError::NotFound { .. }) => "key-not-found",
            Failure::Key(KeyError::LastAdmin) => "last-admin-key",
            Failure::Key(KeyError::Invalid { .. }) => "usage",
            Failure::Key(KeyError::Database(error)) => error.code(),
            Failure::Usage { .. } => "usage",
            Failure::Setting { .. } => "setting",
            Failure::NotReady { .. } => "not-ready",
            Failure::Input(_) => "input",
            Failure::Interrupted => "interrupted",
            Failure::Import(stopped) => stopped.cause.code(),
            Failure::TooLargeForOne { .. } => "limit-exceeded",
            Failure::Damaged(_) => "damaged",
            Failure::Lost { .. } => "lost",
            Failure::Unreachable { .. } => "unreachable",
            Failure::Refused { slug, .. } => slug,
            Failure::Read { .. } | Failure::Write { .. } => "io",
            Failure::Statement(_) => "statement",
            Failure::Script { .. } => "script",
            Failure::Mismatch { .. } => "mismatch",
            Failure::Threads(_) => "threads",
            Failure::Output(_) => "output",
        }
    }

    /// What to do about it, as a sentence for a person.
    pub fn advice(&self) -> String {
        match self {
            Failure::Engine(error) => error.advice().to_owned(),
            Failure::Serve(ServeError::Database(error)) => error.advice().to_owned(),
            Failure::Serve(_) => "Look at the address and the options it was given.".to_owned(),
            Failure::Key(KeyError::NotFound { .. }) => "List the keys to see their ids.".to_owned(),
            Failure::Key(KeyError::LastAdmin) => {
                "Make another key of the role admin first.".to_owned()
            }
            Failure::Key(KeyError::Invalid { .. }) => "Correct what the message names.".to_owned(),
            Failure::Key(KeyError::Database(error)) => error.advice().to_owned(),
            Failure::Usage { .. } => "Run the command with --help to see what it takes.".to_owned(),
            Failure::Setting { .. } => {
                "Correct it; monsterdb config --markdown lists every setting.".to_owned()
            }
            Failure::NotReady { .. } => "Look into the server's log for the reason.".to_owned(),
            Failure::Input(_) => "Correct the input and import it again.".to_owned(),
            Failure::Interrupted => "Run it again when it suits.".to_owned(),
            Failure::Import(stopped) => stopped.advice(),
            Failure::TooLargeForOne { .. } => {
                "Import it without --atomic, or in several parts.".to_owned()
            }
            Failure::Damaged(_) => "Restore a backup with `monsterdb restore`, or save what can be \
                                    saved with `monsterdb repair`."
                .to_owned(),
            Failure::Lost { .. } => {
                "Look through the list and decide whether to go on from the new directory; a backup \
                 may have what is lost."
                    .to_owned()
            }
            Failure::Unreachable { .. } => "Look whether the server runs there.".to_owned(),
            Failure::Refused { status: 401 | 403, .. } => {
                "Give a key that may do this with --key or MONSTERDB_API_KEY.".to_owned()
            }
            Failure::Refused { status, .. } => refusal_advice(*status).to_owned(),
            Failure::Read { .. } | Failure::Write { .. } => {
                "Look at the path and its permissions.".to_owned()
            }
            Failure::Statement(_) => "Say help, or help and the name of a statement.".to_owned(),
            Failure::Script { .. } => "Each of them is told above.".to_owned(),
            Failure::Mismatch { .. } => {
                "Look at what the report names; the collection is kept for it.".to_owned()
            }
            Failure::Threads(_) => {
                "Ask for fewer --users, or raise the limit of threads.".to_owned()
            }
            Failure::Output(_) => "Look at where the output goes.".to_owned(),
        }
    }

    /// True when whoever read standard output has seen enough: nothing to complain about.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The failure as one line of JSON, for programs.
    pub fn to_json(&self) -> String {
        let mut object = json!({
            "error": self.code(),
            "message": self.to_string(),
            "advice": self.advice(),
        });
        let damage: Vec<Value> = self.damage().iter().map(damage_json).collect();
        if !damage.is_empty() {
            object["damage"] = Value::Array(damage);
        }
        if let Failure::Import(stopped) = self {
            object["imported"] = stopped.imported.into();
            object["from_line"] = match stopped.resume {
                Resume::At(line) => line.into(),
                Resume::Anew | Resume::LookFor { .. } => Value::Null,
            };
        }
        object.to_string()
    }

    fn damage(&self) -> &[Damage] {
        match self {
            Failure::Engine(Error::Damaged(damage)) => std::slice::from_ref(damage),
            Failure::Damaged(list) => list,
            Failure::Engine(_)
            | Failure::Serve(_)
            | Failure::Key(_)
            | Failure::Usage { .. }
            | Failure::Setting { .. }
            | Failure::NotReady { .. }
            | Failure::Input(_)
            | Failure::Interrupted
            | Failure::Import(_)
            | Failure::TooLargeForOne { .. }
            | Failure::Lost { .. }
            | Failure::Unreachable { .. }
            | Failure::Refused { .. }
            | Failure::Read { .. }
            | Failure::Write { .. }
            | Failure::Statement(_)
            | Failure::Script { .. }
            | Failure::Mismatch { .. }
            | Failure::Threads(_)
            | Failure::Output(_) => &[],
        }
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Failure {
        match error {
            // One way to tell damaged data, whoever came upon it.
            KeyError::Database(error) => Failure::Engine(error),
            error => Failure::Key(error),
        }
    }
}

impl ImportStopped {
    fn advice(&self) -> String {
        match &self.resume {
            Resume::Anew => self.cause.advice(),
            Resume::At(line) => format!("{} Go on with --from-line {line}.", self.cause.advice()),
            Resume::LookFor { id, absent, present } => format!(
                "{} If document {id} is there, go on with --from-line {present}, else with \
                 --from-line {absent}.",
                self.cause.advice()
            ),
        }
    }
}

impl fmt::Display for ImportStopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ImportStopped { place, cause, imported, resume } = self;
        write!(f, "{place}: {cause}; ")?;
        match resume {
            Resume::Anew => f.write_str("nothing is in"),
            Resume::At(line) => {
                write!(f, "{imported} documents are in, go on with --from-line {line}")
            }
            Resume::LookFor { .. } => write!(f, "{imported} documents before it are in"),
        }
    }
}

impl std::error::Error for ImportStopped {}

/// What to do about a server's refusal. What is wrong stands in its message.
fn refusal_advice(status: u16) -> &'static str {
    match status {
        404 | 410 => "Check the name, and list what is there.",
        409 | 412 => "Look at what is there now, and decide anew.",
        429 => "Wait a moment, or ask for a higher rate limit.",
        503 | 507 => "Look at the server's health and its log.",
        500..=599 => "Look into the server's log; it names this request's id.",
        _ => "Correct the request and send it again.",
    }
}

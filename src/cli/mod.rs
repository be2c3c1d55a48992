//! The command line: what can be asked of a data directory, or of a running server.
//!
//! ```text
//! monsterdb serve   --data DIR --listen ADDR            the database over HTTP
//! monsterdb import  FILE --collection C                 JSON lines or a JSON array, in batches
//! monsterdb export  --collection C                      JSON lines or a JSON array, sorted by id
//! monsterdb query   C FILTER                            the documents that match, or how they are found
//! monsterdb shell                                       statements, typed or from a script
//! monsterdb index   create | list | drop                the indexes of a collection
//! monsterdb keys    create | list | revoke               who may ask a server for what
//! monsterdb backup  DIR|FILE.tar|-                      the database at one version, somewhere else
//! monsterdb verify  DIR|FILE.tar                        a backup, without restoring it
//! monsterdb restore DIR|FILE.tar [--to VERSION]         a database of a backup
//! monsterdb repair  DIR --to-last-good                  a damaged database's last good state
//! monsterdb check                                       every checksum and every invariant
//! monsterdb log     show | stats                        the write-ahead log, also of a running server
//! monsterdb load-test --url URL                         many users at once, then everything is checked
//! monsterdb health                                      whether a server takes reads and writes
//! monsterdb config                                      every setting, what it is, who says so
//! monsterdb completions SHELL                           what a shell completes
//! monsterdb man                                         the pages of the manual
//! ```
//!
//! What always holds:
//! - Results go to standard output, everything else to standard error; with `--json` both are for
//!   programs, errors as `{"error":…,"message":…,"advice":…}`.
//! - The exit code is 0 when all went well, 1 when not, 2 for a command line that is not
//!   understood, 3 when something is not there, 4 for a conflict, 5 for damaged data.
//! - Commands that read never change or make anything on disk, not even a directory.

mod backup;
mod check;
mod compression;
mod config;
mod damage;
mod exit;
mod explanation;
mod export;
mod export_file;
mod failure;
mod health;
mod import;
mod index;
mod interrupt;
mod keys;
mod load_test;
mod log;
mod new_directory;
mod output;
mod pages;
mod query;
mod remote;
mod repair;
mod serve;
mod shell;
mod source;
mod table;
mod target;
mod values;

pub use backup::{BackupArgs, RestoreArgs, VerifyArgs};
pub use check::CheckArgs;
pub use config::{ConfigArgs, Refusal};
pub use export::ExportArgs;
pub use failure::{Failure, ImportStopped, Resume};
pub use health::HealthArgs;
pub use import::ImportArgs;
pub use index::{CreateIndexArgs, DropIndexArgs, IndexCommand, ListIndexesArgs, NewIndexArgs};
pub use keys::{CreateKeyArgs, KeysCommand, ListKeysArgs, RevokeKeyArgs};
pub use load_test::{
    Check, Concurrency, Finding, Findings, Kind, Latency, LoadTestArgs, Mix, Operation, Rate,
    Report, Row, Throughput,
};
pub use log::{LogCommand, ShowArgs, StatsArgs};
pub use pages::{CompletionsArgs, ManArgs};
pub use query::{NamedMetric, QueryArgs, QuestionArgs};
pub use repair::RepairArgs;
pub use serve::{
    AccessArgs, ChangesArgs, ListenArgs, LogArgs, LogFormat, NetworkArgs, ServeArgs, SessionArgs,
    StorageArgs,
};
pub use shell::{HistoryArgs, ShellArgs};
pub use target::{DataArgs, KeyArgs, TargetArgs};
pub use values::MemoryLimit;

use std::{io, path::PathBuf};

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

/// A JSON document database: serializable transactions, readers that never wait, commits that are
/// durable when acknowledged.
#[derive(Debug, Parser)]
#[command(name = "monsterdb", version)]
#[command(
    after_help = "Exit codes: 0 fine, 1 failed, 2 usage, 3 not found, 4 conflict, 5 damaged data."
)]
pub struct Cli {
    /// Print results and errors for programs, as JSON
    #[arg(long, global = true)]
    pub json: bool,

    /// The file of settings, by default monsterdb.toml in the working directory if there is one
    #[arg(long, global = true, env = "MONSTERDB_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Which lines are logged, e.g. warn or info,monsterdb::access=off; by default info by serve,
    /// else warn, and off with --json
    #[arg(long, global = true, env = "MONSTERDB_LOG", value_name = "FILTER", value_parser = parse_log)]
    pub log: Option<String>,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve a database over HTTP
    Serve(ServeArgs),
    /// Read documents from a file into a collection
    Import(ImportArgs),
    /// Write a collection's documents to standard output, or into a file
    Export(ExportArgs),
    /// Print the documents of a collection that a filter matches, one a line
    Query(QueryArgs),
    /// Type statements, or read them from a script
    Shell(ShellArgs),
    /// Make, list or drop the indexes of a collection
    #[command(subcommand)]
    Index(IndexCommand),
    /// Make, list or revoke keys
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Write a database into a directory or an archive, at one version, while others use it
    Backup(BackupArgs),
    /// Verify a backup as a whole, without restoring it
    Verify(VerifyArgs),
    /// Make a database of a backup, at its version or a later one
    Restore(RestoreArgs),
    /// Save what can be saved of a damaged data directory into another one, and list what is lost
    Repair(RepairArgs),
    /// Verify every checksum and invariant of a data directory, changing nothing
    Check(CheckArgs),
    /// Look at the write-ahead log, also while a server has it open
    #[command(subcommand)]
    Log(LogCommand),
    /// Drive a server with many users at once, then check everything it holds
    LoadTest(LoadTestArgs),
    /// Ask a server whether it takes reads and writes
    Health(HealthArgs),
    /// Show every setting, what it is now, and where that comes from
    Config(ConfigArgs),
    /// Print a script that teaches a shell to complete
    Completions(CompletionsArgs),
    /// Print a page of the manual
    Man(ManArgs),
}

impl Cli {
    /// Does what was asked for.
    ///
    /// # Errors
    ///
    /// [`Failure`]; what is printed of it and the exit code follow from it. That the reader of
    /// standard output went away is none.
    pub fn run(&self) -> Result<(), Failure> {
        self.begin_logging();
        let done = match &self.command {
            Command::Serve(args) => serve::run(args, self.json),
            Command::Import(args) => import::run(args, self.json),
            Command::Export(args) => export::run(args, self.json),
            Command::Query(args) => query::run(args, self.json),
            Command::Shell(args) => shell::run(args, self.json),
            Command::Index(command) => index::run(command, self.json),
            Command::Keys(command) => keys::run(command, self.json),
            Command::Backup(args) => backup::run(args, self.json),
            Command::Verify(args) => backup::run_verify(args, self.json),
            Command::Restore(args) => backup::run_restore(args, self.json),
            Command::Repair(args) => repair::run(args, self.json),
            Command::Check(args) => check::run(args, self.json),
            Command::Log(command) => log::run(command, self.json),
            Command::LoadTest(args) => load_test::run(args, self.json),
            Command::Health(args) => health::run(args, self.json),
            Command::Config(args) => config::run(args, self.json),
            Command::Completions(args) => pages::completions(args),
            Command::Man(args) => pages::man(args),
        };
        done.or_else(|failure| if failure.is_closed_pipe() { Ok(()) } else { Err(failure) })
    }

    /// Logs go to standard error. Those of a server tell what it does; those of the other
    /// commands only what is wrong, and nothing where a program reads along.
    fn begin_logging(&self) {
        let default = match self.command {
            Command::Serve(_) => "info",
            _ if self.json => "off",
            _ => "warn",
        };
        let filter = EnvFilter::builder()
            .with_default_directive(tracing_subscriber::filter::LevelFilter::OFF.into())
            .parse_lossy(self.log.as_deref().unwrap_or(default));
        let builder = tracing_subscriber::fmt().with_writer(io::stderr).with_env_filter(filter);
        let format = match &self.command {
            Command::Serve(args) => args.log.log_format,
            _ => LogFormat::Human,
        };
        // A second run in one process keeps the first one's.
        let _ = match format {
            LogFormat::Human => builder.with_target(false).try_init(),
            LogFormat::Json => builder.json().try_init(),
        };
    }
}

/// A filter of log lines, as it is written.
fn parse_log(text: &str) -> Result<String, String> {
    if ["human", "json"].contains(&text) {
        return Err("it says which lines are logged; their form is --log-format".to_owned());
    }
    let parsed = EnvFilter::builder().parse(text);
    parsed.map(|_| text.to_owned()).map_err(|error| error.to_string())
}

impl Failure {
    /// Tells a person, or with `json` a program, on standard error.
    pub fn report(&self, json: bool) {
        if json {
            eprintln!("{}", self.to_json());
        } else {
            eprintln!("error: {self}");
            eprintln!("{}", self.advice());
        }
    }
}

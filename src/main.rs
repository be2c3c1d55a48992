//! The program: parse, run, tell what went wrong, end with its exit code.

use std::process::ExitCode;

use clap::{Parser, error::ErrorKind};
use monsterdb::cli::{Cli, Failure};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return not_understood(&error),
    };
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report(cli.json);
            failure.exit_code()
        }
    }
}

/// Help and version are asked for in the same way; they are no failure.
fn not_understood(error: &clap::Error) -> ExitCode {
    let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let for_programs = std::env::args_os().any(|argument| argument == "--json");
    if for_programs && !asked {
        let text = error.to_string();
        let reason = text.trim_start_matches("error: ").lines().next().unwrap_or_default();
        let failure = Failure::Usage { argument: "arguments", reason: reason.to_owned() };
        failure.report(true);
        return failure.exit_code();
    }
    // It is help for a person: if nobody reads it, nothing is lost.
    let _ = error.print();
    if asked { ExitCode::SUCCESS } else { ExitCode::from(2) }
}

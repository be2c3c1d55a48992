//! The program: parse, run, tell what went wrong, end with its exit code.

use std::process::ExitCode;

use clap::error::ErrorKind;
use monsterdb::cli::{Cli, Failure, Refusal};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let for_programs = arguments.iter().any(|argument| argument == "--json");
    let cli = match Cli::read(&arguments) {
        Ok(cli) => cli,
        Err(Refusal::Arguments(error)) => return not_understood(&error, for_programs),
        Err(Refusal::Settings(failure)) => {
            failure.report(for_programs);
            return failure.exit_code();
        }
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
fn not_understood(error: &clap::Error, for_programs: bool) -> ExitCode {
    let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
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

//! What the process ends with.
//!
//! Invariant: the exit code follows from the kind of the failure alone, so that a script can tell
//! damaged data from a wrong name whichever command it ran.

use std::{io, process::ExitCode};

use super::Failure;
use crate::{
    error::{Error, IndexError},
    server::{KeyError, ServeError},
};

/// What the process ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Exit {
    Failed = 1,
    Usage = 2,
    NotFound = 3,
    Conflict = 4,
    Damaged = 5,
}

impl Failure {
    /// What the process ends with.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.exit() as u8)
    }

    fn exit(&self) -> Exit {
        match self {
            Failure::Engine(error)
            | Failure::Serve(ServeError::Database(error))
            | Failure::Key(KeyError::Database(error)) => exit_of(error),
            Failure::Serve(ServeError::NotLoopback(_)) => Exit::Usage,
            // A name or a filter in the input is not one of the command line.
            Failure::Import(stopped) => match stopped.cause.exit() {
                Exit::Usage => Exit::Failed,
                exit => exit,
            },
            Failure::Key(KeyError::Invalid { .. })
            | Failure::Usage { .. }
            | Failure::Setting { .. }
            | Failure::Statement(_) => Exit::Usage,
            Failure::Key(KeyError::NotFound { .. }) => Exit::NotFound,
            Failure::Key(KeyError::LastAdmin) => Exit::Conflict,
            Failure::Damaged(_) | Failure::Lost { .. } => Exit::Damaged,
            Failure::Refused { status: 404 | 410, .. } => Exit::NotFound,
            Failure::Refused { status: 409 | 412, .. } => Exit::Conflict,
            Failure::Refused { slug, .. } if is_about_arguments(slug) => Exit::Usage,
            Failure::Read { source, .. } | Failure::Write { source, .. }
                if source.kind() == io::ErrorKind::NotFound =>
            {
                Exit::NotFound
            }
            Failure::Serve(_)
            | Failure::NotReady { .. }
            | Failure::Input(_)
            | Failure::Interrupted
            | Failure::TooLargeForOne { .. }
            | Failure::Unreachable { .. }
            | Failure::Refused { .. }
            | Failure::Read { .. }
            | Failure::Write { .. }
            | Failure::Script { .. }
            | Failure::Mismatch { .. }
            | Failure::Threads(_)
            | Failure::Output(_) => Exit::Failed,
        }
    }
}

/// The exit code of an engine's error.
fn exit_of(error: &Error) -> Exit {
    match error {
        Error::InvalidName(_) | Error::InvalidFilter { .. } | Error::InvalidQuery { .. } => {
            Exit::Usage
        }
        Error::NotFound
        | Error::DocumentNotFound { .. }
        | Error::CollectionNotFound { .. }
        | Error::VersionGone { .. }
        | Error::ChangesGone { .. } => Exit::NotFound,
        Error::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => Exit::NotFound,
        Error::AlreadyExists { .. }
        | Error::CollectionExists { .. }
        | Error::VersionMismatch { .. }
        | Error::TestFailed { .. }
        | Error::PreconditionRequired { .. }
        | Error::Conflict(_) => Exit::Conflict,
        Error::Index(error) => exit_of_index(error),
        Error::Damaged(_) => Exit::Damaged,
        Error::InvalidJson { .. }
        | Error::InvalidDocument { .. }
        | Error::InvalidUpdate { .. }
        | Error::Encode { .. }
        | Error::Decode { .. }
        | Error::Aborted(_)
        | Error::LimitExceeded { .. }
        | Error::MemoryLimit { .. }
        | Error::OutcomeUnknown { .. }
        | Error::ReadOnly { .. }
        | Error::StorageFull { .. }
        | Error::Closed
        | Error::Nested
        | Error::SavepointGone
        | Error::Locked { .. }
        | Error::NewerFormat { .. }
        | Error::Io { .. } => Exit::Failed,
    }
}

fn exit_of_index(error: &IndexError) -> Exit {
    match error {
        IndexError::Invalid { .. } | IndexError::Hint { .. } => Exit::Usage,
        IndexError::NotFound { .. } => Exit::NotFound,
        IndexError::Exists { .. } | IndexError::Unique { .. } => Exit::Conflict,
        IndexError::Unindexable { .. } => Exit::Failed,
    }
}

/// Problems of a server that a command's own arguments cause.
fn is_about_arguments(slug: &str) -> bool {
    matches!(
        slug,
        "invalid-name" | "invalid-filter" | "invalid-query" | "invalid-index" | "hint-refused"
    )
}

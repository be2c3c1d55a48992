//! Running the program.

use std::{
    env,
    ffi::OsStr,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

/// A place of its own for a test: the program runs in it, with `./data` for its directory.
pub(crate) struct Place(TempDir);

/// What a run of the program left.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_monsterdb"));
        command.current_dir(self.path());
        for (name, _) in env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"MONSTERDB_") {
                command.env_remove(name);
            }
        }
        command
    }

    pub(crate) fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Run {
        Run::new(&self.command().args(arguments).output().unwrap())
    }

    /// Runs a command line without quotes in it, which has to go well, and returns what it prints.
    pub(crate) fn good(&self, line: &str) -> String {
        let run = self.run(line.split_whitespace());
        assert_eq!(run.code, 0, "{line}: {run:?}");
        run.out
    }

    /// Runs a command line without quotes in it, which has to end with this exit code.
    pub(crate) fn fails(&self, code: i32, line: &str) -> Run {
        let run = self.run(line.split_whitespace());
        assert_eq!(run.code, code, "{line}: {run:?}");
        run
    }

    /// Imports text given on standard input.
    pub(crate) fn import(&self, text: &str, arguments: &str) -> Run {
        let mut child = self
            .command()
            .args("import - --collection c".split(' ').chain(arguments.split_whitespace()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        // A run that refuses its arguments does not read.
        let _ = input.write_all(text.as_bytes());
        drop(input);
        Run::new(&child.wait_with_output().unwrap())
    }

    /// The documents of collection `c`, one a line.
    pub(crate) fn exported(&self) -> Vec<String> {
        self.good("export --collection c").lines().map(str::to_owned).collect()
    }
}

impl Run {
    fn new(output: &Output) -> Run {
        Run {
            code: output.status.code().unwrap(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The error as a program gets it with `--json`.
    pub(crate) fn error(&self) -> serde_json::Value {
        serde_json::from_str(&self.err).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Documents `{"_id":"d000001","n":1}` and so on, one a line.
pub(crate) fn documents(numbers: impl IntoIterator<Item = u64>) -> String {
    numbers.into_iter().map(|n| format!("{{\"_id\":\"d{n:06}\",\"n\":{n}}}\n")).collect()
}

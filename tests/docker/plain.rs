//! The plain program, run as the image runs it.

use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use tempfile::TempDir;

use crate::{
    host::{Ended, Environment, Host, Served},
    lines::Lines,
};

/// A folder for it: data, what it is given, what it makes, and where it runs, which it may not write.
pub(crate) struct Plain(TempDir);

struct Process<'a> {
    plain: &'a Plain,
    environment: Environment,
    child: Child,
    lines: Option<Lines>,
    address: String,
}

impl Plain {
    pub(crate) fn new() -> Plain {
        let folder = tempfile::tempdir().unwrap();
        for name in ["data", "given", "out", "here"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::set_permissions(folder.path().join("here"), Permissions::from_mode(0o555)).unwrap();
        Plain(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// No variable but those of the image and these.
    fn command(&self, environment: &Environment) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_monsterdb"));
        command.current_dir(self.path("here")).env_clear();
        command.env("MONSTERDB_LISTEN", "127.0.0.1:0").env("MONSTERDB_DATA", self.path("data"));
        command.envs(environment.iter().map(|(name, value)| (name, self.named(value))));
        command
    }
}

impl Host for Plain {
    fn named(&self, text: &str) -> String {
        let text = text.replace("{given}", &self.path("given")).replace("{out}", &self.path("out"));
        // All of 127.0.0.0/8 is this machine.
        text.replace("{listen}", "127.0.0.2:0").replace("{loopback}", "127.0.0.1:0")
    }

    fn give(&self, name: &str, text: &str) {
        fs::write(self.0.path().join("given").join(name), text).unwrap();
    }

    fn made(&self) -> BTreeMap<String, u64> {
        files(&self.0.path().join("out"))
    }

    fn run(&self, environment: &Environment, arguments: &[&str]) -> Output {
        self.command(environment).args(arguments).output().unwrap()
    }

    fn serve(&self, environment: &Environment) -> Box<dyn Served + '_> {
        let mut command = self.command(environment);
        command.arg("serve").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let lines = Lines::of(vec![Box::new(out), Box::new(err)]);
        let Some(address) = lines.find(address) else {
            child.wait().unwrap();
            panic!("it does not listen: {:#?}", lines.until_the_end());
        };
        let environment = environment.clone();
        Box::new(Process { plain: self, environment, child, lines: Some(lines), address })
    }
}

impl Served for Process<'_> {
    fn address(&self) -> String {
        self.address.clone()
    }

    fn address_beside(&self) -> String {
        self.address.clone()
    }

    fn lines(&self) -> &Lines {
        self.lines.as_ref().unwrap()
    }

    fn beside(&self, arguments: &[&str]) -> Output {
        let mut environment = self.environment.clone();
        // In a container the port is known; here a free one was taken.
        environment.insert("MONSTERDB_LISTEN".to_owned(), self.address.clone());
        self.plain.run(&environment, arguments)
    }

    fn hang_up(&self) {
        self.signal("-HUP");
    }

    fn stop(mut self: Box<Self>) -> Ended {
        self.signal("-TERM");
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        Ended { code, lines: self.lines.take().unwrap().until_the_end() }
    }

    fn kill(mut self: Box<Self>) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Process<'_> {
    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }
}

impl Drop for Process<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address in the line of the greeting that has it.
pub(crate) fn address(line: &str) -> Option<String> {
    let (_, url) = line.split_once("listens on ")?;
    url.split_once("://").map(|(_, address)| address.trim().to_owned())
}

/// The files below a folder by their names from there, and how long they are.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap().map(Result::unwrap) {
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false => {
                    let path = entry.path();
                    let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                    // What is being removed meanwhile has no length any more.
                    found.insert(name, entry.metadata().map_or(0, |metadata| metadata.len()));
                }
            }
        }
    }
    found
}

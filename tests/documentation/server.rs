//! A server for one page, in a directory of its own.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

/// Stopped when it is dropped.
pub(crate) struct Server {
    child: Child,
    folder: TempDir,
    /// Host and port.
    pub(crate) address: String,
    /// The admin key that its first start made.
    pub(crate) key: String,
}

impl Server {
    pub(crate) fn start() -> Server {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_monsterdb"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env_remove("MONSTERDB_ADMIN_KEY")
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let address = word_after(&mut lines, "http://");
        let key = word_after(&mut lines, "admin key: ");
        Server { child, folder, address, key }
    }

    /// The directory it was started in, with its `data` in it.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs commands in one shell, where the server is, and returns what they print.
    pub(crate) fn play(&self, commands: &str) -> Result<String, String> {
        let script = commands
            .replace("paste-the-admin-key-here", &self.key)
            .replace("127.0.0.1:7117", &self.address);
        let program = Path::new(env!("CARGO_BIN_EXE_monsterdb")).parent().unwrap();
        let path = format!("{}:{}", program.to_str().unwrap(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("bash");
        let shell = shell.args(["-euc", &script]).current_dir(self.folder()).env("PATH", path);
        let output = shell.output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        if output.status.success() {
            return Ok(printed);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("the commands ended with {}: {said}\nafter\n{printed}", output.status))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn word_after(lines: &mut impl Iterator<Item = String>, before: &str) -> String {
    let line = lines.find(|line| line.contains(before)).unwrap();
    let (_, rest) = line.split_once(before).unwrap();
    rest.split_whitespace().next().unwrap().to_owned()
}

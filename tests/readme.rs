//! Runs the README's tour and the transcripts in `docs` as they stand, every block of them, each on
//! a server of its own, and compares what it prints with what they say.
//!
//! The tour needs `bash` and `curl`; where one is missing the test says so and does nothing.
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "support/skipped.rs"]
mod skipped;

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

/// A fenced block of the README.
struct Block {
    kind: String,
    text: String,
}

#[test]
fn the_tour_runs_as_the_readme_says() {
    run("README.md");
}

#[test]
fn the_transfers_run_as_their_page_says() {
    run("docs/transfers.md");
}

#[test]
fn backups_are_made_and_restored_as_their_page_says() {
    run("docs/backup.md");
}

#[test]
fn damage_is_repaired_as_its_page_says() {
    run("docs/repair.md");
}

/// Runs a page's blocks on a server of its own.
fn run(page: &str) {
    if ["bash", "curl"].iter().any(|tool| Command::new(tool).arg("--version").output().is_err()) {
        skipped::skipped("the tour needs bash and curl");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut server = Command::new(env!("CARGO_BIN_EXE_monsterdb"))
        .args(["serve", "--listen", "127.0.0.1:0"])
        .env_remove("MONSTERDB_ADMIN_KEY")
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map_while(Result::ok);
    let address = word_after(&mut lines, "http://");
    let key = word_after(&mut lines, "admin key: ");
    let walked = || walk(&tour(page), folder.path(), (&address, &key));
    let outcome = std::panic::catch_unwind(walked);
    server.kill().unwrap();
    server.wait().unwrap();
    outcome.unwrap();
}

/// Runs the tour's commands in one shell, in the server's own directory, and compares what they
/// print with the answers shown.
fn walk(tour: &[Block], folder: &Path, (address, key): (&str, &str)) {
    let (commands, answers): (Vec<_>, Vec<_>) =
        tour.iter().partition(|block| block.kind == "sh tour");
    let texts =
        |blocks: Vec<&Block>| blocks.iter().map(|block| block.text.as_str()).collect::<String>();
    let script =
        texts(commands).replace("paste-the-admin-key-here", key).replace("127.0.0.1:7117", address);
    let expected = texts(answers);
    let program = Path::new(env!("CARGO_BIN_EXE_monsterdb")).parent().unwrap().to_str().unwrap();
    let path = format!("{program}:{}", std::env::var("PATH").unwrap());
    let mut shell = Command::new("bash");
    let shell = shell.args(["-euc", &script]).current_dir(folder).env("PATH", path);
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}

/// The blocks of a page's tour.
fn tour(page: &str) -> Vec<Block> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(kind)) => {
                open = Some(Block { kind: kind.to_owned(), text: String::new() });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks.retain(|block| block.kind.ends_with(" tour"));
    assert!(blocks.len() > 6, "{page} has a tour");
    blocks
}

fn word_after(lines: &mut impl Iterator<Item = String>, before: &str) -> String {
    let line = lines.find(|line| line.contains(before)).unwrap();
    let (_, rest) = line.split_once(before).unwrap();
    rest.split_whitespace().next().unwrap().to_owned()
}

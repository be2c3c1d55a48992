//! Golden transcripts: every file in `tests/scripts` is a conversation with a database, one
//! behaviour a file.
//!
//! ```text
//! # A comment.
//! db: put accounts a {"n": 1}        the database itself: each command commits by itself
//!   => version 1                     what is answered
//! t1: begin snapshot                 a transaction, named by who speaks; serializable by default
//! t1: !commit                        a command that has to fail
//!   => Error: conflict in …
//! ```
//!
//! With `MONSTERDB_TEST_UPDATE=1` the answers in the files are replaced by the real ones; a command
//! that fails or succeeds against its `!` fails the test all the same.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "scripts/session.rs"]
mod session;

use std::{fmt::Write, fs, path::Path};

use session::Session;

/// How an answer stands in a script.
const ANSWER: &str = "  => ";

#[test]
fn transcripts_are_what_happens() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    assert!(paths.len() > 20, "the transcripts are not where they should be");
    let faults: Vec<String> = paths.iter().filter_map(|path| check(path).err()).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The runner itself must be able to fail.
#[test]
fn a_wrong_answer_is_noticed() {
    let right =
        "db: put c 1 {}\n  => version 1\ndb: get c 1\n  => {\"_id\":\"1\",\"_version\":1}\n";
    assert_eq!(replay(right).unwrap(), right);
    assert_ne!(
        replay(&right.replace("_version\":1", "_version\":2")).unwrap(),
        right.replace("_version\":1", "_version\":2")
    );
    assert!(replay("db: !put c 1 {}\n").is_err(), "it succeeds and should fail");
    assert!(replay("db: insert c []\n").is_err(), "it fails and should succeed");
    assert!(replay("db: explode\n").is_err(), "an unknown command");
}

fn check(path: &Path) -> Result<(), String> {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let written = fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    let happened = replay(&written).map_err(|fault| format!("{name}{fault}"))?;
    if written == happened {
        return Ok(());
    }
    if std::env::var_os("MONSTERDB_TEST_UPDATE").is_some() {
        return fs::write(path, happened).map_err(|error| format!("{name}: {error}"));
    }
    Err(format!("{name} differs (- as written, + as it is):\n{}", difference(&written, &happened)))
}

/// The script with the answers that it gets now.
fn replay(script: &str) -> Result<String, String> {
    let mut session = Session::new();
    let mut happened = String::new();
    let questions =
        script.lines().enumerate().filter(|(_, line)| !line.starts_with(ANSWER.trim_end()));
    for (number, line) in questions {
        happened.push_str(line);
        happened.push('\n');
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let at = |fault: String| format!(":{}: {line}\n    {fault}", number + 1);
        let (who, command) =
            line.split_once(": ").ok_or_else(|| at("no speaker, as in `t1: get c 1`".into()))?;
        let (must_fail, command) =
            command.strip_prefix('!').map_or((false, command), |command| (true, command));
        let answers = match session.run(who, command).map_err(at)? {
            Ok(_) if must_fail => return Err(at("succeeds, and should fail".into())),
            Err(error) if !must_fail => return Err(at(format!("fails: {error}"))),
            Ok(answers) => answers,
            Err(error) => vec![format!("Error: {error}")],
        };
        for answer in answers {
            writeln!(happened, "{ANSWER}{answer}").expect("memory takes every write");
        }
    }
    Ok(happened)
}

/// The lines that only one of two texts has, with what stands around them: the longest common
/// subsequence is what stays.
fn difference(written: &str, happened: &str) -> String {
    let (old, new): (Vec<_>, Vec<_>) = (written.lines().collect(), happened.lines().collect());
    let mut common = vec![vec![0usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push((' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            lines.push(('-', old[i]));
            i += 1;
        } else {
            lines.push(('+', new[j]));
            j += 1;
        }
    }
    let near = |place: usize| {
        let around = lines.iter().skip(place.saturating_sub(3)).take(7);
        around.into_iter().any(|(sign, _)| *sign != ' ')
    };
    let shown = lines.iter().enumerate().filter(|(place, _)| near(*place));
    shown.map(|(_, (sign, line))| format!("  {sign} {line}\n")).collect()
}

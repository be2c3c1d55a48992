//! The compose files as text, and the variables in them.

use std::collections::BTreeSet;

use crate::{dockerfile::read, environment::variables};

/// Settings that the compose file does not hand on, each for a reason.
const FIXED: [&str; 7] = [
    // The image says where it listens and where its data is, the file where the archive is.
    "MONSTERDB_LISTEN",
    "MONSTERDB_DATA",
    "MONSTERDB_WAL_ARCHIVE",
    // Only who is in the container could ask.
    "MONSTERDB_NO_AUTH",
    // A file monsterdb.toml is mounted where it is looked for.
    "MONSTERDB_CONFIG",
    // Those of commands that ask a server.
    "MONSTERDB_API_KEY",
    "MONSTERDB_HISTORY",
];

/// Lines that the service must have, and what for.
const LINES: [(&str, &str); 15] = [
    ("\"${PUBLISH:-127.0.0.1:7117}:7117\"", "the port is open to this machine alone"),
    ("- data:/data", "the data is in a volume"),
    ("- archive:/archive", "the archive of the log is in a volume"),
    ("- MONSTERDB_WAL_ARCHIVE=/archive", "the log is archived"),
    ("test: [\"CMD\", \"monsterdb\", \"health\"]", "its health is asked for"),
    ("restart: unless-stopped", "it comes back"),
    ("stop_grace_period: 1m", "it gets the time to end well"),
    ("read_only: true", "its root is not written"),
    ("- /tmp", "what is temporary stays in memory"),
    ("- ALL", "it has no capability"),
    ("- no-new-privileges:true", "it gets no more"),
    ("mem_limit: \"${MEMORY:-1g}\"", "its memory has a limit"),
    ("cpus: \"${CPUS:-2}\"", "its processors have a limit"),
    ("pids_limit: 2048", "its threads have a limit"),
    ("dockerfile: docker/Dockerfile", "it can be built"),
];

/// The variables that a compose file hands on, with their values if it says them.
fn handed_on(text: &str) -> Vec<(String, Option<&str>)> {
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix("- MONSTERDB_"));
    let names = lines.map(|rest| match rest.split_once('=') {
        Some((name, value)) => (format!("MONSTERDB_{name}"), Some(value)),
        None => (format!("MONSTERDB_{rest}"), None),
    });
    names.collect()
}

#[test]
fn every_setting_of_a_server_is_handed_on() {
    let text = read("docker/docker-compose.yml");
    let handed_on: BTreeSet<String> = handed_on(&text)
        .into_iter()
        .filter(|(_, value)| value.is_none())
        .map(|(name, _)| name)
        .collect();
    let mut expected = variables();
    for name in FIXED {
        assert!(expected.remove(name), "{name} is a setting");
    }
    assert_eq!(handed_on, expected);
}

#[test]
fn the_service_is_as_careful_as_it_can_be() {
    let text = read("docker/docker-compose.yml");
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    for (line, why) in LINES {
        let is_there = lines
            .iter()
            .any(|found| found.trim_start_matches("- ") == line.trim_start_matches("- "));
        assert!(is_there, "{line}, so that {why}");
    }
    for wrong in ["privileged", "network_mode", "user: root", "latest"] {
        assert!(!text.contains(wrong), "{wrong}");
    }
}

/// Its health is asked for as in the image, and it is stopped no sooner than it says it may take.
#[test]
fn the_health_check_is_that_of_the_image() {
    let (image, compose) = (read("docker/Dockerfile"), read("docker/docker-compose.yml"));
    for (flag, key) in
        [("interval", "interval"), ("timeout", "timeout"), ("start-period", "start_period")]
    {
        let value = image.split(&format!("--{flag}=")).nth(1).unwrap();
        let value = value.split_whitespace().next().unwrap();
        assert!(compose.contains(&format!(" {key}: {value}\n")), "{key} is {value}");
    }
}

#[test]
fn the_files_over_it_name_settings() {
    let settings = variables();
    for name in ["docker/secret.yml", "docker/tls.yml"] {
        let text = read(name);
        let named = handed_on(&text);
        assert!(!named.is_empty(), "{name}");
        for (variable, _) in named {
            assert!(settings.contains(&variable), "{name}: {variable}");
        }
    }
}

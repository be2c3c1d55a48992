//! The systemd unit, as systemd itself reads it.

use std::{collections::BTreeSet, fs, process::Command};

use crate::{dockerfile::read, environment::variables, skipped::skipped};

const UNIT: &str = "docker/monsterdb.service";

/// Of ten; what systemd calls OK begins at 2 and below.
const EXPOSURE_MAX: &str = "15";

#[test]
fn systemd_takes_the_unit_and_finds_little_exposed() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        skipped("the check of the systemd unit, since there is no systemd-analyze");
        return;
    }
    // It looks whether the program is there.
    let program = env!("CARGO_BIN_EXE_monsterdb");
    let text = read(UNIT).replace("/usr/local/bin/monsterdb", program);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("monsterdb.service");
    fs::write(&path, text).unwrap();
    let analyze = |arguments: &[&str]| {
        let output = Command::new("systemd-analyze").args(arguments).arg(&path).output().unwrap();
        let told = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        (output.status.success(), told.concat())
    };
    let (is_good, told) = analyze(&["verify", "--man=no"]);
    assert!(is_good && told.is_empty(), "{told}");
    let threshold = format!("--threshold={EXPOSURE_MAX}");
    let (is_good, told) = analyze(&["security", "--offline=true", "--no-pager", &threshold]);
    assert!(is_good, "{told}");
    println!("{}", told.lines().last().unwrap_or_default());
}

#[test]
fn the_unit_is_as_careful_as_it_can_be() {
    let text = read(UNIT);
    let lines: BTreeSet<&str> = text.lines().collect();
    for line in [
        "DynamicUser=yes",
        "StateDirectory=monsterdb",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "SystemCallFilter=@system-service",
        "LoadCredential=admin-key:/etc/monsterdb/admin.key",
        "ExecReload=/bin/sh -c 'kill -HUP $MAINPID'",
        "Restart=on-failure",
        "RestartPreventExitStatus=2 5",
        "TimeoutStopSec=90s",
    ] {
        assert!(lines.contains(line), "{line}");
    }
}

#[test]
fn the_variables_of_the_unit_are_settings() {
    let (text, settings) = (read(UNIT), variables());
    let named = text.lines().filter_map(|line| line.strip_prefix("Environment=")?.split_once('='));
    let named: Vec<&str> = named.map(|(name, _)| name).collect();
    assert_eq!(named, ["MONSTERDB_DATA", "MONSTERDB_ADMIN_KEY_FILE"]);
    assert!(named.iter().all(|name| settings.contains(*name)));
}

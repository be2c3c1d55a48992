//! Settings: each in its four ways, what is wrong with them, and the page that lists them.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

use crate::program::Place;

/// Two values for each setting, by its key: one for the file, one for what counts more.
const SAMPLES: [(&str, &str, &str); 41] = [
    ("listen", "127.0.0.1:1", "[::1]:2"),
    ("tls_cert", "a.pem", "b.pem"),
    ("tls_key", "a.key", "b.key"),
    ("cors_origins", "http://a", "http://b"),
    ("connections", "11", "12"),
    ("head_timeout", "11s", "12s"),
    ("body_timeout", "11s", "12s"),
    ("write_timeout", "11s", "12s"),
    ("query_timeout", "11s", "12s"),
    ("keep_alive", "11s", "12s"),
    ("shutdown_timeout", "11s", "12s"),
    ("no_auth", "true", "true"),
    ("admin_key", "one", "two"),
    ("admin_key_file", "a", "b"),
    ("rate_limit", "11/s", "off"),
    ("rate_burst", "11", "12"),
    ("failed_auth_limit", "11/m", "12/h"),
    ("failed_auth_burst", "11", "12"),
    ("session_idle", "11s", "12s"),
    ("session_total", "11s", "12s"),
    ("sessions", "11", "12"),
    ("sessions_per_key", "11", "12"),
    ("streams", "11", "12"),
    ("heartbeat", "11s", "12s"),
    ("poll_timeout", "11s", "12s"),
    ("stream_write_timeout", "11s", "12s"),
    ("feed_retain_bytes", "11", "12KiB"),
    ("data", "./a", "./b"),
    ("durability", "interval:5", "none"),
    ("memory_limit", "11MiB", "12MiB"),
    ("segment_bytes", "11MiB", "12MiB"),
    ("checkpoint_bytes", "11MiB", "12MiB"),
    ("checkpoint_operations", "11", "12"),
    ("checkpoint_interval", "11s", "12s"),
    ("wal_archive", "a", "b"),
    ("retain", "11s", "12s"),
    ("retain_bytes", "11MiB", "12MiB"),
    ("history", "a", "b"),
    ("log_format", "json", "human"),
    ("slow_query", "11ms", "off"),
    ("log", "debug", "info,monsterdb::access=off"),
];

/// The key of a server, which has no place in a file that everybody reads, and yet may stand there.
const SECRETS: [&str; 2] = ["admin_key", "api_key"];

/// What `config` says of each setting that can stand in the file.
fn settings(text: &str) -> BTreeMap<String, Value> {
    let all: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let settings = all["settings"].as_array().unwrap().iter();
    settings.filter_map(|one| Some((one["key"].as_str()?.to_owned(), one.clone()))).collect()
}

fn expect(setting: &Value, value: &str, source: &str) {
    let is_secret = SECRETS.contains(&setting["key"].as_str().unwrap());
    let value = if is_secret { "(not shown)" } else { value };
    assert_eq!((&setting["value"], &setting["source"]), (&value.into(), &source.into()));
}

/// Flag before variable before file before default, for every single setting.
#[test]
fn every_setting_can_be_given_in_four_ways() {
    let place = Place::new();
    let defaults = settings(&place.good("config --json"));
    let mut samples: BTreeMap<&str, (&str, &str)> =
        SAMPLES.iter().map(|(key, file, more)| (*key, (*file, *more))).collect();
    samples.insert("api_key", ("one", "two"));
    let keys = |all: Vec<&str>| all.into_iter().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(
        keys(defaults.keys().map(String::as_str).collect()),
        keys(samples.keys().copied().collect()),
        "each setting has a sample in this test"
    );
    for (key, (in_file, more)) in samples {
        let setting = &defaults[key];
        assert_eq!(setting["source"], "default", "{key}");
        let path = place.file("m.toml", &format!("{key} = \"{in_file}\"\n"));
        let run = |variable: Option<&str>, flag: bool| {
            let mut command = place.command();
            command.args(["config", "--json", "--config"]).arg(&path);
            if let Some(value) = variable {
                command.env(setting["variable"].as_str().unwrap(), value);
            }
            let name = setting["flag"].as_str().unwrap();
            match (flag, key) {
                (true, "no_auth") => drop(command.arg(name)),
                (true, _) => drop(command.args([name, more])),
                (false, _) => {}
            }
            let output = command.output().unwrap();
            assert!(output.status.success(), "{key}: {output:?}");
            settings(&String::from_utf8(output.stdout).unwrap())[key].clone()
        };
        expect(&run(None, false), in_file, "file");
        expect(&run(Some(more), false), more, "environment");
        expect(&run(Some(in_file), true), more, "flag");
    }
}

#[test]
fn a_file_is_found_where_it_is_named_or_where_the_command_runs() {
    let place = Place::new();
    assert!(place.good("config").contains("retain                 5m"));
    place.file("monsterdb.toml", "retain = \"1m\"\n");
    let lying_here = place.good("config");
    let line = lying_here.lines().find(|line| line.starts_with("retain ")).unwrap();
    assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["retain", "1m", "file"]);
    let named = place.file("named.toml", "retain = \"2m\"\n");
    let output =
        place.command().args(["config", "--json"]).env("MONSTERDB_CONFIG", &named).output();
    let found = settings(&String::from_utf8(output.unwrap().stdout).unwrap());
    expect(&found["retain"], "2m", "file");
    expect(&found["listen"], "127.0.0.1:7117", "default");
    assert_eq!(place.fails(3, "config --config none.toml").out, "");
}

/// A slip stops every command, also those that it does not concern.
#[test]
fn a_slip_is_told_with_its_place() {
    let place = Place::new();
    place.file("monsterdb.toml", "# mine\nrate_limt = \"1/s\"\n");
    for line in ["config", "query c", "log stats"] {
        let run = place.fails(2, &format!("{line} --json"));
        let message = "monsterdb.toml:2: rate_limt is no setting; did you mean rate_limit?";
        assert_eq!(run.error()["message"], message, "{line}");
        assert_eq!(run.error()["error"], "setting", "{line}");
        assert_eq!(run.out, "");
    }
    assert!(place.good("config --help").contains("--rate-limit"), "help is given all the same");
    place.file("monsterdb.toml", "retain = \"soon\"\n");
    assert!(place.fails(2, "query c").err.starts_with("error: monsterdb.toml:1: retain: "));
    place.file("monsterdb.toml", "");
    let run = place.command().arg("config").env("MONSTERDB_LSITEN", "x").output().unwrap();
    assert_eq!(run.status.code(), Some(2));
    let told = String::from_utf8(run.stderr).unwrap();
    assert!(told.contains("MONSTERDB_LSITEN: it is no setting; did you mean MONSTERDB_LISTEN?"));
    let run = place.command().arg("config").env("MONSTERDB_RETAIN", "soon").output().unwrap();
    assert_eq!(run.status.code(), Some(2));
    let told = String::from_utf8(run.stderr).unwrap();
    assert!(told.starts_with("error: environment variable MONSTERDB_RETAIN: "), "{told}");
    let run = place.command().arg("config").env("MONSTERDB_PORT", "tcp://10.0.0.1:7117").output();
    assert_eq!(run.unwrap().status.code(), Some(0), "Kubernetes sets this one");
}

#[test]
fn a_secret_is_shown_to_nobody() {
    let place = Place::new();
    place.file("monsterdb.toml", "admin_key = \"hidden\"\napi_key = \"hidden\"\n");
    for line in ["config", "config --json"] {
        let shown = place.good(line);
        assert!(!shown.contains("hidden") && shown.matches("(not shown)").count() == 2, "{shown}");
    }
}

#[test]
fn the_form_of_the_log_is_not_taken_for_its_filter() {
    let place = Place::new();
    for form in ["human", "json"] {
        assert!(place.fails(2, &format!("config --log {form}")).err.contains("--log-format"));
    }
    place.fails(2, "config --log =");
}

/// With `MONSTERDB_TEST_UPDATE=1` the page is written anew.
#[test]
fn the_page_of_the_documentation_is_what_the_program_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
    let said = Place::new().good("config --markdown");
    if std::env::var_os("MONSTERDB_TEST_UPDATE").is_some() {
        fs::write(&page, &said).unwrap();
    }
    let written = fs::read_to_string(&page).unwrap();
    assert!(written == said, "docs/configuration.md is not what config --markdown says");
}

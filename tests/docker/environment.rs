//! Property 37, environment configuration: every setting works as an environment variable in the
//! container.

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
};

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, subsequence},
    test_runner::{Config, TestRunner},
};
use serde_json::Value;

use crate::{
    container::Container,
    effects::GIVEN,
    engine::Engine,
    host::{Environment, Host, good},
    met::{Case, Met},
    plain::Plain,
    settings::{ALL, Setting},
};

/// What has to occur for the property to have shown anything.
const OCCUR: &[&str] = &["a time", "bytes", "a number", "a rate", "a text", "none", "several"];

/// Those whose values nobody is shown.
const SECRETS: [&str; 2] = ["MONSTERDB_ADMIN_KEY", "MONSTERDB_API_KEY"];

/// Any settings together, with any values, from nothing but the environment: each is what its variable
/// says, and every other one is what it is by default.
#[test]
fn p37_environment_configuration() {
    let host = plain();
    let defaults = configuration(&host, &Environment::new());
    let met = Met::new();
    let config = Config { cases: 64, failure_persistence: None, ..Config::default() };
    let many = subsequence(ALL.to_vec(), 0..ALL.len());
    let numbers = vec(any::<Index>(), ALL.len());
    let checked = TestRunner::new(config).run(&(many, numbers), |(chosen, numbers)| {
        check(&host, &defaults, &chosen, &numbers, &met.case());
        Ok(())
    });
    checked.unwrap();
    met.report("p37", OCCUR);
}

impl std::fmt::Debug for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.variable)
    }
}

fn check(
    host: &Plain,
    defaults: &BTreeMap<String, Value>,
    chosen: &[Setting],
    numbers: &[Index],
    case: &Case<'_>,
) {
    // It names a file, and so is not independent of the others.
    let chosen = chosen.iter().filter(|setting| setting.variable != "MONSTERDB_CONFIG");
    let environment: Environment = chosen
        .zip(numbers)
        .map(|(setting, number)| {
            let default = defaults[setting.variable]["default"].as_str().unwrap_or_default();
            let (kind, value) = random_value(default, 1 + number.index(10_000))
                .unwrap_or(("a text", setting.value.to_owned()));
            case.note(kind, true);
            (setting.variable.to_owned(), value)
        })
        .collect();
    case.note("none", environment.is_empty());
    case.note("several", environment.len() > 5);
    for (variable, found) in configuration(host, &environment) {
        match environment.get(&variable) {
            Some(value) => expect(&found, &host.named(value)),
            None => assert_eq!(found, defaults[&variable]),
        }
    }
}

/// A value of the kind that this default is of.
fn random_value(default: &str, number: usize) -> Option<(&'static str, String)> {
    let end = default.find(|c: char| !c.is_ascii_digit()).unwrap_or(default.len());
    let (digits, unit) = default.split_at(end);
    let kind = match unit {
        _ if digits.is_empty() => return None,
        "" => "a number",
        "ms" | "s" | "m" | "h" => "a time",
        "KiB" | "MiB" | "GiB" => "bytes",
        "/s" | "/m" | "/h" => "a rate",
        _ => return None,
    };
    Some((kind, format!("{number}{unit}")))
}

/// A setting that nobody thought of here fails this.
#[test]
fn every_setting_has_a_value_in_the_table() {
    let known = configuration(&plain(), &Environment::new());
    let mut table: Vec<&str> = ALL.iter().map(|setting| setting.variable).collect();
    table.sort_unstable();
    assert_eq!(known.keys().collect::<Vec<_>>(), table);
    let unseen = ALL.iter().filter(|setting| setting.effect.is_none()).count();
    assert_eq!(unseen, 1, "the shell's history is not a server's; all others are");
}

#[test]
fn every_variable_is_shown_and_has_its_effect() {
    side_by_side(|setting| works(&plain(), setting));
}

#[test]
fn p37_environment_configuration_in_a_container() {
    let Some(engine) = Engine::get() else { return };
    side_by_side(|setting| {
        let host = Container::new(&engine);
        give(&host);
        works(&host, setting);
    });
}

/// Does something with each setting. Most of it is waiting.
fn side_by_side(work: impl Fn(&Setting) + Sync) {
    thread::scope(|scope| {
        for some in ALL.chunks(ALL.len().div_ceil(4)) {
            scope.spawn(|| some.iter().for_each(&work));
        }
    });
}

fn works(host: &dyn Host, setting: &Setting) {
    let shown = configuration(host, &setting.environment());
    expect(&shown[setting.variable], &host.named(setting.value));
    let Some(effect) = setting.effect else { return };
    let served = host.serve(&setting.environment_of_server());
    (effect.now)(host, &*served);
    let ended = served.stop();
    assert_eq!(ended.code, 0, "{}: {ended:#?}", setting.variable);
    (effect.after)(host, &ended);
}

/// The variables of all settings.
pub(crate) fn variables() -> BTreeSet<String> {
    configuration(&Plain::new(), &Environment::new()).into_keys().collect()
}

/// What `config` says of each setting, by its variable.
pub(crate) fn configuration(host: &dyn Host, environment: &Environment) -> BTreeMap<String, Value> {
    let text = good(&host.run(environment, &["config", "--json"]));
    let all: Value = serde_json::from_str(&text).unwrap();
    let settings = all["settings"].as_array().unwrap().iter();
    settings.map(|one| (one["variable"].as_str().unwrap().to_owned(), one.clone())).collect()
}

#[track_caller]
fn expect(found: &Value, value: &str) {
    let is_secret = SECRETS.contains(&found["variable"].as_str().unwrap());
    let value = if is_secret { "(not shown)" } else { value };
    assert_eq!((&found["value"], &found["source"]), (&value.into(), &"environment".into()));
}

fn plain() -> Plain {
    let host = Plain::new();
    give(&host);
    host
}

fn give(host: &dyn Host) {
    for (name, text) in GIVEN {
        host.give(name, text);
    }
}

//! The settings: every argument that can also be given by an environment variable.
//!
//! They are declared where the commands declare their arguments, and read from there: flag,
//! variable, key, default and description of one setting come of one declaration.
//!
//! Invariant: the command `config` takes every setting, so its arguments are all there are.

use std::{error::Error as _, ffi::OsString};

use clap::{Arg, ArgAction, Command, CommandFactory, builder::Resettable};

use super::super::Cli;

/// What the names of all variables begin with.
pub(super) const PREFIX: &str = "MONSTERDB_";

/// The setting that says where the file is, and so cannot stand in it.
const FILE: &str = "config";

/// One setting.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    arg: Arg,
    variable: String,
}

impl Setting {
    /// All of them, by what they are about.
    pub(crate) fn all() -> Vec<Setting> {
        let mut command = Cli::command();
        command.build();
        let config = command.find_subcommand(FILE).expect("there is a command config");
        let mut settings = of_command(config);
        // What is for every command comes last.
        settings.sort_by_key(|setting| setting.arg.is_global_set());
        settings
    }

    /// What its argument is called in the parsed command line.
    pub(super) fn id(&self) -> &str {
        self.arg.get_id().as_str()
    }

    /// The flag, with its hyphens.
    pub(super) fn flag(&self) -> String {
        format!("--{}", self.arg.get_long().unwrap_or_default())
    }

    /// The environment variable.
    pub(super) fn variable(&self) -> &str {
        &self.variable
    }

    /// The key in the file.
    pub(super) fn key(&self) -> Option<String> {
        let key = self.variable.strip_prefix(PREFIX).unwrap_or(&self.variable);
        (self.id() != FILE).then(|| key.to_ascii_lowercase())
    }

    /// What it is when nobody says otherwise, as it would be written.
    pub(super) fn default(&self) -> Option<String> {
        let values = self.arg.get_default_values().iter().map(|value| value.to_string_lossy());
        Some(values.collect::<Vec<_>>().join(",")).filter(|text| !text.is_empty())
    }

    /// What it is for, in one paragraph.
    pub(super) fn help(&self) -> String {
        self.arg.get_help().map(ToString::to_string).unwrap_or_default()
    }

    /// What it is about.
    pub(super) fn section(&self) -> &str {
        self.arg.get_help_heading().unwrap_or("Everywhere")
    }

    /// True for what is shown to nobody.
    pub(super) fn is_secret(&self) -> bool {
        self.arg.is_hide_env_values_set()
    }

    /// Values as they stand in the file, looked at as if they stood behind the flag; why not, if
    /// they do not fit.
    pub(super) fn check(&self, values: &[String]) -> Result<(), String> {
        let action = self.arg.get_action();
        match values {
            [value] if matches!(action, ArgAction::SetTrue) => match value.as_str() {
                "true" | "false" => return Ok(()),
                _ => return Err("it is true or false".to_owned()),
            },
            [_] => {}
            _ if matches!(action, ArgAction::Append) => {}
            _ => return Err("it takes one value".to_owned()),
        }
        let alone = self.arg.clone().env(Resettable::Reset).global(false);
        let command = Command::new(FILE).no_binary_name(true).disable_help_flag(true).arg(alone);
        let given = values.iter().map(|value| OsString::from(format!("{}={value}", self.flag())));
        command.try_get_matches_from(given).map(drop).map_err(|error| reason(&error))
    }
}

/// The arguments of one command that have a variable.
pub(super) fn of_command(command: &Command) -> Vec<Setting> {
    let with_variable = |arg: &Arg| {
        let variable = arg.get_env()?.to_string_lossy().into_owned();
        Some(Setting { arg: arg.clone(), variable })
    };
    command.get_arguments().filter_map(with_variable).collect()
}

/// The known name that is meant by one that is not known, if one is near.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |known: &&str| strsim::damerau_levenshtein(name, known);
    let nearest = known.min_by_key(distance)?;
    (distance(&nearest) <= 1 + name.len() / 5).then_some(nearest)
}

/// Why a value does not fit, without the usage around it.
fn reason(error: &clap::Error) -> String {
    match error.source() {
        Some(cause) => cause.to_string(),
        None => {
            let text = error.to_string();
            let first = text.split("\n\n").next().unwrap_or_default();
            first.trim_start_matches("error: ").split_whitespace().collect::<Vec<_>>().join(" ")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The commands in a command, and all below.
    fn commands(command: &Command) -> Vec<&Command> {
        let below = command.get_subcommands().flat_map(commands);
        std::iter::once(command).chain(below).collect()
    }

    #[test]
    fn every_argument_with_a_variable_is_a_setting() {
        let mut cli = Cli::command();
        cli.build();
        let said = |setting: &Setting| {
            let Setting { arg, variable } = setting;
            format!(
                "{} {variable} {:?} {}",
                setting.flag(),
                setting.default(),
                arg.is_hide_env_values_set()
            )
        };
        let all: BTreeSet<String> = Setting::all().iter().map(said).collect();
        for command in commands(&cli) {
            for setting in of_command(command) {
                let said = said(&setting);
                assert!(
                    all.contains(&said),
                    "{} takes {said}, config does not",
                    command.get_name()
                );
                assert!(
                    !setting.arg.is_required_set(),
                    "{said} must not be required: the file may say it"
                );
            }
        }
    }

    #[test]
    fn every_setting_says_what_it_is() {
        let settings = Setting::all();
        let mut names = BTreeSet::new();
        for setting in &settings {
            assert!(setting.variable.starts_with(PREFIX), "{setting:?}");
            assert!(setting.flag().len() > 2 && !setting.help().is_empty(), "{setting:?}");
            assert!(names.insert(setting.variable.clone()), "{} twice", setting.variable);
        }
        assert!(settings.len() > 35, "{}", settings.len());
    }

    #[test]
    fn the_nearest_name_is_found_when_it_is_near() {
        let known = ["listen", "rate_limit", "rate_burst"];
        let near = |name| nearest(name, known.into_iter());
        assert_eq!(near("lsiten"), Some("listen"));
        assert_eq!(near("rate-limit"), Some("rate_limit"));
        assert_eq!(near("rate"), None);
        assert_eq!(near("x"), None);
    }
}

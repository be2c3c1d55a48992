//! The command line, and below it the environment, the file and the defaults.
//!
//! The argument parser knows flags, variables and defaults by itself. What stands in the file is
//! given to it as the default of its argument, which puts it exactly where it belongs.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use clap::{ArgMatches, Command, CommandFactory, FromArgMatches, parser::ValueSource};

use super::{
    super::{Cli, Command as Verb, Failure},
    Effective, Origin, environment,
    file::{self, File},
    settings::Setting,
};

/// Why a command line does not say what to do.
#[derive(Debug)]
pub enum Refusal {
    /// The arguments are not understood, or ask for help.
    Arguments(clap::Error),
    /// A variable or the file is wrong.
    Settings(Box<Failure>),
}

impl From<clap::Error> for Refusal {
    fn from(error: clap::Error) -> Refusal {
        Refusal::Arguments(error)
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Refusal {
        Refusal::Settings(Box::new(failure))
    }
}

impl Cli {
    /// Reads the command line, the environment and the file of settings.
    ///
    /// # Errors
    ///
    /// [`Refusal`], which is also how help comes that was asked for.
    pub fn read(arguments: &[OsString]) -> Result<Cli, Refusal> {
        // Once without the file: help is given whatever stands there, and only now is known where
        // it is.
        let settings = Setting::all();
        let matches = Cli::command().try_get_matches_from(arguments);
        let matches = matches.map_err(|error| environment::blame(error, &settings))?;
        let names = env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
        environment::check(names, &settings)?;
        let file = match file_path(&matches) {
            Some(path) => File::read(&path, &settings)?,
            None => File::default(),
        };
        let command = below(Cli::command(), &file, &settings);
        let mut matches = command.try_get_matches_from(arguments)?;
        let effective = matches.subcommand().filter(|(name, _)| *name == "config");
        let effective = effective.map(|(_, matches)| effective_of(matches, &file, &settings));
        let mut cli = Cli::from_arg_matches_mut(&mut matches)?;
        if let (Verb::Config(args), Some(effective)) = (&mut cli.command, effective) {
            args.effective = effective;
        }
        Ok(cli)
    }
}

/// The file that was named, or the one that lies here.
fn file_path(matches: &ArgMatches) -> Option<PathBuf> {
    let named = matches.get_one::<PathBuf>("config").cloned();
    let here = Path::new(file::NAME);
    named.or_else(|| here.is_file().then(|| here.to_owned()))
}

/// The command with what the file says as the defaults of its arguments.
fn below(command: Command, file: &File, settings: &[Setting]) -> Command {
    let command = command.mut_args(|arg| {
        let setting = arg.get_env().and_then(|name| of_variable(settings, &name.to_string_lossy()));
        let key = setting.and_then(Setting::key);
        match key.and_then(|key| file.values(&key)) {
            Some(values) => arg.default_values(values.to_vec()),
            None => arg,
        }
    });
    command.mut_subcommands(|command| below(command, file, settings))
}

fn of_variable<'a>(settings: &'a [Setting], name: &str) -> Option<&'a Setting> {
    settings.iter().find(|setting| setting.variable() == name)
}

/// What each setting is, and who says so.
fn effective_of(matches: &ArgMatches, file: &File, settings: &[Setting]) -> Vec<Effective> {
    let effective = settings.iter().map(|setting| {
        let is_in_file = setting.key().is_some_and(|key| file.values(&key).is_some());
        let origin = match matches.value_source(setting.id()) {
            Some(ValueSource::CommandLine) => Origin::Flag,
            Some(ValueSource::EnvVariable) => Origin::Environment,
            Some(_) | None if is_in_file => Origin::File,
            Some(_) | None => Origin::Default,
        };
        let values = matches.get_raw(setting.id()).into_iter().flatten();
        let values: Vec<_> = values.map(|value| value.to_string_lossy()).collect();
        let value = (!values.is_empty()).then(|| values.join(","));
        Effective { setting: setting.clone(), value, origin }
    });
    effective.collect()
}

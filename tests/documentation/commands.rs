//! Every command of the program is on its page, with its arguments, and some page runs it.

use clap::{Command, CommandFactory};
use monsterdb::cli::Cli;

use crate::{
    generated,
    page::{Kind, Page},
};

/// Commands that no page runs in a tour, and why.
const NOT_PLAYED: [(&str, &str); 1] = [("serve", "it serves the tours themselves")];

#[test]
fn the_page_of_commands_is_what_the_program_says() {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let mut page = String::new();
    for command in program.get_subcommands() {
        match command.has_subcommands() {
            true => command.get_subcommands().for_each(|below| describe(below, &mut page)),
            false => describe(command, &mut page),
        }
    }
    page.push_str("### Of every command\n\n");
    arguments(&program, true, &mut page);
    generated::compare("docs/commands.md", "commands", &page);
}

#[test]
fn every_command_is_run_by_some_page() {
    let tours: String = Page::all().iter().map(|page| page.joined(&Kind::Commands)).collect();
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let is_run = |words: &str| {
        let words = format!("monsterdb {words}");
        tours.match_indices(&words).any(|(place, _)| {
            let rest = &tours[place + words.len()..];
            rest.starts_with(|next: char| next.is_whitespace() || next == ')')
        })
    };
    let mut names = Vec::new();
    for command in program.get_subcommands() {
        let name = command.get_name();
        match command.has_subcommands() {
            true => names.extend(
                command.get_subcommands().map(|below| format!("{name} {}", below.get_name())),
            ),
            false => names.push(name.to_owned()),
        }
    }
    let is_excused = |name: &String| NOT_PLAYED.iter().any(|(command, _)| command == name);
    let missing: Vec<_> = names.iter().filter(|name| !is_run(name) && !is_excused(name)).collect();
    assert!(missing.is_empty(), "no page runs {missing:?}");
}

/// A command's section.
fn describe(command: &Command, page: &mut String) {
    let mut command = command.clone();
    let name = command.get_bin_name().unwrap_or_default().trim_start_matches("monsterdb ");
    page.push_str(&format!("### {name}\n\n"));
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").split_whitespace();
    let usage = usage.collect::<Vec<_>>().join(" ");
    page.push_str(&format!("{about}.\n\n```text\n{usage}\n```\n\n"));
    arguments(&command, false, page);
}

/// The table of a command's arguments, but for those that are settings of the server and those that
/// all commands have.
fn arguments(command: &Command, global: bool, page: &mut String) {
    let is_serve = command.get_name() == "serve" || command.get_name() == "config";
    let mut rows = String::new();
    for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
        let is_standard = ["help", "version"].contains(&arg.get_id().as_str());
        if is_standard || arg.is_global_set() != global || (is_serve && arg.get_env().is_some()) {
            continue;
        }
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let help = help.replace('|', "\\|");
        let default = arg.get_default_values().iter().map(|value| value.to_string_lossy());
        let default = default.collect::<Vec<_>>().join(", ");
        let default = match default.as_str() {
            "" | "false" => String::new(),
            default => format!(" (default `{default}`)"),
        };
        let written = arg.to_string().replace('|', "\\|");
        rows.push_str(&format!("| `{written}` | {help}{default} |\n"));
    }
    if is_serve {
        page.push_str("Takes every [setting](configuration.md#all-settings) as a flag.\n\n");
    }
    if !rows.is_empty() {
        page.push_str(&format!("| argument | what it is |\n|---|---|\n{rows}\n"));
    }
}

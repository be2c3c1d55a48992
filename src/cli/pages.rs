//! `completions` and `man`: what shells and the manual know of the commands, made of the same
//! declarations as their help.

use clap::{Args, Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use super::{Cli, Failure, output::Output};

/// What the program is called.
const NAME: &str = "monsterdb";

/// Print a script that teaches a shell to complete commands, flags and values.
#[derive(Debug, Args)]
#[command(after_help = "\
bash:  source <(monsterdb completions bash)
zsh:   monsterdb completions zsh > \"${fpath[1]}/_monsterdb\"
fish:  monsterdb completions fish > ~/.config/fish/completions/monsterdb.fish")]
pub struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}

/// Print the manual page of the program, or of one command, as roff.
#[derive(Debug, Args)]
#[command(after_help = "monsterdb man serve > monsterdb-serve.1; man ./monsterdb-serve.1")]
pub struct ManArgs {
    /// The command, e.g. serve or index create; without one it is the page of the program
    #[arg(value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Prints the script of a shell.
pub(super) fn completions(args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), NAME, &mut script);
    print(&script)
}

/// Prints a page of the manual.
pub(super) fn man(args: &ManArgs) -> Result<(), Failure> {
    let mut whole = Cli::command().disable_help_subcommand(true);
    whole.build();
    let mut page = Vec::new();
    let command = find(&whole, &args.command)?.clone();
    Man::new(command).render(&mut page).map_err(Failure::Output)?;
    print(&page)
}

fn find<'a>(command: &'a Command, names: &[String]) -> Result<&'a Command, Failure> {
    let Some((name, rest)) = names.split_first() else { return Ok(command) };
    match command.find_subcommand(name) {
        Some(below) => find(below, rest),
        None => {
            let reason = format!("{} has no command {name}", command.get_name());
            Err(Failure::Usage { argument: "COMMAND", reason })
        }
    }
}

fn print(text: &[u8]) -> Result<(), Failure> {
    let mut output = Output::new();
    output.bytes(text)?;
    output.finish()
}

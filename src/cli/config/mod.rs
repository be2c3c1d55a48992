//! `config`: every setting, what it is now, and who says so.
//!
//! ```text
//! flag  >  environment variable MONSTERDB_*  >  key in monsterdb.toml  >  default
//! ```
//!
//! There is one table of settings, which is the arguments of the commands ([`settings`]); the flags,
//! the variables, the keys of the file, this command's output and the page in the documentation all
//! come of it. Tests hold that nothing is missing from any of them.

mod environment;
mod file;
mod read;
mod settings;

pub use read::Refusal;

use std::fmt::Write as _;

use clap::Args;
use serde_json::{Value, json};

use super::{
    Failure, HistoryArgs, ServeArgs,
    output::Output,
    table::{Align, Table},
    target::KeyArgs,
};
use settings::Setting;

/// What the page says before the tables.
const PAGE: &str = include_str!("page.md");

/// Show every setting, what it is now, and where that comes from. It takes the flags of serve and
/// does nothing with them but show them.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// Print the page of the documentation about all settings instead
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,

    /// The settings of a server.
    #[command(flatten)]
    pub serve: ServeArgs,

    /// The settings of who asks one.
    #[command(flatten, next_help_heading = "Asking a server")]
    pub key: KeyArgs,

    /// The settings of the shell.
    #[command(flatten, next_help_heading = "Shell")]
    pub history: HistoryArgs,

    /// What each setting is; known once everything is read.
    #[arg(skip)]
    pub(super) effective: Vec<Effective>,
}

/// What a setting is, and who says so.
#[derive(Debug)]
pub(super) struct Effective {
    setting: Setting,
    value: Option<String>,
    origin: Origin,
}

/// Who says what a setting is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Flag,
    Environment,
    File,
    Default,
}

/// Shows the settings.
pub(super) fn run(args: &ConfigArgs, json: bool) -> Result<(), Failure> {
    let text = match (args.markdown, json) {
        (true, _) => page(&Setting::all()),
        (false, true) => to_json(&args.effective),
        (false, false) => to_text(&args.effective),
    };
    let mut output = Output::new();
    output.text(&text)?;
    output.finish()
}

impl Effective {
    fn shown(&self) -> Option<&str> {
        match self.value.as_deref() {
            Some(_) if self.setting.is_secret() => Some("(not shown)"),
            value => value,
        }
    }
}

impl Origin {
    fn name(self) -> &'static str {
        match self {
            Origin::Flag => "flag",
            Origin::Environment => "environment",
            Origin::File => "file",
            Origin::Default => "default",
        }
    }
}

fn to_text(effective: &[Effective]) -> String {
    let mut table = Table::new(["setting", "value", "source"].map(str::to_owned).to_vec());
    for one in effective {
        let name = one.setting.flag();
        let name = one.setting.key().unwrap_or_else(|| name.trim_start_matches('-').to_owned());
        let value = one.shown().unwrap_or("-").to_owned();
        table.row(vec![name, value, one.origin.name().to_owned()], &[Align::Left; 3]);
    }
    table.to_text(None)
}

fn to_json(effective: &[Effective]) -> String {
    let settings: Vec<Value> = effective
        .iter()
        .map(|one| {
            json!({
                "key": one.setting.key(),
                "flag": one.setting.flag(),
                "variable": one.setting.variable(),
                "value": one.shown(),
                "source": one.origin.name(),
                "default": one.setting.default(),
            })
        })
        .collect();
    format!("{}\n", json!({ "settings": settings }))
}

/// The page of the documentation.
fn page(settings: &[Setting]) -> String {
    let mut page = PAGE.to_owned();
    let mut section = "";
    page.push_str("\n## All settings\n");
    for setting in settings {
        if setting.section() != section {
            section = setting.section();
            let _ = write!(
                page,
                "\n### {section}\n\n| flag | variable | key | default | what it is |\n\
                 |---|---|---|---|---|\n"
            );
        }
        let code = |text: Option<String>| text.map_or("–".to_owned(), |text| format!("`{text}`"));
        let _ = writeln!(
            page,
            "| `{}` | `{}` | {} | {} | {} |",
            setting.flag(),
            setting.variable(),
            code(setting.key()),
            code(setting.default()),
            setting.help().replace('|', "\\|"),
        );
    }
    page
}

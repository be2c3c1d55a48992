//! Every block of every page is run, compared, or counted with the reason why not.

use std::{
    fs,
    io::{self, Write},
    process::Command,
};

use toml::de::DeTable;

use crate::{
    page::{Block, Kind, Page, root},
    server::Server,
    skipped,
};

/// How a page that does not hold is told.
type Faults = Vec<String>;

/// How every diagram begins.
const DIAGRAMS: [&str; 3] = ["flowchart ", "sequenceDiagram", "stateDiagram-v2"];

#[test]
fn every_block_runs_as_its_page_says() {
    let pages = Page::all();
    let mut faults = Faults::new();
    let can_play =
        ["bash", "curl"].iter().all(|tool| Command::new(tool).arg("--version").output().is_ok());
    if !can_play {
        skipped::skipped("the tours of the documentation need bash and curl");
    }
    for page in &pages {
        if can_play {
            faults.extend(play(page));
        }
        faults.extend(read(page));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    tell(&pages);
}

/// Runs a page's commands on a server of its own, and compares what they print.
fn play(page: &Page) -> Option<String> {
    let commands = page.joined(&Kind::Commands);
    if commands.is_empty() {
        return None;
    }
    let expected = page.joined(&Kind::Answer);
    match Server::start().play(&commands) {
        Ok(printed) if printed == expected => None,
        Ok(printed) => Some(format!("{}: {}", page.name, difference(&printed, &expected))),
        Err(reason) => Some(format!("{}: {reason}", page.name)),
    }
}

/// The first line that is not as it is written.
fn difference(printed: &str, expected: &str) -> String {
    let mut said = expected.lines();
    for line in printed.lines() {
        let next = said.next();
        if next != Some(line) {
            return format!("prints\n{line}\nwhere it says\n{}", next.unwrap_or("nothing more"));
        }
    }
    format!("prints nothing where it says\n{}", said.next().unwrap_or("an end of a line"))
}

/// What can be said of a page's other blocks.
fn read(page: &Page) -> Faults {
    let mut faults = Faults::new();
    let mut hold = |block: &Block, holds: bool, what: String| {
        if !holds {
            faults.push(format!("{}:{}: {what}", page.name, block.line));
        }
    };
    for block in &page.blocks {
        match block.kind {
            Kind::Doctest => {
                let included = is_in_rustdoc(&page.name);
                hold(block, included, "no document of the library includes this page".to_owned());
            }
            Kind::Settings => {
                let refusal = settings_refused(&block.text);
                hold(block, refusal.is_none(), refusal.unwrap_or_default());
            }
            Kind::Manifest => {
                let parsed = manifest_refused(&block.text);
                hold(block, parsed.is_none(), parsed.unwrap_or_default());
            }
            Kind::Diagram => {
                let is_known = DIAGRAMS.iter().any(|begin| block.text.starts_with(begin));
                hold(block, is_known, "no kind of diagram that we use".to_owned());
            }
            Kind::Commands | Kind::Answer | Kind::NotRun(_) | Kind::Text => {}
        }
    }
    faults
}

/// Whether some source of the library has the page as its document.
fn is_in_rustdoc(page: &str) -> bool {
    let sources = fs::read_dir(root().join("src")).unwrap();
    let mut files = sources.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    files.any(|path| {
        fs::read_to_string(path).unwrap().contains(&format!("include_str!(\"../{page}\")"))
    })
}

/// What the program says against a file of settings.
fn settings_refused(text: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("monsterdb.toml"), text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_monsterdb"));
    let output = command.arg("config").current_dir(folder.path()).output().unwrap();
    (!output.status.success()).then(|| String::from_utf8(output.stderr).unwrap())
}

/// What is wrong with a line of a manifest: it must name a version and features that there are.
fn manifest_refused(text: &str) -> Option<String> {
    let own = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let own = DeTable::parse(&own).unwrap();
    let written = match DeTable::parse(text) {
        Ok(table) => table,
        Err(error) => return Some(error.to_string()),
    };
    let dependency = written.get_ref().get("monsterdb")?.get_ref();
    let version = dependency["version"].get_ref().as_str().unwrap();
    if !own.get_ref()["package"].get_ref()["version"]
        .get_ref()
        .as_str()
        .unwrap()
        .starts_with(version)
    {
        return Some(format!("there is no version {version}"));
    }
    let features = dependency.get("features")?.get_ref().as_array()?;
    let mut names = features.iter().filter_map(|name| name.get_ref().as_str());
    let known = own.get_ref()["features"].get_ref();
    names.find(|name| known.get(*name).is_none()).map(|name| format!("there is no feature {name}"))
}

/// Counts the blocks. What a test that passes prints is never shown, so this goes past it.
fn tell(pages: &[Page]) {
    let count = |is_kind: fn(&Kind) -> bool| {
        pages.iter().flat_map(|page| &page.blocks).filter(|block| is_kind(&block.kind)).count()
    };
    let mut lines = format!(
        "\ndocumentation: {} pages, {} blocks: {} of commands run, {} answers compared, {} run by \
         rustdoc, {} files of settings and manifests accepted, {} diagrams, {} texts, {} not run\n",
        pages.len(),
        count(|_| true),
        count(|kind| *kind == Kind::Commands),
        count(|kind| *kind == Kind::Answer),
        count(|kind| *kind == Kind::Doctest),
        count(|kind| [Kind::Settings, Kind::Manifest].contains(kind)),
        count(|kind| *kind == Kind::Diagram),
        count(|kind| *kind == Kind::Text),
        count(|kind| matches!(kind, Kind::NotRun(_))),
    );
    for page in pages {
        for block in &page.blocks {
            if let Kind::NotRun(reason) = &block.kind {
                lines.push_str(&format!("not run: {}:{}: {reason}\n", page.name, block.line));
            }
        }
    }
    io::stderr().write_all(lines.as_bytes()).unwrap();
}

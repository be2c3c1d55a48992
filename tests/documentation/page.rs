//! A page of the documentation: its blocks of code, and what is done with each.

use std::{fs, path::Path};

/// The README, or a file in `docs`.
pub(crate) struct Page {
    /// Its path in the repository.
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) blocks: Vec<Block>,
}

/// Lines between fences.
pub(crate) struct Block {
    pub(crate) kind: Kind,
    /// The line its fence stands in, from one.
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// What a block is, which its fence says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Commands, run in one shell a page beside a server: `sh tour`.
    Commands,
    /// What the commands print: `json tour` or `text tour`.
    Answer,
    /// Commands that are not run, and why: `sh not-run: REASON`.
    NotRun(String),
    /// A test of rustdoc: `rust`.
    Doctest,
    /// A file of settings, which the program must accept: `toml settings`.
    Settings,
    /// A part of another program's manifest: `toml manifest`.
    Manifest,
    /// A drawing: `mermaid`.
    Diagram,
    /// No code, but a shape, a grammar or a transcript: `text`.
    Text,
}

impl Page {
    /// Every page there is, the README first.
    pub(crate) fn all() -> Vec<Page> {
        let mut names: Vec<_> = fs::read_dir(root().join("docs"))
            .unwrap()
            .map(|entry| format!("docs/{}", entry.unwrap().file_name().to_str().unwrap()))
            .filter(|name| name.ends_with(".md"))
            .collect();
        names.sort();
        names.insert(0, "README.md".to_owned());
        names.into_iter().map(Page::read).collect()
    }

    fn read(name: String) -> Page {
        let text = fs::read_to_string(root().join(&name)).unwrap();
        let blocks = blocks(&name, &text);
        Page { name, text, blocks }
    }

    /// The text without its blocks of code.
    pub(crate) fn prose(&self) -> String {
        let mut is_code = false;
        let lines = self.text.lines().filter(|line| {
            let is_fence = line.trim_start().starts_with("```");
            is_code ^= is_fence;
            !is_code && !is_fence
        });
        lines.map(|line| format!("{line}\n")).collect()
    }

    /// The texts of the blocks of one kind, one after the other.
    pub(crate) fn joined(&self, kind: &Kind) -> String {
        self.of(kind).map(|block| block.text.as_str()).collect()
    }

    /// The texts of the blocks that are not run.
    pub(crate) fn not_run(&self) -> String {
        let blocks = self.blocks.iter().filter(|block| matches!(block.kind, Kind::NotRun(_)));
        blocks.map(|block| block.text.as_str()).collect()
    }

    /// The blocks of one kind.
    pub(crate) fn of(&self, kind: &Kind) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(move |block| block.kind == *kind)
    }
}

/// Where the repository is.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn blocks(page: &str, text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in (1..).zip(text.lines()) {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(fence)) => {
                let kind = kind(fence);
                let kind =
                    kind.unwrap_or_else(|| panic!("{page}:{number}: a block of \"{fence}\""));
                open = Some(Block { kind, line: number, text: String::new() });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{page}: a block has no end");
    blocks
}

fn kind(fence: &str) -> Option<Kind> {
    Some(match fence {
        "sh tour" => Kind::Commands,
        "json tour" | "text tour" => Kind::Answer,
        "rust" => Kind::Doctest,
        "toml settings" => Kind::Settings,
        "toml manifest" => Kind::Manifest,
        "mermaid" => Kind::Diagram,
        "text" => Kind::Text,
        _ => {
            let reason = fence.strip_prefix("sh not-run: ")?;
            (!reason.is_empty()).then(|| Kind::NotRun(reason.to_owned()))?
        }
    })
}

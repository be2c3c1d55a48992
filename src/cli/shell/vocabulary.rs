//! What can be completed: statements and their flags, the names of collections, and the paths that
//! documents were seen with.

use std::collections::BTreeSet;

use clap::{Command, CommandFactory};

use super::{statement::Line, words};
use crate::document::{Json, Kind, Raw};

/// Paths that are remembered.
const PATHS_MAX: usize = 1_000;

/// Steps of a path that is remembered.
const PATH_DEPTH_MAX: usize = 4;

/// Operators of filters and updates.
const OPERATORS: [&str; 34] = [
    "$addToSet",
    "$all",
    "$and",
    "$currentDate",
    "$elemMatch",
    "$eq",
    "$exists",
    "$gt",
    "$gte",
    "$in",
    "$inc",
    "$lt",
    "$lte",
    "$max",
    "$min",
    "$mod",
    "$mul",
    "$ne",
    "$nin",
    "$nor",
    "$not",
    "$or",
    "$pull",
    "$push",
    "$regex",
    "$rename",
    "$set",
    "$size",
    "$startsWith",
    "$type",
    "$unset",
    "$each",
    "$position",
    "$slice",
];

/// Names that have been met.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    collections: BTreeSet<String>,
    paths: BTreeSet<String>,
}

impl Vocabulary {
    /// Notes a collection.
    pub(super) fn add_collection(&mut self, name: &str) {
        self.collections.insert(name.to_owned());
    }

    /// Forgets a collection.
    pub(super) fn remove_collection(&mut self, name: &str) {
        self.collections.remove(name);
    }

    /// Notes the paths of a document.
    pub(super) fn add_document(&mut self, text: &str) {
        if let Ok(document) = Json::parse(text) {
            self.add_paths(document.as_raw(), "", PATH_DEPTH_MAX);
        }
    }

    fn add_paths(&mut self, value: Raw<'_>, above: &str, steps: usize) {
        if steps == 0 || value.kind() != Kind::Object {
            return;
        }
        for member in value.members() {
            let path = match above {
                "" => member.name().into_owned(),
                above => format!("{above}.{}", member.name()),
            };
            self.add_paths(member.value, &path, steps - 1);
            if self.paths.len() < PATHS_MAX && path != "_version" {
                self.paths.insert(path);
            }
        }
    }

    /// What may stand at the end of a text instead of its last word, and where that begins.
    pub(super) fn completions(&self, text: &str) -> (usize, Vec<String>) {
        let in_word = |char: char| char.is_alphanumeric() || "_.$-".contains(char);
        let start = text.len()
            - text
                .chars()
                .rev()
                .take_while(|char| in_word(*char))
                .map(char::len_utf8)
                .sum::<usize>();
        let (before, word) = text.split_at(start);
        if words::depth(text) > 0 {
            return (start, self.in_json(before, word));
        }
        let Ok(words) = words::split(before) else { return (start, Vec::new()) };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let found = self.next_word(&words, word).into_iter();
        let fits = found.filter(|name| name.starts_with(word)).map(|name| format!("{name} "));
        (start, fits.collect())
    }

    /// A path or an operator, with the quotes that belong around it.
    fn in_json(&self, before: &str, word: &str) -> Vec<String> {
        let quote = if before.ends_with('"') { "" } else { "\"" };
        let names: Vec<&str> = match word.starts_with('$') {
            true => OPERATORS.to_vec(),
            false => self.paths.iter().map(String::as_str).collect(),
        };
        let fits = names.into_iter().filter(|name| name.starts_with(word));
        fits.map(|name| format!("{quote}{name}\"")).collect()
    }

    fn next_word(&self, words: &[&str], word: &str) -> Vec<String> {
        let line = Line::command();
        let names = |command: &Command| {
            command.get_subcommands().map(|one| one.get_name().to_owned()).collect::<Vec<_>>()
        };
        let collections = || self.collections.iter().cloned().collect::<Vec<_>>();
        let help = || std::iter::once("help".to_owned());
        let (command, rest) = match words {
            [] => return names(&line).into_iter().chain(help()).collect(),
            ["help", rest @ ..] | rest => match rest {
                [] => return names(&line),
                [verb, rest @ ..] => match line.find_subcommand(verb) {
                    Some(command) => (command.clone(), rest),
                    None => return Vec::new(),
                },
            },
        };
        let (command, rest) = match (command.has_subcommands(), rest) {
            (true, []) => return names(&command),
            (true, [below, rest @ ..]) => match command.find_subcommand(below) {
                Some(below) => (below.clone(), rest),
                None => return Vec::new(),
            },
            (false, rest) => (command, rest),
        };
        if word.starts_with('-') {
            let flags = command.get_arguments().filter_map(|arg| arg.get_long());
            return flags.map(|flag| format!("--{flag}")).collect();
        }
        match rest {
            [] if command.get_positionals().next().is_some() => collections(),
            [] => Vec::new(),
            _ => self.paths.iter().cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(text: &str) -> Vec<String> {
        let mut vocabulary = Vocabulary::default();
        for name in ["people", "places", "log"] {
            vocabulary.add_collection(name);
        }
        vocabulary.add_document(r#"{"_id":"a","_version":1,"age":1,"address":{"city":"x"}}"#);
        let (start, found) = vocabulary.completions(text);
        found.into_iter().map(|end| format!("{}{end}", &text[..start])).collect()
    }

    #[test]
    fn every_place_has_its_words() {
        for (text, found) in [
            ("fi", &["find "][..]),
            ("col", &["collections "]),
            ("he", &["help "]),
            ("help fi", &["find "].map(|_| "help find ")),
            ("find p", &["find people ", "find places "]),
            ("index cr", &["index create "]),
            ("index drop l", &["index drop log "]),
            ("find people {\"ag", &["find people {\"age\""]),
            ("find people {ad", &["find people {\"address\"", "find people {\"address.city\""]),
            (
                "find people {\"age\": {\"$gt",
                &["find people {\"age\": {\"$gt\"", "find people {\"age\": {\"$gte\""],
            ),
            ("find people {} --so", &["find people {} --sort "]),
            ("find people {} --sort ag", &["find people {} --sort age "]),
            ("collections ", &[]),
            ("frobnicate ", &[]),
            ("get 'a", &[]),
        ] {
            assert_eq!(completed(text), found, "{text}");
        }
        assert!(completed("").len() > 12);
    }
}

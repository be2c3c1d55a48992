//! The layers: a module uses only modules of layers below its own.

use super::{
    Problem,
    source::{Source, Use},
};

/// From the bottom up. Modules of one layer do not use each other.
const LAYERS: [&[&str]; 13] = [
    // The page of proof and the guide have no code.
    &["sync", "proof", "guide"],
    &["names", "version", "limits", "histogram"],
    &["error"],
    &["document", "storage"],
    &["filter"],
    &["update"],
    &["snapshot", "wal"],
    &["query", "checkpoint"],
    &["transaction"],
    &["commit", "feed"],
    &["database"],
    &["server"],
    &["cli"],
];

/// The arrows of one source that point up, sideways, or nowhere.
pub(crate) fn problems(source: &Source) -> Vec<Problem> {
    let path = source.name.strip_prefix("src/").unwrap_or(&source.name);
    let module = path.split(['/', '.']).next().unwrap_or(path);
    if path == "lib.rs" {
        return Vec::new();
    }
    let mut arrows = source.uses_of("crate");
    if path == "main.rs" {
        let advice = "main.rs is its own crate: use what monsterdb:: makes public";
        return arrows.iter().map(|arrow| problem(source, arrow.line, advice.into())).collect();
    }
    arrows.extend(escapes(source, path));
    arrows
        .iter()
        .filter_map(|arrow| complaint(module, arrow))
        .map(|(line, advice)| problem(source, line, advice))
        .collect()
}

fn problem(source: &Source, line: usize, advice: String) -> Problem {
    Problem { file: source.name.clone(), line, advice }
}

fn complaint(module: &str, arrow: &Use) -> Option<(usize, String)> {
    let name = &arrow.name;
    let Some(own) = layer(module) else {
        let advice = format!("module {module} has no layer: give it one in tests/tidy/layers.rs");
        return Some((arrow.line, advice));
    };
    let advice = match layer(name) {
        _ if name == module => return None,
        Some(other) if other < own => return None,
        Some(_) => format!(
            "{module} must not use {name}, which is not below it: move what both need to a layer \
             below {module}"
        ),
        None => format!("crate::{name} hides an arrow: name the module that it comes from"),
    };
    Some((arrow.line, advice))
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

/// What is named by way of `super::` beyond the file's own top module.
fn escapes(source: &Source, path: &str) -> Vec<Use> {
    let folders = path.trim_end_matches("/mod.rs").trim_end_matches(".rs").split('/').count();
    let mut found = Vec::new();
    for (number, line) in (1..).zip(&source.lines) {
        // A module for tests within the file is one deeper.
        let root = "super::".repeat(folders + usize::from(line.is_test));
        for (at, _) in line.code.match_indices(&root) {
            let rest = &line.code[at + root.len()..];
            let name = rest.chars().take_while(|&c| super::source::is_word(c)).collect();
            found.push(Use { line: number, name });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_lines;

    fn lines(name: &str, text: &str, expected: &[usize]) {
        assert_lines(&problems(&Source::new(name, text)), expected);
    }

    #[test]
    fn arrows_up_and_sideways_are_found() {
        let text = "use crate::{\n    error::Error,\n    wal::Writer,\n    query::Query,\n};\n";
        lines("src/snapshot/mod.rs", text, &[3, 4]);
        lines("src/filter/parse.rs", "fn f() { crate::database::open() }", &[1]);
        lines("src/names.rs", "use crate::limits::N;", &[1]);
    }

    #[test]
    fn arrows_down_and_within_a_module_are_fine() {
        lines("src/snapshot/index.rs", "use crate::{document::D, snapshot::S};\n", &[]);
        lines("src/lib.rs", "use crate::cli::C;", &[]);
        lines("src/names.rs", "//! See [`crate::database`].\nconst S: &str = \"crate::cli\";", &[]);
    }

    #[test]
    fn hidden_arrows_are_found() {
        lines("src/filter/mod.rs", "use crate::Error;", &[1]);
        lines("src/names.rs", "use super::error::Error;", &[1]);
        lines("src/wal/reader.rs", "use super::super::query::Q;\nuse super::record::R;", &[1]);
        lines(
            "src/wal/reader.rs",
            "#[cfg(test)]\nmod t {\n    use super::super::record::R;\n}",
            &[],
        );
    }

    #[test]
    fn new_modules_need_a_layer_and_the_program_stays_outside() {
        lines("src/helpers.rs", "use crate::error::Error;", &[1]);
        lines("src/main.rs", "use crate::error::Error;", &[1]);
        lines("src/main.rs", "use monsterdb::Error;", &[]);
    }
}

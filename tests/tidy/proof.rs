//! The page of proof names only what is there: test targets, tests, scripts.

use std::{collections::BTreeSet, path::Path};

use super::{Problem, source::Source};

/// What the page's commands may name.
pub(crate) struct Present {
    /// Folders and files below `tests` without their endings: `crash`, `scripts`.
    pub(crate) targets: BTreeSet<String>,
    /// Each test by its path within its target: `crash every_operation::always_durable`.
    pub(crate) tests: Vec<String>,
}

impl Present {
    /// Reads the sources below `tests`.
    pub(crate) fn of(sources: &[Source]) -> Present {
        let mut present = Present { targets: BTreeSet::new(), tests: Vec::new() };
        for source in sources {
            let Some(path) = source.name.strip_prefix("tests/") else { continue };
            let path = path.trim_end_matches(".rs").trim_end_matches("/main");
            let (target, module) = path.split_once('/').unwrap_or((path, ""));
            present.targets.insert(target.to_owned());
            let names = source.lines.iter().filter_map(|line| {
                let rest = line.code.trim_start().strip_prefix("fn ")?;
                rest.split(['(', '<']).next()
            });
            present.tests.extend(names.map(|name| format!("{target} {module}::{name}")));
        }
        present
    }
}

/// Commands of a page that name a target, a test or a script which is not there.
pub(crate) fn problems(page: &Source, present: &Present, root: &Path) -> Vec<Problem> {
    let mut found = Vec::new();
    for (line, number) in page.lines.iter().zip(1..) {
        let mut problem = |advice: String| {
            found.push(Problem { file: page.name.clone(), line: number, advice });
        };
        for command in line.text.split("cargo test --test ").skip(1) {
            // Within the text a command ends with a quotation, in a block before its explanation.
            let command = command.split('`').next().unwrap_or_default();
            let command = command.split("  ").next().unwrap_or_default();
            let mut words = command.split_whitespace().take_while(|word| *word != "--");
            let target = words.next().unwrap_or_default();
            if !present.targets.contains(target) {
                problem(format!("there is no test target {target}"));
                continue;
            }
            let Some(filter) = words.next() else { continue };
            let prefix = format!("{target} ");
            let of_target = present.tests.iter().filter(|test| test.starts_with(&prefix));
            if !of_target.clone().any(|test| test[prefix.len()..].contains(filter)) {
                problem(format!("no test of {target} has {filter} in its name"));
            }
        }
        for script in line.text.split(['`', ' ']).filter(|word| is_script(word)) {
            if !root.join(script).exists() {
                problem(format!("there is no {script}"));
            }
        }
    }
    found
}

fn is_script(word: &str) -> bool {
    let known = ["tests/", "loom-tests/"].iter().any(|folder| word.starts_with(folder));
    known && word.chars().all(|c| c.is_ascii_alphanumeric() || "/_-.".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_lines;

    #[test]
    fn what_is_not_there_is_found() {
        let test = Source::new("tests/crash/full.rs", "#[test]\nfn room_runs_out() {}\n");
        let present = Present::of(&[test]);
        let page = Source::new(
            "src/proof.rs",
            "//! `cargo test --test crash full` and `cargo test --test crash room`\n\
             //! `cargo test --test crash nothing` and `cargo test --test gone`\n\
             //! A=5 cargo test --test crash -- --nocapture     words\n\
             //! `tests/gone/run`\n",
        );
        let found = problems(&page, &present, Path::new("."));
        assert_lines(&found, &[2, 2, 4]);
    }
}

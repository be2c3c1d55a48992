//! Every mutant of the engine stands in a table with a test that notices it, and the tables name no
//! others.

use std::collections::BTreeSet;

use super::{Problem, source::Source};

/// The files that name the mutants and their tests, a line each. A line of a table begins with the
/// mutant; other lines of a script do not have three words or do not begin with one.
pub(crate) const TABLES: [&str; 3] =
    ["tests/mutants/table", "loom-tests/mutants", "tests/history/mutants"];

/// Mutants that no table has, and lines of tables whose mutant is not in the sources.
pub(crate) fn problems(sources: &[Source], tables: &[(&str, String)]) -> Vec<Problem> {
    let planted: Vec<(String, usize, String)> = sources.iter().flat_map(mutants).collect();
    let listed: Vec<(String, usize, String)> =
        tables.iter().flat_map(|(name, text)| lines(name, text)).collect();
    let names = |found: &[(String, usize, String)]| -> BTreeSet<String> {
        found.iter().map(|(_, _, mutant)| mutant.clone()).collect()
    };
    let (in_sources, in_tables) = (names(&planted), names(&listed));
    let problem = |(file, line, mutant): &(String, usize, String), what: &str| Problem {
        file: file.clone(),
        line: *line,
        advice: format!("mutant {mutant} {what}"),
    };
    let unlisted = planted.iter().filter(|(_, _, mutant)| !in_tables.contains(mutant));
    let gone = listed.iter().filter(|(_, _, mutant)| !in_sources.contains(mutant));
    unlisted
        .map(|found| problem(found, "has no test: name one in tests/mutants/table"))
        .chain(gone.map(|found| problem(found, "is not in the sources: take it off the table")))
        .collect()
}

/// The mutants that a source has, with their lines. A name may stand on the line after the call.
fn mutants(source: &Source) -> Vec<(String, usize, String)> {
    let mut found = Vec::new();
    for (at, line) in source.lines.iter().enumerate() {
        for call in ["mutant(", "step("] {
            let Some((before, rest)) = line.text.split_once(call) else { continue };
            let is_word =
                before.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
            if is_word || line.text.trim_start().starts_with("//") {
                continue;
            }
            let next = source.lines.get(at + 1).map_or("", |next| &next.text);
            let text = if rest.is_empty() { next } else { rest };
            let name = text.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next());
            let name = name.filter(|name| is_name(name));
            found.extend(name.map(|name| (source.name.clone(), at + 1, name.to_owned())));
        }
    }
    found
}

fn lines(file: &str, text: &str) -> Vec<(String, usize, String)> {
    let table = text.lines().zip(1..).filter_map(|(line, number)| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_entry = !line.starts_with([' ', '#']) && words.len() >= 3;
        let mutant = *words.first().filter(|mutant| is_entry && is_name(mutant))?;
        mutant.contains('_').then(|| (file.to_owned(), number, mutant.to_owned()))
    });
    table.collect()
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_lines;

    #[test]
    fn mutants_without_a_test_and_tests_without_a_mutant_are_found() {
        let source = Source::new(
            "src/a.rs",
            "if mutant(\"one_left_out\") {\nstep(\"two_left_out\", || sync())?;\nstep(\n    \"three_off\",\n\
             /// mutant(\"no_code\")\nmy_step(\"no_step\")\n",
        );
        let table = "# mutant  target  test\none_left_out crash a::b\n\
                     gone_off crash e\nfi\nif [ -z x ]\n";
        let found = problems(&[source], &[("table", table.to_owned())]);
        assert_lines(&found, &[2, 3, 3]);
    }
}

//! The page on queries names every operator of filters and updates, and every metric of an
//! aggregate, that the code knows.

use std::collections::BTreeSet;

use super::{Problem, source::Source};

/// What the code reads by name: operators wherever filters and updates are read, and metrics.
pub(crate) fn names(sources: &[Source]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for source in sources {
        let in_folder = |folder: &str| source.name.starts_with(folder);
        let code = source.lines.iter().filter(|line| !line.is_test);
        // Strings are blanked out in the code of a line.
        let texts = code.map(|line| line.text.trim()).filter(|text| !text.starts_with("//"));
        for text in texts {
            // Printing has a name for what is no filter, which nobody can read.
            let is_printing = source.name == "src/filter/print.rs";
            if (in_folder("src/filter/") && !is_printing) || in_folder("src/update/") {
                names.extend(literals(text).filter(|text| is_operator(text)).map(str::to_owned));
            }
            let is_metric =
                text.starts_with("(\"") && text.contains("=> ") && text.contains("Metric::");
            if source.name == "src/query/aggregate.rs" && is_metric {
                names.extend(literals(text).map(str::to_owned));
            }
        }
    }
    names
}

/// Names that the page does not have as code.
pub(crate) fn problems(page: &str, text: &str, names: &BTreeSet<String>) -> Vec<Problem> {
    let missing = names.iter().filter(|name| !text.contains(&format!("`{name}`")));
    let problem = |name: &String| Problem {
        file: page.to_owned(),
        line: 1,
        advice: format!("the code knows {name}: say what it does, and show it"),
    };
    missing.map(problem).collect()
}

/// The texts between quotes.
fn literals(line: &str) -> impl Iterator<Item = &str> {
    line.split('"').skip(1).step_by(2)
}

fn is_operator(text: &str) -> bool {
    let name = text.strip_prefix('$').unwrap_or_default();
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_lines;

    #[test]
    fn what_is_not_named_is_found() {
        let filter =
            "// \"$no\"\nmatch name {\n    \"$gt\" => 1,\n    \"$ in\" | \"$lt\" => 2,\n}\n";
        let aggregate = "match name {\n    (\"sum\", Some(path)) => Metric::Sum(path),\n}\n";
        let sources = [
            Source::new("src/filter/a.rs", filter),
            Source::new("src/query/aggregate.rs", aggregate),
            Source::new("src/server/a.rs", "\"$ne\""),
        ];
        let names = names(&sources);
        assert_eq!(names.iter().collect::<Vec<_>>(), ["$gt", "$lt", "sum"]);
        assert_lines(&problems("a.md", "`$gt`, `$lt` and `sum`", &names), &[]);
        assert_lines(&problems("a.md", "`$gt`, $lt", &names), &[1, 1]);
    }
}

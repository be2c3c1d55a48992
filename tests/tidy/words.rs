//! Words that have their place, or none.

use super::{Problem, source::Source};

/// What the models of loom replace is named in one file, or they would not replace all of it.
pub(crate) fn threads(source: &Source) -> Vec<Problem> {
    // The server, the command line and the program are never built for a model.
    let exempt = ["src/sync.rs", "src/main.rs"].contains(&source.name.as_str())
        || ["src/server/", "src/cli/"].iter().any(|folder| source.name.starts_with(folder));
    let in_std = source.uses_of("std").into_iter();
    let places = in_std
        .filter(|used| !exempt && (used.name == "sync" || used.name == "thread"))
        .map(|used| (used.line, format!("std::{}", used.name)));
    let swaps = lines_with(source, "arc_swap")
        .filter(|_| source.name != "src/sync.rs")
        .map(|line| (line, "arc_swap".to_owned()));
    let mut problems: Vec<Problem> = places
        .chain(swaps)
        .filter(|&(line, _)| !source.lines[line - 1].is_test)
        .map(|(line, name)| {
            let advice = format!("{name} is named in sync.rs alone: use what crate::sync offers");
            Problem { file: source.name.clone(), line, advice }
        })
        .collect();
    problems.sort_by_key(|problem| problem.line);
    problems
}

pub(crate) fn unwraps(source: &Source) -> Vec<Problem> {
    let advice = "return the error, or say in expect(…) why there is none";
    lines_with(source, ".unwrap()")
        .filter(|&line| !source.lines[line - 1].is_test)
        .map(|line| Problem { file: source.name.clone(), line, advice: advice.into() })
        .collect()
}

pub(crate) fn ignored_tests(source: &Source) -> Vec<Problem> {
    let advice = "a test that does not run tells nothing: make it run, or remove it";
    lines_with(source, "#[ignore")
        .map(|line| Problem { file: source.name.clone(), line, advice: advice.into() })
        .collect()
}

/// The numbers of the lines whose code has this text.
fn lines_with<'a>(source: &'a Source, text: &'a str) -> impl Iterator<Item = usize> + 'a {
    let numbered = (1..).zip(&source.lines);
    numbered.filter(move |(_, line)| line.code.contains(text)).map(|(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_lines;

    #[test]
    fn threads_out_of_place_are_found() {
        let text = "use std::{\n    io,\n    sync::Arc,\n    thread,\n};\nfn f() { std::thread::sleep() }\n\
                    use arc_swap::ArcSwap;\nuse crate::sync::Arc;\n#[cfg(test)]\nmod tests {\n    \
                    use std::sync::Mutex;\n}\n";
        assert_lines(&threads(&Source::new("src/wal/mod.rs", text)), &[3, 4, 6, 7]);
        assert_lines(&threads(&Source::new("src/server/mod.rs", text)), &[7]);
        assert_lines(&threads(&Source::new("src/sync.rs", text)), &[]);
    }

    #[test]
    fn unwraps_are_found() {
        let text =
            "a.unwrap();\nb.unwrap_or(1); // .unwrap()\n#[cfg(test)]\nmod t {\n    c.unwrap()\n}";
        assert_lines(&unwraps(&Source::new("src/a.rs", text)), &[1]);
    }

    #[test]
    fn ignored_tests_are_found() {
        let text = "#[test]\n#[ignore]\nfn a() {}\n#[ignore = \"slow\"]\nfn b() {}\n";
        assert_lines(&ignored_tests(&Source::new("tests/a.rs", text)), &[2, 4]);
    }
}

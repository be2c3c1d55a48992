//! The lengths of files and functions.

use super::{
    Problem,
    source::{Source, indent},
};

/// Lines of a file. What is longer holds more than one noun.
const FILE_LINES_MAX: usize = 400;

/// Lines of a function, about a screen.
const FUNCTION_LINES_MAX: usize = 70;

pub(crate) fn long_files(source: &Source) -> Option<Problem> {
    let lines = source.lines.len();
    (lines > FILE_LINES_MAX).then(|| Problem {
        file: source.name.clone(),
        line: FILE_LINES_MAX + 1,
        advice: format!("{lines} lines, and {FILE_LINES_MAX} are allowed: split it by its nouns"),
    })
}

pub(crate) fn long_functions(source: &Source) -> Vec<Problem> {
    let starts = (0..source.lines.len()).filter(|&at| is_function(&source.lines[at].code));
    starts
        .filter_map(|start| {
            let length = function_length(source, start)?;
            (length > FUNCTION_LINES_MAX).then(|| Problem {
                file: source.name.clone(),
                line: start + 1,
                advice: format!(
                    "a function of {length} lines, and {FUNCTION_LINES_MAX} are allowed: let it \
                     decide, and move what it computes into functions of their own"
                ),
            })
        })
        .collect()
}

/// Whether a function begins on this line.
pub(crate) fn is_function(code: &str) -> bool {
    let mut words = code.split_whitespace().skip_while(|word| {
        let modifiers = ["pub", "const", "async", "unsafe", "extern", "default"];
        modifiers.contains(word) || word.starts_with("pub(") || word.ends_with(')')
    });
    words.next() == Some("fn") && words.next().is_some()
}

/// Lines from the `fn` to the brace that closes it; nothing when there is no body.
fn function_length(source: &Source, start: usize) -> Option<usize> {
    let lines = &source.lines[start..];
    let first = &lines.first()?.code;
    let (mut depth, mut has_body) = (0, false);
    'signature: for line in lines {
        for c in line.code.chars() {
            match c {
                '(' | '[' => depth += 1,
                ')' | ']' => depth -= 1,
                ';' if depth == 0 => return None,
                '{' if depth == 0 => {
                    has_body = true;
                    break 'signature;
                }
                _ => {}
            }
        }
    }
    let closes_itself =
        first.matches('{').count() > 0 && first.matches('{').count() == first.matches('}').count();
    if !has_body || closes_itself {
        return has_body.then_some(1);
    }
    let closes = |code: &str| code.trim_start().starts_with('}') && indent(code) == indent(first);
    lines.iter().position(|line| closes(&line.code)).map(|last| last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_lines;

    fn function(lines: usize) -> String {
        format!(
            "    pub(crate) fn f(\n        a: u8,\n    ) {{\n{}    }}\n",
            "        g();\n".repeat(lines - 4)
        )
    }

    #[test]
    fn long_files_are_found() {
        let file = |lines: usize| Source::new("src/a.rs", &"x\n".repeat(lines));
        assert!(long_files(&file(FILE_LINES_MAX)).is_none());
        assert!(long_files(&file(FILE_LINES_MAX + 1)).is_some());
    }

    #[test]
    fn long_functions_are_found() {
        let text = format!("impl A {{\n{}{}}}\n", function(70), function(71));
        assert_lines(&long_functions(&Source::new("src/a.rs", &text)), &[72]);
    }

    #[test]
    fn functions_are_known_by_their_first_line() {
        for yes in ["fn a() {", "  pub async fn b<T>(", "pub(in crate::x) const fn c() -> u8 {"] {
            assert!(is_function(yes), "{yes}");
        }
        for no in ["let f: fn(u8) = g;", "Fn(u8)", "fn(u8) -> u8", "call(fn_name)"] {
            assert!(!is_function(no), "{no}");
        }
    }

    #[test]
    fn functions_without_a_body_have_no_length() {
        let text =
            format!("trait A {{\n    fn a(&self, b: [u8; 4]) -> u8;\n{}}}\n", "\n".repeat(80));
        assert_lines(&long_functions(&Source::new("src/a.rs", &text)), &[]);
        let text = format!("fn a() {{ b() }}\n{}}}\n", "\n".repeat(80));
        assert_lines(&long_functions(&Source::new("src/a.rs", &text)), &[]);
    }
}

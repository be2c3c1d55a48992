//! What has to be written down: what a file is, and how a public function fails.

use super::{Problem, lengths::is_function, source::Source};

pub(crate) fn missing_openings(source: &Source) -> Option<Problem> {
    // The crate may open with the README, so that its examples are tested.
    let openings = ["//! ", "#![doc = include_str!("];
    let first = source.lines.first().map_or("", |line| &line.text);
    let opens = openings.iter().any(|opening| first.starts_with(opening));
    (!opens).then(|| Problem {
        file: source.name.clone(),
        line: 1,
        advice: "open with `//! ` and say what this is and what always holds".into(),
    })
}

pub(crate) fn missing_errors(source: &Source) -> Vec<Problem> {
    (0..source.lines.len())
        .filter(|&at| {
            let line = &source.lines[at];
            line.code.trim_start().starts_with("pub ") && is_function(&line.code) && !line.is_test
        })
        .filter(|&at| returns_result(source, at) && !says_errors(source, at))
        .map(|at| Problem {
            file: source.name.clone(),
            line: at + 1,
            advice: "it returns a Result: say in `# Errors` when it fails and what then holds"
                .into(),
        })
        .collect()
}

/// Whether the type after the arrow is some `Result`.
fn returns_result(source: &Source, start: usize) -> bool {
    let mut signature = String::new();
    for line in &source.lines[start..] {
        signature.push_str(line.code.split('{').next().unwrap_or_default());
        signature.push(' ');
        if line.code.contains(['{', ';']) {
            break;
        }
    }
    let Some((_, output)) = signature.rsplit_once(") -> ") else { return false };
    let path = output.split(['<', ' ', ';']).next().unwrap_or_default();
    path.rsplit("::").next() == Some("Result")
}

/// Whether the comment above has the section.
fn says_errors(source: &Source, start: usize) -> bool {
    source.lines[..start]
        .iter()
        .rev()
        .take_while(|line| {
            let text = line.text.trim();
            let ends_item = text.is_empty() || text.ends_with([';', '{', '}']);
            text.starts_with("///") || !ends_item
        })
        .any(|line| line.text.trim() == "/// # Errors")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_lines;

    #[test]
    fn missing_openings_are_found() {
        let problem = |text| missing_openings(&Source::new("src/a.rs", text));
        for good in ["//! A thing.\n", "#![doc = include_str!(\"../README.md\")]\n"] {
            assert!(problem(good).is_none(), "{good:?}");
        }
        for bad in ["", "use a;\n", "/// A thing.\n", "//!\n"] {
            assert!(problem(bad).is_some(), "{bad:?}");
        }
    }

    #[test]
    fn missing_errors_are_found() {
        let text = "\
/// Fine.
///
/// # Errors
///
/// Never {
#[must_use = \"{\"]
pub fn a() -> Result<()> {}

/// Bad.
pub fn b(
    c: impl Fn() -> u8,
) -> io::Result<u8> {
}
/// # Errors
fn private() {}
pub async fn d() -> crate::error::Result {}
pub fn e(f: impl Fn(u8) -> Result<u8>) -> u8 {}
pub fn g() -> Option<Result<u8>> {}
pub(crate) fn h() -> Result<u8> {}
#[cfg(test)]
pub fn i() -> Result<u8> {}
";
        assert_lines(&missing_errors(&Source::new("src/a.rs", text)), &[10, 16]);
    }
}

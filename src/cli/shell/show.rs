//! Documents for people: many as a table, one with a member a line.

use super::super::table::{Align, Table};
use crate::document::{Json, Kind, Raw};

/// Columns of a table; members beyond them are in `--json`, or in `--fields`.
const COLUMNS_MAX: usize = 24;

/// Objects, one a line, as a table: a column for each member, in the order in which they come.
/// Lines that are no objects come as they are.
pub(super) fn table(lines: &[String], width: Option<usize>) -> String {
    let documents: Vec<Json> = lines.iter().filter_map(|line| Json::parse(line).ok()).collect();
    let are_objects = documents.iter().all(|document| document.as_raw().kind() == Kind::Object);
    if documents.len() < lines.len() || !are_objects {
        return lines.iter().map(|line| format!("{line}\n")).collect();
    }
    let mut columns: Vec<String> = Vec::new();
    for document in &documents {
        for member in document.as_raw().members() {
            let name = member.name();
            if columns.len() < COLUMNS_MAX && !columns.iter().any(|column| *column == name) {
                columns.push(name.into_owned());
            }
        }
    }
    let mut table = Table::new(columns.clone());
    for document in &documents {
        let values = columns.iter().map(|column| document.as_raw().member(column));
        let (cells, aligns): (Vec<_>, Vec<_>) = values.map(cell).unzip();
        table.row(cells, &aligns);
    }
    table.to_text(width)
}

/// One object with a member a line, as deep as it goes.
pub(super) fn unfolded(text: &str) -> String {
    let Ok(document) = Json::parse(text) else { return text.to_owned() };
    let mut out = String::new();
    unfold(document.as_raw(), 0, &mut out);
    out
}

fn cell(value: Option<Raw<'_>>) -> (String, Align) {
    let Some(value) = value else { return (String::new(), Align::Left) };
    match value.kind() {
        Kind::String => (value.as_str().unwrap_or_default().into_owned(), Align::Left),
        Kind::Number => (value.text().to_owned(), Align::Right),
        Kind::Null | Kind::Bool | Kind::Array | Kind::Object => {
            (value.text().to_owned(), Align::Left)
        }
    }
}

fn unfold(value: Raw<'_>, depth: usize, out: &mut String) {
    let inside: Vec<(Option<&str>, Raw<'_>)> = match value.kind() {
        Kind::Object => value.members().map(|member| (Some(member.key()), member.value)).collect(),
        Kind::Array => value.elements().map(|element| (None, element)).collect(),
        Kind::Null | Kind::Bool | Kind::Number | Kind::String => Vec::new(),
    };
    if inside.is_empty() {
        return out.push_str(value.text());
    }
    let [open, close] = if value.kind() == Kind::Object { ['{', '}'] } else { ['[', ']'] };
    out.push(open);
    for (n, (key, value)) in inside.into_iter().enumerate() {
        out.push_str(if n == 0 { "\n" } else { ",\n" });
        out.push_str(&"  ".repeat(depth + 1));
        if let Some(key) = key {
            out.push_str(&format!("{key}: "));
        }
        unfold(value, depth + 1, out);
    }
    out.push('\n');
    out.push_str(&"  ".repeat(depth));
    out.push(close);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_columns_in_the_order_in_which_they_come() {
        let lines = [r#"{"_id":"a","n":1,"tags":["x"]}"#, r#"{"_id":"b","s":"two\nlines","n":22}"#];
        let shown = table(&lines.map(str::to_owned), None);
        assert_eq!(
            shown,
            "_id  n   tags   s\n---  --  -----  ---------\na     1  [\"x\"]\n\
             b    22         two·lines\n"
        );
        assert_eq!(table(&["1".into(), "\"a\"".into()], None), "1\n\"a\"\n");
    }

    #[test]
    fn one_document_has_a_member_a_line() {
        let text = r#"{"_id":"a","at":{"x":[1,{}],"é\n":null},"e":[]}"#;
        assert_eq!(
            unfolded(text),
            "{\n  \"_id\": \"a\",\n  \"at\": {\n    \"x\": [\n      1,\n      {}\n    ],\n    \
             \"é\\n\": null\n  },\n  \"e\": []\n}"
        );
    }
}

//! Every metric is in the table of the page on operations.

use std::collections::BTreeMap;

use crate::{generated, server::Server, skipped};

/// A server that has done something of everything shows every metric.
const WORK: &str = r#"
export DB=http://127.0.0.1:7117
ask() { curl -s -H "X-API-Key: paste-the-admin-key-here" -H 'Content-Type: application/json' "$@"; }
ask $DB/collections/c/documents -d '{"_id": "d"}' -o documents
ask $DB/metrics
"#;

#[test]
fn the_table_of_metrics_is_what_a_server_shows() {
    if std::process::Command::new("curl").arg("--version").output().is_err() {
        skipped::skipped("the table of metrics is read with curl");
        return;
    }
    let metrics = Server::start().play(WORK).unwrap();
    let mut rows: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for line in metrics.lines() {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|row| row.split_once(' '))
        {
            rows.entry(name).or_default().0 = kind;
        }
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|row| row.split_once(' '))
        {
            rows.entry(name).or_default().1 = help;
        }
    }
    assert!(rows.len() > 20, "the page of metrics has {}", rows.len());
    let mut table = String::from("| metric | kind | what it is |\n|---|---|---|\n");
    for (name, (kind, help)) in rows {
        table.push_str(&format!("| `{name}` | {kind} | {help} |\n"));
    }
    generated::compare("docs/operations.md", "metrics", &table);
}

//! The tables of `docs/http.md`, which are what the server says of itself.
//!
//! With `MONSTERDB_TEST_UPDATE=1` they are written anew.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{
    interface::{Operation, operations},
    server::Server,
};

const PAGE: &str = "docs/http.md";

#[test]
fn the_tables_are_those_of_the_server() {
    let server = Server::start();
    compare("routes", &routes(&server));
    compare("problems", &problems(&server));
}

fn routes(server: &Server) -> String {
    let mut table = "| method | path | role | what it does |\n|---|---|---|---|\n".to_owned();
    let mut all = operations(server);
    all.sort_by(|one, other| one.path.cmp(&other.path));
    let has_get = |path: &str| all.iter().any(|one| one.method == "GET" && one.path == path);
    for Operation { method, path, told } in &all {
        if method == "HEAD" {
            assert!(has_get(path), "{path}");
            continue;
        }
        let role = told["security"][0]["X-API-Key"][0].as_str().unwrap_or("–");
        let summary = told["summary"].as_str().unwrap();
        table.push_str(&format!("| {method} | `{path}` | {role} | {summary} |\n"));
    }
    table
}

fn problems(server: &Server) -> String {
    let list = server.call_with("", "GET", "/problems").send().value();
    let mut table =
        "| type | status | retryable | meaning | what to do |\n|---|---|---|---|---|\n".to_owned();
    for listed in list["problems"].as_array().unwrap() {
        let path = listed["type"].as_str().unwrap();
        let page: Value = server.call_with("", "GET", path).send().value();
        assert_eq!(&page, listed);
        let slug = path.rsplit('/').next().unwrap();
        let retryable = if page["retryable"] == true { "yes" } else { "no" };
        let [title, advice] = ["title", "advice"].map(|name| page[name].as_str().unwrap());
        let status = &page["status"];
        table.push_str(&format!("| `{slug}` | {status} | {retryable} | {title} | {advice} |\n"));
    }
    table
}

/// Compares the part of the page that is generated under this name.
fn compare(name: &str, table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let page = fs::read_to_string(&path).unwrap();
    let mark = format!("<!-- generated: {name} -->\n");
    let (before, rest) = page.split_once(&mark).unwrap();
    let (written, after) = rest.split_once("<!-- end -->").unwrap();
    if std::env::var_os("MONSTERDB_TEST_UPDATE").is_some() {
        fs::write(&path, format!("{before}{mark}\n{table}\n<!-- end -->{after}")).unwrap();
        return;
    }
    assert_eq!(written.trim(), table.trim(), "{PAGE}: MONSTERDB_TEST_UPDATE=1 writes it anew");
}

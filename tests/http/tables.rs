//! The tables of `docs/http.md`, which are what the server says of itself.

use serde_json::Value;

use crate::{
    generated,
    interface::{Operation, operations},
    server::Server,
};

const PAGE: &str = "docs/http.md";

#[test]
fn the_tables_are_those_of_the_server() {
    let server = Server::start();
    generated::compare(PAGE, "routes", &routes(&server));
    generated::compare(PAGE, "problems", &problems(&server));
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

//! What the server says of its interface, and whether it is so: every answer that a test of this
//! folder gets is held against the document that the server itself serves.

use std::sync::OnceLock;

use serde_json::Value;

use crate::{
    schema::Schemas,
    server::{Answer, Server},
};

static DOCUMENT: OnceLock<Value> = OnceLock::new();

/// The document, as the first server that is asked serves it.
pub(crate) fn document(fetch: impl FnOnce() -> String) -> &'static Value {
    DOCUMENT.get_or_init(|| serde_json::from_str(&fetch()).unwrap())
}

/// A method of a path, as the document has it.
pub(crate) struct Operation {
    pub(crate) method: String,
    /// With names in braces.
    pub(crate) path: String,
    pub(crate) told: &'static Value,
}

/// All of them: what makes things first, what removes them last.
pub(crate) fn operations(server: &Server) -> Vec<Operation> {
    let document = server.document();
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, told) in methods.as_object().unwrap() {
            all.push(Operation { method: method.to_uppercase(), path: path.clone(), told });
        }
    }
    let order = ["PUT", "POST", "PATCH", "GET", "HEAD", "DELETE"];
    all.sort_by_key(|one| {
        let place = order.iter().position(|method| *method == one.method);
        (place, one.method == "DELETE" && one.path.ends_with("/{collection}"))
    });
    assert!(all.len() > 40, "{} operations", all.len());
    all
}

/// Checks that an answer is one of those that the document tells of.
#[track_caller]
pub(crate) fn check(document: &'static Value, method: &str, path: &str, answer: &Answer) {
    let Some((_, methods)) = path_of(document, path) else {
        assert!([400, 401, 404, 429].contains(&answer.status), "{method} {path}: {answer:?}");
        return;
    };
    let name = format!("{method} {path}");
    let Some(operation) = methods.get(method.to_lowercase()) else {
        assert!([401, 405, 429].contains(&answer.status), "{name}: {answer:?}");
        return;
    };
    let response = &operation["responses"][answer.status.to_string()];
    assert!(response.is_object(), "{name} may not answer this: {answer:?}");
    for (header, told) in response["headers"].as_object().unwrap() {
        let told =
            told["$ref"].as_str().map_or(told, |place| document.pointer(&place[1..]).unwrap());
        let found = answer.headers.contains_key(header.as_str());
        assert!(found || told["required"] == false, "{name}: {header} is missing: {answer:?}");
    }
    let Some(content) = response.get("content") else {
        assert_eq!(answer.body, "", "{name}");
        return;
    };
    let media_type = answer.header("content-type").split(';').next().unwrap();
    let media = &content[media_type];
    assert!(media.is_object(), "{name} may not answer with {media_type:?}: {answer:?}");
    if media_type.ends_with("json") && !media_type.ends_with("ndjson") {
        let checked = Schemas { document }.check(&media["schema"], &answer.value());
        assert_eq!(checked, Ok(()), "{name} {}", answer.status);
    }
}

/// The path of the document that a request names, and what the document says of it.
pub(crate) fn path_of(
    document: &'static Value,
    path: &str,
) -> Option<(&'static str, &'static Value)> {
    let path = path.split('?').next().unwrap();
    let parts: Vec<&str> = path.split('/').collect();
    let fits = |pattern: &str| {
        let pattern: Vec<&str> = pattern.split('/').collect();
        let pairs = pattern.iter().zip(&parts);
        pattern.len() == parts.len()
            && pairs.clone().all(|(pattern, part)| {
                pattern == part || (pattern.starts_with('{') && !part.is_empty())
            })
    };
    let paths = document["paths"].as_object().unwrap();
    // One without a name in braces is closer.
    let found = paths.iter().filter(|(pattern, _)| fits(pattern));
    let closest = found.min_by_key(|(pattern, _)| pattern.matches('{').count());
    closest.map(|(pattern, methods)| (pattern.as_str(), methods))
}

#[test]
fn the_document_is_whole() {
    let server = Server::start();
    let answer = server.call_with("", "GET", "/openapi.json").send();
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    let document = answer.value();
    assert_eq!(document["openapi"], "3.1.0");
    // Whatever is referred to is there.
    let mut count = 0;
    for reference in answer.body.split(r##""$ref":"#"##).skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
        count += 1;
    }
    assert!(count > 100, "{count} references");
    let mut names = Vec::new();
    for Operation { method, path, told } in operations(&server) {
        let name = format!("{method} {path}");
        for text in ["summary", "description", "operationId"] {
            assert!(told[text].as_str().is_some_and(|text| !text.is_empty()), "{name}: {text}");
        }
        names.push(told["operationId"].as_str().unwrap());
        let parameters = told["parameters"].as_array().cloned().unwrap_or_default();
        let in_path = parameters.iter().filter(|one| one["in"] == "path").count();
        assert_eq!(in_path, path.matches('{').count(), "{name}");
        let statuses = told["responses"].as_object().unwrap();
        assert!(statuses.keys().any(|status| status.starts_with('2')), "{name}");
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "operations have names of their own");
}

#[test]
fn the_page_tells_of_every_route_and_loads_nothing() {
    let server = Server::start();
    let page = server.call_with("", "GET", "/docs").send();
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    let body = &page.body;
    for Operation { method, told, .. } in operations(&server) {
        let name = told["operationId"].as_str().unwrap();
        let links = body.matches(&format!("<a href=\"#{name}\">")).count();
        let articles = body.matches(&format!("<article id=\"{name}\">")).count();
        let expected = usize::from(method != "HEAD");
        assert_eq!((links, articles), (expected, expected), "{name}");
    }
    // Every link leads to something on this page or this server.
    let mut count = 0;
    for link in body.split("href=\"").skip(1) {
        let link = link.split('"').next().unwrap();
        match link.strip_prefix('#') {
            Some(name) => assert!(body.contains(&format!("id=\"{name}\"")), "{link}"),
            None => assert!(link.starts_with("/problems") || link == "/openapi.json", "{link}"),
        }
        count += 1;
    }
    assert!(count > 300, "{count} links");
    for loaded in ["<script", "<link", "<img", "<iframe", "src=", "url(", "@import", "style="] {
        assert!(!body.contains(loaded), "{loaded}");
    }
    for page in ["/problems", "/problems/not-found"] {
        let page = server.call_with("", "GET", page).header("Accept", "text/html").send();
        assert_eq!(page.header("content-security-policy"), policy);
    }
}

#[test]
fn every_link_goes_on_to_a_route() {
    let server = Server::start();
    let all = operations(&server);
    let mut count = 0;
    for Operation { method, path, told } in &all {
        for answer in told["responses"].as_object().unwrap().values() {
            for link in answer["links"].as_object().into_iter().flat_map(|links| links.values()) {
                let to = |one: &&Operation| one.told["operationId"] == link["operationId"];
                let target = all.iter().find(to);
                let target = target.unwrap_or_else(|| panic!("{method} {path}: {link}"));
                for name in link["parameters"].as_object().unwrap().keys() {
                    assert!(
                        target.path.contains(&format!("{{{name}}}")),
                        "{method} {path}: {link}"
                    );
                }
                count += 1;
            }
        }
    }
    assert!(count > 20, "{count} links");
}

#[test]
fn every_example_fits_its_schema() {
    let server = Server::start();
    let document = server.document();
    let schemas = Schemas { document };
    let mut count = 0;
    for Operation { method, path, told } in operations(&server) {
        let parameters = told["parameters"].as_array().into_iter().flatten();
        for parameter in parameters.filter(|one| one.get("example").is_some()) {
            let checked = schemas.check(&parameter["schema"], &parameter["example"]);
            assert_eq!(checked, Ok(()), "{method} {path}: {parameter}");
        }
        let bodies = told.pointer("/requestBody/content").into_iter();
        let answers = told["responses"].as_object().unwrap().values();
        let contents = bodies.chain(answers.filter_map(|answer| answer.get("content")));
        for media in contents.flat_map(|content| content.as_object().unwrap().values()) {
            for example in media["examples"].as_object().into_iter().flat_map(|all| all.values()) {
                let checked = schemas.check(&media["schema"], &example["value"]);
                assert_eq!(checked, Ok(()), "{method} {path}: {example}");
                count += 1;
            }
        }
    }
    assert!(count > 50, "{count} examples");
}

/// Sent in the order in which they stand, the examples of bodies are taken.
#[test]
fn every_example_of_a_body_is_accepted() {
    let server = Server::start();
    let document = server.document();
    let mut sent = 0;
    for Operation { method, path, told } in operations(&server) {
        let Some(content) = told.pointer("/requestBody/content") else { continue };
        for (media_type, media) in content.as_object().unwrap() {
            for example in media["examples"].as_object().unwrap().values() {
                // Each on a ground of its own, so that none stands in the way of another.
                server.delete("/collections/people");
                let ada = r#"{"name":"Ada","age":36,"address":{"city":"London"}}"#;
                server.put("/collections/people/documents/ada", ada);
                let body = match &example["value"] {
                    Value::String(lines) => lines.clone(),
                    value => value.to_string(),
                };
                let path = place(&server, document, &path);
                let answer = server.call(&method, &path).typed(media_type, body.as_str()).send();
                assert!([200, 201].contains(&answer.status), "{method} {path} {body}: {answer:?}");
                sent += 1;
            }
        }
    }
    assert!(sent > 20, "{sent} examples");
}

/// The path with its examples, and the token of a transaction that is open.
fn place(server: &Server, document: &Value, pattern: &str) -> String {
    let mut path = pattern.to_owned();
    if pattern.contains("{token}") {
        let begun = server.post("/transactions", "{}").value();
        path = path.replace("{token}", begun["token"].as_str().unwrap());
    }
    let methods = document["paths"][pattern].as_object().unwrap();
    for parameter in methods.values().filter_map(|told| told["parameters"].as_array()).flatten() {
        if let (Some(name), Some(example)) =
            (parameter["name"].as_str(), parameter["example"].as_str())
        {
            path = path.replace(&format!("{{{name}}}"), example);
        }
    }
    path
}

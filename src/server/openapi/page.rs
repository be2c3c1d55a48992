//! The document as a page: a table of contents, every route, every schema.
//!
//! Invariant: the page is a function of the document; text passes `escape`.

use super::document::{
    Document, HeaderObject, Media, Operation, Ordered, ParameterObject, RequestBody, Response, Tag,
};
use crate::server::html::{escape, frame, prose};

/// The parameters of a query string that an example of a request shows.
const PARAMETERS_SHOWN: usize = 3;

/// An operation and its path.
struct Told<'a> {
    method: &'a str,
    path: &'a str,
    operation: &'a Operation,
}

/// The page of a document.
pub(super) fn page(document: &Document) -> String {
    let all = operations(document);
    let info = &document.info;
    let mut body = contents(document, &all);
    body.push_str(&format!(
        "<main>\n<h1>MonsterDB</h1>\n<p class=\"quiet\">Version {}, the HTTP interface. For \
         programs: <a href=\"/openapi.json\">/openapi.json</a></p>\n<p>{}</p>\n\
         <p>The examples take <code>DB</code> for the server's address and <code>KEY</code> for a \
         key. What a refusal means stands in <a href=\"/problems\">the list of problems</a>.</p>\n",
        escape(info.version),
        prose(info.description)
    ));
    for tag in &document.tags {
        body.push_str(&format!(
            "<h2 id=\"{}\">{}</h2>\n<p>{}</p>\n",
            anchor(tag),
            escape(tag.name),
            prose(tag.description)
        ));
        all.iter().filter(|told| told.is_of(tag)).for_each(|told| body.push_str(&told.article()));
    }
    body.push_str("<h2 id=\"schemas\">Schemas</h2>\n");
    for (name, schema) in &document.components.schemas.0 {
        let text = linked(&pretty(schema.get()));
        body.push_str(&format!(
            "<article id=\"schema-{name}\">\n<h3>{name}</h3>\n<pre><code>{text}</code></pre>\n\
             </article>\n"
        ));
    }
    body.push_str("</main>\n");
    frame("MonsterDB: the HTTP interface", &body)
}

/// Every operation but those of HEAD, which are told with GET.
fn operations(document: &Document) -> Vec<Told<'_>> {
    let paths = document.paths.0.iter();
    let all = paths.flat_map(|(path, Ordered(operations))| {
        operations.iter().map(move |(method, operation)| Told { method, path, operation })
    });
    all.filter(|told| told.method != "head").collect()
}

/// The table of contents.
fn contents(document: &Document, all: &[Told<'_>]) -> String {
    let mut out = "<nav>\n".to_owned();
    for tag in &document.tags {
        let name = escape(tag.name);
        out.push_str(&format!("<strong><a href=\"#{}\">{name}</a></strong>\n<ul>\n", anchor(tag)));
        for told in all.iter().filter(|told| told.is_of(tag)) {
            let Operation { operation_id, summary, .. } = told.operation;
            out.push_str(&format!(
                "<li><a href=\"#{operation_id}\">{}</a></li>\n",
                escape(summary)
            ));
        }
        out.push_str("</ul>\n");
    }
    out.push_str("<strong><a href=\"#schemas\">Schemas</a></strong>\n</nav>\n");
    out
}

impl Told<'_> {
    fn is_of(&self, tag: &Tag) -> bool {
        self.operation.tags == [tag.name]
    }

    fn article(&self) -> String {
        let Told { method, path, operation } = self;
        let Operation { operation_id, summary, description, .. } = operation;
        let needs = match operation.security.iter().flat_map(|needed| &needed.0).next() {
            Some((_, roles)) => format!("needs a key of the role {}", roles.join(", ")),
            None => "needs no key".to_owned(),
        };
        let also = if *method == "get" { ", HEAD" } else { "" };
        let mut out = format!(
            "<article id=\"{operation_id}\">\n<h3>{}</h3>\n\
             <p class=\"route\"><code><span class=\"method {method}\">{}{also}</span> {}</code> \
             <span class=\"quiet\">{needs}</span></p>\n<p>{}</p>\n",
            escape(summary),
            method.to_uppercase(),
            escape(path),
            prose(description)
        );
        out.push_str(&parameters(&operation.parameters));
        out.push_str(&self.requests());
        out.push_str("<h4>Answers</h4>\n<table>\n");
        let responses = &operation.responses.0;
        responses.iter().for_each(|(status, response)| out.push_str(&answer(status, response)));
        out.push_str("</table>\n");
        for (media_type, media) in responses.iter().flat_map(|(_, response)| &response.content.0) {
            out.push_str(&examples(media_type, media));
        }
        out.push_str("</article>\n");
        out
    }

    /// The bodies, and a command for each example of one.
    fn requests(&self) -> String {
        let Some(RequestBody { required, content }) = &self.operation.request_body else {
            return format!("<h4>Request</h4>\n{}", code(&self.curl(None)));
        };
        let mut out = String::new();
        for (media_type, media) in &content.0 {
            let optional = if *required { "" } else { ", which may be left out" };
            out.push_str(&format!(
                "<h4>Request: <code>{media_type}</code>, {}{optional}</h4>\n",
                schema_link(media)
            ));
            for (_, example) in &media.examples.0 {
                out.push_str(&code(&self.curl(Some((media_type, example.sent)))));
            }
        }
        out
    }

    /// A command that sends the request.
    fn curl(&self, body: Option<(&str, &str)>) -> String {
        let Told { method, path, operation } = self;
        let mut path = (*path).to_owned();
        let mut query = Vec::new();
        for parameter in &operation.parameters {
            let Some(example) = parameter.text() else { continue };
            match parameter.r#in {
                "path" => path = path.replace(&format!("{{{}}}", parameter.name), &example),
                "query" => query.push(format!("{}={example}", parameter.name)),
                _ => {}
            }
        }
        query.truncate(PARAMETERS_SHOWN);
        let verb = match (*method, query.is_empty()) {
            ("get", true) => String::new(),
            ("get", false) => " -G".to_owned(),
            ("post", _) if body.is_some() => String::new(),
            (other, _) => format!(" -X {}", other.to_uppercase()),
        };
        let mut out = format!("curl{verb} \"$DB{path}\"");
        if !operation.security.is_empty() {
            out.push_str(" -H \"X-API-Key: $KEY\"");
        }
        for one in query {
            out.push_str(&format!(" \\\n  --data-urlencode {}", quoted(&one)));
        }
        if let Some((media_type, text)) = body {
            let flag = if text.contains('\n') { "--data-binary" } else { "-d" };
            out.push_str(&format!(
                " -H 'Content-Type: {media_type}' \\\n  {flag} {}",
                quoted(text.trim_end())
            ));
        }
        out
    }
}

impl ParameterObject {
    /// Its example as it is sent, before it is encoded.
    fn text(&self) -> Option<String> {
        if let Some((_, media)) = self.content.as_ref().and_then(|content| content.0.first()) {
            return media.examples.0.first().map(|(_, example)| example.sent.to_owned());
        }
        let example = self.example.as_ref()?.get();
        Some(serde_json::from_str(example).unwrap_or_else(|_| example.to_owned()))
    }
}

fn parameters(parameters: &[ParameterObject]) -> String {
    if parameters.is_empty() {
        return String::new();
    }
    let row = |parameter: &ParameterObject| {
        let ParameterObject { name, r#in, description, .. } = parameter;
        let place = match *r#in {
            "path" => "in the path",
            "query" => "in the query string",
            _ => "in the head",
        };
        format!(
            "<tr><td><code>{name}</code></td><td><p>{} <span class=\"quiet\">{place}</span></p>\
             </td></tr>\n",
            prose(description)
        )
    };
    let rows: String = parameters.iter().map(row).collect();
    format!("<h4>Parameters</h4>\n<table>\n{rows}</table>\n")
}

/// A row of the table of answers. Those of problems link to what is said of each.
fn answer(status: &str, response: &Response) -> String {
    let mut text = String::new();
    if response.problems.is_empty() {
        text.push_str(&prose(&response.description));
        let schemas: Vec<String> = response
            .content
            .0
            .iter()
            .map(|(media_type, media)| format!("<code>{media_type}</code>, {}", schema_link(media)))
            .collect();
        if !schemas.is_empty() {
            text.push_str(&format!(" As {}.", schemas.join(" or ")));
        }
    }
    let links: Vec<String> = response
        .problems
        .iter()
        .map(|row| format!("<a href=\"/problems/{}\">{}</a>", row.slug, escape(row.title)))
        .collect();
    text.push_str(&links.join("; "));
    let own = |(name, header): &(String, HeaderObject)| match header {
        HeaderObject::Own { description, .. } => {
            Some(format!("<br><code>{name}</code> {}", prose(description)))
        }
        HeaderObject::Common { .. } => None,
    };
    let headers: Vec<String> = response.headers.0.iter().filter_map(own).collect();
    format!("<tr><td>{status}</td><td><p>{text}{}</p></td></tr>\n", headers.concat())
}

fn examples(media_type: &str, media: &Media) -> String {
    let is_json = media_type.ends_with("/json");
    let texts = media.examples.0.iter().map(|(_, example)| match is_json {
        true => code(&pretty(example.sent)),
        false => code(example.sent.trim_end()),
    });
    texts.collect()
}

/// The name of the schema, linked to it.
fn schema_link(media: &Media) -> String {
    let name = media.schema.get().rsplit('/').next().unwrap_or_default();
    let name = escape(name.trim_end_matches(['"', '}']));
    format!("<a href=\"#schema-{name}\">{name}</a>")
}

fn code(text: &str) -> String {
    format!("<pre><code>{}</code></pre>\n", escape(text))
}

/// Escaped JSON, with links in the place of references.
fn linked(json: &str) -> String {
    let mut out = String::new();
    let text = escape(json);
    let mut parts = text.split("#/components/schemas/");
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (name, rest) = part.split_at(part.find("&quot;").unwrap_or(part.len()));
        out.push_str(&format!("<a href=\"#schema-{name}\">{name}</a>{rest}"));
    }
    out
}

fn anchor(tag: &Tag) -> String {
    tag.name.to_lowercase().replace(' ', "-")
}

/// Text as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Compact JSON over several lines where it is long, in its order.
fn pretty(json: &str) -> String {
    const LINE: usize = 76;
    if json.len() <= LINE {
        return json.to_owned();
    }
    let (mut out, mut depth) = (String::new(), 0);
    let mut rest = json;
    while let Some(c) = rest.chars().next() {
        // What fits a line stands on one.
        let whole = value_length(rest);
        if matches!(c, '{' | '[') && whole + 2 * depth <= LINE && depth > 0 {
            out.push_str(&rest[..whole]);
            rest = &rest[whole..];
            continue;
        }
        let length = if c == '"' { value_length(rest) } else { c.len_utf8() };
        if matches!(c, '}' | ']') {
            depth -= 1;
            out.push_str(&format!("\n{}", "  ".repeat(depth)));
        }
        out.push_str(&rest[..length]);
        if matches!(c, '{' | '[') {
            depth += 1;
        }
        match c {
            '{' | '[' | ',' => out.push_str(&format!("\n{}", "  ".repeat(depth))),
            ':' => out.push(' '),
            _ => {}
        }
        rest = &rest[length..];
    }
    out
}

/// Bytes of the string, the object or the array that compact JSON begins with.
fn value_length(json: &str) -> usize {
    let (mut depth, mut in_string, mut escaped) = (0, false, false);
    for (at, c) in json.char_indices() {
        match (in_string, c) {
            (true, _) if escaped => escaped = false,
            (true, '\\') => escaped = true,
            (_, '"') => in_string = !in_string,
            (false, '{' | '[') => depth += 1,
            (false, '}' | ']') => depth -= 1,
            _ => {}
        }
        if depth == 0 && !in_string {
            return at + c.len_utf8();
        }
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_json_is_broken_and_short_json_stays() {
        let short = r#"{"a":[1,2],"b":"x"}"#;
        assert_eq!(pretty(short), short);
        let long = format!(r#"{{"a":[1,{{}}],"b":"{{\",{}","c":{{"d":1}}}}"#, "x".repeat(80));
        let expected = format!(
            "{{\n  \"a\": [1,{{}}],\n  \"b\": \"{{\\\",{}\",\n  \"c\": {{\"d\":1}}\n}}",
            "x".repeat(80)
        );
        assert_eq!(pretty(&long), expected);
    }

    #[test]
    fn a_command_quotes_what_a_shell_would_take_apart() {
        assert_eq!(quoted(r#"{"a":"it's $5"}"#), r#"'{"a":"it'\''s $5"}'"#);
    }
}

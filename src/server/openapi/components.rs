//! What many parts of the document refer to: schemas, headers, how a request is let in.

use serde::Serialize;
use serde_json::value::RawValue;

use super::document::{HeaderObject, Ordered, header, raw, type_of};
use crate::{
    document::Json,
    server::{
        kinds::Kind,
        route::{Header, Method, Route},
    },
};

/// The name of the one security scheme, and of its header.
pub(super) const SECURITY: &str = "X-API-Key";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Components {
    security_schemes: Ordered<Box<RawValue>>,
    headers: Ordered<HeaderObject>,
    pub(super) schemas: Ordered<Box<RawValue>>,
}

/// A header that stands in the answers of many routes.
pub(super) struct CommonHeader {
    pub(super) header: Header,
    with: With,
}

/// In which answers a common header stands.
enum With {
    All,
    /// Those of routes that need a key.
    Key,
    /// Those with these statuses.
    Statuses(&'static [u16]),
    /// Those with these statuses to a GET that needs a key.
    Reads(&'static [u16]),
}

impl CommonHeader {
    /// True when it stands in an answer of this route with this status.
    pub(super) fn is_in(&self, status: u16, route: &Route) -> bool {
        let needs_key = route.role.is_some();
        match self.with {
            With::All => true,
            With::Key => needs_key,
            With::Statuses(statuses) => statuses.contains(&status),
            With::Reads(statuses) => {
                needs_key && route.method == Method::Get && statuses.contains(&status)
            }
        }
    }
}

impl Components {
    /// Those of this release.
    pub(super) fn of_this_server() -> Components {
        let texts = [
            include_str!("schemas/values.json"),
            include_str!("schemas/requests.json"),
            include_str!("schemas/answers.json"),
            include_str!("schemas/server.json"),
        ];
        let mut schemas: Vec<(String, Box<RawValue>)> = Vec::new();
        for text in texts {
            let json = Json::parse(text).expect("the schemas of this crate are JSON");
            let members = json.as_raw().members();
            schemas.extend(members.map(|one| (one.name().into_owned(), raw(one.value.text()))));
        }
        let types: Vec<String> = Kind::rows().iter().map(type_of).collect();
        let types = format!(
            r#"{{"description":"A type of problem, and a path of this server.","enum":{}}}"#,
            Json::from(types)
        );
        schemas.push(("ProblemName".to_owned(), raw(&types)));
        let key = format!(
            r#"{{"type":"apiKey","in":"header","name":"{SECURITY}","description":"A key of this server. The first start makes one and prints it."}}"#
        );
        Components {
            security_schemes: Ordered(vec![(SECURITY.to_owned(), raw(&key))]),
            headers: Ordered(COMMON_HEADERS.iter().map(|one| header(&one.header)).collect()),
            schemas: Ordered(schemas),
        }
    }
}

/// The headers that stand in the answers of many routes.
pub(super) static COMMON_HEADERS: [CommonHeader; 6] = [
    CommonHeader {
        header: Header {
            name: "X-Request-Id",
            description: "The id of the request, for the log: the client's own where it sent one.",
            schema: r#"{"type":"string"}"#,
            required: true,
        },
        with: With::All,
    },
    CommonHeader {
        header: Header {
            name: "RateLimit-Policy",
            description: "The requests that the key may send in a window of seconds.",
            schema: r#"{"type":"string"}"#,
            required: false,
        },
        with: With::Key,
    },
    CommonHeader {
        header: Header {
            name: "RateLimit",
            description: "The requests that are left, and the seconds until all are there again.",
            schema: r#"{"type":"string"}"#,
            required: false,
        },
        with: With::Key,
    },
    CommonHeader {
        header: Header {
            name: "Retry-After",
            description: "The seconds to wait before the request is sent again.",
            schema: r#"{"type":"integer","minimum":0}"#,
            required: false,
        },
        with: With::Statuses(&[409, 429, 503]),
    },
    CommonHeader {
        header: Header {
            name: "WWW-Authenticate",
            description: "How to send a key.",
            schema: r#"{"type":"string"}"#,
            required: true,
        },
        with: With::Statuses(&[401]),
    },
    CommonHeader {
        header: Header {
            name: "Db-Version",
            description: "The version at which nothing fit was found.",
            schema: r##"{"$ref":"#/components/schemas/Version"}"##,
            required: false,
        },
        with: With::Reads(&[404, 412]),
    },
];

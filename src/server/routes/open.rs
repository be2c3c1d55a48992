//! The routes that need no key.

use actix_web::web::to;

use crate::server::{
    health,
    kinds::Kind,
    openapi, problems,
    route::{Content, Route, Section, get, json, reply},
};

pub(super) static SECTION: Section = Section {
    name: "Server",
    description: "How the server is doing, and what it says of itself. None of these needs a key.",
    routes: &ROUTES,
};

static ROUTES: [Route; 7] = [
    Route {
        name: "health",
        handler: || to(health::health),
        summary: "Tell how the server is doing",
        description: "Answers 200 as long as the server can say so, whatever it says.",
        replies: &[reply(200, "How it is doing.", &[json("Health", &[HEALTH])])],
        ..get("/health")
    },
    Route {
        name: "live",
        handler: || to(health::live),
        summary: "Tell whether the process serves",
        description: "For a supervisor: while this answers, a restart would not help.",
        replies: &[reply(200, "It serves.", &[json("Health", &[HEALTH])])],
        ..get("/health/live")
    },
    Route {
        name: "ready",
        handler: || to(health::ready),
        summary: "Tell whether reads and writes are taken",
        description: "For a load balancer: 503 while the database takes no writes or is shutting \
            down. `reason` says why.",
        replies: &[
            reply(200, "Reads and writes are taken.", &[json("Health", &[HEALTH])]),
            reply(503, "Writes are not taken.", &[json("Health", &[READ_ONLY])]),
        ],
        ..get("/health/ready")
    },
    Route {
        name: "listProblems",
        handler: || to(problems::list),
        summary: "List the types of problems",
        description: "Every `type` that a refusal may have, with its status and what to do.",
        replies: &[reply(200, "All types.", &[json("ProblemTypeList", &[PROBLEM_TYPES]), html()])],
        ..get("/problems")
    },
    Route {
        name: "describeProblem",
        handler: || to(problems::page),
        summary: "Describe a type of problem",
        description: "The page that a problem's `type` links to.",
        replies: &[reply(
            200,
            "What it is and what to do.",
            &[json("ProblemType", &[PROBLEM_TYPE]), html()],
        )],
        kinds: &[Kind::RouteNotFound],
        ..get("/problems/{slug}")
    },
    Route {
        name: "openapi",
        handler: || to(openapi::document),
        summary: "Describe the interface (OpenAPI 3.1)",
        description: "This document, for generators of clients and other programs.",
        replies: &[reply(200, "The document.", &[json("OpenApi", &[])])],
        ..get("/openapi.json")
    },
    Route {
        name: "docs",
        handler: || to(openapi::page),
        summary: "Describe the interface (for people)",
        description: "The same document as a page.",
        replies: &[reply(200, "The page.", &[html()])],
        ..get("/docs")
    },
];

const HEALTH: &str = r#"{"status":"ready","version":17,"durability":"always","uptime_s":3,"reason":null,"recovery":{"checkpoint":12,"replayed":4,"in_doubt":1,"cut_bytes":0}}"#;

const READ_ONLY: &str = r#"{"status":"read-only","version":17,"durability":"always","uptime_s":3,"reason":"the storage failed; reads go on from the last published version until a restart","recovery":{"checkpoint":12,"replayed":4,"in_doubt":1,"cut_bytes":0}}"#;

const PROBLEM_TYPE: &str = r#"{"type":"/problems/not-found","title":"No such document","status":404,"retryable":false,"advice":"Check the id, or create the document first."}"#;

const PROBLEM_TYPES: &str = r#"{"problems":[{"type":"/problems/not-found","title":"No such document","status":404,"retryable":false,"advice":"Check the id, or create the document first."}]}"#;

/// A page for people.
const fn html() -> Content {
    Content { media_type: "text/html", schema: "Html", examples: &[] }
}

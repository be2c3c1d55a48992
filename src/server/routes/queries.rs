//! Questions to a collection, in the query string and in a body.

use actix_web::web::to;

use crate::server::{
    keys::Role,
    kinds::Kind,
    queries,
    route::{Content, Effect, Parameter, Place, Route, Scope, Section, get, json, ndjson, post},
    routes::parts::{AT, page, query},
};

pub(super) static SECTION: Section = Section {
    name: "Queries",
    description: "One snapshot answers the whole of a question, and its version stands in the \
        answer. Filters have the documented meaning of MongoDB's. Answers are the same with any \
        index and with none.",
    routes: &ROUTES,
};

static ROUTES: [Route; 4] = [
    FIND,
    Route {
        description: "Without `sort` in the order of `_id`, the transaction's own writes among \
            them. There are no cursors.",
        scope: Scope::Transaction,
        ..FIND
    },
    QUERY,
    Route {
        description: "As listing does, with the question in the body. In the place of documents \
            `count`, `distinct` or `aggregate` may be asked for.",
        bodies: &[json("QueryInTransaction", &[PEOPLE, COUNT, DISTINCT, AGGREGATE])],
        scope: Scope::Transaction,
        ..QUERY
    },
];

const FIND: Route = Route {
    name: "findDocuments",
    handler: || to(queries::find),
    role: Some(Role::Read),
    summary: "List or find documents",
    description: "Without `sort` in the order of `_id`. Send `cursor` again with the same \
        filter and sort for the next page; pages are read at one version, so that they neither \
        skip nor repeat a document. A collection that does not exist is empty. As \
        `application/x-ndjson` a document stands on each line, and the cursor in `Db-Cursor`; with \
        `limit=all` besides, all documents that match are streamed.",
    parameters: &[FILTER, SORT, LIMIT, OFFSET, FIELDS, CURSOR, HINT, EXPLAIN, AT],
    replies: &[page(&[json("QueryAnswer", &[PAGE]), LINES])],
    kinds: &[Kind::LimitExceeded],
    ..get("/collections/{collection}/documents")
};

const QUERY: Route = Route {
    name: "query",
    handler: || to(queries::query),
    role: Some(Role::Read),
    summary: "Ask a collection",
    description: "As listing does, with the question in the body. In the place of documents \
        `count`, `distinct` or `aggregate` may be asked for, and with `explain` how the answer \
        is found: the plan, every index that was considered, and what was read.",
    bodies: &[json("Query", &[PEOPLE, COUNT, DISTINCT, AGGREGATE, EXPLAINED])],
    replies: &[page(&[
        json(
            "QueryAnswer",
            &[
                PAGE,
                r#"{"count":2,"version":17}"#,
                r#"{"values":["London","Oslo"],"version":17}"#,
                r#"{"groups":[{"address.city":"Oslo","n":1,"mean":17.0}],"version":17}"#,
                EXPLANATION,
            ],
        ),
        LINES,
    ])],
    kinds: &[
        Kind::HintRefused,
        Kind::InvalidBody,
        Kind::InvalidFilter,
        Kind::InvalidQuery,
        Kind::LimitExceeded,
        Kind::VersionGone,
    ],
    effect: Effect::Reads,
    ..post("/collections/{collection}/query")
};

const FILTER: Parameter = Parameter {
    place: Place::QueryJson,
    kinds: &[Kind::InvalidFilter, Kind::InvalidJson],
    ..query(
        "filter",
        r##"{"$ref":"#/components/schemas/Filter"}"##,
        r#"{"age":{"$gte":18}}"#,
        "What documents have to match, as JSON.",
    )
};

const SORT: Parameter = query(
    "sort",
    r#"{"type":"string"}"#,
    r#""-age,name""#,
    "Paths, separated by commas, each with a leading `-` where it descends.",
);

const LIMIT: Parameter = query(
    "limit",
    r#"{"anyOf":[{"type":"integer","minimum":0,"maximum":1000},{"const":"all"}],"default":100}"#,
    "20",
    "Documents of the page at most; or `all`, with `Accept: application/x-ndjson`.",
);

const OFFSET: Parameter = query(
    "offset",
    r#"{"type":"integer","minimum":0,"default":0}"#,
    "0",
    "Documents to pass over first.",
);

const FIELDS: Parameter = query(
    "fields",
    r#"{"type":"string"}"#,
    r#""name,address.city""#,
    "The paths to answer with, separated by commas; all with a leading `-`: those to leave out. \
     `_id` and `_version` stay unless they are left out by name.",
);

const CURSOR: Parameter = Parameter {
    kinds: &[Kind::VersionGone],
    scope: Scope::Database,
    ..query(
        "cursor",
        r#"{"type":"string"}"#,
        "",
        "Where the page before ended, from its `cursor`. It is good for a while and not after a restart.",
    )
};

const HINT: Parameter = Parameter {
    kinds: &[Kind::HintRefused],
    ..query(
        "hint",
        r#"{"type":"string"}"#,
        r#""_id""#,
        "The index to use, `_id` for the documents themselves; one that cannot serve is refused.",
    )
};

const EXPLAIN: Parameter = Parameter {
    scope: Scope::Database,
    ..query(
        "explain",
        r#"{"type":"boolean","default":false}"#,
        "false",
        "Tell how the answer is found, not the answer.",
    )
};

const LINES: Content = ndjson(&[
    "{\"_id\":\"ada\",\"_version\":17,\"name\":\"Ada\"}\n{\"_id\":\"bob\",\"_version\":3,\"name\":\"Bob\"}\n",
]);

const PAGE: &str = r#"{"documents":[{"_id":"ada","_version":17,"name":"Ada","age":36,"address":{"city":"London"}}],"version":17,"cursor":null}"#;

const PEOPLE: &str =
    r#"{"filter":{"age":{"$gte":18},"address.city":"London"},"sort":["-age","name"],"limit":20}"#;

const COUNT: &str = r#"{"filter":{"age":{"$gte":18}},"count":true}"#;

const DISTINCT: &str = r#"{"distinct":"address.city"}"#;

const AGGREGATE: &str =
    r#"{"aggregate":{"group":["address.city"],"metrics":{"n":"count","mean":{"avg":"age"}}}}"#;

const EXPLAINED: &str =
    r#"{"filter":{"address.city":"Oslo"},"sort":"-age","limit":1,"explain":true}"#;

const EXPLANATION: &str = r#"{"plan":{"stage":"limit","limit":1,"input":[{"stage":"index","index":"city_age","ranges":1}]},"candidates":[{"index":"city_age","chosen":true,"cost":1,"reason":"it gives the order and reads the fewest keys"}],"keys_examined":1,"documents_examined":1,"documents_returned":1,"time_us":42,"version":17}"#;

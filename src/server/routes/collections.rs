//! Collections and their indexes.

use actix_web::web::to;

use crate::server::{
    collections, indexes,
    keys::Role,
    kinds::Kind,
    route::{BodyIs, Link, Route, Section, delete, get, json, put, reply},
    routes::parts::{AT, done, read},
};

pub(super) static SECTION: Section = Section {
    name: "Collections and indexes",
    description: "A collection comes into being with its first document, or when it is made. Its \
        indexes belong to every commit, so that none is ever stale.",
    routes: &ROUTES,
};

static ROUTES: [Route; 7] = [
    Route {
        name: "listCollections",
        handler: || to(collections::list),
        role: Some(Role::Read),
        summary: "List the collections",
        description: "All that the key is for, in the order of their names.",
        parameters: &[AT],
        replies: &[read(&[json("CollectionList", &[LIST])])],
        ..get("/collections")
    },
    Route {
        name: "describeCollection",
        handler: || to(collections::describe),
        role: Some(Role::Read),
        summary: "Describe a collection",
        description: "How many documents it holds, their bytes, and its options.",
        parameters: &[AT],
        replies: &[read(&[json("Collection", &[COLLECTION])])],
        kinds: &[Kind::CollectionNotFound],
        ..get("/collections/{collection}")
    },
    Route {
        name: "createCollection",
        handler: || to(collections::create),
        role: Some(Role::Admin),
        summary: "Make a collection",
        description: "With `require_preconditions` every PUT, PATCH, DELETE and operation of a \
            batch has to state the version that it means to change. Making it again with the same \
            options changes nothing.",
        bodies: &[json("CollectionOptions", &[r#"{"require_preconditions":false}"#])],
        body: BodyIs::Optional,
        replies: &[
            reply(200, "It is there with these options.", &[json("Collection", &[COLLECTION])]),
            reply(201, "It was made.", &[json("Collection", &[COLLECTION])]),
        ],
        kinds: &[
            Kind::CollectionNotFound,
            Kind::CollectionExists,
            Kind::InvalidBody,
            Kind::LimitExceeded,
        ],
        links: &[of_it("describeCollection"), of_it("listIndexes"), of_it("dropCollection")],
        ..put("/collections/{collection}")
    },
    Route {
        name: "dropCollection",
        handler: || to(collections::remove),
        role: Some(Role::Admin),
        summary: "Drop a collection",
        description: "With its documents and indexes. Transactions that have written to it and \
            are not committed yet will be refused.",
        replies: &[done("It is dropped.")],
        kinds: &[Kind::CollectionNotFound],
        ..delete("/collections/{collection}")
    },
    Route {
        name: "listIndexes",
        handler: || to(indexes::list),
        role: Some(Role::Read),
        summary: "List the indexes of a collection",
        description: "All of them in the order of their names, with their sizes and how many \
            queries they have served since the start.",
        parameters: &[AT],
        replies: &[read(&[json("IndexList", &[INDEXES])])],
        kinds: &[Kind::CollectionNotFound],
        ..get("/collections/{collection}/indexes")
    },
    Route {
        name: "createIndex",
        handler: || to(indexes::create),
        role: Some(Role::Admin),
        summary: "Make an index",
        description: "While reads and writes go on. A path with a leading `-` descends; `unique` \
            allows a key once; with `filter` it holds only the documents that match; with \
            `ttl_seconds` documents go so long after the time at its one path. Making it again \
            with the same definition changes nothing.",
        bodies: &[json(
            "Index",
            &[
                r#"{"paths":["address.city","-age"]}"#,
                r#"{"paths":["email"],"unique":true,"filter":{"email":{"$exists":true}}}"#,
                r#"{"paths":["seen"],"ttl_seconds":3600}"#,
            ],
        )],
        replies: &[
            reply(200, "It is there with this definition.", &[json("IndexDescription", &[INDEX])]),
            reply(201, "It was made.", &[json("IndexDescription", &[INDEX])]),
        ],
        kinds: &[
            Kind::CollectionNotFound,
            Kind::IndexExists,
            Kind::InvalidFilter,
            Kind::InvalidIndex,
            Kind::LimitExceeded,
            Kind::UnindexableDocument,
            Kind::UniqueViolation,
        ],
        links: &[of_it("listIndexes"), DROP],
        ..put("/collections/{collection}/indexes/{index}")
    },
    Route {
        name: "dropIndex",
        handler: || to(indexes::remove),
        role: Some(Role::Admin),
        summary: "Drop an index",
        description: "Queries go on without it.",
        replies: &[done("It is dropped.")],
        kinds: &[Kind::CollectionNotFound, Kind::IndexNotFound],
        ..delete("/collections/{collection}/indexes/{index}")
    },
];

/// A route of the same collection.
const fn of_it(to: &'static str) -> Link {
    Link { to, parameters: &[("collection", "$request.path.collection")] }
}

const DROP: Link = Link {
    to: "dropIndex",
    parameters: &[("collection", "$request.path.collection"), ("index", "$request.path.index")],
};

const LIST: &str = r#"{"collections":[{"name":"people","count":2,"bytes":420}],"version":17}"#;

const COLLECTION: &str =
    r#"{"name":"people","count":2,"bytes":420,"require_preconditions":false,"version":17}"#;

const INDEX: &str = r#"{"name":"city_age","paths":["address.city","-age"],"entries":2,"bytes":198,"multikey":false,"queries":0}"#;

const INDEXES: &str = r#"{"indexes":[{"name":"city_age","paths":["address.city","-age"],"entries":2,"bytes":198,"multikey":false,"queries":7}],"version":17}"#;

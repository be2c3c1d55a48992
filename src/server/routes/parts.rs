//! What several rows say alike: headers, parameters, answers.

use crate::server::{
    kinds::Kind,
    route::{Content, Header, Parameter, Place, Reply, Scope},
};

const DB_VERSION: Header = Header {
    name: "Db-Version",
    description: "The version at which the answer was read.",
    schema: r##"{"$ref":"#/components/schemas/Version"}"##,
    required: true,
};

const ETAG: Header = Header {
    name: "ETag",
    description: "The document's version in quotes, for `If-Match`.",
    schema: r#"{"type":"string","pattern":"^\"[0-9]+\"$"}"#,
    required: false,
};

const LOCATION: Header = Header {
    name: "Location",
    description: "The path of what was made.",
    schema: r#"{"type":"string"}"#,
    required: true,
};

const DB_CURSOR: Header = Header {
    name: "Db-Cursor",
    description: "Where the next page begins, when there is one.",
    schema: r#"{"type":"string"}"#,
    required: false,
};

const PREFERENCE_APPLIED: Header = Header {
    name: "Preference-Applied",
    description: "`return=representation` when that was asked for.",
    schema: r#"{"type":"string"}"#,
    required: false,
};

const IDEMPOTENT_REPLAYED: Header = Header {
    name: "Idempotent-Replayed",
    description: "`true` when the answer is that of an earlier request with this key.",
    schema: r#"{"type":"string"}"#,
    required: false,
};

/// An answer that was read at a version.
pub(super) const fn read(contents: &'static [Content]) -> Reply {
    Reply { status: 200, description: "What was read.", headers: &[DB_VERSION], contents }
}

/// A page of documents, or what was made of them.
pub(super) const fn page(contents: &'static [Content]) -> Reply {
    Reply {
        status: 200,
        description: "A page of documents, or what was asked for in their place.",
        headers: &[DB_VERSION, DB_CURSOR],
        contents,
    }
}

/// One document.
pub(super) const fn document(contents: &'static [Content]) -> Reply {
    Reply {
        status: 200,
        description: "The document. In a transaction that has written it, it comes without `ETag`.",
        headers: &[DB_VERSION, ETAG],
        contents,
    }
}

/// What the reader has already.
pub(super) const NOT_MODIFIED: Reply = Reply {
    status: 304,
    description: "The version that `If-None-Match` names is the current one.",
    headers: &[DB_VERSION, ETAG],
    contents: &[],
};

/// A write of one document.
pub(super) const fn written(status: u16, description: &'static str) -> Reply {
    Reply { status, description, headers: &[ETAG, PREFERENCE_APPLIED], contents: &[WRITTEN] }
}

/// What an insertion made.
pub(super) const fn inserted(contents: &'static [Content]) -> Reply {
    Reply {
        status: 201,
        description: "The document was inserted; or all of many were, which have no `ETag` and no \
            `Location`.",
        headers: &[
            ETAG,
            PREFERENCE_APPLIED,
            IDEMPOTENT_REPLAYED,
            Header { required: false, ..LOCATION },
        ],
        contents,
    }
}

/// What a commit did, be it by this request or by an earlier one with its key.
pub(super) const fn committed(description: &'static str, contents: &'static [Content]) -> Reply {
    Reply { status: 200, description, headers: &[IDEMPOTENT_REPLAYED], contents }
}

/// What was begun.
pub(super) const fn begun(contents: &'static [Content]) -> Reply {
    let headers = &[DB_VERSION, LOCATION];
    Reply { status: 201, description: "The transaction has begun.", headers, contents }
}

/// What has no body to tell of it.
pub(super) const fn done(description: &'static str) -> Reply {
    Reply { status: 204, description, headers: &[], contents: &[] }
}

const WRITTEN: Content = Content {
    media_type: "application/json",
    schema: "WrittenOrDocument",
    examples: &[r#"{"_id":"ada","_version":17}"#],
};

/// A parameter of the query string.
pub(super) const fn query(
    name: &'static str,
    schema: &'static str,
    example: &'static str,
    description: &'static str,
) -> Parameter {
    let (place, scope) = (Place::Query, Scope::Both);
    Parameter { place, name, schema, description, example, kinds: &[], scope }
}

/// A header that changes what a route does.
const fn header(
    name: &'static str,
    schema: &'static str,
    example: &'static str,
    description: &'static str,
) -> Parameter {
    Parameter { place: Place::Header, ..query(name, schema, example, description) }
}

pub(super) const AT: Parameter = Parameter {
    kinds: &[Kind::VersionGone],
    scope: Scope::Database,
    ..query(
        "at",
        r##"{"$ref":"#/components/schemas/Version"}"##,
        "",
        "An older version to read, in the place of the latest. It is kept for a while; after that \
         it is 410 with the `nearest` that can be read.",
    )
};

pub(super) const ATOMIC: Parameter = Parameter {
    scope: Scope::Database,
    ..query(
        "atomic",
        r#"{"type":"boolean","default":true}"#,
        "true",
        "`false`: each line takes effect or is refused for itself, and is answered by a line.",
    )
};

/// Tools that know the header know what stands in it; a pattern would keep them from that.
const TAGS: &str = r#"{"type":"string"}"#;

pub(super) const IF_MATCH: Parameter = Parameter {
    kinds: &[Kind::PreconditionFailed],
    ..header(
        "If-Match",
        TAGS,
        r#""*""#,
        "The document has one of these versions, or with `*` any; else 412. A version stands in \
         quotes, several are separated by commas.",
    )
};

pub(super) const IF_NONE_MATCH: Parameter = Parameter {
    kinds: &[Kind::PreconditionFailed],
    ..header(
        "If-None-Match",
        TAGS,
        r#""\"0\"""#,
        "The document has none of these versions, or with `*` is not there; else 412.",
    )
};

pub(super) const IF_NONE_MATCH_READ: Parameter = Parameter {
    description: "The versions that the reader has; 304 when one of them is the current one.",
    kinds: &[],
    ..IF_NONE_MATCH
};

pub(super) const PREFER: Parameter = header(
    "Prefer",
    r#"{"type":"string"}"#,
    r#""return=representation""#,
    "`return=representation` answers with the whole document. Other preferences are passed over.",
);

pub(super) const IDEMPOTENCY_KEY: Parameter = Parameter {
    kinds: &[Kind::IdempotencyInProgress, Kind::IdempotencyMismatch],
    scope: Scope::Database,
    ..header(
        "Idempotency-Key",
        r#"{"type":"string","minLength":1,"maxLength":255,"pattern":"^[!-~]+$"}"#,
        "",
        "A word of the client's own for this request. Sent again with it within a day, the \
         request takes effect once and is answered as it was at first.",
    )
};

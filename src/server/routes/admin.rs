//! Operations and keys, for admin keys.

use actix_web::web::to;

use crate::server::{
    admin, admin_keys,
    keys::Role,
    kinds::Kind,
    metrics,
    route::{Content, Link, Route, Section, delete, get, json, post, reply},
    routes::parts::{done, query, read},
};

pub(super) static SECTION: Section = Section {
    name: "Administration",
    description: "Keeping the server, for keys of the role `admin`.",
    routes: &ROUTES,
};

static ROUTES: [Route; 7] = [
    Route {
        name: "checkpoint",
        handler: || to(admin::checkpoint),
        role: Some(Role::Admin),
        summary: "Write a checkpoint",
        description: "Writes what changed since the last one, while reads and writes go on. The \
            next start replays less of the log. Checkpoints are also written by themselves.",
        replies: &[reply(
            200,
            "The version that the checkpoint holds.",
            &[json("AtVersion", &[r#"{"version":17}"#])],
        )],
        ..post("/admin/checkpoint")
    },
    Route {
        name: "backup",
        handler: || to(admin::backup),
        role: Some(Role::Admin),
        summary: "Write a backup",
        description: "Writes a checkpoint and sends its files as a tar archive, while reads and \
            writes go on. `monsterdb verify` checks it and `monsterdb restore` makes a database of \
            it. The manifest is its last file: an archive without one is not whole.",
        parameters: &[query(
            "since",
            r##"{"$ref":"#/components/schemas/Version"}"##,
            "0",
            "Leave out the files that a backup of this version of the same database has.",
        )],
        replies: &[reply(200, "The files.", &[TAR])],
        ..get("/admin/backup")
    },
    Route {
        name: "stats",
        handler: || to(admin::stats),
        role: Some(Role::Admin),
        summary: "Tell how the database is doing, in numbers",
        description: "Counts of `log`, `commits`, `conflicts`, `checkpoints` and `sessions` are since \
            the start. `p50_us` and `p99_us` are powers of two that the time does not exceed.",
        replies: &[read(&[json("Stats", &[STATS])])],
        ..get("/admin/stats")
    },
    Route {
        name: "metrics",
        handler: || to(metrics::metrics),
        role: Some(Role::Admin),
        summary: "Tell everything that is counted, for Prometheus",
        description: "The text format 0.0.4. Requests are told by the pattern of their route; of \
            collections the largest 100 are told apart, and the first 100 with conflicts.",
        replies: &[reply(200, "Metrics, one a line.", &[TEXT])],
        ..get("/metrics")
    },
    Route {
        name: "listKeys",
        handler: || to(admin_keys::list),
        role: Some(Role::Admin),
        summary: "List the keys",
        description: "All of them from the oldest to the newest, without what opens anything. \
            `last_used` is since the start of the server.",
        replies: &[read(&[json("KeyList", &[KEYS])])],
        ..get("/admin/keys")
    },
    Route {
        name: "createKey",
        handler: || to(admin_keys::create),
        role: Some(Role::Admin),
        summary: "Make a key",
        description: "The answer is the one time that the key itself is shown. A key with a list \
            of `collections` neither reads nor writes nor sees any other.",
        bodies: &[json(
            "NewKey",
            &[
                r#"{"name":"app","role":"write"}"#,
                r#"{"name":"report","role":"read","collections":["people"],"rate_limit":"10/s"}"#,
            ],
        )],
        replies: &[reply(201, "The key, shown once.", &[json("MadeKey", &[MADE])])],
        kinds: &[Kind::InvalidBody, Kind::InvalidName, Kind::LimitExceeded],
        links: &[Link { to: "revokeKey", parameters: &[("key", "$response.body#/id")] }],
        ..post("/admin/keys")
    },
    Route {
        name: "revokeKey",
        handler: || to(admin_keys::remove),
        role: Some(Role::Admin),
        summary: "Revoke a key",
        description: "From the answer on it opens nothing. The last admin key stays, unless one \
            was given by the environment.",
        replies: &[done("It is revoked.")],
        kinds: &[Kind::KeyNotFound, Kind::LastAdminKey],
        ..delete("/admin/keys/{key}")
    },
];

const TEXT: Content = Content { media_type: "text/plain", schema: "Metrics", examples: &[] };

const TAR: Content = Content { media_type: "application/x-tar", schema: "Backup", examples: &[] };

const STATS: &str = r#"{"version":17,"synced":17,"checkpoint":12,"durability":"always","uptime_s":3,"reason":null,"documents":2,"bytes":420,"memory_limit":6442450944,"recovery":{"checkpoint":12,"replayed":4,"in_doubt":1,"cut_bytes":0},"log":{"bytes":2048,"operations":9,"writes":4,"syncs":{"count":4,"mean_us":105,"p50_us":128,"p99_us":256}},"commits":{"committed":5,"conflicts":1,"retries":0,"locked_runs":0},"conflicts":[{"collection":"people","documents":1,"predicates":0,"collections":0}],"checkpoints":{"written":{"count":0,"mean_us":0,"p50_us":null,"p99_us":null},"failed":0},"retained":{"versions":2,"bytes":3072,"oldest_s":2},"sessions":{"open":0,"oldest_s":0,"begun":1,"committed":1,"conflicts":0,"expired":0}}"#;

const KEYS: &str = r#"{"keys":[{"id":"93c1f0a2b4d6e8f0","name":"first","role":"admin","collections":null,"created":"2026-01-31T09:30:00.000Z","last_used":null}],"version":17}"#;

const MADE: &str = r#"{"id":"5e8a1c3d7f9b2046","key":"mdb_5e8a1c3d7f9b2046_0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0","name":"report","role":"read","collections":["people"],"created":"2026-01-31T09:30:00.000Z","last_used":null,"rate_limit":"10/s"}"#;

//! Every setting with a value that is not its default, and what is seen of it.

use crate::{
    effects::{self as seen, Effect},
    host::{Environment, KEY, environment},
};

/// A setting as a variable of the environment.
#[derive(Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) variable: &'static str,
    /// A valid value, in the form that [`Host::named`](crate::host::Host::named) takes.
    pub(crate) value: &'static str,
    /// Variables without which this one says nothing.
    pub(crate) with: &'static [(&'static str, &'static str)],
    /// What it makes a server do. None for those that are read by others than a server.
    pub(crate) effect: Option<Effect>,
}

const fn of(variable: &'static str, value: &'static str, effect: Effect) -> Setting {
    Setting { variable, value, with: &[], effect: Some(effect) }
}

const fn with(
    variable: &'static str,
    value: &'static str,
    with: &'static [(&'static str, &'static str)],
    effect: Effect,
) -> Setting {
    Setting { variable, value, with, effect: Some(effect) }
}

/// Where a test can see the data directory.
const IN_SIGHT: &[(&str, &str)] = &[("MONSTERDB_DATA", "{out}/db")];

/// For a test that asks often.
const UNBOUNDED: &[(&str, &str)] = &[("MONSTERDB_RATE_LIMIT", "off")];

/// All settings. [`crate::environment`] fails for one that is missing here.
pub(crate) const ALL: &[Setting] = &[
    of("MONSTERDB_LISTEN", "{listen}", Effect::now(seen::listens_there)),
    with(
        "MONSTERDB_TLS_CERT",
        "{given}/one.pem",
        &[("MONSTERDB_TLS_KEY", "{given}/one.key.pem")],
        Effect::now(seen::speaks_tls),
    ),
    with(
        "MONSTERDB_TLS_KEY",
        "{given}/one.key.pem",
        &[("MONSTERDB_TLS_CERT", "{given}/one.pem")],
        Effect::now(seen::speaks_tls),
    ),
    of("MONSTERDB_CORS_ORIGINS", "https://app.example", Effect::now(seen::lets_a_page_ask)),
    of("MONSTERDB_CONNECTIONS", "11", Effect::STARTS),
    of("MONSTERDB_HEAD_TIMEOUT", "100ms", Effect::now(seen::ends_a_late_head)),
    of("MONSTERDB_BODY_TIMEOUT", "100ms", Effect::now(seen::ends_a_late_body)),
    of("MONSTERDB_WRITE_TIMEOUT", "11s", Effect::STARTS),
    of("MONSTERDB_QUERY_TIMEOUT", "0s", Effect::now(seen::ends_a_query)),
    of("MONSTERDB_KEEP_ALIVE", "1s", Effect::now(seen::closes_an_idle_connection)),
    of("MONSTERDB_SHUTDOWN_TIMEOUT", "1s", Effect::STARTS),
    with(
        "MONSTERDB_NO_AUTH",
        "true",
        &[("MONSTERDB_LISTEN", "{loopback}")],
        Effect::now(seen::asks_for_no_key),
    ),
    of("MONSTERDB_ADMIN_KEY", "another key", Effect::now(seen::takes_another_key)),
    of("MONSTERDB_ADMIN_KEY_FILE", "{given}/admin.key", Effect::now(seen::takes_a_key_of_a_file)),
    of("MONSTERDB_RATE_LIMIT", "7/s", Effect::now(seen::tells_its_rate)),
    of("MONSTERDB_RATE_BURST", "3", Effect::now(seen::lets_three_in)),
    of("MONSTERDB_FAILED_AUTH_LIMIT", "off", Effect::now(seen::bears_wrong_keys)),
    of("MONSTERDB_FAILED_AUTH_BURST", "2", Effect::now(seen::bears_two_wrong_keys)),
    of("MONSTERDB_SESSION_IDLE", "1h", Effect::now(seen::lets_sessions_be)),
    of("MONSTERDB_SESSION_TOTAL", "2s", Effect::now(seen::ends_sessions_soon)),
    of("MONSTERDB_SESSIONS", "1", Effect::now(seen::has_one_session)),
    of("MONSTERDB_SESSIONS_PER_KEY", "1", Effect::now(seen::has_one_session)),
    of("MONSTERDB_STREAMS", "1", Effect::now(seen::has_one_stream)),
    of("MONSTERDB_HEARTBEAT", "100ms", Effect::now(seen::beats)),
    of("MONSTERDB_POLL_TIMEOUT", "100ms", Effect::now(seen::ends_a_poll)),
    of("MONSTERDB_STREAM_WRITE_TIMEOUT", "11s", Effect::STARTS),
    with(
        "MONSTERDB_FEED_RETAIN_BYTES",
        "0",
        &[("MONSTERDB_SEGMENT_BYTES", "4KiB")],
        Effect::now(seen::forgets_changes),
    ),
    of("MONSTERDB_DATA", "{out}/db", Effect::after(seen::left_a_manifest)),
    of("MONSTERDB_DURABILITY", "interval:20", Effect::now(seen::is_durable_at_intervals)),
    of("MONSTERDB_MEMORY_LIMIT", "77MiB", Effect::now(seen::has_77_mebibytes)),
    with(
        "MONSTERDB_SEGMENT_BYTES",
        "64KiB",
        IN_SIGHT,
        Effect::now(seen::has_segments_of_64_kibibytes),
    ),
    with("MONSTERDB_CHECKPOINT_BYTES", "1KiB", UNBOUNDED, Effect::now(seen::writes_checkpoints)),
    with("MONSTERDB_CHECKPOINT_OPERATIONS", "2", UNBOUNDED, Effect::now(seen::writes_checkpoints)),
    with("MONSTERDB_CHECKPOINT_INTERVAL", "10ms", UNBOUNDED, Effect::now(seen::writes_checkpoints)),
    of("MONSTERDB_WAL_ARCHIVE", "{out}/archive", Effect::after(seen::left_an_archive)),
    with("MONSTERDB_RETAIN", "0s", UNBOUNDED, Effect::now(seen::forgets_versions)),
    with("MONSTERDB_RETAIN_BYTES", "0", UNBOUNDED, Effect::now(seen::forgets_versions)),
    of("MONSTERDB_LOG_FORMAT", "json", Effect::now(seen::logs_json)),
    of("MONSTERDB_SLOW_QUERY", "0s", Effect::now(seen::tells_of_a_query)),
    of("MONSTERDB_API_KEY", KEY, Effect::now(seen::takes_the_key_that_commands_send)),
    Setting { variable: "MONSTERDB_HISTORY", value: "{out}/history", with: &[], effect: None },
    of("MONSTERDB_CONFIG", "{given}/monsterdb.toml", Effect::now(seen::reads_the_file)),
    of("MONSTERDB_LOG", "off", Effect::after(seen::logged_nothing)),
];

impl Setting {
    /// The variables that give it its value, and let it say something.
    pub(crate) fn environment(&self) -> Environment {
        let mut all = environment(self.with);
        all.insert(self.variable.to_owned(), self.value.to_owned());
        all
    }

    /// The same for a server that the clients of the tests have a key for.
    pub(crate) fn environment_of_server(&self) -> Environment {
        let mut all = environment(&[("MONSTERDB_ADMIN_KEY", KEY)]);
        all.extend(self.environment());
        if self.variable == "MONSTERDB_ADMIN_KEY_FILE" {
            // It would not be looked at.
            all.remove("MONSTERDB_ADMIN_KEY");
        }
        all
    }
}

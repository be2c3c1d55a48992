//! What a server can be told: the arguments of `serve`, and so, each with its variable and its key
//! in a file, the settings of the configuration.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum, builder::FalseyValueParser};

use super::super::{
    DataArgs,
    values::{MemoryLimit, parse_bytes, parse_durability, parse_pause, parse_time},
};
use crate::{
    commit::Durability,
    limits::{CONNECTIONS_MAX, SESSIONS_MAX, SESSIONS_PER_KEY_MAX, STREAMS_MAX},
    server::{BURST_DEFAULT, Origin, Rate, SlowQuery},
};

/// Serve a database over HTTP.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where it listens, and how long it waits.
    #[command(flatten, next_help_heading = "Network")]
    pub network: NetworkArgs,

    /// Who may ask, and how often.
    #[command(flatten, next_help_heading = "Keys and rates")]
    pub access: AccessArgs,

    /// Transactions that stay open between requests.
    #[command(flatten, next_help_heading = "Interactive transactions")]
    pub sessions: SessionArgs,

    /// The change feed.
    #[command(flatten, next_help_heading = "Changes")]
    pub changes: ChangesArgs,

    /// The data directory.
    #[command(flatten, next_help_heading = "Storage")]
    pub data: DataArgs,

    /// What is kept, and when it is written.
    #[command(flatten, next_help_heading = "Storage")]
    pub storage: StorageArgs,

    /// What is logged.
    #[command(flatten, next_help_heading = "Log")]
    pub log: LogArgs,
}

/// How a server is reached: what a health check beside it has to know, too.
#[derive(Debug, Args)]
pub struct ListenArgs {
    /// The address to listen on; port 0 takes a free one
    #[arg(long, env = "MONSTERDB_LISTEN", default_value = "127.0.0.1:7117", value_name = "ADDR")]
    pub listen: SocketAddr,

    /// The certificate to speak TLS with, as PEM; read again on SIGHUP
    #[arg(long, env = "MONSTERDB_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
}

/// Where a server listens, and how long it waits.
#[derive(Debug, Args)]
pub struct NetworkArgs {
    /// The address, and whether it speaks TLS.
    #[command(flatten)]
    pub address: ListenArgs,

    /// The certificate's private key, as PEM
    #[arg(long, env = "MONSTERDB_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// Where web pages come from that may ask, e.g. `https://app.example`, or * for anywhere; may be
    /// given more than once. Without it no page may
    #[arg(
        long = "cors-origin",
        env = "MONSTERDB_CORS_ORIGINS",
        value_delimiter = ',',
        value_name = "ORIGIN"
    )]
    pub cors_origins: Vec<Origin>,

    /// Connections that may be open at once; more wait until one is closed
    #[arg(long, env = "MONSTERDB_CONNECTIONS", default_value_t = CONNECTIONS_MAX, value_name = "N")]
    pub connections: usize,

    /// Time for the head of a request to arrive
    #[arg(long, env = "MONSTERDB_HEAD_TIMEOUT", default_value = "10s", value_parser = parse_pause,
          value_name = "TIME")]
    pub head_timeout: Duration,

    /// Time for the body of a request to arrive
    #[arg(long, env = "MONSTERDB_BODY_TIMEOUT", default_value = "60s", value_parser = parse_pause,
          value_name = "TIME")]
    pub body_timeout: Duration,

    /// Time in which a client has to take something of its answer, or else it is cut off
    #[arg(long, env = "MONSTERDB_WRITE_TIMEOUT", default_value = "60s", value_parser = parse_time,
          value_name = "TIME")]
    pub write_timeout: Duration,

    /// Time that reading for one query may take; one that takes longer is refused
    #[arg(long, env = "MONSTERDB_QUERY_TIMEOUT", default_value = "30s", value_parser = parse_time,
          value_name = "TIME")]
    pub query_timeout: Duration,

    /// Time that an idle connection is kept
    #[arg(long, env = "MONSTERDB_KEEP_ALIVE", default_value = "75s", value_parser = parse_pause,
          value_name = "TIME")]
    pub keep_alive: Duration,

    /// Time that requests under way get to end when the server is told to stop
    #[arg(long, env = "MONSTERDB_SHUTDOWN_TIMEOUT", default_value = "30s",
          value_parser = parse_time, value_name = "TIME")]
    pub shutdown_timeout: Duration,
}

/// Who may ask a server, and how often.
#[derive(Debug, Args)]
pub struct AccessArgs {
    /// Ask nobody for a key; allowed only on a loopback address
    #[arg(long, env = "MONSTERDB_NO_AUTH", value_parser = FalseyValueParser::new())]
    pub no_auth: bool,

    /// The admin key, instead of one that the first start makes
    #[arg(long, env = "MONSTERDB_ADMIN_KEY", hide_env_values = true, value_name = "KEY")]
    pub admin_key: Option<String>,

    /// A file that holds the admin key
    #[arg(long, env = "MONSTERDB_ADMIN_KEY_FILE", value_name = "FILE")]
    pub admin_key_file: Option<PathBuf>,

    /// How often each key may ask that has no limit of its own, e.g. 100/s, 30/m or off; more is
    /// answered with status 429. Off with --no-auth
    #[arg(long, env = "MONSTERDB_RATE_LIMIT", default_value = "100/s", value_name = "RATE")]
    pub rate_limit: Rate,

    /// Requests that a key may send at once
    #[arg(long, env = "MONSTERDB_RATE_BURST", default_value_t = BURST_DEFAULT,
          value_parser = clap::value_parser!(u32).range(1..), value_name = "N")]
    pub rate_burst: u32,

    /// How often an address may come with a wrong key, e.g. 1/s, 30/m or off; more are answered
    /// with status 429
    #[arg(long, env = "MONSTERDB_FAILED_AUTH_LIMIT", default_value = "1/s", value_name = "RATE")]
    pub failed_auth_limit: Rate,

    /// Wrong keys that an address may come with at once
    #[arg(long, env = "MONSTERDB_FAILED_AUTH_BURST", default_value_t = 20,
          value_parser = clap::value_parser!(u32).range(1..), value_name = "N")]
    pub failed_auth_burst: u32,
}

/// Transactions that stay open between requests.
#[derive(Debug, Args)]
pub struct SessionArgs {
    /// Time between two requests of an interactive transaction, after which it is rolled back
    #[arg(long, env = "MONSTERDB_SESSION_IDLE", default_value = "30s", value_parser = parse_time,
          value_name = "TIME")]
    pub session_idle: Duration,

    /// Time that an interactive transaction may take in all
    #[arg(long, env = "MONSTERDB_SESSION_TOTAL", default_value = "5m", value_parser = parse_time,
          value_name = "TIME")]
    pub session_total: Duration,

    /// Interactive transactions that may be open at once
    #[arg(long, env = "MONSTERDB_SESSIONS", default_value_t = SESSIONS_MAX, value_name = "N")]
    pub sessions: usize,

    /// Interactive transactions that one key may have open
    #[arg(long, env = "MONSTERDB_SESSIONS_PER_KEY", default_value_t = SESSIONS_PER_KEY_MAX,
          value_name = "N")]
    pub sessions_per_key: usize,
}

/// The change feed.
#[derive(Debug, Args)]
pub struct ChangesArgs {
    /// Clients that may follow the changes at once
    #[arg(long, env = "MONSTERDB_STREAMS", default_value_t = STREAMS_MAX, value_name = "N")]
    pub streams: usize,

    /// Time without a commit after which a stream of changes gets a sign of life
    #[arg(long, env = "MONSTERDB_HEARTBEAT", default_value = "15s", value_parser = parse_pause,
          value_name = "TIME")]
    pub heartbeat: Duration,

    /// Time that a long poll for changes waits
    #[arg(long, env = "MONSTERDB_POLL_TIMEOUT", default_value = "25s", value_parser = parse_time,
          value_name = "TIME")]
    pub poll_timeout: Duration,

    /// Time in which a client has to take something of a stream of changes
    #[arg(long, env = "MONSTERDB_STREAM_WRITE_TIMEOUT", default_value = "30s",
          value_parser = parse_pause, value_name = "TIME")]
    pub stream_write_timeout: Duration,

    /// Bytes of the log that are kept behind a checkpoint for the change feed; 0 keeps none
    #[arg(long, env = "MONSTERDB_FEED_RETAIN_BYTES", default_value = "64MiB",
          value_parser = parse_bytes, value_name = "BYTES")]
    pub feed_retain_bytes: u64,
}

/// What is kept, and when it is written.
#[derive(Debug, Args)]
pub struct StorageArgs {
    /// When a commit is acknowledged: when it is safe on the device (always), at most so many
    /// milliseconds before (interval:MS), or without waiting (none)
    #[arg(long, env = "MONSTERDB_DURABILITY", default_value = "always",
          value_parser = parse_durability, value_name = "WHEN")]
    pub durability: Durability,

    /// Bytes that documents may take in memory, e.g. 512MiB; auto takes three quarters of what the
    /// machine or its control group has
    #[arg(long, env = "MONSTERDB_MEMORY_LIMIT", default_value = "auto", value_name = "BYTES")]
    pub memory_limit: MemoryLimit,

    /// Bytes of one segment of the log, at least 4KiB
    #[arg(long, env = "MONSTERDB_SEGMENT_BYTES", default_value = "8MiB",
          value_parser = parse_bytes, value_name = "BYTES")]
    pub segment_bytes: u64,

    /// Bytes in the log after which a checkpoint is written; half the size of the database where
    /// that is more
    #[arg(long, env = "MONSTERDB_CHECKPOINT_BYTES", default_value = "64MiB",
          value_parser = parse_bytes, value_name = "BYTES")]
    pub checkpoint_bytes: u64,

    /// Operations in the log after which a checkpoint is written
    #[arg(
        long,
        env = "MONSTERDB_CHECKPOINT_OPERATIONS",
        default_value = "1000000",
        value_name = "N"
    )]
    pub checkpoint_operations: u64,

    /// Time after which a checkpoint is written if there were commits
    #[arg(long, env = "MONSTERDB_CHECKPOINT_INTERVAL", default_value = "5m",
          value_parser = parse_time, value_name = "TIME")]
    pub checkpoint_interval: Duration,

    /// A directory that the log is copied to before any of it is removed, so that a backup can be
    /// brought to every version after it
    #[arg(long, env = "MONSTERDB_WAL_ARCHIVE", value_name = "DIR")]
    pub wal_archive: Option<PathBuf>,

    /// How long a version can be read after a cursor named it
    #[arg(long, env = "MONSTERDB_RETAIN", default_value = "5m", value_parser = parse_time,
          value_name = "TIME")]
    pub retain: Duration,

    /// Bytes of memory that such versions may take; the oldest go first
    #[arg(long, env = "MONSTERDB_RETAIN_BYTES", default_value = "256MiB",
          value_parser = parse_bytes, value_name = "BYTES")]
    pub retain_bytes: u64,
}

/// What is logged.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// The form of the log on standard error
    #[arg(long, env = "MONSTERDB_LOG_FORMAT", default_value = "human", value_name = "FORM")]
    pub log_format: LogFormat,

    /// Queries that take as long as this get a line in the log, with their plan and the shape of
    /// their filter; off for none
    #[arg(long, env = "MONSTERDB_SLOW_QUERY", default_value = "100ms", value_name = "TIME")]
    pub slow_query: SlowQuery,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Human,
    /// Lines of JSON.
    Json,
}

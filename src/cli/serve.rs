//! `serve`: the database over HTTP.
//!
//! What it prints at its start is for the person who started it: where it listens, what it found,
//! and once, at the first start, the admin key. Everything later goes to the log.

use std::{fs, net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum, builder::FalseyValueParser};
use serde_json::json;

use super::{
    DataArgs, Failure, interrupt::on_signal, log::cut_json, log::cut_text, output::Output,
};
use crate::{
    commit::Durability,
    database::{Builder, Database, RecoveryReport},
    limits::{CONNECTIONS_MAX, SESSIONS_MAX, SESSIONS_PER_KEY_MAX},
    server::{BURST_DEFAULT, Origin, Rate, ServeError, ServeOptions, Server, SlowQuery, TlsFiles},
};

/// Serve a database over HTTP.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The data directory.
    #[command(flatten)]
    pub data: DataArgs,

    /// The address to listen on; port 0 takes a free one
    #[arg(long, env = "MONSTERDB_LISTEN", default_value = "127.0.0.1:7117", value_name = "ADDR")]
    pub listen: SocketAddr,

    /// Ask nobody for a key; allowed only on a loopback address
    #[arg(long, env = "MONSTERDB_NO_AUTH", value_parser = FalseyValueParser::new())]
    pub no_auth: bool,

    /// When a commit is acknowledged: when it is safe on the device (always), at most so many
    /// milliseconds before (interval:MS), or without waiting (none)
    #[arg(long, env = "MONSTERDB_DURABILITY", default_value = "always",
          value_parser = parse_durability, value_name = "WHEN")]
    pub durability: Durability,

    /// The admin key, instead of one that the first start makes
    #[arg(long, env = "MONSTERDB_ADMIN_KEY", hide_env_values = true, value_name = "KEY")]
    pub admin_key: Option<String>,

    /// A file that holds the admin key
    #[arg(long, env = "MONSTERDB_ADMIN_KEY_FILE", value_name = "FILE")]
    pub admin_key_file: Option<PathBuf>,

    /// How often an address may come with a wrong key, e.g. 1/s, 30/m or off; more are answered
    /// with status 429
    #[arg(long, env = "MONSTERDB_FAILED_AUTH_LIMIT", default_value = "1/s", value_name = "RATE")]
    pub failed_auth_limit: Rate,

    /// Wrong keys that an address may come with at once
    #[arg(long, env = "MONSTERDB_FAILED_AUTH_BURST", default_value_t = 20,
          value_parser = clap::value_parser!(u32).range(1..), value_name = "N")]
    pub failed_auth_burst: u32,

    /// How often each key may ask that has no limit of its own, e.g. 100/s, 30/m or off; more is
    /// answered with status 429. Off with --no-auth
    #[arg(long, env = "MONSTERDB_RATE_LIMIT", default_value = "100/s", value_name = "RATE")]
    pub rate_limit: Rate,

    /// Requests that a key may send at once
    #[arg(long, env = "MONSTERDB_RATE_BURST", default_value_t = BURST_DEFAULT,
          value_parser = clap::value_parser!(u32).range(1..), value_name = "N")]
    pub rate_burst: u32,

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

    /// Connections that may be open at once; more wait until one is closed
    #[arg(long, env = "MONSTERDB_CONNECTIONS", default_value_t = CONNECTIONS_MAX, value_name = "N")]
    pub connections: usize,

    /// Time in which a client has to take something of its answer, or else it is cut off
    #[arg(long, env = "MONSTERDB_WRITE_TIMEOUT", default_value = "60s", value_parser = parse_time,
          value_name = "TIME")]
    pub write_timeout: Duration,

    /// Where web pages come from that may ask, e.g. `https://app.example`, or * for anywhere; may be
    /// given more than once. Without it no page may
    #[arg(
        long = "cors-origin",
        env = "MONSTERDB_CORS_ORIGINS",
        value_delimiter = ',',
        value_name = "ORIGIN"
    )]
    pub cors_origins: Vec<Origin>,

    /// The certificate to speak TLS with, as PEM; read again on SIGHUP
    #[arg(long, env = "MONSTERDB_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// The certificate's private key, as PEM
    #[arg(long, env = "MONSTERDB_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// Queries that take as long as this get a line in the log, with their plan and the shape of
    /// their filter; off for none
    #[arg(long, env = "MONSTERDB_SLOW_QUERY", default_value = "100ms", value_name = "TIME")]
    pub slow_query: SlowQuery,

    /// Bytes that documents may take in memory, e.g. 512MiB; by default three quarters of what
    /// the machine has
    #[arg(long, env = "MONSTERDB_MEMORY_LIMIT", value_parser = parse_bytes, value_name = "BYTES")]
    pub memory_limit: Option<u64>,

    /// Bytes in the log after which a checkpoint is written, 64MiB by default
    #[arg(long, env = "MONSTERDB_CHECKPOINT_BYTES", value_parser = parse_bytes,
          value_name = "BYTES")]
    pub checkpoint_bytes: Option<u64>,

    /// Operations in the log after which a checkpoint is written, 1000000 by default
    #[arg(long, env = "MONSTERDB_CHECKPOINT_OPERATIONS", value_name = "N")]
    pub checkpoint_operations: Option<u64>,

    /// Time after which a checkpoint is written if there were commits, 5m by default
    #[arg(long, env = "MONSTERDB_CHECKPOINT_INTERVAL", value_parser = parse_time,
          value_name = "TIME")]
    pub checkpoint_interval: Option<Duration>,

    /// Bytes of the log that are kept behind a checkpoint for the change feed, 64MiB by default; 0
    /// keeps none
    #[arg(long, env = "MONSTERDB_FEED_RETAIN_BYTES", value_parser = parse_bytes,
          value_name = "BYTES")]
    pub feed_retain_bytes: Option<u64>,

    /// Time that requests under way get to end when the server is told to stop
    #[arg(long, env = "MONSTERDB_SHUTDOWN_TIMEOUT", default_value = "30s",
          value_parser = parse_time, value_name = "TIME")]
    pub shutdown_timeout: Duration,

    /// The form of the log on standard error; MONSTERDB_LOG sets its level (info by default)
    #[arg(long, env = "MONSTERDB_LOG_FORMAT", default_value = "human", value_name = "FORM")]
    pub log: LogFormat,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Human,
    /// Lines of JSON.
    Json,
}

/// Serves until it is told to stop.
pub(super) fn run(args: &ServeArgs, json: bool) -> Result<(), Failure> {
    let options = ServeOptions {
        no_auth: args.no_auth,
        admin_key: admin_key(args)?,
        failed_auth_limit: args.failed_auth_limit.with_burst(args.failed_auth_burst),
        rate_limit: args.rate_limit.with_burst(args.rate_burst),
        session_idle: args.session_idle,
        session_total: args.session_total,
        sessions: args.sessions,
        sessions_per_key: args.sessions_per_key,
        connections: args.connections,
        write_timeout: args.write_timeout,
        cors_origins: args.cors_origins.clone(),
        tls: tls_files(args),
        slow_query: args.slow_query.threshold(),
        shutdown_timeout: args.shutdown_timeout,
        ..ServeOptions::new(args.listen)
    };
    let database = builder(args).open(&args.data.data)?;
    let recovery = database.status().recovery;
    let server = Server::bind(database, options)?;
    // Before anybody is told that it is there: until it runs, it does not listen for signals.
    let stop = server.handle();
    on_signal(move |_| stop.stop()).map_err(ServeError::Run)?;
    greet(args, &server, &recovery, json)?;
    Ok(server.run()?)
}

fn tls_files(args: &ServeArgs) -> Option<TlsFiles> {
    let (certificate, key) = (args.tls_cert.clone()?, args.tls_key.clone()?);
    Some(TlsFiles { certificate, key })
}

fn builder(args: &ServeArgs) -> Builder {
    let mut builder = Database::builder().durability(args.durability);
    if let Some(bytes) = args.memory_limit {
        builder = builder.memory_limit(bytes);
    }
    if let Some(bytes) = args.checkpoint_bytes {
        builder = builder.checkpoint_bytes(bytes);
    }
    if let Some(operations) = args.checkpoint_operations {
        builder = builder.checkpoint_operations(operations);
    }
    if let Some(interval) = args.checkpoint_interval {
        builder = builder.checkpoint_interval(interval);
    }
    if let Some(bytes) = args.feed_retain_bytes {
        builder = builder.feed_retain_bytes(bytes);
    }
    builder
}

fn admin_key(args: &ServeArgs) -> Result<Option<String>, Failure> {
    let key = match (&args.admin_key, &args.admin_key_file) {
        (Some(key), _) => key.clone(),
        (None, Some(path)) => fs::read_to_string(path)
            .map_err(|source| Failure::Read { path: path.clone(), source })?,
        (None, None) => return Ok(None),
    };
    match key.trim() {
        // A variable that is set to nothing must not let everybody in.
        "" => Err(Failure::Usage { argument: "--admin-key", reason: "it is empty".to_owned() }),
        key => Ok(Some(key.to_owned())),
    }
}

/// That nobody reads it is no reason not to serve.
fn greet(
    args: &ServeArgs,
    server: &Server,
    recovery: &RecoveryReport,
    json: bool,
) -> Result<(), Failure> {
    let mut output = Output::new();
    let text = if json { to_json(args, server, recovery) } else { to_text(args, server, recovery) };
    let written = output.line(&text).and_then(|()| output.finish());
    written.or_else(|failure| if failure.is_closed_pipe() { Ok(()) } else { Err(failure) })
}

fn to_text(args: &ServeArgs, server: &Server, recovery: &RecoveryReport) -> String {
    let RecoveryReport { checkpoint, replayed, in_doubt, cut, rebuilt, time } = recovery;
    let mut lines = vec![
        format!("MonsterDB {} listens on {}", env!("CARGO_PKG_VERSION"), server.url()),
        format!("data directory: {}", args.data.data.display()),
        format!("durability: {}", durability_text(args.durability)),
        format!(
            "recovery: checkpoint {checkpoint}, {replayed} records replayed, {in_doubt} in doubt \
             and written again, {time:.0?}"
        ),
    ];
    if let Some(cut) = cut {
        lines.push(format!("torn tail cut, which was never acknowledged: {}", cut_text(cut)));
    }
    lines.extend(rebuilt.iter().map(|index| format!("index built anew: {index}")));
    if args.no_auth {
        lines.push("no key is asked for".to_owned());
    }
    if let Some(key) = server.admin_key() {
        lines.push(format!("admin key: {key}"));
        lines.push("Keep it: it is shown only this once.".to_owned());
    }
    lines.join("\n")
}

fn to_json(args: &ServeArgs, server: &Server, recovery: &RecoveryReport) -> String {
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "address": server.address().to_string(),
        "url": server.url(),
        "data": args.data.data.display().to_string(),
        "durability": durability_text(args.durability),
        "recovery": {
            "checkpoint": recovery.checkpoint.get(),
            "replayed": recovery.replayed,
            "in_doubt": recovery.in_doubt,
            "torn_tail": recovery.cut.as_ref().map(cut_json),
        },
        "admin_key": server.admin_key(),
    })
    .to_string()
}

fn durability_text(durability: Durability) -> String {
    match durability {
        Durability::Always => "always".to_owned(),
        Durability::Interval(interval) => format!("interval:{}", interval.as_millis()),
        Durability::None => "none".to_owned(),
    }
}

fn parse_durability(text: &str) -> Result<Durability, String> {
    let interval = text.strip_prefix("interval:").map(str::parse::<u64>);
    match (text, interval) {
        ("always", _) => Ok(Durability::Always),
        ("none", _) => Ok(Durability::None),
        (_, Some(Ok(milliseconds))) if milliseconds > 0 => {
            Ok(Durability::Interval(Duration::from_millis(milliseconds)))
        }
        _ => Err("it is always, interval:MS with a number of milliseconds, or none".to_owned()),
    }
}

fn parse_time(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| error.to_string())
}

/// A number of bytes: plain, or with KiB, MiB or GiB.
fn parse_bytes(text: &str) -> Result<u64, String> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
    let unit = units.into_iter().find_map(|(name, bits)| Some((text.strip_suffix(name)?, bits)));
    let (number, bits) = unit.unwrap_or((text, 0));
    let bytes = number.trim().parse::<u64>().ok().and_then(|n| n.checked_mul(1 << bits));
    bytes.ok_or_else(|| "it is a number of bytes such as 1048576, 512MiB or 2GiB".to_owned())
}

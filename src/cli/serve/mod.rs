//! `serve`: the database over HTTP.
//!
//! What it prints at its start is for the person who started it: where it listens, what it found,
//! and once, at the first start, the admin key. Everything later goes to the log.

mod args;

pub use args::{
    AccessArgs, ChangesArgs, ListenArgs, LogArgs, LogFormat, NetworkArgs, ServeArgs, SessionArgs,
    StorageArgs,
};

use std::fs;

use serde_json::json;

use super::{
    Failure,
    interrupt::on_signal,
    log::{cut_json, cut_text},
    output::Output,
    values::{MemoryLimit, durability_text},
};
use crate::{
    database::{Builder, Database, RecoveryReport},
    server::{ServeError, ServeOptions, Server, TlsFiles},
};

/// Serves until it is told to stop.
pub(super) fn run(args: &ServeArgs, json: bool) -> Result<(), Failure> {
    let options = options(args)?;
    let database = builder(&args.storage, args.changes.feed_retain_bytes).open(&args.data.data)?;
    let recovery = database.status().recovery;
    let server = Server::bind(database, options)?;
    // Before anybody is told that it is there: until it runs, it does not listen for signals.
    let stop = server.handle();
    on_signal(move |_| stop.stop()).map_err(ServeError::Run)?;
    greet(args, &server, &recovery, json)?;
    Ok(server.run()?)
}

fn options(args: &ServeArgs) -> Result<ServeOptions, Failure> {
    let ServeArgs { network, access, sessions, changes, log, .. } = args;
    Ok(ServeOptions {
        listen: network.address.listen,
        tls: tls_files(network)?,
        cors_origins: network.cors_origins.clone(),
        connections: network.connections,
        head_timeout: network.head_timeout,
        body_timeout: network.body_timeout,
        write_timeout: network.write_timeout,
        keep_alive: network.keep_alive,
        shutdown_timeout: network.shutdown_timeout,
        no_auth: access.no_auth,
        admin_key: admin_key(access)?,
        failed_auth_limit: access.failed_auth_limit.with_burst(access.failed_auth_burst),
        rate_limit: access.rate_limit.with_burst(access.rate_burst),
        session_idle: sessions.session_idle,
        session_total: sessions.session_total,
        sessions: sessions.sessions,
        sessions_per_key: sessions.sessions_per_key,
        slow_query: log.slow_query.threshold(),
        query_timeout: network.query_timeout,
        streams: changes.streams,
        heartbeat: changes.heartbeat,
        poll_timeout: changes.poll_timeout,
        stream_write_timeout: changes.stream_write_timeout,
    })
}

/// Both or none: one alone would be served without TLS, and nobody would know.
fn tls_files(args: &NetworkArgs) -> Result<Option<TlsFiles>, Failure> {
    let missing = |argument, other: &str| {
        Err(Failure::Usage { argument, reason: format!("it is needed beside {other}") })
    };
    match (args.address.tls_cert.clone(), args.tls_key.clone()) {
        (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate, key })),
        (Some(_), None) => missing("--tls-key", "--tls-cert"),
        (None, Some(_)) => missing("--tls-cert", "--tls-key"),
        (None, None) => Ok(None),
    }
}

fn builder(args: &StorageArgs, feed_retain_bytes: u64) -> Builder {
    let builder = Database::builder()
        .durability(args.durability)
        .segment_bytes(args.segment_bytes)
        .checkpoint_bytes(args.checkpoint_bytes)
        .checkpoint_operations(args.checkpoint_operations)
        .checkpoint_interval(args.checkpoint_interval)
        .retain(args.retain)
        .retain_bytes(args.retain_bytes)
        .feed_retain_bytes(feed_retain_bytes);
    let builder = match args.memory_limit {
        MemoryLimit::Auto => builder,
        MemoryLimit::Bytes(bytes) => builder.memory_limit(bytes),
    };
    match &args.wal_archive {
        Some(directory) => builder.wal_archive(directory),
        None => builder,
    }
}

fn admin_key(args: &AccessArgs) -> Result<Option<String>, Failure> {
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
        format!("durability: {}", durability_text(args.storage.durability)),
        format!(
            "recovery: checkpoint {checkpoint}, {replayed} records replayed, {in_doubt} in doubt \
             and written again, {time:.0?}"
        ),
    ];
    if let Some(cut) = cut {
        lines.push(format!("torn tail cut, which was never acknowledged: {}", cut_text(cut)));
    }
    lines.extend(rebuilt.iter().map(|index| format!("index built anew: {index}")));
    if args.access.no_auth {
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
        "durability": durability_text(args.storage.durability),
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    /// What `serve` does without any argument is what the library does without any option.
    #[test]
    fn the_defaults_are_those_of_the_library() {
        let cli = Cli::try_parse_from(["monsterdb", "serve"]).unwrap();
        let Command::Serve(args) = cli.command else { panic!("{cli:?}") };
        let shown = format!("{:?}", options(&args).unwrap());
        let listen = args.network.address.listen;
        assert_eq!(shown, format!("{:?}", ServeOptions::new(listen)));
        let shown = format!("{:?}", builder(&args.storage, args.changes.feed_retain_bytes));
        assert_eq!(shown, format!("{:?}", Database::builder()));
    }

    #[test]
    fn half_of_a_certificate_is_none() {
        for (given, missing) in [("--tls-cert", "--tls-key"), ("--tls-key", "--tls-cert")] {
            let cli = Cli::try_parse_from(["monsterdb", "serve", given, "file"]).unwrap();
            let Command::Serve(args) = cli.command else { panic!("{cli:?}") };
            let refused = options(&args).map(drop).unwrap_err().to_string();
            assert!(refused.starts_with(missing), "{refused}");
        }
    }
}

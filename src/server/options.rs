//! How a database is served.

use std::{fmt, net::SocketAddr, time::Duration};

use super::{
    cors::Origin,
    quota::BURST_DEFAULT,
    rate_limit::{Rate, RateLimit},
    sessions::SessionLimits,
    streams::StreamLimits,
    tls::TlsFiles,
};
use crate::limits;

/// How a database is served.
#[derive(Clone)]
pub struct ServeOptions {
    /// The address to listen on; port 0 takes any that is free.
    pub listen: SocketAddr,
    /// Let every request in as an admin's. Only on a loopback address.
    pub no_auth: bool,
    /// An admin key besides the stored ones. It is not stored.
    pub admin_key: Option<String>,
    /// How often an address may come with a wrong key; no bound when there is none.
    pub failed_auth_limit: Option<RateLimit>,
    /// How often each key may ask that has no limit of its own; no bound when there is none. It
    /// does not count where no key is asked for.
    pub rate_limit: Option<RateLimit>,
    /// Time for requests in flight to end when the server is stopped.
    pub shutdown_timeout: Duration,
    /// Time for a request's head to arrive.
    pub head_timeout: Duration,
    /// Time for a request's body to arrive.
    pub body_timeout: Duration,
    /// Time in which a client has to take something of its answer, or else it is cut off.
    pub write_timeout: Duration,
    /// Time that an idle connection is kept.
    pub keep_alive: Duration,
    /// Connections that may be open at once; more wait until one is closed.
    pub connections: usize,
    /// Where web pages come from that may ask; none when there is none.
    pub cors_origins: Vec<Origin>,
    /// The certificate to speak TLS with; without one it is plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Time between two requests of an interactive transaction, after which it is rolled back.
    pub session_idle: Duration,
    /// Time that an interactive transaction may take in all.
    pub session_total: Duration,
    /// Interactive transactions that may be open at once.
    pub sessions: usize,
    /// Those of them that one key may have begun.
    pub sessions_per_key: usize,
    /// Queries that take as long as this are told of in the log; none when there is none.
    pub slow_query: Option<Duration>,
    /// Time that reading for one query may take; a longer one is refused.
    pub query_timeout: Duration,
    /// Clients that may follow the changes at once.
    pub streams: usize,
    /// Time without a commit after which a stream of changes gets a sign of life.
    pub heartbeat: Duration,
    /// Time that a long poll for changes waits.
    pub poll_timeout: Duration,
    /// Time in which a client has to take something of a stream of changes.
    pub stream_write_timeout: Duration,
}

impl ServeOptions {
    /// The defaults for an address.
    pub fn new(listen: SocketAddr) -> ServeOptions {
        ServeOptions {
            listen,
            no_auth: false,
            admin_key: None,
            failed_auth_limit: Some(RateLimit { burst: 20, every: Duration::from_secs(1) }),
            rate_limit: Rate::Times(100, Duration::from_secs(1)).with_burst(BURST_DEFAULT),
            shutdown_timeout: Duration::from_secs(30),
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(60),
            keep_alive: Duration::from_secs(75),
            connections: limits::CONNECTIONS_MAX,
            cors_origins: Vec::new(),
            tls: None,
            session_idle: Duration::from_secs(30),
            session_total: Duration::from_secs(300),
            sessions: limits::SESSIONS_MAX,
            sessions_per_key: limits::SESSIONS_PER_KEY_MAX,
            slow_query: Some(Duration::from_millis(100)),
            query_timeout: limits::QUERY_TIME_MAX,
            streams: limits::STREAMS_MAX,
            heartbeat: Duration::from_secs(15),
            poll_timeout: Duration::from_secs(25),
            stream_write_timeout: Duration::from_secs(30),
        }
    }

    pub(super) fn stream_limits(&self) -> StreamLimits {
        StreamLimits {
            all: self.streams,
            heartbeat: self.heartbeat,
            poll: self.poll_timeout,
            write: self.stream_write_timeout,
        }
    }

    pub(super) fn request_limit(&self) -> Option<RateLimit> {
        self.rate_limit.filter(|_| !self.no_auth)
    }

    pub(super) fn session_limits(&self) -> SessionLimits {
        SessionLimits {
            all: self.sessions,
            per_key: self.sessions_per_key,
            idle: self.session_idle,
            total: self.session_total,
        }
    }
}

/// Shows everything but the key, so that it cannot get into a log.
impl fmt::Debug for ServeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServeOptions")
            .field("listen", &self.listen)
            .field("no_auth", &self.no_auth)
            .field("admin_key", &self.admin_key.as_ref().map(|_| "(not shown)"))
            .field("failed_auth_limit", &self.failed_auth_limit)
            .field("rate_limit", &self.rate_limit)
            .field("shutdown_timeout", &self.shutdown_timeout)
            .field("head_timeout", &self.head_timeout)
            .field("body_timeout", &self.body_timeout)
            .field("write_timeout", &self.write_timeout)
            .field("keep_alive", &self.keep_alive)
            .field("connections", &self.connections)
            .field("cors_origins", &self.cors_origins)
            .field("tls", &self.tls)
            .field("session_limits", &self.session_limits())
            .field("stream_limits", &self.stream_limits())
            .field("slow_query", &self.slow_query)
            .field("query_timeout", &self.query_timeout)
            .finish()
    }
}

//! The database over HTTP.
//!
//! ```text
//! request -> envelope (id, key, panics, log) -> handler: parse, one call of the engine, respond
//! ```
//!
//! This is the only module that knows HTTP. Handlers are thin; every rule about data is the
//! engine's. What commits, scans or writes files runs on a thread that may wait, never on one
//! that serves connections.
//!
//! Invariant: no answer of success to a write is sent before the commit is published, which with
//! durability `always` means safe on the device.

mod access_log;
mod admin;
mod admin_keys;
mod auth;
mod batch;
mod body;
mod bulk;
mod changes;
mod collections;
mod compression;
mod connection;
mod cors;
mod documents;
mod envelope;
mod events;
mod extract;
mod follow;
mod ground;
mod health;
mod html;
mod idempotency;
mod indexes;
mod keys;
mod kinds;
mod metrics;
mod openapi;
mod operation;
mod options;
mod precondition;
mod problem;
mod problems;
mod queries;
mod question;
mod quota;
mod rate_limit;
mod respond;
mod route;
mod routes;
mod sessions;
mod sides;
mod signals;
mod slow_queries;
mod stream;
mod streams;
mod tls;
mod transactions;
mod write;

pub use cors::Origin;
pub use keys::{KeyError, Role};
pub use options::ServeOptions;
pub use rate_limit::{Rate, RateLimit};
pub use slow_queries::SlowQuery;
pub use tls::TlsFiles;

pub(crate) use indexes::{MadeIndex, listed as list_indexes, make_index};
pub(crate) use keys::{
    LastAdmin, NewKey, listed as list_keys, make as make_key, revoke as revoke_key,
};
pub(crate) use queries::Explained;
pub(crate) use quota::{BURST_DEFAULT, OwnRate};

use std::{
    convert::Infallible,
    io,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    time::Duration,
};

use actix_web::{
    App, HttpServer, dev,
    middleware::{Compress, Condition, from_fn},
    rt, web,
};
use tokio::sync::watch;
use tracing::Span;

use crate::{
    database::Database,
    error::Error,
    snapshot::Snapshot,
    sync::{Arc, processors},
    version::Version,
};
use auth::Keys;
use connection::Connection;
use extract::Parameters;
use idempotency::UnderWay;
use metrics::Metrics;
use problem::Problem;
use quota::Quotas;
use sessions::Sessions;
use signals::{Hangup, Signals};
use streams::{Notifier, Streams};
use tls::Certificate;

/// A server that has its address but takes no requests yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    service: web::Data<Service>,
    options: ServeOptions,
    certificate: Option<Arc<Certificate>>,
    hangup: Hangup,
    first_key: Option<String>,
    stop: StopHandle,
}

/// Stops a server from another thread.
#[derive(Debug, Clone)]
pub struct StopHandle(Arc<watch::Sender<bool>>);

/// Why a database cannot be served, or no longer.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Without keys only this machine may reach the server.
    #[error("without authentication the server listens on a loopback address only, not on {0}")]
    NotLoopback(SocketAddr),

    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },

    /// There is no certificate to show.
    #[error("{}: {reason}", .path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// The server cannot run, or ended by a failure.
    #[error("the server failed: {0}")]
    Run(io::Error),

    /// The database refused the first key, or failed to close.
    #[error(transparent)]
    Database(#[from] Error),
}

/// What all handlers share.
struct Service {
    database: Database,
    keys: Keys,
    quotas: Quotas,
    sessions: Arc<Sessions>,
    streams: Arc<Streams>,
    under_way: Arc<UnderWay>,
    metrics: Metrics,
    slow_query: Option<Duration>,
    query_timeout: Duration,
    body_timeout: Duration,
    stopping: watch::Receiver<bool>,
}

impl Server {
    /// Takes the address and, at the first start, makes an admin key.
    ///
    /// # Errors
    ///
    /// [`ServeError::NotLoopback`], [`ServeError::Tls`], [`ServeError::Listen`];
    /// [`ServeError::Database`] when the first key cannot be stored.
    pub fn bind(database: Database, options: ServeOptions) -> Result<Server, ServeError> {
        let listen = options.listen;
        if options.no_auth && !listen.ip().is_loopback() {
            return Err(ServeError::NotLoopback(listen));
        }
        let certificate = options.tls.clone().map(Certificate::read).transpose()?.map(Arc::new);
        let hangup = Hangup::listen(certificate.is_some()).map_err(ServeError::Run)?;
        let refused = |source| ServeError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).map_err(refused)?;
        cut_off_after(&listener, options.write_timeout).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let limit = options.failed_auth_limit;
        let keys = Keys::new(options.no_auth, options.admin_key.as_deref(), limit);
        let first_key = keys.make_first(&database)?;
        let (stop, stopping) = watch::channel(false);
        let service = web::Data::new(Service {
            database,
            keys,
            quotas: Quotas::new(options.request_limit()),
            sessions: Arc::new(Sessions::new(options.session_limits())),
            streams: Arc::new(Streams::new(options.stream_limits())),
            under_way: Arc::default(),
            metrics: Metrics::new(),
            slow_query: options.slow_query,
            query_timeout: options.query_timeout,
            body_timeout: options.body_timeout,
            stopping,
        });
        let stop = StopHandle(Arc::new(stop));
        Ok(Server { listener, address, service, options, certificate, hangup, first_key, stop })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL that it is reached by.
    pub fn url(&self) -> String {
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The admin key that was made at the first start. It is stored only as a hash, so this is
    /// the one time to show it.
    pub fn admin_key(&self) -> Option<&str> {
        self.first_key.as_deref()
    }

    /// A handle to stop it with.
    pub fn handle(&self) -> StopHandle {
        self.stop.clone()
    }

    /// Serves until SIGTERM, SIGINT or [`StopHandle::stop`]; then finishes the requests in flight
    /// and closes the database, which writes a checkpoint.
    ///
    /// # Errors
    ///
    /// [`ServeError::Run`] when it cannot serve, [`ServeError::Database`] when the database does
    /// not close well. What was acknowledged is safe either way.
    pub fn run(mut self) -> Result<(), ServeError> {
        let database = self.service.database.clone();
        let sessions = Arc::clone(&self.service.sessions);
        let renewal = std::mem::take(&mut self.hangup).renew(self.certificate.clone());
        let streams = Arc::clone(&self.service.streams);
        let notifier = Notifier::start(Arc::clone(&streams), database.clone());
        let notifier = notifier.map_err(ServeError::Run)?;
        let served = rt::System::new().block_on(async {
            let server = self.start()?;
            tokio::select! {
                served = server => served,
                never = sweep(&sessions) => match never {},
                never = renewal => match never {},
            }
        });
        let closed = database.close();
        notifier.stop(&streams);
        served.map_err(ServeError::Run)?;
        Ok(closed?)
    }

    fn start(self) -> io::Result<dev::Server> {
        let Server { listener, service, options, certificate, stop, .. } = self;
        let origins = options.cors_origins;
        let app = move || {
            App::new()
                .app_data(service.clone())
                .wrap(from_fn(compression::plain))
                .wrap(Compress::default())
                .wrap(from_fn(compression::negotiated))
                .wrap(from_fn(envelope::envelope))
                .wrap(Condition::new(!origins.is_empty(), cors::cors(&origins)))
                .configure(routes::routes)
        };
        let workers = processors();
        let server = HttpServer::new(app)
            .workers(workers)
            .max_connections(options.connections.div_ceil(workers))
            .on_connect(Connection::accepted)
            .client_request_timeout(options.head_timeout)
            // A client that is refused early goes on sending for a while.
            .client_disconnect_timeout(Duration::from_secs(5))
            .keep_alive(options.keep_alive)
            .shutdown_timeout(options.shutdown_timeout.as_secs_f64().ceil() as u64)
            .shutdown_signal(stop.told_to_stop(Signals::listen()?));
        let server = match certificate {
            Some(certificate) => server.listen_rustls_0_23(listener, certificate.config()?)?,
            None => server.listen(listener)?,
        };
        Ok(server.run())
    }
}

impl StopHandle {
    /// Tells the server to stop, and returns at once; [`Server::run`] returns when it is done.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    async fn told_to_stop(self, mut signals: Signals) {
        let mut stopping = self.0.subscribe();
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => {}
            () = signals.arrived() => self.stop(),
        }
        tracing::info!("stopping: requests in flight are finished first");
    }
}

impl Service {
    /// The state that the parameter `at` names, or else the latest; no other parameter is taken.
    fn state_at(&self, mut parameters: Parameters) -> Result<Arc<Snapshot>, Problem> {
        let version = parameters.version()?;
        parameters.finish()?;
        self.snapshot(version)
    }

    /// The state of a version, or else the latest.
    fn snapshot(&self, version: Option<Version>) -> Result<Arc<Snapshot>, Problem> {
        match version {
            Some(version) => Ok(self.database.snapshot_at(version)?),
            None => Ok(self.database.snapshot()),
        }
    }

    /// Runs what may wait for a device or takes long, on a thread that is there for it.
    async fn block<T, E>(
        self: &Arc<Self>,
        work: impl FnOnce(&Database) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
    {
        let service = Arc::clone(self);
        let span = Span::current();
        let done = web::block(move || span.in_scope(|| work(&service.database))).await;
        match done {
            Ok(outcome) => outcome.map_err(Into::into),
            // The work panicked.
            Err(_) => Err(Problem::internal()),
        }
    }
}

/// Ends sessions that nobody asks for any more, so that they do not keep old states in memory.
async fn sweep(sessions: &Sessions) -> Infallible {
    loop {
        rt::time::sleep(Duration::from_secs(1)).await;
        sessions.sweep();
    }
}

/// Lets the system cut a connection off whose other side has taken nothing for this long. What is
/// set of a socket that listens holds for those that it accepts.
fn cut_off_after(listener: &TcpListener, time: Duration) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(listener).set_tcp_user_timeout(Some(time))?;
    #[cfg(not(target_os = "linux"))]
    let _ = (listener, time);
    Ok(())
}

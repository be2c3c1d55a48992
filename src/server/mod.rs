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

mod admin;
mod admin_keys;
mod auth;
mod batch;
mod body;
mod changes;
mod collections;
mod connection;
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
mod streams;
mod transactions;
mod write;

pub use keys::{KeyError, Role};
pub use options::ServeOptions;
pub use rate_limit::{Rate, RateLimit};

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
    time::Duration,
};

use actix_web::{App, HttpServer, dev, middleware::from_fn, rt, web};
use tokio::sync::watch;

use crate::{database::Database, error::Error, snapshot::Snapshot, sync::Arc};
use auth::Keys;
use connection::Connection;
use extract::Parameters;
use idempotency::UnderWay;
use problem::Problem;
use quota::Quotas;
use sessions::Sessions;
use streams::{Notifier, Streams};

/// A server that has its address but takes no requests yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    service: web::Data<Service>,
    options: ServeOptions,
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
    body_timeout: Duration,
    stopping: watch::Receiver<bool>,
}

impl Server {
    /// Takes the address and, at the first start, makes an admin key.
    ///
    /// # Errors
    ///
    /// [`ServeError::NotLoopback`], [`ServeError::Listen`]; [`ServeError::Database`] when the
    /// first key cannot be stored.
    pub fn bind(database: Database, options: ServeOptions) -> Result<Server, ServeError> {
        let listen = options.listen;
        if options.no_auth && !listen.ip().is_loopback() {
            return Err(ServeError::NotLoopback(listen));
        }
        let refused = |source| ServeError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let limit = options.failed_auth_limit;
        let keys = Keys::new(options.no_auth, options.admin_key.as_deref(), limit);
        let first_key = keys.make_first(&database)?;
        let (stop, stopping) = watch::channel(false);
        let body_timeout = options.body_timeout;
        let sessions = Arc::new(Sessions::new(options.session_limits()));
        let streams = Arc::new(Streams::new(options.stream_limits()));
        let (quotas, under_way) = (Quotas::new(options.request_limit()), Arc::default());
        let service = Service {
            database,
            keys,
            quotas,
            sessions,
            streams,
            under_way,
            body_timeout,
            stopping,
        };
        let service = web::Data::new(service);
        let stop = StopHandle(Arc::new(stop));
        Ok(Server { listener, address, service, options, first_key, stop })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
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
    pub fn run(self) -> Result<(), ServeError> {
        let database = self.service.database.clone();
        let sessions = Arc::clone(&self.service.sessions);
        let streams = Arc::clone(&self.service.streams);
        let notifier = Notifier::start(Arc::clone(&streams), database.clone());
        let notifier = notifier.map_err(ServeError::Run)?;
        let served = rt::System::new().block_on(async {
            let server = self.start()?;
            tokio::select! {
                served = server => served,
                never = sweep(&sessions) => match never {},
            }
        });
        let closed = database.close();
        notifier.stop(&streams);
        served.map_err(ServeError::Run)?;
        Ok(closed?)
    }

    fn start(self) -> io::Result<dev::Server> {
        let Server { listener, service, options, stop, .. } = self;
        let app = move || {
            App::new()
                .app_data(service.clone())
                .wrap(from_fn(envelope::envelope))
                .configure(routes::routes)
        };
        let server = HttpServer::new(app)
            .on_connect(Connection::accepted)
            .client_request_timeout(options.head_timeout)
            // A client that is refused early goes on sending for a while.
            .client_disconnect_timeout(Duration::from_secs(5))
            .keep_alive(options.keep_alive)
            .shutdown_timeout(options.shutdown_timeout.as_secs_f64().ceil() as u64)
            .shutdown_signal(stop.told_to_stop(Signals::listen()?))
            .listen(listener)?;
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
        let done = web::block(move || work(&service.database)).await;
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

/// The signals of the operating system that stop a server.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn listen() -> io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    #[cfg(unix)]
    async fn arrived(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    fn listen() -> io::Result<Signals> {
        Ok(Signals {})
    }

    #[cfg(not(unix))]
    async fn arrived(&mut self) {
        // Where it cannot be listened for, the handle is the way to stop.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}

//! What a request stands on: the database itself, or one interactive transaction.
//!
//! The routes below `/transactions/{token}` are those of collections, run by the same handlers.
//! A handler asks its [`Ground`] for a [`Base`] and works on that.
//!
//! Invariant: what a handler writes takes effect as a whole or not at all on either base: on the
//! database by a commit, in an interactive transaction by a savepoint, so that a refused request
//! leaves the transaction as it was.

use std::{
    future::{Ready, ready},
    time::Duration,
};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, web::Data};

use super::{
    Service, auth::Caller, body::Body, extract::path_segment, idempotency::Once, problem::Problem,
    routes::Pattern, sessions::Held,
};
use crate::{
    commit::{Committed, TransactOptions},
    database::Database,
    document::Document,
    error::Result,
    names::{CollectionName, DocumentId},
    query::invalid,
    sync::Arc,
    transaction::Transaction,
    version::Version,
};

/// The segment of a path where the token of a session stands.
const TOKEN: &str = "{token}";

/// What a request stands on, held until it is answered.
pub(super) struct Ground {
    service: Data<Service>,
    held: Option<Held>,
}

/// What a handler reads from and writes to.
pub(super) enum Base<'a> {
    /// Every write is a transaction of its own.
    Database(&'a Database),
    /// Reads and writes are those of this one.
    Session(&'a Held),
}

impl Ground {
    /// Runs what may wait for a device or takes long, on a thread that is there for it.
    pub(super) async fn run<T, E>(
        self,
        work: impl FnOnce(Base<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
    {
        let Ground { service, held } = self;
        let on_base = move |database: &Database| match &held {
            None => work(Base::Database(database)),
            Some(held) => work(Base::Session(held)),
        };
        service.block(on_base).await
    }

    /// The promise to take effect once, if the request asks for it. Within a transaction it cannot
    /// be given: there it is the commit that takes effect.
    pub(super) fn once(
        &self,
        request: &HttpRequest,
        caller: &Caller,
        body: &Body,
    ) -> Result<Option<Once>, Problem> {
        match &self.held {
            Some(_) => Once::refuse(request).map(|()| None),
            None => Once::of(request, caller.identity(), body.bytes(), &self.service.under_way),
        }
    }

    /// The service, where the request stands on the database itself.
    pub(super) fn database(&self) -> Option<Data<Service>> {
        self.held.is_none().then(|| self.service.clone())
    }

    /// Time for the body to arrive.
    pub(super) fn body_timeout(&self) -> Duration {
        self.service.body_timeout
    }

    /// What to read from at once.
    pub(super) fn base(&self) -> Base<'_> {
        match &self.held {
            None => Base::Database(&self.service.database),
            Some(held) => Base::Session(held),
        }
    }
}

impl Base<'_> {
    /// Runs a closure in a transaction, all or nothing. In an interactive one nothing is committed
    /// yet, and the version is the one that it reads.
    ///
    /// # Errors
    ///
    /// As [`Database::transact`].
    pub(super) fn transact<R>(
        &self,
        mut closure: impl FnMut(&Transaction) -> Result<R>,
    ) -> Result<Committed<R>> {
        let tx = match self {
            Base::Database(database) => {
                return database.transact_with(TransactOptions::default(), closure);
            }
            Base::Session(held) => held.transaction(),
        };
        let savepoint = tx.savepoint();
        let outcome = closure(tx);
        if outcome.is_err() {
            tx.rollback_to(&savepoint)?;
        }
        tx.release(savepoint)?;
        Ok(Committed { version: tx.version(), value: outcome? })
    }

    /// One document, and the version at which it was read.
    ///
    /// # Errors
    ///
    /// As [`Transaction::get`].
    pub(super) fn get(
        &self,
        collection: &CollectionName,
        id: &DocumentId,
    ) -> Result<(Option<Arc<Document>>, Version)> {
        match self {
            Base::Database(database) => {
                let snapshot = database.snapshot();
                Ok((snapshot.get_by_id(collection, id).cloned(), snapshot.version()))
            }
            Base::Session(held) => {
                let tx = held.transaction();
                Ok((tx.get(collection, id)?, tx.version()))
            }
        }
    }

    /// As [`Base::get`], at a version when one is given. A transaction has one of its own.
    ///
    /// # Errors
    ///
    /// As [`Base::get`], and when the version cannot be read.
    pub(super) fn get_at(
        &self,
        version: Option<Version>,
        collection: &CollectionName,
        id: &DocumentId,
    ) -> Result<(Option<Arc<Document>>, Version)> {
        match (self, version) {
            (_, None) => self.get(collection, id),
            (Base::Database(database), Some(version)) => {
                let snapshot = database.snapshot_at(version)?;
                Ok((snapshot.get_by_id(collection, id).cloned(), version))
            }
            (Base::Session(_), Some(_)) => Err(invalid("at does not go with a transaction")),
        }
    }

    /// What stands before `/collections` in the paths of this base.
    pub(super) fn path(&self) -> String {
        match self {
            Base::Database(_) => String::new(),
            Base::Session(held) => format!("/transactions/{}", held.token()),
        }
    }
}

impl FromRequest for Ground {
    type Error = Problem;
    type Future = Ready<Result<Ground, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let ground = || {
            let service = service(request)?;
            let pattern = Pattern::of(request).map(Pattern::text).unwrap_or_default();
            let held = pattern.split('/').any(|segment| segment == TOKEN);
            let held = held.then(|| hold(request, &service)).transpose()?;
            Ok(Ground { service, held })
        };
        ready(ground())
    }
}

impl FromRequest for Held {
    type Error = Problem;
    type Future = Ready<Result<Held, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(service(request).and_then(|service| hold(request, &service)))
    }
}

fn service(request: &HttpRequest) -> Result<Data<Service>, Problem> {
    request.app_data::<Data<Service>>().cloned().ok_or_else(Problem::internal)
}

/// Takes the session that the path names.
pub(super) fn hold(request: &HttpRequest, service: &Service) -> Result<Held, Problem> {
    let token = path_segment(request, TOKEN)?;
    let caller = request.extensions().get::<Caller>().cloned().ok_or_else(Problem::internal)?;
    service.sessions.take(caller.identity(), &token)
}

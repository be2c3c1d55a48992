//! Who may do what: keys, their roles and their collections.
//!
//! A key is `mdb_<id>_<secret>`, the secret 256 random bits; [`super::keys`] keeps them. One that
//! comes from the environment is an admin's and is not stored.
//!
//! A wrong key costs its address a token. An address that has none left is still let in with a
//! stored key: there is nothing to guess in 256 random bits, and one client with an old key must not
//! lock out its neighbours. The key from the environment may be a word that a person chose, so that
//! one is not looked at until there is a token again.
//!
//! Invariant: a key's text is in memory only while it is made and while a request that sent it is
//! looked at; it is never logged. Hashes are compared in constant time. Every key is looked up in
//! the published state, so a key that was revoked opens nothing from then on.

use std::{
    collections::HashMap,
    future::{Ready, ready},
    marker::PhantomData,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::{Duration, Instant, SystemTime},
};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::{Payload, ServiceRequest},
    http::header::{HeaderName, HeaderValue, WWW_AUTHENTICATE},
};
use subtle::ConstantTimeEq;

use super::{
    keys::{self, Role, hash, hex},
    kinds::Kind,
    problem::Problem,
    quota::{OwnRate, too_many},
    rate_limit::{Buckets, RateLimit},
};
use crate::{
    database::Database,
    error::Result,
    names::{CollectionName, DocumentId},
    sync::{Arc, Mutex, lock},
};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Who sent a request.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    role: Role,
    identity: Identity,
    /// The only collections that it may touch; all when there is no list.
    collections: Option<Arc<[CollectionName]>>,
    /// How often it may ask, where that is another rate than the server's.
    pub(super) rate: OwnRate,
}

/// Whose key it is, without the key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Identity {
    /// No key is asked for.
    Open,
    /// The one that is not stored.
    Given,
    /// The stored one of this id.
    Stored(DocumentId),
}

/// The keys that this server lets in.
pub(super) struct Keys {
    /// Every request is let in as an admin's.
    open: bool,
    /// The hash of the admin key that came from the environment and is not stored.
    given: Option<[u8; 32]>,
    /// How often an address may fail; no bound when there is none.
    attempts: Option<RateLimit>,
    failures: Buckets<IpAddr>,
    /// When each stored key was last let in by this server.
    used: Mutex<HashMap<DocumentId, SystemTime>>,
}

impl Identity {
    /// It as text, another one for each.
    pub(super) fn as_text(&self) -> &str {
        match self {
            // Ids are hexadecimal.
            Identity::Open => "open",
            Identity::Given => "given",
            Identity::Stored(id) => id.as_str(),
        }
    }
}

impl Caller {
    /// Whose key it is.
    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The only collections that the key is for; all when there is no list.
    pub(super) fn collections(&self) -> Option<&[CollectionName]> {
        self.collections.as_deref()
    }

    /// True when the key is for this collection.
    pub(super) fn covers(&self, collection: &CollectionName) -> bool {
        self.collections.as_ref().is_none_or(|names| names.contains(collection))
    }

    /// Refuses a collection that the key is not for, whether there is one or not. Whoever makes a
    /// collection's name of a request's text has to ask this; they are few, and nobody else does.
    pub(super) fn check_covers(&self, collection: &CollectionName) -> Result<(), Problem> {
        match self.covers(collection) {
            true => Ok(()),
            false => {
                let detail = format!("the key is not for the collection {collection}");
                Err(Problem::new(Kind::Forbidden, detail))
            }
        }
    }

    /// Who sent this request.
    pub(super) fn of(request: &HttpRequest) -> Result<Caller, Problem> {
        let caller = request.extensions().get::<Caller>().cloned();
        caller.ok_or_else(|| unauthorized("the header X-API-Key is missing"))
    }
}

impl Keys {
    /// The keys of a server: every request is let in, or those with a stored or a given key.
    pub(super) fn new(open: bool, given: Option<&str>, attempts: Option<RateLimit>) -> Keys {
        let (failures, used) = (Buckets::new(), Mutex::default());
        Keys { open, given: given.map(hash), attempts, failures, used }
    }

    /// Makes the first admin key where there is none yet, and returns it. It cannot be had again.
    ///
    /// # Errors
    ///
    /// When it cannot be stored.
    pub(super) fn make_first(&self, database: &Database) -> Result<Option<String>> {
        match self.open || self.given.is_some() {
            true => Ok(None),
            false => keys::make_first(database),
        }
    }

    /// True when there is an admin key that is not stored.
    pub(super) fn has_given(&self) -> bool {
        self.given.is_some()
    }

    /// True while the key that a caller came with is one: for answers that take long. What a key
    /// allows never changes.
    pub(super) fn lets_in(&self, database: &Database, caller: &Caller) -> bool {
        match caller.identity() {
            Identity::Open | Identity::Given => true,
            Identity::Stored(id) => keys::find(&database.snapshot(), id.as_str()).is_some(),
        }
    }

    /// When each stored key was last let in, as far as this server knows.
    pub(super) fn last_used(&self) -> HashMap<DocumentId, SystemTime> {
        lock(&self.used).clone()
    }

    /// Forgets when a key was used that is no more.
    pub(super) fn forget(&self, id: &str) {
        lock(&self.used).retain(|used, _| used.as_str() != id);
    }

    /// Who sent this request.
    pub(super) fn caller(
        &self,
        database: &Database,
        request: &ServiceRequest,
    ) -> Result<Caller, Problem> {
        let rate = OwnRate::default();
        let admin = |identity| Caller { role: Role::Admin, identity, collections: None, rate };
        if self.open {
            return Ok(admin(Identity::Open));
        }
        let mut keys = request.headers().get_all(API_KEY);
        let Some(key) = keys.next() else {
            return Err(unauthorized("the header X-API-Key is missing"));
        };
        // Whoever stands between may have looked at the other one.
        if keys.next().is_some() {
            return Err(unauthorized("the header X-API-Key stands there twice"));
        }
        let hash = key.to_str().ok().map(hash);
        if let (Ok(key), Some(hash)) = (key.to_str(), hash)
            && let Some(caller) = stored(database, key, hash)
        {
            if let Identity::Stored(id) = caller.identity() {
                lock(&self.used).insert(id.clone(), SystemTime::now());
            }
            return Ok(caller);
        }
        let (address, now) = (address(request), Instant::now());
        let look = |limit| self.failures.look(&address, limit, now);
        if let Some(wait) = self.attempts.map(look).and_then(|standing| standing.wait) {
            return Err(too_many_failures(wait));
        }
        match (self.given, hash) {
            (Some(given), Some(hash)) if bool::from(given.ct_eq(&hash)) => {
                Ok(admin(Identity::Given))
            }
            _ => {
                if let Some(limit) = self.attempts {
                    self.failures.take(&address, limit, now);
                }
                Err(unauthorized("the key is not one of this server's"))
            }
        }
    }
}

/// A request whose key has at least the role of `L`.
pub(super) struct Allowed<L> {
    /// Who sent it.
    pub(super) caller: Caller,
    level: PhantomData<L>,
}

/// A role as a type, for the signatures of handlers.
pub(super) trait Level {
    const ROLE: Role;
}

pub(super) struct Read;
pub(super) struct Write;
pub(super) struct Admin;

impl Level for Read {
    const ROLE: Role = Role::Read;
}

impl Level for Write {
    const ROLE: Role = Role::Write;
}

impl Level for Admin {
    const ROLE: Role = Role::Admin;
}

impl<L: Level> FromRequest for Allowed<L> {
    type Error = Problem;
    type Future = Ready<Result<Allowed<L>, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Caller::of(request).and_then(|caller| match caller.role {
            role if role >= L::ROLE => Ok(Allowed { caller, level: PhantomData }),
            role => {
                let detail = format!("the key's role is {role}, and this needs {}", L::ROLE);
                Err(Problem::new(Kind::Forbidden, detail))
            }
        }))
    }
}

/// The caller that this stored key lets in, if it is one.
fn stored(database: &Database, key: &str, hash: [u8; 32]) -> Option<Caller> {
    let (id, _secret) = key.strip_prefix("mdb_")?.split_once('_')?;
    let stored = keys::find(&database.snapshot(), id)?;
    let equal: bool = stored.hash.as_bytes().ct_eq(hex(&hash).as_bytes()).into();
    let identity = Identity::Stored(DocumentId::new(id).ok()?);
    equal.then(|| Caller {
        role: stored.role,
        identity,
        collections: stored.collections.map(Arc::from),
        rate: stored.rate,
    })
}

/// Where a request comes from. It is the connection's own address: headers that name another are
/// anybody's. Of IPv6 it is the network, since a host there has addresses without number.
fn address(request: &ServiceRequest) -> IpAddr {
    let address = request.peer_addr().map(|address| address.ip().to_canonical());
    match address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)) {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

pub(super) fn unauthorized(detail: &str) -> Problem {
    let challenge = HeaderValue::from_static(r#"ApiKey realm="monsterdb", header="X-API-Key""#);
    Problem::new(Kind::Unauthorized, detail).with_header(WWW_AUTHENTICATE, challenge)
}

fn too_many_failures(wait: Duration) -> Problem {
    too_many(wait, "too many wrong keys came from this address")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn caller(keys: &Keys, database: &Database, key: &str, from: &str) -> Result<Role, u16> {
        let request = TestRequest::default().insert_header((API_KEY, key));
        let request = request.peer_addr(from.parse().unwrap()).to_srv_request();
        let caller = keys.caller(database, &request);
        caller.map(|caller| caller.role).map_err(|problem| problem.kind().status().as_u16())
    }

    const HERE: &str = "192.0.2.1:1000";

    #[test]
    fn the_first_key_is_made_once_and_kept_as_a_hash() {
        let database = Database::in_memory();
        let keys = Keys::new(false, None, None);
        let key = keys.make_first(&database).unwrap().unwrap();
        assert_eq!(keys.make_first(&database).unwrap(), None);
        assert_eq!(caller(&keys, &database, &key, HERE), Ok(Role::Admin));
        for wrong in ["", "mdb_", "mdb__", &key[..key.len() - 1], &format!("{key}0")] {
            assert_eq!(caller(&keys, &database, wrong, HERE), Err(401), "{wrong}");
        }
        let snapshot = database.snapshot();
        let stored = snapshot.collection(keys::KEYS).unwrap();
        let secret = key.rsplit('_').next().unwrap();
        assert!(stored.documents().all(|(_, document)| !document.json().contains(secret)));
    }

    #[test]
    fn a_key_that_is_given_is_not_stored() {
        let database = Database::in_memory();
        let keys = Keys::new(false, Some("given"), None);
        assert_eq!(keys.make_first(&database).unwrap(), None);
        assert_eq!(caller(&keys, &database, "given", HERE), Ok(Role::Admin));
        assert_eq!(caller(&keys, &database, "other", HERE), Err(401));
        assert!(database.snapshot().collection(keys::KEYS).is_none());
    }

    #[test]
    fn an_address_without_tokens_is_let_in_with_a_stored_key_alone() {
        let database = Database::in_memory();
        let stored = keys::make_first(&database).unwrap().unwrap();
        let limit = RateLimit { burst: 3, every: Duration::from_secs(3600) };
        let keys = Keys::new(false, Some("given"), Some(limit));
        let ask = |key: &str, from: &str| caller(&keys, &database, key, from);
        for _ in 0..3 {
            assert_eq!(ask("given", HERE), Ok(Role::Admin), "what goes well costs nothing");
            assert_eq!(ask("wrong", HERE), Err(401));
        }
        assert_eq!(ask("wrong", HERE), Err(429));
        assert_eq!(ask("given", HERE), Err(429), "or it could be guessed");
        assert_eq!(ask(&stored, HERE), Ok(Role::Admin));
        assert_eq!(ask("given", "192.0.2.2:1000"), Ok(Role::Admin), "another address");
        assert_eq!(ask("given", "[::ffff:192.0.2.1]:1"), Err(429), "the same address");
        for host in 1..=3 {
            assert_eq!(ask("wrong", &format!("[2001:db8::{host}]:1")), Err(401));
        }
        assert_eq!(ask("wrong", "[2001:db8::4]:1"), Err(429), "the same network");
        assert_eq!(ask("wrong", "[2001:db8:0:1::4]:1"), Err(401), "another network");
    }
}

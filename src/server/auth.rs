//! Who may do what: keys and their roles.
//!
//! A key is `mdb_<id>_<secret>`, the secret 256 random bits. What is stored, in the reserved
//! collection `_keys`, is the id, the role and the SHA-256 of the whole key. A fast hash is
//! enough: there is nothing to guess in 256 random bits.
//!
//! Invariant: a key's text is in memory only while it is made and while a request that sent it is
//! looked at; it is never logged. Hashes are compared in constant time.

use std::{
    future::{Ready, ready},
    marker::PhantomData,
};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::{Payload, ServiceRequest},
    http::header::{HeaderName, HeaderValue},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{kinds::Kind, problem::Problem, respond::json_text};
use crate::{
    commit::TransactOptions,
    database::Database,
    document::Draft,
    error::{Error, Result},
    filter::Filter,
    names::{CollectionName, DocumentId},
    query::Query,
};

/// The reserved collection that keys are kept in.
const KEYS: &str = "_keys";

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// What a key allows. Each role may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    /// Read documents.
    Read,
    /// Change documents.
    Write,
    /// Make and drop collections, keep the server.
    Admin,
}

/// Who sent a request.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    role: Role,
    identity: Identity,
}

/// Whose key it is, without the key.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    collection: CollectionName,
}

/// A key as it is stored; its id is the document's.
#[derive(Serialize, Deserialize)]
struct StoredKey {
    name: String,
    role: Role,
    /// Hexadecimal SHA-256 of the key.
    hash: String,
}

impl Caller {
    /// Whose key it is.
    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }
}

impl Keys {
    /// The keys of a server: every request is let in, or those with a stored or a given key.
    pub(super) fn new(open: bool, given: Option<&str>) -> Result<Keys> {
        let collection = CollectionName::stored(KEYS)?;
        Ok(Keys { open, given: given.map(hash), collection })
    }

    /// Makes the first admin key where there is none yet, and returns it. It cannot be had again.
    ///
    /// # Errors
    ///
    /// When it cannot be stored.
    pub(super) fn make_first(&self, database: &Database) -> Result<Option<String>> {
        if self.open || self.given.is_some() {
            return Ok(None);
        }
        let admins = Query::new(Filter::parse(r#"{"role":"admin"}"#)?).limit(1);
        let made = database.transact_with(TransactOptions::default(), |tx| {
            if !tx.find(&self.collection, &admins)?.is_empty() {
                return Ok(None);
            }
            let (id, key) = generate()?;
            let stored =
                StoredKey { name: "first".to_owned(), role: Role::Admin, hash: hex(&hash(&key)) };
            tx.put(&self.collection, &id, Draft::parse(json_text(&stored).as_bytes())?)?;
            Ok(Some(key))
        })?;
        Ok(made.value)
    }

    /// Who sent this request.
    pub(super) fn caller(
        &self,
        database: &Database,
        request: &ServiceRequest,
    ) -> Result<Caller, Problem> {
        if self.open {
            return Ok(Caller { role: Role::Admin, identity: Identity::Open });
        }
        let key = request.headers().get(API_KEY).map(HeaderValue::to_str);
        let Some(Ok(key)) = key else {
            return Err(unauthorized("the header X-API-Key is missing"));
        };
        let hash = hash(key);
        if self.given.is_some_and(|given| given.ct_eq(&hash).into()) {
            return Ok(Caller { role: Role::Admin, identity: Identity::Given });
        }
        self.stored(database, key)
            .filter(|(_, stored)| stored.hash.as_bytes().ct_eq(hex(&hash).as_bytes()).into())
            .map(|(id, stored)| Caller { role: stored.role, identity: Identity::Stored(id) })
            .ok_or_else(|| unauthorized("the key is not one of this server's"))
    }

    fn stored(&self, database: &Database, key: &str) -> Option<(DocumentId, StoredKey)> {
        let (id, _secret) = key.strip_prefix("mdb_")?.split_once('_')?;
        let snapshot = database.snapshot();
        let document = snapshot.get(self.collection.as_str(), id)?;
        Some((DocumentId::new(id).ok()?, serde_json::from_str(document.json()).ok()?))
    }
}

/// A request whose key has at least the role of `L`.
pub(super) struct Allowed<L>(PhantomData<L>);

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
        let caller = request.extensions().get::<Caller>().map(|caller| caller.role);
        ready(match caller {
            Some(role) if role >= L::ROLE => Ok(Allowed(PhantomData)),
            Some(role) => {
                let name = |role: Role| format!("{role:?}").to_lowercase();
                let detail =
                    format!("the key's role is {}, and this needs {}", name(role), name(L::ROLE));
                Err(Problem::new(Kind::Forbidden, detail))
            }
            None => Err(unauthorized("the header X-API-Key is missing")),
        })
    }
}

/// A new key and its id.
fn generate() -> Result<(DocumentId, String)> {
    let mut random = [0; 40];
    getrandom::fill(&mut random)
        .map_err(|error| Error::aborted(std::io::Error::other(error.to_string())))?;
    let (id, secret) = random.split_at(8);
    let id = hex(id);
    let key = format!("mdb_{id}_{}", hex(secret));
    Ok((DocumentId::new(&id)?, key))
}

fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unauthorized(detail: &str) -> Problem {
    let challenge = HeaderValue::from_static(r#"ApiKey realm="monsterdb", header="X-API-Key""#);
    Problem::new(Kind::Unauthorized, detail)
        .with_header(actix_web::http::header::WWW_AUTHENTICATE, challenge)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn caller(keys: &Keys, database: &Database, key: &str) -> Option<Role> {
        let request = TestRequest::default().insert_header((API_KEY, key)).to_srv_request();
        keys.caller(database, &request).ok().map(|caller| caller.role)
    }

    #[test]
    fn the_first_key_is_made_once_and_kept_as_a_hash() {
        let database = Database::in_memory();
        let keys = Keys::new(false, None).unwrap();
        let key = keys.make_first(&database).unwrap().unwrap();
        assert_eq!(keys.make_first(&database).unwrap(), None);
        assert_eq!(caller(&keys, &database, &key), Some(Role::Admin));
        for wrong in ["", "mdb_", "mdb__", &key[..key.len() - 1], &format!("{key}0")] {
            assert_eq!(caller(&keys, &database, wrong), None, "{wrong}");
        }
        let snapshot = database.snapshot();
        let stored = snapshot.collection(KEYS).unwrap();
        let secret = key.rsplit('_').next().unwrap();
        assert!(stored.documents().all(|(_, document)| !document.json().contains(secret)));
    }

    #[test]
    fn a_key_that_is_given_is_not_stored() {
        let database = Database::in_memory();
        let keys = Keys::new(false, Some("given")).unwrap();
        assert_eq!(keys.make_first(&database).unwrap(), None);
        assert_eq!(caller(&keys, &database, "given"), Some(Role::Admin));
        assert_eq!(caller(&keys, &database, "other"), None);
        assert!(database.snapshot().collection(KEYS).is_none());
    }
}

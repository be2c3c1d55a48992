//! The keys that are stored: made, listed, revoked, by the server and by the command line alike.
//!
//! What is stored, in the reserved collection `_keys`, is a key's id, name, role, collections and
//! the SHA-256 of the whole key. A fast hash is enough: there is nothing to guess in 256 random bits.
//!
//! A key may be for some collections alone. It then neither reads nor writes nor sees any other; an
//! admin's is for all of them always, since it could give itself another key. Names are for people
//! and may stand twice, so that a new key can replace an old one while both are in use.
//!
//! Invariant: the last admin key that is stored stays, unless one from the environment is there.

use std::{fmt, str::FromStr, time::SystemTime};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{quota::OwnRate, respond::json_text};
use crate::{
    commit::TransactOptions,
    database::Database,
    document::Draft,
    error::{Error, Result},
    filter::Filter,
    limits::{KEY_COLLECTIONS_MAX, KEY_NAME_BYTES_MAX, KEYS_MAX},
    names::{CollectionName, DocumentId},
    query::Query,
    snapshot::Snapshot,
    transaction::Transaction,
};

/// The reserved collection that keys are kept in.
pub(super) const KEYS: &str = "_keys";

/// What a key allows. Each role may do what those before it may.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Read documents.
    Read,
    /// Change documents.
    Write,
    /// Make and drop collections, keep the server.
    Admin,
}

/// A key that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewKey {
    name: String,
    role: Role,
    /// The only collections that it is for; all when there is no list.
    collections: Option<Vec<CollectionName>>,
    rate: OwnRate,
}

/// Why a key is not made, or not revoked.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It is not one.
    #[error("{member}: {reason}")]
    Invalid {
        /// What of it is wrong: `name`, `collections` or `rate_burst`.
        member: &'static str,
        /// What is wrong with it.
        reason: String,
    },

    /// There is no such key.
    #[error("there is no key with the id {id:?}")]
    NotFound {
        /// The id asked for.
        id: String,
    },

    /// Nobody could keep the database any more.
    #[error("this is the last admin key: make another one, then revoke this")]
    LastAdmin,

    /// The database refuses.
    #[error(transparent)]
    Database(#[from] Error),
}

/// Whether the last admin key may be revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LastAdmin {
    /// It has to stay.
    Stays,
    /// It may go: there is one from the environment.
    MayGo,
}

/// A key as it is stored; its id is the document's.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredKey {
    pub(super) name: String,
    pub(super) role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "names")]
    pub(super) collections: Option<Vec<CollectionName>>,
    /// When it was made (RFC 3339).
    #[serde(default)]
    pub(super) created: Option<String>,
    #[serde(flatten)]
    pub(super) rate: OwnRate,
    /// Hexadecimal SHA-256 of the key.
    pub(super) hash: String,
}

/// A key as it is told.
#[derive(Serialize)]
struct Described<'a> {
    id: &'a str,
    /// Only when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    name: &'a str,
    role: Role,
    #[serde(with = "names")]
    collections: Option<Vec<CollectionName>>,
    #[serde(flatten)]
    rate: OwnRate,
    created: Option<&'a str>,
    last_used: Option<String>,
}

/// A key as it is asked for.
#[derive(Serialize)]
struct Asked<'a> {
    name: &'a str,
    role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    collections: Option<Vec<&'a str>>,
    #[serde(flatten)]
    rate: OwnRate,
}

#[derive(Serialize)]
struct List<'a> {
    keys: Vec<Described<'a>>,
    version: u64,
}

impl NewKey {
    /// Checks what is asked for.
    ///
    /// # Errors
    ///
    /// [`KeyError::Invalid`].
    pub(crate) fn new(
        name: &str,
        role: Role,
        collections: Option<Vec<CollectionName>>,
        rate: OwnRate,
    ) -> Result<NewKey, KeyError> {
        let invalid =
            |member, reason: &str| Err(KeyError::Invalid { member, reason: reason.to_owned() });
        if name.is_empty() || name.len() > KEY_NAME_BYTES_MAX || name.chars().any(char::is_control)
        {
            let rule = "a name has 1 to 128 bytes of UTF-8 without control characters";
            return invalid("name", rule);
        }
        if rate.burst == Some(0) {
            return invalid("rate_burst", "it is at least 1: a key that may never ask is none");
        }
        let name = name.to_owned();
        let Some(names) = &collections else {
            return Ok(NewKey { name, role, collections, rate });
        };
        if role == Role::Admin {
            return invalid("collections", "an admin key is for all collections: leave them out");
        }
        if names.is_empty() {
            return invalid("collections", "the list is empty: leave it out for all collections");
        }
        if names.len() > KEY_COLLECTIONS_MAX {
            return invalid("collections", "a key is for at most 256 collections, or for all");
        }
        let twin = (1..).zip(names).find(|(next, name)| names[*next..].contains(name));
        if let Some((_, name)) = twin {
            return invalid("collections", &format!("{name} stands twice"));
        }
        Ok(NewKey { name, role, collections, rate })
    }

    /// The body that asks a server for it.
    pub(crate) fn to_json(&self) -> String {
        let NewKey { name, role, collections, rate } = self;
        let names = collections.as_ref().map(|names| names.iter().map(CollectionName::as_str));
        let names: Option<Vec<&str>> = names.map(Iterator::collect);
        json_text(&Asked { name, role: *role, collections: names, rate: *rate })
    }
}

/// The stored key of this id, if there is one that can be read.
pub(super) fn find(snapshot: &Snapshot, id: &str) -> Option<StoredKey> {
    read(snapshot.get(KEYS, id)?.json())
}

/// Makes a key and describes it. It stands in the description, and cannot be had again.
///
/// # Errors
///
/// [`KeyError::Database`]: too many keys, or what refuses writes.
pub(crate) fn make(database: &Database, new: &NewKey) -> Result<String, KeyError> {
    let made = database.transact_with(TransactOptions::default(), |tx| store(tx, new))?;
    let (id, key, stored) = made.value;
    tracing::info!(id = id.as_str(), role = %new.role, "made a key");
    Ok(json_text(&Described { key: Some(&key), ..described(&id, &stored, None) }))
}

/// Makes the first admin key where there is none, and returns it.
///
/// # Errors
///
/// When it cannot be stored.
pub(super) fn make_first(database: &Database) -> Result<Option<String>> {
    let rate = OwnRate::default();
    let first = NewKey { name: "first".to_owned(), role: Role::Admin, collections: None, rate };
    let made = database.transact_with(TransactOptions::default(), |tx| match admins(tx, 1)? {
        0 => Ok(Some(store(tx, &first)?.1)),
        _ => Ok(None),
    })?;
    Ok(made.value)
}

/// All keys, without their hashes, from the oldest to the newest.
pub(crate) fn listed(
    snapshot: &Snapshot,
    last_used: impl Fn(&DocumentId) -> Option<SystemTime>,
) -> String {
    let documents = snapshot.collection(KEYS).into_iter().flat_map(|keys| keys.documents());
    let stored: Vec<(&DocumentId, StoredKey)> =
        documents.filter_map(|(id, document)| Some((id, read(document.json())?))).collect();
    let mut keys: Vec<Described<'_>> =
        stored.iter().map(|(id, stored)| described(id, stored, last_used(id))).collect();
    keys.sort_by_key(|key| (key.created, key.id));
    json_text(&List { keys, version: snapshot.version().get() })
}

/// Revokes a key. From its return on the key opens nothing.
///
/// # Errors
///
/// [`KeyError::NotFound`], [`KeyError::LastAdmin`], [`KeyError::Database`]; the key stays.
pub(crate) fn revoke(database: &Database, id: &str, last: LastAdmin) -> Result<(), KeyError> {
    let not_found = || KeyError::NotFound { id: id.chars().take(64).collect() };
    let id = DocumentId::new(id).map_err(|_| not_found())?;
    let keys = CollectionName::stored(KEYS).map_err(Error::from)?;
    let revoked = database.transact_with(TransactOptions::default(), |tx| {
        let Some(document) = tx.get(&keys, &id)? else { return Ok(Err(not_found())) };
        // What cannot be read lets nobody in, so it is no admin's.
        let is_admin = read(document.json()).is_some_and(|stored| stored.role == Role::Admin);
        // That there are others is read in this transaction: of two that revoke each other, one
        // is run again and refused.
        if is_admin && last == LastAdmin::Stays && admins(tx, 2)? < 2 {
            return Ok(Err(KeyError::LastAdmin));
        }
        tx.delete(&keys, &id)?;
        Ok(Ok(()))
    })?;
    revoked.value?;
    tracing::info!(id = id.as_str(), "revoked a key");
    Ok(())
}

/// Stores a new key.
fn store(tx: &Transaction, new: &NewKey) -> Result<(DocumentId, String, StoredKey)> {
    let keys = CollectionName::stored(KEYS)?;
    let count = tx.snapshot().collection(KEYS).map_or(0, |keys| keys.count());
    if count >= KEYS_MAX {
        let (max, actual) = (KEYS_MAX as u64, count as u64 + 1);
        return Err(Error::LimitExceeded { what: "the number of keys", max, actual });
    }
    let (id, key) = generate()?;
    let NewKey { name, role, collections, rate } = new.clone();
    let created = Some(humantime::format_rfc3339_millis(SystemTime::now()).to_string());
    let stored = StoredKey { name, role, collections, created, rate, hash: hex(&hash(&key)) };
    tx.put(&keys, &id, Draft::parse(json_text(&stored).as_bytes())?)?;
    Ok((id, key, stored))
}

/// How many admin keys there are, counted up to a limit.
fn admins(tx: &Transaction, limit: usize) -> Result<usize> {
    let admins = Query::new(Filter::parse(r#"{"role":"admin"}"#)?).limit(limit);
    Ok(tx.find(&CollectionName::stored(KEYS)?, &admins)?.len())
}

fn read(text: &str) -> Option<StoredKey> {
    serde_json::from_str(text).ok()
}

fn described<'a>(
    id: &'a DocumentId,
    stored: &'a StoredKey,
    last_used: Option<SystemTime>,
) -> Described<'a> {
    Described {
        id: id.as_str(),
        key: None,
        name: &stored.name,
        role: stored.role,
        collections: stored.collections.clone(),
        rate: stored.rate,
        created: stored.created.as_deref(),
        last_used: last_used.map(|time| humantime::format_rfc3339_seconds(time).to_string()),
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

pub(super) fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::Read => "read",
            Role::Write => "write",
            Role::Admin => "admin",
        })
    }
}

impl FromStr for Role {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Role, &'static str> {
        let all = [Role::Read, Role::Write, Role::Admin];
        let found = all.into_iter().find(|role| role.to_string() == text);
        found.ok_or("a role is read, write or admin")
    }
}

/// Names of collections as JSON. One that is none makes the whole key unreadable: with a shorter
/// list, or with none, it would allow what nobody asked for.
mod names {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use super::CollectionName;

    pub(super) fn serialize<S: Serializer>(
        names: &Option<Vec<CollectionName>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let names = names.as_ref().map(|names| names.iter().map(CollectionName::as_str));
        names.map(Iterator::collect::<Vec<&str>>).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<CollectionName>>, D::Error> {
        let names = Option::<Vec<String>>::deserialize(deserializer)?;
        let read = |name: String| CollectionName::new(&name).map_err(Error::custom);
        names.map(|names| names.into_iter().map(read).collect()).transpose()
    }
}

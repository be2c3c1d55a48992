//! SQLite as whoever knows it well would set it up for this.
//!
//! - The log (WAL) with `synchronous=FULL`: a commit is safe when it returns, as MonsterDB's is.
//! - Built with `fdatasync`, as distributions do (`.cargo/config.toml`).
//! - A connection a thread, statements prepared once, no mutex around a connection.
//! - A transaction of several statements begins with `BEGIN IMMEDIATE`, so that it never has to be
//!   run again. Writers of this process take turns by a mutex, since the busy handler sleeps in
//!   steps of up to 100 ms; the timeout stays for others.
//! - `WITHOUT ROWID`: a read goes down one tree instead of two.
//! - The whole database fits the page cache and the memory map.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior};

use super::{Engine, Safety, Session, Store};
use crate::{Result, Sample, Workload};

const INSERT: &str = "INSERT INTO docs (id, doc) VALUES (?1, ?2)";
const SELECT: &str = "SELECT doc FROM docs WHERE id = ?1";

/// Longer than any run, so that nobody gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(60);

/// The engine.
pub(super) struct Sqlite;

struct Open {
    file: PathBuf,
    safety: Safety,
    /// Keeps the log open while threads come and go.
    first: Mutex<Connection>,
    /// Whose turn it is to write.
    turn: Mutex<()>,
}

struct Handle<'a> {
    connection: Connection,
    turn: &'a Mutex<()>,
}

impl Engine for Sqlite {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn durability(&self, safety: Safety) -> &'static str {
        match safety {
            Safety::Synced => "wal, full",
            Safety::HandedOver => "wal, off",
        }
    }

    fn takes(&self, _workload: Workload, _threads: usize) -> bool {
        true
    }

    fn open(&self, directory: &Path, safety: Safety) -> Result<Box<dyn Store>> {
        let file = directory.join("docs.sqlite");
        let first = connect(&file, safety)?;
        first.execute_batch(
            "CREATE TABLE IF NOT EXISTS docs (id TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID",
        )?;
        Ok(Box::new(Open { file, safety, first: first.into(), turn: Mutex::default() }))
    }
}

impl Store for Open {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        let connection = connect(&self.file, self.safety)?;
        Ok(Box::new(Handle { connection, turn: &self.turn }))
    }

    fn close(self: Box<Self>) -> Result<()> {
        let first = self.first.into_inner().map_err(|_| "a thread panicked")?;
        first.close().map_err(|(_, error)| error.into())
    }
}

impl Session for Handle<'_> {
    fn insert(&mut self, sample: &Sample) -> Result<()> {
        let _turn = take(self.turn);
        self.connection.prepare_cached(INSERT)?.execute([&sample.id, &sample.text])?;
        Ok(())
    }

    fn insert_all(&mut self, samples: &[Sample]) -> Result<()> {
        let _turn = take(self.turn);
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut insert = transaction.prepare_cached(INSERT)?;
            for sample in samples {
                insert.execute([&sample.id, &sample.text])?;
            }
        }
        Ok(transaction.commit()?)
    }

    fn get(&mut self, id: &str) -> Result<Option<usize>> {
        let mut select = self.connection.prepare_cached(SELECT)?;
        Ok(select.query_row([id], |row| Ok(row.get_ref(0)?.as_str()?.len())).optional()?)
    }
}

/// A turn holds nothing that a panic could leave half changed.
fn take(turn: &Mutex<()>) -> MutexGuard<'_, ()> {
    turn.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connect(file: &Path, safety: Safety) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    let synchronous = match safety {
        Safety::Synced => "FULL",
        Safety::HandedOver => "OFF",
    };
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = {synchronous};
         PRAGMA cache_size = -65536;
         PRAGMA mmap_size = 268435456;
         PRAGMA temp_store = MEMORY;"
    ))?;
    Ok(connection)
}

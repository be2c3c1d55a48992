//! SQLite as whoever knows it well would set it up for this.
//!
//! - The log (WAL) with `synchronous=FULL`: a commit is safe when it returns, as MonsterDB's is.
//! - Built with `fdatasync`, as distributions do (`.cargo/config.toml`).
//! - A connection a thread, statements prepared once, no mutex around a connection.
//! - A transaction of several statements begins with `BEGIN IMMEDIATE`, so that it never has to be
//!   run again. Writers of this process take turns by a mutex, since the busy handler sleeps in
//!   steps of up to 100 ms; the timeout stays for others.
//! - Where documents are read by id, `WITHOUT ROWID`: a read goes down one tree instead of two. Where
//!   they are found by other indexes, with row ids: those are shorter and compare faster.
//! - Indexes on expressions; queries say the same expression, statistics are gathered (`ANALYZE`).
//! - The whole database fits the page cache and the memory map.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, ToSql, Transaction, TransactionBehavior};

use super::{Change, End, Engine, Role, Safety, Session, Store};
use crate::{
    Result, Sample, Workload,
    documents::one_more,
    question::{Answer, Question, RANGE_LIMIT, TOP_LIMIT, ZIP_BELOW},
};

/// Longer than any run, so that nobody gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(60);

/// The engine, with documents stored in one way.
pub(super) struct Sqlite {
    name: &'static str,
    table: &'static str,
    insert: &'static str,
    insert_other: &'static str,
    select: &'static str,
    /// What makes a text of the column `doc`.
    text: &'static str,
    is_asked: bool,
}

/// Text, found by id.
pub(super) const BY_ID: Sqlite = Sqlite {
    name: "sqlite",
    table: "(id TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID",
    insert: "INSERT INTO docs (id, doc) VALUES (?1, ?2)",
    insert_other: "INSERT INTO others (id, doc) VALUES (?1, ?2)",
    select: "SELECT doc FROM docs WHERE id = ?1",
    text: "doc",
    is_asked: false,
};

/// Text, found by indexes on expressions.
pub(super) const TEXT: Sqlite = Sqlite {
    name: "sqlite-text",
    table: "(id TEXT PRIMARY KEY, doc TEXT NOT NULL)",
    is_asked: true,
    ..BY_ID
};

/// Its binary JSON, found by indexes on expressions.
pub(super) const JSONB: Sqlite = Sqlite {
    name: "sqlite-jsonb",
    table: "(id TEXT PRIMARY KEY, doc BLOB NOT NULL)",
    insert: "INSERT INTO docs (id, doc) VALUES (?1, jsonb(?2))",
    insert_other: "INSERT INTO others (id, doc) VALUES (?1, jsonb(?2))",
    select: "SELECT json(doc) FROM docs WHERE id = ?1",
    text: "json(doc)",
    is_asked: true,
};

struct Open {
    layout: &'static Sqlite,
    file: PathBuf,
    safety: Safety,
    /// Keeps the log open while threads come and go.
    first: Mutex<Connection>,
    /// Whose turn it is to write.
    turn: Mutex<()>,
}

struct Handle<'a> {
    layout: &'static Sqlite,
    connection: Connection,
    turn: &'a Mutex<()>,
}

impl Engine for Sqlite {
    fn name(&self) -> &'static str {
        self.name
    }

    fn role(&self) -> Role {
        Role::Peer
    }

    fn durability(&self, safety: Safety) -> &'static str {
        match safety {
            Safety::Synced => "wal, full",
            Safety::HandedOver => "wal, off",
        }
    }

    fn takes(&self, workload: Workload, _threads: usize) -> bool {
        match workload {
            Workload::Ask(_) | Workload::AskBare(_) => self.is_asked,
            Workload::IndexBuild | Workload::MemoryIndexed => self.is_asked,
            Workload::Checkpoint(_) => false,
            Workload::Insert
            | Workload::Batch
            | Workload::Transaction
            | Workload::Rollback
            | Workload::Get
            | Workload::GetTyped
            | Workload::Mix
            | Workload::ReadsBesideWriter
            | Workload::Modify
            | Workload::ModifyOne
            | Workload::Update
            | Workload::UpdateOne
            | Workload::ReopenClean
            | Workload::ReopenKilled
            | Workload::MemoryWritten
            | Workload::MemoryReopened
            | Workload::Disk => !self.is_asked,
        }
    }

    fn open(&'static self, directory: &Path, safety: Safety) -> Result<Box<dyn Store>> {
        let file = directory.join("docs.sqlite");
        let first = connect(&file, safety)?;
        for name in ["docs", "others"] {
            let table = self.table;
            first.execute_batch(&format!("CREATE TABLE IF NOT EXISTS {name} {table}"))?;
        }
        let (first, turn) = (first.into(), Mutex::default());
        Ok(Box::new(Open { layout: self, file, safety, first, turn }))
    }
}

impl Store for Open {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        let connection = connect(&self.file, self.safety)?;
        Ok(Box::new(Handle { layout: self.layout, connection, turn: &self.turn }))
    }

    fn make_indexes(&self) -> Result<()> {
        let connection = connect(&self.file, self.safety)?;
        Ok(connection.execute_batch(
            "CREATE INDEX by_age ON docs (doc->>'$.age');
             CREATE INDEX by_balance ON docs (doc->>'$.balance');
             ANALYZE;",
        )?)
    }

    fn close(self: Box<Self>) -> Result<()> {
        let first = self.first.into_inner().map_err(|_| "a thread panicked")?;
        first.close().map_err(|(_, error)| error.into())
    }
}

impl Session for Handle<'_> {
    fn insert(&mut self, sample: &Sample) -> Result<()> {
        let _turn = take(self.turn);
        self.connection.prepare_cached(self.layout.insert)?.execute([&sample.id, &sample.text])?;
        Ok(())
    }

    fn insert_all(&mut self, samples: &[Sample]) -> Result<()> {
        let insert = self.layout.insert;
        self.transact(End::Commit, |transaction| {
            let mut insert = transaction.prepare_cached(insert)?;
            for sample in samples {
                insert.execute([&sample.id, &sample.text])?;
            }
            Ok(())
        })
    }

    fn insert_in_two(&mut self, samples: &[Sample], end: End) -> Result<()> {
        let layout = self.layout;
        self.transact(end, |transaction| {
            let mut insert = transaction.prepare_cached(layout.insert)?;
            let mut insert_other = transaction.prepare_cached(layout.insert_other)?;
            for (place, sample) in samples.iter().enumerate() {
                let insert = if place % 2 == 0 { &mut insert } else { &mut insert_other };
                insert.execute([&sample.id, &sample.text])?;
            }
            Ok(())
        })
    }

    fn change(&mut self, id: &str, change: Change) -> Result<()> {
        let changed = match change {
            Change::ReadWrite => {
                let (mut changed, select) = (0, self.layout.select);
                self.transact(End::Commit, |transaction| {
                    let mut select = transaction.prepare_cached(select)?;
                    let text: String = select.query_row([id], |row| row.get(0))?;
                    let update = "UPDATE docs SET doc = ?2 WHERE id = ?1";
                    let mut update = transaction.prepare_cached(update)?;
                    changed = update.execute([id, &one_more(&text)?])?;
                    Ok(())
                })?;
                changed
            }
            Change::Operator => {
                let _turn = take(self.turn);
                let update =
                    "UPDATE docs SET doc = json_set(doc, '$.age', doc->>'$.age' + 1) WHERE id = ?1";
                self.connection.prepare_cached(update)?.execute([id])?
            }
        };
        if changed == 1 { Ok(()) } else { Err(format!("there is no document {id}").into()) }
    }

    fn read(&mut self, id: &str, take: &mut dyn FnMut(&[u8])) -> Result<()> {
        let mut select = self.connection.prepare_cached(self.layout.select)?;
        let mut rows = select.query([id])?;
        if let Some(row) = rows.next()? {
            take(row.get_ref(0)?.as_str()?.as_bytes());
        }
        Ok(())
    }

    fn answer(&mut self, question: Question) -> Result<Answer> {
        let text = self.layout.text;
        match question {
            Question::Equality { age } => {
                self.find(&format!("SELECT {text} FROM docs WHERE doc->>'$.age' = ?1"), &[&age])
            }
            Question::Range { balance } => self.find(
                &format!(
                    "SELECT {text} FROM docs WHERE doc->>'$.balance' >= ?1
                     ORDER BY doc->>'$.balance' LIMIT {RANGE_LIMIT}"
                ),
                &[&balance],
            ),
            // What fewer pass stands first: it is tested first.
            Question::Scan => self.find(
                &format!(
                    "SELECT {text} FROM docs
                     WHERE doc->>'$.address.zip' < ?1 AND doc->>'$.active' = 1"
                ),
                &[&ZIP_BELOW],
            ),
            Question::Top => self.find(
                &format!(
                    "SELECT {text} FROM docs ORDER BY doc->>'$.address.zip' DESC LIMIT {TOP_LIMIT}"
                ),
                &[],
            ),
            Question::Count { age } => {
                let count = "SELECT count(*) FROM docs WHERE doc->>'$.age' >= ?1";
                let mut count = self.connection.prepare_cached(count)?;
                let rows: i64 = count.query_row([age], |row| row.get(0))?;
                Ok(Answer { rows: rows.try_into()?, bytes: 0 })
            }
            Question::Aggregate => {
                let mut groups = self.connection.prepare_cached(
                    "SELECT doc->>'$.city', count(*), avg(doc->>'$.balance') FROM docs GROUP BY 1",
                )?;
                let mut groups = groups.query([])?;
                let mut answer = Answer::default();
                while groups.next()?.is_some() {
                    answer.rows += 1;
                }
                Ok(answer)
            }
        }
    }
}

impl Handle<'_> {
    fn transact(
        &mut self,
        end: End,
        work: impl FnOnce(&Transaction<'_>) -> Result<()>,
    ) -> Result<()> {
        let _turn = take(self.turn);
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        work(&transaction)?;
        match end {
            End::Commit => transaction.commit()?,
            End::Rollback => transaction.rollback()?,
        }
        Ok(())
    }

    fn find(&self, statement: &str, parameters: &[&dyn ToSql]) -> Result<Answer> {
        let mut statement = self.connection.prepare_cached(statement)?;
        let mut rows = statement.query(parameters)?;
        let mut answer = Answer::default();
        while let Some(row) = rows.next()? {
            answer.add(row.get_ref(0)?.as_str()?);
        }
        Ok(answer)
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

//! redb as whoever knows it well would set it up for this.
//!
//! - A commit is durable when it returns (`Durability::Immediate`), in one phase: its checksums tell
//!   a torn one. It has one writer at a time, and each commit syncs by itself.
//! - Its page cache, of a gibibyte as it comes, holds everything.
//! - Keys and values are `&str`: nothing is encoded.
//! - A read begins a transaction of its own, so that it sees the newest commit.
//! - Indexes are tables by hand (module `entries`).

use std::{
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use ::redb::{
    Database, Durability, ReadableDatabase, ReadableTable, TableDefinition, TableHandle,
    WriteTransaction,
};

use super::{Change, End, Engine, Role, Safety, Session, Store, entries};
use crate::{
    Result, Sample, Workload,
    documents::one_more,
    question::{Answer, Question, RANGE_LIMIT},
};

const DOCUMENTS: TableDefinition<'_, &str, &str> = TableDefinition::new("docs");
const OTHERS: TableDefinition<'_, &str, &str> = TableDefinition::new("others");
const BY_AGE: TableDefinition<'_, &[u8], ()> = TableDefinition::new("by_age");
const BY_BALANCE: TableDefinition<'_, &[u8], ()> = TableDefinition::new("by_balance");

/// Commits that are not durable before one is: pages are used again only after a durable one.
const COMMITS_HELD: usize = 1_000;

/// The engine.
pub(super) struct Redb;

struct Open {
    database: Database,
    safety: Safety,
    is_indexed: AtomicBool,
    commits: AtomicUsize,
}

struct Handle<'a>(&'a Open);

impl Engine for Redb {
    fn name(&self) -> &'static str {
        "redb"
    }

    fn role(&self) -> Role {
        Role::Peer
    }

    fn durability(&self, safety: Safety) -> &'static str {
        match safety {
            Safety::Synced => "immediate",
            Safety::HandedOver => "none",
        }
    }

    fn takes(&self, workload: Workload, _threads: usize) -> bool {
        entries::takes(workload)
    }

    fn open(&'static self, directory: &Path, safety: Safety) -> Result<Box<dyn Store>> {
        let database = Database::create(directory.join("docs.redb"))?;
        let tx = database.begin_write()?;
        tx.open_table(DOCUMENTS)?;
        tx.open_table(OTHERS)?;
        let is_indexed = tx.list_tables()?.any(|table| table.name() == BY_AGE.name());
        tx.commit()?;
        let (is_indexed, commits) = (is_indexed.into(), AtomicUsize::new(0));
        Ok(Box::new(Open { database, safety, is_indexed, commits }))
    }
}

impl Open {
    fn transact(&self, end: End, work: impl FnOnce(&WriteTransaction) -> Result<()>) -> Result<()> {
        let mut tx = self.database.begin_write()?;
        tx.set_durability(self.durability())?;
        work(&tx)?;
        match end {
            End::Commit => tx.commit()?,
            End::Rollback => tx.abort()?,
        }
        Ok(())
    }

    fn durability(&self) -> Durability {
        let number = self.commits.fetch_add(1, Ordering::Relaxed);
        match self.safety {
            Safety::HandedOver if !number.is_multiple_of(COMMITS_HELD) => Durability::None,
            Safety::HandedOver | Safety::Synced => Durability::Immediate,
        }
    }
}

impl Store for Open {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(Handle(self)))
    }

    fn make_indexes(&self) -> Result<()> {
        self.transact(End::Commit, |tx| {
            let documents = tx.open_table(DOCUMENTS)?;
            let (mut by_age, mut by_balance) = (tx.open_table(BY_AGE)?, tx.open_table(BY_BALANCE)?);
            for entry in documents.iter()? {
                let (id, text) = entry?;
                let indexed = entries::Indexed::of(text.value())?;
                by_age.insert(&*indexed.age_key(id.value()), ())?;
                by_balance.insert(&*indexed.balance_key(id.value()), ())?;
            }
            Ok(())
        })?;
        self.is_indexed.store(true, Ordering::Release);
        Ok(())
    }

    fn hand_over(&self) -> Result<()> {
        Ok(self.database.begin_write()?.commit()?)
    }

    fn close(self: Box<Self>) -> Result<()> {
        self.hand_over()?;
        Ok(self.database.close()?)
    }
}

impl Session for Handle<'_> {
    fn insert_all(&mut self, samples: &[Sample]) -> Result<()> {
        let is_indexed = self.0.is_indexed.load(Ordering::Acquire);
        self.0.transact(End::Commit, |tx| {
            let mut documents = tx.open_table(DOCUMENTS)?;
            for Sample { id, text } in samples {
                documents.insert(&**id, &**text)?;
            }
            if is_indexed {
                let mut by_age = tx.open_table(BY_AGE)?;
                let mut by_balance = tx.open_table(BY_BALANCE)?;
                for Sample { id, text } in samples {
                    let indexed = entries::Indexed::of(text)?;
                    by_age.insert(&*indexed.age_key(id), ())?;
                    by_balance.insert(&*indexed.balance_key(id), ())?;
                }
            }
            Ok(())
        })
    }

    fn insert_in_two(&mut self, samples: &[Sample], end: End) -> Result<()> {
        self.0.transact(end, |tx| {
            let (mut documents, mut others) = (tx.open_table(DOCUMENTS)?, tx.open_table(OTHERS)?);
            for (place, Sample { id, text }) in samples.iter().enumerate() {
                let table = if place % 2 == 0 { &mut documents } else { &mut others };
                table.insert(&**id, &**text)?;
            }
            Ok(())
        })
    }

    fn read(&mut self, id: &str, take: &mut dyn FnMut(&[u8])) -> Result<()> {
        let documents = self.0.database.begin_read()?.open_table(DOCUMENTS)?;
        documents.get(id)?.into_iter().for_each(|text| take(text.value().as_bytes()));
        Ok(())
    }

    /// It has no operator of its own.
    fn change(&mut self, id: &str, _change: Change) -> Result<()> {
        if self.0.is_indexed.load(Ordering::Acquire) {
            return Err(super::refusal("move the entries of an index"));
        }
        self.0.transact(End::Commit, |tx| {
            let mut documents = tx.open_table(DOCUMENTS)?;
            let changed = match documents.get(id)? {
                Some(text) => one_more(text.value())?,
                None => return Err(format!("there is no document {id}").into()),
            };
            documents.insert(id, &*changed)?;
            Ok(())
        })
    }

    fn answer(&mut self, question: Question) -> Result<Answer> {
        let tx = self.0.database.begin_read()?;
        let documents = tx.open_table(DOCUMENTS)?;
        let mut answer = Answer::default();
        let mut add = |key: &[u8]| -> Result<()> {
            let text = documents.get(entries::id(key)?)?.ok_or("an index has a key too many")?;
            answer.add(text.value());
            Ok(())
        };
        match question {
            Question::Equality { age } => {
                let (from, to) = (entries::age_from(age)?, entries::age_from(age + 1)?);
                for entry in tx.open_table(BY_AGE)?.range(&from[..]..&to[..])? {
                    add(entry?.0.value())?;
                }
            }
            Question::Range { balance } => {
                let from = entries::balance_from(balance)?;
                for entry in tx.open_table(BY_BALANCE)?.range(&from[..]..)?.take(RANGE_LIMIT) {
                    add(entry?.0.value())?;
                }
            }
            Question::Scan | Question::Top | Question::Count { .. } | Question::Aggregate => {
                return Err(super::refusal("answer this"));
            }
        }
        Ok(answer)
    }
}

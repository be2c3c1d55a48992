//! fjall as whoever knows it well would set it up for this.
//!
//! - Its journal is synced (`PersistMode::SyncData`) before a write returns, and apart from the
//!   write: so one sync carries what other threads wrote meanwhile.
//! - Optimistic transactions, begun again after a conflict, where something is read to be changed.
//! - Its cache holds everything; filters reckon with reads that find something.
//! - Indexes are keyspaces by hand (module `entries`), written in one batch with the document.

use std::{path::Path, sync::OnceLock};

use ::fjall::{
    Keyspace, KeyspaceCreateOptions, OptimisticTxDatabase, OptimisticTxKeyspace, PersistMode,
    Readable,
};

use super::{Change, End, Engine, Role, Safety, Session, Store, entries};
use crate::{
    Result, Sample, Workload,
    documents::one_more,
    question::{Answer, Question, RANGE_LIMIT},
};

/// More than all documents of a run.
const CACHE_BYTES: u64 = 256 * 1024 * 1024;

/// The engine.
pub(super) struct Fjall;

struct Open {
    database: OptimisticTxDatabase,
    documents: OptimisticTxKeyspace,
    others: OptimisticTxKeyspace,
    indexes: OnceLock<Indexes>,
    safety: Safety,
}

struct Indexes {
    by_age: Keyspace,
    by_balance: Keyspace,
}

struct Handle<'a>(&'a Open);

impl Engine for Fjall {
    fn name(&self) -> &'static str {
        "fjall"
    }

    fn role(&self) -> Role {
        Role::Peer
    }

    fn durability(&self, safety: Safety) -> &'static str {
        match safety {
            Safety::Synced => "sync data",
            Safety::HandedOver => "buffer",
        }
    }

    fn takes(&self, workload: Workload, _threads: usize) -> bool {
        entries::takes(workload)
    }

    fn open(&'static self, directory: &Path, safety: Safety) -> Result<Box<dyn Store>> {
        let builder = OptimisticTxDatabase::builder(directory.join("docs.fjall"));
        let database = builder.cache_size(CACHE_BYTES).open()?;
        let documents = database.keyspace("docs", options)?;
        let others = database.keyspace("others", options)?;
        let indexes = OnceLock::new();
        if database.keyspace_exists("by_age") {
            let _ = indexes.set(Indexes::open(&database)?);
        }
        Ok(Box::new(Open { database, documents, others, indexes, safety }))
    }
}

impl Indexes {
    fn open(database: &OptimisticTxDatabase) -> Result<Indexes> {
        let keyspace = |name| database.inner().keyspace(name, KeyspaceCreateOptions::default);
        Ok(Indexes { by_age: keyspace("by_age")?, by_balance: keyspace("by_balance")? })
    }
}

impl Open {
    /// Everything written so far is safe when it returns.
    fn sync(&self) -> Result<()> {
        match self.safety {
            Safety::Synced => Ok(self.database.persist(PersistMode::SyncData)?),
            // Each write hands itself over.
            Safety::HandedOver => Ok(()),
        }
    }
}

impl Store for Open {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(Handle(self)))
    }

    fn make_indexes(&self) -> Result<()> {
        let indexes = Indexes::open(&self.database)?;
        let mut batch = self.database.inner().batch();
        for entry in self.documents.inner().iter() {
            let (id, text) = entry.into_inner()?;
            let id = std::str::from_utf8(&id)?;
            let indexed = entries::Indexed::of(std::str::from_utf8(&text)?)?;
            batch.insert(&indexes.by_age, indexed.age_key(id), "");
            batch.insert(&indexes.by_balance, indexed.balance_key(id), "");
        }
        batch.commit()?;
        self.sync()?;
        self.indexes.set(indexes).map_err(|_| "there are indexes already".into())
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(self.database.persist(PersistMode::SyncAll)?)
    }
}

impl Session for Handle<'_> {
    fn insert_all(&mut self, samples: &[Sample]) -> Result<()> {
        let documents = self.0.documents.inner();
        let indexes = self.0.indexes.get();
        if let ([Sample { id, text }], None) = (samples, indexes) {
            documents.insert(&**id, &**text)?;
            return self.0.sync();
        }
        let mut batch = self.0.database.inner().batch();
        for Sample { id, text } in samples {
            batch.insert(documents, &**id, &**text);
            if let Some(indexes) = indexes {
                let indexed = entries::Indexed::of(text)?;
                batch.insert(&indexes.by_age, indexed.age_key(id), "");
                batch.insert(&indexes.by_balance, indexed.balance_key(id), "");
            }
        }
        batch.commit()?;
        self.0.sync()
    }

    fn insert_in_two(&mut self, samples: &[Sample], end: End) -> Result<()> {
        let mut tx = self.0.database.write_tx()?;
        for (place, Sample { id, text }) in samples.iter().enumerate() {
            let keyspace = if place % 2 == 0 { &self.0.documents } else { &self.0.others };
            tx.insert(keyspace, &**id, &**text);
        }
        match end {
            End::Commit => {
                tx.commit()??;
                self.0.sync()
            }
            End::Rollback => {
                tx.rollback();
                Ok(())
            }
        }
    }

    fn read(&mut self, id: &str, take: &mut dyn FnMut(&[u8])) -> Result<()> {
        self.0.documents.get(id)?.into_iter().for_each(|text| take(&text));
        Ok(())
    }

    /// It has no operator of its own.
    fn change(&mut self, id: &str, _change: Change) -> Result<()> {
        if self.0.indexes.get().is_some() {
            return Err(super::refusal("move the entries of an index"));
        }
        loop {
            let mut tx = self.0.database.write_tx()?;
            let text = tx.get(&self.0.documents, id)?.ok_or("there is no such document")?;
            tx.insert(&self.0.documents, id, one_more(std::str::from_utf8(&text)?)?);
            if tx.commit()?.is_ok() {
                return self.0.sync();
            }
        }
    }

    fn answer(&mut self, question: Question) -> Result<Answer> {
        let indexes = self.0.indexes.get().ok_or("there are no indexes")?;
        let mut answer = Answer::default();
        let mut add = |key: &[u8]| -> Result<()> {
            let text = self.0.documents.get(entries::id(key)?)?;
            answer.add(std::str::from_utf8(&text.ok_or("an index has a key too many")?)?);
            Ok(())
        };
        match question {
            Question::Equality { age } => {
                let (from, to) = (entries::age_from(age)?, entries::age_from(age + 1)?);
                for entry in indexes.by_age.range(from..to) {
                    add(&entry.key()?)?;
                }
            }
            Question::Range { balance } => {
                let from = entries::balance_from(balance)?;
                for entry in indexes.by_balance.range(from..).take(RANGE_LIMIT) {
                    add(&entry.key()?)?;
                }
            }
            Question::Scan | Question::Top | Question::Count { .. } | Question::Aggregate => {
                return Err(super::refusal("answer this"));
            }
        }
        Ok(answer)
    }
}

fn options() -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default().expect_point_read_hits(true)
}

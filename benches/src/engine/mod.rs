//! What is compared: one engine a file, behind one trait.

mod bare_loop;
mod dashmap;
mod entries;
mod fjall;
mod group_append;
mod monsterdb;
mod redb;
mod sqlite;

#[cfg(test)]
mod tests;

use std::path::Path;

use crate::{
    Result, Sample, Workload,
    documents::Person,
    question::{Answer, Question},
};

/// Something that stores documents.
pub trait Engine: Sync {
    /// Its name in the table.
    fn name(&self) -> &'static str;

    /// What it is in the comparison.
    fn role(&self) -> Role;

    /// What it promises of a write that has returned, in its own words.
    fn durability(&self, safety: Safety) -> &'static str;

    /// True when a workload can be run on it.
    fn takes(&self, workload: Workload, threads: usize) -> bool;

    /// Opens what is in a directory, or makes it in an empty one.
    ///
    /// # Errors
    ///
    /// What the engine says.
    fn open(&'static self, directory: &Path, safety: Safety) -> Result<Box<dyn Store>>;
}

/// What an engine is in the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// What is compared.
    Own,
    /// Somebody else's database.
    Peer,
    /// No database: what the device or the memory allows.
    Bound,
}

/// What a write is when it returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Safety {
    /// Safe on the device.
    Synced,
    /// With the operating system. Only for filling a database before anything is measured.
    HandedOver,
}

/// How a transaction of many documents ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// All are there.
    Commit,
    /// None is.
    Rollback,
}

/// How one is added to a document's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Read, changed by the program and written, in one transaction; again after a conflict.
    ReadWrite,
    /// By the engine's own operator.
    Operator,
}

/// An open store. Threads share it. What an engine does not take it need not have.
pub trait Store: Sync {
    /// One thread's way to it.
    ///
    /// # Errors
    ///
    /// What the engine says.
    fn session(&self) -> Result<Box<dyn Session + '_>>;

    /// Makes the indexes that questions rely on, on `age` and on `balance`.
    ///
    /// # Errors
    ///
    /// What the engine says.
    fn make_indexes(&self) -> Result<()> {
        Err(refusal("make an index"))
    }

    /// Hands everything over to the operating system that is still kept back.
    ///
    /// # Errors
    ///
    /// What the engine says.
    fn hand_over(&self) -> Result<()> {
        Ok(())
    }

    /// Writes a checkpoint.
    ///
    /// # Errors
    ///
    /// What the engine says.
    fn checkpoint(&self) -> Result<()> {
        Err(refusal("write a checkpoint"))
    }

    /// Closes it in the orderly way.
    ///
    /// # Errors
    ///
    /// What the engine says.
    fn close(self: Box<Self>) -> Result<()>;
}

/// What one thread does with a store.
pub trait Session {
    /// Adds a document in a transaction of its own.
    ///
    /// # Errors
    ///
    /// What the engine says.
    fn insert(&mut self, sample: &Sample) -> Result<()> {
        self.insert_all(std::slice::from_ref(sample))
    }

    /// Adds documents in one transaction.
    ///
    /// # Errors
    ///
    /// What the engine says.
    fn insert_all(&mut self, samples: &[Sample]) -> Result<()>;

    /// Adds documents in one transaction, in turn to the collection of all others and to a second.
    ///
    /// # Errors
    ///
    /// What the engine says.
    fn insert_in_two(&mut self, _samples: &[Sample], _end: End) -> Result<()> {
        Err(refusal("write to two collections"))
    }

    /// Reads a document's text and hands it over; where there is no document, nothing.
    ///
    /// # Errors
    ///
    /// What the engine says.
    fn read(&mut self, _id: &str, _take: &mut dyn FnMut(&[u8])) -> Result<()> {
        Err(refusal("read"))
    }

    /// Reads a document's text and returns its length; none where there is no document.
    ///
    /// # Errors
    ///
    /// What the engine says.
    fn get(&mut self, id: &str) -> Result<Option<usize>> {
        let mut length = None;
        self.read(id, &mut |text| length = Some(text.len()))?;
        Ok(length)
    }

    /// Reads a document as a value; none where there is no document.
    ///
    /// # Errors
    ///
    /// What the engine says, or that the text is no such value.
    fn get_typed(&mut self, id: &str) -> Result<Option<Person>> {
        let mut person = None;
        self.read(id, &mut |text| person = Some(serde_json::from_slice(text)))?;
        Ok(person.transpose()?)
    }

    /// Adds one to the age in a document that is there.
    ///
    /// # Errors
    ///
    /// What the engine says.
    fn change(&mut self, _id: &str, _change: Change) -> Result<()> {
        Err(refusal("change a document"))
    }

    /// Answers a question, reading the text of each document that it returns.
    ///
    /// # Errors
    ///
    /// What the engine says.
    fn answer(&mut self, _question: Question) -> Result<Answer> {
        Err(refusal("answer"))
    }
}

/// Every engine, in the order of their rows.
pub const ALL: [&dyn Engine; 9] = [
    &monsterdb::MonsterDb,
    &sqlite::BY_ID,
    &sqlite::TEXT,
    &sqlite::JSONB,
    &redb::Redb,
    &fjall::Fjall,
    &bare_loop::BareLoop,
    &group_append::GroupAppend,
    &dashmap::Map,
];

/// The engine of a name.
///
/// # Errors
///
/// When there is none.
pub fn by_name(name: &str) -> Result<&'static dyn Engine> {
    let found = ALL.into_iter().find(|engine| engine.name() == name);
    found.ok_or_else(|| format!("there is no engine {name:?}").into())
}

fn refusal(what: &str) -> Box<dyn std::error::Error + Send + Sync> {
    format!("this engine was not taught to {what}").into()
}

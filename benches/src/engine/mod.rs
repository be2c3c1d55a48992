//! What is compared: one engine a file, behind one trait.

mod bounds;
mod monsterdb;
mod sqlite;

use std::path::Path;

use crate::{
    Result, Sample, Workload,
    question::{Answer, Question},
};

/// Something that stores documents.
pub trait Engine: Sync {
    /// Its name in the table.
    fn name(&self) -> &'static str;

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

/// What a write is when it returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Safety {
    /// Safe on the device.
    Synced,
    /// With the operating system. Only for filling a database before anything is measured.
    HandedOver,
}

/// An open store. Threads share it.
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
    fn make_indexes(&self) -> Result<()>;

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
    fn insert(&mut self, sample: &Sample) -> Result<()>;

    /// Adds documents in one transaction.
    ///
    /// # Errors
    ///
    /// What the engine says.
    fn insert_all(&mut self, samples: &[Sample]) -> Result<()>;

    /// Reads a document's text and returns its length; none where there is no document.
    ///
    /// # Errors
    ///
    /// What the engine says.
    fn get(&mut self, id: &str) -> Result<Option<usize>>;

    /// Answers a question, reading the text of each document that it returns.
    ///
    /// # Errors
    ///
    /// What the engine says.
    fn answer(&mut self, question: Question) -> Result<Answer>;
}

/// Every engine, in the order of their rows.
pub const ALL: [&dyn Engine; 5] =
    [&monsterdb::MonsterDb, &sqlite::BY_ID, &sqlite::TEXT, &sqlite::JSONB, &bounds::BareLoop];

/// The engine of a name.
///
/// # Errors
///
/// When there is none.
pub fn by_name(name: &str) -> Result<&'static dyn Engine> {
    let found = ALL.into_iter().find(|engine| engine.name() == name);
    found.ok_or_else(|| format!("there is no engine {name:?}").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        documents::{Random, samples},
        question::Topic,
    };

    #[test]
    fn engines_agree() -> Result<()> {
        let answers = |engine: &&'static dyn Engine| -> Result<Vec<Answer>> {
            let directory = tempfile::tempdir()?;
            let store = engine.open(directory.path(), Safety::HandedOver)?;
            let mut session = store.session()?;
            session.insert_all(&samples(3_000))?;
            store.make_indexes()?;
            let mut random = Random::new(1);
            let questions = Topic::ALL.into_iter().flat_map(|topic| [topic; 20]);
            questions.map(|topic| session.answer(topic.ask(&mut random))).collect()
        };
        let asked = |engine: &&dyn Engine| engine.takes(Workload::Ask(Topic::Scan), 1);
        let all: Vec<_> = ALL.iter().filter(|engine| asked(engine)).map(answers).collect();
        let [own, peers @ ..] = &*all else { panic!("nobody was asked") };
        let own = own.as_ref().map_err(ToString::to_string)?;
        assert!(own.iter().all(|answer| answer.rows > 0), "an answer is empty: {own:?}");
        for peer in peers {
            assert_eq!(peer.as_ref().map_err(ToString::to_string)?, own);
        }
        Ok(())
    }
}

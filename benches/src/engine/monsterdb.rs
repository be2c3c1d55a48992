//! MonsterDB, embedded, as it comes.

use std::path::Path;

use monsterdb::{Collection, CollectionName, Database, Draft, Durability, Json};

use super::{Engine, Safety, Session, Store};
use crate::{Result, Sample, Workload};

const COLLECTION: &str = "docs";

/// The engine.
pub(super) struct MonsterDb;

struct Open(Database);

struct Handle {
    database: Database,
    name: CollectionName,
    collection: Collection<Json>,
}

impl Engine for MonsterDb {
    fn name(&self) -> &'static str {
        "monsterdb"
    }

    fn durability(&self, safety: Safety) -> &'static str {
        match safety {
            Safety::Synced => "always",
            Safety::HandedOver => "none",
        }
    }

    fn takes(&self, _workload: Workload, _threads: usize) -> bool {
        true
    }

    fn open(&self, directory: &Path, safety: Safety) -> Result<Box<dyn Store>> {
        let durability = match safety {
            Safety::Synced => Durability::Always,
            Safety::HandedOver => Durability::None,
        };
        Ok(Box::new(Open(Database::builder().durability(durability).open(directory)?)))
    }
}

impl Store for Open {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(Handle {
            database: self.0.clone(),
            name: CollectionName::new(COLLECTION)?,
            collection: self.0.collection(COLLECTION)?,
        }))
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(self.0.close()?)
    }
}

impl Session for Handle {
    fn insert(&mut self, sample: &Sample) -> Result<()> {
        self.insert_all(std::slice::from_ref(sample))
    }

    fn insert_all(&mut self, samples: &[Sample]) -> Result<()> {
        Ok(self.database.transact(|tx| {
            for sample in samples {
                tx.insert(&self.name, Draft::parse(sample.text.as_bytes())?)?;
            }
            Ok(())
        })?)
    }

    fn get(&mut self, id: &str) -> Result<Option<usize>> {
        Ok(self.collection.get_text(id).map(|document| document.json().len()))
    }
}

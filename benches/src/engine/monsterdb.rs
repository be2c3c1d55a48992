//! MonsterDB, embedded, as it comes.

use std::path::Path;

use monsterdb::{
    Aggregate, Collection, CollectionName, Database, Draft, Durability, Filter, IndexDefinition,
    Json, Metric, Query, Sort, field, query::Source,
};

use super::{Engine, Safety, Session, Store};
use crate::{
    Result, Sample, Workload,
    question::{Answer, Question, RANGE_LIMIT, TOP_LIMIT, ZIP_BELOW},
};

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

    fn open(&'static self, directory: &Path, safety: Safety) -> Result<Box<dyn Store>> {
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

    fn make_indexes(&self) -> Result<()> {
        for path in ["age", "balance"] {
            self.0.create_index(COLLECTION, path, IndexDefinition::on([path])?)?;
        }
        Ok(())
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

    fn answer(&mut self, question: Question) -> Result<Answer> {
        let snapshot = self.database.snapshot();
        let source = &**snapshot.collection(COLLECTION).ok_or("there is no collection")?;
        match question {
            Question::Equality { age } => find(source, Query::new(field("age").eq(age))),
            Question::Range { balance } => {
                let query = Query::new(field("balance").gte(balance));
                find(source, query.sort(Sort::parse(["balance"])?).limit(RANGE_LIMIT))
            }
            Question::Scan => {
                let active = field("active").eq(true);
                find(source, Query::new(active.and(field("address.zip").lt(ZIP_BELOW))))
            }
            Question::Top => {
                let query = Query::new(Filter::all());
                find(source, query.sort(Sort::parse(["-address.zip"])?).limit(TOP_LIMIT))
            }
            Question::Count { age } => {
                let rows = Query::new(field("age").gte(age)).count(source)?;
                Ok(Answer { rows, bytes: 0 })
            }
            Question::Aggregate => {
                let groups = Aggregate::by(["city"])?
                    .metric("documents", Metric::Count)?
                    .metric("mean", Metric::parse("avg", Some("balance"))?)?;
                let rows = Query::new(Filter::all()).aggregate(&groups, source)?.len();
                Ok(Answer { rows, bytes: 0 })
            }
        }
    }
}

fn find(source: &dyn Source, query: Query) -> Result<Answer> {
    let mut answer = Answer::default();
    for (_, document) in query.find(source)? {
        answer.add(document.json());
    }
    Ok(answer)
}

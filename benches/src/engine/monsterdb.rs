//! MonsterDB, embedded, as it comes.

use std::path::Path;

use monsterdb::{
    Aggregate, Collection, CollectionName, Database, DocumentId, Draft, Durability, Error, Filter,
    IndexDefinition, Json, Metric, Query, Sort, Transaction, field, query::Source,
};

use super::{Change, End, Engine, Role, Safety, Session, Store};
use crate::{
    Result, Sample, Workload,
    documents::{Person, one_more},
    question::{Answer, Question, RANGE_LIMIT, TOP_LIMIT, ZIP_BELOW},
};

const COLLECTION: &str = "docs";
const OTHER: &str = "others";
const ADD_ONE: &str = r#"{"$inc":{"age":1}}"#;

/// The engine.
pub(super) struct MonsterDb;

struct Open(Database);

struct Handle {
    database: Database,
    name: CollectionName,
    other: CollectionName,
    collection: Collection<Json>,
    people: Collection<Person>,
}

impl Engine for MonsterDb {
    fn name(&self) -> &'static str {
        "monsterdb"
    }

    fn role(&self) -> Role {
        Role::Own
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
            other: CollectionName::new(OTHER)?,
            collection: self.0.collection(COLLECTION)?,
            people: self.0.collection(COLLECTION)?,
        }))
    }

    fn make_indexes(&self) -> Result<()> {
        for path in ["age", "balance"] {
            self.0.create_index(COLLECTION, path, IndexDefinition::on([path])?)?;
        }
        Ok(())
    }

    fn checkpoint(&self) -> Result<()> {
        self.0.checkpoint()?;
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(self.0.close()?)
    }
}

impl Session for Handle {
    fn insert_all(&mut self, samples: &[Sample]) -> Result<()> {
        Ok(self.database.transact(|tx| {
            for sample in samples {
                tx.insert(&self.name, Draft::parse(sample.text.as_bytes())?)?;
            }
            Ok(())
        })?)
    }

    fn insert_in_two(&mut self, samples: &[Sample], end: End) -> Result<()> {
        let insert = |tx: &Transaction| {
            for (place, sample) in samples.iter().enumerate() {
                let name = if place % 2 == 0 { &self.name } else { &self.other };
                tx.insert(name, Draft::parse(sample.text.as_bytes())?)?;
            }
            Ok(())
        };
        match end {
            End::Commit => Ok(self.database.transact(insert)?),
            End::Rollback => {
                let tx = self.database.begin();
                insert(&tx)?;
                tx.rollback();
                Ok(())
            }
        }
    }

    fn change(&mut self, id: &str, change: Change) -> Result<()> {
        match change {
            Change::ReadWrite => {
                let id = DocumentId::new(id)?;
                Ok(self.database.transact(|tx| {
                    let text = tx.get(&self.name, &id)?;
                    let text = text.ok_or_else(|| Error::DocumentNotFound {
                        collection: self.name.clone(),
                        id: id.clone(),
                    })?;
                    let changed = one_more(text.json()).expect("every document has an age");
                    tx.replace(&self.name, &id, Draft::parse(changed.as_bytes())?)
                })?)
            }
            Change::Operator => Ok(self.collection.update(id, ADD_ONE)?),
        }
    }

    fn read(&mut self, id: &str, take: &mut dyn FnMut(&[u8])) -> Result<()> {
        self.collection.get_text(id).into_iter().for_each(|text| take(text.json().as_bytes()));
        Ok(())
    }

    fn get_typed(&mut self, id: &str) -> Result<Option<Person>> {
        Ok(self.people.get(id)?.map(|entry| entry.value))
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

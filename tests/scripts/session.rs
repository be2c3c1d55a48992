//! What the commands of a transcript do.

use std::{collections::BTreeMap, sync::Arc};

use monsterdb::{
    Aggregate, CollectionName, CollectionOptions, Committed, Database, Document, DocumentId, Draft,
    Error, Filter, Isolation, Json, MergePatch, Metric, Query, Savepoint, Sort, TransactOptions,
    Transaction, Update, Version, storage::MemoryStorage,
};
use serde_json::value::RawValue;

/// A database and the transactions that are open on it.
pub(crate) struct Session {
    storage: MemoryStorage,
    db: Option<Database>,
    open: BTreeMap<String, Open>,
}

struct Open {
    transaction: Transaction,
    savepoints: BTreeMap<String, Savepoint>,
}

/// What a command answers, or why the engine refuses it.
pub(crate) type Answer = Result<Vec<String>, Error>;

/// A fault of the script itself.
type Fault = String;

impl Session {
    pub(crate) fn new() -> Session {
        let mut session =
            Session { storage: MemoryStorage::new(), db: None, open: BTreeMap::new() };
        session.reopen().expect("an empty disk holds no damage");
        session
    }

    /// Runs one command. The outer error is a fault of the script.
    pub(crate) fn run(&mut self, who: &str, command: &str) -> Result<Answer, Fault> {
        let mut words = Words(command);
        let verb = words.word()?;
        let answer = match (who, verb) {
            ("db", "new") => {
                *self = Session::new();
                Ok(Vec::new())
            }
            ("db", "reopen") => self.reopen().map(|()| Vec::new()),
            ("db", "version") => Ok(vec![self.db().status().version.to_string()]),
            ("db", "log") => Ok(self.log()),
            ("db", _) => return self.run_alone(verb, words),
            (_, "begin") => {
                let isolation = match words.0 {
                    "" | "serializable" => Isolation::Serializable,
                    "snapshot" => Isolation::Snapshot,
                    other => return Err(format!("unknown isolation {other:?}")),
                };
                let transaction = self.db().begin_with(isolation);
                let begun = Open { transaction, savepoints: BTreeMap::new() };
                match self.open.insert(who.to_owned(), begun) {
                    None => Ok(Vec::new()),
                    Some(_) => return Err(format!("{who} has begun already")),
                }
            }
            (_, "commit") => {
                let transaction = self.close(who)?.transaction;
                self.db().commit(transaction).map(|version| vec![version_line(version)])
            }
            (_, "rollback") => {
                self.close(who)?.transaction.rollback();
                Ok(Vec::new())
            }
            _ => {
                let open = self.open.get_mut(who).ok_or(format!("{who} has not begun"))?;
                match verb {
                    "savepoint" | "rollback-to" | "release" => open.at_savepoint(verb, words)?,
                    _ => operate(&open.transaction, verb, words)?,
                }
            }
        };
        Ok(answer)
    }

    fn db(&self) -> &Database {
        self.db.as_ref().expect("a session has its database open")
    }

    fn close(&mut self, who: &str) -> Result<Open, Fault> {
        self.open.remove(who).ok_or(format!("{who} has not begun"))
    }

    fn reopen(&mut self) -> Result<(), Error> {
        if let Some(db) = self.db.take() {
            db.close()?;
        }
        let builder = Database::builder().background(false).segment_bytes(4096);
        self.db = Some(builder.open_in(Arc::new(self.storage.clone()))?);
        Ok(())
    }

    /// A command to the database itself is a transaction of its own. One that may write answers
    /// the version as well.
    fn run_alone(&self, verb: &str, words: Words<'_>) -> Result<Answer, Fault> {
        let mut fault = None;
        let committed = self.db().transact_with(TransactOptions::default(), |transaction| {
            operate(transaction, verb, words).unwrap_or_else(|found| {
                fault = Some(found);
                Ok(Vec::new())
            })
        });
        let reads =
            ["get", "find", "count", "distinct", "aggregate", "snapshot-read"].contains(&verb);
        let with_version = |Committed { version, mut value }: Committed<Vec<String>>| {
            value.extend((!reads).then(|| version_line(version)));
            value
        };
        fault.map_or(Ok(committed.map(with_version)), Err)
    }

    /// The operations of every record in the log.
    fn log(&self) -> Vec<String> {
        let names = self.storage.names().into_iter().filter(|name| name.starts_with("wal/"));
        let mut records = BTreeMap::new();
        for name in names.filter(|name| name.ends_with(".ndjson")) {
            let bytes = self.storage.contents(&name).expect("it was listed");
            let text = String::from_utf8(bytes).expect("a log is text");
            for line in text.lines().map(|line| line.trim_matches('\0')) {
                let record: Result<BTreeMap<String, Box<RawValue>>, _> = serde_json::from_str(line);
                if let Some((seq, ops)) = record.ok().and_then(|r| {
                    Some((r.get("seq")?.get().parse::<u64>().ok()?, r.get("ops")?.to_string()))
                }) {
                    records.insert(seq, ops);
                }
            }
        }
        records.into_iter().map(|(seq, ops)| format!("{seq} {ops}")).collect()
    }
}

impl Open {
    fn at_savepoint(&mut self, verb: &str, mut words: Words<'_>) -> Result<Answer, Fault> {
        let name = words.word()?.to_owned();
        if verb == "savepoint" {
            self.savepoints.insert(name, self.transaction.savepoint());
            return Ok(Ok(Vec::new()));
        }
        let unknown = || format!("there is no savepoint {name}");
        let done = match verb {
            "release" => {
                self.transaction.release(self.savepoints.remove(&name).ok_or_else(unknown)?)
            }
            _ => self.transaction.rollback_to(self.savepoints.get(&name).ok_or_else(unknown)?),
        };
        Ok(done.map(|()| Vec::new()))
    }
}

/// An operation of a transaction.
fn operate(transaction: &Transaction, verb: &str, mut words: Words<'_>) -> Result<Answer, Fault> {
    let collection = CollectionName::new(words.word()?).map_err(|invalid| invalid.to_string())?;
    let nothing = |()| Vec::new();
    Ok(match verb {
        "create" => {
            transaction.create_collection(&collection, CollectionOptions::default()).map(nothing)
        }
        "create-strict" => {
            let options = CollectionOptions { require_preconditions: true };
            transaction.create_collection(&collection, options).map(nothing)
        }
        "drop" => transaction.drop_collection(&collection).map(nothing),
        "insert" => Draft::parse(words.json().as_bytes())
            .and_then(|draft| transaction.insert(&collection, draft))
            .map(|_| Vec::new()),
        "find" => match words.query()? {
            Ok(query) => transaction.find(&collection, &query).map(|found| {
                let lines: Vec<_> = found.iter().map(|(_, document)| show(document)).collect();
                if lines.is_empty() { vec!["nothing".to_owned()] } else { lines }
            }),
            Err(error) => Err(error),
        },
        "count" => match words.query()? {
            Ok(query) => transaction.count(&collection, &query).map(|n| vec![n.to_string()]),
            Err(error) => Err(error),
        },
        "distinct" => {
            let path = words.word()?;
            words
                .query()?
                .and_then(|query| transaction.distinct(&collection, path, &query))
                .map(lines)
        }
        "aggregate" => {
            let aggregate = words.aggregate()?;
            let groups =
                |(aggregate, query)| transaction.aggregate(&collection, &query, &aggregate);
            let query = words.query()?;
            aggregate.and_then(|aggregate| Ok((aggregate, query?))).and_then(groups).map(lines)
        }
        _ => {
            let id = DocumentId::new(words.word()?).map_err(|invalid| invalid.to_string())?;
            operate_on_document(transaction, verb, &collection, &id, words)?
        }
    })
}

fn operate_on_document(
    transaction: &Transaction,
    verb: &str,
    collection: &CollectionName,
    id: &DocumentId,
    mut words: Words<'_>,
) -> Result<Answer, Fault> {
    let one = |found: Option<Arc<Document>>| {
        vec![found.map_or_else(|| "nothing".to_owned(), |document| show(&document))]
    };
    let done = match verb {
        "get" => return Ok(transaction.get(collection, id).map(one)),
        "snapshot-read" => return Ok(transaction.snapshot_read(collection, id).map(one)),
        "delete" => {
            let deleted = transaction.delete(collection, id);
            let answer = |was_there| if was_there { Vec::new() } else { one(None) };
            return Ok(deleted.map(answer));
        }
        "put" => Draft::parse(words.json().as_bytes())
            .and_then(|draft| transaction.put(collection, id, draft)),
        "replace" => Draft::parse(words.json().as_bytes())
            .and_then(|draft| transaction.replace(collection, id, draft)),
        "merge" => MergePatch::parse(words.json().as_bytes())
            .and_then(|patch| transaction.merge(collection, id, &patch)),
        "update" => Update::parse(words.json())
            .and_then(|update| transaction.update(collection, id, update)),
        "require" => {
            let version = words.number()? as u64;
            transaction.require_version(collection, id, Version::new(version))
        }
        _ => return Err(format!("unknown command {verb:?}")),
    };
    Ok(done.map(|()| Vec::new()))
}

fn show(document: &Document) -> String {
    document.to_json_with_version()
}

fn lines(values: Vec<Json>) -> Vec<String> {
    match values.is_empty() {
        true => vec!["nothing".to_owned()],
        false => values.iter().map(Json::to_string).collect(),
    }
}

fn version_line(version: Version) -> String {
    format!("version {version}")
}

/// What is left of a command.
#[derive(Clone, Copy)]
struct Words<'a>(&'a str);

impl<'a> Words<'a> {
    fn word(&mut self) -> Result<&'a str, Fault> {
        let (word, rest) = self.0.split_once(' ').unwrap_or((self.0, ""));
        self.0 = rest.trim_start();
        if word.is_empty() { Err("the command ends too early".into()) } else { Ok(word) }
    }

    fn number(&mut self) -> Result<usize, Fault> {
        let word = self.word()?;
        word.parse().map_err(|_| format!("{word:?} is no number"))
    }

    /// One JSON value; all of the rest where it is none, so that errors can be shown.
    fn json(&mut self) -> &'a str {
        let mut values = serde_json::Deserializer::from_str(self.0).into_iter::<Box<RawValue>>();
        let end = match values.next() {
            Some(Ok(_)) => values.byte_offset(),
            Some(Err(_)) | None => self.0.len(),
        };
        let (json, rest) = self.0.split_at(end);
        self.0 = rest.trim_start();
        json
    }

    /// `PATHS|- [NAME=METRIC[:PATH]]…`, until a filter begins.
    fn aggregate(&mut self) -> Result<Result<Aggregate, Error>, Fault> {
        let paths = self.word()?.split(',').filter(|path| *path != "-");
        let mut aggregate = Aggregate::by(paths);
        while !self.0.is_empty() && !self.0.starts_with('{') {
            let word = self.word()?;
            let (name, metric) = word.split_once('=').ok_or(format!("{word:?} is no metric"))?;
            let (metric, path) = match metric.split_once(':') {
                Some((metric, path)) => (metric, Some(path)),
                None => (metric, None),
            };
            let metric = Metric::parse(metric, path);
            aggregate = aggregate.and_then(|aggregate| aggregate.metric(name, metric?));
        }
        Ok(aggregate)
    }

    /// `FILTER [sort PATHS] [limit N] [offset N]`
    fn query(&mut self) -> Result<Result<Query, Error>, Fault> {
        let mut query = match Filter::parse(self.json()) {
            Ok(filter) => Query::new(filter),
            Err(error) => return Ok(Err(error)),
        };
        while !self.0.is_empty() {
            query = match self.word()? {
                "sort" => match self.word()?.parse::<Sort>() {
                    Ok(sort) => query.sort(sort),
                    Err(error) => return Ok(Err(error)),
                },
                "limit" => query.limit(self.number()?),
                "offset" => query.offset(self.number()?),
                other => return Err(format!("unknown clause {other:?}")),
            };
        }
        Ok(Ok(query))
    }
}

//! `cargo bench -p benches --bench operations`: what the engine does to one document, each step by
//! itself and in memory.
//!
//! The comparison tells how long a user waits; this tells where a change made a step slower.

use std::hint::black_box;

use benches::Sample;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use monsterdb::{
    Aggregate, CollectionName, Database, Document, Draft, Filter, IndexDefinition, Metric,
    Projection, Query, Sort, Update, field,
};

/// Documents of the collection that is asked.
const DOCUMENTS: usize = 10_000;

/// A database in memory with so many documents, and two indexes.
fn database() -> Database {
    let database = Database::in_memory();
    let name = CollectionName::new("docs").expect("it is a name");
    for batch in (0..DOCUMENTS).collect::<Vec<_>>().chunks(1_000) {
        let written = database.transact(|tx| {
            for number in batch {
                tx.insert(&name, Draft::parse(Sample::new(*number).text.as_bytes())?)?;
            }
            Ok(())
        });
        written.expect("samples can be written");
    }
    for path in ["age", "balance"] {
        let definition = IndexDefinition::on([path]).expect("it is a path");
        database.create_index("docs", path, definition).expect("samples can be indexed");
    }
    database
}

fn documents(c: &mut Criterion) {
    let sample = Sample::new(1);
    let id = monsterdb::DocumentId::new(&sample.id).expect("it is an id");
    let document = || -> Document {
        Draft::parse(sample.text.as_bytes())
            .and_then(|draft| draft.into_document(&id))
            .expect("a sample is a document")
    };
    let one = document();
    let mut group = c.benchmark_group("document");
    group.bench_function("parse", |b| b.iter(|| black_box(document())));
    let filter = Filter::parse(r#"{"active":true,"address.zip":{"$lt":"50000"}}"#);
    let filter = filter.expect("it is a filter");
    group.bench_function("match", |b| b.iter(|| black_box(filter.matches(&one))));
    let projection = Projection::parse(["name", "address.zip"]).expect("they are paths");
    group.bench_function("project", |b| b.iter(|| black_box(projection.apply(&one))));
    let update = Update::parse(r#"{"$inc":{"age":1},"$push":{"tags":"new"}}"#);
    let update = update.expect("it is an update");
    group.bench_function("update", |b| b.iter(|| black_box(update.apply(&one)).is_ok()));
    group.finish();
}

fn transactions(c: &mut Criterion) {
    let database = database();
    let name = CollectionName::new("docs").expect("it is a name");
    let collection = database.collection::<monsterdb::Json>("docs").expect("it is a name");
    let mut group = c.benchmark_group("transaction");
    group.bench_function("get", |b| b.iter(|| black_box(collection.get_text("user-00000007"))));
    let mut next = DOCUMENTS;
    let mut sample = || {
        next += 1;
        Sample::new(next)
    };
    let insert = |sample: Sample| {
        let inserted =
            database.transact(|tx| tx.insert(&name, Draft::parse(sample.text.as_bytes())?));
        inserted.expect("a new sample can be inserted")
    };
    group.bench_function("insert", |b| b.iter_batched(&mut sample, insert, BatchSize::SmallInput));
    group.bench_function("increment", |b| {
        b.iter(|| collection.update("user-00000007", r#"{"$inc":{"age":1}}"#).is_ok());
    });
    group.finish();
}

fn queries(c: &mut Criterion) {
    let database = database();
    let snapshot = database.snapshot();
    let source = &**snapshot.collection("docs").expect("it was written to");
    let mut group = c.benchmark_group("query");
    let equality = || Query::new(field("age").eq(42));
    group.bench_function("equality", |b| {
        b.iter(|| equality().find(source).expect("it can be asked"));
    });
    let top = || {
        let sort = Sort::parse(["-address.zip"]).expect("it is a path");
        Query::new(Filter::all()).sort(sort).limit(20)
    };
    group.bench_function("top", |b| {
        b.iter(|| top().find(source).expect("it can be asked"));
    });
    let groups = Aggregate::by(["city"]).and_then(|by| by.metric("documents", Metric::Count));
    let groups = groups.expect("it is a path");
    group.bench_function("aggregate", |b| {
        b.iter(|| Query::new(Filter::all()).aggregate(&groups, source).expect("it can be asked"));
    });
    group.finish();
}

criterion_group!(operations, documents, transactions, queries);
criterion_main!(operations);

//! A query that takes too long is refused, in whatever way it is answered.

use std::time::Duration;

use monsterdb::{
    Aggregate, Database, Error, Filter, Json, Metric, Query, Result, Sort, document::Path, field,
};

/// A query over many documents that gets no time at all, in every way in which one is answered.
#[test]
fn a_query_without_time_is_refused_however_it_is_answered() {
    for documents in [1_000, 20_000] {
        let database = Database::in_memory();
        let collection = database.collection::<Json>("c").unwrap();
        let insert = |from: u32| {
            database
                .transact(|tx| {
                    let collection = tx.collection::<Json>("c")?;
                    (from..from + 1000).try_for_each(|n| {
                        let text = format!(r#"{{"_id":"{n:06}","n":{n}}}"#);
                        collection.insert(&Json::parse(&text)?).map(drop)
                    })
                })
                .unwrap();
        };
        (0..documents).step_by(1000).for_each(insert);
        assert_eq!(collection.count(Filter::all()).unwrap(), documents as usize);
        let snapshot = database.snapshot();
        let source = &**snapshot.collection("c").unwrap();
        let query = || Query::new(field("n").gte(0)).within(Duration::ZERO);
        let refused = |told: Result<()>| match told {
            Err(Error::LimitExceeded { what, max, .. }) => {
                assert_eq!((what, max), ("a query's time in milliseconds", 0))
            }
            other => panic!("{other:?}"),
        };
        refused(query().find(source).map(drop));
        refused(query().sort(Sort::parse(["-n"]).unwrap()).find(source).map(drop));
        refused(query().sort(Sort::parse(["-n"]).unwrap()).limit(5).find(source).map(drop));
        refused(query().count(source).map(drop));
        refused(query().explain(source).map(drop));
        refused(query().distinct(&Path::parse("n").unwrap(), source).map(drop));
        let aggregate = Aggregate::by([]).unwrap().metric("n", Metric::Count).unwrap();
        refused(query().aggregate(&aggregate, source).map(drop));
        // One with time enough is answered.
        let patient = query().within(Duration::from_secs(3600));
        assert_eq!(patient.count(source).unwrap(), documents as usize);
    }
}

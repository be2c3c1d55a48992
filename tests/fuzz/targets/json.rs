//! The border: what gets in is JSON, keeps its meaning, and gets in again as the same text.
#![no_main]

use fuzz::{json, meaning};
use libfuzzer_sys::fuzz_target;
use monsterdb::{DocumentId, Draft, Error, Json, document};
use serde_json::Value;

fuzz_target!(|input: &[u8]| {
    let read = serde_json::from_slice::<Value>(input);
    match Draft::parse(input) {
        Ok(draft) => admitted(draft, read.expect("what the border lets in is JSON")),
        Err(Error::InvalidJson { .. }) => assert!(read.is_err(), "the border refuses JSON as none"),
        Err(Error::InvalidDocument { .. }) => {}
        Err(error) => panic!("an input this short: {error}"),
    }
    if let Ok(value) =
        std::str::from_utf8(input).map_err(drop).and_then(|t| Json::parse(t).map_err(drop))
    {
        let again = Json::parse(value.as_str()).expect("compact text is let in again");
        assert_eq!(again.as_str(), value.as_str());
        assert_eq!(
            document::compare(Some(again.as_raw()), Some(value.as_raw())),
            std::cmp::Ordering::Equal
        );
        assert_eq!(meaning(value.as_raw()), json(value.as_str()));
    }
});

/// What holds for a body that the border has let in.
fn admitted(draft: Draft, mut body: Value) {
    let id = draft.id().cloned();
    let id = id.unwrap_or_else(|| DocumentId::new("none").expect("it is an id"));
    let document = draft.into_document(&id).expect("an input this short fits");
    assert_eq!(document.id(), id.as_str());
    assert_eq!(meaning(document.raw()), json(document.json()));

    let again = Draft::parse(document.json().as_bytes()).expect("what is stored is let in again");
    assert_eq!((again.id(), again.expected()), (Some(&id), None));
    let again = again.into_document(&id).expect("it fitted before");
    assert_eq!(again.json(), document.json());

    let members = body.as_object_mut().expect("a document is an object");
    members.remove("_version");
    members.insert("_id".to_owned(), Value::from(id.as_str()));
    assert_eq!(json(document.json()), body);
}

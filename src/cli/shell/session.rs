//! What a statement does, and what is shown for it.

use std::{cell::RefCell, rc::Rc};

use serde_json::json;

use super::{
    super::{Failure, QuestionArgs, remote::understood},
    show,
    statement::{Asked, Change, IndexStatement, Statement, Which},
    store::Store,
    vocabulary::Vocabulary,
};

/// Documents that a person is shown when they do not say how many.
const ROWS: usize = 50;

/// A shell's state between two statements.
pub(super) struct Session {
    store: Store,
    json: bool,
    vocabulary: Rc<RefCell<Vocabulary>>,
}

/// What comes of a statement.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// There was none.
    Nothing,
    /// Lines to show, each ended.
    Shown(String),
    /// The session is to end.
    Left,
}

impl Session {
    /// A session on a store, which is asked for its collections.
    pub(super) fn new(store: Store, json: bool) -> Result<Session, Failure> {
        let session = Session { store, json, vocabulary: Rc::default() };
        session.collections()?;
        Ok(session)
    }

    /// What has been met so far, for completion.
    pub(super) fn vocabulary(&self) -> Rc<RefCell<Vocabulary>> {
        Rc::clone(&self.vocabulary)
    }

    /// The collections, each as a line of JSON.
    pub(super) fn collections(&self) -> Result<Vec<String>, Failure> {
        let lines = self.store.collections()?;
        let mut vocabulary = self.vocabulary.borrow_mut();
        for line in &lines {
            let described: serde_json::Value = understood(line)?;
            vocabulary.add_collection(described["name"].as_str().unwrap_or_default());
        }
        Ok(lines)
    }

    /// Does what a text says. `width` is that of the terminal, where there is one.
    pub(super) fn respond(&self, text: &str, width: Option<usize>) -> Result<Outcome, Failure> {
        self.answer(text, width).map_err(|failure| match failure {
            // What the command line is told of its arguments, a statement is told of its own.
            Failure::Usage { argument, reason } => {
                Failure::Statement(format!("{argument}: {reason}"))
            }
            other => other,
        })
    }

    /// Ends it in good order.
    pub(super) fn close(self) -> Result<(), Failure> {
        self.store.close()
    }

    fn answer(&self, text: &str, width: Option<usize>) -> Result<Outcome, Failure> {
        let statement = match Asked::parse(text)? {
            Asked::Nothing => return Ok(Outcome::Nothing),
            Asked::Help(text) => return Ok(Outcome::Shown(format!("{text}\n"))),
            Asked::Statement(statement) => *statement,
        };
        let shown = match statement {
            Statement::Exit => return Ok(Outcome::Left),
            Statement::Collections => self.rows(&self.collections()?, "no collection", width),
            Statement::Find(question) => self.find(question, width)?,
            Statement::Count(args) => {
                let question = QuestionArgs::of(args.collection, args.filter);
                self.find(QuestionArgs { count: true, ..question }, width)?
            }
            Statement::Explain(question) => {
                self.find(QuestionArgs { explain: true, ..question }, width)?
            }
            Statement::Get(args) => {
                let document = self.store.get(&args.collection, &args.id)?;
                self.vocabulary.borrow_mut().add_document(&document);
                match self.json {
                    true => document + "\n",
                    false => show::unfolded(&document) + "\n",
                }
            }
            Statement::Index(statement) => self.index(statement, width)?,
            Statement::Change(change) => self.change(change)?,
        };
        Ok(Outcome::Shown(shown))
    }

    fn find(&self, mut question: QuestionArgs, width: Option<usize>) -> Result<String, Failure> {
        let are_documents = question.asks_for_documents();
        // One more than is shown tells whether there is more.
        let is_cut = are_documents && !self.json && question.limit.is_none();
        if is_cut {
            question.limit = Some(ROWS + 1);
        }
        let mut lines = Vec::new();
        self.store.ask(&question, self.json, &mut |line| {
            lines.push(line.to_owned());
            Ok(())
        })?;
        if !are_documents {
            return Ok(match question.explain || question.count {
                true => lines.iter().map(|line| format!("{line}\n")).collect(),
                false => self.rows(&lines, "nothing", width),
            });
        }
        let mut vocabulary = self.vocabulary.borrow_mut();
        lines.iter().take(ROWS).for_each(|line| vocabulary.add_document(line));
        let has_more = is_cut && lines.len() > ROWS;
        lines.truncate(if is_cut { ROWS } else { usize::MAX });
        let mut shown = self.rows(&lines, "no document", width);
        if has_more {
            let next = question.offset + ROWS;
            shown.push_str(&format!("there are more: --offset {next}, or --limit N\n"));
        }
        Ok(shown)
    }

    fn change(&self, change: Change) -> Result<String, Failure> {
        match change {
            Change::Create(args) => {
                let name = &args.collection;
                let is_new = self.store.create(name)?;
                self.vocabulary.borrow_mut().add_collection(name.as_str());
                let text = match is_new {
                    true => format!("made collection {name}"),
                    false => format!("collection {name} is there already"),
                };
                Ok(self.told(json!({ "collection": name.as_str(), "made": is_new }), &text))
            }
            Change::Drop(args) => {
                let name = &args.collection;
                self.store.drop_collection(name)?;
                self.vocabulary.borrow_mut().remove_collection(name.as_str());
                Ok(self.told(json!({ "dropped": name.as_str() }), &format!("dropped {name}")))
            }
            Change::Insert(args) => {
                let ids = self.store.insert(&args.collection, &args.documents)?;
                self.met(args.collection.as_str(), &args.documents);
                let text = format!("inserted {}", ids.join(", "));
                Ok(self.told(json!({ "inserted": ids }), &text))
            }
            Change::Put(args) => {
                let is_new = self.store.put(&args.collection, &args.id, &args.document)?;
                self.met(args.collection.as_str(), std::slice::from_ref(&args.document));
                let (id, did) = (&args.id, if is_new { "inserted" } else { "replaced" });
                Ok(self.told(json!({ did: id.as_str() }), &format!("{did} {id}")))
            }
            Change::Update(args) => {
                let which = &args.which.which;
                let count = self.store.update(&args.which.collection, which, &args.update)?;
                Ok(self.counted("updated", count, which))
            }
            Change::Delete(args) => {
                let count = self.store.delete(&args.collection, &args.which)?;
                Ok(self.counted("deleted", count, &args.which))
            }
        }
    }

    fn index(&self, statement: IndexStatement, width: Option<usize>) -> Result<String, Failure> {
        match statement {
            IndexStatement::Create(index) => {
                let made = self.store.create_index(&index, self.json || width.is_none())?;
                self.vocabulary.borrow_mut().add_collection(index.collection.as_str());
                let described: serde_json::Value = understood(&made.text)?;
                let (name, entries) = (&index.name, &described["entries"]);
                let text = match made.is_new {
                    true => format!("made index {name}: {entries} entries"),
                    false => format!("index {name} is there already: {entries} entries"),
                };
                Ok(self.told(json!({ "made": made.is_new, "index": described }), &text))
            }
            IndexStatement::List(args) => {
                let lines = self.store.indexes(&args.collection)?;
                Ok(self.rows(&lines, "no index", width))
            }
            IndexStatement::Drop(args) => {
                self.store.drop_index(&args.collection, &args.name)?;
                let name = &args.name;
                let text = format!("dropped index {name}");
                Ok(self.told(json!({ "dropped": name.as_str() }), &text))
            }
        }
    }

    fn met(&self, collection: &str, documents: &[String]) {
        let mut vocabulary = self.vocabulary.borrow_mut();
        vocabulary.add_collection(collection);
        documents.iter().for_each(|document| vocabulary.add_document(document));
    }

    fn counted(&self, did: &str, count: usize, which: &Which) -> String {
        let text = match which {
            Which::One(id) => format!("{did} {id}"),
            Which::Matching(_) if count == 1 => format!("{did} 1 document"),
            Which::Matching(_) => format!("{did} {count} documents"),
        };
        self.told(json!({ did: count }), &text)
    }

    fn told(&self, json: serde_json::Value, text: &str) -> String {
        if self.json { format!("{json}\n") } else { format!("{text}\n") }
    }

    fn rows(&self, lines: &[String], none: &str, width: Option<usize>) -> String {
        match (self.json, lines) {
            (true, _) => lines.iter().map(|line| format!("{line}\n")).collect(),
            (false, []) => format!("{none}\n"),
            (false, _) => show::table(lines, width),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;
    use crate::database::Database;

    fn session(json: bool) -> Session {
        Session::new(Store::Directory(Box::new(Database::in_memory())), json).unwrap()
    }

    fn shown(session: &Session, text: &str) -> String {
        match session.respond(text, Some(80)) {
            Ok(Outcome::Shown(shown)) => shown,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_document_from_its_insertion_to_its_end() {
        let session = session(false);
        assert_eq!(shown(&session, "collections"), "no collection\n");
        assert_eq!(shown(&session, r#"insert c {"_id":"a","n":1} {"_id":"b"}"#), "inserted a, b\n");
        assert_eq!(shown(&session, "update c a {\"$inc\": {\"n\": 1}}"), "updated a\n");
        assert_eq!(shown(&session, "update c b {\"n\": 5}"), "updated b\n");
        let found = "_id  _version  n\n---  --------  -\nb           3  5\n";
        assert_eq!(shown(&session, "find c {\"n\": {\"$gt\": 2}}"), found);
        assert_eq!(
            shown(&session, "update c {} {\"$set\": {\"x\": null}}"),
            "updated 2 documents\n"
        );
        assert_eq!(shown(&session, "count c"), "2\n");
        assert_eq!(shown(&session, "find c --distinct n"), "2\n5\n");
        assert_eq!(shown(&session, "find c --metric n=count"), "n\n-\n2\n");
        assert_eq!(shown(&session, "put c a {}"), "replaced a\n");
        assert_eq!(shown(&session, "get c a"), "{\n  \"_id\": \"a\",\n  \"_version\": 5\n}\n");
        assert_eq!(shown(&session, "index create c by_n n"), "made index by_n: 2 entries\n");
        assert!(shown(&session, "index list c").contains("by_n  [\"n\"]"));
        assert!(shown(&session, "explain c {\"n\": 5}").contains("index by_n"));
        assert_eq!(shown(&session, "index drop c by_n"), "dropped index by_n\n");
        assert_eq!(shown(&session, "delete c {\"n\": 5}"), "deleted 1 document\n");
        assert_eq!(shown(&session, "delete c a"), "deleted a\n");
        assert_eq!(shown(&session, "find c"), "no document\n");
        assert_eq!(shown(&session, "drop c"), "dropped c\n");
        assert_eq!(shown(&session, "create d"), "made collection d\n");
        assert_eq!(session.respond("exit", None).unwrap(), Outcome::Left);
    }

    #[test]
    fn programs_get_lines_of_json() {
        let session = session(true);
        assert_eq!(shown(&session, "insert c {\"_id\":\"a\"}"), "{\"inserted\":[\"a\"]}\n");
        assert_eq!(shown(&session, "find c"), "{\"_id\":\"a\",\"_version\":1}\n");
        assert_eq!(shown(&session, "get c a"), "{\"_id\":\"a\",\"_version\":1}\n");
        assert_eq!(shown(&session, "put c b {}"), "{\"inserted\":\"b\"}\n");
        assert_eq!(shown(&session, "delete c {}"), "{\"deleted\":2}\n");
        assert!(shown(&session, "collections").starts_with("{\"name\":\"c\",\"count\":0,"));
        assert_eq!(shown(&session, "find c"), "");
    }

    #[test]
    fn a_person_is_shown_a_page_and_told_of_more() {
        let session = session(false);
        let documents: Vec<String> = (0..60).map(|n| format!("{{\"_id\":\"{n:02}\"}}")).collect();
        shown(&session, &format!("insert c {}", documents.join(" ")));
        let found = shown(&session, "find c --offset 5");
        assert_eq!(found.lines().count(), 2 + 50 + 1);
        assert!(found.ends_with("there are more: --offset 55, or --limit N\n"), "{found}");
        assert_eq!(shown(&session, "find c --offset 10").lines().count(), 2 + 50);
        assert_eq!(shown(&session, "find c --limit 55").lines().count(), 2 + 55);
    }

    #[test]
    fn errors_are_those_of_the_commands() {
        let session = session(false);
        let code = |text: &str| {
            let failure = session.respond(text, None).map(|shown| format!("{shown:?}"));
            failure.unwrap_err().code().to_owned()
        };
        assert_eq!(code("find none"), "collection-not-found");
        shown(&session, "insert c {\"_id\":\"a\"}");
        assert_eq!(code("insert c {\"_id\":\"a\"}"), "already-exists");
        assert_eq!(code("get c b"), "not-found");
        assert_eq!(code("delete c b"), "not-found");
        assert_eq!(code("update c b {\"$inc\":{\"n\":1}}"), "not-found");
        assert_eq!(code("update c {} {\"n\":1}"), "statement");
        assert_eq!(code("find c {\"$a\":1}"), "statement");
        assert_eq!(code("insert c {a}"), "invalid-json");
        assert_eq!(code("fnd"), "statement");
    }
}

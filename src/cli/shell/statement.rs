//! The statements of the shell: the verbs of the command line, without what says where.

use clap::{Parser, Subcommand, error::ErrorKind};

use super::{
    super::{Failure, NewIndexArgs, QuestionArgs},
    words,
};
use crate::names::{CollectionName, DocumentId, IndexName};

/// What `help` says below the list of statements.
const HELP: &str = "\
JSON needs no quotes; while a bracket is open, a statement goes on on the next line. A line that
begins with # is a remark. Tab completes, Ctrl-C drops what is typed, Ctrl-D leaves.

  insert people {\"_id\": \"ada\", \"name\": \"Ada\", \"age\": 36}
  find people {\"age\": {\"$gte\": 18}} --sort -age --fields name,age
  update people ada {\"$inc\": {\"age\": 1}}

help find, or find --help, says all about one of them.";

/// A statement.
#[derive(Debug, Parser)]
#[command(name = "", no_binary_name = true)]
#[command(help_template = "{subcommands}\n\n{after-help}", after_help = HELP)]
#[command(subcommand_help_heading = "Statements")]
pub(super) struct Line {
    #[command(subcommand)]
    pub(super) statement: Statement,
}

/// The statements.
#[derive(Debug, Subcommand)]
pub(super) enum Statement {
    /// List the collections
    Collections,
    /// Show the documents that a filter matches, or what is made of them
    #[command(visible_alias = "query")]
    Find(QuestionArgs),
    /// Count the documents that a filter matches
    Count(MatchArgs),
    /// Answer a question and show how: the plan, what else was considered, what it took
    Explain(QuestionArgs),
    /// Show one document
    Get(DocumentArgs),
    /// What changes something.
    #[command(flatten)]
    Change(Change),
    /// List, make or drop the indexes of a collection
    #[command(subcommand)]
    Index(IndexStatement),
    /// Leave
    #[command(visible_alias = "quit")]
    Exit,
}

/// Statements that change documents and collections.
#[derive(Debug, Subcommand)]
pub(super) enum Change {
    /// Add documents, all or none; one without an _id gets one
    Insert(InsertArgs),
    /// Write a document, whether it is there or not
    Put(PutArgs),
    /// Change a document, or all that a filter matches in one commit
    Update(UpdateArgs),
    /// Delete a document, or all that a filter matches in one commit
    Delete(WhichArgs),
    /// Make a collection
    Create(NameArgs),
    /// Drop a collection with all that is in it
    Drop(NameArgs),
}

/// What to do with indexes.
#[derive(Debug, Subcommand)]
pub(super) enum IndexStatement {
    /// Make an index, and the collection where that is not there
    Create(NewIndexArgs),
    /// List the indexes of a collection
    List(NameArgs),
    /// Drop an index
    Drop(IndexArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct NameArgs {
    /// The collection
    pub(super) collection: CollectionName,
}

#[derive(Debug, clap::Args)]
pub(super) struct MatchArgs {
    /// The collection
    pub(super) collection: CollectionName,

    /// Which documents, e.g. {"age":{"$gte":18}}
    #[arg(default_value = "{}")]
    pub(super) filter: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct DocumentArgs {
    /// The collection
    pub(super) collection: CollectionName,

    /// The document's id
    #[arg(value_parser = DocumentId::new)]
    pub(super) id: DocumentId,
}

#[derive(Debug, clap::Args)]
pub(super) struct InsertArgs {
    /// The collection, which is made if it is not there
    pub(super) collection: CollectionName,

    /// The documents, e.g. {"name":"Ada"} {"name":"Bob"}
    #[arg(required = true, value_name = "DOCUMENT")]
    pub(super) documents: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct PutArgs {
    /// The collection, which is made if it is not there
    pub(super) collection: CollectionName,

    /// The document's id
    #[arg(value_parser = DocumentId::new)]
    pub(super) id: DocumentId,

    /// The document, e.g. {"name":"Ada"}
    pub(super) document: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct UpdateArgs {
    /// The documents.
    #[command(flatten)]
    pub(super) which: WhichArgs,

    /// What changes: operators, e.g. {"$inc":{"n":1}}, or members to be merged, e.g. {"n":1}
    pub(super) update: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct WhichArgs {
    /// The collection
    pub(super) collection: CollectionName,

    /// The document's id, or a filter, e.g. {"done":true}
    #[arg(value_name = "ID|FILTER", value_parser = parse_which)]
    pub(super) which: Which,
}

#[derive(Debug, clap::Args)]
pub(super) struct IndexArgs {
    /// The collection
    pub(super) collection: CollectionName,

    /// The index
    #[arg(value_parser = IndexName::new)]
    pub(super) name: IndexName,
}

/// Which documents are changed.
#[derive(Debug, Clone)]
pub(super) enum Which {
    One(DocumentId),
    Matching(String),
}

/// What a text asks for.
#[derive(Debug)]
pub(super) enum Asked {
    Nothing,
    Help(String),
    Statement(Box<Statement>),
}

impl Asked {
    /// Understands a text.
    pub(super) fn parse(text: &str) -> Result<Asked, Failure> {
        if text.trim().is_empty() || text.trim_start().starts_with('#') {
            return Ok(Asked::Nothing);
        }
        let words = words::split(text).map_err(Failure::Statement)?;
        match Line::try_parse_from(words) {
            Ok(line) => Ok(Asked::Statement(Box::new(line.statement))),
            Err(error) if error.kind() == ErrorKind::DisplayHelp => {
                Ok(Asked::Help(error.to_string().trim_end().to_owned()))
            }
            Err(error) => Err(Failure::Statement(in_one_line(&error.to_string()))),
        }
    }
}

/// What the parser says, without the usage below it.
fn in_one_line(error: &str) -> String {
    let parts = error.trim_start_matches("error: ").split("\n\n");
    let parts =
        parts.take_while(|part| !part.starts_with("Usage") && !part.starts_with("For more"));
    let lines = parts.flat_map(str::lines).map(str::trim).filter(|line| !line.is_empty());
    let told = lines.collect::<Vec<_>>().join("; ").replace(":;", ":");
    told.replace("subcommand", "statement")
}

fn parse_which(text: &str) -> Result<Which, String> {
    match text.starts_with('{') {
        true => Ok(Which::Matching(text.to_owned())),
        false => DocumentId::new(text).map(Which::One).map_err(|invalid| invalid.to_string()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Asked::parse(text).map(|asked| format!("{asked:?}")).unwrap_err().to_string()
    }

    #[test]
    fn statements_are_the_verbs_of_the_command_line() {
        let asked = Asked::parse(r#"query c {"a": 1} --sort -a --limit 2"#).unwrap();
        let Asked::Statement(statement) = asked else { panic!("{asked:?}") };
        let Statement::Find(question) = *statement else { panic!("{statement:?}") };
        assert_eq!((question.filter.as_str(), question.limit), (r#"{"a": 1}"#, Some(2)));
        for nothing in ["", "  ", "# a remark {"] {
            assert!(matches!(Asked::parse(nothing), Ok(Asked::Nothing)));
        }
    }

    #[test]
    fn help_is_for_all_and_for_each() {
        let Ok(Asked::Help(all)) = Asked::parse("help") else { panic!() };
        assert!(all.contains("collections  ") && all.contains("Tab completes"), "{all}");
        for text in ["help find", "find --help"] {
            let Ok(Asked::Help(one)) = Asked::parse(text) else { panic!("{text}") };
            assert!(one.contains("--sort") && one.contains("Usage: find"), "{one}");
        }
        let Ok(Asked::Help(one)) = Asked::parse("help index create") else { panic!() };
        assert!(one.contains("--unique"), "{one}");
    }

    #[test]
    fn what_is_not_understood_is_told_in_a_line() {
        assert_eq!(
            refused("fnd c"),
            "unrecognized statement 'fnd'; tip: a similar statement exists: 'find'"
        );
        assert!(refused("get c").contains("<ID>"), "{}", refused("get c"));
        assert!(refused("find a/b").contains("a/b"));
        assert!(refused("find c {\"a\"").contains("bracket"));
        assert!(refused("find c --srot a").contains("--sort"), "{}", refused("find c --srot a"));
        assert!(!refused("find c --srot a").contains('\n'));
    }
}

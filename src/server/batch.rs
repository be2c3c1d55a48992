//! Ordered operations, one commit.
//!
//! With `dry_run` everything is done but the commit: the answer is what a commit would have been
//! told, with `"dry_run":true` and the version that was read in the place of the commit's.
//!
//! Invariant: of a batch, all operations take effect at one version or none does.

use actix_web::{HttpRequest, http::StatusCode, web::Data};
use serde::Serialize;

use super::{
    Service,
    auth::{Allowed, Caller, Write},
    body::{Body, Object, elements},
    extract::MediaType,
    ground::Base,
    idempotency::{Effect, Once, take_effect},
    kinds::Kind,
    operation::{Operation, Updates},
    problem::Problem,
    respond::{self, json_text},
};
use crate::{
    database::Database,
    error::{Error, Result},
    limits::BATCH_OPERATIONS_MAX,
    names::DocumentId,
    transaction::Transaction,
};

struct Batch {
    operations: Vec<Operation>,
    dry_run: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    version: u64,
    results: Vec<Outcome<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
}

/// What is told of one operation.
#[derive(Serialize)]
struct Outcome<'a> {
    id: &'a str,
}

/// `POST /transactions/batch`
pub(super) async fn batch(
    Allowed { caller, .. }: Allowed<Write>,
    request: HttpRequest,
    service: Data<Service>,
    body: Body,
) -> Result<respond::Answer, Problem> {
    MediaType::require_json(&request)?;
    let once = Once::of(&request, caller.identity(), body.bytes(), &service.under_way)?;
    let run = move |database: &Database| {
        let batch = Batch::parse(body.text()?, &caller)?;
        match batch.dry_run {
            true => batch.answer(&batch.rehearse(database)?),
            false => batch.answer(&batch.commit(database, once.as_ref())?),
        }
    };
    service.block::<_, Problem>(run).await
}

impl Batch {
    fn parse(text: &str, caller: &Caller) -> Result<Batch, Problem> {
        let mut body = Object::parse(text, "")?;
        let operations = elements(body.require("operations")?, "/operations")?;
        let dry_run = body.boolean("dry_run")?.unwrap_or(false);
        body.finish()?;
        if operations.len() > BATCH_OPERATIONS_MAX {
            let detail = format!(
                "a batch has at most {BATCH_OPERATIONS_MAX} operations, and this has {}",
                operations.len()
            );
            return Err(Problem::new(Kind::LimitExceeded, detail));
        }
        let read = |(place, text): (usize, &str)| {
            let read = Operation::parse(text, &format!("/operations/{place}"), caller);
            read.map_err(|problem| problem.in_operation(place))
        };
        let operations = operations.into_iter().enumerate().map(read).collect::<Result<_, _>>()?;
        Ok(Batch { operations, dry_run })
    }

    fn commit(&self, database: &Database, once: Option<&Once>) -> Result<Effect> {
        let commit = |updates| {
            take_effect(once, &Base::Database(database), |tx| {
                self.run(tx, updates)?;
                Ok(self.ids())
            })
        };
        match commit(Updates::AtCommit) {
            // An update did not fit at the commit. Which one it was is found by looking at once;
            // what it does not fit is published by now.
            Err(
                Error::DocumentNotFound { .. }
                | Error::InvalidUpdate { .. }
                | Error::LimitExceeded { .. },
            ) => commit(Updates::AtOnce),
            outcome => outcome,
        }
    }

    /// Runs the batch without committing it; the version is the one that it read.
    fn rehearse(&self, database: &Database) -> Result<Effect> {
        let tx = database.begin();
        self.run(&tx, Updates::AtOnce)?;
        Ok(Effect { ids: self.ids(), version: tx.version(), is_repeated: false })
    }

    fn run(&self, tx: &Transaction, updates: Updates) -> Result<()> {
        for (place, operation) in self.operations.iter().enumerate() {
            let ran = operation.run(tx, updates);
            ran.map_err(|error| Problem::from(error).in_operation(place))?;
        }
        Ok(())
    }

    fn ids(&self) -> Vec<DocumentId> {
        self.operations.iter().map(|operation| operation.id().clone()).collect()
    }

    fn answer(&self, effect: &Effect) -> Result<respond::Answer, Problem> {
        let results = effect.ids.iter().map(|id| Outcome { id: id.as_str() }).collect();
        let version = effect.version.get();
        let text = json_text(&Answer { version, results, dry_run: self.dry_run });
        Ok(respond::Answer::json(StatusCode::OK, text).marked(effect.is_repeated))
    }
}

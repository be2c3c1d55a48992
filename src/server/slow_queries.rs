//! The log of queries that took long: what was asked, how it was answered, how long it took.
//!
//! Every query takes notes while it is answered ([`Work`]), which is a few additions, so that
//! nothing has to run again when it turns out to be a slow one.
//!
//! Invariant: of the filter only its shape is told. What documents are compared with is itself
//! content of documents, and stays out of the log.

use std::{
    str::FromStr,
    time::{Duration, Instant},
};

use actix_web::{HttpRequest, web::Data};

use super::{
    Service,
    access_log::RequestId,
    question::{Asked, Question},
};
use crate::{names::CollectionName, query::Work, sync::Arc};

/// Bytes of a filter's shape that are told. Names of members are the client's, and of any length.
const SHAPE_BYTES_MAX: usize = 1000;

/// From which time on a query is told of, as it is written: `100ms` or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlowQuery {
    /// When it took as long as this or longer.
    From(Duration),
    /// Never.
    Off,
}

/// Looks at how long one query takes, and ends it when that is too long.
pub(super) struct Watch {
    id: RequestId,
    from: Option<Duration>,
    time: Option<Duration>,
}

impl SlowQuery {
    /// The time; none when no query is told of.
    pub fn threshold(self) -> Option<Duration> {
        match self {
            SlowQuery::From(time) => Some(time),
            SlowQuery::Off => None,
        }
    }
}

impl FromStr for SlowQuery {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<SlowQuery, &'static str> {
        match text {
            "off" => Ok(SlowQuery::Off),
            _ => humantime::parse_duration(text)
                .map(SlowQuery::From)
                .map_err(|_| "it is a time such as 100ms or 2s, or off"),
        }
    }
}

impl Watch {
    /// A watch for the query of this request.
    pub(super) fn of(request: &HttpRequest) -> Watch {
        let service = request.app_data::<Data<Service>>();
        let from = service.and_then(|service| service.slow_query);
        let time = service.map(|service| service.query_timeout);
        Watch { id: RequestId::of(request), from, time }
    }

    /// Answers a question, and tells of it when that took long.
    pub(super) fn answer<T>(
        &self,
        mut question: Question,
        collection: &CollectionName,
        answer: impl FnOnce(&Question) -> T,
    ) -> T {
        question.query.time = self.time;
        let Some(from) = self.from else { return answer(&question) };
        let work = Arc::default();
        let question = Question { query: question.query.noted_in(&work), ..question };
        let begun = Instant::now();
        let answered = answer(&question);
        let time = begun.elapsed();
        if time >= from {
            self.tell(&question, collection, &work, time);
        }
        answered
    }

    fn tell(&self, question: &Question, collection: &CollectionName, work: &Work, time: Duration) {
        let asked = match (&question.asked, question.explain) {
            (_, true) => "explain",
            (Asked::Documents(..), false) => "documents",
            (Asked::Count, false) => "count",
            (Asked::Distinct(_), false) => "distinct",
            (Asked::Aggregate(_), false) => "aggregate",
        };
        let mut filter = question.query.shape();
        if filter.len() > SHAPE_BYTES_MAX {
            let end = (0..=SHAPE_BYTES_MAX).rev().find(|end| filter.is_char_boundary(*end));
            filter.truncate(end.unwrap_or_default());
            filter.push('…');
        }
        tracing::warn!(
            target: "monsterdb::slow",
            id = self.id.as_str(),
            %collection,
            %filter,
            plan = work.plan(),
            keys_examined = work.keys_examined(),
            documents_examined = work.documents_examined(),
            documents_returned = work.documents_returned(),
            milliseconds = time.as_secs_f64() * 1000.0,
            "slow query: {asked}",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_a_time_or_off() {
        let time = |text: &str| text.parse::<SlowQuery>().map(SlowQuery::threshold);
        assert_eq!(time("100ms"), Ok(Some(Duration::from_millis(100))));
        assert_eq!(time("0s"), Ok(Some(Duration::ZERO)));
        assert_eq!(time("off"), Ok(None));
        for wrong in ["", "100", "never", "-1s", "OFF"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }
}

//! The distinct values at a path.

use std::collections::BTreeSet;

use super::{Query, Source, deadline::Deadline, invalid, value::Value};
use crate::{
    document::{Json, Path},
    error::Result,
    limits::{DISTINCT_BYTES_MAX, VALUE_OVERHEAD_BYTES},
};

impl Query {
    /// The distinct values that a path reaches in the documents that match, in the total order of
    /// values; limit, offset and order of the query aside. Of an array each element counts by
    /// itself; null counts, missing does not. Values that filters hold to be equal are one, in the
    /// spelling of the first document by id.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidQuery`](crate::Error::InvalidQuery) when the values take more than
    /// [`DISTINCT_BYTES_MAX`]; else as [`Query::execute`].
    pub fn distinct(&self, path: &Path, source: &dyn Source) -> Result<Vec<Json>> {
        let deadline = Deadline::of(self);
        let matches = self.all_matches().find(source)?;
        let mut values: BTreeSet<Value<'_>> = BTreeSet::new();
        let mut bytes = 0;
        for (_, document) in matches.iter().take_while(deadline.guard()) {
            path.each_value(document, &mut |text| {
                let length = text.len() + VALUE_OVERHEAD_BYTES;
                if bytes <= DISTINCT_BYTES_MAX && values.insert(Value::trusted(text)) {
                    bytes += length;
                }
            });
            if bytes > DISTINCT_BYTES_MAX {
                return Err(invalid(format!(
                    "the distinct values take more than {DISTINCT_BYTES_MAX} bytes; narrow the \
                     filter"
                )));
            }
        }
        deadline.check()?;
        Ok(values.into_iter().map(|value| Json::trusted(value.text())).collect())
    }
}

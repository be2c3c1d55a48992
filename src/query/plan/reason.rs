//! Why a way to answer a query does not serve, as short values: sentences are made of them only
//! when somebody asks.

use crate::{query::Sort, snapshot::IndexPath};

/// Why keys do not come in a query's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::query) enum Disorder {
    /// A document may have several keys.
    Multikey,
    /// Several look-ups stand one behind the other.
    Union,
    /// Some of its directions are the sort's, some are the opposite.
    Directions,
    /// The sort goes down to the ids, which always ascend.
    AscendingIds,
    /// This part of the sort is not this path; or there is no path left.
    Wants { part: usize, path: Option<usize> },
    /// This path comes before the ids.
    GoesOn { path: usize },
}

/// Why a way cannot be taken at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::query) enum Unusable {
    /// The index holds only documents of its own filter, which the query's does not imply.
    NotImplied,
    /// The filter does not bound its first path.
    Unbounded,
    /// A branch of an `$or` that nothing but a walk over all documents would find.
    Branch(String),
}

impl Disorder {
    /// The sentence about keys of these paths and an order.
    pub(super) fn text(self, paths: &[IndexPath], sort: &Sort) -> String {
        let name = |place: usize| paths.get(place).map(ToString::to_string).unwrap_or_default();
        match self {
            Disorder::Multikey => "it is multikey, and those give no order".to_owned(),
            Disorder::Union => "a union comes in no order".to_owned(),
            Disorder::Directions => format!("its directions do not agree with the sort {sort}"),
            Disorder::AscendingIds => "it ends in ascending ids, whatever its direction".to_owned(),
            Disorder::Wants { part, path } => {
                let wanted = sort.parts.get(part).map(|part| part.path.to_string());
                let wanted = wanted.unwrap_or_default();
                match path {
                    Some(path) => {
                        format!("the sort {sort} wants {wanted} where it has {}", name(path))
                    }
                    None => format!("the sort {sort} wants {wanted} where it ends"),
                }
            }
            Disorder::GoesOn { path } => {
                format!("it goes on with {} where the order is that of ids", name(path))
            }
        }
    }
}

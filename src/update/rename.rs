//! `$rename`: a member moved to another path, as if it were unset there and set here.
//!
//! Where the member is missing nothing happens. Neither path may lead through an array: which
//! element is meant would change with the array.
//!
//! Invariant: both paths of every rename are in conflict with no other path of the update, so all
//! values moved are those from before the update.

use std::borrow::Cow;

use super::{
    invalid,
    operators::{Operation, json},
    read_path,
    tree::{Branch, Change},
};
use crate::document::{Kind, Path, Raw};
use crate::error::Result;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rename {
    from: Path,
    to: Path,
    pointer: String,
}

impl Rename {
    pub(super) fn read(from: Path, operand: Raw<'_>, pointer: String) -> Result<Rename> {
        let Some(to) = operand.as_str() else {
            return Err(invalid(pointer, "$rename needs the new path as a string"));
        };
        match read_path(&to) {
            Ok(to) => Ok(Rename { from, to, pointer }),
            Err(reason) => Err(invalid(pointer, reason)),
        }
    }

    fn insert(&self, moved: Raw<'_>, root: &mut Branch) -> Result<()> {
        let change = |operation| Change { pointer: self.pointer.clone(), operation };
        root.insert(&self.from, change(Operation::Unset))?;
        root.insert(&self.to, change(Operation::Set(json(moved))))
    }

    /// What stands at a path; an array on the way is refused.
    fn look<'a>(&self, path: &Path, document: Raw<'a>) -> Result<Option<Raw<'a>>> {
        let mut value = Some(document);
        for name in path.as_str().split('.') {
            value = match value {
                Some(array) if array.kind() == Kind::Array => {
                    let reason = format!("{path} leads through an array");
                    return Err(invalid(&*self.pointer, reason));
                }
                other => other.and_then(|object| object.member(name)),
            };
        }
        Ok(value)
    }
}

/// Refuses paths that meet each other or another path of the update.
pub(super) fn check(renames: &[Rename], root: &Branch) -> Result<()> {
    if renames.is_empty() {
        return Ok(());
    }
    let mut root = root.clone();
    renames.iter().try_for_each(|rename| rename.insert(Raw::NULL, &mut root))
}

/// The changes that the renames come to in this document, among the others.
pub(super) fn resolve<'r>(
    renames: &[Rename],
    root: &'r Branch,
    document: Raw<'_>,
) -> Result<Cow<'r, Branch>> {
    let mut root = Cow::Borrowed(root);
    for rename in renames {
        if let Some(moved) = rename.look(&rename.from, document)? {
            rename.look(&rename.to, document)?;
            rename.insert(moved, root.to_mut())?;
        }
    }
    Ok(root)
}

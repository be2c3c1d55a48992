//! What a repair without a manifest knows to have been done, and does not do.

use super::{Loss, ground::Ground, lost_commit};
use crate::{names::CollectionName, version::Version, wal::Remains};

/// The operation that makes up for what was lost before.
const DROP: &str = "drop_collection";

/// Lists the commits up to the version of the newest file that can only be read, as far as they changed
/// collections that have no file as new. Where a collection was dropped in the end, only that counts.
pub(super) fn list(ground: &Ground, remains: &Remains) -> Vec<Loss> {
    if ground.vouched {
        return Vec::new();
    }
    let end = ground.manifest.version;
    let is_old = |name: &str, version: Version| {
        let entry = CollectionName::stored(name).ok();
        let entry = entry.and_then(|name| ground.manifest.collection(&name));
        let last = entry.and_then(|entry| entry.files.last());
        last.is_none_or(|file| Version::new(file.version) < version)
    };
    let mut lost: Vec<Loss> = Vec::new();
    for record in remains.set_aside(Version::ZERO, end) {
        let mut commit = lost_commit(&record, end);
        if let Loss::Commit { operations, .. } = &mut commit {
            operations.retain(|operation| is_old(&operation.collection, record.seq));
            let dropped = operations.iter().filter(|operation| operation.op == DROP);
            dropped.for_each(|dropped| forget(&mut lost, &dropped.collection));
            lost.push(commit);
        }
    }
    lost.retain(|loss| !matches!(loss, Loss::Commit { operations, .. } if operations.is_empty()));
    lost
}

/// Takes what was done to a collection off a list.
fn forget(lost: &mut [Loss], collection: &str) {
    for loss in lost {
        if let Loss::Commit { operations, .. } = loss {
            operations.retain(|operation| operation.collection != collection);
        }
    }
}

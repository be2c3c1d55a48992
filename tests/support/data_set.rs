//! Real data sets, which are not part of the repository: they lie in `../shared/data`, or in the
//! folder that `MONSTERDB_TEST_DATA` names.

use std::{env, path::PathBuf};

use crate::skipped::skipped;

/// A data set, where it is at hand. A test that needs one passes without it, and says so.
pub(crate) fn data_set(name: &str) -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = env::var_os("MONSTERDB_TEST_DATA").map_or_else(beside, PathBuf::from);
    let path = folder.join(name).canonicalize().ok();
    if path.is_none() {
        skipped(&format!("there is no {name} in {}", folder.display()));
    }
    path
}

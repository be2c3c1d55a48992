//! How openings of a damaged database ended.

use std::collections::BTreeMap;

/// How often damage had which end.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    /// It opened with the last state.
    pub(crate) exact: u64,
    /// So it did, and an index was made anew.
    pub(crate) rebuilt: u64,
    /// It opened with an earlier state that holds all that is provably acknowledged.
    pub(crate) cut: u64,
    /// It did not open.
    pub(crate) refused: u64,
}

/// Prints the ends by kind of file, and adds them up.
pub(crate) fn table(kinds: &BTreeMap<String, Ends>) -> Ends {
    println!("{:<14}{:>8}{:>9}{:>6}{:>9}", "flipped in", "exact", "rebuilt", "cut", "refused");
    let mut all = Ends::default();
    for (kind, Ends { exact, rebuilt, cut, refused }) in kinds {
        println!("{kind:<14}{exact:>8}{rebuilt:>9}{cut:>6}{refused:>9}");
        all.exact += exact;
        all.rebuilt += rebuilt;
        all.cut += cut;
        all.refused += refused;
    }
    all
}

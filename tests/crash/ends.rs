//! How openings of a damaged database ended.

use std::{collections::BTreeMap, fmt::Display};

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
    /// It opened, and a check knows of damage that the opening did not look at.
    pub(crate) known_more: u64,
}

/// Prints the ends by kind of file, and adds them up.
pub(crate) fn table(kinds: &BTreeMap<String, Ends>) -> Ends {
    let head = ["exact", "rebuilt", "cut", "refused", "check alone"];
    let row = |name: &str, row: [&dyn Display; 5]| {
        let [exact, rebuilt, cut, refused, known_more] = row;
        println!("{name:<14}{exact:>8}{rebuilt:>9}{cut:>6}{refused:>9}{known_more:>13}");
    };
    row("flipped in", head.each_ref().map(|name| name as &dyn Display));
    let mut all = Ends::default();
    for (kind, Ends { exact, rebuilt, cut, refused, known_more }) in kinds {
        row(kind, [exact, rebuilt, cut, refused, known_more]);
        all.exact += exact;
        all.rebuilt += rebuilt;
        all.cut += cut;
        all.refused += refused;
        all.known_more += known_more;
    }
    all
}

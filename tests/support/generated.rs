//! Parts of pages that are made by the code, between `<!-- generated: NAME -->` and `<!-- end -->`.

use std::{fs, path::Path};

/// Compares such a part with what the code says. With `MONSTERDB_TEST_UPDATE=1` it is written anew.
pub(crate) fn compare(page: &str, name: &str, said: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = fs::read_to_string(&path).expect("the page is there");
    let begin = format!("<!-- generated: {name} -->\n");
    let (before, rest) = text.split_once(&begin).expect("the page has the part");
    let (written, after) = rest.split_once("<!-- end -->").expect("the part has an end");
    let said = format!("\n{}\n\n", said.trim());
    if std::env::var_os("MONSTERDB_TEST_UPDATE").is_some() {
        fs::write(&path, format!("{before}{begin}{said}<!-- end -->{after}"))
            .expect("the page can be written");
        return;
    }
    let differs = written.lines().zip(said.lines()).find(|(written, said)| written != said);
    assert!(
        written == said,
        "{page}: the part {name} is not what the code says ({differs:?}): run this test again with \
         MONSTERDB_TEST_UPDATE=1"
    );
}

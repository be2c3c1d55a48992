//! Random JSON text, in all the spellings that JSON allows.

use proptest::{collection::vec, prelude::*, sample::select};

/// JSON as it may be written: spellings of numbers and strings, order of members.
#[derive(Clone, Debug)]
pub(crate) enum Tree {
    Scalar(&'static str),
    Array(Vec<Tree>),
    Object(Vec<(&'static str, Tree)>),
}

const SCALARS: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-0",
    "-0.0",
    "1",
    "1.0",
    "10e-1",
    "2",
    "-7",
    "1.5e3",
    "1500",
    "0.1",
    "9007199254740992",
    "9007199254740993",
    "9007199254740992.0",
    "9007199254740994.0",
    "9223372036854775807",
    "9223372036854775808",
    "9223372036854775808.0",
    "18446744073709551615",
    "18446744073709551616.0",
    "-9223372036854775808",
    "-9.3e18",
    "1e300",
    "5e-324",
    r#""""#,
    r#""a""#,
    r#""\u0061""#,
    r#""b\n\"\\\/""#,
    r#""é""#,
    r#""\ud83d\ude00""#,
    r#""😀""#,
    r#""\uffff""#,
    r#""\u0000""#,
    r#""1""#,
];
const KEYS: &[&str] =
    &[r#""a""#, r#""b""#, r#""\u0063""#, r#""""#, r#""é/~""#, r#""0""#, r#""a\"b""#];

pub(crate) fn tree() -> impl Strategy<Value = Tree> {
    select(SCALARS).prop_map(Tree::Scalar).prop_recursive(4, 24, 5, |inner| {
        prop_oneof![vec(inner.clone(), 0..4).prop_map(Tree::Array), object(inner)]
    })
}

pub(crate) fn object(values: impl Strategy<Value = Tree>) -> impl Strategy<Value = Tree> {
    let keys = proptest::sample::subsequence(KEYS, 0..=KEYS.len()).prop_shuffle();
    (keys, vec(values, KEYS.len())).prop_map(|(k, v)| Tree::Object(k.into_iter().zip(v).collect()))
}

impl Tree {
    /// The text with `space` between all tokens.
    pub(crate) fn write(&self, space: &str) -> String {
        let list = |open: &str, items: Vec<String>, close: &str| {
            format!("{open}{space}{}{space}{close}", items.join(&format!("{space},{space}")))
        };
        match self {
            Tree::Scalar(text) => (*text).to_owned(),
            Tree::Array(elements) => {
                list("[", elements.iter().map(|e| e.write(space)).collect(), "]")
            }
            Tree::Object(members) => {
                let member =
                    |(k, v): &(&str, Tree)| format!("{k}{space}:{space}{}", v.write(space));
                list("{", members.iter().map(member).collect(), "}")
            }
        }
    }
}

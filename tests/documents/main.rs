//! Documents over the public interface: the border, the order, updates and patches, each against
//! an independent reference.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../support/data_set.rs"]
mod data_set;
mod generator;
mod reference;
#[path = "../support/skipped.rs"]
mod skipped;

use std::{cmp::Ordering, collections::BTreeSet};

use monsterdb::{
    Document, DocumentId, Draft, Error, Json, MergePatch, Update,
    document::{Raw, compare, same},
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::Value;

use generator::{Tree, object, tree};
use reference::{change, check_border, merge};

const ID: &str = "x";

fn document(body: &str) -> Result<Document, Error> {
    Draft::parse(body.as_bytes())?.into_document(&DocumentId::new(ID)?)
}

/// The code and the pointer or offset of a refusal.
fn refusal(body: &[u8]) -> (&'static str, String) {
    let error = Draft::parse(body).unwrap_err();
    match &error {
        Error::InvalidDocument { pointer, .. } => (error.code(), pointer.clone()),
        Error::InvalidJson { offset, .. } => (error.code(), offset.to_string()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn rules_of_documents() {
    for (body, pointer) in [
        ("[1]", ""),
        ("null", ""),
        (r#"{"a":1,"a":2}"#, "/a"),
        (r#"{"a":1,"b":2,"\u0061":2}"#, "/a"),
        (r#"{"x":[0,{"a/b":{"~":1,"~":1}}]}"#, "/x/1/a~1b/~0"),
        (r#"{"_id":"a","\u005fid":"a"}"#, "/_id"),
        (r#"{"a":[18446744073709551616]}"#, "/a/0"),
        (r#"{"a":-9223372036854775809}"#, "/a"),
        (r#"{"a":1e999}"#, "/a"),
        (r#"{"a\u0000b":1}"#, "/a\0b"),
        (r#"{"_x":1}"#, "/_x"),
        (r#"{"$x":1}"#, "/$x"),
        (r#"{"\u0024x":1}"#, "/$x"),
        (r#"{"_id":1}"#, "/_id"),
        (r#"{"_id":""}"#, "/_id"),
        (r#"{"_id":"a\nb"}"#, "/_id"),
        (r#"{"_version":-1}"#, "/_version"),
        (r#"{"_version":1.0}"#, "/_version"),
        (r#"{"_version":"1"}"#, "/_version"),
    ] {
        assert_eq!(refusal(body.as_bytes()), ("invalid-document", pointer.to_owned()), "{body}");
    }
    let fine =
        r#"{"a":{"_id":1,"$x":"\u0000"},"n":[18446744073709551615,-9223372036854775808,-0]}"#;
    assert!(document(fine).is_ok());
}

#[test]
fn rules_of_json() {
    for (body, offset) in [
        (&b""[..], 0),
        (b"{", 1),
        (b"{} x", 3),
        (b"{}}", 2),
        (b"\xef\xbb\xbf{}", 0),
        (b"{\"a\":\"\xff\"}", 6),
        (b"{'a':1}", 1),
        (b"{\"a\":1,}", 7),
        (b"{\"a\" 1}", 5),
        (b"{\"a\":[1,]}", 8),
        (b"{\"a\":[1 2]}", 8),
        (b"{\"a\":01}", 6),
        (b"{\"a\":+1}", 5),
        (b"{\"a\":1.}", 7),
        (b"{\"a\":.5}", 5),
        (b"{\"a\":1e}", 7),
        (b"{\"a\":-}", 6),
        (b"{\"a\":nul}", 5),
        (b"{\"a\":NaN}", 5),
        (b"{\"a\":\"\n\"}", 6),
        (b"{\"a\":\"\\x\"}", 6),
        (b"{\"a\":\"\\u12g4\"}", 6),
        (b"{\"a\":\"\\ud800\"}", 6),
        (b"{\"a\":\"\\udc00\"}", 6),
        (b"{\"a\":\"\\ud800\\u0041\"}", 6),
        (b"{\"a\":\"", 6),
    ] {
        let text = String::from_utf8_lossy(body);
        assert_eq!(refusal(body), ("invalid-json", offset.to_string()), "{text}");
        assert!(serde_json::from_slice::<Value>(body).is_err(), "{text}");
    }
}

#[test]
fn depth_counts_the_document_as_one() {
    let nested = |levels: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
    assert!(document(&nested(63)).is_ok());
    assert_eq!(refusal(nested(64).as_bytes()).0, "invalid-document");
    assert_eq!(refusal(nested(64).as_bytes()).1, format!("/a{}", "/0".repeat(63)));
    let endless = format!(r#"{{"a":{}"#, r#"{"a":"#.repeat(1_000_000));
    assert_eq!(refusal(endless.as_bytes()).0, "invalid-document");
}

#[test]
fn size_is_that_of_the_compact_text() {
    let text = |length: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(length));
    let most = 16 * 1024 * 1024 - r#"{"_id":"x","a":""}"#.len();
    assert!(document(&format!("{}{}", " ".repeat(1 << 20), text(most))).is_ok());
    assert_eq!(document(&text(most + 1)).unwrap_err().code(), "limit-exceeded");
    assert_eq!(document(&text(most + 100)).unwrap_err().code(), "limit-exceeded");
}

#[test]
fn many_members_are_compared_fast() {
    let members: Vec<_> = (0..200_000).map(|i| format!(r#""m{i}":0"#)).collect();
    assert!(document(&format!("{{{}}}", members.join(","))).is_ok());
    assert_eq!(refusal(format!(r#"{{{},"m7":1}}"#, members.join(",")).as_bytes()).1, "/m7");
}

#[test]
fn real_documents_come_back() {
    for file in ["cities.ndjson", "countries.ndjson"] {
        let Some(path) = data_set::data_set(file) else { continue };
        let lines = std::fs::read_to_string(&path).unwrap();
        for line in lines.lines() {
            let document = document(line).unwrap();
            assert_eq!(document.json(), line.replacen('{', r#"{"_id":"x","#, 1));
        }
    }
}

proptest! {
    #[test]
    fn whitespace_goes_and_all_else_stays(tree in object(tree()), space in "[ \n\r\t]{0,2}") {
        let compact = tree.write("");
        let expected = match compact.as_str() {
            "{}" => r#"{"_id":"x"}"#.to_owned(),
            members => members.replacen('{', r#"{"_id":"x","#, 1),
        };
        let document = document(&tree.write(&space)).unwrap();
        prop_assert_eq!(document.json(), &expected);
        let values: Vec<Value> = document.raw().members().skip(1)
            .map(|m| serde_json::from_str(m.value.text()).unwrap()).collect();
        prop_assert_eq!(values.len(), match &tree { Tree::Object(members) => members.len(), _ => 0 });
    }

    #[test]
    fn the_border_agrees_with_serde(
        tree in tree(),
        space in "[ \n]{0,1}",
        edits in vec((any::<prop::sample::Index>(), select(&b"{}[]\",:\\u0189eE.+-tnf a\x00\x1f\xc3\xa9"[..]), 0..3), 0..4),
    ) {
        let mut bytes = tree.write(&space).into_bytes();
        for (place, byte, kind) in edits {
            let at = place.index(bytes.len() + 1);
            match kind {
                0 => bytes.insert(at, byte),
                1 if at < bytes.len() => bytes[at] = byte,
                _ if at < bytes.len() => { bytes.remove(at); }
                _ => {}
            }
        }
        check_border(&bytes);
    }

    #[test]
    fn the_order_is_total(a in tree(), b in tree(), c in tree()) {
        let texts = [a.write(""), b.write(""), c.write("")];
        let [a, b, c] = texts.each_ref().map(|text| Json::parse(text).unwrap());
        let order = |a: &Json, b: &Json| compare(Some(a.as_raw()), Some(b.as_raw()));
        prop_assert_eq!(order(&a, &a), Ordering::Equal);
        prop_assert_eq!(order(&a, &b), order(&b, &a).reverse());
        if order(&a, &b).is_le() && order(&b, &c).is_le() {
            prop_assert!(order(&a, &c).is_le());
        }
        prop_assert!(!same(a.as_raw(), b.as_raw()) || order(&a, &b).is_eq());
    }

    #[test]
    fn merge_patches_agree_with_the_rfc(target in object(tree()), patch in object(tree())) {
        let (target, patch) = (target.write(""), patch.write(""));
        let before = document(&target).unwrap();
        let after = MergePatch::parse(patch.as_bytes()).unwrap().apply(&before).unwrap();
        let mut expected: Value = serde_json::from_str(before.json()).unwrap();
        merge(&mut expected, &serde_json::from_str(&patch).unwrap());
        prop_assert_eq!(serde_json::from_str::<Value>(after.json()).unwrap(), expected);
        let patch = Json::parse(&patch).unwrap();
        check_untouched(&before, &after, |name| patch.as_raw().member(name).is_some());
    }

    #[test]
    fn updates_agree_with_a_naive_one(
        body in object(tree()),
        paths in vec(vec(select(&["a", "b", "0", "1", "4"][..]), 1..4), 1..5),
        operands in vec(tree(), 5),
    ) {
        let mut update = serde_json::Map::new();
        let mut changes = Vec::new();
        for (i, path) in paths.iter().enumerate() {
            let operator = ["$set", "$unset", "$inc"][(i + path.len()) % 3];
            let operand = if operator == "$inc" { "2".into() } else { operands[i].write("") };
            let operand: Value = serde_json::from_str(&operand).unwrap();
            let entry = update.entry(operator).or_insert_with(|| Value::Object(Default::default()));
            entry.as_object_mut().unwrap().insert(path.join("."), operand.clone());
            changes.push((path.clone(), operator, operand));
        }
        // Changes are made in the order of their paths, which tells in arrays that get longer.
        changes.sort_by(|(a, ..), (b, ..)| a.cmp(b));
        let conflicts = (0..paths.len()).any(|i| (0..paths.len()).any(|j| i != j && paths[j].starts_with(&paths[i])));
        let parsed = Update::parse(&Value::Object(update).to_string());
        if conflicts && paths.iter().collect::<BTreeSet<_>>().len() == paths.len() {
            prop_assert!(parsed.is_err());
        } else if !conflicts {
            // To serde_json -0 is a float, and so would be what it is incremented to.
            let body = body.write("").replace("-0.0", "0.0").replace("-0", "0");
            let before = document(&body).unwrap();
            let mut expected: Value = serde_json::from_str(before.json()).unwrap();
            let fits = changes.iter().all(|(path, operator, operand)| change(Some(&mut expected), path, operator, operand));
            let after = parsed.unwrap().apply(&before);
            prop_assert_eq!(after.is_ok(), fits);
            if let Ok(after) = after {
                prop_assert_eq!(serde_json::from_str::<Value>(after.json()).unwrap(), expected);
                check_untouched(&before, &after, |name| paths.iter().any(|path| path[0] == name));
            }
        }
    }
}

/// Members that were not named stand in the same order with the same text.
fn check_untouched(before: &Document, after: &Document, named: impl Fn(&str) -> bool) {
    let kept = |document: &Document| -> Vec<String> {
        let members = document.raw().members().filter(|member| !named(&member.name()));
        members.map(|member| format!("{}:{}", member.key(), Raw::text(member.value))).collect()
    };
    assert_eq!(kept(before), kept(after));
}

//! The examples of RFC 6902, appendix A, and what they leave out.

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tables {
    use super::super::*;
    use crate::{limits::DOCUMENT_BYTES_MAX, version::Version};

    fn document(body: &str) -> Document {
        let id = DocumentId::new("x").unwrap();
        Draft::parse(body.as_bytes()).unwrap().into_document(&id).unwrap()
    }

    fn patched(body: &str, patch: &str) -> Result<String> {
        let patched = JsonPatch::parse(patch)?.apply(&document(body))?;
        Ok(patched.json().replacen(r#""_id":"x","#, "", 1).replacen(r#""_id":"x""#, "", 1))
    }

    #[test]
    fn appendix_a() {
        for (body, patch, result) in [
            (
                r#"{"foo":"bar"}"#,
                r#"[{"op":"add","path":"/baz","value":"qux"}]"#,
                r#"{"foo":"bar","baz":"qux"}"#,
            ),
            (
                r#"{"foo":["bar","baz"]}"#,
                r#"[{"op":"add","path":"/foo/1","value":"qux"}]"#,
                r#"{"foo":["bar","qux","baz"]}"#,
            ),
            (
                r#"{"baz":"qux","foo":"bar"}"#,
                r#"[{"op":"remove","path":"/baz"}]"#,
                r#"{"foo":"bar"}"#,
            ),
            (
                r#"{"foo":["bar","qux","baz"]}"#,
                r#"[{"op":"remove","path":"/foo/1"}]"#,
                r#"{"foo":["bar","baz"]}"#,
            ),
            (
                r#"{"baz":"qux","foo":"bar"}"#,
                r#"[{"op":"replace","path":"/baz","value":"boo"}]"#,
                r#"{"baz":"boo","foo":"bar"}"#,
            ),
            (
                r#"{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}"#,
                r#"[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]"#,
                r#"{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}"#,
            ),
            (
                r#"{"foo":["all","grass","cows","eat"]}"#,
                r#"[{"op":"move","from":"/foo/1","path":"/foo/3"}]"#,
                r#"{"foo":["all","cows","eat","grass"]}"#,
            ),
            (
                r#"{"baz":"qux","foo":["a",2,"c"]}"#,
                r#"[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]"#,
                r#"{"baz":"qux","foo":["a",2,"c"]}"#,
            ),
            (
                r#"{"foo":"bar"}"#,
                r#"[{"op":"add","path":"/child","value":{"grandchild":{}}}]"#,
                r#"{"foo":"bar","child":{"grandchild":{}}}"#,
            ),
            (
                r#"{"foo":"bar"}"#,
                r#"[{"op":"add","path":"/baz","value":"qux","xyz":123}]"#,
                r#"{"foo":"bar","baz":"qux"}"#,
            ),
            (
                r#"{"/":9,"~1":10}"#,
                r#"[{"op":"test","path":"/~01","value":10}]"#,
                r#"{"/":9,"~1":10}"#,
            ),
            (
                r#"{"foo":["bar"]}"#,
                r#"[{"op":"add","path":"/foo/-","value":["abc","def"]}]"#,
                r#"{"foo":["bar",["abc","def"]]}"#,
            ),
        ] {
            assert_eq!(patched(body, patch).unwrap(), result, "{patch}");
        }
    }

    /// A.9, A.12, A.13 and A.15.
    #[test]
    fn appendix_a_refusals() {
        let failed = patched(r#"{"baz":"qux"}"#, r#"[{"op":"test","path":"/baz","value":"bar"}]"#);
        assert_eq!(failed.unwrap_err().code(), "test-failed");
        let strings =
            patched(r#"{"/":9,"~1":10}"#, r#"[{"op":"test","path":"/~01","value":"10"}]"#);
        assert_eq!(strings.unwrap_err().code(), "test-failed");
        for patch in [
            r#"[{"op":"add","path":"/baz/bat","value":"qux"}]"#,
            r#"[{"op":"add","path":"/baz","value":"qux","op":"remove"}]"#,
        ] {
            assert_eq!(patched(r#"{"foo":"bar"}"#, patch).unwrap_err().code(), "invalid-update");
        }
    }

    #[test]
    fn the_rest_of_the_standard() {
        for (body, patch, result) in [
            // What is not named keeps its spelling and place.
            (
                r#"{"z":1.50,"\u0061":[1e2,{"b":0.10}]}"#,
                r#"[{"op":"replace","path":"/a/1/b","value":1}]"#,
                r#"{"z":1.50,"\u0061":[1e2,{"b":1}]}"#,
            ),
            (r#"{"a":1,"b":2}"#, r#"[{"op":"add","path":"/a","value":3}]"#, r#"{"a":3,"b":2}"#),
            (r#"{"a":[]}"#, r#"[{"op":"add","path":"/a/0","value":3}]"#, r#"{"a":[3]}"#),
            (
                r#"{"a":{"b":1}}"#,
                r#"[{"op":"copy","from":"/a","path":"/c"},{"op":"replace","path":"/c/b","value":2}]"#,
                r#"{"a":{"b":1},"c":{"b":2}}"#,
            ),
            (r#"{"a":1}"#, r#"[{"op":"move","from":"/a","path":"/a"}]"#, r#"{"a":1}"#),
            (r#"{"a":{"b":2}}"#, r#"[{"op":"move","from":"/a/b","path":"/a"}]"#, r#"{"a":2}"#),
            (
                r#"{"a":{"b":1,"c":[1]}}"#,
                r#"[{"op":"test","path":"/a","value":{"c":[1.0],"b":1e0}}]"#,
                r#"{"a":{"b":1,"c":[1]}}"#,
            ),
            (r#"{"a":1}"#, r#"[{"op":"replace","path":"","value":{"b":2}}]"#, r#"{"b":2}"#),
            (
                r#"{"a":1}"#,
                r#"[{"op":"add","path":"","value":{"_id":"x"}},{"op":"add","path":"/c","value":1}]"#,
                r#"{"c":1}"#,
            ),
            (
                r#"{"a":1}"#,
                r#"[{"op":"copy","from":"/_id","path":"/a"},{"op":"test","path":"/_id","value":"x"}]"#,
                r#"{"a":"x"}"#,
            ),
            (r#"{"a":1}"#, "[]", r#"{"a":1}"#),
            (r#"{"":{"":1}}"#, r#"[{"op":"remove","path":"//"}]"#, r#"{"":{}}"#),
        ] {
            assert_eq!(patched(body, patch).unwrap(), result, "{patch}");
        }
    }

    #[test]
    fn what_is_refused_and_where() {
        let refusal =
            |patch: &str| match patched(r#"{"a":[1],"b":{"c":2},"s":3}"#, patch).unwrap_err() {
                Error::InvalidUpdate { pointer, .. } => pointer,
                other => panic!("{patch}: {other:?}"),
            };
        for (operation, member) in [
            (r#"{"op":"add","path":"/a/2","value":1}"#, "/path"),
            (r#"{"op":"add","path":"/a/01","value":1}"#, "/path"),
            (r#"{"op":"add","path":"/s/x","value":1}"#, "/path"),
            (r#"{"op":"add","path":"/a"}"#, "/value"),
            (r#"{"op":"add","path":"a","value":1}"#, "/path"),
            (r#"{"op":"add","path":"/a/~2","value":1}"#, "/path"),
            (r#"{"op":"add","value":1}"#, "/path"),
            (r#"{"op":"remove","path":"/a/-"}"#, "/path"),
            (r#"{"op":"remove","path":"/z"}"#, "/path"),
            (r#"{"op":"remove","path":""}"#, "/path"),
            (r#"{"op":"replace","path":"/z","value":1}"#, "/path"),
            (r#"{"op":"move","from":"/z","path":"/y"}"#, "/from"),
            (r#"{"op":"move","from":"/b","path":"/b/c"}"#, "/path"),
            (r#"{"op":"move","from":"/z","path":"/z"}"#, "/from"),
            (r#"{"op":"copy","from":"/b/d","path":"/y"}"#, "/from"),
            (r#"{"op":"test","path":"/z","value":null}"#, "/path"),
            (r#"{"op":"grow","path":"/a"}"#, "/op"),
            (r#"{"path":"/a"}"#, "/op"),
            ("1", ""),
            (r#"{"op":"replace","path":"/_id","value":"y"}"#, "/path"),
            (r#"{"op":"remove","path":"/_id"}"#, "/path"),
            (r#"{"op":"add","path":"/_version","value":1}"#, "/path"),
            (r#"{"op":"move","from":"/_id","path":"/y"}"#, "/from"),
            (r#"{"op":"copy","from":"/s","path":"/_id"}"#, "/path"),
        ] {
            let patch = format!(r#"[{{"op":"test","path":"/s","value":3}},{operation}]"#);
            assert_eq!(refusal(&patch), format!("/1{member}"), "{operation}");
        }
        for patch in [
            r#"{"op":"remove","path":"/a"}"#,
            r#"[{"op":"replace","path":"","value":[1]}]"#,
            r#"[{"op":"replace","path":"","value":{"_id":"y"}}]"#,
            r#"[{"op":"replace","path":"","value":{"_version":7}}]"#,
            r#"[{"op":"add","path":"/$x","value":1}]"#,
        ] {
            assert_eq!(refusal(patch), "", "{patch}");
        }
    }

    #[test]
    fn the_version_can_be_tested() {
        let document = document(r#"{"a":1}"#);
        document.stamp(Version::new(7));
        let test = |version: u64| {
            let patch = format!(
                r#"[{{"op":"test","path":"/_version","value":{version}}},{{"op":"remove","path":"/a"}}]"#
            );
            JsonPatch::parse(&patch).unwrap().apply(&document)
        };
        assert_eq!(test(7).unwrap().json(), r#"{"_id":"x"}"#);
        assert_eq!(test(6).unwrap_err().code(), "test-failed");
    }

    #[test]
    fn limits() {
        // Each copy doubles what was there.
        let double = r#"{"op":"copy","from":"/a","path":"/a/-"}"#;
        let bomb = format!("[{}]", vec![double; 1_000].join(","));
        assert_eq!(patched(r#"{"a":["x"]}"#, &bomb).unwrap_err().code(), "limit-exceeded");
        // Each three wrap what was there in one more object.
        let wrap = r#"{"op":"add","path":"/b","value":{}},{"op":"move","from":"/a","path":"/b/a"},{"op":"move","from":"/b","path":"/a"}"#;
        let wraps =
            |count| format!(r#"[{},{{"op":"remove","path":"/a"}}]"#, vec![wrap; count].join(","));
        assert_eq!(patched(r#"{"a":1}"#, &wraps(60)).unwrap(), "{}");
        assert_eq!(patched(r#"{"a":1}"#, &wraps(70)).unwrap_err().code(), "invalid-update");
        assert_eq!(patched(r#"{"a":1}"#, &wraps(3_000)).unwrap_err().code(), "invalid-update");
        let large = "x".repeat(DOCUMENT_BYTES_MAX / 3);
        let copies = r#"[{"op":"copy","from":"/a","path":"/b"},{"op":"copy","from":"/a","path":"/c"},{"op":"remove","path":"/b"}]"#;
        let error = patched(&format!(r#"{{"a":"{large}"}}"#), copies).unwrap_err();
        assert_eq!(error.code(), "limit-exceeded");

        let many = vec![r#"{"op":"test","path":"/a","value":1}"#; 10_001].join(",");
        assert_eq!(JsonPatch::parse(&format!("[{many}]")).unwrap_err().code(), "limit-exceeded");

        // Elements put before a million others, ten thousand times.
        let zeros = vec!["0"; 1_000_000].join(",");
        let fronts = vec![r#"{"op":"add","path":"/a/0","value":1}"#; 10_000].join(",");
        let error = patched(&format!(r#"{{"a":[{zeros}]}}"#), &format!("[{fronts}]")).unwrap_err();
        assert_eq!(error.code(), "limit-exceeded");

        let deep = format!("{}{}", "[".repeat(61), "]".repeat(61));
        let add = |path: &str| {
            format!(
                r#"[{{"op":"add","path":"/a","value":{{}}}},{{"op":"add","path":"/a/b","value":{{}}}},{{"op":"add","path":"{path}","value":{deep}}}]"#
            )
        };
        assert!(patched("{}", &add("/a/b/c")).is_ok());
        let deeper = add("/a/b/c")
            .replace(
                r#"{"op":"add","path":"/a/b","value":{}}"#,
                r#"{"op":"add","path":"/a/b","value":{"c":{}}}"#,
            )
            .replace(r#""/a/b/c""#, r#""/a/b/c/d""#);
        assert_eq!(patched("{}", &deeper).unwrap_err().code(), "invalid-update");
    }
}

//! Tables of updates, among them the examples of MongoDB's manual.

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tables {
    use super::super::*;

    fn updated(body: &str, update: &str) -> Result<String> {
        let id = DocumentId::new("x")?;
        let document = Draft::parse(body.as_bytes())?.into_document(&id)?;
        let updated = Update::parse(update)?.apply(&document)?;
        Ok(updated.json().replacen(r#""_id":"x","#, "", 1).replacen(r#""_id":"x""#, "", 1))
    }

    fn refusal(body: &str, update: &str) -> (String, String) {
        match updated(body, update).unwrap_err() {
            Error::InvalidUpdate { pointer, reason } => (pointer, reason),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn operators() {
        for (body, update, result) in [
            (r#"{"b":1.50,"a":2}"#, r#"{"$set":{"a":{"c":[]}}}"#, r#"{"b":1.50,"a":{"c":[]}}"#),
            ("{}", r#"{"$set":{"a.b.c":1,"a.b.d":2}}"#, r#"{"a":{"b":{"c":1,"d":2}}}"#),
            ("{}", r#"{"$set":{"a.0":1}}"#, r#"{"a":{"0":1}}"#),
            (r#"{"a":[1,2]}"#, r#"{"$set":{"a.0":9,"a.4":5}}"#, r#"{"a":[9,2,null,null,5]}"#),
            (r#"{"a":[{"b":1}]}"#, r#"{"$set":{"a.0.c":2}}"#, r#"{"a":[{"b":1,"c":2}]}"#),
            (r#"{"a":[]}"#, r#"{"$set":{"a.1.b":2}}"#, r#"{"a":[null,{"b":2}]}"#),
            (r#"{"\u0061":1}"#, r#"{"$set":{"a":2}}"#, r#"{"\u0061":2}"#),
            (r#"{"a":1,"b":2}"#, r#"{"$unset":{"a":"","z":""}}"#, r#"{"b":2}"#),
            (r#"{"a":[1,2]}"#, r#"{"$unset":{"a.0":"","a.7":"","a.b":""}}"#, r#"{"a":[null,2]}"#),
            (r#"{"a":1}"#, r#"{"$unset":{"a.b.c":""}}"#, r#"{"a":1}"#),
            (r#"{"a":{"b":1}}"#, r#"{"$unset":{"a.b":"","c.d":""}}"#, r#"{"a":{}}"#),
            (r#"{"n":1}"#, r#"{"$inc":{"n":2,"m.k":1.50}}"#, r#"{"n":3,"m":{"k":1.50}}"#),
            (r#"{"n":1}"#, r#"{"$inc":{"n":0.5}}"#, r#"{"n":1.5}"#),
            (r#"{"n":9223372036854775807}"#, r#"{"$inc":{"n":1}}"#, r#"{"n":9223372036854775808}"#),
            (r#"{"a":1}"#, r#"{"$set":{}}"#, r#"{"a":1}"#),
            (r#"{"n":3}"#, r#"{"$mul":{"n":-2,"i":5,"f":5.0}}"#, r#"{"n":-6,"f":0.0,"i":0}"#),
            (r#"{"n":3}"#, r#"{"$mul":{"n":0.5}}"#, r#"{"n":1.5}"#),
            (r#"{"a":[1,2]}"#, r#"{"$mul":{"a.1":10}}"#, r#"{"a":[1,20]}"#),
            (r#"{"n":2.50}"#, r#"{"$min":{"n":2.5,"m":1}}"#, r#"{"n":2.50,"m":1}"#),
            (r#"{"n":2}"#, r#"{"$min":{"n":1.0}}"#, r#"{"n":1.0}"#),
            (r#"{"n":2}"#, r#"{"$max":{"n":1}}"#, r#"{"n":2}"#),
            (r#"{"n":2}"#, r#"{"$max":{"n":"text"}}"#, r#"{"n":"text"}"#),
            (r#"{"n":2}"#, r#"{"$min":{"n":null}}"#, r#"{"n":null}"#),
        ] {
            assert_eq!(updated(body, update).unwrap(), result, "{body} {update}");
        }
    }

    #[test]
    fn renames() {
        for (body, update, result) in [
            (r#"{"a":1.50,"b":2}"#, r#"{"$rename":{"a":"c"}}"#, r#"{"b":2,"c":1.50}"#),
            (r#"{"a":1,"b":2}"#, r#"{"$rename":{"a":"b"}}"#, r#"{"b":1}"#),
            (
                r#"{"a":{"b":[1]}}"#,
                r#"{"$rename":{"a.b":"c.d.e"}}"#,
                r#"{"a":{},"c":{"d":{"e":[1]}}}"#,
            ),
            (r#"{"a":{"b":1}}"#, r#"{"$rename":{"a.b":"a.c"}}"#, r#"{"a":{"c":1}}"#),
            (r#"{"b":2}"#, r#"{"$rename":{"a":"b"}}"#, r#"{"b":2}"#),
            (r#"{"a":1,"b":[]}"#, r#"{"$rename":{"z":"b.0","a.x":"c"}}"#, r#"{"a":1,"b":[]}"#),
            (r#"{"a":1,"n":1}"#, r#"{"$rename":{"a":"b"},"$inc":{"n":1}}"#, r#"{"n":2,"b":1}"#),
        ] {
            assert_eq!(updated(body, update).unwrap(), result, "{body} {update}");
        }
        for (body, update, place) in [
            ("{}", r#"{"$rename":{"a":"a"}}"#, "/$rename/a"),
            ("{}", r#"{"$rename":{"a":"a.b"}}"#, "/$rename/a"),
            ("{}", r#"{"$rename":{"a":"b","b":"c"}}"#, "/$rename/b"),
            ("{}", r#"{"$rename":{"a":"b"},"$set":{"b.c":1}}"#, "/$rename/a"),
            ("{}", r#"{"$rename":{"a":1}}"#, "/$rename/a"),
            ("{}", r#"{"$rename":{"a":"_id"}}"#, "/$rename/a"),
            ("{}", r#"{"$rename":{"_id":"a"}}"#, "/$rename/_id"),
            ("{}", r#"{"$rename":{"a":"$b"}}"#, "/$rename/a"),
            (r#"{"a":[{"b":1}]}"#, r#"{"$rename":{"a.0.b":"c"}}"#, "/$rename/a.0.b"),
            (r#"{"a":1,"b":[]}"#, r#"{"$rename":{"a":"b.0"}}"#, "/$rename/a"),
            (r#"{"a":1,"b":2}"#, r#"{"$rename":{"a":"b.c"}}"#, "/$rename/a"),
        ] {
            assert_eq!(refusal(body, update).0, place, "{body} {update}");
        }
    }

    #[test]
    fn the_time_is_taken_when_the_update_is_read() {
        let id = DocumentId::new("x").unwrap();
        let document = Draft::parse(b"{}").unwrap().into_document(&id).unwrap();
        let update =
            r#"{"$currentDate":{"a":true,"b":{"$type":"date"},"c":{"$type":"timestamp"}}}"#;
        let update = Update::parse(update).unwrap();
        let made = update.apply(&document).unwrap();
        assert_eq!(made, update.apply(&document).unwrap());
        let text = made.raw().member("a").unwrap().as_str().unwrap();
        assert_eq!(text.len(), "2026-01-01T00:00:00.000Z".len());
        let time = humantime::parse_rfc3339(&text).unwrap();
        let since = time.duration_since(std::time::UNIX_EPOCH).unwrap();
        let stamp: u128 = made.raw().member("c").unwrap().text().parse().unwrap();
        assert!(stamp.abs_diff(since.as_millis()) < 60_000, "the two forms tell one time");
        for operand in ["false", "1", r#""date""#, r#"{"$type":"time"}"#, "{}", r#"{"$type":1}"#] {
            let update = format!(r#"{{"$currentDate":{{"a":{operand}}}}}"#);
            assert_eq!(refusal("{}", &update).0, "/$currentDate/a", "{operand}");
        }
    }

    #[test]
    fn what_does_not_fit_the_document() {
        for (body, update, pointer) in [
            (r#"{"a":1}"#, r#"{"$set":{"a.b":1}}"#, "/$set/a.b"),
            (r#"{"a":null}"#, r#"{"$set":{"a.b":1}}"#, "/$set/a.b"),
            (r#"{"a":[]}"#, r#"{"$set":{"a.b":1}}"#, "/$set/a.b"),
            (r#"{"a":[]}"#, r#"{"$set":{"a.10001":1}}"#, "/$set/a.10001"),
            (r#"{"n":"1"}"#, r#"{"$inc":{"n":1}}"#, "/$inc/n"),
            (r#"{"n":null}"#, r#"{"$inc":{"n":1}}"#, "/$inc/n"),
            (r#"{"n":18446744073709551615}"#, r#"{"$inc":{"n":1}}"#, "/$inc/n"),
            (r#"{"n":-9223372036854775808}"#, r#"{"$inc":{"n":-1}}"#, "/$inc/n"),
            (r#"{"n":1e308}"#, r#"{"$inc":{"n":1e308}}"#, "/$inc/n"),
            (r#"{"n":4294967296}"#, r#"{"$mul":{"n":4294967296}}"#, "/$mul/n"),
            (r#"{"n":1e308}"#, r#"{"$mul":{"n":1e308}}"#, "/$mul/n"),
            (r#"{"n":[]}"#, r#"{"$mul":{"n":2}}"#, "/$mul/n"),
            (r#"{"a":1}"#, r#"{"$push":{"a":1}}"#, "/$push/a"),
            (r#"{"a":null}"#, r#"{"$addToSet":{"a":1}}"#, "/$addToSet/a"),
            (r#"{"a":{}}"#, r#"{"$pull":{"a":1}}"#, "/$pull/a"),
        ] {
            assert_eq!(refusal(body, update).0, pointer, "{body} {update}");
        }
    }

    #[test]
    fn what_is_no_update() {
        for (update, pointer) in [
            ("[]", ""),
            ("{}", ""),
            (r#"{"a":1}"#, "/a"),
            (r#"{"$grow":{"a":1}}"#, "/$grow"),
            (r#"{"$set":1}"#, "/$set"),
            (r#"{"$inc":{"n":"1"}}"#, "/$inc/n"),
            (r#"{"$mul":{"n":null}}"#, "/$mul/n"),
            (r#"{"$push":{"a":{"$each":1}}}"#, "/$push/a"),
            (r#"{"$push":{"a":{"$slice":1}}}"#, "/$push/a"),
            (r#"{"$push":{"a":{"$each":[],"$top":1}}}"#, "/$push/a"),
            (r#"{"$push":{"a":{"$each":[],"b":1}}}"#, "/$push/a"),
            (r#"{"$push":{"a":{"$each":[],"$slice":1.5}}}"#, "/$push/a"),
            (r#"{"$push":{"a":{"$each":[],"$position":"0"}}}"#, "/$push/a"),
            (r#"{"$push":{"a":{"$each":[],"$sort":0}}}"#, "/$push/a"),
            (r#"{"$push":{"a":{"$each":[],"$sort":{}}}}"#, "/$push/a"),
            (r#"{"$push":{"a":{"$each":[],"$sort":{"a..b":1}}}}"#, "/$push/a"),
            (r#"{"$addToSet":{"a":{"$each":[],"$slice":1}}}"#, "/$addToSet/a"),
            (r#"{"$pull":{"a":{"$above":1}}}"#, "/$pull/a"),
            (r#"{"$push":{"a":1},"$pull":{"a":1}}"#, "/$pull/a"),
            (r#"{"$set":{"_id":"y"}}"#, "/$set/_id"),
            (r#"{"$set":{"_version":1}}"#, "/$set/_version"),
            (r#"{"$set":{"_x.y":1}}"#, "/$set/_x.y"),
            (r#"{"$set":{"$x":1}}"#, "/$set/$x"),
            (r#"{"$set":{"":1}}"#, "/$set/"),
            (r#"{"$set":{"a":1},"$inc":{"a":1}}"#, "/$inc/a"),
            (r#"{"$set":{"a.b":1},"$unset":{"a":1}}"#, "/$unset/a"),
            (r#"{"$set":{"a":1},"$unset":{"a.b":1}}"#, "/$unset/a.b"),
            (r#"{"$set":{"a":{"b":1e999}}}"#, "/$set/a/b"),
        ] {
            assert_eq!(refusal("{}", update).0, pointer, "{update}");
        }
        assert!(refusal("{}", r#"{"$grow":{}}"#).1.contains("$grow"));
    }

    #[test]
    fn limits_hold_for_results() {
        let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        let set = |path: &str, levels| format!(r#"{{"$set":{{"{path}":{}}}}}"#, deep(levels));
        assert!(updated("{}", &set("a", 61)).is_ok());
        assert!(updated("{}", &set("a.b.c", 61)).is_ok());
        assert_eq!(refusal("{}", &set("a.b.c.d", 61)).0, "");
        let arrays = "[],".repeat(4_000);
        let body = format!(r#"{{"a":[{}]}}"#, arrays.trim_end_matches(','));
        let paths: Vec<_> = (0..4_000).map(|i| format!(r#""a.{i}.9999":0"#)).collect();
        let update = format!(r#"{{"$set":{{{}}}}}"#, paths.join(","));
        assert_eq!(updated(&body, &update).unwrap_err().code(), "limit-exceeded");
    }

    /// The examples of MongoDB's manual, "Array Update Operators".
    #[test]
    fn pushing() {
        let quizzes = r#"{"quizzes":[{"wk":1,"score":10},{"wk":2,"score":8},{"wk":3,"score":5},{"wk":4,"score":6}]}"#;
        for (body, update, result) in [
            (r#"{"scores":[44,78]}"#, r#"{"$push":{"scores":89}}"#, r#"{"scores":[44,78,89]}"#),
            ("{}", r#"{"$push":{"scores":{"$each":[90,92]}}}"#, r#"{"scores":[90,92]}"#),
            (r#"{"a":[1]}"#, r#"{"$push":{"a":[2,3]}}"#, r#"{"a":[1,[2,3]]}"#),
            (r#"{"a":[1]}"#, r#"{"$push":{"a":{"b":1}}}"#, r#"{"a":[1,{"b":1}]}"#),
            (
                quizzes,
                r#"{"$push":{"quizzes":{"$each":[{"wk":5,"score":8},{"wk":6,"score":7},{"wk":7,"score":6}],"$sort":{"score":-1},"$slice":3}}}"#,
                r#"{"quizzes":[{"wk":1,"score":10},{"wk":2,"score":8},{"wk":5,"score":8}]}"#,
            ),
            (
                r#"{"a":[100]}"#,
                r#"{"$push":{"a":{"$each":[50,60,70],"$position":0}}}"#,
                r#"{"a":[50,60,70,100]}"#,
            ),
            (
                r#"{"a":[50,60,70,100]}"#,
                r#"{"$push":{"a":{"$each":[20,30],"$position":2}}}"#,
                r#"{"a":[50,60,20,30,70,100]}"#,
            ),
            (
                r#"{"a":[50,60,20,30,70,100]}"#,
                r#"{"$push":{"a":{"$position":-2,"$each":[90,80]}}}"#,
                r#"{"a":[50,60,20,30,90,80,70,100]}"#,
            ),
        ] {
            assert_eq!(updated(body, update).unwrap(), result, "{body} {update}");
        }
    }

    #[test]
    fn cut_and_sorted() {
        for (body, update, result) in [
            (
                r#"{"a":[40,50,60]}"#,
                r#"{"$push":{"a":{"$each":[80,78,86],"$slice":-5}}}"#,
                r#"{"a":[50,60,80,78,86]}"#,
            ),
            (
                r#"{"a":[89,90]}"#,
                r#"{"$push":{"a":{"$each":[100,20],"$slice":3}}}"#,
                r#"{"a":[89,90,100]}"#,
            ),
            (
                r#"{"a":[89,70,100,20]}"#,
                r#"{"$push":{"a":{"$each":[],"$slice":-3}}}"#,
                r#"{"a":[70,100,20]}"#,
            ),
            (r#"{"a":[89]}"#, r#"{"$push":{"a":{"$each":[1],"$slice":0}}}"#, r#"{"a":[]}"#),
            (
                r#"{"a":[89,70,89,50]}"#,
                r#"{"$push":{"a":{"$each":[40,60],"$sort":1}}}"#,
                r#"{"a":[40,50,60,70,89,89]}"#,
            ),
            (
                r#"{"a":[1,"x",null,[0]]}"#,
                r#"{"$push":{"a":{"$each":[],"$sort":-1}}}"#,
                r#"{"a":[[0],"x",1,null]}"#,
            ),
            (
                r#"{"a":[{"b":{"c":2}},{"b":{"c":1}},3]}"#,
                r#"{"$push":{"a":{"$each":[],"$sort":{"b.c":1}}}}"#,
                r#"{"a":[3,{"b":{"c":1}},{"b":{"c":2}}]}"#,
            ),
            (
                r#"{"a":[{"x":1,"y":1},{"x":1,"y":2}]}"#,
                r#"{"$push":{"a":{"$each":[],"$sort":{"x":1,"y":-1}}}}"#,
                r#"{"a":[{"x":1,"y":2},{"x":1,"y":1}]}"#,
            ),
        ] {
            assert_eq!(updated(body, update).unwrap(), result, "{body} {update}");
        }
    }

    #[test]
    fn sets_and_removal() {
        for (body, update, result) in [
            (
                r#"{"letters":["a","b"]}"#,
                r#"{"$addToSet":{"letters":["c","d"]}}"#,
                r#"{"letters":["a","b",["c","d"]]}"#,
            ),
            (r#"{"tags":["a","b"]}"#, r#"{"$addToSet":{"tags":"b"}}"#, r#"{"tags":["a","b"]}"#),
            (
                r#"{"tags":["a"]}"#,
                r#"{"$addToSet":{"tags":{"$each":["b","a","b"]}}}"#,
                r#"{"tags":["a","b"]}"#,
            ),
            (
                r#"{"a":[1,1,{"x":1,"y":2}]}"#,
                r#"{"$addToSet":{"a":{"$each":[1.0,{"y":2,"x":1},{"x":1.0,"y":2}]}}}"#,
                r#"{"a":[1,1,{"x":1,"y":2},{"y":2,"x":1}]}"#,
            ),
            ("{}", r#"{"$addToSet":{"a.b":7}}"#, r#"{"a":{"b":[7]}}"#),
            (
                r#"{"fruits":["apples","kiwis"],"v":["chips","kiwis"]}"#,
                r#"{"$pull":{"fruits":{"$in":["apples","oranges"]},"v":"chips"}}"#,
                r#"{"fruits":["kiwis"],"v":["kiwis"]}"#,
            ),
            (
                r#"{"votes":[3,5,6,7,7,8]}"#,
                r#"{"$pull":{"votes":{"$gte":6}}}"#,
                r#"{"votes":[3,5]}"#,
            ),
            (
                r#"{"results":[{"item":"A","score":5},{"item":"B","score":8}]}"#,
                r#"{"$pull":{"results":{"score":8,"item":"B"}}}"#,
                r#"{"results":[{"item":"A","score":5}]}"#,
            ),
            (r#"{"a":[[1],1,[1,2]]}"#, r#"{"$pull":{"a":[1]}}"#, r#"{"a":[1,[1,2]]}"#),
            (r#"{"a":[1.0,2,1]}"#, r#"{"$pull":{"a":1}}"#, r#"{"a":[2]}"#),
            ("{}", r#"{"$pull":{"a":1,"b.c":1}}"#, "{}"),
            (
                r#"{"a":[[1,2],[2]]}"#,
                r#"{"$pull":{"a.0":2},"$push":{"a.2":3}}"#,
                r#"{"a":[[1],[2],[3]]}"#,
            ),
        ] {
            assert_eq!(updated(body, update).unwrap(), result, "{body} {update}");
        }
    }

    #[test]
    fn hostile_modifiers() {
        let many: Vec<String> = (0..10_001).map(|n| n.to_string()).collect();
        let many = many.join(",");
        let body = format!(r#"{{"a":[{many}]}}"#);
        for operator in ["$push", "$addToSet"] {
            let update = format!(r#"{{"{operator}":{{"a":{{"$each":[{many}]}}}}}}"#);
            assert_eq!(updated("{}", &update).unwrap(), body, "{operator}");
        }
        let add = format!(r#"{{"$addToSet":{{"a":{{"$each":[{many}]}}}}}}"#);
        assert_eq!(updated(&body, &add).unwrap(), body);
        for (modifier, result) in [
            (r#""$position":9223372036854775807"#, "[1,2,3]"),
            (r#""$position":18446744073709551615"#, "[1,2,3]"),
            (r#""$position":-9223372036854775808"#, "[3,1,2]"),
            (r#""$slice":18446744073709551615"#, "[1,2,3]"),
            (r#""$slice":-9223372036854775808"#, "[1,2,3]"),
            (r#""$slice":-1"#, "[3]"),
        ] {
            let update = format!(r#"{{"$push":{{"a":{{"$each":[3],{modifier}}}}}}}"#);
            let found = updated(r#"{"a":[1,2]}"#, &update).unwrap();
            assert_eq!(found, format!(r#"{{"a":{result}}}"#), "{modifier}");
        }
    }
}

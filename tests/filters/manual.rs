//! The examples of MongoDB's manual, as far as JSON can tell them: pages of operators, and the
//! chapters on arrays, on documents in arrays, and on null.

use crate::matching;

/// Each filter with the places of the documents that the manual shows as its answer.
fn check(bodies: &[&str], cases: &[(&str, &[usize])]) {
    for (filter, places) in cases {
        assert_eq!(matching(filter, bodies), *places, "{filter}");
    }
}

#[test]
fn all() {
    let inventory = [
        r#"{"tags":["school","book","bag","headphone","appliance"],"qty":[{"size":"S","num":10,"color":"blue"},{"size":"M","num":45,"color":"blue"},{"size":"L","num":100,"color":"green"}]}"#,
        r#"{"tags":["appliance","school","book"],"qty":[{"size":"6","num":100,"color":"green"},{"size":"6","num":50,"color":"blue"},{"size":"8","num":100,"color":"brown"}]}"#,
        r#"{"tags":["school","book"],"qty":[{"size":"S","num":10,"color":"blue"},{"size":"M","num":100,"color":"blue"},{"size":"L","num":100,"color":"green"}]}"#,
        r#"{"tags":["electronics","school"],"qty":[{"size":"M","num":100,"color":"green"}]}"#,
    ];
    let elements = r#"{"qty":{"$all":[{"$elemMatch":{"size":"M","num":{"$gt":50}}},{"$elemMatch":{"num":100,"color":"green"}}]}}"#;
    check(
        &inventory,
        &[
            (r#"{"tags":{"$all":["appliance","school","book"]}}"#, &[0, 1]),
            (elements, &[2, 3]),
            (r#"{"qty.num":{"$all":[50]}}"#, &[1]),
            (r#"{"qty.num":50}"#, &[1]),
        ],
    );
    let nested = [r#"{"tags":[["ssl","security"],["x"]]}"#, r#"{"tags":["ssl","security"]}"#];
    check(
        &nested,
        &[
            (r#"{"tags":{"$all":[["ssl","security"]]}}"#, &[0, 1]),
            (r#"{"$and":[{"tags":["ssl","security"]}]}"#, &[0, 1]),
            (r#"{"tags":{"$all":["ssl","security"]}}"#, &[1]),
            (r#"{"tags":{"$all":[]}}"#, &[]),
        ],
    );
}

#[test]
fn elem_match() {
    let scores = [r#"{"results":[82,85,88]}"#, r#"{"results":[75,88,89]}"#];
    check(&scores, &[(r#"{"results":{"$elemMatch":{"$gte":80,"$lt":85}}}"#, &[0])]);
    let survey = [
        r#"{"results":[{"product":"abc","score":10},{"product":"xyz","score":5}]}"#,
        r#"{"results":[{"product":"abc","score":8},{"product":"xyz","score":7}]}"#,
        r#"{"results":[{"product":"abc","score":7},{"product":"xyz","score":8}]}"#,
        r#"{"results":[{"product":"abc","score":7},{"product":"def","score":8}]}"#,
    ];
    check(
        &survey,
        &[
            (r#"{"results":{"$elemMatch":{"product":"xyz","score":{"$gte":8}}}}"#, &[2]),
            (r#"{"results":{"$elemMatch":{"product":"xyz"}}}"#, &[0, 1, 2]),
            (r#"{"results.product":"xyz"}"#, &[0, 1, 2]),
            (r#"{"results":{"$elemMatch":{"product":{"$ne":"xyz"}}}}"#, &[0, 1, 2, 3]),
            (r#"{"results.product":{"$ne":"xyz"}}"#, &[3]),
        ],
    );
    let or = r#"{"game":{"$elemMatch":{"$or":[{"score":{"$gt":10}},{"score":{"$lt":5}}]}}}"#;
    let games = [
        r#"{"game":[{"score":8},{"score":2}]}"#,
        r#"{"game":[{"score":8},{"score":5}]}"#,
        r#"{"game":[{"score":18},{"score":5}]}"#,
    ];
    check(&games, &[(or, &[0, 2])]);
}

#[test]
fn exists() {
    let records = [
        r#"{"a":5,"b":5,"c":null}"#,
        r#"{"a":3,"b":null,"c":8}"#,
        r#"{"a":null,"b":3,"c":9}"#,
        r#"{"a":1,"b":2,"c":3}"#,
        r#"{"a":2,"c":5}"#,
        r#"{"a":3,"b":2}"#,
        r#"{"a":4}"#,
        r#"{"b":2,"c":4}"#,
        r#"{"b":2}"#,
        r#"{"c":6}"#,
    ];
    check(
        &records,
        &[
            (r#"{"a":{"$exists":true}}"#, &[0, 1, 2, 3, 4, 5, 6]),
            (r#"{"b":{"$exists":false}}"#, &[4, 6, 9]),
            (r#"{"c":{"$exists":false}}"#, &[5, 6, 8]),
            (r#"{"a":{"$exists":true,"$nin":[5,1]}}"#, &[1, 2, 4, 5, 6]),
        ],
    );
}

#[test]
fn null_and_missing() {
    let inventory = [r#"{"item":null}"#, "{}"];
    check(
        &inventory,
        &[
            (r#"{"item":null}"#, &[0, 1]),
            (r#"{"item":{"$ne":null}}"#, &[]),
            (r#"{"item":{"$type":10}}"#, &[0]),
            (r#"{"item":{"$type":"null"}}"#, &[0]),
            (r#"{"item":{"$exists":false}}"#, &[1]),
        ],
    );
}

#[test]
fn types() {
    let addresses = [
        r#"{"zip":"30698xyz"}"#,
        r#"{"zip":156.0}"#,
        r#"{"zip":989}"#,
        r#"{"zip":["834847278","1893289032"]}"#,
    ];
    check(
        &addresses,
        &[
            (r#"{"zip":{"$type":2}}"#, &[0, 3]),
            (r#"{"zip":{"$type":"string"}}"#, &[0, 3]),
            (r#"{"zip":{"$type":1}}"#, &[1]),
            (r#"{"zip":{"$type":"double"}}"#, &[1]),
            (r#"{"zip":{"$type":"number"}}"#, &[1, 2]),
            (r#"{"zip":{"$type":["string","double"]}}"#, &[0, 1, 3]),
        ],
    );
    let sensors = [
        r#"{"readings":[25,23,["Warn: High Temp!",55],["ERROR: SYSTEM SHUTDOWN!",66]]}"#,
        r#"{"readings":[25,25,24,23]}"#,
        r#"{"readings":[22,24,[]]}"#,
        r#"{"readings":[]}"#,
        r#"{"readings":24}"#,
        r#"{"readings":"24"}"#,
    ];
    check(
        &sensors,
        &[
            (r#"{"readings":{"$type":"array"}}"#, &[0, 1, 2, 3]),
            (r#"{"readings":{"$elemMatch":{"$type":"array"}}}"#, &[0, 2]),
        ],
    );
}

#[test]
fn modulo() {
    let inventory = [r#"{"qty":0}"#, r#"{"qty":5}"#, r#"{"qty":12}"#];
    for divisor in ["4", "4.5", "4.99", "4.0"] {
        check(&inventory, &[(&format!(r#"{{"qty":{{"$mod":[{divisor},0]}}}}"#), &[0, 2])]);
    }
    let signed = [r#"{"qty":-5}"#, r#"{"qty":5}"#, r#"{"qty":5.9}"#, r#"{"qty":"5"}"#, "{}"];
    check(
        &signed,
        &[
            (r#"{"qty":{"$mod":[4,1]}}"#, &[1, 2]),
            (r#"{"qty":{"$mod":[-4,1]}}"#, &[1, 2]),
            (r#"{"qty":{"$mod":[4,-1]}}"#, &[0]),
            (r#"{"qty":{"$mod":[4,3]}}"#, &[]),
        ],
    );
}

#[test]
fn regular_expressions() {
    let products = [
        r#"{"sku":"abc123","description":"Single line description."}"#,
        r#"{"sku":"abc789","description":"First line\nSecond line"}"#,
        r#"{"sku":"xyz456","description":"Many spaces before     line"}"#,
        r#"{"sku":"xyz789","description":"Multiple\nline description"}"#,
        r#"{"sku":"Abc789","description":"SKU starts with A"}"#,
    ];
    check(
        &products,
        &[
            (r#"{"sku":{"$regex":"789$"}}"#, &[1, 3, 4]),
            (r#"{"sku":{"$regex":"^ABC","$options":"i"}}"#, &[0, 1, 4]),
            (r#"{"sku":{"$options":"i","$regex":"^ABC"}}"#, &[0, 1, 4]),
            (r#"{"description":{"$regex":"^S","$options":"m"}}"#, &[0, 1, 4]),
            (r#"{"description":{"$regex":"^S"}}"#, &[0, 4]),
            (r#"{"description":{"$regex":"m.*line","$options":"is"}}"#, &[2, 3]),
            (r#"{"description":{"$regex":"m.*line","$options":"i"}}"#, &[2]),
            (
                "{\"sku\":{\"$regex\":\"abc #category code\\n123 #item number\",\"$options\":\"x\"}}",
                &[0],
            ),
            (r#"{"sku":{"$regex":"(?i)a(?-i)bc"}}"#, &[0, 1, 4]),
            (
                r#"{"sku":{"$in":[{"$regex":"^abc"},{"$regex":"^XYZ4","$options":"i"}]}}"#,
                &[0, 1, 2],
            ),
            (r#"{"sku":{"$not":{"$regex":"^abc"}}}"#, &[2, 3, 4]),
            (r#"{"sku":{"$regex":"^abc","$nin":["abc123"]}}"#, &[1]),
        ],
    );
}

#[test]
fn lists() {
    let inventory = [
        r#"{"tags":["staples","x"],"quantity":5}"#,
        r#"{"tags":"beans","quantity":20}"#,
        r#"{"tags":["School"]}"#,
        r#"{"quantity":null}"#,
    ];
    check(
        &inventory,
        &[
            (r#"{"tags":{"$in":[{"$regex":"^be"},{"$regex":"^st"}]}}"#, &[0, 1]),
            (r#"{"tags":{"$nin":[{"$regex":"^be"},"School"]}}"#, &[0, 3]),
            (r#"{"quantity":{"$nin":[5,15]}}"#, &[1, 2, 3]),
            (r#"{"quantity":{"$in":[5,null]}}"#, &[0, 2, 3]),
            (r#"{"quantity":{"$nin":[null]}}"#, &[0, 1]),
        ],
    );
}

#[test]
fn logic() {
    let inventory = [
        r#"{"price":1.99,"sale":true}"#,
        r#"{"price":1.99,"sale":false}"#,
        r#"{"price":5,"sale":false}"#,
        r#"{"price":5}"#,
        "{}",
    ];
    check(
        &inventory,
        &[
            (r#"{"price":{"$not":{"$gt":1.99}}}"#, &[0, 1, 4]),
            (r#"{"price":{"$not":{"$not":{"$gt":1.99}}}}"#, &[2, 3]),
            (r#"{"price":{"$not":{"$gt":1,"$lt":2}}}"#, &[2, 3, 4]),
            (r#"{"$nor":[{"price":1.99},{"sale":true}]}"#, &[2, 3, 4]),
            (r#"{"$nor":[{"price":1.99},{"price":{"$exists":false}}]}"#, &[2, 3]),
            (r#"{"$or":[{"price":5},{"sale":true}]}"#, &[0, 2, 3]),
            (r#"{"$and":[{"price":{"$ne":1.99}},{"price":{"$exists":true}}]}"#, &[2, 3]),
            (r#"{"$or":[{"price":5},{"sale":true}],"sale":{"$exists":true}}"#, &[0, 2]),
        ],
    );
}

#[test]
fn arrays() {
    let inventory = [
        r#"{"item":"journal","tags":["blank","red"],"dim_cm":[14,21]}"#,
        r#"{"item":"notebook","tags":["red","blank"],"dim_cm":[14,21]}"#,
        r#"{"item":"paper","tags":["red","blank","plain"],"dim_cm":[14,21]}"#,
        r#"{"item":"planner","tags":["blank","red"],"dim_cm":[22.85,30]}"#,
        r#"{"item":"postcard","tags":["blue"],"dim_cm":[10,15.25]}"#,
    ];
    check(
        &inventory,
        &[
            (r#"{"tags":["red","blank"]}"#, &[1]),
            (r#"{"tags":{"$all":["red","blank"]}}"#, &[0, 1, 2, 3]),
            (r#"{"tags":"red"}"#, &[0, 1, 2, 3]),
            (r#"{"dim_cm":{"$gt":25}}"#, &[3]),
            (r#"{"dim_cm":{"$gt":15,"$lt":20}}"#, &[0, 1, 2, 4]),
            (r#"{"dim_cm":{"$elemMatch":{"$gt":22,"$lt":30}}}"#, &[3]),
            (r#"{"dim_cm.1":{"$gt":25}}"#, &[3]),
            (r#"{"tags":{"$size":3}}"#, &[2]),
            (r#"{"tags":{"$size":1.0}}"#, &[4]),
        ],
    );
}

#[test]
fn documents_in_arrays() {
    let inventory = [
        r#"{"instock":[{"warehouse":"A","qty":5},{"warehouse":"C","qty":15}]}"#,
        r#"{"instock":[{"warehouse":"C","qty":5}]}"#,
        r#"{"instock":[{"warehouse":"A","qty":60},{"warehouse":"B","qty":15}]}"#,
        r#"{"instock":[{"warehouse":"A","qty":40},{"warehouse":"B","qty":5}]}"#,
        r#"{"instock":[{"warehouse":"B","qty":15},{"warehouse":"C","qty":35}]}"#,
    ];
    check(
        &inventory,
        &[
            (r#"{"instock":{"warehouse":"A","qty":5}}"#, &[0]),
            (r#"{"instock":{"qty":5,"warehouse":"A"}}"#, &[]),
            (r#"{"instock.0.qty":{"$lte":20}}"#, &[0, 1, 4]),
            (r#"{"instock.qty":{"$lte":20}}"#, &[0, 1, 2, 3, 4]),
            (r#"{"instock":{"$elemMatch":{"qty":5,"warehouse":"A"}}}"#, &[0]),
            (r#"{"instock":{"$elemMatch":{"qty":{"$gt":10,"$lte":20}}}}"#, &[0, 2, 4]),
            (r#"{"instock.qty":{"$gt":10,"$lte":20}}"#, &[0, 2, 3, 4]),
            (r#"{"instock.qty":5,"instock.warehouse":"A"}"#, &[0, 3]),
        ],
    );
}

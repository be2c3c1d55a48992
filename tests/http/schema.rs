//! JSON Schema, as much of it as the document uses. A keyword that is not known here fails, so that
//! nothing is taken for checked which is not.

use regex::Regex;
use serde_json::{Map, Value};

/// Schemas that may refer to those of a document.
pub(crate) struct Schemas<'a> {
    pub(crate) document: &'a Value,
}

/// The place of what does not fit, and why.
type Unfit = Result<(), String>;

impl<'a> Schemas<'a> {
    /// Checks a value against a schema.
    pub(crate) fn check(&self, schema: &'a Value, value: &Value) -> Unfit {
        match schema {
            Value::Bool(true) => Ok(()),
            Value::Object(keywords) => {
                for (keyword, operand) in keywords {
                    self.keyword(keywords, keyword, operand, value)
                        .map_err(|reason| format!("{reason} in {}", cut(value)))?;
                }
                Ok(())
            }
            other => Err(format!("{other} allows nothing")),
        }
    }

    fn keyword(
        &self,
        schema: &'a Map<String, Value>,
        keyword: &str,
        operand: &'a Value,
        value: &Value,
    ) -> Unfit {
        let number = || operand.as_f64().unwrap();
        let holds = |holds: bool| match holds {
            true => Ok(()),
            false => Err(format!("{keyword} {operand} does not hold")),
        };
        let fits = |schema: &'a Value| self.check(schema, value).is_ok();
        match keyword {
            "description" | "default" | "title" | "format" | "examples" => Ok(()),
            "$ref" => self.check(self.referred(operand), value),
            "type" => match operand {
                Value::Array(types) => holds(types.iter().any(|name| is_of(name, value))),
                name => holds(is_of(name, value)),
            },
            "const" => holds(operand == value),
            "enum" => holds(operand.as_array().unwrap().contains(value)),
            "anyOf" => {
                let all = operand.as_array().unwrap();
                let reasons: Vec<String> =
                    all.iter().filter_map(|one| self.check(one, value).err()).collect();
                match reasons.len() < all.len() {
                    true => Ok(()),
                    false => Err(reasons.join("; or ")),
                }
            }
            "oneOf" => holds(operand.as_array().unwrap().iter().filter(|s| fits(s)).count() == 1),
            "allOf" => {
                operand.as_array().unwrap().iter().try_for_each(|one| self.check(one, value))
            }
            "minimum" => holds(value.as_f64().is_none_or(|value| value >= number())),
            "maximum" => holds(value.as_f64().is_none_or(|value| value <= number())),
            "minLength" => holds(length(value).is_none_or(|length| length >= number())),
            "maxLength" => holds(length(value).is_none_or(|length| length <= number())),
            "pattern" => {
                let pattern = Regex::new(operand.as_str().unwrap()).unwrap();
                holds(value.as_str().is_none_or(|text| pattern.is_match(text)))
            }
            "minItems" | "maxItems" | "uniqueItems" | "items" => match value.as_array() {
                Some(items) => self.of_array(keyword, operand, items).map_err(|mut reason| {
                    reason.insert_str(0, "an element: ");
                    reason
                }),
                None => Ok(()),
            },
            _ => match value.as_object() {
                Some(members) => self.of_object(schema, keyword, operand, members),
                None => Ok(()),
            },
        }
    }

    fn of_array(&self, keyword: &str, operand: &'a Value, items: &[Value]) -> Unfit {
        let count = items.len() as u64;
        let holds = match keyword {
            "minItems" => count >= operand.as_u64().unwrap(),
            "maxItems" => count <= operand.as_u64().unwrap(),
            "uniqueItems" => (1..).zip(items).all(|(next, item)| !items[next..].contains(item)),
            "items" => return items.iter().try_for_each(|item| self.check(operand, item)),
            other => panic!("the keyword {other} is not known: teach it to this file"),
        };
        if holds { Ok(()) } else { Err(format!("{keyword} {operand} does not hold")) }
    }

    fn of_object(
        &self,
        schema: &'a Map<String, Value>,
        keyword: &str,
        operand: &'a Value,
        members: &Map<String, Value>,
    ) -> Unfit {
        let count = members.len() as u64;
        let within =
            |name: &str, result: Unfit| result.map_err(|reason| format!("{name}: {reason}"));
        match keyword {
            "minProperties" if count < operand.as_u64().unwrap() => Err("too few members".into()),
            "maxProperties" if count > operand.as_u64().unwrap() => Err("too many members".into()),
            "minProperties" | "maxProperties" => Ok(()),
            "required" => {
                let mut names = operand.as_array().unwrap().iter().map(|n| n.as_str().unwrap());
                match names.find(|name| !members.contains_key(*name)) {
                    Some(name) => Err(format!("{name} is missing")),
                    None => Ok(()),
                }
            }
            "properties" => members.iter().try_for_each(|(name, value)| {
                operand.get(name).map_or(Ok(()), |schema| within(name, self.check(schema, value)))
            }),
            "patternProperties" => {
                operand.as_object().unwrap().iter().try_for_each(|(pattern, schema)| {
                    let pattern = Regex::new(pattern).unwrap();
                    let named = members.iter().filter(|(name, _)| pattern.is_match(name));
                    named
                        .into_iter()
                        .try_for_each(|(name, value)| within(name, self.check(schema, value)))
                })
            }
            "additionalProperties" => {
                assert!(!schema.contains_key("patternProperties"), "teach it to this file");
                let known = schema.get("properties").and_then(Value::as_object);
                let others = members.iter().filter(|(name, _)| {
                    known.is_none_or(|known| !known.contains_key(name.as_str()))
                });
                others
                    .into_iter()
                    .try_for_each(|(name, value)| within(name, self.check(operand, value)))
            }
            other => panic!("the keyword {other} is not known: teach it to this file"),
        }
    }

    fn referred(&self, reference: &Value) -> &'a Value {
        let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
        self.document.pointer(pointer).unwrap_or_else(|| panic!("{reference} names nothing"))
    }
}

fn is_of(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{other} is no type"),
    }
}

fn length(value: &Value) -> Option<f64> {
    Some(value.as_str()?.chars().count() as f64)
}

fn cut(value: &Value) -> String {
    value.to_string().chars().take(200).collect()
}

#[test]
fn a_value_that_does_not_fit_is_found() {
    let document = serde_json::json!({"n": {"type": "integer", "minimum": 0}});
    let schemas = Schemas { document: &document };
    let fits = |schema: &str, value: &str| {
        let schema: &'static Value = Box::leak(Box::new(serde_json::from_str(schema).unwrap()));
        let document: &'static Value = Box::leak(Box::new(schemas.document.clone()));
        Schemas { document }.check(schema, &serde_json::from_str(value).unwrap()).is_ok()
    };
    for (schema, yes, no) in [
        (r##"{"$ref":"#/n"}"##, "0", "-1"),
        (r#"{"type":["string","null"]}"#, "null", "1"),
        (r#"{"const":true}"#, "true", "false"),
        (r#"{"enum":["a","b"]}"#, r#""b""#, r#""c""#),
        (r#"{"anyOf":[{"type":"null"},{"minimum":3}]}"#, "3", "2"),
        (r#"{"oneOf":[{"type":"integer"},{"minimum":3}]}"#, "2", "3"),
        (r#"{"allOf":[{"type":"integer"},{"maximum":3}]}"#, "3", "4"),
        (r#"{"minLength":2,"maxLength":2}"#, r#""äö""#, r#""a""#),
        (r#"{"pattern":"^a+$"}"#, r#""aa""#, r#""ab""#),
        (r#"{"items":{"type":"null"},"minItems":1}"#, "[null]", "[]"),
        (r#"{"items":{"type":"null"}}"#, "[null]", "[0]"),
        (r#"{"maxItems":1,"uniqueItems":true}"#, "[1]", "[1,1]"),
        (r#"{"required":["a"]}"#, r#"{"a":1}"#, "{}"),
        (r#"{"properties":{"a":{"type":"null"}}}"#, r#"{"a":null,"b":1}"#, r#"{"a":1}"#),
        (r#"{"properties":{"a":{}},"additionalProperties":false}"#, r#"{"a":1}"#, r#"{"b":1}"#),
        (r#"{"patternProperties":{"^_":false}}"#, r#"{"a":1}"#, r#"{"_a":1}"#),
        (r#"{"minProperties":1,"maxProperties":1}"#, r#"{"a":1}"#, r#"{"a":1,"b":1}"#),
    ] {
        assert!(fits(schema, yes), "{schema} {yes}");
        assert!(!fits(schema, no), "{schema} {no}");
    }
}

//! An owned JSON value.
//!
//! Invariant: its text has passed the border, or was written by this module: valid and compact.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::value::RawValue;

use super::{json, raw::Raw, string::quote};
use crate::error::{Error, Result};
use crate::limits::NESTING_DEPTH_MAX;

/// Any JSON value, as compact text. Two are equal when their texts are.
///
/// ```
/// use monsterdb::Json;
/// assert_eq!(Json::parse("[1, 2.50]")?.as_str(), "[1,2.50]");
/// assert_eq!(Json::from("a"), Json::parse(r#""a""#)?);
/// # Ok::<(), monsterdb::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Json(Box<str>);

impl Json {
    /// Checks and compacts the text of one JSON value.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidJson`] when it is not JSON, [`Error::InvalidDocument`] when it breaks a
    /// rule for values inside documents, [`Error::LimitExceeded`] when it is too large.
    pub fn parse(text: &str) -> Result<Json> {
        Json::parse_nested(text, NESTING_DEPTH_MAX)
    }

    /// The same for text that is not to be a document, and may be nested deeper than one.
    pub(crate) fn parse_nested(text: &str, depth_max: usize) -> Result<Json> {
        json::value(text.as_bytes(), depth_max).map(Json)
    }

    /// The compact text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value, to look into.
    pub fn as_raw(&self) -> Raw<'_> {
        Raw::trusted(&self.0)
    }

    /// The value that this text is. The caller knows it to be valid and compact.
    pub(crate) fn trusted(text: impl Into<Box<str>>) -> Json {
        Json(text.into())
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Json {
    type Err = Error;

    fn from_str(text: &str) -> Result<Json> {
        Json::parse(text)
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Json {
        Json(value.to_string().into())
    }
}

impl From<i32> for Json {
    fn from(value: i32) -> Json {
        Json(value.to_string().into())
    }
}

impl From<i64> for Json {
    fn from(value: i64) -> Json {
        Json(value.to_string().into())
    }
}

impl From<u32> for Json {
    fn from(value: u32) -> Json {
        Json(value.to_string().into())
    }
}

impl From<u64> for Json {
    fn from(value: u64) -> Json {
        Json(value.to_string().into())
    }
}

/// Floats that are not finite become null: JSON has no text for them.
impl From<f64> for Json {
    fn from(value: f64) -> Json {
        Json(serde_json::Value::from(value).to_string().into())
    }
}

impl From<&str> for Json {
    fn from(value: &str) -> Json {
        let mut text = String::with_capacity(value.len() + 2);
        quote(value, &mut text);
        Json(text.into())
    }
}

impl From<String> for Json {
    fn from(value: String) -> Json {
        Json::from(value.as_str())
    }
}

/// None becomes null.
impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Json {
        value.map_or_else(|| Json::trusted("null"), Into::into)
    }
}

impl<T: Into<Json>> From<Vec<T>> for Json {
    fn from(elements: Vec<T>) -> Json {
        let elements: Vec<Json> = elements.into_iter().map(Into::into).collect();
        let texts: Vec<&str> = elements.iter().map(Json::as_str).collect();
        Json(format!("[{}]", texts.join(",")).into())
    }
}

/// Writes the text itself, when the format is that of `serde_json`.
impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

/// Takes the text itself, when the format is that of `serde_json`.
impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Json::parse(raw.get()).map_err(de::Error::custom)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn conversions_write_what_parsing_reads() {
        let values = [
            (Json::from(true), "true"),
            (Json::from(-7_i64), "-7"),
            (Json::from(u64::MAX), "18446744073709551615"),
            (Json::from(1.0), "1.0"),
            (Json::from(f64::NAN), "null"),
            (Json::from(Some("a\"b")), r#""a\"b""#),
            (Json::from(vec![Some(1), None]), "[1,null]"),
        ];
        for (json, text) in values {
            assert_eq!(json, Json::parse(text).unwrap());
        }
    }

    #[test]
    fn serde_carries_the_text() {
        let json: Json = serde_json::from_str(r#" {"b": 1.50, "a": ["\u0061"]} "#).unwrap();
        assert_eq!(json.as_str(), r#"{"b":1.50,"a":["\u0061"]}"#);
        assert_eq!(serde_json::to_string(&vec![&json]).unwrap(), format!("[{json}]"));
        assert!(serde_json::from_str::<Json>(r#"{"a":1,"a":2}"#).is_err());
    }
}

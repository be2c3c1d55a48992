//! The file of settings: TOML, a key a setting, without tables.
//!
//! ```toml
//! listen = "0.0.0.0:7117"
//! rate_limit = "1000/s"
//! cors_origins = ["https://app.example", "https://admin.example"]
//! ```
//!
//! Invariant: whatever stands in it is a setting with a value that fits, whichever command runs: a
//! slip is told at once, with its line, and not on the day on which the setting is asked for.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use toml::de::{DeTable, DeValue};

use super::{
    super::Failure,
    settings::{Setting, nearest},
};

/// What the file is called when nobody says where it is.
pub(super) const NAME: &str = "monsterdb.toml";

/// A file of settings.
#[derive(Debug, Default)]
pub(super) struct File {
    entries: Vec<Entry>,
}

/// One setting in it: one value, or those of a list.
#[derive(Debug)]
struct Entry {
    key: String,
    values: Vec<String>,
}

impl File {
    /// Reads a file.
    pub(super) fn read(path: &Path, settings: &[Setting]) -> Result<File, Failure> {
        let text = fs::read_to_string(path)
            .map_err(|source| Failure::Read { path: path.into(), source })?;
        File::parse(path, &text, settings)
    }

    /// The values that it has for a key.
    pub(super) fn values(&self, key: &str) -> Option<&[String]> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some(&entry.values)
    }

    fn parse(path: &Path, text: &str, settings: &[Setting]) -> Result<File, Failure> {
        let place = Place { path: path.into(), text };
        let table = DeTable::parse(text)
            .map_err(|error| place.wrong(error.span().unwrap_or(0..0), error.message()))?;
        let mut entries = Vec::new();
        for (key, value) in table.get_ref() {
            let name: &str = key.get_ref();
            let Some(setting) = settings.iter().find(|one| one.key().as_deref() == Some(name))
            else {
                return Err(place.wrong(key.span(), &unknown(name, settings)));
            };
            let values = texts(value.get_ref())
                .and_then(|values| setting.check(&values).map(|()| values))
                .map_err(|reason| place.wrong(value.span(), &format!("{name}: {reason}")))?;
            entries.push(Entry { key: name.to_owned(), values });
        }
        Ok(File { entries })
    }
}

/// Where in a file something is.
struct Place<'a> {
    path: PathBuf,
    text: &'a str,
}

impl Place<'_> {
    fn wrong(&self, span: Range<usize>, reason: &str) -> Failure {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let place = format!("{}:{line}", self.path.display());
        Failure::Setting { place, reason: reason.trim_end().replace('\n', ", ") }
    }
}

fn unknown(name: &str, settings: &[Setting]) -> String {
    let keys: Vec<String> = settings.iter().filter_map(Setting::key).collect();
    match nearest(name, keys.iter().map(String::as_str)) {
        Some(near) => format!("{name} is no setting; did you mean {near}?"),
        None => format!("{name} is no setting"),
    }
}

/// A value as it would be written behind a flag.
fn texts(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    Ok(match value {
        DeValue::String(text) => vec![text.to_string()],
        DeValue::Integer(number) if number.radix() == 10 => vec![number.as_str().to_owned()],
        DeValue::Boolean(yes) => vec![yes.to_string()],
        DeValue::Array(values) => {
            let each = values.iter().map(|value| match value.get_ref() {
                DeValue::Array(_) => Err("a list holds no lists".to_owned()),
                single => texts(single),
            });
            each.collect::<Result<Vec<_>, _>>()?.concat()
        }
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Table(_) => {
            let reason = "it takes text, a whole number, true or false, or a list of such, not";
            return Err(format!("{reason} a {}", value.type_str()));
        }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<File, String> {
        let parsed = File::parse(Path::new("m.toml"), text, &Setting::all());
        parsed.map_err(|failure| failure.to_string())
    }

    #[test]
    fn values_are_text_numbers_truth_and_lists() {
        let text = "# a comment\nlisten = \"0.0.0.0:1\"\nsessions = 1_000\nno_auth = true\n\
                    cors_origins = [\"http://a\", \"http://b\"]\n";
        let file = parse(text).unwrap();
        let values = |key| file.values(key).map(<[String]>::to_vec);
        assert_eq!(values("listen"), Some(vec!["0.0.0.0:1".to_owned()]));
        assert_eq!(values("sessions"), Some(vec!["1000".to_owned()]));
        assert_eq!(values("no_auth"), Some(vec!["true".to_owned()]));
        assert_eq!(
            values("cors_origins"),
            Some(vec!["http://a".to_owned(), "http://b".to_owned()])
        );
        assert_eq!(values("retain"), None);
        assert!(parse("").unwrap().entries.is_empty());
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_line() {
        for (text, told) in [
            ("\nlsiten = \"a\"", "m.toml:2: lsiten is no setting; did you mean listen?"),
            ("frobnicate = 1", "m.toml:1: frobnicate is no setting"),
            ("config = \"other.toml\"", "m.toml:1: config is no setting"),
            ("[server]\nlisten = \"a\"", "m.toml:1: server is no setting"),
            ("listen = \"nowhere\"", "m.toml:1: listen: invalid socket address syntax"),
            ("\n\nrate_limit = \"fast\"", "m.toml:3: rate_limit: it is a rate such as 100/s"),
            ("rate_burst = 0", "m.toml:1: rate_burst: 0 is not in 1..=4294967295"),
            ("log_format = \"xml\"", "m.toml:1: log_format: invalid value 'xml'"),
            ("no_auth = \"perhaps\"", "m.toml:1: no_auth: it is true or false"),
            ("retain = 1.5", "m.toml:1: retain: it takes text, a whole number"),
            ("retain = [\"1s\", \"2s\"]", "m.toml:1: retain: it takes one value"),
            ("retain = {a = 1}", "m.toml:1: retain: it takes text"),
            ("retain = \"1s\"\nretain = \"2s\"", "m.toml:2: duplicate key"),
            ("retain = ", "m.toml:1: "),
        ] {
            let refused = parse(text).map(drop).unwrap_err();
            assert!(refused.starts_with(told), "{text}: {refused}");
        }
    }
}

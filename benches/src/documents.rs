//! The documents that every engine stores.

use serde::{Deserialize, Serialize};

use crate::Result;

/// Bytes of every document's text.
pub(crate) const DOCUMENT_BYTES: usize = 323;

/// Different ages.
pub(crate) const AGES: usize = 100;

/// Different whole parts of balances.
pub(crate) const BALANCES: usize = 10_000;

/// One document: 323 bytes of compact JSON with 11 members.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Its `_id`.
    pub id: String,
    /// Its text, the `_id` included.
    pub text: String,
}

impl Sample {
    /// The id of the document of this number.
    pub(crate) fn id_of(number: usize) -> String {
        format!("user-{number:08}")
    }

    /// The document of this number, the same in every run.
    ///
    /// ```
    /// let sample = benches::Sample::new(7);
    /// assert_eq!(sample.text.len(), 323);
    /// assert!(sample.text.starts_with(r#"{"_id":"user-00000007","#));
    /// ```
    pub fn new(number: usize) -> Sample {
        let mut random = Random::new(number as u64);
        let id = Sample::id_of(number);
        let (first, last) = (random.of(&FIRST_NAMES), random.of(&LAST_NAMES));
        let mut text = format!(
            concat!(
                r#"{{"_id":"{}","name":"{} {}","email":"{}.{}.{}@example.com","age":{},"#,
                r#""active":{},"balance":{}.{:02},"city":"{}","tags":["{}","{}"],"#,
                r#""address":{{"street":"{} {}","zip":"{:05}"}},"created":"20{:02}-{:02}-{:02}","#,
                r#""note":""#
            ),
            id,
            first,
            last,
            first.to_lowercase(),
            last.to_lowercase(),
            random.below(1_000),
            random.below(AGES),
            random.below(2) == 0,
            random.below(BALANCES),
            random.below(100),
            random.of(&CITIES),
            random.of(&TAGS),
            random.of(&TAGS),
            random.of(&LAST_NAMES),
            1 + random.below(200),
            random.below(100_000),
            10 + random.below(15),
            1 + random.below(12),
            1 + random.below(28),
        );
        while text.len() < DOCUMENT_BYTES - 2 {
            text.push(char::from(b'a' + random.below(26) as u8));
        }
        text.push_str("\"}");
        assert_eq!(text.len(), DOCUMENT_BYTES, "the note fills every document up to its length");
        Sample { id, text }
    }
}

/// A document as a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Person {
    _id: String,
    name: String,
    email: String,
    age: u32,
    active: bool,
    balance: f64,
    city: String,
    tags: Vec<String>,
    address: Address,
    created: String,
    note: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Address {
    street: String,
    zip: String,
}

/// The member that changes add one to.
pub(crate) const CHANGED: &str = "age";

/// The text of a document in which one was added to [`CHANGED`].
///
/// # Errors
///
/// When the text has no such whole number.
pub(crate) fn one_more(text: &str) -> Result<String> {
    let missing = || format!("no whole number {CHANGED} in {text}");
    let name = format!("\"{CHANGED}\":");
    let begin = text.find(&name).ok_or_else(missing)? + name.len();
    let (before, rest) = text.split_at(begin);
    let end = rest.find(|next: char| !next.is_ascii_digit()).ok_or_else(missing)?;
    let (number, after) = rest.split_at(end);
    let number: u64 = number.parse()?;
    Ok(format!("{before}{}{after}", number + 1))
}

/// The first so many documents.
pub(crate) fn samples(count: usize) -> Vec<Sample> {
    (0..count).map(Sample::new).collect()
}

/// Chance that is the same in every run (SplitMix64, Steele, Lea and Flood 2014).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }

    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        let place = self.below(words.len());
        words.get(place).copied().unwrap_or_default()
    }
}

const FIRST_NAMES: [&str; 8] =
    ["Ada", "Barbara", "Donald", "Edsger", "Grace", "Jim", "Leslie", "Tony"];
const LAST_NAMES: [&str; 8] =
    ["Codd", "Dijkstra", "Gray", "Hoare", "Hopper", "Knuth", "Lamport", "Liskov"];
const CITIES: [&str; 6] = ["Bern", "Cambridge", "Dresden", "Oslo", "Pittsburgh", "Zurich"];
const TAGS: [&str; 6] = ["alpha", "customer", "gold", "newsletter", "partner", "silver"];

//! How often a key may ask: the check, and what answers say of it.
//!
//! The headers are those of the IETF's draft on rate limits (draft-ietf-httpapi-ratelimit-headers):
//!
//! ```text
//! RateLimit-Policy: "default";q=100;w=1        100 requests in 1 second
//! RateLimit: "default";r=42;t=2                42 are left; in 2 seconds all of them are there again
//! ```
//!
//! Invariant: a request that is over its key's limit is refused before anything is done for it.

use std::time::{Duration, Instant};

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use serde::{Deserialize, Serialize};

use super::{
    auth::{Caller, Identity},
    kinds::Kind,
    problem::Problem,
    rate_limit::{Buckets, Rate, RateLimit, Standing},
};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Requests that a key may send at once, where nobody said another number.
pub(crate) const BURST_DEFAULT: u32 = 200;

/// How often a key may ask, in the place of what the server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct OwnRate {
    #[serde(
        default,
        rename = "rate_limit",
        with = "rate",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) limit: Option<Rate>,
    #[serde(default, rename = "rate_burst", skip_serializing_if = "Option::is_none")]
    pub(crate) burst: Option<u32>,
}

/// What all keys have left.
pub(super) struct Quotas {
    /// The limit of keys that have none of their own; no bound when there is none.
    limit: Option<RateLimit>,
    left: Buckets<Identity>,
}

impl Quotas {
    /// Nobody has asked for anything yet.
    pub(super) fn new(limit: Option<RateLimit>) -> Quotas {
        Quotas { limit, left: Buckets::new() }
    }

    /// Counts a request, and says how its caller stands then; nothing when there is no limit.
    pub(super) fn admit(&self, caller: &Caller) -> Option<Standing> {
        let limit = self.limit_of(caller)?;
        Some(self.left.admit(caller.identity(), limit, Instant::now()))
    }

    fn limit_of(&self, caller: &Caller) -> Option<RateLimit> {
        let standard = self.limit.map(|limit| limit.burst).unwrap_or(BURST_DEFAULT);
        let burst = caller.rate.burst.unwrap_or(standard);
        match caller.rate.limit {
            Some(rate @ (Rate::Times(..) | Rate::Unlimited)) => rate.with_burst(burst),
            None => self.limit.map(|limit| RateLimit { burst, ..limit }),
        }
    }
}

impl Standing {
    /// The refusal, if the caller is over its limit.
    pub(super) fn refusal(&self) -> Option<Problem> {
        let wait = self.wait?;
        let (quota, window) = self.limit.quota();
        let reason = format!(
            "the key's limit of {quota} requests in {window} s, {} at once, is used up",
            self.limit.burst
        );
        Some(too_many(wait, &reason))
    }

    /// Tells the caller how it stands.
    pub(super) fn tell(&self, headers: &mut HeaderMap) {
        let (quota, window) = self.limit.quota();
        let full_in = self.full_in.as_secs_f64().ceil() as u64;
        let policy = format!("\"default\";q={quota};w={window}");
        let standing = format!("\"default\";r={};t={full_in}", self.remaining);
        for (name, text) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, standing)] {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(name, value);
            }
        }
    }
}

/// The refusal of what comes too often, and how long to wait.
pub(super) fn too_many(wait: Duration, reason: &str) -> Problem {
    let seconds = wait.as_secs_f64().ceil().max(1.0) as u64;
    let problem = Problem::new(Kind::TooManyRequests, format!("{reason}: wait {seconds} s"));
    problem.with_header(RETRY_AFTER, HeaderValue::from(seconds))
}

/// A rate as JSON. One that cannot be read makes the whole key unreadable.
mod rate {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::Rate;

    pub(super) fn serialize<S: Serializer>(
        rate: &Option<Rate>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match rate {
            Some(rate) => serializer.collect_str(rate),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Rate>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(Error::custom)).transpose()
    }
}

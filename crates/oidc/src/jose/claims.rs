//! The claims of somebody else's JWT (RFC 7519 section 4.1).

use doorward_model::time::{SECOND_MS, Timestamp};
use doorward_model::token::parse_object;
use serde_json::{Map, Value};

/// How far another clock may be ahead of ours. FAPI 2.0 section 5.3.2.1 wants 10 s accepted and 60 s refused.
pub const FUTURE_LEEWAY_MS: i64 = 30 * SECOND_MS;

/// The members of a payload. A claim of the wrong type counts as wrong, never as missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// Reads a payload; none unless it is one object without repeated members.
    pub(super) fn parse(json: &[u8]) -> Option<Self> {
        parse_object(json).map(Self)
    }

    /// All members.
    pub const fn members(&self) -> &Map<String, Value> {
        &self.0
    }

    /// A claim that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A claim in whole seconds since 1970; none when it is missing or anything else.
    pub fn time(&self, name: &str) -> Option<Timestamp> {
        let seconds = self.0.get(name)?.as_i64().filter(|seconds| *seconds >= 0)?;
        seconds.checked_mul(SECOND_MS).map(Timestamp::from_ms)
    }

    /// Whether the claim is missing or a time not further ahead than the leeway: `nbf`, and `iat` where it may be left
    /// out.
    pub fn has_begun(&self, name: &str, now: Timestamp) -> bool {
        !self.0.contains_key(name) || self.time(name).is_some_and(|time| time <= now.plus_ms(FUTURE_LEEWAY_MS))
    }

    /// Whether `exp` is there, not over, and at most `longest_ms` away.
    pub fn ends_within(&self, longest_ms: i64, now: Timestamp) -> bool {
        self.time("exp").is_some_and(|end| end > now && end <= now.plus_ms(longest_ms))
    }

    /// Whether `aud` is exactly this text: no list, not even of one.
    pub fn is_only_for(&self, audience: &str) -> bool {
        self.text("aud") == Some(audience)
    }

    /// Whether `aud` is this text or a list of texts that has it.
    pub fn is_for(&self, audience: &str) -> bool {
        match self.0.get("aud") {
            Some(Value::Array(list)) => list.iter().all(Value::is_string) && list.iter().any(|one| one == audience),
            _ => self.is_only_for(audience),
        }
    }
}

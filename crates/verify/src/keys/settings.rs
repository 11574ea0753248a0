//! How the keys of an issuer are kept.

use std::time::Duration;

use super::KeysUnavailable;
use crate::address;

/// Where the keys of one issuer come from and how long they are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeySettings {
    /// The issuer, letter by letter as its tokens name it.
    pub issuer: String,
    /// Where its keys are, when that shall not be discovered.
    pub jwks_uri: Option<String>,
    /// Keys older than this are fetched anew in the background while they are still used. An issuer's
    /// `Cache-Control: max-age` can only make it shorter, down to [`Self::soft_least`].
    pub soft: Duration,
    /// What an issuer can make of [`Self::soft`] at the least.
    pub soft_least: Duration,
    /// Keys older than this are not used any more, whatever happens.
    pub hard: Duration,
    /// How much earlier than `soft` a refresh may begin, in hundredths, so that many nodes do not ask at once.
    pub jitter_percent: u8,
    /// How long a failed fetch is answered for before it is tried again.
    pub retry_after_error: Duration,
    /// At most once in this time the issuer is asked because a token names a key that is not known.
    pub unknown_kid_every: Duration,
    /// What one request may take, and what anybody waits for keys.
    pub time: Duration,
    /// How old the discovery document may get.
    pub metadata_for: Duration,
}

impl KeySettings {
    /// The defaults, for an issuer whose keys are discovered.
    pub fn new(issuer: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            jwks_uri: None,
            soft: Duration::from_mins(5),
            soft_least: Duration::from_secs(30),
            hard: Duration::from_hours(24),
            jitter_percent: 10,
            retry_after_error: Duration::from_secs(3),
            unknown_kid_every: Duration::from_secs(30),
            time: Duration::from_secs(5),
            metadata_for: Duration::from_hours(1),
        }
    }

    /// Whether keys can be asked for with these settings: the addresses are `https`, or `http` on this machine.
    pub fn check(&self) -> Result<(), KeysUnavailable> {
        let addresses = [Some(self.issuer.as_str()), self.jwks_uri.as_deref()];
        let is_wrong = |text: &str| address::parse(text).is_none();
        if self.issuer.contains('?') || addresses.into_iter().flatten().any(is_wrong) {
            return Err(KeysUnavailable::Address);
        }
        Ok(())
    }
}

/// Whole milliseconds, as [`Clock`](crate::Clock) counts them.
pub(super) fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

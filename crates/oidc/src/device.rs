//! Signing in on another device (RFC 8628): the code a person types, and the rules of polling.

use std::fmt;

use doorward_model::random::{self, Random};
use doorward_model::time::{MINUTE_MS, SECOND_MS, Timestamp};

use crate::authorize::allowed_scope;
use crate::client::{Client, Grant};
use crate::error::{ErrorCode, OAuthError};
use crate::parameters::Parameters;
use crate::resource::{self, Resource};
use crate::scope::{REVOCATIONS, Scope};

/// How long a code lives.
pub const LIFETIME_MS: i64 = 10 * MINUTE_MS;
/// How long a client waits between two questions at first (RFC 8628 section 3.2).
pub const INTERVAL_SECONDS: u32 = 5;
/// How much longer after each question that came too early (RFC 8628 section 3.5).
const SLOW_DOWN_SECONDS: u32 = 5;
/// It does not grow further.
const MAX_INTERVAL_SECONDS: u32 = 60;
/// Consonants that are not easily mistaken and form no words (RFC 8628 section 6.1).
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// 20⁸ codes: with the limiters, guessing one of a thousand within their ten minutes is hopeless.
const LETTERS: usize = 8;

/// The code a person types.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UserCode([u8; LETTERS]);

impl UserCode {
    /// A fresh code.
    pub fn new(random: &dyn Random) -> Self {
        Self(std::array::from_fn(|_| {
            let at = random::below(random, 20) as usize;
            ALPHABET.get(at).copied().unwrap_or(ALPHABET[0])
        }))
    }

    /// Reads what a person typed: in any case, with whatever between the letters (RFC 8628 section 6.1).
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 64 {
            return None;
        }
        let typed = text.bytes().map(|byte| byte.to_ascii_uppercase());
        let letters: Vec<u8> = typed.filter(|byte| !matches!(byte, b'-' | b' ' | b'.' | b'_')).collect();
        let letters: [u8; LETTERS] = letters.try_into().ok()?;
        letters.iter().all(|letter| ALPHABET.contains(letter)).then_some(Self(letters))
    }

    /// The eight letters, for a row or its hash.
    pub fn letters(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for UserCode {
    /// In two groups, as in `WDJB-MJHT`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (left, right) = self.letters().split_at(LETTERS / 2);
        write!(f, "{left}-{right}")
    }
}

impl fmt::Debug for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserCode[redacted]")
    }
}

/// What the person has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing yet.
    Pending,
    /// Yes.
    Approved,
    /// No.
    Denied,
    /// Yes, and the tokens are given.
    Redeemed,
}

/// What a device asks for (RFC 8628 section 3.1).
#[derive(Clone, Debug)]
pub struct DeviceAuthorization {
    /// What it may do in the person's name; everything that the client is registered for, when it names nothing.
    pub scope: Scope,
    /// The services.
    pub resources: Vec<Resource>,
}

impl DeviceAuthorization {
    /// Reads a request of a client that has said who it is.
    pub fn read(parameters: &Parameters, client: &Client) -> Result<Self, OAuthError> {
        parameters.refuse_repeated()?;
        if !client.may_use(Grant::DeviceCode) {
            let description = "the client is not registered for this grant";
            return Err(OAuthError::new(ErrorCode::UnauthorizedClient, description));
        }
        let scope = if parameters.contains("scope") {
            allowed_scope(parameters, client)?
        } else {
            client.metadata().scopes.without(REVOCATIONS)
        };
        Ok(Self { scope, resources: resource::requested(parameters, &client.metadata().resources)? })
    }
}

/// A request as its row holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRequest {
    /// The client that polls.
    pub client_id: String,
    /// From when on it is over.
    pub expires_at: Timestamp,
    /// How long the client must wait between two questions.
    pub interval_seconds: u32,
    /// When it last asked.
    pub polled_at: Option<Timestamp>,
    /// What the person has said.
    pub decision: Decision,
}

/// The answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poll {
    /// Tokens, if this is the first time: the use case makes sure with a conditional write.
    Grant,
    /// An error that changes nothing but when it last asked.
    Refused(OAuthError),
    /// `slow_down`, and from now on this interval (RFC 8628 section 3.5).
    SlowDown {
        /// To be kept in the row.
        interval_seconds: u32,
    },
}

impl DeviceRequest {
    /// Decides (RFC 8628 section 3.5).
    pub fn poll(&self, client_id: &str, now: Timestamp) -> Poll {
        let refused = |code, description| Poll::Refused(OAuthError::new(code, description));
        if client_id != self.client_id || self.decision == Decision::Redeemed {
            return refused(ErrorCode::InvalidGrant, "the device code is used or another client's");
        }
        if now >= self.expires_at {
            return refused(ErrorCode::ExpiredToken, "the device code is over");
        }
        match self.decision {
            Decision::Approved => Poll::Grant,
            Decision::Denied => refused(ErrorCode::AccessDenied, "the person said no"),
            _ if self.is_too_early(now) => {
                let interval_seconds = (self.interval_seconds + SLOW_DOWN_SECONDS).min(MAX_INTERVAL_SECONDS);
                Poll::SlowDown { interval_seconds }
            }
            _ => refused(ErrorCode::AuthorizationPending, "the person has not decided yet"),
        }
    }

    fn is_too_early(&self, now: Timestamp) -> bool {
        let interval_ms = i64::from(self.interval_seconds) * SECOND_MS;
        self.polled_at.is_some_and(|last| now.since_ms(last) < interval_ms)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::client::tests::client;

    struct Counting(AtomicU8);

    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
            bytes[0] = self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_device_that_names_no_scope_asks_for_all_that_a_person_can_give() {
        let fields = json!({
            "grant_types": [Grant::DeviceCode.as_str(), Grant::ClientCredentials.as_str()],
            "scope": "openid orders doorward:revocations", "resources": ["https://api.example"],
        });
        let client = client(&fields);
        let parameters = Parameters::parse(b"client_id=x").unwrap();
        let request = DeviceAuthorization::read(&parameters, &client).unwrap();
        assert_eq!(request.scope.to_string(), "openid orders");
    }

    #[test]
    fn a_code_reads_back_however_it_is_typed() {
        let code = UserCode::new(&Counting(AtomicU8::new(0)));
        assert_eq!(code.to_string(), "BCDF-GHJK");
        for text in ["BCDF-GHJK", "bcdfghjk", " b c d f g h j k ", "BCDF.GHJK", "bcdf_ghjk"] {
            assert_eq!(UserCode::parse(text), Some(code.clone()), "{text}");
        }
        for text in
            ["", "BCDF-GHJ", "BCDF-GHJKL", "ACDF-GHJK", "8CDF-GHJK", "BCDF/GHJK", "BCDF-GHJ\u{212a}", &"-".repeat(65)]
        {
            assert_eq!(UserCode::parse(text), None, "{text}");
        }
        assert_eq!(format!("{code:?}"), "UserCode[redacted]");
    }

    fn request() -> DeviceRequest {
        DeviceRequest {
            client_id: "tv".to_owned(),
            expires_at: Timestamp::from_ms(LIFETIME_MS),
            interval_seconds: INTERVAL_SECONDS,
            polled_at: Some(Timestamp::from_ms(0)),
            decision: Decision::Pending,
        }
    }

    fn code(poll: Poll) -> Option<ErrorCode> {
        match poll {
            Poll::Refused(error) => Some(error.code),
            Poll::Grant | Poll::SlowDown { .. } => None,
        }
    }

    /// Proves: A-112
    #[test]
    fn polling_follows_the_standard() {
        let at = Timestamp::from_ms;
        for (decision, client, now, expected) in [
            (Decision::Pending, "tv", 5_000, Some(ErrorCode::AuthorizationPending)),
            (Decision::Denied, "tv", 1, Some(ErrorCode::AccessDenied)),
            (Decision::Redeemed, "tv", 5_000, Some(ErrorCode::InvalidGrant)),
            (Decision::Approved, "other", 5_000, Some(ErrorCode::InvalidGrant)),
            (Decision::Pending, "other", 5_000, Some(ErrorCode::InvalidGrant)),
            (Decision::Approved, "tv", LIFETIME_MS, Some(ErrorCode::ExpiredToken)),
            (Decision::Pending, "tv", LIFETIME_MS, Some(ErrorCode::ExpiredToken)),
        ] {
            let request = DeviceRequest { decision, ..request() };
            assert_eq!(code(request.poll(client, at(now))), expected, "{decision:?} {client} {now}");
        }
        let approved = DeviceRequest { decision: Decision::Approved, ..request() };
        assert_eq!(approved.poll("tv", at(1)), Poll::Grant);
        let first = DeviceRequest { polled_at: None, ..request() };
        assert_eq!(code(first.poll("tv", at(0))), Some(ErrorCode::AuthorizationPending));
    }

    /// Proves: A-112
    #[test]
    fn asking_too_early_makes_the_wait_longer() {
        let mut request = request();
        for expected in [10, 15, 20] {
            let Poll::SlowDown { interval_seconds } = request.poll("tv", Timestamp::from_ms(4_999)) else {
                panic!("not slowed down")
            };
            assert_eq!(interval_seconds, expected);
            request.interval_seconds = interval_seconds;
        }
        request.interval_seconds = MAX_INTERVAL_SECONDS;
        let slowest = Poll::SlowDown { interval_seconds: MAX_INTERVAL_SECONDS };
        assert_eq!(request.poll("tv", Timestamp::from_ms(1)), slowest);
    }

    proptest! {
        #[test]
        fn whatever_is_read_reads_back(text in "[a-zA-Z0-9 .-]{0,12}") {
            if let Some(code) = UserCode::parse(&text) {
                prop_assert_eq!(UserCode::parse(&code.to_string()), Some(code));
            }
        }
    }
}

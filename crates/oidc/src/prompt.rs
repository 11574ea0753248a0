//! What may or must be shown to the person: `prompt` and `max_age` (OpenID Connect Core 3.1.2.1).

use doorward_model::time::{SECOND_MS, Timestamp};

use crate::error::OAuthError;

/// The words of `prompt`.
pub const VALUES: [&str; 5] = ["none", "login", "consent", "select_account", "create"];
/// No `max_age` is longer than ten years; a longer one means the same.
const LONGEST_MAX_AGE_SECONDS: u32 = 315_360_000;

/// `prompt`, read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the parameter")]
pub struct Prompt {
    /// Nothing may be shown.
    pub none: bool,
    /// The person proves again who they are.
    pub login: bool,
    /// The person is asked again for consent.
    pub consent: bool,
    /// The person chooses an account.
    pub select_account: bool,
    /// The person makes an account (Initiating User Registration via OpenID Connect 1.0).
    pub create: bool,
}

impl Prompt {
    /// Reads words separated by spaces. `none` stands alone; an unknown word is refused, because leaving it out would
    /// show or hide something against the client's will.
    pub fn parse(text: &str) -> Result<Self, OAuthError> {
        let mut prompt = Self::default();
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            match word {
                "none" => prompt.none = true,
                "login" => prompt.login = true,
                "consent" => prompt.consent = true,
                "select_account" => prompt.select_account = true,
                "create" => prompt.create = true,
                _ => return Err(OAuthError::invalid_request("prompt has an unknown value")),
            }
        }
        if prompt.none && prompt != (Self { none: true, ..Self::default() }) {
            return Err(OAuthError::invalid_request("prompt=none must stand alone"));
        }
        Ok(prompt)
    }
}

/// How old the last proof of the person's identity may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MaxAge {
    seconds: u32,
}

impl MaxAge {
    /// From seconds.
    pub const fn from_seconds(seconds: u32) -> Self {
        Self { seconds }
    }

    /// Reads a whole number of seconds, zero or more.
    pub fn parse(text: &str) -> Result<Self, OAuthError> {
        let malformed = OAuthError::invalid_request("max_age is not a whole number of seconds");
        if text.is_empty() || text.len() > 20 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(malformed);
        }
        let seconds = text.parse().unwrap_or(LONGEST_MAX_AGE_SECONDS).min(LONGEST_MAX_AGE_SECONDS);
        Ok(Self { seconds })
    }

    /// In seconds.
    pub const fn seconds(self) -> u32 {
        self.seconds
    }

    /// Whether a proof of that time is too old at `now`. With zero every proof is: the same as `prompt=login`
    /// (OpenID Connect Core 3.1.2.1).
    pub const fn is_exceeded(self, authenticated_at: Timestamp, now: Timestamp) -> bool {
        self.seconds == 0 || now.since_ms(authenticated_at) > self.seconds as i64 * SECOND_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_are_read() {
        assert_eq!(Prompt::parse("none"), Ok(Prompt { none: true, ..Prompt::default() }));
        let both = Prompt { login: true, consent: true, ..Prompt::default() };
        assert_eq!(Prompt::parse("login consent"), Ok(both));
        assert_eq!(Prompt::parse("consent login login"), Ok(both));
        for word in VALUES {
            assert!(Prompt::parse(word).is_ok_and(|prompt| prompt != Prompt::default()), "{word}");
        }
        for text in ["none login", "login none", "Login", "silent", "login,consent"] {
            assert!(Prompt::parse(text).is_err(), "{text}");
        }
    }

    /// Proves: A-97
    #[test]
    fn max_age_asks_again_when_the_proof_is_too_old() {
        let now = Timestamp::from_ms(1_000_000);
        for (text, age_ms, exceeded) in [
            ("0", 0, true),
            ("60", 0, false),
            ("60", 60_000, false),
            ("60", 60_001, true),
            ("99999999999999999999", 900_000, false),
            ("99999999999999999999", 315_360_000_001, true),
        ] {
            let max_age = MaxAge::parse(text).unwrap();
            assert_eq!(max_age.is_exceeded(now.plus_ms(-age_ms), now), exceeded, "{text} {age_ms}");
        }
        for text in ["", "-1", "+1", "1.5", "1e3", " 1", "0x1", "\u{661}", "999999999999999999999"] {
            assert!(MaxAge::parse(text).is_err(), "{text:?}");
        }
    }
}

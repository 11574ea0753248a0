//! `private_key_jwt`: a client proves who it is with a JWT of its own (RFC 7523 section 3, OpenID Connect Core 9).

use doorward_model::time::{MINUTE_MS, Timestamp};
use thiserror::Error;

use crate::jose::{Algorithm, EmbeddedKey, FUTURE_LEEWAY_MS, KeySet, SignatureError, Unverified};

/// The one `client_assertion_type` (RFC 7523 section 2.2).
pub const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// An assertion that lives longer is refused: it would have to be remembered for as long. The leeway of the other
/// direction is for clocks that are ahead.
pub const MAX_LIFETIME_MS: i64 = 5 * MINUTE_MS + FUTURE_LEEWAY_MS;
/// The longest `jti`.
const MAX_ID_BYTES: usize = 256;
/// A missing type, the general one, and the one of RFC 7523bis section 4. Everything else is another kind of token.
const KINDS: [&str; 3] = ["", "jwt", "client-authentication+jwt"];

/// What an assertion is held against.
#[derive(Clone, Copy, Debug)]
pub struct Expectation<'a> {
    /// Who it must speak for.
    pub client_id: &'a str,
    /// Our issuer, the one acceptable audience.
    pub issuer: &'a str,
    /// The one algorithm the client registered, if it did (`token_endpoint_auth_signing_alg`).
    pub algorithm: Option<Algorithm>,
    /// The time.
    pub now: Timestamp,
}

/// An assertion that holds, except that its id must not have been seen before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// Its id: together with the client's id the key of the replay store.
    pub id: String,
    /// Until when the id must be remembered.
    pub remember_until: Timestamp,
}

/// Why an assertion is refused. Told to nobody but the log: the client learns `invalid_client`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AssertionError {
    /// The signature or the form.
    #[error("the client assertion {0}")]
    Signature(#[from] SignatureError),
    /// `iss` or `sub` is not the client.
    #[error("the client assertion speaks for somebody else")]
    Client,
    /// `aud` is not exactly the issuer.
    #[error("the client assertion is not made out to the issuer alone")]
    Audience,
    /// Over, too long, or from the future.
    #[error("the client assertion is over, lives too long or has not begun")]
    Time,
    /// No `jti`, or an unusable one.
    #[error("the client assertion has no usable id")]
    Id,
}

/// Who an assertion says it speaks for, so that the client's keys can be found. Proves nothing.
pub fn claimed_client_id(text: &str) -> Option<String> {
    let assertion = Unverified::parse(text, EmbeddedKey::Refused, &KINDS).ok()?;
    assertion.unproved_claims()?.text("sub").map(str::to_owned)
}

/// Checks an assertion with the client's own keys.
///
/// The audience is the issuer and nothing else, as one text: an assertion made for an endpoint of another server could
/// otherwise be used here (RFC 7523bis section 3, FAPI 2.0 section 5.3.2.1).
pub fn verify(text: &str, keys: &KeySet, expected: &Expectation<'_>) -> Result<Assertion, AssertionError> {
    let assertion = Unverified::parse(text, EmbeddedKey::Refused, &KINDS)?;
    let claims = match &expected.algorithm {
        Some(algorithm) => assertion.verify(keys, std::slice::from_ref(algorithm)),
        None => assertion.verify(keys, &Algorithm::ALL),
    }?;
    let client_id = Some(expected.client_id);
    if claims.text("iss") != client_id || claims.text("sub") != client_id {
        return Err(AssertionError::Client);
    }
    if !claims.is_only_for(expected.issuer) {
        return Err(AssertionError::Audience);
    }
    let now = expected.now;
    let holds =
        claims.ends_within(MAX_LIFETIME_MS, now) && claims.has_begun("nbf", now) && claims.has_begun("iat", now);
    let end = claims.time("exp").filter(|_| holds).ok_or(AssertionError::Time)?;
    let id = claims.text("jti").filter(|id| (1..=MAX_ID_BYTES).contains(&id.len())).ok_or(AssertionError::Id)?;
    Ok(Assertion { id: id.to_owned(), remember_until: end })
}

#[cfg(test)]
mod tests;

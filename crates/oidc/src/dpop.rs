//! Demonstrating proof of possession (RFC 9449): the holder of a token signs each request with its own key.

use doorward_model::time::{MINUTE_MS, Timestamp};
use subtle::ConstantTimeEq;
use thiserror::Error;

use crate::error::{ErrorCode, OAuthError};
use crate::jose::{Algorithm, Claims, EmbeddedKey, FUTURE_LEEWAY_MS, SignatureError, Thumbprint, Unverified};
use crate::sha256::Sha256;

/// The algorithms a proof may use (RFC 9449 section 4.3: asymmetric only; FAPI 2.0 section 5.4.1: these three).
pub const ALGORITHMS: [Algorithm; 3] = [Algorithm::Ps256, Algorithm::Es256, Algorithm::EdDsa];
/// How old a proof may be (RFC 9449 section 11.1).
pub const MAX_AGE_MS: i64 = MINUTE_MS;
/// How long the id of a proof must be remembered, from when it is seen.
pub const REPLAY_WINDOW_MS: i64 = MAX_AGE_MS + FUTURE_LEEWAY_MS;
/// The longest `jti`.
const MAX_ID_BYTES: usize = 256;
/// The longest proof.
const MAX_PROOF_BYTES: usize = 4 * 1024;

/// Whether a proof must show a nonce of ours (RFC 9449 section 8).
#[derive(Clone, Copy)]
pub enum NonceRule<'a> {
    /// None is asked for; one that is sent is not looked at.
    NotAsked,
    /// One for which this holds.
    Required(&'a dyn Fn(&str) -> bool),
}

/// What a proof is held against.
#[derive(Clone, Copy)]
pub struct Expectation<'a> {
    /// The method of the request.
    pub method: &'a str,
    /// The address of the request as clients know it; query and fragment do not count.
    pub address: &'a str,
    /// The access token that comes with it, at a protected resource.
    pub access_token: Option<&'a str>,
    /// Whether a nonce is asked for.
    pub nonce: NonceRule<'a>,
    /// The time.
    pub now: Timestamp,
}

/// A proof that holds, except that its id must not have been seen before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The key that was proved to be there.
    pub thumbprint: Thumbprint,
    /// Its id: together with the thumbprint the key of the replay store.
    pub id: String,
    /// Until when the id must be remembered.
    pub remember_until: Timestamp,
}

/// Why a proof is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProofError {
    /// More than one header (RFC 9449 section 4.3, check 1).
    #[error("there is more than one proof")]
    Repeated,
    /// The signature, the header or the form (checks 2 to 7).
    #[error("the proof {0}")]
    Signature(#[from] SignatureError),
    /// For another method (check 8).
    #[error("the proof is for another method")]
    Method,
    /// For another address (check 9).
    #[error("the proof is for another address")]
    Address,
    /// Without our nonce, or with an old one (check 10).
    #[error("the proof has no fresh nonce")]
    Nonce,
    /// Too old or from the future (check 11).
    #[error("the proof is too old or from the future")]
    Time,
    /// For another access token or for none (check 12).
    #[error("the proof is for another access token")]
    AccessToken,
    /// No `jti`, or an unusable one.
    #[error("the proof has no usable id")]
    Id,
}

impl From<ProofError> for OAuthError {
    fn from(error: ProofError) -> Self {
        let code = match error {
            ProofError::Nonce => ErrorCode::UseDpopNonce,
            _ => ErrorCode::InvalidDpopProof,
        };
        Self::new(
            code,
            match error {
                ProofError::Repeated => "there is more than one DPoP header",
                ProofError::Signature(_) => "the DPoP proof or its signature is not valid",
                ProofError::Method => "htm is another method",
                ProofError::Address => "htu is another address",
                ProofError::Nonce => "the nonce of the DPoP-Nonce header must be used",
                ProofError::Time => "iat is too old or in the future",
                ProofError::AccessToken => "ath is not the hash of the access token",
                ProofError::Id => "jti is missing or too long",
            },
        )
    }
}

/// The one proof among a request's `DPoP` headers, if there is one (RFC 9449 section 4.3, check 1).
pub fn single<'a>(mut headers: impl Iterator<Item = &'a str>) -> Result<Option<&'a str>, ProofError> {
    let first = headers.next();
    if headers.next().is_some() {
        return Err(ProofError::Repeated);
    }
    Ok(first)
}

/// Checks a proof (RFC 9449 section 4.3).
pub fn verify(text: &str, expected: &Expectation<'_>) -> Result<Proof, ProofError> {
    if text.len() > MAX_PROOF_BYTES {
        return Err(SignatureError::Malformed.into());
    }
    let proof = Unverified::parse(text, EmbeddedKey::Required, &["dpop+jwt"])?;
    let (claims, key) = proof.verify_possession(&ALGORITHMS)?;
    let id = claims.text("jti").filter(|id| (1..=MAX_ID_BYTES).contains(&id.len())).ok_or(ProofError::Id)?;
    if claims.text("htm") != Some(expected.method) {
        return Err(ProofError::Method);
    }
    let own_address = normalized(expected.address);
    if own_address.is_none() || claims.text("htu").and_then(normalized) != own_address {
        return Err(ProofError::Address);
    }
    check_token(&claims, expected.access_token)?;
    if !is_recent(&claims, expected.now) {
        return Err(ProofError::Time);
    }
    // Last, so that whoever gets a nonce from us has shown everything else.
    if let NonceRule::Required(is_fresh) = expected.nonce
        && !claims.text("nonce").is_some_and(is_fresh)
    {
        return Err(ProofError::Nonce);
    }
    let remember_until = expected.now.plus_ms(REPLAY_WINDOW_MS);
    Ok(Proof { thumbprint: key.thumbprint(), id: id.to_owned(), remember_until })
}

fn is_recent(claims: &Claims, now: Timestamp) -> bool {
    let issued_at = claims.time("iat");
    issued_at.is_some_and(|at| at >= now.plus_ms(-MAX_AGE_MS) && at <= now.plus_ms(FUTURE_LEEWAY_MS))
        && claims.has_begun("nbf", now)
        && (!claims.members().contains_key("exp") || claims.time("exp").is_some_and(|end| end > now))
}

/// A proof made for the token endpoint has no `ath`, and is none for a resource.
fn check_token(claims: &Claims, access_token: Option<&str>) -> Result<(), ProofError> {
    let Some(token) = access_token else { return Ok(()) };
    let named = claims.text("ath").and_then(Sha256::parse);
    let matches = named.is_some_and(|named| named.ct_eq(&Sha256::of(token)).into());
    matches.then_some(()).ok_or(ProofError::AccessToken)
}

/// An address without query and fragment, after the normalization of RFC 9449 section 4.3 (RFC 3986 section 6.2.2 and
/// 6.2.3): scheme and host in lower case, no default port, a path. None when it is no `http` address.
fn normalized(address: &str) -> Option<String> {
    let address = address.split(['?', '#']).next()?;
    let (scheme, rest) = address.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let authority = authority.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let authority = authority.strip_suffix(default_port).unwrap_or(&authority);
    let path = if path.is_empty() { "/" } else { path };
    Some(format!("{scheme}://{authority}{path}"))
}

#[cfg(test)]
mod tests;

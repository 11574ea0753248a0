//! One proof, and what it must show.

use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use thiserror::Error;

use super::address::normalized;
use super::compact::Compact;
use super::{ProofId, ReplayError, ReplayStore};
use crate::keys::{Algorithm, VerifyingKey};

/// The algorithms of proofs (RFC 9449 section 4.3 check 5: asymmetric only).
const ALGORITHMS: [Algorithm; 4] = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256, Algorithm::Ps256];
/// Members of a header that lead to other keys or change how the rest is to be read (RFC 7515 section 4.1, RFC 7797).
const REFUSED_MEMBERS: [&str; 7] = ["jku", "x5u", "x5c", "x5t", "x5t#S256", "crit", "b64"];
/// The longest proof; one with RSA of 8192 bits has about 4,000.
const MAX_PROOF_BYTES: usize = 8 * 1024;
/// The longest `jti`.
const MAX_ID_BYTES: usize = 256;

/// How far the clocks of clients may be off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProofSettings {
    /// How old a proof may be.
    pub max_age: Duration,
    /// How far ahead of our clock it may have been made.
    pub leeway: Duration,
}

impl Default for ProofSettings {
    /// Five minutes back and five seconds ahead (RFC 9449 section 11.1).
    fn default() -> Self {
        Self { max_age: Duration::from_mins(5), leeway: Duration::from_secs(5) }
    }
}

impl ProofSettings {
    /// How long proofs are good and must be remembered.
    #[must_use]
    pub const fn with_max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// How far the clock of a client may be ahead.
    #[must_use]
    pub const fn with_leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }
}

/// Why a proof is not taken. For the one who runs the service; a client is told `invalid_dpop_proof` and no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DpopRefusal {
    /// Too long, not three parts, not base64url, not JSON, a member repeated.
    #[error("the proof is malformed")]
    Malformed,
    /// `typ` is not `dpop+jwt` (RFC 9449 section 4.3 check 4).
    #[error("the proof is of another type")]
    Type,
    /// An algorithm that is not taken, `none` and shared secrets first of all (check 5).
    #[error("the proof is signed with an algorithm that is not accepted")]
    Algorithm,
    /// A header member that is not taken.
    #[error("the proof has a header member that is not accepted")]
    HeaderMember,
    /// No public key in the header, a private one, or one that is not for this algorithm (checks 5 and 7).
    #[error("the proof brings no usable key")]
    Key,
    /// The key is not the one that the token is bound to (check 12, RFC 7638).
    #[error("the proof is by another key")]
    OtherKey,
    /// The key did not sign it (check 6).
    #[error("the proof is not signed by its key")]
    Signature,
    /// `jti` is missing or too long (check 3).
    #[error("the proof has no usable id")]
    Id,
    /// For another method (check 8).
    #[error("the proof is for another method")]
    Method,
    /// For another address (check 9).
    #[error("the proof is for another address")]
    Address,
    /// Too old or from the future (check 11).
    #[error("the proof is too old or from the future")]
    Time,
    /// For another access token or for none (check 12).
    #[error("the proof is for another access token")]
    AccessToken,
    /// It was used before (section 11.1).
    #[error("the proof was used before")]
    Replayed,
    /// Nobody can say whether it was used before: the store is full or cannot be reached. No fault of the client.
    #[error("used proofs cannot be remembered now")]
    Full,
}

/// A proof and the request it came with.
#[derive(Clone, Copy, Debug)]
pub struct Proof<'a> {
    /// The one `DPoP` header of the request. More than one is to be refused before (RFC 9449 section 4.3 check 1).
    pub text: &'a str,
    /// The request's method.
    pub method: &'a str,
    /// The request's address as clients know it. Query and fragment do not count.
    pub uri: &'a str,
    /// The access token beside it.
    pub access_token: &'a str,
    /// The key that the token is bound to: `cnf.jkt`, a thumbprint of RFC 7638.
    pub thumbprint: &'a str,
    /// Whom the proof is counted for, so that nobody takes up the room of others: the key when it is not said. Whoever
    /// can have tokens for as many keys as it likes is better counted by its own name.
    pub holder: Option<&'a str>,
}

impl Proof<'_> {
    /// Whether the holder of the key made this proof for this request and nobody used it before (RFC 9449 sections 4.3
    /// and 7.1). Signatures are checked after everything that costs less; only a proof that is good in all else is
    /// remembered, so that nobody without the key fills the store.
    pub async fn check(
        &self,
        now_seconds: i64,
        settings: &ProofSettings,
        replays: &dyn ReplayStore,
    ) -> Result<(), DpopRefusal> {
        let (id, good_until) = self.read(now_seconds, settings)?;
        match replays.remember(id, good_until, now_seconds).await {
            Ok(()) => Ok(()),
            Err(ReplayError::Seen) => Err(DpopRefusal::Replayed),
            Err(ReplayError::Full | ReplayError::Unavailable) => Err(DpopRefusal::Full),
        }
    }

    /// All but the replay: what the proof is remembered by, and the last second in which it is good.
    fn read(&self, now_seconds: i64, settings: &ProofSettings) -> Result<(ProofId, i64), DpopRefusal> {
        if self.text.len() > MAX_PROOF_BYTES {
            return Err(DpopRefusal::Malformed);
        }
        let compact = Compact::parse(self.text).ok_or(DpopRefusal::Malformed)?;
        let algorithm = read_header(&compact.header)?;
        let id = text(&compact.claims, "jti").filter(|id| (1..=MAX_ID_BYTES).contains(&id.len()));
        let id = id.ok_or(DpopRefusal::Id)?;
        self.check_request(&compact.claims)?;
        let good_until = check_time(&compact.claims, now_seconds, settings)?;
        let Some(Value::Object(jwk)) = compact.header.get("jwk") else { return Err(DpopRefusal::Key) };
        let key = VerifyingKey::from_jwk_for(jwk, algorithm).map_err(|_| DpopRefusal::Key)?;
        let thumbprint = URL_SAFE_NO_PAD.encode(key.thumbprint());
        if thumbprint != self.thumbprint {
            return Err(DpopRefusal::OtherKey);
        }
        if !key.verify(algorithm, compact.message, &compact.signature) {
            return Err(DpopRefusal::Signature);
        }
        Ok((ProofId::of(&thumbprint, id, self.holder), good_until))
    }

    /// Checks 8, 9 and 12.
    fn check_request(&self, claims: &Map<String, Value>) -> Result<(), DpopRefusal> {
        if text(claims, "htm") != Some(self.method) {
            return Err(DpopRefusal::Method);
        }
        let own = normalized(self.uri);
        if own.is_none() || text(claims, "htu").and_then(normalized) != own {
            return Err(DpopRefusal::Address);
        }
        let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, self.access_token.as_bytes()));
        let is_for_token =
            text(claims, "ath").is_some_and(|named| verify_slices_are_equal(named.as_bytes(), hash.as_bytes()).is_ok());
        is_for_token.then_some(()).ok_or(DpopRefusal::AccessToken)
    }
}

/// Checks 4 and 5, and nothing in the header that leads elsewhere.
fn read_header(header: &Map<String, Value>) -> Result<Algorithm, DpopRefusal> {
    if REFUSED_MEMBERS.iter().any(|name| header.contains_key(*name)) {
        return Err(DpopRefusal::HeaderMember);
    }
    // RFC 7515 section 4.1.9: media types are compared without regard to case.
    if !text(header, "typ").is_some_and(|typ| typ.eq_ignore_ascii_case("dpop+jwt")) {
        return Err(DpopRefusal::Type);
    }
    let algorithm = text(header, "alg").and_then(Algorithm::parse);
    algorithm.filter(|algorithm| ALGORITHMS.contains(algorithm)).ok_or(DpopRefusal::Algorithm)
}

/// Check 11: the last second in which the proof is good. A proof may say that it ends earlier.
fn check_time(claims: &Map<String, Value>, now: i64, settings: &ProofSettings) -> Result<i64, DpopRefusal> {
    let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    let time = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_i64().map(Some).ok_or(DpopRefusal::Time),
    };
    let issued_at = time("iat")?.ok_or(DpopRefusal::Time)?;
    let good_until = issued_at.saturating_add(seconds(settings.max_age));
    let latest = now.saturating_add(seconds(settings.leeway));
    let is_recent = now <= good_until
        && issued_at <= latest
        && time("nbf")?.is_none_or(|begin| begin <= latest)
        && time("exp")?.is_none_or(|end| end > now);
    is_recent.then_some(good_until).ok_or(DpopRefusal::Time)
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name)?.as_str()
}

#[cfg(test)]
mod tests;

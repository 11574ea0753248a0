//! Proof of possession (RFC 9449): which key a request proves to hold, and the nonces that proofs must show.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_model::time::{MINUTE_MS, Timestamp};
use doorward_oidc::dpop::{self, Expectation, NonceRule, Proof, ProofError};
use doorward_oidc::error::{ErrorCode, OAuthError};
use doorward_oidc::jose::Thumbprint;
use subtle::ConstantTimeEq as _;

use super::replays::Shown;
use crate::App;
use crate::failure::Failure;
use crate::op::Op;

/// How long one nonce is given out. It is good while it is, and for one more such time.
const NONCE_MS: i64 = 2 * MINUTE_MS;

/// A request as proofs are held against it.
#[derive(Clone, Copy, Debug)]
pub struct Proving<'a> {
    /// The values of its `DPoP` headers.
    pub proofs: &'a [String],
    /// Its method.
    pub method: &'a str,
    /// The path of the endpoint.
    pub path: &'a str,
}

impl App {
    /// The nonce that proofs must show now. It follows from the time and a key of the deployment, so that every node
    /// gives out the same and knows it again without having kept it.
    pub fn dpop_nonce(&self, now: Timestamp) -> String {
        self.nonce_of(now.as_ms().div_euclid(NONCE_MS))
    }

    fn nonce_of(&self, window: i64) -> String {
        URL_SAFE_NO_PAD.encode(&self.keys.derive("dpop nonce", &[&window.to_be_bytes()])[..16])
    }

    /// Whether a nonce is the current one, the one before, or the next of a node whose clock is ahead.
    fn is_fresh_nonce(&self, nonce: &str, now: Timestamp) -> bool {
        let window = now.as_ms().div_euclid(NONCE_MS);
        let is_of = |window: i64| self.nonce_of(window).as_bytes().ct_eq(nonce.as_bytes());
        (is_of(window) | is_of(window - 1) | is_of(window + 1)).into()
    }

    /// The key that a request proves to hold, if it brings a proof. `access_token` is the token it uses with it, at a
    /// protected resource. A proof counts once, on all nodes.
    pub(super) async fn proved_key(
        &self,
        op: &Op,
        proving: &Proving<'_>,
        access_token: Option<&str>,
    ) -> Result<Result<Option<Thumbprint>, OAuthError>, Failure> {
        let proof = match self.check_proof(op, proving, access_token) {
            Ok(Some(proof)) => proof,
            Ok(None) => return Ok(Ok(None)),
            Err(error) => return Ok(Err(error.into())),
        };
        let shown = Shown::Proof(&proof.thumbprint);
        if !self.is_first_showing(shown, &proof.id, proof.remember_until).await? {
            return Ok(Err(OAuthError::new(ErrorCode::InvalidDpopProof, "the DPoP proof was used before")));
        }
        Ok(Ok(Some(proof.thumbprint)))
    }

    fn check_proof(
        &self,
        op: &Op,
        proving: &Proving<'_>,
        access_token: Option<&str>,
    ) -> Result<Option<Proof>, ProofError> {
        let Some(text) = dpop::single(proving.proofs.iter().map(String::as_str))? else { return Ok(None) };
        let address = format!("{}{}", self.settings.public_url, proving.path);
        let is_fresh = |nonce: &str| self.is_fresh_nonce(nonce, op.now);
        let expected = Expectation {
            method: proving.method,
            address: &address,
            access_token,
            nonce: NonceRule::Required(&is_fresh),
            now: op.now,
        };
        dpop::verify(text, &expected).map(Some)
    }
}

/// How an access token came in the `Authorization` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenScheme {
    /// Whoever has it may use it (RFC 6750).
    Bearer,
    /// With a proof of the key it is bound to (RFC 9449 section 7.1).
    Dpop,
}

impl TokenScheme {
    /// Reads the name of a scheme.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Bearer, Self::Dpop].into_iter().find(|scheme| scheme.as_str().eq_ignore_ascii_case(name))
    }

    /// How a token is used that is bound to this key, or to none.
    pub(super) const fn of(key: Option<Thumbprint>) -> Self {
        if key.is_some() { Self::Dpop } else { Self::Bearer }
    }

    /// The name, also the `token_type` of tokens that are used so.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }
}

impl fmt::Display for TokenScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

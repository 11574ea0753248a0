//! Access tokens: issued for a session, verified without the database.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_model::id::{SessionId, TokenId, UserId};
use doorward_model::random::Random;
use doorward_model::secret::{SecretText, TokenHash};
use doorward_model::time::{SECOND_MS, Timestamp};
use doorward_model::token::{AccessClaims, Compact, Header, MAX_TOKEN_BYTES, TOKEN_TYPE, Validity, parse_object};
use doorward_oidc::jose::Algorithm;
use thiserror::Error;

use super::ring::KeyRing;
use super::sealing::CryptographyFailed;
use super::verified::VerifiedTokens;
use super::{Keys, signature};

/// What an access token is issued for.
#[derive(Clone, Copy, Debug)]
pub struct AccessGrant<'a> {
    /// The person.
    pub subject: UserId,
    /// The session it comes from.
    pub session_id: SessionId,
    /// When that session ends at the latest; the token ends no later.
    pub session_expires_at: Timestamp,
    /// When the person last proved who they are.
    pub authenticated_at: Timestamp,
    /// The application that will hold it.
    pub client_id: &'a str,
    /// How strong the proof was.
    pub acr: &'a str,
    /// What the proof was made of.
    pub amr: &'a [String],
    /// What it allows, separated by spaces.
    pub scope: &'a str,
}

/// A fresh access token.
#[derive(Clone, Debug)]
pub struct IssuedAccessToken {
    /// The JWT.
    pub text: SecretText,
    /// Its `jti`.
    pub id: TokenId,
    /// Its `exp`.
    pub expires_at: Timestamp,
    /// How long it lives, in seconds.
    pub expires_in_seconds: i64,
}

/// Why no token is issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum IssueError {
    /// The session ends within the second.
    #[error("the session is over")]
    SessionOver,
    /// This node has no key that signs.
    #[error("there is no active signing key")]
    NoSigningKey,
    /// The claims cannot be written.
    #[error("the claims cannot be written")]
    Claims,
    /// The library failed.
    #[error(transparent)]
    Cryptography(#[from] CryptographyFailed),
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidAccessToken {
    /// Anything that is wrong with it.
    #[error("the access token is not valid")]
    Invalid,
    /// Everything about it is right except that its time is over. Only its holder can learn this.
    #[error("the access token has expired")]
    Expired,
}

/// Claims of tokens that were verified before.
pub(crate) type ClaimsMemory<K> = VerifiedTokens<KeptClaims<K>>;

/// What a memory holds of a token.
#[derive(Clone)]
pub(crate) struct KeptClaims<K> {
    claims: K,
    /// When the key goes that signed it: the ring may not have been told yet.
    gone_at: Option<Timestamp>,
}

impl<K> KeptClaims<K> {
    fn until(self, now: Timestamp) -> Option<K> {
        self.gone_at.is_none_or(|gone_at| now < gone_at).then_some(self.claims)
    }
}

impl Keys {
    /// A new access token (RFC 9068) from `now` on.
    pub fn issue_access_token(
        &self,
        grant: &AccessGrant<'_>,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<IssuedAccessToken, IssueError> {
        let id = TokenId::new(now, random);
        let expires_at = now.plus_ms(self.settings.access_token_ms).min(grant.session_expires_at);
        let expires_in_seconds = expires_at.as_seconds() - now.as_seconds();
        if expires_in_seconds <= 0 {
            return Err(IssueError::SessionOver);
        }
        let expires_at = Timestamp::from_ms(expires_at.as_seconds() * SECOND_MS);
        let claims = AccessClaims {
            issuer: self.settings.issuer.clone(),
            audience: self.settings.audience.clone(),
            subject: grant.subject,
            client_id: grant.client_id.to_owned(),
            session_id: grant.session_id,
            token_id: id,
            issued_at: now,
            expires_at,
            authenticated_at: grant.authenticated_at,
            acr: grant.acr.to_owned(),
            amr: grant.amr.to_vec(),
            scope: grant.scope.to_owned(),
            not_before: None,
        };
        let text = self.sign(&claims)?;
        Ok(IssuedAccessToken { text: SecretText::new(text), id, expires_at, expires_in_seconds })
    }

    fn sign(&self, claims: &AccessClaims) -> Result<String, IssueError> {
        let payload = claims.to_json().map_err(|_| IssueError::Claims)?;
        self.sign_claims(TOKEN_TYPE, &payload)
    }

    /// A token of ours of a `typ` with any claims, in the compact serialization.
    pub(crate) fn sign_claims(&self, kind: &str, payload: &[u8]) -> Result<String, IssueError> {
        self.sign_claims_with(signature::OWN, kind, payload)
    }

    /// The same with an algorithm that a client chose when it registered.
    pub(crate) fn sign_claims_with(
        &self,
        algorithm: Algorithm,
        kind: &str,
        payload: &[u8],
    ) -> Result<String, IssueError> {
        let ring = self.ring();
        let key = ring.active(algorithm).ok_or(IssueError::NoSigningKey)?;
        let signer = key.material.signer.as_ref().ok_or(IssueError::NoSigningKey)?;
        let header = key.material.header(kind).map_err(|_| IssueError::Claims)?;
        // The longest signature, of RSA-3072, has 512 characters.
        let mut text = String::with_capacity(header.len() + payload.len() * 4 / 3 + 520);
        text.push_str(&header);
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut text);
        let signature = signer.sign(text.as_bytes())?;
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut text);
        Ok(text)
    }

    /// The payload of a token of this `typ` that a key of ours signed with one of the algorithms. What it says, its times
    /// among it, is not looked at.
    pub(crate) fn verified_claims(
        &self,
        text: &str,
        kind: &str,
        algorithms: &[Algorithm],
        now: Timestamp,
    ) -> Option<Vec<u8>> {
        self.verified_payload(text, kind, algorithms, now).map(|(payload, _)| payload)
    }

    /// What `read` makes of the claims of such a token of our own algorithm, from `memory` if they were read before.
    pub(crate) fn remembered_claims<K: Clone>(
        &self,
        memory: &ClaimsMemory<K>,
        text: &str,
        kind: &str,
        now: Timestamp,
        read: impl FnOnce(&[u8]) -> Option<K>,
    ) -> Option<K> {
        if text.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let (hash, ring) = (TokenHash::of(text.as_bytes()), self.ring());
        if let Some(kept) = memory.find(&hash, ring.version) {
            return kept.until(now);
        }
        let (payload, gone_at) = self.verified_payload(text, kind, &[signature::OWN], now)?;
        let claims = read(&payload)?;
        memory.insert(hash, ring.version, KeptClaims { claims: claims.clone(), gone_at });
        Some(claims)
    }

    /// The same from `memory` alone.
    pub(crate) fn known_claims<K: Clone>(&self, memory: &ClaimsMemory<K>, text: &str, now: Timestamp) -> Option<K> {
        if text.len() > MAX_TOKEN_BYTES {
            return None;
        }
        memory.find(&TokenHash::of(text.as_bytes()), self.ring().version)?.until(now)
    }

    /// The payload, and when the key goes that signed it.
    fn verified_payload(
        &self,
        text: &str,
        kind: &str,
        algorithms: &[Algorithm],
        now: Timestamp,
    ) -> Option<(Vec<u8>, Option<Timestamp>)> {
        let token = Compact::parse(text)?;
        let header: Header = parse_object(&token.header)?;
        let ring = self.ring();
        let key = ring.find(&header.kid, now).filter(|_| header.typ == kind)?;
        // The key's algorithm is compared with the token's, never chosen by it (RFC 8725 section 3.1).
        let is_right = algorithms.contains(&key.material.algorithm) && header.alg == key.material.algorithm.as_str();
        let is_signed = || {
            let hash = TokenHash::of(text.as_bytes());
            if self.verified_others.find(&hash, ring.version).is_some() {
                return true;
            }
            let is_signed = key.material.verifier.verifies(token.signing_input, &token.signature);
            if is_signed {
                self.verified_others.insert(hash, ring.version, ());
            }
            is_signed
        };
        (is_right && is_signed()).then_some((token.payload, key.gone_at))
    }

    /// The claims of an access token issued by this deployment for its own API and valid at `now`. Whether its
    /// session still lives is asked elsewhere.
    pub fn verify_access_token(&self, text: &str, now: Timestamp) -> Result<Arc<AccessClaims>, InvalidAccessToken> {
        if text.len() > MAX_TOKEN_BYTES {
            return Err(InvalidAccessToken::Invalid);
        }
        let hash = TokenHash::of(text.as_bytes());
        let ring = self.ring();
        if let Some(claims) = self.verified.find(&hash, ring.version) {
            return in_time(claims, now);
        }
        let claims = self.prove(&ring, text, now).ok_or(InvalidAccessToken::Invalid)?;
        let claims = in_time(Arc::new(claims), now)?;
        self.verified.insert(hash, ring.version, Arc::clone(&claims));
        Ok(claims)
    }

    /// Everything but the times: spelling, header, key, signature, then issuer and audience (RFC 9068 section 4).
    fn prove(&self, ring: &KeyRing, text: &str, now: Timestamp) -> Option<AccessClaims> {
        let token = Compact::parse(text)?;
        let header = Header::parse(&token.header)?;
        let key = ring.find(&header.kid, now).filter(|key| key.material.algorithm == signature::OWN)?;
        if header.alg != signature::OWN.as_str()
            || !key.material.verifier.verifies(token.signing_input, &token.signature)
        {
            return None;
        }
        let claims = AccessClaims::parse(&token.payload)?;
        (claims.issuer == self.settings.issuer && claims.audience == self.settings.audience).then_some(claims)
    }
}

fn in_time(claims: Arc<AccessClaims>, now: Timestamp) -> Result<Arc<AccessClaims>, InvalidAccessToken> {
    match claims.validity(now) {
        Validity::Valid => Ok(claims),
        Validity::Expired => Err(InvalidAccessToken::Expired),
        Validity::Early => Err(InvalidAccessToken::Invalid),
    }
}

//! The claims of an access token (RFC 9068 section 2.2).

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};

use super::json;
use crate::id::{SessionId, TokenId, UserId};
use crate::time::{SECOND_MS, Timestamp};

/// How far another node's clock may be ahead of ours, in milliseconds. Nodes are not ready above 2 s.
pub const FUTURE_LEEWAY_MS: i64 = 5 * SECOND_MS;

/// The claims of a token, read into types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessClaims {
    /// `iss`: who issued it.
    pub issuer: String,
    /// `aud`: the one it is made out to.
    pub audience: String,
    /// `sub`: the person.
    pub subject: UserId,
    /// `client_id`: the application that holds it.
    pub client_id: String,
    /// `sid`: the session it came from.
    pub session_id: SessionId,
    /// `jti`: its own id.
    pub token_id: TokenId,
    /// `iat`: when it was issued, in whole seconds.
    pub issued_at: Timestamp,
    /// `exp`: from when on it is refused, in whole seconds.
    pub expires_at: Timestamp,
    /// `auth_time`: when the person last proved who they are, in whole seconds.
    pub authenticated_at: Timestamp,
    /// `acr`: how strong that proof was.
    pub acr: String,
    /// `amr`: what it was made of (RFC 8176).
    pub amr: Vec<String>,
    /// `scope`: what it allows, separated by spaces.
    pub scope: String,
    /// `nbf`: before this it is refused. Doorward does not set it.
    pub not_before: Option<Timestamp>,
}

/// Whether claims hold at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// They do.
    Valid,
    /// They did.
    Expired,
    /// Not yet: issued or valid only in the future.
    Early,
}

/// As on the wire. Unknown claims are ignored, so that the next version may add one while both run.
#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    iss: Cow<'a, str>,
    aud: Cow<'a, str>,
    sub: Cow<'a, str>,
    client_id: Cow<'a, str>,
    sid: Cow<'a, str>,
    jti: Cow<'a, str>,
    iat: i64,
    exp: i64,
    auth_time: i64,
    acr: Cow<'a, str>,
    amr: Cow<'a, [String]>,
    scope: Cow<'a, str>,
    #[serde(default, deserialize_with = "some_number", skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
}

/// A claim that may be missing but, when it is there, is a number and not `null`.
fn some_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    i64::deserialize(deserializer).map(Some)
}

/// Whole seconds since 1970 (RFC 7519 section 2, `NumericDate`); none when negative or beyond what a
/// [`Timestamp`] holds.
fn read_seconds(seconds: i64) -> Option<Timestamp> {
    let ms = seconds.checked_mul(SECOND_MS)?;
    (seconds >= 0).then_some(Timestamp::from_ms(ms))
}

impl AccessClaims {
    /// Reads a payload; none when a claim is missing, repeated or of another type.
    pub fn parse(json: &[u8]) -> Option<Self> {
        let wire: Wire<'static> = json::parse_object(json)?;
        let not_before = match wire.nbf {
            Some(seconds) => Some(read_seconds(seconds)?),
            None => None,
        };
        Some(Self {
            issuer: wire.iss.into_owned(),
            audience: wire.aud.into_owned(),
            subject: UserId::parse(&wire.sub).ok()?,
            client_id: wire.client_id.into_owned(),
            session_id: SessionId::parse(&wire.sid).ok()?,
            token_id: TokenId::parse(&wire.jti).ok()?,
            issued_at: read_seconds(wire.iat)?,
            expires_at: read_seconds(wire.exp)?,
            authenticated_at: read_seconds(wire.auth_time)?,
            acr: wire.acr.into_owned(),
            amr: wire.amr.into_owned(),
            scope: wire.scope.into_owned(),
            not_before,
        })
    }

    /// The payload's JSON. Times are cut to whole seconds.
    pub fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(&Wire {
            iss: Cow::Borrowed(&self.issuer),
            aud: Cow::Borrowed(&self.audience),
            sub: Cow::Owned(self.subject.to_string()),
            client_id: Cow::Borrowed(&self.client_id),
            sid: Cow::Owned(self.session_id.to_string()),
            jti: Cow::Owned(self.token_id.to_string()),
            iat: self.issued_at.as_seconds(),
            exp: self.expires_at.as_seconds(),
            auth_time: self.authenticated_at.as_seconds(),
            acr: Cow::Borrowed(&self.acr),
            amr: Cow::Borrowed(&self.amr),
            scope: Cow::Borrowed(&self.scope),
            nbf: self.not_before.map(Timestamp::as_seconds),
        })
    }

    /// Whether the times allow its use at `now`. There is no leeway after `exp`.
    pub fn validity(&self, now: Timestamp) -> Validity {
        let latest = now.plus_ms(FUTURE_LEEWAY_MS);
        if now >= self.expires_at {
            Validity::Expired
        } else if self.issued_at > latest || self.not_before.is_some_and(|not_before| not_before > latest) {
            Validity::Early
        } else {
            Validity::Valid
        }
    }
}

//! Why somebody is not let in, and what they are told.

use std::fmt;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use thiserror::Error;

/// Why a token is not believed. For logs and metrics: whoever sent the token is told none of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Reason {
    /// Not three parts, not base64url, not JSON, too long, a member repeated or of another type.
    #[error("malformed")]
    Malformed,
    /// The header brings a key, leads to one, or demands what nobody understands.
    #[error("header_member")]
    HeaderMember,
    /// An algorithm that is not taken, `none` first of all.
    #[error("algorithm")]
    Algorithm,
    /// Another kind of thing than an access token.
    #[error("type")]
    Type,
    /// An issuer that is not trusted here.
    #[error("issuer")]
    Issuer,
    /// Meant for somebody else.
    #[error("audience")]
    Audience,
    /// Nothing says when it ends, or it ended.
    #[error("expired")]
    Expired,
    /// Its time has not come, or it says that it was issued in the future.
    #[error("not_yet")]
    NotYet,
    /// No key of the issuer has the id that it names.
    #[error("unknown_key")]
    UnknownKey,
    /// None of the issuer's keys made the signature.
    #[error("signature")]
    Signature,
    /// It, its session, grant, client or user, or the key that signed it, was revoked.
    #[error("revoked")]
    Revoked,
    /// It is bound to a key and the proof of it is missing, wrong or repeated; or it is not bound and has to be.
    #[error("proof")]
    Proof,
}

impl Reason {
    /// The reason in one word, as a label of a metric.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::HeaderMember => "header_member",
            Self::Algorithm => "algorithm",
            Self::Type => "type",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Expired => "expired",
            Self::NotYet => "not_yet",
            Self::UnknownKey => "unknown_key",
            Self::Signature => "signature",
            Self::Revoked => "revoked",
            Self::Proof => "proof",
        }
    }
}

/// What stands in the way of a request.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// No token came with it.
    #[error("no token")]
    Missing,
    /// Two tokens, or what cannot be one.
    #[error("the request is malformed")]
    Request,
    /// The token is not believed.
    #[error("the token is refused: {0}")]
    Token(Reason),
    /// The token is good, and does not allow this. Names what was required.
    #[error("the token does not allow this")]
    Insufficient(Box<Lacking>),
    /// Nobody can tell now: no key could be had, or nothing is known of what was revoked.
    #[error("tokens cannot be checked now: {0}")]
    Unavailable(Unavailable),
}

/// What a token would have to have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lacking {
    /// The scope words that are required, separated by spaces; empty when it is not the scope that lacks.
    pub scope: String,
}

/// Why tokens cannot be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Unavailable {
    /// The keys of the issuer could not be fetched.
    #[error("keys")]
    Keys,
    /// What was revoked has not been known for too long.
    #[error("revocations")]
    Revocations,
    /// As many proofs as are remembered were seen lately.
    #[error("proofs")]
    Proofs,
}

impl Unavailable {
    /// The reason in one word, as a label of a metric.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Revocations => "revocations",
            Self::Proofs => "proofs",
        }
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self::Token(reason)
    }
}

impl Refusal {
    /// The status of the answer (RFC 6750 section 3.1).
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Missing | Self::Token(_) => StatusCode::UNAUTHORIZED,
            Self::Request => StatusCode::BAD_REQUEST,
            Self::Insufficient(_) => StatusCode::FORBIDDEN,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The challenge (RFC 6750 section 3), which says no more than how to do better: never why a token was refused.
    fn challenge(&self, scheme: Scheme) -> Option<String> {
        let parameters = match self {
            Self::Missing => String::new(),
            Self::Request => " error=\"invalid_request\"".to_owned(),
            Self::Token(Reason::Proof) if scheme == Scheme::Dpop => " error=\"invalid_dpop_proof\"".to_owned(),
            Self::Token(_) => " error=\"invalid_token\"".to_owned(),
            Self::Insufficient(lacking) if lacking.scope.is_empty() => " error=\"insufficient_scope\"".to_owned(),
            Self::Insufficient(lacking) => format!(" error=\"insufficient_scope\", scope=\"{}\"", lacking.scope),
            Self::Unavailable(_) => return None,
        };
        Some(match scheme {
            Scheme::Bearer => format!("Bearer{parameters}"),
            // RFC 9449 section 7.1: the algorithms that a proof may be signed with.
            Scheme::Dpop => {
                let separator = if parameters.is_empty() { "" } else { "," };
                format!("DPoP{parameters}{separator} algs=\"ES256 EdDSA PS256 RS256\"")
            }
        })
    }

    /// The answer to the request (RFC 6750 section 3, RFC 9457).
    pub fn to_response<B: From<Bytes>>(&self, scheme: Scheme) -> Response<B> {
        let status = self.status();
        let title = status.canonical_reason().unwrap_or("Error");
        let body = format!(r#"{{"type":"about:blank","title":"{title}","status":{}}}"#, status.as_u16());
        let mut response = Response::new(B::from(Bytes::from(body)));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // Scope words were checked when the requirement was made: the text is always a header's.
        if let Some(challenge) = self.challenge(scheme).and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if matches!(self, Self::Unavailable(_)) {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}

/// How tokens are to be presented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// Whoever has the token may use it (RFC 6750).
    #[default]
    Bearer,
    /// With a proof that the sender has the key it is bound to (RFC 9449).
    Dpop,
}

impl fmt::Display for Scheme {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        })
    }
}

//! Who a credential belongs to: what every protected route asks first.

use doorward_model::id::{SessionId, UserId};
use doorward_model::time::Timestamp;
use thiserror::Error;

use crate::keys::access_tokens::InvalidAccessToken;

/// How a caller proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// The session cookie: carries a browser's ambient authority, so unsafe calls need the CSRF rules.
    Cookie,
    /// An access token in the `Authorization` header.
    Bearer,
}

/// A caller whose credential is valid right now.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The person.
    pub user_id: UserId,
    /// The session their credential came from.
    pub session_id: SessionId,
    /// Whether they administer this deployment.
    pub is_admin: bool,
    /// When they last proved who they are.
    pub authenticated_at: Timestamp,
    /// How this request carries the credential.
    pub via: Via,
}

impl From<InvalidAccessToken> for AuthenticationError {
    fn from(error: InvalidAccessToken) -> Self {
        match error {
            InvalidAccessToken::Invalid => Self::Invalid,
            InvalidAccessToken::Expired => Self::TokenExpired,
        }
    }
}

/// Why a credential was refused. The wire shows the code and nothing else.
#[derive(Debug, Error)]
pub enum AuthenticationError {
    /// Unknown, malformed, of another kind, badly signed, for somebody else.
    #[error("the credential is not valid")]
    Invalid,
    /// An access token past its `exp`.
    #[error("the access token has expired")]
    TokenExpired,
    /// The session reached its idle or absolute limit.
    #[error("the session has expired")]
    SessionExpired,
    /// The session was ended.
    #[error("the session has ended")]
    SessionRevoked,
    /// The database is away, or has failed: nothing is known about the credential.
    #[error("the credential was not checked")]
    Unchecked(#[source] doorward_store::StoreError),
}

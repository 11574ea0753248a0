//! The errors of OAuth 2 and OpenID Connect: one table of their codes, statuses and where each may be told.

use thiserror::Error;

/// An error code on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ErrorCode {
    /// The request is malformed.
    InvalidRequest,
    /// The client may not do this.
    UnauthorizedClient,
    /// The person or the server said no.
    AccessDenied,
    /// Another response type than `code`.
    UnsupportedResponseType,
    /// A scope that is malformed or not allowed.
    InvalidScope,
    /// A failure of ours, where no status can be sent.
    ServerError,
    /// Too busy, where no status can be sent.
    TemporarilyUnavailable,
    /// The client is unknown or has not proved who it is.
    InvalidClient,
    /// A code or token that is wrong, over, or somebody else's.
    InvalidGrant,
    /// A grant that does not exist here.
    UnsupportedGrantType,
    /// A resource the client may not name.
    InvalidTarget,
    /// Nobody is signed in and nothing may be shown.
    LoginRequired,
    /// Something must be shown and may not be.
    InteractionRequired,
    /// The person must choose an account and may not be asked.
    AccountSelectionRequired,
    /// The person must consent and may not be asked.
    ConsentRequired,
    /// The asked-for strength of authentication cannot be had.
    UnmetAuthenticationRequirements,
    /// A `request_uri` that is unknown, used or over.
    InvalidRequestUri,
    /// A request object that is wrong.
    InvalidRequestObject,
    /// Request objects are not taken.
    RequestNotSupported,
    /// Request objects are not fetched.
    RequestUriNotSupported,
    /// Clients do not register themselves inside a request.
    RegistrationNotSupported,
    /// Poll again later.
    AuthorizationPending,
    /// Poll more slowly.
    SlowDown,
    /// The device code is over.
    ExpiredToken,
    /// A proof of possession that is wrong.
    InvalidDpopProof,
    /// A proof of possession without a fresh nonce.
    UseDpopNonce,
    /// An access token that is wrong, over or withdrawn.
    InvalidToken,
    /// An access token that does not allow this.
    InsufficientScope,
    /// An access token whose authentication is too weak or too old.
    InsufficientUserAuthentication,
    /// A kind of token that cannot be withdrawn.
    UnsupportedTokenType,
    /// Metadata with a redirect URI that cannot be registered.
    InvalidRedirectUri,
    /// Metadata that is wrong.
    InvalidClientMetadata,
}

/// Where an error may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// At the client's redirect URI; on a page while that is not proved.
    Authorization,
    /// In the JSON of a server-to-server endpoint (RFC 6749 section 5.2).
    Json,
    /// In either.
    Both,
    /// In the `WWW-Authenticate` header of a protected resource (RFC 6750 section 3).
    Resource,
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The code on the wire.
    pub code: &'static str,
    /// The HTTP status of a page or of JSON.
    pub status: u16,
    /// Where it may be told.
    pub place: Place,
    /// What defines it.
    pub source: &'static str,
}

impl ErrorCode {
    /// Every code.
    pub const ALL: [Self; 32] = [
        Self::InvalidRequest,
        Self::UnauthorizedClient,
        Self::AccessDenied,
        Self::UnsupportedResponseType,
        Self::InvalidScope,
        Self::ServerError,
        Self::TemporarilyUnavailable,
        Self::InvalidClient,
        Self::InvalidGrant,
        Self::UnsupportedGrantType,
        Self::InvalidTarget,
        Self::LoginRequired,
        Self::InteractionRequired,
        Self::AccountSelectionRequired,
        Self::ConsentRequired,
        Self::UnmetAuthenticationRequirements,
        Self::InvalidRequestUri,
        Self::InvalidRequestObject,
        Self::RequestNotSupported,
        Self::RequestUriNotSupported,
        Self::RegistrationNotSupported,
        Self::AuthorizationPending,
        Self::SlowDown,
        Self::ExpiredToken,
        Self::InvalidDpopProof,
        Self::UseDpopNonce,
        Self::InvalidToken,
        Self::InsufficientScope,
        Self::InsufficientUserAuthentication,
        Self::UnsupportedTokenType,
        Self::InvalidRedirectUri,
        Self::InvalidClientMetadata,
    ];

    /// The table.
    pub const fn row(self) -> Row {
        use Place::{Authorization, Both, Json, Resource};
        let (code, status, place, source) = match self {
            Self::InvalidRequest => ("invalid_request", 400, Both, "RFC 6749 section 4.1.2.1 and 5.2"),
            Self::UnauthorizedClient => ("unauthorized_client", 400, Both, "RFC 6749 section 4.1.2.1 and 5.2"),
            Self::AccessDenied => ("access_denied", 400, Both, "RFC 6749 section 4.1.2.1, RFC 8628 section 3.5"),
            Self::UnsupportedResponseType => {
                ("unsupported_response_type", 400, Authorization, "RFC 6749 section 4.1.2.1")
            }
            Self::InvalidScope => ("invalid_scope", 400, Both, "RFC 6749 section 4.1.2.1 and 5.2"),
            Self::ServerError => ("server_error", 500, Authorization, "RFC 6749 section 4.1.2.1"),
            Self::TemporarilyUnavailable => ("temporarily_unavailable", 503, Authorization, "RFC 6749 section 4.1.2.1"),
            Self::InvalidClient => ("invalid_client", 401, Json, "RFC 6749 section 5.2"),
            Self::InvalidGrant => ("invalid_grant", 400, Json, "RFC 6749 section 5.2"),
            Self::UnsupportedGrantType => ("unsupported_grant_type", 400, Json, "RFC 6749 section 5.2"),
            Self::InvalidTarget => ("invalid_target", 400, Both, "RFC 8707 section 2, RFC 8693 section 2.2.2"),
            Self::LoginRequired => ("login_required", 400, Authorization, "OpenID Connect Core 3.1.2.6"),
            Self::InteractionRequired => ("interaction_required", 400, Authorization, "OpenID Connect Core 3.1.2.6"),
            Self::AccountSelectionRequired => {
                ("account_selection_required", 400, Authorization, "OpenID Connect Core 3.1.2.6")
            }
            Self::ConsentRequired => ("consent_required", 400, Authorization, "OpenID Connect Core 3.1.2.6"),
            Self::UnmetAuthenticationRequirements => (
                "unmet_authentication_requirements",
                400,
                Authorization,
                "OpenID Connect Core Error Code unmet_authentication_requirements 1.0",
            ),
            Self::InvalidRequestUri => ("invalid_request_uri", 400, Authorization, "OpenID Connect Core 3.1.2.6"),
            Self::InvalidRequestObject => {
                ("invalid_request_object", 400, Both, "RFC 9101 section 7, RFC 9126 section 2.3")
            }
            Self::RequestNotSupported => ("request_not_supported", 400, Both, "RFC 9101 section 7"),
            Self::RequestUriNotSupported => ("request_uri_not_supported", 400, Authorization, "RFC 9101 section 7"),
            Self::RegistrationNotSupported => ("registration_not_supported", 400, Both, "OpenID Connect Core 3.1.2.6"),
            Self::AuthorizationPending => ("authorization_pending", 400, Json, "RFC 8628 section 3.5"),
            Self::SlowDown => ("slow_down", 400, Json, "RFC 8628 section 3.5"),
            Self::ExpiredToken => ("expired_token", 400, Json, "RFC 8628 section 3.5"),
            Self::InvalidDpopProof => ("invalid_dpop_proof", 400, Json, "RFC 9449 section 5"),
            Self::UseDpopNonce => ("use_dpop_nonce", 400, Json, "RFC 9449 section 8"),
            Self::InvalidToken => ("invalid_token", 401, Resource, "RFC 6750 section 3.1"),
            Self::InsufficientScope => ("insufficient_scope", 403, Resource, "RFC 6750 section 3.1"),
            Self::InsufficientUserAuthentication => {
                ("insufficient_user_authentication", 401, Resource, "RFC 9470 section 3")
            }
            Self::UnsupportedTokenType => ("unsupported_token_type", 400, Json, "RFC 7009 section 2.2.1"),
            Self::InvalidRedirectUri => ("invalid_redirect_uri", 400, Json, "RFC 7591 section 3.2.2"),
            Self::InvalidClientMetadata => ("invalid_client_metadata", 400, Json, "RFC 7591 section 3.2.2"),
        };
        Row { code, status, place, source }
    }

    /// The code on the wire.
    pub const fn as_str(self) -> &'static str {
        self.row().code
    }

    /// Whether it may be told at a redirect URI.
    pub const fn may_redirect(self) -> bool {
        matches!(self.row().place, Place::Authorization | Place::Both)
    }
}

/// An error with a sentence for the developer of the client. The sentence is ours, never the request's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{}: {description}", code.as_str())]
pub struct OAuthError {
    /// The code.
    pub code: ErrorCode,
    /// `error_description` (RFC 6749 section 5.2: printable ASCII without quote and backslash).
    pub description: &'static str,
}

impl OAuthError {
    /// An error.
    pub const fn new(code: ErrorCode, description: &'static str) -> Self {
        Self { code, description }
    }

    /// `invalid_request`.
    pub const fn invalid_request(description: &'static str) -> Self {
        Self::new(ErrorCode::InvalidRequest, description)
    }

    /// The HTTP status of a page or of JSON.
    pub const fn status(self) -> u16 {
        self.code.row().status
    }
}

#[cfg(test)]
mod tests;

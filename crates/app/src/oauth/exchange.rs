//! The token endpoint (RFC 6749 section 3.2): who asks, for which grant. What each grant gives is in a file of its own.

mod begin;
mod client_credentials;
mod code;
mod device;
mod refresh;
mod token;

use doorward_model::secret::SecretText;
use doorward_oidc::client::Client;
use doorward_oidc::error::{ErrorCode, OAuthError};
use doorward_oidc::jose::Thumbprint;
use doorward_oidc::resource::Resource;
use doorward_oidc::token_request::TokenRequest;

use super::{ClientRequest, Proving, TokenScheme, paths};
use crate::App;
use crate::failure::Failure;
use crate::op::Op;

/// What the token endpoint gives.
pub struct TokenAnswer {
    /// The access token.
    pub access_token: SecretText,
    /// How it is used.
    pub scheme: TokenScheme,
    /// What kind it is, where another one was exchanged for it (RFC 8693 section 2.2.1).
    pub issued_token_type: Option<&'static str>,
    /// How long it lives, in seconds.
    pub expires_in: i64,
    /// What it allows; may be empty.
    pub scope: String,
    /// What renews it, where the client is registered for that.
    pub refresh_token: Option<SecretText>,
    /// Who signed in, where that was asked for.
    pub id_token: Option<SecretText>,
}

/// Why the token endpoint gives nothing.
#[derive(Debug)]
pub enum TokenRefusal {
    /// As the standards say.
    OAuth {
        /// What is wrong.
        error: OAuthError,
        /// Whether a 401 must ask for the client's name and secret (RFC 6749 section 5.2).
        asks_for_basic: bool,
    },
    /// Too many renewals of one refresh token; nothing was consumed.
    SlowDown {
        /// When to try again, in seconds.
        retry_after_seconds: u32,
    },
    /// Through no fault of the client.
    Failure(Failure),
}

impl From<OAuthError> for TokenRefusal {
    fn from(error: OAuthError) -> Self {
        Self::OAuth { error, asks_for_basic: false }
    }
}

impl From<Failure> for TokenRefusal {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// Who asks: the client, which has proved who it is (a public one: says so), and the key it has proved to hold.
pub(super) struct Caller {
    pub(super) client: Client,
    /// What tokens are bound to, and what those that are bound already are held against.
    pub(super) dpop_key: Option<Thumbprint>,
}

impl App {
    /// Answers a token request.
    pub async fn exchange(&self, op: &Op, request: &ClientRequest) -> Result<TokenAnswer, TokenRefusal> {
        let client = self.authenticate_client(op, request).await?;
        let asked = TokenRequest::read(&request.parameters, &client)?;
        let proving = Proving { proofs: &request.proofs, method: "POST", path: paths::TOKEN };
        let dpop_key = self.proved_key(op, &proving, None).await??;
        if dpop_key.is_none() && client.metadata().dpop_required {
            let description = "the client is registered for tokens that are bound to a key";
            return Err(OAuthError::new(ErrorCode::InvalidDpopProof, description).into());
        }
        let caller = Caller { client, dpop_key };
        match asked {
            TokenRequest::AuthorizationCode { code, redirect_uri, verifier, resources } => {
                self.redeem_code(op, &caller, code::Presented { code, redirect_uri, verifier, resources }).await
            }
            TokenRequest::RefreshToken { refresh_token, scope, resources } => {
                self.renew_grant(op, &caller, &refresh_token, refresh::Asked { scope, resources }).await
            }
            TokenRequest::ClientCredentials { scope, resources } => self.grant_client(op, &caller, &scope, &resources),
            TokenRequest::TokenExchange(request) => self.exchange_token(op, &caller, request).await,
            TokenRequest::DeviceCode { device_code, resources } => {
                self.redeem_device_code(op, &caller, &device_code, resources).await
            }
        }
    }
}

/// What `named` leaves of what was granted (RFC 8707 section 2.2); none when it goes beyond it.
pub(super) fn narrowed(granted: Vec<String>, named: &[Resource]) -> Result<Vec<String>, OAuthError> {
    if named.is_empty() {
        return Ok(granted);
    }
    if named.iter().all(|resource| granted.iter().any(|one| one == resource.as_str())) {
        return Ok(named.iter().map(|one| one.as_str().to_owned()).collect());
    }
    Err(OAuthError::new(ErrorCode::InvalidTarget, "the resource was not granted"))
}

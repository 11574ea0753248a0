//! The authorization request (RFC 6749 section 4.1.1, OpenID Connect Core 3.1.2.1), from parameters to a value whose
//! every part is checked.
//!
//! The order is the security: first the client, then the redirect URI, and only then may an error travel by redirect
//! (RFC 6749 section 4.1.2.1).

mod envelope;
mod request;

#[cfg(test)]
mod tests;

pub use envelope::{Envelope, PUSHED_PREFIX, check_pushed, unpack};
pub(crate) use request::allowed_scope;
pub use request::{AuthorizationRequest, HintText};

use crate::client::Client;
use crate::error::{ErrorCode, OAuthError};
use crate::jose::Thumbprint;
use crate::parameters::Parameters;
use crate::response::{Destination, ResponseMode};
use crate::scope::{OPENID, Scope};

/// The longest `state` that is carried back.
const MAX_STATE_BYTES: usize = 2_048;

/// Why a request is not taken, and where that may be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorizeError {
    /// On a page of ours: client or redirect URI are not proved, so nothing may be sent anywhere.
    Page(OAuthError),
    /// At the client's redirect URI.
    Redirect(OAuthError, Destination),
}

impl AuthorizeError {
    /// The error itself.
    pub const fn error(&self) -> OAuthError {
        match self {
            Self::Page(error) | Self::Redirect(error, _) => *error,
        }
    }
}

/// How the parameters reached us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// Pushed by the client itself beforehand (RFC 9126).
    pub pushed: bool,
    /// In a signed request object (RFC 9101).
    pub signed: bool,
    /// The key of the DPoP proof that came with the pushed request (RFC 9449 section 10.1).
    pub proved_key: Option<Thumbprint>,
    /// Whether the deployment takes pushed requests only.
    pub pushed_only: bool,
}

/// The client a request names. An error belongs on a page.
pub fn client_id(parameters: &Parameters) -> Result<&str, OAuthError> {
    parameters.find("client_id").ok_or(OAuthError::invalid_request("client_id is missing or sent more than once"))
}

/// Where the answer goes, if that can be believed. An error belongs on a page.
pub fn destination(parameters: &Parameters, client: &Client) -> Result<Destination, OAuthError> {
    let redirect_uri = match parameters.find("redirect_uri") {
        Some(presented) if client.has_redirect_uri(presented) => presented.to_owned(),
        Some(_) => return Err(OAuthError::invalid_request("redirect_uri is not registered for this client")),
        None => omitted_redirect_uri(parameters, client)
            .ok_or(OAuthError::invalid_request("redirect_uri is missing or sent more than once"))?,
    };
    let mode = parameters.find("response_mode").and_then(ResponseMode::parse).unwrap_or_default();
    let state = parameters.find("state").filter(|state| is_state(state)).map(str::to_owned);
    Ok(Destination { redirect_uri, mode, state })
}

/// RFC 6749 section 3.1.2.3: a client with one redirect URI may leave it out; OpenID Connect does not allow that (Core
/// 3.1.2.1).
fn omitted_redirect_uri(parameters: &Parameters, client: &Client) -> Option<String> {
    let is_sent = parameters.list("redirect_uri").next().is_some();
    let is_openid = parameters.find("scope").and_then(|text| Scope::parse(text).ok())?.contains(OPENID);
    match client.metadata().redirect_uris.as_slice() {
        [only] if !is_sent && !is_openid => Some(only.as_str().to_owned()),
        _ => None,
    }
}

/// Anything without control characters; RFC 6749 appendix A.5 is narrower, and it is only carried back.
fn is_state(text: &str) -> bool {
    text.len() <= MAX_STATE_BYTES && !text.chars().any(char::is_control)
}

/// Reads a request of this client. `parameters` are the ones that count: those of the query, of the pushed request or
/// of the request object ([`unpack`]).
pub fn read(parameters: &Parameters, client: &Client, route: &Route) -> Result<AuthorizationRequest, AuthorizeError> {
    if client_id(parameters).map_err(AuthorizeError::Page)? != client.id().as_str() {
        let error = OAuthError::new(ErrorCode::UnauthorizedClient, "the request is another client's");
        return Err(AuthorizeError::Page(error));
    }
    let destination = destination(parameters, client).map_err(AuthorizeError::Page)?;
    AuthorizationRequest::read(parameters, client, route, &destination)
        .map_err(|error| AuthorizeError::Redirect(error, destination))
}

//! Requests inside requests: signed request objects (RFC 9101) and pushed requests (RFC 9126). Which parameters count.

use crate::client::Client;
use crate::error::{ErrorCode, OAuthError};
use crate::parameters::Parameters;

/// What every `request_uri` that we give out begins with (RFC 9126 section 2.2).
pub const PUSHED_PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// Where the parameters that count are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope<'a> {
    /// In the request itself.
    Plain,
    /// In a signed object that the request brings.
    Signed(&'a str),
    /// Here already, under this name of ours without [`PUSHED_PREFIX`].
    Pushed(&'a str),
}

impl<'a> Envelope<'a> {
    /// Looks at the outside only. Objects at other addresses are never fetched (RFC 9101 section 10.4).
    pub fn of(outer: &'a Parameters) -> Result<Self, OAuthError> {
        match (outer.find("request"), outer.find("request_uri")) {
            (None, None) if outer.contains("request") || outer.contains("request_uri") => {
                Err(OAuthError::invalid_request("request or request_uri is sent more than once"))
            }
            (None, None) => Ok(Self::Plain),
            (Some(object), None) if !outer.contains("request_uri") => Ok(Self::Signed(object)),
            (None, Some(uri)) if !outer.contains("request") => {
                let name = uri.strip_prefix(PUSHED_PREFIX).filter(|name| !name.is_empty());
                let not_fetched = "a request_uri is not fetched; push the request instead";
                name.map(Self::Pushed).ok_or(OAuthError::new(ErrorCode::RequestUriNotSupported, not_fetched))
            }
            // RFC 9101 section 5: one or the other.
            _ => Err(OAuthError::invalid_request("request and request_uri cannot be sent together")),
        }
    }
}

/// The parameters that count when the request is in an envelope: those inside, all of them and no others (RFC 9101
/// section 6.3, RFC 9126 section 4). So nothing outside can replace what was signed or pushed.
///
/// `client_id` is the one outside ([`super::client_id`]), or the client that has proved who it is when it pushes; inside
/// must be the same (RFC 9101 section 5). So must `response_type`, where a client repeats it for OpenID Connect Core 6.1.
pub fn unpack<'a>(client_id: &str, outer: &Parameters, inner: &'a Parameters) -> Result<&'a Parameters, OAuthError> {
    let invalid = |description| OAuthError::new(ErrorCode::InvalidRequestObject, description);
    if inner.find("client_id") != Some(client_id) {
        return Err(invalid("client_id is not the same outside and inside"));
    }
    if outer.contains("response_type") && outer.find("response_type") != inner.find("response_type") {
        return Err(invalid("response_type is not the same outside and inside"));
    }
    if inner.contains("request") || inner.contains("request_uri") {
        return Err(invalid("a request inside the request"));
    }
    Ok(inner)
}

/// Checks what a client that has proved who it is pushes, before the request itself is read (RFC 9126 section 2.1).
pub fn check_pushed(pushed: &Parameters, client: &Client) -> Result<(), OAuthError> {
    pushed.refuse_repeated()?;
    if pushed.contains("request_uri") {
        return Err(OAuthError::invalid_request("request_uri cannot be pushed"));
    }
    if pushed.find("client_id").is_some_and(|id| id != client.id().as_str()) {
        return Err(OAuthError::invalid_request("client_id is another client's"));
    }
    Ok(())
}

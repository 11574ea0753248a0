//! A device without a browser (RFC 8628).

use std::error::Error;

use openidconnect::core::{CoreDeviceAuthorizationResponse, CoreUserInfoClaims};
use openidconnect::{OAuth2TokenResponse as _, TokenResponse as _};
use serde_json::{Value, json};

use crate::http;
use crate::provider::{Application, Registered};
use crate::signed_in::{has_no_nonce, lead, verify};

/// Gets in by a code that somebody answers on another device; who it was.
#[expect(clippy::disallowed_methods, reason = "the library waits between two questions for as long as the server says")]
pub(crate) fn run(application: &Application, registered: &Registered) -> Result<Value, Box<dyn Error>> {
    let begun: CoreDeviceAuthorizationResponse =
        application.exchange_device_code().add_scopes(registered.scopes()).request(&http::send)?;
    let address = begun.verification_uri_complete().ok_or("no address with the code in it")?;
    lead(address.secret())?;
    let tokens = application.exchange_device_access_token(&begun)?.request(&http::send, std::thread::sleep, None)?;
    let claims = verify(application, registered, &tokens, has_no_nonce)?;
    let person: CoreUserInfoClaims =
        application.user_info(tokens.access_token().clone(), Some(claims.subject().clone()))?.request(&http::send)?;
    let renewed = tokens.refresh_token().ok_or("no refresh token")?;
    let renewed = application.exchange_refresh_token(renewed)?.request(&http::send)?;
    renewed.id_token().ok_or("no renewed ID token")?;
    Ok(json!({ "person": person }))
}

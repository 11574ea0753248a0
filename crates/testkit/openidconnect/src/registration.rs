//! An application that registers itself (RFC 7591).

use std::error::Error;

use openidconnect::core::{CoreClientRegistrationRequest, CoreGrantType};
use openidconnect::registration::EmptyAdditionalClientMetadata;
use openidconnect::{AccessToken, RedirectUrl};

use crate::http;
use crate::provider::{Provider, Registered};

/// Registers with the operator's token; what came of it.
pub(crate) fn register(
    provider: &Provider,
    token: AccessToken,
    redirect_uri: RedirectUrl,
) -> Result<Registered, Box<dyn Error>> {
    let endpoint = provider.registration_endpoint().ok_or("nobody can register")?;
    let grants = vec![CoreGrantType::AuthorizationCode, CoreGrantType::RefreshToken];
    let answer = CoreClientRegistrationRequest::new(vec![redirect_uri], EmptyAdditionalClientMetadata {})
        .set_initial_access_token(Some(token))
        .set_grant_types(Some(grants))
        .register(endpoint, &http::send)?;
    Ok(Registered {
        client_id: answer.client_id().clone(),
        client_secret: answer.client_secret().cloned(),
        redirect_uris: answer.redirect_uris().clone(),
        id_token_signed_response_alg: answer.id_token_signed_response_alg().cloned().ok_or("no algorithm")?,
        scope: "openid email".to_owned(),
    })
}

//! A sign-in and all that follows from it.

use std::error::Error;
use std::io::{BufRead as _, stdin};

use openidconnect::core::{CoreAuthenticationFlow, CoreIdTokenClaims, CoreTokenResponse, CoreUserInfoClaims};
use openidconnect::url::Url;
use openidconnect::{
    AccessToken, AccessTokenHash, AuthorizationCode, CsrfToken, LogoutRequest, Nonce, NonceVerifier,
    OAuth2TokenResponse as _, PkceCodeChallenge, RefreshToken, TokenIntrospectionResponse as _, TokenResponse as _,
};
use serde_json::{Value, json};

use crate::http;
use crate::provider::{Application, Endpoints, Registered};

/// Signs somebody in, asks who it is, renews, asks about the token, withdraws it, and says how they sign out.
pub(crate) fn run(
    application: &Application,
    endpoints: Endpoints,
    registered: &Registered,
) -> Result<Value, Box<dyn Error>> {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let flow = CoreAuthenticationFlow::AuthorizationCode;
    let (url, state, nonce) = application
        .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
        .add_scopes(registered.scopes())
        .set_pkce_challenge(challenge)
        .url();
    let code = read_code(&lead(url.as_str())?, &state)?;
    let first = application.exchange_code(code)?.set_pkce_verifier(verifier).request(&http::send)?;
    let claims = verify(application, registered, &first, &nonce)?;
    let person: CoreUserInfoClaims =
        application.user_info(first.access_token().clone(), Some(claims.subject().clone()))?.request(&http::send)?;

    let before = first.refresh_token().ok_or("no refresh token")?;
    let second = application.exchange_refresh_token(before)?.request(&http::send)?;
    let renewed = verify(application, registered, &second, has_no_nonce)?;
    let next = second.refresh_token().ok_or("no next refresh token")?;
    let active = [is_active(application, second.access_token())?, withdraw(application, next, second.access_token())?];
    let out = LogoutRequest::from(endpoints.end_session_endpoint)
        .set_id_token_hint(second.id_token().ok_or("no renewed ID token")?)
        .http_get_url();
    Ok(json!({
        "claims": claims,
        "person": person,
        "same": claims.subject() == renewed.subject() && claims.auth_time() == renewed.auth_time(),
        "rotates": before.secret() != next.secret(),
        "active": active,
        "out": out,
    }))
}

/// Leads a person to an address; where they came back to.
pub(crate) fn lead(url: &str) -> Result<String, Box<dyn Error>> {
    println!("{}", json!({ "url": url }));
    let mut line = String::new();
    stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

/// What a renewed ID token must be like (OpenID Connect Core 12.2), and one that no request in a browser led to.
pub(crate) fn has_no_nonce(nonce: Option<&Nonce>) -> Result<(), String> {
    nonce.map_or(Ok(()), |_| Err("there is a nonce".to_owned()))
}

/// The code with which the person came back.
fn read_code(arrived: &str, state: &CsrfToken) -> Result<AuthorizationCode, Box<dyn Error>> {
    let arrived = Url::parse(arrived)?;
    let find = |name: &str| arrived.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned());
    if find("state").as_ref() != Some(state.secret()) {
        return Err("another state came back".into());
    }
    Ok(AuthorizationCode::new(find("code").ok_or("no code came back")?))
}

/// The claims of the ID token: its signature, its issuer, audience, time and nonce, and the access token beside it.
pub(crate) fn verify(
    application: &Application,
    registered: &Registered,
    tokens: &CoreTokenResponse,
    nonce: impl NonceVerifier,
) -> Result<CoreIdTokenClaims, Box<dyn Error>> {
    let verifier = application.id_token_verifier();
    // Without this the library takes RS256 and nothing else.
    let verifier = match registered.id_token_signed_response_alg.clone() {
        openidconnect::core::CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256 => verifier,
        other => verifier.set_allowed_algs([other]),
    };
    let token = tokens.id_token().ok_or("no ID token")?;
    let claims = token.claims(&verifier, nonce)?;
    let hash = AccessTokenHash::from_token(tokens.access_token(), token.signing_alg()?, token.signing_key(&verifier)?)?;
    if claims.access_token_hash() != Some(&hash) {
        return Err("the ID token is of another access token".into());
    }
    Ok(claims.clone())
}

fn is_active(application: &Application, token: &AccessToken) -> Result<bool, Box<dyn Error>> {
    Ok(application.introspect(token).set_token_type_hint("access_token").request(&http::send)?.active())
}

/// Withdraws what was granted; whether the access token is good after that.
fn withdraw(application: &Application, refresh: &RefreshToken, access: &AccessToken) -> Result<bool, Box<dyn Error>> {
    application.revoke_token(refresh.clone().into())?.request(&http::send)?;
    is_active(application, access)
}

//! Access tokens of clients at our own endpoints, and how they are refused (RFC 6750, RFC 9449 section 7).

use axum::Json;
use axum::response::{IntoResponse, Response};
use doorward_app::oauth::{Algorithm, ErrorCode, OAuthError, PROOF_ALGORITHMS, TokenScheme};
use http::{HeaderValue, StatusCode, header};

use super::answer;

/// What proofs may be signed with, for the challenge (RFC 9449 section 7.1).
fn algorithms() -> String {
    format!("algs=\"{}\"", PROOF_ALGORITHMS.map(Algorithm::as_str).join(" "))
}

/// The token of the one `Authorization` header, and how it comes. It is there and nowhere else (RFC 6750 section 2.2 and 2.3
/// are options).
pub(super) fn presented(authorization: &[String]) -> Option<(TokenScheme, &str)> {
    let [one] = authorization else { return None };
    let (scheme, text) = one.split_once(' ')?;
    Some((TokenScheme::parse(scheme)?, text.trim_matches(' ')))
}

/// Why a token is not taken.
pub(super) fn refuse(scheme: TokenScheme, error: OAuthError) -> Response {
    let algorithms = if scheme == TokenScheme::Dpop { format!(", {}", algorithms()) } else { String::new() };
    let (code, description) = (error.code.as_str(), error.description);
    let words = format!("{scheme} error=\"{code}\", error_description=\"{description}\"{algorithms}");
    let mut response = answer::document(error);
    // RFC 9449 section 7.1: at a resource a wrong proof is answered as a wrong token is.
    if matches!(error.code, ErrorCode::InvalidDpopProof | ErrorCode::UseDpopNonce) {
        *response.status_mut() = StatusCode::UNAUTHORIZED;
    }
    if let Ok(value) = HeaderValue::from_str(&words) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    response
}

/// RFC 6750 section 3.1: a request without a token is told the schemes and no error.
pub(super) fn challenge() -> Response {
    let document = serde_json::json!({"error": "invalid_token", "error_description": "An access token is needed."});
    let mut response =
        (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], Json(document)).into_response();
    if let Ok(value) = HeaderValue::from_str(&format!("DPoP {}", algorithms())) {
        response.headers_mut().append(header::WWW_AUTHENTICATE, value);
    }
    response
}

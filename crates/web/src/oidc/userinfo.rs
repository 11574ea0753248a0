//! The `UserInfo` endpoint (OpenID Connect Core 5.3, RFC 6750, RFC 9449 section 7).

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use doorward_app::oauth::{ErrorCode, OAuthError, PresentedToken, Proving, TokenScheme, UserInfo, paths};
use http::{HeaderValue, StatusCode, header};

use super::answer;
use crate::extract::Op;
use crate::problem::Problem;
use crate::site::Site;

/// What proofs may be signed with, for the challenge.
const ALGORITHMS: &str = "algs=\"RS256 PS256 ES256 EdDSA\"";

/// Answers with claims about the person an access token is about. The token is in the `Authorization` header, and nowhere
/// else (RFC 6750 section 2.2 and 2.3 are options).
pub(super) async fn show(State(site): State<Site>, Op(op): Op, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let (authorization, proofs) = (answer::authorization(&parts), answer::proofs(&parts));
    let token = match authorization.as_slice() {
        [one] => one.split_once(' ').and_then(|(scheme, text)| Some((TokenScheme::parse(scheme)?, text))),
        _ => None,
    };
    let Some((scheme, text)) = token else {
        // RFC 6750 section 3.1: a request without a token is told the schemes and no error.
        return Ok(answer::with_nonce(&site, &op, &proofs, challenge()));
    };
    let proving = Proving { proofs: &proofs, method: parts.method.as_str(), path: paths::USERINFO };
    let token = PresentedToken { text: text.trim_matches(' '), scheme, proving };
    let answered = match site.app.userinfo(&op, &token).await? {
        UserInfo::Claims(claims) => Json(claims).into_response(),
        UserInfo::Signed(signed) => {
            ([(header::CONTENT_TYPE, "application/jwt")], signed.reveal().to_owned()).into_response()
        }
        UserInfo::Refused(error) => refuse(scheme, error),
    };
    Ok(answer::with_nonce(&site, &op, &proofs, answered))
}

fn refuse(scheme: TokenScheme, error: OAuthError) -> Response {
    let algorithms = if scheme == TokenScheme::Dpop { format!(", {ALGORITHMS}") } else { String::new() };
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

fn challenge() -> Response {
    let document = serde_json::json!({"error": "invalid_token", "error_description": "An access token is needed."});
    let mut response =
        (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], Json(document)).into_response();
    if let Ok(value) = HeaderValue::from_str(&format!("DPoP {ALGORITHMS}")) {
        response.headers_mut().append(header::WWW_AUTHENTICATE, value);
    }
    response
}

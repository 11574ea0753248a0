//! The `UserInfo` endpoint (OpenID Connect Core 5.3, RFC 6750).

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use doorward_app::oauth::{OAuthError, UserInfo};
use http::{HeaderValue, StatusCode, header};

use super::answer;
use crate::extract::Op;
use crate::problem::Problem;
use crate::site::Site;

/// Answers with claims about the person an access token is about. The token is in the `Authorization` header, and nowhere
/// else (RFC 6750 section 2.2 and 2.3 are options).
pub(super) async fn show(State(site): State<Site>, Op(op): Op, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let authorization = answer::authorization(&parts);
    let token = match authorization.as_slice() {
        [one] => one.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")),
        _ => None,
    };
    let Some((_, token)) = token else {
        // RFC 6750 section 3.1: a request without a token is told the scheme and no error.
        return Ok(challenge());
    };
    Ok(match site.app.userinfo(&op, token.trim_matches(' ')).await? {
        UserInfo::Claims(claims) => Json(claims).into_response(),
        UserInfo::Refused(error) => refuse(error),
    })
}

fn refuse(error: OAuthError) -> Response {
    let words = format!("Bearer error=\"{}\", error_description=\"{}\"", error.code.as_str(), error.description);
    let mut response = answer::document(error);
    if let Ok(value) = HeaderValue::from_str(&words) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    response
}

fn challenge() -> Response {
    let document = serde_json::json!({"error": "invalid_token", "error_description": "An access token is needed."});
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], Json(document)).into_response()
}

//! The `UserInfo` endpoint (OpenID Connect Core 5.3, RFC 6750, RFC 9449 section 7).

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use doorward_app::oauth::{PresentedToken, Proving, UserInfo, paths};
use http::header;

use super::answer;
use super::bearer::{challenge, presented, refuse};
use crate::extract::Op;
use crate::problem::Problem;
use crate::site::Site;

/// Answers with claims about the person an access token is about. The token is in the `Authorization` header, and nowhere
/// else (RFC 6750 section 2.2 and 2.3 are options).
pub(super) async fn show(State(site): State<Site>, Op(op): Op, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let (authorization, proofs) = (answer::authorization(&parts), answer::proofs(&parts));
    let Some((scheme, text)) = presented(&authorization) else {
        return Ok(answer::with_nonce(&site, &op, &proofs, challenge()));
    };
    let proving = Proving { proofs: &proofs, method: parts.method.as_str(), path: paths::USERINFO };
    let token = PresentedToken { text, scheme, proving };
    let answered = match site.app.userinfo(&op, &token).await? {
        UserInfo::Claims(claims) => Json(claims).into_response(),
        UserInfo::Signed(signed) => {
            ([(header::CONTENT_TYPE, "application/jwt")], signed.reveal().to_owned()).into_response()
        }
        UserInfo::Refused(error) => refuse(scheme, error),
    };
    Ok(answer::with_nonce(&site, &op, &proofs, answered))
}

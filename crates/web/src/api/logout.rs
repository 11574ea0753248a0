//! `POST /api/v1/logout`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::body::OptionalJson;
use crate::cookies::{CookieName, expired_cookie};
use crate::extract::{CLEAR_SITE_DATA, Op, SetCookies, SignedIn};
use crate::problem::Problem;
use crate::site::Site;

/// Ends the caller's session with everything that came from it.
pub(crate) async fn create(
    State(site): State<Site>,
    Op(op): Op,
    SignedIn(principal): SignedIn,
    OptionalJson(_): OptionalJson<()>,
) -> Result<Response, Problem> {
    site.app.sign_out(&op, &principal).await?;
    let cookies = SetCookies(vec![expired_cookie(CookieName::Session)]);
    Ok((StatusCode::NO_CONTENT, [CLEAR_SITE_DATA], cookies, ()).into_response())
}

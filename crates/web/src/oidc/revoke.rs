//! The revocation endpoint (RFC 7009).

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::answer::{self, Refusal};
use crate::extract::Op;
use crate::site::Site;

/// Withdraws a token of the client that asks.
pub(super) async fn create(State(site): State<Site>, Op(op): Op, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let parameters = match answer::read_parameters(&parts, body).await {
        Ok(parameters) => parameters,
        Err(response) => return response,
    };
    match site.app.revoke_token(&op, &answer::authorization(&parts), &parameters).await {
        // RFC 7009 section 2.2: the status says it all.
        Ok(()) => StatusCode::OK.into_response(),
        Err(refusal) => Refusal(refusal).into_response(),
    }
}

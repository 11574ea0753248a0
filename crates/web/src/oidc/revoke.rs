//! The revocation endpoint (RFC 7009).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::answer::{ClientCall, Refusal};
use crate::extract::Op;
use crate::site::Site;

/// Withdraws a token of the client that asks.
pub(super) async fn create(State(site): State<Site>, Op(op): Op, call: ClientCall) -> Response {
    match site.app.revoke_token(&op, &call.request).await {
        // RFC 7009 section 2.2: the status says it all.
        Ok(()) => StatusCode::OK.into_response(),
        Err(refusal) => Refusal(refusal).into_response(),
    }
}

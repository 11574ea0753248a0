//! The endpoint for pushed authorization requests (RFC 9126).

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;

use super::answer::{self, ClientCall, Refusal};
use crate::extract::Op;
use crate::site::Site;

/// RFC 9126 section 2.2.
#[derive(Serialize)]
struct Pushed<'a> {
    request_uri: &'a str,
    expires_in: i64,
}

/// Keeps a request of a client that has proved who it is.
pub(super) async fn create(State(site): State<Site>, Op(op): Op, call: ClientCall) -> Response {
    let answered = match site.app.push_request(&op, &call.request).await {
        Ok(pushed) => {
            let told = Pushed { request_uri: &pushed.request_uri, expires_in: pushed.expires_in };
            (StatusCode::CREATED, Json(told)).into_response()
        }
        Err(refusal) => Refusal(refusal).into_response(),
    };
    answer::with_nonce(&site, &op, &call.request.proofs, answered)
}

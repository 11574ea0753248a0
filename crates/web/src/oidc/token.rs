//! The token endpoint (RFC 6749 section 3.2).

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use doorward_model::secret::SecretText;
use http::header;
use serde::Serialize;

use super::answer::{self, ClientCall, Refusal};
use crate::extract::Op;
use crate::site::Site;

/// RFC 6749 section 5.1, OpenID Connect Core 3.1.3.3.
#[derive(Serialize)]
struct Tokens<'a> {
    access_token: &'a str,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'static str>,
    expires_in: i64,
    #[serde(skip_serializing_if = "str::is_empty")]
    scope: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
}

/// Gives tokens to a client that has proved who it is.
pub(super) async fn create(State(site): State<Site>, Op(op): Op, call: ClientCall) -> Response {
    let answered = match site.app.exchange(&op, &call.request).await {
        Ok(given) => {
            let tokens = Tokens {
                access_token: given.access_token.reveal(),
                token_type: given.scheme.as_str(),
                issued_token_type: given.issued_token_type,
                expires_in: given.expires_in,
                scope: &given.scope,
                refresh_token: given.refresh_token.as_ref().map(SecretText::reveal),
                id_token: given.id_token.as_ref().map(SecretText::reveal),
            };
            ([(header::PRAGMA, "no-cache")], Json(tokens)).into_response()
        }
        Err(refusal) => Refusal(refusal).into_response(),
    };
    answer::with_nonce(&site, &op, &call.request.proofs, answered)
}

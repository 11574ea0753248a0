//! The introspection endpoint (RFC 7662, RFC 9701).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use doorward_app::oauth::Introspection;
use http::{HeaderMap, HeaderValue, header};

use super::answer::{ClientCall, Refusal};
use crate::extract::Op;
use crate::site::Site;

/// The type of a signed answer (RFC 9701 section 5).
const SIGNED: &str = "application/token-introspection+jwt";

/// Tells a client what a token is.
pub(super) async fn show(State(site): State<Site>, Op(op): Op, call: ClientCall) -> Response {
    match site.app.introspect(&op, &call.request, wants_signed(&call.headers)).await {
        Ok(Introspection::Plain(json)) => {
            ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], json).into_response()
        }
        Ok(Introspection::Signed(token)) => {
            ([(header::CONTENT_TYPE, HeaderValue::from_static(SIGNED))], token.reveal().to_owned()).into_response()
        }
        Err(refusal) => Refusal(refusal).into_response(),
    }
}

/// Whether the signed form is named among what is accepted.
fn wants_signed(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut kinds = accepted.flat_map(|value| value.split(','));
    kinds.any(|kind| kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(SIGNED))
}

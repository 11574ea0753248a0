//! `GET /api/v1/openapi.json`: the description of the API, made from the types that the handlers read and write.
//!
//! `calls` says of each route what it takes and answers; `document` adds what follows from the route's own
//! decisions (who may come in, what an unsafe call must show, which errors the edge makes). `docs/openapi.json` is the
//! same document, committed, so that a change of the contract is seen in a review.

mod call;
mod calls;
#[cfg(test)]
mod compatibility;
mod document;
mod errors;

use std::sync::LazyLock;

use aws_lc_rs::digest;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use crate::api;
use crate::problem::Problem;
use crate::route::{Access, CacheClass, CorsRule, CsrfRule, Door, RateClass, Route, endpoint};
use crate::site::Site;

/// Where the description is.
pub(crate) const PATH: &str = "/api/v1/openapi.json";

/// The description as it is sent, made once: its text and its `ETag`.
static DESCRIPTION: LazyLock<Result<(String, HeaderValue), String>> = LazyLock::new(|| {
    let text = json().map_err(|error| error.to_string())?;
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]));
    HeaderValue::try_from(tag).map(|tag| (text, tag)).map_err(|error| error.to_string())
});

/// The description as JSON, indented, with a line break at the end: the content of `docs/openapi.json`.
pub fn json() -> Result<String, serde_json::Error> {
    let routes: Vec<_> = api::routes().iter().map(Route::info).collect();
    // Through a value, whose members are sorted: the order does not depend on the library.
    let value = serde_json::to_value(document::document(&routes, &calls::calls()))?;
    serde_json::to_string_pretty(&value).map(|text| text + "\n")
}

/// The description is part of the contract, so it is always there.
pub(crate) fn route() -> Route<Site> {
    Route {
        method: Method::GET,
        path: PATH,
        door: Door::Metadata,
        access: Access::Public,
        rate: RateClass::Metadata,
        csrf: CsrfRule::Safe,
        cache: CacheClass::Revalidate,
        cors: CorsRule::TokenOrigins,
        retires: None,
        handler: endpoint(show),
    }
}

async fn show(headers: HeaderMap) -> Result<Response, Problem> {
    let (text, tag) = DESCRIPTION.as_ref().map_err(|error| Problem::internal(Undescribed(error.clone())))?;
    let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|value| names_tag(value, tag));
    let tag = [(header::ETAG, tag.clone())];
    if known {
        return Ok((StatusCode::NOT_MODIFIED, tag).into_response());
    }
    Ok((tag, [(header::CONTENT_TYPE, "application/json")], text.as_str()).into_response())
}

/// Whether an `If-None-Match` (RFC 9110 section 13.1.2) names this tag, in its weak comparison.
fn names_tag(value: &HeaderValue, tag: &HeaderValue) -> bool {
    let (Ok(value), Ok(tag)) = (value.to_str(), tag.to_str()) else { return false };
    value.split(',').map(str::trim).any(|named| named == "*" || named.trim_start_matches("W/") == tag)
}

/// The description could not be made; a test makes it, so this is not seen.
#[derive(Debug, thiserror::Error)]
#[error("the API's description could not be made: {0}")]
struct Undescribed(String);

#[cfg(test)]
mod tests;

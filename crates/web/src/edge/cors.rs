//! Scripts of other origins: closed, except for listed origins on the routes that say so. Never with credentials.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use super::Arrival;
use crate::route::CorsRule;
use crate::settings::EdgeSettings;

/// What scripts may send beyond the harmless headers.
const ALLOWED_HEADERS: &str = "authorization, content-type, dpop";
/// What scripts may read beyond the harmless headers.
const EXPOSED_HEADERS: &str = "x-request-id, retry-after, ratelimit, ratelimit-policy, www-authenticate, dpop-nonce";
const MAX_AGE_SECONDS: &str = "600";

/// Whether the answer depends on the origin that asks.
pub(crate) fn is_open(arrival: &Arrival) -> bool {
    match arrival {
        Arrival::Route(route) => route.cors != CorsRule::Closed,
        Arrival::OtherMethod { cors_methods, .. } => !cors_methods.is_empty(),
        Arrival::Nowhere => false,
    }
}

/// No origin is longer: a scheme, a host of 253 letters, a port.
const MAX_ORIGIN_BYTES: usize = 300;

/// The origin that asks, if it may read the answer when somebody allows it.
fn asking_origin<'h>(arrival: &Arrival, headers: &'h HeaderMap) -> Option<(&'h HeaderValue, &'h str)> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let origin = origins.next()?;
    let text = origin.to_str().ok()?;
    let is_single = origins.next().is_none();
    (is_open(arrival) && is_single && text.len() <= MAX_ORIGIN_BYTES).then_some((origin, text))
}

/// The origin that asks, if the operator listed it.
pub(crate) fn listed_origin(arrival: &Arrival, headers: &HeaderMap, settings: &EdgeSettings) -> Option<HeaderValue> {
    let (origin, text) = asking_origin(arrival, headers)?;
    settings.lists_origin(text).then(|| origin.clone())
}

/// The origin that asks, if it is not listed and the application has to be asked whether it is a client's.
pub(crate) fn doubtful_origin(arrival: &Arrival, headers: &HeaderMap, settings: &EdgeSettings) -> Option<HeaderValue> {
    let (origin, text) = asking_origin(arrival, headers)?;
    let asks = match arrival {
        Arrival::Route(route) => route.cors == CorsRule::ClientOrigins,
        Arrival::OtherMethod { are_clients, .. } => *are_clients,
        Arrival::Nowhere => false,
    };
    (asks && !settings.lists_origin(text) && text != settings.public_url.origin()).then(|| origin.clone())
}

/// Lets `origin` read the answer.
pub(crate) fn open(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED_HEADERS));
}

/// The answer to a preflight of an origin that is allowed to ask; none when this is no such request.
pub(crate) fn preflight(arrival: &Arrival, method: &Method, headers: &HeaderMap) -> Option<Response> {
    let Arrival::OtherMethod { cors_methods, .. } = arrival else { return None };
    let asked = headers.get(header::ACCESS_CONTROL_REQUEST_METHOD)?;
    let is_routed = cors_methods.iter().any(|routed| routed.as_str().as_bytes() == asked.as_bytes());
    if *method != Method::OPTIONS || !is_routed {
        return None;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    let answer = response.headers_mut();
    answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, asked.clone());
    answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOWED_HEADERS));
    answer.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE_SECONDS));
    Some(response)
}

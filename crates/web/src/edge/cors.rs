//! Scripts of other origins: closed, except for listed origins on the routes that say so. Never with credentials.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use super::Arrival;
use crate::route::CorsRule;
use crate::settings::EdgeSettings;

/// What scripts may send beyond the harmless headers.
const ALLOWED_HEADERS: &str = "authorization, content-type";
/// What scripts may read beyond the harmless headers.
const EXPOSED_HEADERS: &str = "x-request-id, retry-after, ratelimit, ratelimit-policy, www-authenticate";
const MAX_AGE_SECONDS: &str = "600";

/// Whether the answer depends on the origin that asks.
pub(crate) fn is_open(arrival: &Arrival) -> bool {
    match arrival {
        Arrival::Route(route) => route.cors != CorsRule::Closed,
        Arrival::OtherMethod { cors_methods, .. } => !cors_methods.is_empty(),
        Arrival::Nowhere => false,
    }
}

/// The origin that may read the answer.
pub(crate) fn allowed_origin(arrival: &Arrival, headers: &HeaderMap, settings: &EdgeSettings) -> Option<HeaderValue> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let origin = origins.next()?;
    let is_single = origins.next().is_none();
    let is_listed = origin.to_str().is_ok_and(|text| settings.lists_origin(text));
    (is_open(arrival) && is_single && is_listed).then(|| origin.clone())
}

/// Lets `origin` read the answer.
pub(crate) fn open(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED_HEADERS));
}

/// The answer to a preflight of a listed origin; none when this is no such request.
pub(crate) fn preflight(
    arrival: &Arrival,
    method: &Method,
    headers: &HeaderMap,
    settings: &EdgeSettings,
) -> Option<Response> {
    let Arrival::OtherMethod { cors_methods, .. } = arrival else { return None };
    let asked = headers.get(header::ACCESS_CONTROL_REQUEST_METHOD)?;
    allowed_origin(arrival, headers, settings)?;
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

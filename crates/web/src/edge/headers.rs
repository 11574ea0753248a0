//! The headers that every answer carries, whoever made it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::Arrival;
use super::context::RequestContext;
use crate::route::{CacheClass, Door, Retirement};
use crate::settings::PublicUrl;

/// An origin that this answer's forms may lead to besides our own: put it into the response's extensions. Chromium
/// applies `form-action` to redirects after a POST too, so a sign-in that ends at an application names it here.
#[derive(Clone, Debug)]
pub struct FormActionOrigin(String);

impl FormActionOrigin {
    /// From an origin such as `https://app.example.com`, or from the scheme of an application on a device, such as
    /// `com.example.app:`; none for anything else.
    pub fn new(origin: &str) -> Option<Self> {
        let is_origin = || {
            let url = url::Url::parse(origin).ok()?;
            (url.origin().is_tuple() && url.origin().ascii_serialization() == origin).then_some(())
        };
        (is_scheme_of_its_own(origin) || is_origin().is_some()).then(|| Self(origin.to_owned()))
    }
}

/// The origins whose pages this answer shows in frames: put it into the response's extensions.
#[derive(Clone, Debug)]
pub(crate) struct FrameOrigins(BTreeSet<String>);

impl FrameOrigins {
    /// The origins of these addresses; what is no web address has none.
    pub(crate) fn of(addresses: &[String]) -> Self {
        let origins = addresses.iter().filter_map(|address| Some(url::Url::parse(address).ok()?.origin()));
        Self(origins.filter(url::Origin::is_tuple).map(|origin| origin.ascii_serialization()).collect())
    }
}

/// That an answer says the same to everybody, and a cache may keep it as its route says: put it into the response's
/// extensions.
#[derive(Clone, Copy, Debug)]
pub struct SharedCopy;

/// What an answer says about itself besides its headers.
#[derive(Debug, Default)]
pub(crate) struct Remarks {
    /// Where its forms may lead to.
    pub(crate) form_action: Option<FormActionOrigin>,
    /// What its frames may show.
    pub(crate) frames: Option<FrameOrigins>,
    /// Whether it is one for all.
    pub(crate) is_shared: bool,
}

/// RFC 8252 section 7.1: a domain name in reverse, so that it has a dot and is none of those that browsers know.
fn is_scheme_of_its_own(text: &str) -> bool {
    let Some(scheme) = text.strip_suffix(':') else { return false };
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+');
    scheme.contains('.') && scheme.starts_with(|first: char| first.is_ascii_lowercase()) && scheme.bytes().all(is_part)
}

const COOP: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What is not a document of ours runs nothing and is framed by nobody.
const CLOSED_CSP: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";
const PERMISSIONS: &str = "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
    magnetometer=(), microphone=(), midi=(), payment=(), usb=(), publickey-credentials-get=(self), \
    publickey-credentials-create=(self)";
const TWO_YEARS_HSTS: &str = "max-age=63072000; includeSubDomains";

/// Sets everything that does not depend on the content's meaning.
pub(crate) fn apply(
    headers: &mut HeaderMap,
    status: StatusCode,
    context: &RequestContext,
    arrival: &Arrival,
    public_url: &PublicUrl,
    remarks: &Remarks,
) {
    headers.insert(header::CONTENT_SECURITY_POLICY, content_security_policy(headers, context, remarks));
    if public_url.is_https() && !public_url.is_loopback() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(TWO_YEARS_HSTS));
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(COOP, HeaderValue::from_static(opener_policy(context.door)));
    headers.insert(CORP, HeaderValue::from_static("same-origin"));
    headers.insert(PERMISSIONS_POLICY, HeaderValue::from_static(PERMISSIONS));
    headers.insert(header::CACHE_CONTROL, cache_control(headers, status, arrival, remarks.is_shared));
    if let Ok(id) = HeaderValue::from_str(&context.request_id.to_string()) {
        headers.insert(X_REQUEST_ID, id);
    }
    if let Arrival::Route(route) = arrival
        && let Some(retirement) = route.retires
    {
        announce(headers, retirement);
    }
    headers.remove(header::SERVER);
    headers.remove("x-powered-by");
}

/// Tells callers that the route will go, whatever the answer is.
fn announce(headers: &mut HeaderMap, retirement: Retirement) {
    // RFC 9745 section 2.1: a date of structured fields, which is a number of seconds.
    let since = format!("@{}", retirement.deprecated_at.as_seconds());
    if let Ok(since) = HeaderValue::from_str(&since) {
        headers.insert(DEPRECATION, since);
    }
    let sunset = retirement.sunset_at.and_then(|at| HeaderValue::from_str(&at.to_http_date()).ok());
    if let Some(sunset) = sunset {
        headers.insert(SUNSET, sunset);
    }
}

fn opener_policy(door: Door) -> &'static str {
    match door {
        Door::PopupPage => "unsafe-none",
        Door::Api | Door::OAuth | Door::Page | Door::Metadata => "same-origin",
    }
}

fn content_security_policy(headers: &HeaderMap, context: &RequestContext, remarks: &Remarks) -> HeaderValue {
    let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let closed = HeaderValue::from_static(CLOSED_CSP);
    if !content_type.starts_with(b"text/html") {
        return closed;
    }
    let mut policy = format!(
        "default-src 'none'; script-src 'nonce-{}'; style-src 'self'; img-src 'self'; font-src 'self'; \
         connect-src 'self'; form-action 'self'",
        context.nonce()
    );
    // Writing to a string has no failure.
    if let Some(FormActionOrigin(origin)) = &remarks.form_action {
        let _ = write!(policy, " {origin}");
    }
    if let Some(FrameOrigins(origins)) = &remarks.frames {
        policy.push_str("; frame-src");
        for origin in origins {
            let _ = write!(policy, " {origin}");
        }
    }
    policy.push_str("; base-uri 'none'; object-src 'none'; frame-ancestors 'none'");
    HeaderValue::from_str(&policy).unwrap_or(closed)
}

/// What the route's class says, for successes that set no cookie; nothing else is kept.
fn cache_control(headers: &HeaderMap, status: StatusCode, arrival: &Arrival, is_shared: bool) -> HeaderValue {
    let no_store = HeaderValue::from_static("no-store");
    let Arrival::Route(route) = arrival else { return no_store };
    let is_kept = status.is_success() || status == StatusCode::NOT_MODIFIED;
    if !is_kept || headers.contains_key(header::SET_COOKIE) {
        return no_store;
    }
    match route.cache {
        CacheClass::NoStore => no_store,
        CacheClass::SharedFor(_) if !is_shared => no_store,
        CacheClass::Revalidate => HeaderValue::from_static("no-cache"),
        CacheClass::PublicFor(seconds) | CacheClass::SharedFor(seconds) => {
            HeaderValue::from_str(&format!("public, max-age={seconds}")).unwrap_or(no_store)
        }
        CacheClass::Immutable => HeaderValue::from_static("public, max-age=31536000, immutable"),
    }
}

//! Against requests that another site makes a browser send.
//!
//! Two independent walls. First, where the request comes from: `Sec-Fetch-Site` decides alone where a browser sends it,
//! else `Origin`, else `Referer`; with none of them only a request without any cookie passes, because it is no
//! browser's. Second, a token that only our own pages can read: an HMAC keyed by the cookie it belongs to, so the
//! server remembers nothing and a new cookie means a new token.

use aws_lc_rs::hmac;
use doorward_model::secret::{PlainToken, TokenKind};
use http::{HeaderMap, HeaderName, header};
use url::Url;

use crate::cookies::{Cookies, PreNonce};
use crate::problem::{Code, Problem};
use crate::route::{CorsRule, CsrfRule, RouteInfo};
use crate::settings::EdgeSettings;

/// The header that carries the token of JSON calls.
pub const TOKEN_HEADER: &str = "x-csrf-token";
/// The form field that carries the token of pages.
pub const TOKEN_FIELD: &str = "csrf_token";

const SESSION_LABEL: &[u8] = b"doorward csrf v1";
const PRE_LABEL: &[u8] = b"doorward csrf before sign-in v1";

/// The token that belongs to a session cookie.
pub fn session_token(cookie: &PlainToken) -> PlainToken {
    token(cookie.reveal().as_bytes(), SESSION_LABEL)
}

/// The token that belongs to a `pre` cookie.
pub fn pre_token(nonce: &PreNonce) -> PlainToken {
    token(nonce.as_bytes(), PRE_LABEL)
}

fn token(key: &[u8], label: &[u8]) -> PlainToken {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), label);
    let mut bytes = [0; 32];
    bytes.copy_from_slice(tag.as_ref());
    PlainToken::from_bytes(TokenKind::Csrf, bytes)
}

/// Where a request comes from, once it is acceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// One of our own pages.
    OwnOrigin,
    /// A script of an origin the operator listed, without cookies.
    ListedOrigin,
    /// Something that is no browser: no browser header and no cookie.
    NotABrowser,
}

/// Checks where an unsafe request comes from.
pub(crate) fn check_source(
    headers: &HeaderMap,
    cookies: &Cookies,
    route: &RouteInfo,
    settings: &EdgeSettings,
) -> Result<Source, Problem> {
    let own = settings.public_url.origin();
    let origin = single(headers, &header::ORIGIN)?;
    let listed = || {
        let is_listed = origin.is_some_and(|origin| settings.lists_origin(origin));
        if route.cors == CorsRule::TokenOrigins && is_listed && !cookies.any {
            Ok(Source::ListedOrigin)
        } else {
            Err(Problem::new(Code::CsrfFailed))
        }
    };
    if let Some(site) = single(headers, &SEC_FETCH_SITE)? {
        return if site == "same-origin" { Ok(Source::OwnOrigin) } else { listed() };
    }
    if let Some(origin) = origin {
        return if origin == own { Ok(Source::OwnOrigin) } else { listed() };
    }
    if let Some(referer) = single(headers, &header::REFERER)? {
        let origin = Url::parse(referer).map(|url| url.origin().ascii_serialization());
        return if origin.is_ok_and(|origin| origin == own) { Ok(Source::OwnOrigin) } else { listed() };
    }
    if cookies.any { Err(Problem::new(Code::CsrfFailed)) } else { Ok(Source::NotABrowser) }
}

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// The one value of a header; twice, or unreadable, is a failed check.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    match (value.to_str(), values.next()) {
        (Ok(text), None) => Ok(Some(text)),
        _ => Err(Problem::new(Code::CsrfFailed)),
    }
}

/// Whether the request says that a browser's script or form sent it: `Sec-Fetch-Site`, or `Origin` from browsers that
/// know no fetch metadata. `Sec-Fetch-Mode` by itself says nothing, because Node.js sends it with every `fetch`.
pub(crate) fn says_browser(headers: &HeaderMap) -> bool {
    headers.contains_key(SEC_FETCH_SITE) || headers.contains_key(header::ORIGIN)
}

/// Whether another site embeds an answer as an image, script or the like: it could only leak something.
pub(crate) fn is_foreign_embedding(headers: &HeaderMap) -> bool {
    let is = |name: &HeaderName, value: &str| headers.get(name).is_some_and(|sent| sent.as_bytes() == value.as_bytes());
    (is(&SEC_FETCH_SITE, "cross-site") || is(&SEC_FETCH_SITE, "same-site")) && is(&SEC_FETCH_MODE, "no-cors")
}

/// Checks the token of a JSON call: needed whenever a session cookie came along.
pub(crate) fn check_header_token(headers: &HeaderMap, cookies: &Cookies) -> Result<(), Problem> {
    let Some(cookie) = cookies.session.present() else { return Ok(()) };
    let sent = single(headers, &HeaderName::from_static(TOKEN_HEADER))?;
    check_token(sent, &session_token(cookie))
}

/// Checks the token of a form.
///
/// Without the cookie it belongs to no token can be right, except that a form after sign-in is let through to
/// the access rule when there is no session cookie: "sign in" is the better answer than "this form has expired".
pub(crate) fn check_form_token(rule: CsrfRule, sent: Option<&str>, cookies: &Cookies) -> Result<(), Problem> {
    match rule {
        CsrfRule::SessionForm => match cookies.session.present() {
            Some(cookie) => check_token(sent, &session_token(cookie)),
            None => Ok(()),
        },
        CsrfRule::PublicForm => match cookies.pre.present() {
            Some(nonce) => check_token(sent, &pre_token(nonce)),
            None => Err(Problem::new(Code::CsrfFailed)),
        },
        CsrfRule::Safe | CsrfRule::SameOrigin | CsrfRule::SessionHeader | CsrfRule::WithoutCookies => Ok(()),
    }
}

fn check_token(sent: Option<&str>, expected: &PlainToken) -> Result<(), Problem> {
    let sent = sent.and_then(|text| PlainToken::parse(TokenKind::Csrf, text));
    if sent.is_some_and(|sent| sent.matches(expected)) { Ok(()) } else { Err(Problem::new(Code::CsrfFailed)) }
}

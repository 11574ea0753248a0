//! Is this a request that can be taken seriously at all? Looked at before anything is asked, read or counted.

use axum::extract::Request;
use http::{HeaderMap, header};

use super::{MAX_BODY_BYTES, MAX_HEADER_BYTES, MAX_HEADERS, MAX_URI_BYTES};
use crate::cookies::Cookies;
use crate::problem::{Code, Problem};
use crate::settings::PublicUrl;

/// Sizes, host and body of `request`.
pub(crate) fn check(request: &Request, cookies: &Cookies, public_url: &PublicUrl) -> Result<(), Problem> {
    let headers = request.headers();
    check_sizes(request)?;
    check_host(request, public_url)?;
    check_body_headers(headers)?;
    if cookies.duplicated {
        return Err(Code::MalformedRequest.into());
    }
    Ok(())
}

fn check_sizes(request: &Request) -> Result<(), Problem> {
    let uri = request.uri().path_and_query().map_or(0, |path_and_query| path_and_query.as_str().len());
    if uri > MAX_URI_BYTES {
        return Err(Code::UriTooLong.into());
    }
    let headers = request.headers();
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers.len() > MAX_HEADERS || bytes > MAX_HEADER_BYTES {
        return Err(Code::HeadersTooLarge.into());
    }
    Ok(())
}

/// Exactly one host is named (RFC 9112 section 3.2), and it is ours.
fn check_host(request: &Request, public_url: &PublicUrl) -> Result<(), Problem> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = hosts.next().map(|host| host.to_str()).transpose().map_err(|_| Code::MalformedRequest)?;
    if hosts.next().is_some() {
        return Err(Code::MalformedRequest.into());
    }
    let authority = request.uri().authority().map(http::uri::Authority::as_str);
    let named = match (authority, host) {
        (Some(authority), Some(host)) if !authority.eq_ignore_ascii_case(host) => None,
        (Some(named), _) | (None, Some(named)) => Some(named),
        (None, None) => None,
    };
    let named = named.filter(|named| !named.contains('@')).ok_or(Code::MalformedRequest)?;
    if public_url.serves(named) { Ok(()) } else { Err(Code::MisdirectedRequest.into()) }
}

/// A body that says it is too large is refused before a byte of it is read; compressed ones are not unpacked.
fn check_body_headers(headers: &HeaderMap) -> Result<(), Problem> {
    let is_plain = |value: &http::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(header::CONTENT_ENCODING).iter().all(is_plain) {
        return Err(Code::UnsupportedMediaType.into());
    }
    let Some(length) = headers.get(header::CONTENT_LENGTH) else { return Ok(()) };
    let length = length.to_str().ok().and_then(|text| text.parse::<u64>().ok()).ok_or(Code::MalformedRequest)?;
    if length > MAX_BODY_BYTES as u64 { Err(Code::PayloadTooLarge.into()) } else { Ok(()) }
}

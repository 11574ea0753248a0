//! What holds for every answer.

use std::sync::OnceLock;

use doorward_web::route::{CacheClass, RouteInfo};
use http::{Method, header};
use serde_json::Value;

use crate::answer::Answer;

const YEAR_SECONDS: u64 = 365 * 24 * 3600;
const SESSION_SECONDS: u64 = 30 * 24 * 3600;

/// Checks an answer to `method path`.
pub fn check(method: &Method, path: &str, answer: &Answer) {
    let what = format!("{method} {path} answered {}", answer.status);
    assert!(answer.status.as_u16() != 500, "{what}: {}", answer.text());
    // With any other redirect a browser may post a password again, to wherever it leads.
    assert!(!answer.status.is_redirection() || [303, 304].contains(&answer.status.as_u16()), "{what}");
    check_headers(&what, answer);
    check_sharing(&what, path, answer);
    check_cookies(&what, answer);
    check_cache(&what, method, path, answer);
    if method != Method::HEAD && path.starts_with("/api/") && answer.status.as_u16() >= 400 {
        check_problem(&what, answer);
    }
}

fn check_headers(what: &str, answer: &Answer) {
    let expected = [
        ("strict-transport-security", "max-age=63072000; includeSubDomains"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ];
    for (name, value) in expected {
        assert_eq!(answer.header(name), Some(value), "{what}: {name}");
    }
    for name in ["permissions-policy", "cross-origin-opener-policy", "x-request-id"] {
        assert!(answer.headers.contains_key(name), "{what}: {name} is missing");
    }
    for name in ["server", "x-powered-by"] {
        assert!(!answer.headers.contains_key(name), "{what}: {name}");
    }
    let policy = answer.header(header::CONTENT_SECURITY_POLICY).unwrap_or_default();
    for part in ["default-src 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{what}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{what}: {policy}");
    let content_type = answer.header(header::CONTENT_TYPE);
    assert!(answer.body.is_empty() || content_type.is_some(), "{what}: a body without a type");
}

/// Scripts of other origins read what is meant for clients, each named, and never with cookies.
fn check_sharing(what: &str, path: &str, answer: &Answer) {
    assert!(!answer.headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS), "{what}");
    if let Some(origin) = answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        let is_for_clients = ["/oauth2/", "/.well-known/"].iter().any(|start| path.starts_with(start));
        assert!(
            is_for_clients && !path.starts_with("/oauth2/authorize") && origin != "*",
            "{what}: shared with {origin}"
        );
        assert!(!answer.headers.contains_key(header::SET_COOKIE), "{what}: a cookie for {origin}");
    }
}

fn check_cookies(what: &str, answer: &Answer) {
    let names = ["__Host-doorward", "__Host-doorward-pre", "__Host-doorward-device", "__Host-doorward-ui"];
    let mut seen = Vec::new();
    for value in answer.headers.get_all(header::SET_COOKIE) {
        let line = value.to_str().unwrap();
        let mut parts = line.split("; ");
        let name = parts.next().and_then(|pair| pair.split_once('=')).map(|(name, _)| name).unwrap_or_default();
        assert!(names.contains(&name) && !seen.contains(&name), "{what}: {line}");
        seen.push(name);
        let attributes: Vec<_> = parts.collect();
        for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
            assert!(attributes.contains(&attribute), "{what}: {attribute} is missing in {line}");
        }
        assert!(!line.to_lowercase().contains("domain="), "{what}: {line}");
        let most = if name == "__Host-doorward" { SESSION_SECONDS } else { YEAR_SECONDS };
        for age in attributes.iter().filter_map(|attribute| attribute.strip_prefix("Max-Age=")) {
            assert!(age.parse::<u64>().is_ok_and(|seconds| seconds <= most), "{what}: {line}");
        }
    }
}

fn check_cache(what: &str, method: &Method, path: &str, answer: &Answer) {
    let is_kept = (answer.status.is_success() || answer.status.as_u16() == 304)
        && !answer.headers.contains_key(header::SET_COOKIE);
    let class = route_of(method, path).filter(|_| is_kept).map_or(CacheClass::NoStore, |route| route.cache);
    let expected = match class {
        CacheClass::NoStore => "no-store".to_owned(),
        CacheClass::Revalidate => "no-cache".to_owned(),
        CacheClass::PublicFor(seconds) => format!("public, max-age={seconds}"),
        // The tests of the route say which.
        CacheClass::SharedFor(seconds) => match answer.header(header::CACHE_CONTROL) {
            Some("no-store") => "no-store".to_owned(),
            _ => format!("public, max-age={seconds}"),
        },
        CacheClass::Immutable => "public, max-age=31536000, immutable".to_owned(),
    };
    assert_eq!(answer.header(header::CACHE_CONTROL), Some(expected.as_str()), "{what}");
}

fn check_problem(what: &str, answer: &Answer) {
    assert_eq!(answer.header(header::CONTENT_TYPE), Some("application/problem+json"), "{what}");
    let body = answer.json();
    assert_eq!(body["status"], answer.status.as_u16(), "{what}: {body}");
    for name in ["type", "title", "code", "detail", "timestamp"] {
        assert!(body[name].as_str().is_some_and(|text| !text.is_empty()), "{what}: {name} in {body}");
    }
    assert_eq!(body["request_id"].as_str(), answer.header("x-request-id"), "{what}");
    let has_errors = body.get("errors").and_then(Value::as_array).is_some_and(|errors| !errors.is_empty());
    assert_eq!(has_errors, body["code"] == "validation_failed", "{what}: {body}");
    let needed = match answer.status.as_u16() {
        401 => "www-authenticate",
        429 | 503 => "retry-after",
        405 => "allow",
        _ => return,
    };
    assert!(answer.headers.contains_key(needed), "{what}: {needed} is missing");
}

fn route_of(method: &Method, path: &str) -> Option<&'static RouteInfo> {
    static ROUTES: OnceLock<Vec<RouteInfo>> = OnceLock::new();
    let routes = ROUTES.get_or_init(|| doorward_web::routes().iter().map(doorward_web::route::Route::info).collect());
    let asked = if method == Method::HEAD { &Method::GET } else { method };
    routes.iter().find(|route| route.method == *asked && matches(route.path, path))
}

fn matches(template: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template.iter().zip(&path).all(|(part, given)| part.starts_with('{') || part == given)
}

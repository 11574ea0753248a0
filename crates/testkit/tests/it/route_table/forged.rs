//! Requests that another site makes a browser send, against every unsafe route.

use doorward_testkit::world::{PUBLIC_URL, Request};
use doorward_testkit::{World, both};
use doorward_web::route::{CsrfRule, RouteInfo};
use http::{Method, header};
use serde_json::json;

use super::{path, routes, state};
use crate::credentials::{
    ADDRESS, EMAIL, bare, browser, cookie_of, csrf, me_by_cookie, register, sign_in, with_cookie,
};

const EVIL: &str = "https://evil.example";
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Where a request says it comes from, and whether that is here.
const SOURCES: [(&[(&str, &str)], bool); 16] = [
    (
        &[("sec-fetch-site", "same-origin"), ("origin", PUBLIC_URL), ("referer", "https://auth.example.test/account")],
        true,
    ),
    (&[("origin", PUBLIC_URL)], true),
    (&[("referer", "https://auth.example.test/account")], true),
    (&[("sec-fetch-site", "same-site"), ("origin", "https://sibling.example.test")], false),
    (&[("sec-fetch-site", "cross-site"), ("origin", EVIL), ("referer", "https://evil.example/")], false),
    (&[("sec-fetch-site", "cross-site"), ("origin", PUBLIC_URL)], false),
    (&[("sec-fetch-site", "none")], false),
    (&[("origin", "null")], false),
    (&[("origin", "null"), ("referer", "https://auth.example.test/")], false),
    (&[], false),
    (&[("origin", "https://auth.example.test.evil.io")], false),
    (&[("origin", "http://auth.example.test")], false),
    (&[("origin", "https://auth.example.test:444")], false),
    (&[("origin", EVIL)], false),
    (&[("referer", "https://evil.example/https://auth.example.test/")], false),
    (&[("referer", "https://auth.example.test@evil.example/")], false),
];

/// What to send to a route, with a token in the place where it takes one.
fn ask(route: &RouteInfo, source: &[(&str, &str)], token: Option<&str>) -> Request {
    let mut request = Request::new(route.method.clone(), &path(route), ADDRESS);
    for (name, value) in source {
        request = request.header(*name, value);
    }
    if matches!(route.csrf, CsrfRule::SessionForm | CsrfRule::PublicForm) {
        let body = token.map(|token| format!("csrf_token={token}")).unwrap_or_default();
        return request.header(header::CONTENT_TYPE, FORM).body(body);
    }
    if let Some(token) = token {
        request = request.header("x-csrf-token", token);
    }
    request.header(header::CONTENT_TYPE, JSON).body("{}".to_owned())
}

fn of_session(route: &RouteInfo) -> bool {
    matches!(route.csrf, CsrfRule::SessionForm | CsrfRule::SessionHeader)
}

/// Proves: A-44, S-26, V3.5.1, V3.5.2, V3.5.3, S-106, S-123, S-231
#[test]
fn no_other_site_makes_a_signed_in_browser_change_anything() {
    both(async |world| {
        register(world, EMAIL).await;
        let (mine, other) = (browser(world, EMAIL).await, browser(world, EMAIL).await);
        let (token, others) = (csrf(world, &mine.cookie).await, csrf(world, &other.cookie).await);
        let before = state(world).await;
        let mut checked = 0;
        for route in routes().iter().filter(|route| of_session(route)) {
            let what = format!("{} {}", route.method, route.path);
            for (source, is_here) in SOURCES {
                let tokens =
                    [(Some(token.as_str()), true), (None, false), (Some(others.as_str()), false), (Some(""), false)];
                for (sent, is_right) in tokens {
                    if is_here && is_right {
                        continue;
                    }
                    let answer = world.send(with_cookie(ask(route, source, sent), &mine.cookie)).await;
                    assert_eq!(answer.status, 403, "{what} {source:?} {sent:?}: {answer:?}");
                    checked += 1;
                }
            }
            for content_type in ["text/plain", "multipart/form-data; boundary=x"] {
                let source = [("sec-fetch-site", "cross-site"), ("origin", EVIL), ("content-type", content_type)];
                let mut request = Request::new(route.method.clone(), &path(route), ADDRESS);
                for (name, value) in source {
                    request = request.header(name, value);
                }
                let answer = world.send(with_cookie(request.body("{}".to_owned()), &mine.cookie)).await;
                assert!([403, 415].contains(&answer.status.as_u16()), "{what} {content_type}: {answer:?}");
            }
        }
        assert!(checked > 600, "{checked}");
        assert_eq!(state(world).await, before);
        me_by_cookie(world, &mine.cookie).await.expect(200);
        me_by_cookie(world, &other.cookie).await.expect(200);
        for route in routes().iter().filter(|route| of_session(route)) {
            for (source, _) in SOURCES.iter().filter(|(_, is_here)| *is_here) {
                let held = browser(world, EMAIL).await;
                let token = csrf(world, &held.cookie).await;
                let answer = world.send(with_cookie(ask(route, source, Some(&token)), &held.cookie)).await;
                let what = format!("{} {} {source:?}", route.method, route.path);
                assert!(![401, 403, 415].contains(&answer.status.as_u16()), "{what}: {answer:?}");
            }
        }
    });
}

/// Sign-in too: a forged one would sign the victim in as the attacker.
///
/// Proves, S-26
#[test]
fn no_other_site_makes_a_browser_sign_in_or_sign_up() {
    both(async |world| {
        register(world, EMAIL).await;
        let before = state(world).await;
        for route in routes().iter().filter(|route| matches!(route.csrf, CsrfRule::SameOrigin | CsrfRule::PublicForm)) {
            for (source, is_here) in SOURCES {
                // Without any header and cookie it is no browser, and forms want their token all the same.
                if is_here || (source.is_empty() && route.csrf == CsrfRule::SameOrigin) {
                    continue;
                }
                let answer = world.send(ask(route, source, None)).await;
                assert_eq!(answer.status, 403, "{} {} {source:?}: {answer:?}", route.method, route.path);
                assert!(answer.cookies().iter().all(|(name, _)| name != "__Host-doorward"));
            }
            let mut request = ask(route, &[], None);
            request = request.header(header::COOKIE, "other=1");
            let answer = world.send(request).await;
            assert_eq!(answer.status, 403, "{} {} with a cookie: {answer:?}", route.method, route.path);
        }
        assert_eq!(state(world).await, before);
        cookie_of(&sign_in(world, EMAIL, &json!({})).await.expect(200));
    });
}

/// Proves
#[test]
fn no_header_or_field_turns_one_method_into_another() {
    both(async |world| {
        register(world, EMAIL).await;
        let held = browser(world, EMAIL).await;
        let target = format!("/api/v1/sessions/{}", held.session);
        let answer = world
            .send(with_cookie(bare(&Method::GET, &target), &held.cookie).header("x-http-method-override", "DELETE"))
            .await;
        assert_eq!(answer.status, 405);
        let answer = world.send(with_cookie(bare(&Method::GET, "/account?_method=DELETE"), &held.cookie)).await;
        assert_eq!(answer.status, 200);
        for method in ["TRACE", "CONNECT", "PROPFIND", "FOO", "get", "OPTIONS"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            for path in ["/api/v1/me", "/account", "/api/v1/login"] {
                let answer = world.send(with_cookie(bare(&method, path), &held.cookie)).await;
                assert_eq!(answer.status, 405, "{method} {path}: {answer:?}");
            }
        }
        me_by_cookie(world, &held.cookie).await.expect(200);
    });
}

/// The common check sees to it that no answer opens itself to another origin.
///
/// Proves: A-45, V3.4.2, S-226
#[test]
fn nothing_is_open_to_other_origins_by_default() {
    both(async |world: &World| {
        for route in routes() {
            for origin in [EVIL, "null", "https://auth.example.test.evil.io", "https://AUTH.example.test", PUBLIC_URL] {
                let asked = Request::new(Method::OPTIONS, &path(&route), ADDRESS)
                    .header(header::ORIGIN, origin)
                    .header("access-control-request-method", route.method.as_str())
                    .header("access-control-request-headers", "authorization, content-type, x-csrf-token");
                let answer = world.send(asked).await;
                assert_eq!(answer.status, 405, "{} {origin}", route.path);
                let opened = answer.headers.keys().filter(|name| name.as_str().starts_with("access-control-"));
                assert_eq!(opened.count(), 0, "{} {origin}: {answer:?}", route.path);
            }
        }
    });
}

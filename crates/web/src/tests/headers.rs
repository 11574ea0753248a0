//! What every answer carries, whatever happened.

use super::{Answer, Harness, OWN, cookie, csrf_of, get, pre, request};
use crate::settings::PublicUrl;

/// Proves: S-97, V3.4.4, V3.4.6, V13.4.6, A-173, S-120, S-227, S-146
pub(super) fn check_baseline(answer: &Answer) {
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("x-frame-options"), "DENY");
    assert_eq!(answer.header("referrer-policy"), "same-origin");
    assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
    assert!(!answer.header("permissions-policy").is_empty());
    assert!(answer.header("x-request-id").starts_with("req_"), "{answer:?}");
    let opener = answer.header("cross-origin-opener-policy");
    assert!(["same-origin", "unsafe-none"].contains(&opener), "{opener}");
    let csp = answer.header("content-security-policy");
    assert!(csp.starts_with("default-src 'none'") && csp.contains("frame-ancestors 'none'"), "{csp}");
    assert!(!csp.contains("unsafe-") && !csp.contains('*'), "{csp}");
    if answer.header("content-type").starts_with("text/html") {
        for directive in ["script-src 'nonce-", "base-uri 'none'", "object-src 'none'", "form-action 'self'"] {
            assert!(csp.contains(directive), "{directive} in {csp}");
        }
    } else {
        assert!(csp.ends_with("sandbox"), "{csp}");
    }
    for absent in ["server", "x-powered-by", "x-xss-protection", "access-control-allow-credentials"] {
        assert_eq!(answer.header(absent), "", "{absent}");
    }
    for cookie in answer.headers.get_all("set-cookie") {
        let cookie = cookie.to_str().unwrap();
        assert!(cookie.starts_with("__Host-doorward"), "{cookie}");
        assert!(cookie.contains("; Path=/; Secure; HttpOnly; SameSite=Lax"), "{cookie}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let is_kept = answer.header("cache-control") != "no-store";
    assert!(!is_kept || answer.status < 300 || answer.status == 304, "{answer:?}");
    for value in answer.headers.values() {
        assert!(!value.to_str().unwrap().contains(super::CANARY));
    }
    assert!(!answer.body.contains(super::CANARY), "{}", answer.body);
}

/// One answer of every kind; [`check_baseline`] runs on each.
///
/// Proves: S-97, V3.4.1
#[tokio::test]
async fn every_kind_of_answer_has_the_baseline_and_https_only() {
    let harness = Harness::unlimited();
    let alice = cookie(1);
    let long = format!("/{}", "x".repeat(9000));
    for (request, status) in [
        (get("/api/v1/me", &[("cookie", &alice)]), 200),
        (get("/api/v1/me", &[]), 401),
        (get("/account", &[("cookie", &alice)]), 200),
        (get("/account", &[]), 303),
        (get("/login", &[]), 200),
        (get("/nothing", &[]), 404),
        (get("/api/nothing", &[]), 404),
        (get("/api/v1/crash", &[]), 500),
        (get("/crash", &[]), 500),
        (get("/assets/app.css", &[]), 200),
        (get("/.well-known/jwks.json", &[]), 200),
        (get("/login", &[("host", "evil.com")]), 421),
        (get(&long, &[]), 414),
        (request("POST", "/assets/app.css", &[], "x"), 405),
        (request("TRACE", "/", &[], "x"), 405),
        (request("OPTIONS", "/api/v1/me", &[], ""), 405),
        (request("HEAD", "/account", &[("cookie", &alice)], ""), 200),
    ] {
        let shown = format!("{} {}", request.method(), request.uri().path().get(..20).unwrap_or(request.uri().path()));
        let answer = harness.send(request).await;
        assert_eq!(answer.status, status, "{shown}");
        assert_eq!(answer.header("strict-transport-security"), "max-age=63072000; includeSubDomains", "{shown}");
    }
}

#[tokio::test]
async fn plain_http_and_loopback_do_not_promise_https() {
    for url in ["http://localhost:8080", "https://localhost", "http://auth.example.com"] {
        let harness = Harness::with(|settings| settings.public_url = PublicUrl::parse(url).unwrap());
        let host = url.split_once("://").unwrap().1;
        let answer = harness.send(get("/login", &[("host", host)])).await;
        assert_eq!((answer.status, answer.header("strict-transport-security")), (200, ""), "{url}");
    }
}

/// Proves: A-47, V3.4.3, S-146
#[tokio::test]
async fn each_page_has_its_own_nonce_and_names_it() {
    let harness = Harness::new();
    let alice = cookie(1);
    let mut nonces = Vec::new();
    for _ in 0..3 {
        let answer = harness.send(get("/account", &[("cookie", &alice)])).await;
        let csp = answer.header("content-security-policy").to_owned();
        let nonce = csp.split_once("'nonce-").unwrap().1.split_once('\'').unwrap().0.to_owned();
        assert!(answer.body.contains(&format!("nonce=\"{nonce}\"")));
        assert_eq!(nonce.len(), 24);
        nonces.push(nonce);
    }
    nonces.dedup();
    assert_eq!(nonces.len(), 3);
}

#[tokio::test]
async fn a_page_may_name_one_more_origin_for_its_forms() {
    let answer = Harness::new().send(get("/login", &[])).await;
    let csp = answer.header("content-security-policy");
    assert!(csp.contains("form-action 'self' https://app.example.net;"), "{csp}");
    for origin in [
        "https://a.example; script-src *",
        "https://a.example/",
        "javascript:alert(1)",
        "*",
        "null",
        "https://A.example",
        "https:",
        "javascript:",
        "com.example.app",
        "com.example.app:/callback",
        "com.example.app: *",
        "1.example:",
        ":",
        ".:",
    ] {
        assert!(crate::edge::FormActionOrigin::new(origin).is_none(), "{origin}");
    }
    for origin in ["https://a.example:8443", "http://127.0.0.1:51004", "com.example.app:", "com.example-2.app+x:"] {
        assert!(crate::edge::FormActionOrigin::new(origin).is_some(), "{origin}");
    }
}

/// Proves: V3.4.8
#[tokio::test]
async fn only_pages_that_applications_open_in_pop_ups_keep_their_opener() {
    let harness = Harness::new();
    for (path, policy) in [("/login", "unsafe-none"), ("/account", "same-origin"), ("/api/v1/me", "same-origin")] {
        let answer = harness.send(get(path, &[("cookie", &cookie(1))])).await;
        assert_eq!(answer.header("cross-origin-opener-policy"), policy, "{path}");
    }
}

/// Proves: A-41, V14.2.2, V14.3.2
#[tokio::test]
async fn caches_keep_only_what_the_route_allows_and_only_successes() {
    let harness = Harness::unlimited();
    let alice = cookie(1);
    for (path, expected) in [
        ("/api/v1/me", "no-store"),
        ("/account", "no-store"),
        ("/login", "no-store"),
        ("/.well-known/jwks.json", "public, max-age=300"),
        ("/assets/app.css", "public, max-age=31536000, immutable"),
        ("/openapi.json", "no-cache"),
        ("/careless.json", "no-store"),
        ("/assets/other.css", "no-store"),
    ] {
        let answer = harness.send(get(path, &[("cookie", &alice)])).await;
        assert_eq!(answer.header("cache-control"), expected, "{path}");
    }
    let refused = harness.send(request("POST", "/assets/app.css", &[], "")).await;
    assert_eq!((refused.status, refused.header("cache-control")), (405, "no-store"));
}

/// Proves: A-41, V14.2.5
#[tokio::test]
async fn a_path_that_looks_like_a_file_never_shows_the_page_above_it() {
    let harness = Harness::unlimited();
    let alice = cookie(1);
    for path in [
        "/account/foo.css",
        "/account%2f..%2fstatic.css",
        "/account%2ffoo.css",
        "/account;.js",
        "/account;foo.css",
        "/account.css",
        "/account/",
        "//account",
        "/Account",
        "/account%00.css",
        "/account%0a.css",
        "/account%3f.css",
        "/account%23.css",
        "/./account",
        "/x/../account",
        "/api/v1/me/.png",
        "/api/v1/me.css",
        "/api/v1/me%2f.css",
        "/api/v1/me/nonexistent.js",
        "/api/v1/csrf/x.css",
        "/.git/HEAD",
        "/.env",
        "/metrics",
        "/assets/",
        "/assets/../account",
    ] {
        let answer = harness.send(get(path, &[("cookie", &alice)])).await;
        assert_eq!((answer.status, answer.header("cache-control")), (404, "no-store"), "{path}");
    }
}

#[tokio::test]
async fn the_browser_gets_a_pre_cookie_once() {
    let harness = Harness::new();
    let answer = harness.send(get("/login", &[])).await;
    let set: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(set.len(), 1);
    let line = set[0].to_str().unwrap().split_once(';').unwrap().0.to_owned();
    assert!(line.starts_with("__Host-doorward-pre="));
    let again = harness.send(get("/login", &[("cookie", &line)])).await;
    assert_eq!(again.header("set-cookie"), "");
    assert_eq!(again.body, answer.body, "the same cookie has the same token");
    let (line, token) = pre();
    assert!(harness.send(get("/login", &[("cookie", &line)])).await.body.contains(&token));
}

#[tokio::test]
async fn a_new_session_cookie_means_a_new_token() {
    let harness = Harness::new();
    let token = |number: u8| {
        let harness = &harness;
        async move { harness.send(get("/api/v1/csrf", &[("cookie", &cookie(number))])).await.json()["csrf_token"].clone() }
    };
    assert_eq!(token(1).await, csrf_of(1));
    assert_eq!(token(3).await, csrf_of(3));
    assert_ne!(csrf_of(1), csrf_of(3));
}

/// Proves: S-27
#[tokio::test]
async fn the_token_is_told_to_no_other_origin() {
    let harness = Harness::new();
    for origin in [super::LISTED, "https://evil.example", OWN] {
        let answer = harness.send(get("/api/v1/csrf", &[("cookie", &cookie(1)), ("origin", origin)])).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

/// RFC 9745 and RFC 8594.
#[tokio::test]
async fn a_route_that_will_go_says_so_in_every_answer_and_no_other_does() {
    let harness = Harness::unlimited();
    let sunset = "Thu, 01 Jul 2027 00:00:00 GMT";
    for (path, query, status, deprecation, expected_sunset) in [
        ("/api/v1/old", "", 200, "@1782864000", sunset),
        ("/api/v1/old", "?x=1", 200, "@1782864000", sunset),
        ("/api/v1/ageing", "", 500, "@1782864000", ""),
        ("/api/v1/me", "", 401, "", ""),
        ("/login", "", 200, "", ""),
        ("/nothing", "", 404, "", ""),
    ] {
        let answer = harness.send(get(&format!("{path}{query}"), &[])).await;
        let seen = (answer.status, answer.header("deprecation"), answer.header("sunset"));
        assert_eq!(seen, (status, deprecation, expected_sunset), "{path}");
    }
}

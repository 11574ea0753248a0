//! Scripts of other origins.

use super::{ALICE, CLIENT_ORIGIN, Harness, LISTED, OWN, cookie, get, request};

const NOT_LISTED: &[&str] = &[
    "https://evil.example",
    "null",
    "https://app.example.org.evil.example",
    "https://app.example.evil",
    "https://evilapp.example.org",
    "https://app.example.orgx",
    "https://APP.example.org",
    "https://app.example.org.",
    "https://app.example.org:443",
    "https://app.example.org:8443",
    "https://app.example.org/",
    "http://app.example.org",
    "https://sub.app.example.org",
    "app.example.org",
    "*",
    "",
    OWN,
];

const CLOSED: &[(&str, &str)] =
    &[("GET", "/api/v1/me"), ("GET", "/login"), ("POST", "/login"), ("GET", "/account"), ("GET", "/nothing")];
const OPEN: &[(&str, &str)] =
    &[("POST", "/api/v1/login"), ("POST", "/api/v1/token"), ("GET", "/.well-known/jwks.json")];

/// Proves: A-45, S-98, V3.4.2, S-226
#[tokio::test]
async fn only_listed_origins_read_only_open_routes_and_never_with_credentials() {
    let harness = Harness::unlimited();
    for (method, path) in OPEN {
        let body = r#"{"email":"a@b.example","password":"x"}"#;
        let headers = [("origin", LISTED), ("content-type", "application/json"), ("sec-fetch-site", "cross-site")];
        let answer = harness.send(request(method, path, &headers, body)).await;
        assert_eq!(answer.header("access-control-allow-origin"), LISTED, "{path}");
        assert_eq!(answer.header("vary"), "Origin", "{path}");
        for origin in NOT_LISTED {
            let answer = harness.send(request(method, path, &[("origin", origin)], "")).await;
            assert_eq!(answer.header("access-control-allow-origin"), "", "{path} {origin}");
            assert_eq!(answer.header("vary"), "Origin", "{path} {origin}");
        }
        let twice = [("origin", LISTED), ("origin", LISTED)];
        assert_eq!(harness.send(request(method, path, &twice, "")).await.header("access-control-allow-origin"), "");
    }
    for (method, path) in CLOSED {
        for origin in NOT_LISTED.iter().chain([&LISTED]) {
            let answer = harness.send(request(method, path, &[("origin", origin)], "")).await;
            assert_eq!(answer.header("access-control-allow-origin"), "", "{method} {path} {origin}");
        }
    }
}

/// Proves: A-45, V3.4.2
#[tokio::test]
async fn a_preflight_is_answered_only_for_listed_origins_and_open_methods() {
    let harness = Harness::unlimited();
    let preflight = async |path: &str, origin: &str, method: &str| {
        let headers = [("origin", origin), ("access-control-request-method", method)];
        harness.send(request("OPTIONS", path, &headers, "")).await
    };
    for (method, path) in OPEN {
        let answer = preflight(path, LISTED, method).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (204, LISTED), "{path}");
        assert_eq!(answer.header("access-control-allow-methods"), *method);
        assert_eq!(answer.header("access-control-allow-headers"), "authorization, content-type, dpop");
        for origin in NOT_LISTED {
            let answer = preflight(path, origin, method).await;
            assert_eq!((answer.status, answer.header("access-control-allow-origin")), (405, ""), "{path} {origin}");
            assert_eq!(answer.header("access-control-allow-methods"), "");
        }
        assert_eq!(preflight(path, LISTED, "DELETE").await.status, 405);
    }
    for (method, path) in CLOSED {
        let answer = preflight(path, LISTED, method).await;
        assert!([404, 405].contains(&answer.status), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
    }
}

/// A listed origin signs in for tokens, never for cookies, and an error is readable for it too.
#[tokio::test]
async fn a_listed_origin_gets_no_cookie_and_must_bring_none() {
    let harness = Harness::unlimited();
    let body = r#"{"email":"a@b.example","password":"x"}"#;
    let headers = [
        ("origin", LISTED),
        ("content-type", "application/json"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "cors"),
    ];
    let answer = harness.send(request("POST", "/api/v1/login", &headers, body)).await;
    assert_eq!((answer.status, answer.header("set-cookie")), (200, ""));
    assert_eq!(answer.json()["may"], true);
    let with_cookie = [headers[0], headers[1], headers[2], ("cookie", &cookie(ALICE))];
    let answer = harness.send(request("POST", "/api/v1/login", &with_cookie, body)).await;
    assert_eq!(answer.outcome(), (403, "csrf_failed".into()));
    assert_eq!(answer.header("access-control-allow-origin"), LISTED);
    let evil = [("origin", "https://evil.example"), headers[1], headers[2], headers[3]];
    assert_eq!(harness.send(request("POST", "/api/v1/login", &evil, body)).await.status, 403);
    let closed = harness.send(request("POST", "/api/v1/reset", &headers, "{}")).await;
    assert_eq!(closed.outcome(), (403, "csrf_failed".into()));
}

/// Browsers name the site or the origin a request comes from; programs name neither.
#[tokio::test]
async fn refresh_tokens_are_for_programs_and_listed_origins() {
    let harness = Harness::unlimited();
    let body = r#"{"email":"a@b.example","password":"x"}"#;
    let cases: &[(&[(&str, &str)], bool)] = &[
        (&[], true),
        (&[("sec-fetch-mode", "cors")], true),
        (&[("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")], false),
        (&[("sec-fetch-site", "same-origin"), ("origin", OWN)], false),
        (&[("origin", OWN)], false),
        (&[("origin", LISTED)], true),
    ];
    for &(sent, may) in cases {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend_from_slice(sent);
        let answer = harness.send(request("POST", "/api/v1/login", &headers, body)).await;
        assert_eq!(answer.json()["may"], may, "{sent:?}");
    }
}

#[tokio::test]
async fn closed_routes_do_not_vary() {
    let harness = Harness::new();
    let answer = harness.send(get("/assets/app.css", &[("origin", LISTED)])).await;
    assert_eq!(answer.header("vary"), "");
}

/// A client that lives in a browser calls what is meant for clients, and nothing else; nobody asks about an origin where
/// it does not matter.
///
/// Proves: A-45, V3.4.2
#[tokio::test]
async fn scripts_of_a_registered_client_read_what_is_meant_for_clients_only() {
    let harness = Harness::unlimited();
    let from = [("origin", CLIENT_ORIGIN)];
    let answer = harness.send(get("/.well-known/jwks.json", &from)).await;
    assert_eq!((answer.header("access-control-allow-origin"), answer.header("vary")), (CLIENT_ORIGIN, "Origin"));
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    let preflight = [from[0], ("access-control-request-method", "GET")];
    let answer = harness.send(request("OPTIONS", "/.well-known/jwks.json", &preflight, "")).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (204, CLIENT_ORIGIN));
    let asked = harness.asked();
    for (method, path) in CLOSED.iter().chain([&("POST", "/api/v1/login"), &("POST", "/api/v1/token")]) {
        let answer = harness.send(request(method, path, &from, "")).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{method} {path}");
    }
    let twice = [from[0], from[0]];
    assert_eq!(harness.send(get("/.well-known/jwks.json", &twice)).await.header("access-control-allow-origin"), "");
    let own = harness.send(get("/.well-known/jwks.json", &[("origin", OWN)])).await;
    assert_eq!(own.header("access-control-allow-origin"), "");
    assert_eq!(harness.asked(), asked, "only a doubtful origin is looked up");
}

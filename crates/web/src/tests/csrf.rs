//! The whole matrix of forged requests.

use super::{ADMIN, ALICE, BOB, CANARY, Harness, LISTED, OWN, cookie, csrf_of, is_ok, pre, request};

const EVIL: &str = "https://evil.example";
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Where a request says it comes from, and whether that is good enough when a cookie comes along.
const SOURCES: &[(&[(&str, &str)], bool)] = &[
    (&[("sec-fetch-site", "same-origin"), ("origin", OWN)], true),
    (&[("sec-fetch-site", "same-origin")], true),
    (&[("sec-fetch-site", "same-site"), ("origin", "https://sibling.example.com")], false),
    (&[("sec-fetch-site", "same-site"), ("origin", OWN)], false),
    (&[("sec-fetch-site", "cross-site"), ("origin", EVIL)], false),
    (&[("sec-fetch-site", "cross-site"), ("origin", OWN), ("referer", "https://auth.example.com/")], false),
    (&[("sec-fetch-site", "none")], false),
    (&[("sec-fetch-site", "none"), ("origin", OWN)], false),
    (&[("sec-fetch-site", "")], false),
    (&[("sec-fetch-site", "Same-Origin")], false),
    (&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], false),
    (&[("origin", OWN)], true),
    (&[("origin", "null")], false),
    (&[("origin", EVIL)], false),
    (&[("origin", LISTED)], false),
    (&[("origin", "https://auth.example.com.evil.io")], false),
    (&[("origin", "http://auth.example.com")], false),
    (&[("origin", "https://auth.example.com:444")], false),
    (&[("origin", "https://auth.example.com/")], false),
    (&[("origin", "https://AUTH.example.com")], false),
    (&[("origin", "https://auth.example.com.")], false),
    (&[("origin", OWN), ("origin", OWN)], false),
    (&[("origin", ""), ("referer", "https://auth.example.com/")], false),
    (&[("referer", "https://auth.example.com/account")], true),
    (&[("referer", "https://auth.example.com")], true),
    (&[("referer", "https://evil.example/https://auth.example.com/")], false),
    (&[("referer", "https://auth.example.com@evil.example/")], false),
    (&[("referer", "https://auth.example.com.evil.io/")], false),
    (&[("referer", "http://auth.example.com/")], false),
    (&[("referer", "auth.example.com")], false),
    (&[("referer", "")], false),
    (&[], false),
];

fn lines<'a>(source: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    source.iter().chain(more).copied().collect()
}

/// Proves: A-44, S-26, V3.5.1, S-106, S-123, S-231
#[tokio::test]
async fn json_calls_with_the_cookie_need_both_the_source_and_the_token() {
    let harness = Harness::unlimited();
    let alice = cookie(ALICE);
    let (own, bobs) = (csrf_of(ALICE), csrf_of(BOB));
    let cut = own[..own.len() - 1].to_owned();
    let padded = format!("{own}=");
    for (source, is_source_good) in SOURCES {
        for (token, is_token_good) in [
            (Some(own.as_str()), true),
            (None, false),
            (Some(bobs.as_str()), false),
            (Some(""), false),
            (Some(cut.as_str()), false),
            (Some(padded.as_str()), false),
        ] {
            for (method, path, body) in [
                ("PATCH", "/api/v1/me", "{}"),
                ("DELETE", "/api/v1/sessions/session_01h455vb4pex5vsknk084sn02q", "{}"),
                ("POST", "/api/v1/token", "{}"),
            ] {
                let mut headers = lines(source, &[("cookie", &alice), ("content-type", JSON)]);
                headers.extend(token.map(|token| ("x-csrf-token", token)));
                let answer = harness.send(request(method, path, &headers, body)).await;
                if *is_source_good && is_token_good {
                    assert!(is_ok(answer.status), "{method} {path} {headers:?}: {answer:?}");
                } else {
                    assert_eq!(answer.outcome(), (403, "csrf_failed".into()), "{method} {path} {headers:?}");
                }
            }
        }
    }
}

/// Proves: A-44, S-26, V3.5.1, S-106, S-123, S-231
#[tokio::test]
async fn forms_after_sign_in_need_both_the_source_and_the_token() {
    let harness = Harness::unlimited();
    let alice = cookie(ALICE);
    let (own, bobs, (_, before)) = (csrf_of(ALICE), csrf_of(BOB), pre());
    for (source, is_source_good) in SOURCES {
        for (body, is_token_good) in [
            (format!("csrf_token={own}"), true),
            (String::new(), false),
            ("csrf_token=".to_owned(), false),
            (format!("csrf_token={bobs}"), false),
            (format!("csrf_token={before}"), false),
            (format!("CSRF_TOKEN={own}"), false),
        ] {
            let headers = lines(source, &[("cookie", &alice), ("content-type", FORM)]);
            let answer = harness.send(request("POST", "/account", &headers, body.clone())).await;
            let expected = if *is_source_good && is_token_good { 204 } else { 403 };
            assert_eq!(answer.status, expected, "{headers:?} {body}");
        }
    }
    let twice = format!("csrf_token={own}&csrf_token={own}");
    let headers = [("origin", OWN), ("cookie", alice.as_str()), ("content-type", FORM)];
    assert_eq!(harness.send(request("POST", "/account", &headers, twice)).await.status, 400);
}

/// Proves: A-42, A-44, S-26
#[tokio::test]
async fn forms_before_sign_in_are_bound_to_the_browser() {
    let harness = Harness::unlimited();
    let (line, token) = pre();
    let other = format!("__Host-doorward-pre={}", "B".repeat(42) + "A");
    for (source, is_source_good) in SOURCES {
        for (cookies, token, is_token_good) in [
            (line.clone(), token.clone(), true),
            (line.clone(), String::new(), false),
            (line.clone(), csrf_of(ALICE), false),
            (other.clone(), token.clone(), false),
            (cookie(ALICE), token.clone(), false),
            (cookie(ALICE), csrf_of(ALICE), false),
        ] {
            let headers = lines(source, &[("cookie", &cookies), ("content-type", FORM)]);
            let body = format!("csrf_token={token}&email=a%40b.example&password={CANARY}");
            let answer = harness.send(request("POST", "/login", &headers, body)).await;
            let expected = if *is_source_good && is_token_good { 200 } else { 403 };
            assert_eq!(answer.status, expected, "{headers:?} {token}");
            assert!(!answer.header("set-cookie").contains("__Host-doorward="));
        }
    }
}

/// Proves: A-42, A-44, S-26
#[tokio::test]
async fn no_other_site_can_sign_a_browser_in() {
    let harness = Harness::unlimited();
    let body = r#"{"email":"a@b.example","password":"x"}"#;
    let ui = "theme=dark";
    for (source, is_source_good) in SOURCES {
        let headers = lines(source, &[("cookie", ui), ("content-type", JSON)]);
        let answer = harness.send(request("POST", "/api/v1/login", &headers, body)).await;
        assert_eq!(answer.status, if *is_source_good { 200 } else { 403 }, "{headers:?}");
        assert_eq!(answer.headers.contains_key("set-cookie"), *is_source_good, "{headers:?}");
    }
}

#[tokio::test]
async fn what_is_no_browser_and_has_no_cookie_passes() {
    let harness = Harness::new();
    let body = r#"{"email":"a@b.example","password":"x"}"#;
    let answer = harness.send(request("POST", "/api/v1/login", &[("content-type", JSON)], body)).await;
    assert_eq!(answer.status, 200);
    let answer = harness.send(request("POST", "/api/v1/token", &[("content-type", JSON)], "{}")).await;
    assert_eq!(answer.status, 200);
    // A form needs its token all the same.
    let answer = harness.send(request("POST", "/login", &[("content-type", FORM)], "email=a%40b.example")).await;
    assert_eq!(answer.status, 403);
}

/// Proves: A-44
#[tokio::test]
async fn bearer_requests_carry_no_cookie_authority_and_need_no_token() {
    let harness = Harness::unlimited();
    let (alice, admin) = (cookie(ALICE), cookie(ADMIN));
    for (cookies, authorization, expected) in [
        (None, "Bearer alice", 200),
        (Some(&alice), "Bearer alice", 200),
        (Some(&admin), "Bearer alice", 200),
        (Some(&alice), "Bearer wrong", 401),
        (Some(&alice), "Bearer expired", 401),
        (Some(&alice), "Bearer", 401),
        (Some(&alice), "Basic YWxpY2U6eA==", 401),
    ] {
        let mut headers =
            vec![("authorization", authorization), ("content-type", JSON), ("sec-fetch-site", "cross-site")];
        headers.extend(cookies.map(|cookies| ("cookie", cookies.as_str())));
        let answer = harness.send(request("PATCH", "/api/v1/me", &headers, "{}")).await;
        assert_eq!(answer.status, expected, "{headers:?}");
    }
    // Where both could be credentials, the cookie is not even looked at.
    let headers = [("authorization", "Bearer x"), ("cookie", alice.as_str()), ("content-type", JSON)];
    let answer = harness.send(request("POST", "/api/v1/token", &headers, "{}")).await;
    assert_eq!(answer.json()["cookie"], false);
}

/// A header alone buys nothing where no credential is asked for: sign-in keeps its check.
#[tokio::test]
async fn a_bearer_header_does_not_open_sign_in_to_other_sites() {
    let harness = Harness::new();
    let headers = [("authorization", "Bearer alice"), ("content-type", JSON), ("sec-fetch-site", "cross-site")];
    let answer = harness.send(request("POST", "/api/v1/login", &headers, "{}")).await;
    assert_eq!(answer.outcome(), (403, "csrf_failed".into()));
}

/// Proves: A-44, V3.5.2
#[tokio::test]
async fn bodies_that_a_form_of_another_site_could_send_reach_no_handler() {
    let harness = Harness::unlimited();
    for content_type in ["text/plain", "multipart/form-data; boundary=x", FORM] {
        let headers = [
            ("sec-fetch-site", "cross-site"),
            ("origin", EVIL),
            ("cookie", &cookie(ALICE)),
            ("content-type", content_type),
        ];
        let answer = harness.send(request("POST", "/api/v1/login", &headers, "{}")).await;
        assert_eq!(answer.outcome(), (403, "csrf_failed".into()), "{content_type}");
        let answer = harness.send(request("POST", "/api/v1/login", &[("content-type", content_type)], "{}")).await;
        assert_eq!(answer.outcome(), (415, "unsupported_media_type".into()), "{content_type}");
    }
}

/// Proves: A-44, A-145, V4.1.4
#[tokio::test]
async fn no_header_or_field_turns_one_method_into_another() {
    let harness = Harness::unlimited();
    let alice = cookie(ALICE);
    for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
        let headers = [(name, "DELETE"), ("cookie", alice.as_str())];
        let path = "/api/v1/sessions/session_01h455vb4pex5vsknk084sn02q";
        assert_eq!(harness.send(request("GET", path, &headers, "")).await.status, 405);
        assert_eq!(harness.send(request("POST", path, &headers, "_method=DELETE")).await.status, 405);
    }
    let answer = harness.send(request("GET", "/account?_method=POST", &[("cookie", &alice)], "")).await;
    assert!(answer.body.contains("<script"));
}

/// Proves: V3.5.8, V3.2.1
#[tokio::test]
async fn another_site_cannot_embed_answers_of_the_api() {
    let harness = Harness::new();
    for site in ["cross-site", "same-site"] {
        let headers = [
            ("sec-fetch-site", site),
            ("sec-fetch-mode", "no-cors"),
            ("sec-fetch-dest", "image"),
            ("cookie", &cookie(ALICE)),
        ];
        let answer = harness.send(request("GET", "/api/v1/me", &headers, "")).await;
        assert_eq!(answer.outcome(), (403, "csrf_failed".into()));
    }
    let headers = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("cookie", &cookie(ALICE))];
    let answer = harness.send(request("GET", "/account", &headers, "")).await;
    assert_eq!(answer.status, 200, "links from other sites work");
}

#[tokio::test]
async fn an_expired_form_says_so_and_offers_a_way_on() {
    let harness = Harness::new();
    let answer = harness.send(request("POST", "/login", &[("content-type", FORM), ("origin", OWN)], "")).await;
    assert_eq!(answer.status, 403);
    assert!(answer.header("content-type").starts_with("text/html"));
    assert!(answer.body.contains("href=\"/login\""), "{}", answer.body);
    // Without a session there is nothing to forge: signing in is the way on.
    let answer = harness.send(request("POST", "/account", &[("content-type", FORM), ("origin", OWN)], "")).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/login"));
}

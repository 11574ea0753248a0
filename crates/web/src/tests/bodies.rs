//! Bodies and sizes.

use serde_json::json;

use super::errors::endless_body;
use std::sync::atomic::Ordering;

use super::{ALICE, CANARY, Harness, OWN, cookie, csrf_of, pre, request};

async fn login(harness: &Harness, content_type: &str, body: impl Into<axum::body::Body>) -> super::Answer {
    harness.send(request("POST", "/api/v1/login", &[("content-type", content_type)], body)).await
}

/// Proves: A-139, S-64, S-219, V1.5.3
#[tokio::test]
async fn thirty_malformed_json_bodies_are_malformed_requests() {
    let harness = Harness::unlimited();
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(32), "]".repeat(32));
    let brackets = "[".repeat(60_000);
    for body in [
        b"".as_slice(),
        b" ",
        b"{",
        b"}",
        b"[",
        b"{]",
        b"nul",
        b"tru",
        b"'x'",
        b"{a:1}",
        b"{'a':1}",
        b"{\"a\"}",
        b"{\"a\":}",
        b"{\"a\":1,}",
        b"[1,]",
        b"{\"a\":1}}",
        b"{\"a\":1}{}",
        b"{\"a\":1} x",
        b"{\"a\":1,\"a\":1}",
        b"{\"a\":1,\"\\u0061\":1}",
        b"{\"a\":NaN}",
        b"{\"a\":1e400}",
        b"{\"a\":01}",
        b"{\"a\":+1}",
        b"{\"a\":\"\\ud800\"}",
        b"{\"a\":\"\\x\"}",
        b"{\"a\":\"\xff\"}",
        b"{\"a\":\"\n\"}",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\0}\0",
        b"{\"a\":1//\n}",
        b"\0",
        deep.as_bytes(),
        brackets.as_bytes(),
    ] {
        let answer = login(&harness, "application/json", body.to_vec()).await;
        assert_eq!(answer.outcome(), (400, "malformed_request".into()), "{:?}", &body[..body.len().min(40)]);
    }
}

/// Proves: A-153, V3.5.2
#[tokio::test]
async fn only_json_in_utf_8_is_json() {
    let harness = Harness::unlimited();
    let body = r#"{"email":"a@b.example","password":"x"}"#;
    for content_type in
        ["application/json", "Application/JSON", "application/json; charset=utf-8", "application/json;charset=UTF-8"]
    {
        assert_eq!(login(&harness, content_type, body).await.status, 200, "{content_type}");
    }
    for content_type in [
        "",
        "text/plain",
        "text/json",
        "application/json; charset=utf-7",
        "application/json; charset=utf-16",
        "application/jsonx",
        "application/json, text/plain",
        "application/json; x=y",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/problem+json",
        "application/json;",
    ] {
        assert_eq!(login(&harness, content_type, body).await.status, 415, "{content_type}");
    }
    assert_eq!(harness.send(request("POST", "/api/v1/login", &[], body)).await.status, 415);
    let twice = [("content-type", "application/json"), ("content-type", "application/json")];
    assert_eq!(harness.send(request("POST", "/api/v1/login", &twice, body)).await.status, 415);
}

/// Proves: S-79, A-129, V1.5.2, V15.3.3, V15.3.5
#[tokio::test]
async fn every_complaint_is_told_at_once_and_no_value_is_repeated() {
    let harness = Harness::unlimited();
    let complaints = async |body: serde_json::Value| {
        let answer = login(&harness, "application/json", body.to_string()).await;
        assert_eq!(answer.outcome(), (422, "validation_failed".into()), "{body}");
        let errors = answer.json()["errors"].as_array().unwrap().clone();
        let mut list: Vec<String> = errors
            .iter()
            .map(|error| format!("{} {}", error["pointer"].as_str().unwrap(), error["code"].as_str().unwrap()))
            .collect();
        list.sort();
        list.join(", ")
    };
    assert_eq!(complaints(json!({})).await, "/email required, /password required");
    assert_eq!(
        complaints(json!({"email": CANARY, "password": [CANARY], "is_admin": CANARY})).await,
        "/email invalid_email, /is_admin unknown_field, /password wrong_type"
    );
    assert_eq!(
        complaints(json!({"email": 1, "password": null, "remember": "true"})).await,
        "/email wrong_type, /password required, /remember wrong_type"
    );
    assert_eq!(complaints(json!({"email": "a@b\u{0}.example", "password": CANARY})).await, "/email invalid_characters");
    assert_eq!(
        complaints(json!({"email": "a@b.example", "password": CANARY, "a/b~c": 1, "__proto__": {}})).await,
        "/__proto__ unknown_field, /a~1b~0c unknown_field"
    );
    assert_eq!(complaints(json!([])).await, " wrong_type");
    assert_eq!(complaints(json!("x")).await, " wrong_type");
    let many: serde_json::Map<_, _> = (0..1000).map(|n| (format!("f{n}"), json!(1))).collect();
    assert_eq!(complaints(many.into()).await.split(", ").count(), 32);
}

#[tokio::test]
async fn a_partial_change_tells_absent_from_null() {
    let harness = Harness::unlimited();
    for (body, expected) in [("{}", "Keep"), (r#"{"name":null}"#, "Clear"), (r#"{"name":"x"}"#, "Set(\"x\")")] {
        let headers = [("authorization", "Bearer alice"), ("content-type", "application/json")];
        let answer = harness.send(request("PATCH", "/api/v1/me", &headers, body)).await;
        assert_eq!(answer.json()["name"], expected);
    }
}

#[tokio::test]
async fn a_body_that_may_be_left_out_is_strict_when_it_is_there() {
    let harness = Harness::unlimited();
    let token = csrf_of(ALICE);
    let alice = cookie(ALICE);
    let own = [("origin", OWN), ("cookie", alice.as_str()), ("x-csrf-token", token.as_str())];
    let answer = harness.send(request("POST", "/api/v1/token", &own, "")).await;
    assert_eq!(answer.json(), json!({"cookie": true, "body": null}));
    assert_eq!(harness.send(request("POST", "/api/v1/token", &own, "{}")).await.status, 415);
    let typed = [own[0], own[1], own[2], ("content-type", "application/json")];
    assert_eq!(harness.send(request("POST", "/api/v1/token", &typed, "{")).await.status, 400);
    assert_eq!(harness.send(request("POST", "/api/v1/token", &typed, r#"{"x":1}"#)).await.status, 422);
}

/// Proves: A-153, V15.3.7, V1.5.3
#[tokio::test]
async fn thirty_malformed_forms_are_refused() {
    let harness = Harness::unlimited();
    let (line, token) = pre();
    let many: String = (0..70).flat_map(|n| ["&f".to_owned(), n.to_string()]).collect();
    for tail in [
        "&email=a&email=b",
        "&email=a&%65mail=b",
        "&email=%",
        "&email=%1",
        "&email=%zz",
        "&email=%ff",
        "&%ff=1",
        "&email=%c0%af",
        "&email=%ed%a0%80",
        "&email=%f4%90%80%80",
        "&email=a b",
        "&email=\u{e9}",
        "&email=a\tb",
        "&email=a\nb",
        "&email=\0",
        "&email=a\r\n",
        "&em ail=a",
        "&x&x",
        "&=1&=2",
        "&csrf_token=x",
        "&email=%u0041",
        "&email=%-1",
        "&email=% 41",
        "&email=%4",
        "&email=%%41",
        "&email=%E2%82",
        "&email=%80",
        "&email=%fe",
        "\u{feff}=1",
        "&email=\u{7f}",
        many.as_str(),
    ] {
        let headers =
            [("origin", OWN), ("cookie", line.as_str()), ("content-type", "application/x-www-form-urlencoded")];
        let answer = harness.send(request("POST", "/login", &headers, format!("csrf_token={token}{tail}"))).await;
        assert_eq!(answer.status, 400, "{tail:?}");
    }
    for content_type in [
        "application/json",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded; charset=utf-7",
        "",
    ] {
        let headers = [("origin", OWN), ("cookie", line.as_str()), ("content-type", content_type)];
        let answer = harness.send(request("POST", "/login", &headers, format!("csrf_token={token}"))).await;
        assert_eq!(answer.status, 415, "{content_type}");
    }
}

#[tokio::test]
async fn a_form_with_complaints_comes_back_with_what_was_typed() {
    let harness = Harness::new();
    let (line, token) = pre();
    let headers = [("origin", OWN), ("cookie", line.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let body = format!("csrf_token={token}&email=not-an-address&password=&x=1");
    let answer = harness.send(request("POST", "/login", &headers, body)).await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.body, "/email invalid_email, /password required, /x unknown_field [not-an-address]");
}

/// Proves: A-20, A-138, S-219
#[tokio::test]
async fn a_body_above_64_kib_is_refused_before_or_while_it_is_read() {
    let harness = Harness::unlimited();
    let says_large = [("content-type", "application/json"), ("content-length", "10000000")];
    let (body, read) = endless_body();
    let answer = harness.send(request("POST", "/api/v1/login", &says_large, body)).await;
    assert_eq!((answer.outcome(), read.load(Ordering::Relaxed)), ((413, "payload_too_large".into()), 0));
    let (body, read) = endless_body();
    let answer = login(&harness, "application/json", body).await;
    assert_eq!((answer.outcome(), read.load(Ordering::Relaxed)), ((413, "payload_too_large".into()), 65));
    let fits = format!(r#"{{"email":"a@b.example","password":"{}"}}"#, "x".repeat(65_000));
    assert_eq!(login(&harness, "application/json", fits).await.status, 200);
    for length in ["-1", "1e3", "99999999999999999999", "x"] {
        let headers = [("content-type", "application/json"), ("content-length", length)];
        assert_eq!(harness.send(request("POST", "/api/v1/login", &headers, "{}")).await.status, 400, "{length}");
    }
    let (line, _) = pre();
    let form = [("origin", OWN), ("cookie", line.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(harness.send(request("POST", "/login", &form, endless_body().0)).await.status, 413);
}

/// Proves: A-138
#[tokio::test]
async fn compressed_bodies_are_not_unpacked() {
    let harness = Harness::unlimited();
    for encoding in ["gzip", "br", "deflate", "zstd", "identity, gzip", "x"] {
        let headers = [("content-type", "application/json"), ("content-encoding", encoding)];
        let answer = harness.send(request("POST", "/api/v1/login", &headers, "{}")).await;
        assert_eq!(answer.outcome(), (415, "unsupported_media_type".into()), "{encoding}");
    }
}

/// Proves: A-146, S-219
#[tokio::test]
async fn long_urls_and_large_headers_are_refused() {
    let harness = Harness::unlimited();
    let path = |bytes: usize| format!("/api/v1/me?{}", "x".repeat(bytes - "/api/v1/me?".len()));
    assert_eq!(harness.send(request("GET", &path(8192), &[], "")).await.status, 401);
    assert_eq!(harness.send(request("GET", &path(8193), &[], "")).await.outcome(), (414, "uri_too_long".into()));
    let big = "x".repeat(16 * 1024);
    let names: Vec<String> = (0..200).map(|n| format!("x-{n}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    for headers in [vec![("x-big", big.as_str())], vec![("cookie", big.as_str())], many] {
        let answer = harness.send(request("GET", "/api/v1/me", &headers, "")).await;
        assert_eq!(answer.outcome(), (431, "headers_too_large".into()));
    }
}

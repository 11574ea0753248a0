//! Errors have one form per door, whoever made them.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use http_body::Frame;

use super::{ALICE, Answer, CANARY, Harness, OWN, cookie, get, request};
use crate::problem::Code;

const MEMBERS: [&str; 8] = ["type", "title", "status", "code", "detail", "request_id", "errors", "timestamp"];

/// Proves: S-40, S-41, S-64, S-81, S-83, V4.1.1, S-107, S-116, S-125, S-133, S-134
pub(super) fn check_form(answer: &Answer, is_head: bool) {
    let content_type = answer.header("content-type");
    assert!(!content_type.starts_with("text/plain") || answer.status < 400, "{answer:?}");
    assert!(content_type.is_empty() || !content_type.starts_with("text/") || content_type.ends_with("charset=utf-8"));
    for leak in ["panicked", "/src/", "SELECT", "postgres", "sqlite", "RUST_BACKTRACE", "axum", "serde"] {
        assert!(!answer.body.contains(leak), "{leak} in {}", answer.body);
    }
    if answer.status < 400 {
        return;
    }
    assert_eq!(answer.status == 401, answer.headers.contains_key("www-authenticate"));
    assert_eq!([429, 503].contains(&answer.status), answer.headers.contains_key("retry-after"), "{answer:?}");
    assert_eq!(answer.status == 405, answer.headers.contains_key("allow"), "{answer:?}");
    if is_head || content_type.starts_with("text/html") {
        return;
    }
    assert_eq!(content_type, "application/problem+json", "{answer:?}");
    let problem = answer.json();
    let members = problem.as_object().unwrap();
    assert!(members.keys().all(|key| MEMBERS.contains(&key.as_str())), "{problem}");
    assert_eq!(problem["status"], answer.status);
    assert_eq!(problem["request_id"], answer.header("x-request-id"));
    assert!(problem["timestamp"].as_str().unwrap().ends_with('Z'));
    let code = problem["code"].as_str().unwrap();
    assert!(Code::ALL.iter().any(|known| known.slug() == code && known.status().as_u16() == answer.status), "{code}");
    assert_eq!(problem["type"], format!("urn:doorward:problem:{code}"));
    assert_eq!(members.contains_key("errors"), code == "validation_failed", "{problem}");
}

/// Proves: S-64, S-81, A-145, V4.1.4, V13.4.4
#[tokio::test]
async fn other_methods_are_refused_with_those_that_exist() {
    let harness = Harness::unlimited();
    for method in ["TRACE", "CONNECT", "PROPFIND", "FOO", "get", "PUT", "OPTIONS"] {
        let answer = harness.send(request(method, "/api/v1/me", &[], CANARY)).await;
        assert_eq!(answer.outcome(), (405, "method_not_allowed".into()), "{method}");
        assert_eq!(answer.header("allow"), "GET, HEAD, PATCH", "{method}");
    }
    let answer = harness.send(request("POST", "/assets/app.css", &[], "")).await;
    assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD"));
}

#[tokio::test]
async fn head_answers_as_get_without_a_body() {
    let harness = Harness::new();
    let get_answer = harness.send(get("/.well-known/jwks.json", &[])).await;
    let head_answer = harness.send(request("HEAD", "/.well-known/jwks.json", &[], "")).await;
    assert_eq!((head_answer.status, head_answer.body.as_str()), (200, ""));
    for name in ["content-type", "content-length", "cache-control"] {
        assert_eq!(head_answer.header(name), get_answer.header(name), "{name}");
    }
    let answer = harness.send(request("HEAD", "/api/v1/me", &[], "")).await;
    assert_eq!((answer.status, answer.body.as_str()), (401, ""));
}

#[tokio::test]
async fn an_unknown_path_answers_in_the_form_of_its_door() {
    let harness = Harness::unlimited();
    let problem = "application/problem+json";
    for (path, accept, content_type) in [
        ("/api", "text/html", problem),
        ("/api/v1/nothing", "text/html", problem),
        ("/.well-known/nothing", "*/*", problem),
        ("/nothing", "text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
        ("/nothing", "application/json", problem),
        ("/nothing", "application/problem+json", problem),
        ("/nothing", "text/html, application/json", "text/html; charset=utf-8"),
        ("/apiary", "*/*", "text/html; charset=utf-8"),
    ] {
        let answer = harness.send(get(path, &[("accept", accept)])).await;
        assert_eq!((answer.status, answer.header("content-type")), (404, content_type), "{path} {accept}");
    }
}

/// Proves
#[tokio::test]
async fn an_error_page_repeats_nothing_of_the_request() {
    let harness = Harness::unlimited();
    for path in ["/%3Cscript%3Ealert(1)%3C/script%3E", "//evil.example/x", "/x?%22%3E%3Cimg", "/x'onload=alert(1)"] {
        let answer = harness.send(get(path, &[])).await;
        assert_eq!(answer.status, 404);
        for part in ["script", "alert", "evil", "img", "onload"] {
            assert!(!answer.body.contains(part), "{}", answer.body);
        }
    }
}

/// Proves: S-40, S-41, S-44, S-64, V16.5.1, V16.5.4, S-66, S-178, V13.4.2
#[tokio::test]
async fn panics_and_failures_say_nothing_about_themselves() {
    let harness = Harness::unlimited();
    for (path, content_type) in [
        ("/api/v1/crash", "application/problem+json"),
        ("/api/v1/fail", "application/problem+json"),
        ("/crash", "text/html; charset=utf-8"),
    ] {
        let answer = harness.send(get(path, &[])).await;
        assert_eq!((answer.status, answer.header("content-type")), (500, content_type), "{path}");
    }
    // The checks before the handler are inside the net, too.
    let answer = harness.send(get("/api/v1/me", &[("cookie", &cookie(super::PANIC))])).await;
    assert_eq!(answer.outcome(), (500, "internal_error".into()));
    assert_eq!(harness.send(get("/api/v1/me", &[("cookie", &cookie(ALICE))])).await.status, 200);
}

/// Proves: S-64
#[tokio::test]
async fn what_the_framework_says_never_leaks_through() {
    let harness = Harness::unlimited();
    for (content_type, body, code) in [
        ("text/plain", "{}", (415, "unsupported_media_type")),
        ("application/json", "{", (400, "malformed_request")),
        ("application/json", "", (400, "malformed_request")),
    ] {
        let headers = [("content-type", content_type), ("origin", OWN)];
        let answer = harness.send(request("POST", "/api/v1/framework", &headers, body)).await;
        assert_eq!(answer.outcome(), (code.0, code.1.to_owned()), "{content_type} {body}");
    }
    let (endless, _) = endless_body();
    let headers = [("content-type", "application/json"), ("origin", OWN)];
    let answer = harness.send(request("POST", "/api/v1/framework", &headers, endless)).await;
    assert_eq!(answer.outcome(), (413, "payload_too_large".into()));
}

/// A body without a length that never ends, and how many KiB of it were read.
pub(super) fn endless_body() -> (Body, Arc<AtomicU64>) {
    let read = Arc::new(AtomicU64::new(0));
    (Body::new(Endless(Arc::clone(&read))), read)
}

struct Endless(Arc<AtomicU64>);

impl HttpBody for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'['; 1024])))))
    }
}

/// A body of which nothing ever arrives.
pub(super) fn silent_body() -> Body {
    Body::new(Silent)
}

struct Silent;

impl HttpBody for Silent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

/// Proves: A-151, V16.5.3
#[tokio::test]
async fn a_database_that_does_not_answer_lets_nobody_in() {
    let harness = Harness::new();
    for path in ["/api/v1/me", "/login"] {
        let answer = harness.send(get(path, &[("cookie", &cookie(super::DOWN))])).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, "2"), "{path}");
    }
}

/// Proves: A-151
#[tokio::test]
async fn a_defect_is_no_pause_of_the_database() {
    let harness = Harness::new();
    for path in ["/api/v1/me", "/login"] {
        let answer = harness.send(get(path, &[("cookie", &cookie(super::BROKEN))])).await;
        assert_eq!((answer.status, answer.header("retry-after")), (500, ""), "{path}");
    }
}

#[tokio::test]
async fn every_request_has_an_id_of_its_own_and_says_it() {
    let harness = Harness::with(|settings| settings.trusted_proxies = vec!["203.0.113.0/24".parse().unwrap()]);
    let id = "req_01h455vb4pex5vsknk084sn02q";
    let answer = harness.send(get("/api/v1/me", &[("x-request-id", id)])).await;
    assert_eq!(answer.json()["request_id"], id);
    let stranger = Harness::new();
    let first = stranger.send(get("/api/v1/me", &[("x-request-id", id)])).await.json()["request_id"].clone();
    let second = stranger.send(get("/api/v1/me", &[("x-request-id", id)])).await.json()["request_id"].clone();
    assert!(first != id && first != second);
}

//! Which host a request may name.

use super::{Harness, get, request};
use crate::settings::PublicUrl;

/// Proves: A-50
#[tokio::test]
async fn only_our_own_host_is_answered() {
    let harness = Harness::unlimited();
    for (host, status) in [
        ("auth.example.com", 200),
        ("AUTH.EXAMPLE.COM", 200),
        ("auth.example.com:443", 200),
        ("auth.example.com:444", 421),
        ("auth.example.com:80", 421),
        ("auth.example.com:", 421),
        ("auth.example.com.", 421),
        ("evil.com", 421),
        ("auth.example.com.evil.com", 421),
        ("evilauth.example.com", 421),
        ("localhost", 421),
        ("127.0.0.1", 421),
        ("", 421),
        ("user@auth.example.com", 400),
        ("auth.example.com@evil.com", 400),
        ("auth.example.com, evil.com", 421),
        ("auth.example.com evil.com", 421),
        ("auth.example.com/path", 421),
        ("auth.example.com\u{e9}", 400),
    ] {
        let answer = harness.send(get("/login", &[("host", host)])).await;
        assert_eq!(answer.status, status, "{host}");
        assert!(!answer.body.contains("evil"), "{}", answer.body);
    }
}

/// Proves: A-50, V4.1.3
#[tokio::test]
async fn headers_that_claim_another_host_change_nothing() {
    let harness = Harness::unlimited();
    for (name, value) in [
        ("x-forwarded-host", "evil.com"),
        ("x-host", "evil.com"),
        ("forwarded", "host=evil.com"),
        ("x-original-url", "/api/v1/me"),
        ("x-rewrite-url", "/api/v1/me"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-server", "evil.com"),
    ] {
        let answer = harness.send(get("/account", &[(name, value)])).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/login"), "{name}");
    }
}

/// Proves: A-50
#[tokio::test]
async fn two_hosts_or_none_are_malformed() {
    let harness = Harness::unlimited();
    let twice = [("host", "auth.example.com"), ("host", "auth.example.com")];
    assert_eq!(harness.send(get("/login", &twice)).await.status, 400);
    let absolute = harness.send(get("https://evil.com/login", &[])).await;
    assert_eq!(absolute.status, 400);
    let absolute = harness.send(get("https://evil.com/login", &[("host", "evil.com")])).await;
    assert_eq!(absolute.status, 421);
    let mut nobody = request("GET", "/login", &[], "");
    nobody.headers_mut().remove("host");
    assert_eq!(harness.send(nobody).await.status, 400);
    // HTTP/2 names the host in the target.
    let mut target = request("GET", "https://auth.example.com/login", &[], "");
    target.headers_mut().remove("host");
    assert_eq!(harness.send(target).await.status, 200);
}

#[tokio::test]
async fn on_loopback_every_loopback_name_is_ours() {
    let harness = Harness::with(|settings| settings.public_url = PublicUrl::parse("http://localhost:8080").unwrap());
    for (host, status) in [
        ("localhost:8080", 200),
        ("127.0.0.1:8080", 200),
        ("[::1]:8080", 200),
        ("localhost", 200),
        ("localhost:8081", 200),
        ("[::1]", 200),
        ("localhost.evil.com:8080", 421),
        ("127.0.0.1.nip.io", 421),
        ("evil.com", 421),
        ("localhost:x", 421),
        ("localhost:", 421),
        ("0.0.0.0:8080", 421),
    ] {
        assert_eq!(harness.send(get("/login", &[("host", host)])).await.status, status, "{host}");
    }
}

//! How often and how long.

use std::time::Duration;

use super::errors::silent_body;
use super::{ALICE, BOB, EXPIRED, Harness, OWN, UNKNOWN, cookie, get, request};
use crate::settings::Timeouts;

async fn send_until_limited(harness: &Harness, path: &str, lines: &[(&str, &str)]) -> (usize, super::Answer) {
    for count in 0..2000 {
        let answer = harness.send(get(path, lines)).await;
        if answer.status == 429 {
            return (count, answer);
        }
    }
    panic!("never limited");
}

/// Every route of the table has a limit that is really applied, to strangers and to the signed-in; and so have paths
/// and methods that do not exist.
///
/// Proves: S-52, S-53, S-54, S-56, S-99, V2.4.1, S-89, S-111, S-128
#[tokio::test]
async fn every_route_ends_in_429_with_the_time_to_wait() {
    for route in super::demo::routes().iter().map(crate::route::Route::info) {
        if route.path.ends_with("/hang") {
            continue;
        }
        let harness = Harness::with(|settings| settings.limit_scale = 0.02);
        let path = route.path.replace("{id}", "session_01h455vb4pex5vsknk084sn02q");
        let mut last = 0;
        for _ in 0..100 {
            let lines = [("authorization", "Bearer alice"), ("origin", OWN)];
            let answer = harness.send(request(route.method.as_str(), &path, &lines, "")).await;
            last = answer.status;
            if last == 429 {
                assert!(answer.header("retry-after").parse::<u32>().unwrap() >= 1);
                assert!(answer.header("ratelimit").contains(";r=0;"), "{}", answer.header("ratelimit"));
                break;
            }
        }
        assert_eq!(last, 429, "{} {}", route.method, route.path);
    }
    for (method, path) in [("GET", "/nothing"), ("GET", "/api/nothing"), ("PUT", "/api/v1/me")] {
        let harness = Harness::with(|settings| settings.limit_scale = 0.02);
        let mut statuses = Vec::new();
        for _ in 0..5 {
            statuses.push(harness.send(request(method, path, &[], "")).await.status);
        }
        assert!(statuses.contains(&429), "{method} {path} {statuses:?}");
    }
}

/// Proves: S-56
#[tokio::test]
async fn limited_answers_say_where_one_stands() {
    let harness = Harness::new();
    let answer = harness.send(get("/.well-known/jwks.json", &[])).await;
    assert_eq!(answer.header("ratelimit-policy"), "\"metadata\";q=600;w=30");
    assert_eq!(answer.header("ratelimit"), "\"metadata\";r=599;t=1");
}

/// Proves: S-54, S-55, V2.4.1
#[tokio::test]
async fn the_signed_in_do_not_suffer_from_strangers_at_their_address() {
    let harness = Harness::new();
    let (anonymous, refused) = send_until_limited(&harness, "/login", &[]).await;
    assert_eq!(anonymous, 120);
    assert_eq!(refused.header("retry-after"), "1");
    let (signed_in, _) = send_until_limited(&harness, "/api/v1/me", &[("cookie", &cookie(ALICE))]).await;
    assert_eq!(signed_in, 200);
    assert_eq!(harness.send(get("/api/v1/me", &[("cookie", &cookie(BOB))])).await.status, 200);
    harness.advance_ms(500);
    assert_eq!(harness.send(get("/login", &[])).await.status, 200);
}

/// Proves: S-54
#[tokio::test]
async fn invalid_tokens_are_counted_strictly_and_then_not_even_looked_at() {
    let harness = Harness::new();
    for _ in 0..60 {
        assert_eq!(harness.send(get("/api/v1/me", &[("authorization", "Bearer wrong")])).await.status, 401);
    }
    let asked = harness.asked();
    for value in ["Bearer wrong", "Bearer alice", "Basic x"] {
        let answer = harness.send(get("/api/v1/me", &[("authorization", value)])).await;
        assert_eq!(answer.outcome(), (429, "rate_limited".into()));
    }
    assert_eq!(harness.asked(), asked);
    // Those with a cookie at the same address go on.
    assert_eq!(harness.send(get("/api/v1/me", &[("cookie", &cookie(ALICE))])).await.status, 200);
}

/// After a restore a whole office sends cookies that are none any more.
///
/// Proves: S-54
#[tokio::test]
async fn stale_cookies_are_borne_longer_and_never_keep_anybody_from_signing_in() {
    let harness = Harness::new();
    let (unknown, expired) = (cookie(UNKNOWN), cookie(EXPIRED));
    for _ in 0..150 {
        assert_eq!(harness.send(get("/api/v1/me", &[("cookie", &unknown)])).await.status, 401);
        assert_eq!(harness.send(get("/api/v1/me", &[("cookie", &expired)])).await.status, 401);
    }
    let asked = harness.asked();
    assert_eq!(harness.send(get("/api/v1/me", &[("cookie", &unknown)])).await.status, 429);
    assert_eq!(harness.send(get("/login", &[("cookie", &unknown)])).await.status, 200);
    assert_eq!(harness.asked(), asked);
}

#[tokio::test]
async fn having_no_credential_is_no_attempt() {
    let harness = Harness::with(|settings| settings.limit_scale = 0.5);
    for _ in 0..60 {
        assert_eq!(harness.send(get("/api/v1/me", &[])).await.status, 401);
    }
    assert_eq!(harness.send(get("/api/v1/me", &[("authorization", "Bearer alice")])).await.status, 200);
}

#[tokio::test]
async fn wrong_one_time_tokens_count_as_invalid_credentials() {
    let harness = Harness::with(|settings| settings.limit_scale = 0.5);
    let from = |last: u8| {
        let mut request = request("POST", "/api/v1/reset", &[("origin", OWN)], "");
        let peer = std::net::SocketAddr::new(std::net::IpAddr::from([192, 0, 2, last]), 1);
        request.extensions_mut().insert(crate::edge::PeerAddress(peer));
        request
    };
    for _ in 0..30 {
        assert_eq!(harness.send(from(1)).await.status, 400);
    }
    let refused = harness.send(from(1)).await;
    assert!(refused.status == 429 && refused.header("ratelimit").contains("refused-credential"), "{refused:?}");
    assert_eq!(harness.send(from(2)).await.status, 400);
}

/// Proves, V4.1.3
#[tokio::test]
async fn made_up_addresses_do_not_escape_the_limit() {
    let harness = Harness::new();
    for count in 0..=60u8 {
        let claimed = format!("198.51.100.{count}");
        let lines = [("x-forwarded-for", claimed.as_str()), ("forwarded", "for=1.2.3.4"), ("origin", OWN)];
        let answer = harness.send(request("POST", "/api/v1/login", &lines, "{}")).await;
        assert_eq!(answer.status, if count < 60 { 415 } else { 429 }, "{count}");
    }
    let address =
        harness.send(get("/api/v1/me", &[("cookie", &cookie(ALICE)), ("x-forwarded-for", "127.0.0.1")])).await;
    assert_eq!(address.json()["address"], "203.0.113.9");
}

#[tokio::test]
async fn a_handler_that_takes_too_long_is_given_up() {
    let timeouts = Timeouts { total: Duration::from_millis(5), body: Duration::from_secs(15) };
    let harness = Harness::with(|settings| settings.timeouts = timeouts);
    let answer = harness.send(get("/api/v1/hang", &[])).await;
    assert_eq!(answer.outcome(), (503, "too_busy".into()));
}

/// Proves: A-141
#[tokio::test]
async fn a_body_that_does_not_arrive_is_given_up() {
    let timeouts = Timeouts { total: Duration::from_secs(30), body: Duration::from_millis(5) };
    let harness = Harness::with(|settings| settings.timeouts = timeouts);
    let headers = [("content-type", "application/json"), ("origin", OWN)];
    let answer = harness.send(request("POST", "/api/v1/login", &headers, silent_body())).await;
    assert_eq!(answer.outcome(), (408, "request_timeout".into()));
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("origin", OWN)];
    assert_eq!(harness.send(request("POST", "/login", &headers, silent_body())).await.status, 408);
}

#[tokio::test]
async fn the_counters_can_be_swept() {
    let harness = Harness::new();
    harness.send(get("/login", &[])).await;
    let now = doorward_model::time::Timestamp::from_ms(1_800_000_000_000);
    assert_eq!(harness.edge.limits.sweep(now), 1);
    assert_eq!(harness.edge.limits.sweep(now.plus_ms(60_000)), 0);
}

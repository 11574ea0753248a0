//! Who may come in: the route table against every kind of caller.

use super::{ADMIN, ALICE, BOB, EXPIRED, Harness, OWN, REVOKED, UNKNOWN, cookie, csrf_of, demo, get, request};
use doorward_model::time::Timestamp;

use crate::route::{Access, CacheClass, CorsRule, CsrfRule, Door, Retirement, Route, RouteInfo};
use crate::route_table::{InvalidTable, RouteTable};

/// Proves: S-57, A-126, S-85
#[tokio::test]
async fn every_protected_route_refuses_every_caller_without_a_live_session() {
    let harness = Harness::unlimited();
    let cookies = [EXPIRED, REVOKED, UNKNOWN].map(cookie);
    let mut callers = vec![vec![]];
    callers.extend(cookies.iter().map(|cookie| vec![("cookie", cookie.as_str())]));
    for value in ["__Host-doorward=x", "__Host-doorward=", "__Host-doorward=alice", "__Host-doorward-pre=x"] {
        callers.push(vec![("cookie", value)]);
    }
    for value in ["Bearer wrong", "Bearer expired", "Bearer ", "Bearer a b", "bearer\talice", "Basic YTpi", "alice", ""]
    {
        callers.push(vec![("authorization", value)]);
        callers.push(vec![("authorization", value), ("cookie", cookies[0].as_str())]);
    }
    callers.push(vec![("authorization", "Bearer alice"), ("authorization", "Bearer alice")]);
    let own = cookie(ALICE);
    callers.push(vec![("authorization", "Bearer wrong"), ("cookie", own.as_str())]);
    let protected = demo::routes()
        .iter()
        .map(Route::info)
        .filter(|route| matches!(route.access, Access::Session | Access::AdminSession) && route.csrf == CsrfRule::Safe)
        .collect::<Vec<_>>();
    assert!(protected.len() >= 5);
    for route in protected {
        for caller in &callers {
            let answer = harness.send(get(route.path, caller)).await;
            let is_browser = caller.iter().all(|(name, _)| *name != "authorization");
            let expected = if route.door.is_page() && is_browser { 303 } else { 401 };
            assert_eq!(answer.status, expected, "{} {caller:?}", route.path);
            assert_eq!(
                harness.send(get(route.path, caller)).await.header("www-authenticate"),
                if expected == 401 { "Bearer" } else { "" }
            );
        }
    }
}

#[tokio::test]
async fn the_refusal_says_what_kind_of_end_it_was() {
    let harness = Harness::new();
    for (header, value, code) in [
        ("cookie", cookie(EXPIRED), "session_expired"),
        ("cookie", cookie(REVOKED), "session_revoked"),
        ("cookie", cookie(UNKNOWN), "invalid_token"),
        ("authorization", "Bearer expired".to_owned(), "token_expired"),
        ("authorization", "Bearer wrong".to_owned(), "invalid_token"),
    ] {
        let answer = harness.send(get("/api/v1/me", &[(header, &value)])).await;
        assert_eq!(answer.outcome(), (401, code.to_owned()));
    }
}

#[tokio::test]
async fn only_administrators_pass_where_only_they_may() {
    let harness = Harness::new();
    assert_eq!(harness.send(get("/api/v1/admin", &[("cookie", &cookie(ADMIN))])).await.status, 200);
    assert_eq!(
        harness.send(get("/api/v1/admin", &[("cookie", &cookie(ALICE))])).await.outcome(),
        (403, "forbidden".into())
    );
    assert_eq!(harness.send(get("/api/v1/admin", &[("authorization", "Bearer alice")])).await.status, 403);
}

#[tokio::test]
async fn a_dead_cookie_is_no_obstacle_where_signing_in_is_optional() {
    let harness = Harness::new();
    for (number, signed_in) in [(ALICE, true), (EXPIRED, false), (UNKNOWN, false)] {
        let answer = harness.send(get("/login", &[("cookie", &cookie(number))])).await;
        assert!(answer.body.contains(&format!("<p>{signed_in}</p>")), "{number}");
    }
    assert_eq!(harness.send(get("/login", &[("authorization", "Bearer wrong")])).await.status, 401);
}

#[tokio::test]
async fn a_handler_learns_who_acts_and_from_where() {
    let harness = Harness::new();
    let agent = format!("Firefox\u{e9} {}", "x".repeat(300));
    let answer = harness.send(get("/api/v1/me", &[("cookie", &cookie(BOB)), ("user-agent", &agent)])).await;
    let me = answer.json();
    assert!(me["actor"].as_str().unwrap().contains("User"), "{me}");
    assert_eq!(me["address"], "203.0.113.9");
    assert_eq!(me["user_agent"].as_str().unwrap().len(), 256);
    assert_eq!(me["request_id"], answer.header("x-request-id"));
}

/// Proves
#[tokio::test]
async fn what_is_no_id_does_not_exist() {
    let harness = Harness::unlimited();
    let lines = [("cookie", cookie(ALICE)), ("x-csrf-token", csrf_of(ALICE)), ("origin", OWN.to_owned())];
    let lines: Vec<(&str, &str)> = lines.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let id = "session_01h455vb4pex5vsknk084sn02q";
    assert_eq!(harness.send(request("DELETE", &format!("/api/v1/sessions/{id}"), &lines, "")).await.status, 200);
    for text in [
        "x",
        "1",
        "user_01h455vb4pex5vsknk084sn02q",
        "session_01H455VB4PEX5VSKNK084SN02Q",
        "session_01h455vb4pex5vsknk084sn02q.css",
        "%ff",
        "%00",
        "..%2f..%2fme",
        "'%20OR%201=1",
        "session_01h455vb4pex5vsknk084sn02q%20",
    ] {
        let answer = harness.send(request("DELETE", &format!("/api/v1/sessions/{text}"), &lines, "")).await;
        assert_eq!(answer.outcome(), (404, "not_found".into()), "{text}");
    }
}

/// Proves: A-147
#[tokio::test]
async fn a_bad_part_of_a_list_is_refused() {
    let harness = Harness::unlimited();
    let alice = cookie(ALICE);
    for query in ["limit=0", "limit=101", "limit=x", "cursor=%27", "page=2"] {
        let answer = harness.send(get(&format!("/api/v1/sessions?{query}"), &[("cookie", &alice)])).await;
        assert_eq!(answer.outcome(), (422, "validation_failed".into()), "{query}");
    }
    let answer = harness.send(get("/api/v1/sessions?limit=7&cursor=abc", &[("cookie", &alice)])).await;
    assert_eq!((answer.json()["limit"].clone(), answer.json()["next_cursor"].clone()), (7.into(), "abc".into()));
}

#[tokio::test]
async fn two_session_cookies_are_no_browsers() {
    let harness = Harness::new();
    let line = format!("{}; {}", cookie(ALICE), cookie(BOB));
    assert_eq!(
        harness.send(get("/api/v1/me", &[("cookie", &line)])).await.outcome(),
        (400, "malformed_request".into())
    );
}

fn info() -> RouteInfo {
    RouteInfo {
        method: http::Method::GET,
        path: "/x",
        door: Door::Api,
        access: Access::Session,
        rate: crate::route::RateClass::Read,
        csrf: CsrfRule::Safe,
        cache: CacheClass::NoStore,
        cors: CorsRule::Closed,
        retires: None,
    }
}

/// Proves: S-52, V3.5.1
#[test]
fn routes_that_contradict_themselves_are_refused() {
    let post = || RouteInfo { method: http::Method::POST, csrf: CsrfRule::SessionHeader, ..info() };
    assert_eq!((info().contradiction(), post().contradiction()), (None, None));
    for route in [
        RouteInfo { method: http::Method::TRACE, ..info() },
        RouteInfo { method: http::Method::HEAD, ..info() },
        RouteInfo { csrf: CsrfRule::SessionHeader, ..info() },
        RouteInfo { csrf: CsrfRule::Safe, ..post() },
        RouteInfo { csrf: CsrfRule::SameOrigin, ..post() },
        RouteInfo { csrf: CsrfRule::PublicForm, ..post() },
        RouteInfo { csrf: CsrfRule::SessionForm, ..post() },
        RouteInfo { door: Door::Page, ..post() },
        RouteInfo { door: Door::Page, csrf: CsrfRule::PublicForm, ..post() },
        RouteInfo { cache: CacheClass::PublicFor(1), ..info() },
        RouteInfo { access: Access::Optional, cache: CacheClass::Revalidate, ..info() },
        RouteInfo { access: Access::Public, door: Door::Page, cache: CacheClass::Revalidate, ..info() },
        RouteInfo { door: Door::Page, cors: CorsRule::TokenOrigins, ..info() },
        RouteInfo { retires: Some(Retirement { sunset_at: Some(Timestamp::from_ms(0)), ..demo::RETIRES }), ..info() },
    ] {
        assert!(route.contradiction().is_some(), "{route:?}");
    }
}

#[test]
fn a_table_routes_each_method_of_a_path_once() {
    let mut routes = demo::routes();
    routes.extend(demo::routes().into_iter().take(1));
    let refused = RouteTable::new(routes).err();
    assert_eq!(refused, Some(InvalidTable::Twice { method: http::Method::GET, path: "/api/v1/me" }));
    let listed = RouteTable::new(demo::routes()).map(|table| table.list().len()).ok();
    assert_eq!(listed, Some(demo::routes().len()));
}

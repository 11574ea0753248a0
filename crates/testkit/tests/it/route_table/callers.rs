//! Who may come in.

use doorward_testkit::{Answer, World, both};
use doorward_web::route::{Access, Door, RouteInfo};
use http::Method;

use super::{ask, is_unsafe, path, routes};
use crate::credentials::{ADDRESS, EMAIL, Held, bare, browser, csrf, me_by_cookie, register, with_bearer, with_cookie};

const OTHER: &str = "grace@example.org";

fn needs_session(route: &RouteInfo) -> bool {
    matches!(route.access, Access::Session | Access::AdminSession)
}

/// Whether the answer says "sign in first", in the form of its door.
fn is_turned_away(route: &RouteInfo, answer: &Answer) -> bool {
    match answer.status.as_u16() {
        401 => true,
        303 => route.door.is_page() && needs_session(route) && answer.header("location") == Some("/login"),
        _ => false,
    }
}

async fn by_cookie(world: &World, route: &RouteInfo, held: &Held) -> Answer {
    let token = if is_unsafe(route) { csrf(world, &held.cookie).await } else { String::new() };
    world.send(with_cookie(ask(route, ADDRESS, &token), &held.cookie)).await
}

/// Proves: A-126, V8.2.1, V8.3.1, S-85
#[test]
fn every_route_asks_who_comes_as_its_access_rule_says() {
    both(async |world| {
        register(world, EMAIL).await;
        let disabled = register(world, OTHER).await;
        let dead = browser(world, EMAIL).await;
        let dead_token = csrf(world, &dead.cookie).await;
        let out = browser(world, OTHER).await;
        let out_token = csrf(world, &out.cookie).await;
        world.send(with_bearer(bare(&Method::POST, "/api/v1/logout"), &dead.access)).await.expect(204);
        world.operator().disable(disabled).await;
        let mut asked = 0;
        for route in routes() {
            let what = format!("{} {}", route.method, route.path);
            let nobody = world.send(ask(&route, ADDRESS, "")).await;
            if needs_session(&route) {
                assert!(is_turned_away(&route, &nobody), "{what} by nobody: {nobody:?}");
            } else if !is_unsafe(&route) && route.door != Door::OAuth {
                // What clients call asks for a token of their own.
                assert!(!is_turned_away(&route, &nobody), "{what} by nobody: {nobody:?}");
            }
            for (held, token) in [(&dead, &dead_token), (&out, &out_token)] {
                let cookie = world.send(with_cookie(ask(&route, ADDRESS, token), &held.cookie)).await;
                let bearer = world.send(with_bearer(ask(&route, ADDRESS, ""), &held.access)).await;
                if needs_session(&route) {
                    assert!(is_turned_away(&route, &cookie), "{what} by a dead cookie: {cookie:?}");
                    assert_eq!(bearer.status, 401, "{what} by a dead token: {bearer:?}");
                }
                if route.access == Access::Optional {
                    assert_eq!(cookie.status, nobody.status, "{what}: a dead cookie counts as none");
                    assert_eq!(bearer.status, 401, "{what} by a dead token: {bearer:?}");
                }
            }
            if needs_session(&route) {
                let held = browser(world, EMAIL).await;
                let answer = by_cookie(world, &route, &held).await;
                assert!(!is_turned_away(&route, &answer) && answer.status != 403, "{what} by a user: {answer:?}");
                let held = browser(world, EMAIL).await;
                let answer = world.send(with_bearer(ask(&route, ADDRESS, ""), &held.access)).await;
                assert_ne!(answer.status, 401, "{what} by a token: {answer:?}");
                me_by_cookie(world, &held.cookie).await;
                asked += 1;
            }
        }
        assert!(asked >= 15, "{asked}");
    });
}

/// Proves, V14.2.5
#[test]
fn paths_that_look_like_others_are_nothing() {
    both(async |world| {
        register(world, EMAIL).await;
        let held = browser(world, EMAIL).await;
        let mut paths = vec![
            "/account/foo.css".to_owned(),
            "/account%2f..%2fstatic.css".into(),
            "/account;.js".into(),
            "/api/v1/me/.png".into(),
            "/api/v1/me.json".into(),
            "/api/v1/me%00".into(),
            "/api/v1/me/".into(),
            "/api/v1//me".into(),
            "//api/v1/me".into(),
            "/API/V1/ME".into(),
            "/api/v1/me%2f".into(),
            "/api/me".into(),
            "/.git/config".into(),
            "/.env".into(),
            "/metrics".into(),
            "/livez".into(),
            "/readyz".into(),
            "/debug/pprof".into(),
            "/doorward.toml".into(),
            "/api/v1/login.bak".into(),
            "/../etc/passwd".into(),
            "/static/../account".into(),
            "/%2e%2e/account".into(),
            "/robots.txt.map".into(),
        ];
        for route in routes().into_iter().filter(|route| route.method == Method::GET && route.path != "/") {
            // What follows these is an id, and an id can only be ended: 405.
            if !["/api/v1/sessions", "/api/v1/applications"].contains(&route.path) {
                paths.push(format!("{}/x.css", path(&route)));
            }
            paths.push(format!("{};x.css", path(&route)));
            paths.push(format!("{}%0a", path(&route)));
        }
        for path in paths {
            let answer = world.send(with_cookie(bare(&Method::GET, &path), &held.cookie)).await;
            assert_eq!(answer.status, 404, "{path}: {answer:?}");
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
            assert!(!answer.text().contains(EMAIL), "{path}");
        }
    });
}

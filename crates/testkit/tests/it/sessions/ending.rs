//! Signing out, and ending sessions from elsewhere.

use doorward_testkit::{World, both};
use http::Method;
use serde_json::json;

use crate::credentials::{
    EMAIL, OTHER_PASSWORD, PASSWORD, application, bare, browser, cookie_of, count_events, csrf, me_by_bearer,
    me_by_cookie, own_call, poll, register, renew, same_origin, with_bearer, with_cookie, with_json,
};

const OTHER: &str = "grace@example.org";

/// Proves: A-34, S-31, V7.4.1, V14.3.1, S-193, S-265
#[test]
fn nothing_of_a_session_works_after_signing_out() {
    both(async |world| {
        register(world, EMAIL).await;
        let held = browser(world, EMAIL).await;
        poll(world).await;
        let token = csrf(world, &held.cookie).await;
        me_by_bearer(world, &held.access).await.expect(200);
        let logout = || same_origin(with_cookie(bare(&Method::POST, "/api/v1/logout"), &held.cookie));
        let answer = world.send(logout().header("x-csrf-token", &token)).await.expect(204);
        assert_eq!(answer.header("clear-site-data"), Some("\"cache\", \"storage\""));
        assert_eq!(answer.cookies(), [("__Host-doorward".to_owned(), String::new())]);

        me_by_cookie(world, &held.cookie).await.expect_problem(401, "session_revoked");
        me_by_bearer(world, &held.access).await.expect_problem(401, "session_revoked");
        world.send(logout().header("x-csrf-token", &token)).await.expect(401);
        let mint = same_origin(with_cookie(bare(&Method::POST, "/api/v1/token"), &held.cookie));
        world.send(mint.header("x-csrf-token", &token)).await.expect_problem(401, "session_revoked");
        assert_eq!(count_events(world, "session.sign_out").await, 1);

        let app = application(world, EMAIL).await;
        world.send(with_bearer(bare(&Method::POST, "/api/v1/logout"), &app.access)).await.expect(204);
        me_by_bearer(world, &app.access).await.expect_problem(401, "session_revoked");
        renew(world, &app.refresh).await.expect_problem(401, "invalid_token");
    });
}

/// Proves: A-34
#[test]
fn looking_at_the_way_out_signs_nobody_out() {
    both(async |world| {
        register(world, EMAIL).await;
        let held = browser(world, EMAIL).await;
        for (method, path) in [(Method::GET, "/api/v1/logout"), (Method::GET, "/logout"), (Method::HEAD, "/logout")] {
            world.send(with_cookie(bare(&method, path), &held.cookie)).await.expect(405);
        }
        me_by_cookie(world, &held.cookie).await.expect(200);
    });
}

async fn end(world: &World, cookie: &str, id: &str) -> doorward_testkit::Answer {
    let request = own_call(world, &Method::DELETE, &format!("/api/v1/sessions/{id}"), cookie).await;
    world.send(request).await
}

/// Proves, S-57, V8.2.2
#[test]
fn somebody_elses_session_cannot_be_told_from_none() {
    both(async |world| {
        register(world, EMAIL).await;
        register(world, OTHER).await;
        let (mine, foreign) = (browser(world, EMAIL).await, browser(world, OTHER).await);
        let mut last = foreign.session.clone();
        let swapped = if last.pop() == Some('0') { '1' } else { '0' };
        let random = format!("{last}{swapped}");
        let mut seen = Vec::new();
        for id in [foreign.session.as_str(), &random, "session_x", "x", "user_01h455vb4pex5vsknk084sn02q"] {
            let answer = end(world, &mine.cookie, id).await.expect_problem(404, "not_found");
            let mut body = answer.json();
            body.as_object_mut().unwrap().retain(|name, _| name != "request_id" && name != "timestamp");
            let mut headers: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
            headers.sort();
            seen.push((body, headers));
        }
        assert!(seen.iter().all(|other| *other == seen[0]), "{seen:?}");
        me_by_cookie(world, &foreign.cookie).await.expect(200);
        assert_eq!(count_events(world, "session.ended").await, 0);
    });
}

/// Proves: A-36, V7.4.5, V7.5.2, S-156
#[test]
fn one_session_or_all_others_are_ended_from_elsewhere() {
    both(async |world| {
        register(world, EMAIL).await;
        let (mine, second, third) =
            (browser(world, EMAIL).await, browser(world, EMAIL).await, application(world, EMAIL).await);
        poll(world).await;
        for held in [&second, &third] {
            me_by_bearer(world, &held.access).await.expect(200);
        }
        me_by_cookie(world, &second.cookie).await.expect(200);
        end(world, &mine.cookie, &second.session).await.expect(204);
        me_by_cookie(world, &second.cookie).await.expect_problem(401, "session_revoked");
        me_by_bearer(world, &second.access).await.expect_problem(401, "session_revoked");
        end(world, &mine.cookie, &second.session).await.expect_problem(404, "not_found");

        let request = own_call(world, &Method::POST, "/api/v1/sessions/revoke-others", &mine.cookie).await;
        world.send(request).await.expect(204);
        me_by_bearer(world, &third.access).await.expect_problem(401, "session_revoked");
        renew(world, &third.refresh).await.expect_problem(401, "invalid_token");
        me_by_cookie(world, &mine.cookie).await.expect(200);
        // Nobody else is left: nothing happens, nothing is recorded.
        let request = own_call(world, &Method::POST, "/api/v1/sessions/revoke-others", &mine.cookie).await;
        world.send(request).await.expect(204);
        assert_eq!(count_events(world, "session.ended").await, 2);

        end(world, &mine.cookie, &mine.session).await.expect(204);
        me_by_cookie(world, &mine.cookie).await.expect_problem(401, "session_revoked");
    });
}

/// Proves, V7.4.3, V7.2.4
#[test]
fn a_new_password_gives_a_new_cookie_and_ends_the_others() {
    both(async |world| {
        register(world, EMAIL).await;
        let (mine, other) = (browser(world, EMAIL).await, browser(world, EMAIL).await);
        poll(world).await;
        me_by_cookie(world, &mine.cookie).await.expect(200);
        me_by_cookie(world, &other.cookie).await.expect(200);
        let old_token = csrf(world, &mine.cookie).await;
        let change = json!({ "current_password": PASSWORD, "new_password": OTHER_PASSWORD });
        let request = own_call(world, &Method::POST, "/api/v1/password/change", &mine.cookie).await;
        let cookie = cookie_of(&world.send(with_json(request, &change)).await.expect(204));
        assert_ne!(cookie, mine.cookie);
        me_by_cookie(world, &mine.cookie).await.expect_problem(401, "invalid_token");
        me_by_cookie(world, &other.cookie).await.expect_problem(401, "session_revoked");
        me_by_cookie(world, &cookie).await.expect(200);
        let patch = same_origin(with_cookie(bare(&Method::PATCH, "/api/v1/me"), &cookie));
        let patch = with_json(patch.header("x-csrf-token", &old_token), &json!({ "name": "Ada" }));
        world.send(patch).await.expect_problem(403, "csrf_failed");
    });
}

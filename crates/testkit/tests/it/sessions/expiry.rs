//! Limits of time and number.

use doorward_model::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};
use doorward_testkit::{Answer, Setup, World, both, both_with};
use http::{Method, header};
use serde_json::json;

use crate::credentials::{
    EMAIL, application, bare, browser, claim, cookie_of, execute, me_by_bearer, me_by_cookie, next_at, number,
    own_call, poll, register, renew, same_origin, sign_in, with_cookie, with_json,
};

/// Proves: A-35, V7.3.1, S-147, S-158
#[test]
fn a_session_ends_when_it_lies_unused_for_its_idle_time() {
    both(async |world| {
        register(world, EMAIL).await;
        for is_cached in [false, true] {
            let held = browser(world, EMAIL).await;
            if is_cached {
                poll(world).await;
                me_by_cookie(world, &held.cookie).await.expect(200);
            }
            let used_at = world.now();
            next_at(world, used_at.plus_ms(14 * DAY_MS - SECOND_MS));
            me_by_cookie(world, &held.cookie).await.expect(200);
            let used_at = world.now();
            next_at(world, used_at.plus_ms(14 * DAY_MS));
            me_by_cookie(world, &held.cookie).await.expect_problem(401, "session_expired");
            next_at(world, used_at.plus_ms(14 * DAY_MS + SECOND_MS));
            me_by_cookie(world, &held.cookie).await.expect_problem(401, "session_expired");
        }
    });
}

/// Proves: A-35, V7.3.2, S-147, S-158
#[test]
fn a_session_in_daily_use_ends_at_its_absolute_limit() {
    both(async |world| {
        register(world, EMAIL).await;
        let held = browser(world, EMAIL).await;
        let over_at = world.now().plus_ms(30 * DAY_MS);
        for _ in 0..29 {
            world.advance(DAY_MS);
            me_by_cookie(world, &held.cookie).await.expect(200);
            world.app().flush_last_seen().await.unwrap();
        }
        next_at(world, over_at.plus_ms(-SECOND_MS));
        me_by_cookie(world, &held.cookie).await.expect(200);
        next_at(world, over_at);
        me_by_cookie(world, &held.cookie).await.expect_problem(401, "session_expired");
        next_at(world, over_at.plus_ms(SECOND_MS));
        me_by_cookie(world, &held.cookie).await.expect_problem(401, "session_expired");
    });
}

#[test]
fn an_operator_chooses_how_long_sessions_last_and_how_many_there_are() {
    let mut setup = Setup::default();
    setup.settings.sessions.idle_ms = HOUR_MS;
    setup.settings.sessions.absolute_ms = 3 * HOUR_MS;
    setup.settings.sessions.per_user = 2;
    both_with(&setup, async |world| {
        register(world, EMAIL).await;
        let (idle, used) = (browser(world, EMAIL).await, browser(world, EMAIL).await);
        let began_at = world.now();
        for _ in 0..3 {
            world.advance(50 * MINUTE_MS);
            me_by_cookie(world, &used.cookie).await.expect(200);
            world.app().flush_last_seen().await.unwrap();
        }
        me_by_cookie(world, &idle.cookie).await.expect_problem(401, "session_expired");
        next_at(world, began_at.plus_ms(3 * HOUR_MS));
        me_by_cookie(world, &used.cookie).await.expect_problem(401, "session_expired");

        let remembered = sign_in(world, EMAIL, &json!({ "remember": true })).await.expect(200);
        let lines: Vec<_> =
            remembered.headers.get_all(header::SET_COOKIE).iter().map(|line| line.to_str().unwrap()).collect();
        assert!(
            lines.iter().any(|line| line.starts_with("__Host-doorward=") && line.ends_with("; Max-Age=10800")),
            "{lines:?}"
        );
        let (second, _) = (browser(world, EMAIL).await, browser(world, EMAIL).await);
        me_by_cookie(world, &cookie_of(&remembered)).await.expect_problem(401, "session_revoked");
        me_by_cookie(world, &second.cookie).await.expect(200);
    });
}

/// Proves: A-178
#[test]
fn a_clock_that_steps_signs_nobody_out() {
    both(async |world| {
        register(world, EMAIL).await;
        let page = browser(world, EMAIL).await;
        let mut refresh = application(world, EMAIL).await.refresh;
        for step in [-10 * MINUTE_MS, 20 * MINUTE_MS, -10 * MINUTE_MS, -DAY_MS, 2 * DAY_MS] {
            world.advance(step);
            poll(world).await;
            me_by_cookie(world, &page.cookie).await.expect(200);
            let minted = mint(world, &page.cookie).await.expect(200).string("access_token");
            me_by_bearer(world, &minted).await.expect(200);
            refresh = renew(world, &refresh).await.expect(200).string("refresh_token");
            browser(world, EMAIL).await;
            world.app().flush_last_seen().await.unwrap();
        }
        let actions = world.actions().await;
        assert!(!actions.iter().any(|action| action == "token.reused"), "{actions:?}");
    });
}

async fn mint(world: &World, cookie: &str) -> Answer {
    let request = own_call(world, &Method::POST, "/api/v1/token", cookie).await;
    world.send(request).await
}

/// Proves: S-30
#[test]
fn an_access_token_never_outlives_its_session() {
    both(async |world| {
        register(world, EMAIL).await;
        let held = browser(world, EMAIL).await;
        let over_at = world.now().plus_ms(30 * DAY_MS);
        assert_eq!(mint(world, &held.cookie).await.expect(200).json()["expires_in"], json!(600));
        next_at(world, world.now().plus_ms(13 * DAY_MS));
        me_by_cookie(world, &held.cookie).await.expect(200);
        next_at(world, world.now().plus_ms(13 * DAY_MS));
        me_by_cookie(world, &held.cookie).await.expect(200);
        // Two requests: the token for the call, and the call.
        next_at(world, over_at.plus_ms(-MINUTE_MS - 1));
        let answer = mint(world, &held.cookie).await.expect(200);
        assert_eq!(world.now(), over_at.plus_ms(-MINUTE_MS));
        assert_eq!(claim(&answer.string("access_token"), "exp"), json!(over_at.as_seconds()));
        assert_eq!(answer.json()["expires_in"], json!(over_at.as_seconds() - world.now().as_seconds()));
        // Less than a second is left: no token can say so.
        next_at(world, over_at.plus_ms(-2));
        mint(world, &held.cookie).await.expect_problem(401, "session_expired");
        next_at(world, over_at);
        me_by_bearer(world, &answer.string("access_token")).await.expect(401);
    });
}

/// Proves, V3.3.1
#[test]
fn a_remembered_cookie_lives_as_long_as_its_session_and_others_as_the_browser() {
    both(async |world| {
        register(world, EMAIL).await;
        let line = |answer: &Answer| {
            let lines = answer.headers.get_all(header::SET_COOKIE).iter().map(|line| line.to_str().unwrap().to_owned());
            lines.into_iter().find(|line| line.starts_with("__Host-doorward=")).unwrap()
        };
        let plain = sign_in(world, EMAIL, &json!({ "remember": false })).await.expect(200);
        assert!(!line(&plain).contains("Max-Age") && !line(&plain).contains("Expires"), "{}", line(&plain));
        let remembered = sign_in(world, EMAIL, &json!({ "remember": true })).await.expect(200);
        assert!(
            line(&remembered).ends_with(&format!("; Max-Age={}", 30 * DAY_MS / SECOND_MS)),
            "{}",
            line(&remembered)
        );

        // A new cookie of an old session lives no longer than the old one would have.
        let cookie = cookie_of(&remembered);
        world.advance(10 * DAY_MS);
        let change = json!({ "current_password": crate::credentials::PASSWORD,
            "new_password": crate::credentials::OTHER_PASSWORD });
        let request = own_call(world, &Method::POST, "/api/v1/password/change", &cookie).await;
        let changed = world.send(with_json(request, &change)).await.expect(204);
        let age: i64 = line(&changed).rsplit_once("Max-Age=").unwrap().1.parse().unwrap();
        assert!((20 * DAY_MS / SECOND_MS - 5..=20 * DAY_MS / SECOND_MS).contains(&age), "{age}");
    });
}

/// Proves: A-38, V7.1.2, S-150, S-168
#[test]
fn the_twenty_first_session_ends_the_oldest() {
    both(async |world| {
        register(world, EMAIL).await;
        let mut all = Vec::new();
        for _ in 0..20 {
            all.push(browser(world, EMAIL).await);
        }
        poll(world).await;
        for held in &all {
            me_by_cookie(world, &held.cookie).await.expect(200);
        }
        all.push(browser(world, EMAIL).await);
        me_by_cookie(world, &all[0].cookie).await.expect_problem(401, "session_revoked");
        me_by_bearer(world, &all[0].access).await.expect_problem(401, "session_revoked");
        for held in &all[1..] {
            me_by_cookie(world, &held.cookie).await.expect(200);
        }
        assert_eq!(number(world, "SELECT COUNT(*) FROM sessions WHERE revoked_at IS NULL").await, 20);
    });
}

/// Proves: S-150
#[test]
fn however_often_somebody_signs_in_a_days_sessions_are_what_there_is() {
    both(async |world| {
        register(world, EMAIL).await;
        let rows = || async { number(world, "SELECT COUNT(*) FROM sessions").await };
        let mut last = None;
        for sign_ins in 1..=60 {
            last = Some(sign_in(world, EMAIL, &json!({ "mode": "token" })).await.expect(200));
            world.advance(HOUR_MS);
            let op = world.operator().op();
            assert!(world.app().purge(&op, "one").await.unwrap().is_some());
            // Twenty that live, and those that made room for another within a day.
            assert!(rows().await <= 20 + 23, "{} after {sign_ins}", rows().await);
        }
        assert_eq!(rows().await, 43);
        assert_eq!(number(world, "SELECT COUNT(*) FROM token_families").await, 43);
        assert_eq!(number(world, "SELECT COUNT(*) FROM sessions WHERE revoked_at IS NULL").await, 20);
        renew(world, &last.unwrap().string("refresh_token")).await.expect(200);
    });
}

/// Proves: A-30, V7.2.4
#[test]
fn signing_in_again_replaces_the_browsers_session_and_its_cookie() {
    both(async |world| {
        register(world, EMAIL).await;
        let first = browser(world, EMAIL).await;
        poll(world).await;
        me_by_cookie(world, &first.cookie).await.expect(200);
        let body = json!({ "email": EMAIL, "password": crate::credentials::PASSWORD });
        let request = same_origin(with_cookie(bare(&Method::POST, "/api/v1/login"), &first.cookie));
        let second = cookie_of(&world.send(with_json(request, &body)).await.expect(200));
        assert_ne!(first.cookie, second);
        me_by_cookie(world, &first.cookie).await.expect_problem(401, "session_revoked");
        me_by_bearer(world, &first.access).await.expect_problem(401, "session_revoked");
        me_by_cookie(world, &second).await.expect(200);
    });
}

/// A cookie that an attacker planted is never the one a sign-in goes on with.
///
/// Proves: A-30
#[test]
fn a_planted_cookie_is_not_taken_over() {
    both(async |world| {
        register(world, EMAIL).await;
        for planted in [format!("dws_{}", "A".repeat(43)), "x".to_owned()] {
            let body = json!({ "email": EMAIL, "password": crate::credentials::PASSWORD });
            let request = same_origin(with_cookie(bare(&Method::POST, "/api/v1/login"), &planted));
            let answer = world.send(with_json(request, &body)).await.expect(200);
            assert_ne!(cookie_of(&answer), planted);
            me_by_cookie(world, &planted).await.expect_problem(401, "invalid_token");
        }
    });
}

/// Proves: A-179, S-76
#[test]
fn what_is_over_is_purged_in_batches_and_by_one_holder_of_the_lease() {
    both(async |world| {
        register(world, EMAIL).await;
        for _ in 0..3 {
            browser(world, EMAIL).await;
            sign_in(world, EMAIL, &json!({ "mode": "token" })).await.expect(200);
        }
        // More than one batch of 500.
        let copies = execute(
            world,
            "INSERT INTO revocations (id, kind, subject, at) \
             SELECT 'copy_' || a.n || '_' || b.n, 'session', 'x', 0 FROM \
             (SELECT 0 AS n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5) a, \
             (SELECT r.id || s.id AS n FROM events r, sessions s UNION SELECT t.id || u.id FROM sessions t, sessions u) b",
        )
        .await;
        assert!(copies > 400, "{copies}");
        let over = "SELECT COUNT(*) FROM sessions";
        world.advance(30 * DAY_MS - MINUTE_MS);
        let op = world.operator().op();
        assert!(world.app().purge(&op, "one").await.unwrap().is_some());
        assert_eq!(number(world, over).await, 6, "living sessions stay");
        assert_eq!(number(world, "SELECT COUNT(*) FROM revocations").await, 0);

        world.advance(2 * MINUTE_MS);
        let lease =
            execute(world, "INSERT INTO leases (name, owner, expires_at) VALUES ('purge', 'two', 9000000000000)");
        assert_eq!(lease.await, 1);
        let op = world.operator().op();
        assert_eq!(world.app().purge(&op, "one").await.unwrap(), None, "another node is at it");
        assert_eq!(number(world, over).await, 6);
        execute(world, "UPDATE leases SET expires_at = 0").await;
        // What hangs on the sessions goes with them and is not counted.
        assert!(world.app().purge(&op, "one").await.unwrap().is_some_and(|removed| removed >= 6));
        assert_eq!(number(world, over).await, 0);
        assert_eq!(number(world, "SELECT COUNT(*) FROM token_families").await, 0);
        assert_eq!(number(world, "SELECT COUNT(*) FROM leases").await, 0);
    });
}

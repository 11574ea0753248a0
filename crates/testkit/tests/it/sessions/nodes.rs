//! Several nodes over one database, and what each remembers.

use doorward_model::time::{DAY_MS, MINUTE_MS, SECOND_MS};
use doorward_testkit::{Setup, World, both};
use http::Method;
use serde_json::json;

use crate::credentials::{
    EMAIL, Held, OTHER_PASSWORD, PASSWORD, bare, browser, cookie_of, me_by_bearer, me_by_cookie, next_at, number,
    own_call, poll, register, with_bearer, with_json,
};

async fn another(world: &World) -> World {
    world.restarted(Setup { seed: 2, ..Setup::default() }).await
}

/// Another node, and a browser that signed in at `world` and that the other node has looked at.
async fn known_to_both(world: &World) -> (World, Held) {
    register(world, EMAIL).await;
    let other = another(world).await;
    let held = browser(world, EMAIL).await;
    poll(&other).await;
    me_by_cookie(&other, &held.cookie).await.expect(200);
    (other, held)
}

/// Proves, S-31, S-193, S-265
#[test]
fn what_one_node_ends_the_others_refuse_after_their_next_look() {
    both(async |world| {
        let user = register(world, EMAIL).await;
        let other = another(world).await;
        let held = browser(world, EMAIL).await;
        for node in [world, &other] {
            poll(node).await;
            me_by_cookie(node, &held.cookie).await.expect(200);
            me_by_bearer(node, &held.access).await.expect(200);
        }
        world.send(with_bearer(bare(&Method::POST, "/api/v1/logout"), &held.access)).await.expect(204);
        me_by_cookie(world, &held.cookie).await.expect_problem(401, "session_revoked");
        poll(&other).await;
        me_by_cookie(&other, &held.cookie).await.expect_problem(401, "session_revoked");
        me_by_bearer(&other, &held.access).await.expect_problem(401, "session_revoked");

        let held = browser(world, EMAIL).await;
        me_by_cookie(&other, &held.cookie).await.expect(200);
        world.operator().disable(user).await;
        poll(&other).await;
        me_by_cookie(&other, &held.cookie).await.expect_problem(401, "session_revoked");
        me_by_bearer(&other, &held.access).await.expect_problem(401, "session_revoked");
    });
}

/// Proves: A-183
#[test]
fn a_node_that_cannot_look_asks_the_database_after_two_seconds() {
    both(async |world| {
        let (other, held) = known_to_both(world).await;
        poll(&other).await;
        let polled_at = world.now();
        world.send(with_bearer(bare(&Method::POST, "/api/v1/logout"), &held.access)).await.expect(204);
        next_at(world, polled_at.plus_ms(2 * SECOND_MS + 1));
        me_by_cookie(&other, &held.cookie).await.expect_problem(401, "session_revoked");
    });
}

/// Proves, V7.2.4
#[test]
fn a_replaced_cookie_is_dead_on_every_node() {
    both(async |world| {
        let (other, held) = known_to_both(world).await;
        let change = json!({ "current_password": PASSWORD, "new_password": OTHER_PASSWORD });
        let request = own_call(world, &Method::POST, "/api/v1/password/change", &held.cookie).await;
        let cookie = cookie_of(&world.send(with_json(request, &change)).await.expect(204));
        poll(&other).await;
        me_by_cookie(&other, &held.cookie).await.expect_problem(401, "invalid_token");
        me_by_cookie(&other, &cookie).await.expect(200);
        me_by_bearer(&other, &held.access).await.expect(200);
    });
}

/// Proves: A-35
#[test]
fn a_session_used_on_one_node_does_not_lie_idle_on_another() {
    both(async |world| {
        let (other, held) = known_to_both(world).await;
        world.advance(13 * DAY_MS);
        me_by_cookie(world, &held.cookie).await.expect(200);
        world.app().flush_last_seen().await.unwrap();
        world.advance(2 * DAY_MS);
        poll(&other).await;
        me_by_cookie(&other, &held.cookie).await.expect(200);
        me_by_cookie(world, &held.cookie).await.expect(200);
    });
}

/// Proves: S-33
#[test]
fn the_last_use_is_written_once_a_minute_and_in_one_batch() {
    both(async |world| {
        register(world, EMAIL).await;
        let (first, second) = (browser(world, EMAIL).await, browser(world, EMAIL).await);
        poll(world).await;
        let began_at = world.now();
        for _ in 0..50 {
            me_by_cookie(world, &first.cookie).await.expect(200);
            me_by_cookie(world, &second.cookie).await.expect(200);
        }
        assert_eq!(world.app().flush_last_seen().await.unwrap(), 0, "the sign-in was less than a minute ago");
        let mut written = 0;
        for _ in 0..10 {
            world.advance(20 * SECOND_MS);
            poll(world).await;
            me_by_cookie(world, &first.cookie).await.expect(200);
            me_by_cookie(world, &second.cookie).await.expect(200);
            written += world.app().flush_last_seen().await.unwrap();
        }
        assert!((4..=6).contains(&written), "{written} writes in 200 seconds for two sessions");
        let seen = number(world, "SELECT MIN(last_seen_at) FROM sessions").await;
        assert!(seen >= began_at.plus_ms(2 * MINUTE_MS).as_ms() && seen <= world.now().as_ms(), "{seen}");
        assert_eq!(world.actions().await, ["user.created", "session.sign_in", "session.sign_in"]);
    });
}

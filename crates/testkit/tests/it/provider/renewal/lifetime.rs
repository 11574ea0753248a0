//! How long an application may renew, and what ends it.

use std::sync::Arc;

use doorward_model::time::{DAY_MS, SECOND_MS};
use doorward_testkit::{Browser, Setup, World, both, both_with};
use http::Method;
use serde_json::json;

use super::{granted, refused, renewing, shop};
use crate::credentials::{count_events, execute, next_at, number};
use crate::people::{AWAY, HOME, OWNER, PASSWORD};
use crate::provider::relying_party::{RelyingParty, browser};
use crate::provider::{code, signed_in};

const OTHER_PASSWORD: &str = "quiet granite lantern orbit";

/// Ends the session that somebody has away from home, and says what lives on: what outlives sessions, and the owner's own.
async fn bring_about(
    world: &World,
    end: &str,
    (owner, away): (&mut Browser, &mut Browser),
    password: &mut &'static str,
) -> (bool, bool) {
    match end {
        "sign-out" => {
            away.fetch(Method::POST, "/api/v1/logout", None).await.expect(204);
            (true, true)
        }
        "ended elsewhere" => {
            owner.fetch(Method::POST, "/api/v1/sessions/revoke-others", None).await.expect(204);
            (true, true)
        }
        "password change" => {
            let body = json!({ "current_password": password, "new_password": OTHER_PASSWORD });
            owner.fetch(Method::POST, "/api/v1/password/change", Some(&body)).await.expect(204);
            *password = OTHER_PASSWORD;
            (false, true)
        }
        "reset" => {
            *password = "harbour thistle comet velvet";
            let token = world.api(HOME).reset_token(OWNER).await;
            world.api(HOME).reset(&token, password).await.expect(204);
            (false, false)
        }
        _ => {
            let user = world.operator().find_user(OWNER).await.unwrap();
            world.operator().disable(user).await;
            (false, false)
        }
    }
}

/// Proves
#[test]
fn a_grant_ends_with_its_session_unless_it_was_given_for_longer() {
    both(async |world| {
        let owner = &mut signed_in(world).await;
        let shop = shop(world).await;
        let user = world.operator().find_user(OWNER).await.unwrap();
        let mut password = PASSWORD;
        for end in ["sign-out", "ended elsewhere", "password change", "reset", "disabled"] {
            let mut away = browser(world, AWAY);
            away.sign_in(OWNER, password).await.expect(200);
            let here = granted(&shop, owner, &[]).await;
            let bound = granted(&shop, &mut away, &[]).await;
            let offline = granted(&shop, &mut away, &[("scope", "openid email offline_access")]).await;
            assert_eq!(shop.verify(&offline.access).await.get("sid"), None, "{end}");
            assert!(shop.verify(&bound.access).await["sid"].is_string(), "{end}");
            let (outlives, stays) = bring_about(world, end, (&mut *owner, &mut away), &mut password).await;
            for (tokens, lives) in [(&bound, false), (&offline, outlives), (&here, stays)] {
                assert_eq!(shop.userinfo(&tokens.access).await.status == 200, lives, "{end}");
                let answer = shop.refresh(&tokens.refresh, &[]).await;
                assert_eq!(answer.status == 200, lives, "{end}: {}", answer.text());
                if lives {
                    shop.userinfo(&answer.string("access_token")).await.expect(200);
                } else {
                    assert_eq!(answer.string("error"), "invalid_grant", "{end}");
                }
            }
            if end == "disabled" {
                world.operator().enable(user).await;
                for tokens in [&bound, &offline, &here] {
                    refused(&shop, &tokens.refresh, "invalid_grant").await;
                    shop.userinfo(&tokens.access).await.expect(401);
                }
            } else if !stays {
                owner.sign_in(OWNER, password).await.expect(200);
            }
        }
        assert_eq!(count_events(world, "token.reused").await, 0);
        let orphans = "SELECT COUNT(*) FROM grants JOIN sessions ON sessions.id = grants.session_id \
                       WHERE sessions.revoked_at IS NOT NULL AND grants.revoked_at IS NULL";
        assert_eq!(number(world, orphans).await, 0, "the rows say so too");
    });
}

/// Whatever comes first: what was granted before a person was kept out, and what is granted meanwhile, is over.
///
/// Proves
#[test]
fn nothing_is_granted_past_the_end_of_everything_of_a_person() {
    let mut setup = Setup::default();
    setup.edge.limit_scale = 1_000.0;
    both_with(&setup, async |world| {
        let user = world.operator().create_user(OWNER, PASSWORD).await;
        let shop = Arc::new(shop(world).await);
        for _ in 0..8 {
            let mut owner = browser(world, HOME);
            owner.sign_in(OWNER, PASSWORD).await.expect(200);
            let mut codes = Vec::new();
            for _ in 0..12 {
                owner.open(&shop.start(&[("scope", "openid email offline_access")])).await.expect(303);
                codes.push(shop.code(&owner));
            }
            shop.exchange(&codes.remove(0), &[]).await.expect(200);
            let mut at_work = tokio::task::JoinSet::new();
            for (number, code) in codes.into_iter().enumerate() {
                let (shop, world) = (Arc::clone(&shop), world.clone());
                at_work.spawn(async move {
                    if number == 6 {
                        world.operator().disable(user).await;
                    }
                    let answer = shop.exchange(&code, &[]).await;
                    assert!([200, 400].contains(&answer.status.as_u16()), "{answer:?}");
                });
            }
            at_work.join_all().await;
            assert_eq!(number(world, "SELECT COUNT(*) FROM grants WHERE revoked_at IS NULL").await, 0);
            world.operator().enable(user).await;
        }
    });
}

/// Proves: A-95, V10.4.8, V7.3.1, V7.3.2
#[test]
fn refresh_tokens_have_an_end_however_often_they_are_renewed() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let began_at = world.now();
        let hour = json!({ "refresh_token_seconds": 3600 });
        let short = RelyingParty::register(world, renewing(&hour)).await;
        let shop = shop(world).await;
        let offline = [("scope", "openid offline_access")];
        for changes in [&[][..], &offline] {
            let tokens = granted(&short, &mut owner, changes).await;
            let over_at = world.now().plus_ms(3_600 * SECOND_MS - 1);
            next_at(world, over_at.plus_ms(-60 * SECOND_MS));
            let answer = short.refresh(&tokens.refresh, &[]).await.expect(200);
            assert_eq!(answer.json()["expires_in"], json!(60), "a token lives no longer than what it came from");
            next_at(world, over_at.plus_ms(1));
            refused(&short, &answer.string("refresh_token"), "invalid_grant").await;
            short.userinfo(&answer.string("access_token")).await.expect(401);
        }
        // A session that lies unused is over, and with it what belongs to it; renewing is using it.
        let (bound, unused) = (granted(&shop, &mut owner, &[]).await, granted(&shop, &mut owner, &offline).await);
        next_at(world, world.now().plus_ms(13 * DAY_MS));
        let second = shop.renew(&bound.refresh).await;
        next_at(world, world.now().plus_ms(13 * DAY_MS));
        let third = shop.renew(&second).await;
        next_at(world, began_at.plus_ms(30 * DAY_MS));
        refused(&shop, &third, "invalid_grant").await;
        let rest = shop.refresh(&unused.refresh, &[]).await.expect(200);
        world.app().purge(&world.operator().op(), "test").await.unwrap().unwrap();
        assert_eq!(number(world, "SELECT COUNT(*) FROM sessions").await, 0);
        shop.userinfo(&rest.string("access_token")).await.expect(200);
        let last = shop.renew(&rest.string("refresh_token")).await;
        next_at(world, began_at.plus_ms(31 * DAY_MS));
        refused(&shop, &last, "invalid_grant").await;
        // What is over goes with its day.
        next_at(world, began_at.plus_ms(32 * DAY_MS));
        world.app().purge(&world.operator().op(), "test").await.unwrap().unwrap();
        assert_eq!(number(world, "SELECT COUNT(*) FROM grants").await, 0);
        assert_eq!(number(world, "SELECT COUNT(*) FROM token_families").await, 0);
    });
}

/// Proves: A-83, V10.4.2
#[test]
fn a_code_that_was_used_twice_ends_the_refresh_token_too() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = shop(world).await;
        let used = code(&shop, &mut owner).await;
        let tokens = shop.tokens(&used).await;
        let second = shop.renew(&tokens.refresh).await;
        shop.exchange(&used, &[]).await.expect(400);
        refused(&shop, &second, "invalid_grant").await;
        assert_eq!(number(world, "SELECT COUNT(*) FROM revocations WHERE kind = 'grant'").await, 1);
    });
}

/// Proves: S-266
#[test]
fn a_refresh_token_newer_than_the_database_ends_its_grant() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = shop(world).await;
        let tokens = granted(&shop, &mut owner, &[]).await;
        let third = shop.renew(&shop.renew(&tokens.refresh).await).await;
        assert_eq!(execute(world, "UPDATE token_families SET issued = 2, presented = 1").await, 1);
        refused(&shop, &third, "invalid_grant").await;
        assert_eq!(count_events(world, "token.restored_state_seen").await, 1);
        shop.userinfo(&tokens.access).await.expect(401);
        owner.fetch(Method::GET, "/api/v1/me", None).await.expect(200);
    });
}

#[test]
fn of_the_grants_that_outlive_sessions_an_application_keeps_the_newest_twenty() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = shop(world).await;
        let other = RelyingParty::register(world, renewing(&json!({}))).await;
        let offline = [("scope", "openid offline_access")];
        let elsewhere = granted(&other, &mut owner, &offline).await;
        let first = granted(&shop, &mut owner, &offline).await;
        let second = granted(&shop, &mut owner, &offline).await;
        for _ in 0..18 {
            granted(&shop, &mut owner, &offline).await;
        }
        shop.userinfo(&first.access).await.expect(200);
        let last = granted(&shop, &mut owner, &offline).await;
        refused(&shop, &first.refresh, "invalid_grant").await;
        shop.userinfo(&first.access).await.expect(401);
        for (party, tokens) in [(&shop, &second), (&shop, &last), (&other, &elsewhere)] {
            party.userinfo(&tokens.access).await.expect(200);
            party.renew(&tokens.refresh).await;
        }
    });
}

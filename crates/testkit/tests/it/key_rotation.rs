//! Signing keys as verifiers see them, over `GET /.well-known/jwks.json`.

use doorward_model::time::MINUTE_MS;
use doorward_testkit::{World, both};
use http::Method;
use serde_json::{Value, json};

use crate::credentials::{EMAIL, bare, browser, me_by_bearer, me_by_cookie, own_call, register};

async fn published(world: &World) -> Vec<String> {
    let answer = world.send(bare(&Method::GET, "/.well-known/jwks.json")).await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    assert_eq!(answer.header("content-type"), Some("application/jwk-set+json"));
    let keys = answer.json()["keys"].as_array().unwrap().clone();
    for key in &keys {
        let names: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x", "y"], "public members only");
        assert_eq!((&key["alg"], &key["use"]), (&json!("ES256"), &json!("sig")));
    }
    keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn signer(token: &str) -> String {
    use base64::Engine as _;
    let header = token.split('.').next().unwrap();
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
}

async fn mint(world: &World, cookie: &str) -> String {
    let request = own_call(world, &Method::POST, "/api/v1/token", cookie).await;
    world.send(request).await.expect(200).string("access_token")
}

async fn keep_keys(world: &World) {
    world.app().keep_keys_current(&world.operator().op()).await.unwrap();
}

/// Proves, S-183, S-205, V11.2.2
#[test]
fn a_key_is_published_before_it_signs_and_kept_until_what_it_signed_is_over() {
    both(async |world| {
        register(world, EMAIL).await;
        let other = world.restarted(doorward_testkit::Setup { seed: 2, ..Default::default() }).await;
        let held = browser(world, EMAIL).await;
        let first = published(world).await;
        assert_eq!(first, [signer(&held.access)]);

        world.app().rotate_keys(&world.operator().op(), false).await.unwrap();
        let both_keys = published(world).await;
        assert_eq!(both_keys.len(), 2);
        let next = both_keys.iter().find(|kid| **kid != first[0]).unwrap();
        keep_keys(&other).await;
        assert_eq!(published(&other).await.len(), 2, "another node publishes it too");
        // Caches may hold the old document for five minutes.
        world.advance(5 * MINUTE_MS);
        keep_keys(world).await;
        assert_eq!(signer(&mint(world, &held.cookie).await), first[0]);
        world.advance(MINUTE_MS);
        keep_keys(world).await;
        let fresh = mint(world, &held.cookie).await;
        assert_eq!(signer(&fresh), *next);
        keep_keys(&other).await;
        me_by_bearer(&other, &fresh).await.expect(200);

        // The last token of the retired key is good until it expires.
        world.advance(3 * MINUTE_MS);
        me_by_bearer(world, &held.access).await.expect(200);
        me_by_bearer(&other, &held.access).await.expect(200);
        assert_eq!(published(world).await.len(), 2);
        world.advance(10 * MINUTE_MS);
        keep_keys(world).await;
        assert_eq!(published(world).await, std::slice::from_ref(next));
        me_by_bearer(world, &held.access).await.expect(401);
        me_by_cookie(world, &held.cookie).await.expect(200);
    });
}

/// Proves: A-124
#[test]
fn an_emergency_kills_what_the_key_signed_at_once_and_signs_nobody_out() {
    both(async |world| {
        register(world, EMAIL).await;
        let other = world.restarted(doorward_testkit::Setup { seed: 2, ..Default::default() }).await;
        let held = browser(world, EMAIL).await;
        for node in [world, &other] {
            me_by_bearer(node, &held.access).await.expect(200);
        }
        let before = published(world).await;
        world.app().rotate_keys(&world.operator().op(), true).await.unwrap();
        me_by_bearer(world, &held.access).await.expect_problem(401, "invalid_token");
        keep_keys(&other).await;
        me_by_bearer(&other, &held.access).await.expect_problem(401, "invalid_token");
        let after = published(world).await;
        assert!(after.len() == 1 && after != before);
        let fresh = mint(world, &held.cookie).await;
        me_by_bearer(&other, &fresh).await.expect(200);
        assert_eq!(world.actions().await, ["user.created", "session.sign_in"], "keys have events of their own");
        let events = world.events().await;
        assert!(events.iter().filter(|event| event.action == "keys.rotated").count() >= 1);
    });
}

//! Refresh tokens of applications: what one gives, to whom, for how long, and what a copy of one brings about.

mod lifetime;

use std::collections::BTreeSet;

use doorward_model::time::SECOND_MS;
use doorward_testkit::{Browser, Setup, World, both, both_with};
use http::Method;
use serde_json::{Value, json};

use super::relying_party::{RelyingParty, Tokens};
use super::signed_in;
use crate::credentials::{count_events, next_at, number};
use crate::people::{HOME, OWNER, PASSWORD};

const OVERLAP_MS: i64 = 10 * SECOND_MS;
pub(crate) const API: &str = "https://api.example";
pub(crate) const FILES: &str = "https://files.example";

/// The fields of an application that renews, with further ones.
pub(crate) fn renewing(more: &Value) -> Value {
    let mut fields = json!({
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "openid profile email offline_access orders",
        "resources": [API, FILES],
    });
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    fields
}

pub(crate) async fn shop(world: &World) -> RelyingParty {
    RelyingParty::register(world, renewing(&json!({}))).await
}

pub(crate) async fn granted(shop: &RelyingParty, owner: &mut Browser, changes: &[(&str, &str)]) -> Tokens {
    owner.open(&shop.start(changes)).await.expect(303);
    shop.tokens(&shop.code(owner)).await
}

pub(crate) async fn refused(shop: &RelyingParty, token: &str, error: &str) {
    let answer = shop.refresh(token, &[]).await.expect(400);
    assert_eq!(answer.string("error"), error, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

/// How many families and grants live.
async fn living(world: &World) -> (i64, i64) {
    let families =
        number(world, "SELECT COUNT(*) FROM token_families WHERE grant_id IS NOT NULL AND revoked_at IS NULL");
    (families.await, number(world, "SELECT COUNT(*) FROM grants WHERE revoked_at IS NULL").await)
}

/// Proves: V10.4.5, A-91
#[test]
fn an_application_renews_what_it_was_granted_and_nothing_more() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = shop(world).await;
        let asked = [("scope", "openid email orders"), ("resource", API), ("resource", FILES)];
        let first = granted(&shop, &mut owner, &asked).await;
        assert!(first.refresh.starts_with("dwr_"), "{}", first.refresh);
        world.advance(60 * SECOND_MS);
        let answer = shop.refresh(&first.refresh, &[]).await.expect(200);
        assert_eq!(answer.string("scope"), "openid email orders");
        assert_eq!(
            (answer.string("token_type"), answer.json()["expires_in"].clone()),
            ("Bearer".to_owned(), json!(600))
        );
        let second = answer.string("refresh_token");
        assert_ne!(second, first.refresh);
        let access = shop.verify(&answer.string("access_token")).await;
        let before = shop.verify(&first.access).await;
        for same in ["sub", "aud", "client_id", "sid", "grant_id", "scope", "auth_time", "acr", "amr"] {
            assert_eq!(access[same], before[same], "{same}");
        }
        let id_token = shop.verify(&answer.string("id_token")).await;
        for same in ["iss", "sub", "aud", "azp", "auth_time", "acr", "amr"] {
            assert_eq!(id_token[same], first.claims[same], "{same}");
        }
        assert!(id_token["iat"].as_i64() > first.claims["iat"].as_i64());
        assert_eq!(id_token.get("nonce"), None);
        // The token before lives on until its time is over.
        shop.userinfo(&first.access).await.expect(200);
        // Less is given; what is asked for next may be everything again.
        let narrow = [("scope", "orders"), ("resource", FILES)];
        let answer = shop.refresh(&second, &narrow).await.expect(200);
        assert_eq!((answer.string("scope"), answer.json().get("id_token").cloned()), ("orders".to_owned(), None));
        let access = shop.verify(&answer.string("access_token")).await;
        assert_eq!((&access["scope"], &access["aud"]), (&json!("orders"), &json!([FILES])));
        let third = answer.string("refresh_token");
        for (name, value, error) in [
            ("scope", "openid profile", "invalid_scope"),
            ("scope", "openid email orders profile", "invalid_scope"),
            ("scope", "openid  email", "invalid_scope"),
            ("scope", "OPENID", "invalid_scope"),
            ("scope", "openid offline_access", "invalid_scope"),
            ("resource", "https://evil.example", "invalid_target"),
        ] {
            let answer = shop.refresh(&third, &[(name, value)]).await.expect(400);
            assert_eq!(answer.string("error"), error, "{value}");
        }
        let answer = shop.refresh(&third, &[]).await.expect(200);
        assert_eq!(answer.string("scope"), "openid email orders", "nothing was used up, and nothing lost");
        let actions = world.actions().await;
        assert_eq!(actions.iter().filter(|action| action.starts_with("token.")).count(), 0, "{actions:?}");
    });
}

/// Proves: A-91
#[test]
fn a_resource_that_was_not_granted_is_none_of_a_renewal() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = shop(world).await;
        let first = granted(&shop, &mut owner, &[("resource", API)]).await;
        let answer = shop.refresh(&first.refresh, &[("resource", FILES)]).await.expect(400);
        assert_eq!(answer.string("error"), "invalid_target");
        // What the operator takes away is gone from the next token on.
        let op = world.operator().op();
        let fields = json!({ "resources": [FILES], "scope": "openid" });
        world.app().update_client(&op, &shop.client_id, fields.as_object().unwrap().clone()).await.unwrap();
        let answer = shop.refresh(&first.refresh, &[]).await.expect(200);
        let access = shop.verify(&answer.string("access_token")).await;
        assert_eq!(access["scope"], "openid");
        assert_eq!(access["aud"], json!(["https://auth.example.test/oauth2/userinfo"]));
        let second = answer.string("refresh_token");
        let fields = json!({ "scope": "other" });
        world.app().update_client(&op, &shop.client_id, fields.as_object().unwrap().clone()).await.unwrap();
        refused(&shop, &second, "invalid_scope").await;
        let fields = json!({ "grant_types": ["authorization_code"] });
        world.app().update_client(&op, &shop.client_id, fields.as_object().unwrap().clone()).await.unwrap();
        refused(&shop, &second, "unauthorized_client").await;
        assert!(world.app().delete_client(&op, &shop.client_id).await.unwrap());
        assert_eq!(shop.refresh(&second, &[]).await.expect(401).string("error"), "invalid_client");
        assert_eq!(number(world, "SELECT COUNT(*) FROM token_families WHERE grant_id IS NOT NULL").await, 0);
    });
}

/// Proves: A-95, V10.4.5
#[test]
fn in_other_hands_a_refresh_token_is_nothing_and_stays_as_it_is() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = shop(world).await;
        let other = RelyingParty::register(world, renewing(&json!({}))).await;
        let public = json!({ "token_endpoint_auth_method": "none" });
        let public = RelyingParty::register(world, renewing(&public)).await;
        let first = granted(&shop, &mut owner, &[]).await;
        let second = shop.renew(&first.refresh).await;
        // The last, the one before, and later the one that would end the grant.
        for token in [&second, &first.refresh] {
            refused(&other, token, "invalid_grant").await;
            refused(&public, token, "invalid_grant").await;
            world.api(HOME).renew_with(token).await.expect_problem(401, "invalid_token");
            world.advance(OVERLAP_MS);
        }
        let api = json!({ "email": OWNER, "password": PASSWORD, "mode": "token" });
        let first_party = world.api(HOME).post("/api/v1/login", &api).await.expect(200).string("refresh_token");
        refused(&shop, &first_party, "invalid_grant").await;
        world.api(HOME).renew_with(&first_party).await.expect(200);
        for hostile in [
            "dwr_".to_owned(),
            "x".to_owned(),
            first.access.clone(),
            first.id_token.clone(),
            format!("{second} "),
            second.replacen("dwr_", "DWR_", 1),
            format!("{second}A"),
            "dwr_".to_owned() + &"A".repeat(96),
            "dwr_".to_owned() + &"A".repeat(10_000),
            "\u{1f511}".repeat(40),
            "' OR 1=1 --".to_owned(),
        ] {
            refused(&shop, &hostile, "invalid_grant").await;
        }
        let body = format!("grant_type=refresh_token&refresh_token={second}&refresh_token={second}");
        assert_eq!(shop.ask(body).await.expect(400).string("error"), "invalid_request");
        assert_eq!(shop.refresh("", &[]).await.expect(400).string("error"), "invalid_request");
        assert_eq!(count_events(world, "token.reused").await, 0);
        shop.renew(&second).await;
        // A public one renews by its name alone.
        let tokens = granted(&public, &mut owner, &[]).await;
        public.renew(&public.renew(&tokens.refresh).await).await;
    });
}

/// For an application that does not renew `offline_access` says nothing, and alone it asks for nothing.
#[test]
fn an_application_that_cannot_renew_does_not_get_a_code_for_nothing_else() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        for consent in ["ask", "skip"] {
            let shop = RelyingParty::register(world, json!({ "consent": consent })).await;
            owner.open(&shop.start(&[("scope", "offline_access"), ("nonce", "")])).await.expect(303);
            assert_eq!(RelyingParty::error(&owner), "invalid_scope");
        }
    });
}

/// Proves: A-93, V10.4.5
#[test]
fn a_copy_of_a_refresh_token_ends_the_grant_and_nothing_else() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = shop(world).await;
        let elsewhere = granted(&shop, &mut owner, &[]).await;
        let first = granted(&shop, &mut owner, &[]).await;
        let second = shop.renew(&first.refresh).await;
        let answer = shop.refresh(&second, &[]).await.expect(200);
        let (third, access) = (answer.string("refresh_token"), answer.string("access_token"));
        refused(&shop, &first.refresh, "invalid_grant").await;
        for token in [&first.refresh, &second, &third] {
            refused(&shop, token, "invalid_grant").await;
        }
        for token in [&first.access, &access] {
            shop.userinfo(token).await.expect(401);
        }
        assert_eq!(living(world).await, (1, 1));
        assert_eq!(number(world, "SELECT COUNT(*) FROM revocations WHERE kind = 'grant'").await, 1);
        let events = world.events().await;
        let reused: Vec<_> = events.iter().filter(|event| event.action == "token.reused").collect();
        assert_eq!((reused.len(), reused[0].outcome.as_str()), (1, "refused"));
        assert!(reused[0].data.contains("\"grant\":\"grant_"), "{}", reused[0].data);
        let letter = world.last_letter_to(OWNER).await;
        assert!(letter.text.contains("Shop"), "{}", letter.text);
        // The person is signed in as before, and so is every other grant.
        owner.fetch(Method::GET, "/api/v1/me", None).await.expect(200);
        shop.userinfo(&elsewhere.access).await.expect(200);
        shop.renew(&elsewhere.refresh).await;
    });
}

/// Proves, V10.4.5
#[test]
fn a_late_predecessor_ends_the_grant_unless_the_application_may_recover() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let recovering = json!({ "refresh_token_rotation": "recover" });
        let recovering = RelyingParty::register(world, renewing(&recovering)).await;
        for (shop, recovers) in [(shop(world).await, false), (recovering, true)] {
            let first = granted(&shop, &mut owner, &[]).await;
            let lost = shop.renew(&first.refresh).await;
            let issued_at = world.now();
            next_at(world, issued_at.plus_ms(OVERLAP_MS - 1));
            assert_eq!(shop.renew(&first.refresh).await, lost, "a retry gets the same");
            next_at(world, issued_at.plus_ms(OVERLAP_MS));
            if recovers {
                let next = shop.renew(&first.refresh).await;
                assert_ne!(next, lost);
                // Whoever shows the one that was lost is a second holder.
                refused(&shop, &lost, "invalid_grant").await;
                refused(&shop, &next, "invalid_grant").await;
            } else {
                refused(&shop, &first.refresh, "invalid_grant").await;
                refused(&shop, &lost, "invalid_grant").await;
            }
            shop.userinfo(&first.access).await.expect(401);
        }
        assert_eq!(count_events(world, "token.reused").await, 2);
    });
}

/// How often a race is run in which the order decides.
const TIMES: i64 = 200;

async fn race(shop: &std::sync::Arc<RelyingParty>, token: &str) -> Vec<doorward_testkit::Answer> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (shop, token) = (std::sync::Arc::clone(shop), token.to_owned());
        tasks.spawn(async move { shop.refresh(&token, &[]).await });
    }
    tasks.join_all().await
}

/// Proves: A-94
#[test]
fn fifty_renewals_at_once_give_one_successor() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = std::sync::Arc::new(shop(world).await);
        let first = granted(&shop, &mut owner, &[]).await;
        let answers = race(&shop, &first.refresh).await;
        let next: BTreeSet<String> =
            answers.into_iter().map(|answer| answer.expect(200).string("refresh_token")).collect();
        assert_eq!(next.len(), 1, "the chain does not fork");
        assert_eq!(number(world, "SELECT issued FROM token_families WHERE grant_id IS NOT NULL").await, 2);
        shop.renew(next.first().unwrap()).await;
        assert_eq!(count_events(world, "token.reused").await, 0);
    });
}

/// Proves: A-94
#[test]
fn fifty_renewals_at_two_nodes_give_one_successor() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let here = shop(world).await;
        let first = granted(&here, &mut owner, &[]).await;
        let other = world.restarted(Setup { seed: 2, ..Setup::default() }).await;
        let there = RelyingParty { world: other, client_id: here.client_id.clone(), secret: here.secret.clone() };
        let (here, there) = (std::sync::Arc::new(here), std::sync::Arc::new(there));
        let mut token = first.refresh;
        for issued in 2..=TIMES + 1 {
            let mut tasks = tokio::task::JoinSet::new();
            for number in 0..50 {
                let (shop, token) =
                    (std::sync::Arc::clone(if number % 2 == 0 { &here } else { &there }), token.clone());
                tasks.spawn(async move { shop.refresh(&token, &[]).await.expect(200).string("refresh_token") });
            }
            let next: BTreeSet<String> = tasks.join_all().await.into_iter().collect();
            assert_eq!(next.len(), 1, "the chain does not fork");
            let sql = "SELECT issued FROM token_families WHERE grant_id IS NOT NULL";
            assert_eq!(number(world, sql).await, issued);
            token = next.into_iter().next().unwrap();
            world.advance(60 * SECOND_MS);
        }
        assert_eq!(living(world).await, (1, 1));
        assert_eq!(count_events(world, "token.reused").await, 0);
    });
}

/// Proves: A-94, V10.4.5
#[test]
fn without_an_overlap_one_of_fifty_renewals_succeeds_and_the_grant_ends() {
    let mut setup = Setup::default();
    setup.settings.sessions.overlap_ms = 0;
    both_with(&setup, async |world| {
        let mut owner = signed_in(world).await;
        let shop = std::sync::Arc::new(shop(world).await);
        for ended in 1..=TIMES {
            let first = granted(&shop, &mut owner, &[]).await;
            let (given, refused): (Vec<_>, Vec<_>) =
                race(&shop, &first.refresh).await.into_iter().partition(|answer| answer.status == 200);
            assert_eq!((given.len(), refused.len()), (1, 49));
            for answer in refused {
                assert_eq!(answer.expect(400).string("error"), "invalid_grant");
            }
            assert_eq!(living(world).await, (0, 0));
            shop.userinfo(&given[0].string("access_token")).await.expect(401);
            assert_eq!(count_events(world, "token.reused").await, usize::try_from(ended).unwrap());
            world.advance(60 * SECOND_MS);
        }
        let letters = world.letters_to(OWNER).await;
        let told = letters.iter().filter(|letter| letter.text.contains("Shop")).count();
        assert_eq!(told, usize::try_from(TIMES).unwrap(), "they hear of each, once");
    });
}

/// Proves: A-94, S-54
#[test]
fn too_many_renewals_of_one_grant_are_told_to_wait_and_consume_nothing() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = shop(world).await;
        let first = granted(&shop, &mut owner, &[]).await;
        let mut token = first.refresh.clone();
        for _ in 0..60 {
            token = shop.renew(&token).await;
        }
        let answer = shop.refresh(&token, &[]).await.expect(429);
        assert_eq!(answer.string("error"), "temporarily_unavailable");
        assert_eq!(answer.header("retry-after"), Some("2"));
        // Another one's tries do not count, in their favour or against them.
        let other = RelyingParty::register(world, renewing(&json!({}))).await;
        refused(&other, &token, "invalid_grant").await;
        world.advance(2 * SECOND_MS);
        shop.renew(&token).await;
    });
}

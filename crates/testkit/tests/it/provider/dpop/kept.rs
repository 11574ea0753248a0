//! Refresh tokens that stay as they are (`"refresh_token_rotation": "keep"`, FAPI 2.0 section 5.3.2.1).

use std::sync::Arc;

use doorward_app::clients::ClientError;
use doorward_testkit::{Answer, World, both};
use serde_json::{Value, json};

use super::{Holder, TOKEN, body, thumbprint, token};
use crate::credentials::{count_events, number};
use crate::people::HOME;
use crate::provider::own_keys::OwnKey;
use crate::provider::relying_party::{RelyingParty, browser, form};
use crate::provider::renewal::renewing;
use crate::provider::{code, signed_in};

pub(super) fn keeping(more: &Value) -> Value {
    let mut fields = renewing(&json!({ "refresh_token_rotation": "keep", "dpop_bound_access_tokens": true }));
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    fields
}

pub(super) fn renewal(refresh: &str) -> String {
    form(vec![("grant_type", "refresh_token"), ("refresh_token", refresh)], &[])
}

pub(super) async fn granted(world: &World, shop: &RelyingParty, holder: &Holder<'_>, id: &str) -> Answer {
    let mut owner = browser(world, HOME);
    owner.sign_in(crate::people::OWNER, crate::people::PASSWORD).await.expect(200);
    let mine = code(shop, &mut owner).await;
    let proof = holder.proof("POST", TOKEN, None, id);
    let answer = token(shop, &body(&mine, &shop.client_id), &[&proof]).await.expect(200);
    world.canaries().add(&answer.string("refresh_token"));
    answer
}

fn refused<T>(done: Result<T, ClientError>, why: &str) {
    let Err(ClientError::Refused(problems)) = done else { unreachable!("{why}: it was taken") };
    assert!(problems.iter().any(|problem| problem.field == "refresh_token_rotation"), "{why}: {problems:?}");
}

/// Proves: V10.4.5, A-93
#[test]
fn whoever_proves_neither_itself_nor_a_key_keeps_no_refresh_token() {
    both(async |world| {
        let op = world.operator().op();
        let members = |fields: Value| {
            let Value::Object(mut fields) = keeping(&fields) else { unreachable!() };
            fields.insert("redirect_uris".to_owned(), json!(["https://shop.example/callback"]));
            fields
        };
        let weak = [
            json!({ "token_endpoint_auth_method": "none" }),
            json!({ "dpop_bound_access_tokens": false }),
            json!({ "token_endpoint_auth_method": "none", "dpop_bound_access_tokens": false }),
        ];
        for fields in weak {
            refused(world.app().create_client(&op, members(fields.clone())).await, "registered");
            let shop = RelyingParty::register(world, keeping(&json!({}))).await;
            let Value::Object(change) = fields else { unreachable!() };
            refused(world.app().update_client(&op, &shop.client_id, change).await, "changed");
            let public =
                RelyingParty::register(world, renewing(&json!({ "token_endpoint_auth_method": "none" }))).await;
            let Value::Object(change) = json!({ "refresh_token_rotation": "keep" }) else { unreachable!() };
            refused(world.app().update_client(&op, &public.client_id, change).await, "changed to it");
        }
    });
}

/// Proves: V10.4.5, V10.3.5, A-95, A-109, A-110
#[test]
fn a_kept_refresh_token_stays_the_same_and_is_nothing_in_other_hands() {
    both(async |world| {
        signed_in(world).await;
        let (key, other) = (OwnKey::new("ES256"), OwnKey::new("ES256"));
        let shop = RelyingParty::register(world, keeping(&json!({}))).await;
        let neighbour = RelyingParty::register(world, keeping(&json!({}))).await;
        let holder = Holder::new(&shop, &key).await;
        let thief = Holder { world, key: &other, nonce: holder.nonce.clone() };
        let refresh = granted(world, &shop, &holder, "first").await.string("refresh_token");
        let mut access = String::new();
        for number in 0..4 {
            let proof = holder.proof("POST", TOKEN, None, &format!("renewal {number}"));
            let answer = token(&shop, &renewal(&refresh), &[&proof]).await.expect(200);
            assert_eq!(answer.string("refresh_token"), refresh);
            access = answer.string("access_token");
            assert_eq!(shop.verify(&access).await["cnf"], json!({ "jkt": thumbprint(&key) }));
            // The nonce lives some minutes.
            world.advance(20_000);
        }
        // Whoever copied it has neither the key nor the application's secret.
        let nobody = RelyingParty { world: world.clone(), client_id: shop.client_id.clone(), secret: None };
        let in_its_name = format!("{}&client_id={}", renewal(&refresh), shop.client_id);
        let stolen = |id: &str| thief.proof("POST", TOKEN, None, id);
        for (name, party, body, proofs, status, error) in [
            ("without a key", &shop, renewal(&refresh), vec![], 400, "invalid_dpop_proof"),
            ("without a secret", &nobody, in_its_name.clone(), vec![stolen("a")], 401, "invalid_client"),
            ("without both", &nobody, in_its_name, vec![], 401, "invalid_client"),
            ("another application", &neighbour, renewal(&refresh), vec![stolen("b")], 400, "invalid_grant"),
        ] {
            let proofs: Vec<&str> = proofs.iter().map(String::as_str).collect();
            let answer = token(party, &body, &proofs).await.expect(status);
            assert_eq!(answer.string("error"), error, "{name}");
        }
        // What somebody with the secret gets by a key of theirs is bound to that, and opens nothing of the owner's.
        let answer = token(&shop, &renewal(&refresh), &[&stolen("c")]).await.expect(200);
        assert_eq!(shop.verify(&answer.string("access_token")).await["cnf"], json!({ "jkt": thumbprint(&other) }));
        assert_eq!(shop.introspect(&refresh).await["active"], true);
        assert_eq!(count_events(world, "token.reused").await, 0);
        assert_eq!(number(world, "SELECT issued FROM token_families WHERE grant_id IS NOT NULL").await, 1);
        // Withdrawn, it is over with all that came of it.
        shop.revoke(&refresh).await.expect(200);
        let proof = holder.proof("POST", TOKEN, None, "over");
        assert_eq!(token(&shop, &renewal(&refresh), &[&proof]).await.expect(400).string("error"), "invalid_grant");
        for token in [&refresh, &access] {
            assert_eq!(shop.introspect(token).await, json!({ "active": false }));
        }
    });
}

/// Proves: A-94
#[test]
fn fifty_renewals_at_once_keep_the_same_token() {
    both(async |world| {
        signed_in(world).await;
        let key = OwnKey::new("ES256");
        let shop = Arc::new(RelyingParty::register(world, keeping(&json!({}))).await);
        let holder = Holder::new(&shop, &key).await;
        let refresh = granted(world, &shop, &holder, "first").await.string("refresh_token");
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..50 {
            let (shop, body) = (Arc::clone(&shop), renewal(&refresh));
            let proof = holder.proof("POST", TOKEN, None, &format!("renewal {number}"));
            tasks.spawn(async move { token(&shop, &body, &[&proof]).await });
        }
        for answer in tasks.join_all().await {
            assert_eq!(answer.expect(200).string("refresh_token"), refresh);
        }
        assert_eq!(number(world, "SELECT issued FROM token_families WHERE grant_id IS NOT NULL").await, 1);
        // Withdrawn among fifty, no renewal is good afterwards.
        let refresh = granted(world, &shop, &holder, "second").await.string("refresh_token");
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..50 {
            let (shop, body, refresh) = (Arc::clone(&shop), renewal(&refresh), refresh.clone());
            let proof = holder.proof("POST", TOKEN, None, &format!("again {number}"));
            tasks.spawn(async move {
                if number == 25 { shop.revoke(&refresh).await } else { token(&shop, &body, &[&proof]).await }
            });
        }
        for answer in tasks.join_all().await {
            assert!([200, 400].contains(&answer.status.as_u16()), "{}", answer.text());
            if answer.text().contains("access_token") {
                assert_eq!(shop.introspect(&answer.string("access_token")).await["active"], false);
            }
        }
        let proof = holder.proof("POST", TOKEN, None, "over");
        assert_eq!(token(&shop, &renewal(&refresh), &[&proof]).await.expect(400).string("error"), "invalid_grant");
    });
}

/// Else a refresh token that nobody need prove anything for would stay good for as long as the grant.
///
/// Proves: V10.4.5, A-93
#[test]
fn a_token_was_kept_as_long_as_the_application_is_registered_for_it() {
    both(async |world| {
        signed_in(world).await;
        let key = OwnKey::new("ES256");
        let shop = RelyingParty::register(world, keeping(&json!({}))).await;
        let holder = Holder::new(&shop, &key).await;
        let refresh = granted(world, &shop, &holder, "first").await.string("refresh_token");
        let change = json!({ "refresh_token_rotation": "strict", "dpop_bound_access_tokens": false });
        let Value::Object(change) = change else { unreachable!() };
        world.app().update_client(&world.operator().op(), &shop.client_id, change).await.unwrap();
        let next = shop.renew(&refresh).await;
        assert_ne!(next, refresh);
        world.advance(10_000);
        assert_eq!(shop.introspect(&refresh).await["active"], false, "it was replaced");
        assert_eq!(shop.refresh(&refresh, &[]).await.expect(400).string("error"), "invalid_grant");
        assert_eq!(count_events(world, "token.reused").await, 1);
        assert_eq!(shop.introspect(&next).await["active"], false);
    });
}

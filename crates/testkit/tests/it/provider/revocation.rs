//! Applications withdraw their tokens.

use std::sync::Arc;

use doorward_testkit::world::Request;
use doorward_testkit::{World, both};
use http::{Method, header};
use serde_json::json;

use super::relying_party::{FORM, RelyingParty};
use super::renewal::{granted, refused, renewing, shop};
use super::signed_in;
use crate::credentials::{count_events, number};
use crate::people::{HOME, OWNER, PASSWORD};

async fn gone(world: &World) -> (usize, usize) {
    (count_events(world, "grant.revoked").await, count_events(world, "grant.access_token_revoked").await)
}

/// Proves: A-109, V10.4.9
#[test]
fn an_application_withdraws_one_access_token_or_all_it_was_granted() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = shop(world).await;
        let first = granted(&shop, &mut owner, &[]).await;
        let elsewhere = granted(&shop, &mut owner, &[]).await;
        let answer = shop.refresh(&first.refresh, &[]).await.expect(200);
        let (second, access) = (answer.string("refresh_token"), answer.string("access_token"));
        for _ in 0..3 {
            let answer = shop.revoke(&first.access).await.expect(200);
            assert_eq!((answer.text(), answer.header("cache-control")), ("", Some("no-store")));
        }
        assert_eq!(gone(world).await, (0, 1), "what is withdrawn is withdrawn once");
        shop.userinfo(&first.access).await.expect(401);
        assert_eq!(shop.introspect(&first.access).await["active"], false);
        shop.userinfo(&access).await.expect(200);
        let third = shop.renew(&second).await;
        // Any refresh token of the grant ends it, one that was replaced too.
        for token in [&second, &third, &second] {
            shop.revoke(token).await.expect(200);
        }
        assert_eq!(gone(world).await, (1, 1));
        for token in [&first.refresh, &second, &third] {
            refused(&shop, token, "invalid_grant").await;
        }
        shop.userinfo(&access).await.expect(401);
        assert_eq!(number(world, "SELECT COUNT(*) FROM revocations WHERE kind = 'grant'").await, 1);
        assert_eq!(count_events(world, "token.reused").await, 0);
        shop.userinfo(&elsewhere.access).await.expect(200);
        shop.renew(&elsewhere.refresh).await;
        owner.fetch(Method::GET, "/api/v1/me", None).await.expect(200);
        // A public one does so by its name.
        let public = json!({ "token_endpoint_auth_method": "none" });
        let public = RelyingParty::register(world, renewing(&public)).await;
        let tokens = granted(&public, &mut owner, &[]).await;
        public.revoke(&tokens.refresh).await.expect(200);
        public.userinfo(&tokens.access).await.expect(401);
    });
}

/// Proves: A-109
#[test]
fn what_is_not_its_own_an_application_cannot_withdraw() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = shop(world).await;
        let other = RelyingParty::register(world, renewing(&json!({}))).await;
        let public = json!({ "token_endpoint_auth_method": "none" });
        let public = RelyingParty::register(world, renewing(&public)).await;
        let tokens = granted(&shop, &mut owner, &[]).await;
        let body = json!({ "email": OWNER, "password": PASSWORD, "mode": "token" });
        let held = world.api(HOME).post("/api/v1/login", &body).await.expect(200);
        let (access, refresh) = (held.string("access_token"), held.string("refresh_token"));
        let cookie = owner.session_cookie().unwrap().to_owned();
        let hostile = [
            tokens.access.as_str(),
            &tokens.refresh,
            &tokens.id_token,
            &access,
            &refresh,
            &cookie,
            "x",
            "dwr_",
            "e30.e30.e30",
            "' OR 1=1 --",
            &"A".repeat(20_000),
            "\u{1f511}",
        ];
        for text in hostile {
            for asker in [&other, &public] {
                let answer = asker.revoke(text).await.expect(200);
                assert_eq!(answer.text(), "", "{text}");
            }
            if ![tokens.access.as_str(), &tokens.refresh].contains(&text) {
                shop.revoke(text).await.expect(200);
            }
        }
        assert_eq!(gone(world).await, (0, 0));
        shop.userinfo(&tokens.access).await.expect(200);
        shop.renew(&tokens.refresh).await;
        world.api(HOME).renew_with(&refresh).await.expect(200);
        owner.fetch(Method::GET, "/api/v1/me", None).await.expect(200);
    });
}

/// Proves
#[test]
fn both_endpoints_about_tokens_say_what_is_wrong_in_the_standards_form() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = shop(world).await;
        let tokens = granted(&shop, &mut owner, &[]).await;
        let secret = shop.secret.clone().unwrap();
        let nobody = RelyingParty { world: world.clone(), client_id: shop.client_id.clone(), secret: None };
        let wrong = format!("dwcs_{}", "A".repeat(43));
        let wrong = RelyingParty { world: world.clone(), client_id: shop.client_id.clone(), secret: Some(wrong) };
        let token = &tokens.access;
        for path in ["/oauth2/revoke", "/oauth2/introspect"] {
            for asker in [&nobody, &wrong] {
                let answer = asker.call(path, asker.about(token)).await.expect(401);
                assert_eq!(answer.string("error"), "invalid_client", "{path}");
            }
            let bare = Request::new(Method::POST, path, HOME).header(header::CONTENT_TYPE, FORM);
            let answer = world.send(bare.body(format!("token={token}"))).await.expect(401);
            assert_eq!(answer.string("error"), "invalid_client", "{path}");
            for (body, hints) in [
                (String::new(), "no token"),
                ("token=".to_owned(), "an empty one"),
                (format!("token={token}&token={token}"), "twice"),
                (format!("token={token}&token_type_hint=a&token_type_hint=b"), "two hints"),
                ("token=%ff".to_owned(), "no text"),
                (format!("token={token}&client_secret={secret}"), "two ways at once"),
            ] {
                let answer = shop.call(path, body).await.expect(400);
                assert_eq!(answer.string("error"), "invalid_request", "{path}: {hints}");
                assert_eq!(answer.header("cache-control"), Some("no-store"));
            }
            for (method, kind, status) in
                [(Method::GET, FORM, 405), (Method::PUT, FORM, 405), (Method::POST, "application/json", 415)]
            {
                let request = Request::new(method, path, HOME).header(header::CONTENT_TYPE, kind);
                world.send(request.body("{}".to_owned())).await.expect(status);
            }
            let in_address = Request::new(Method::POST, &format!("{path}?token={token}"), HOME);
            shop.send(in_address, String::new()).await.expect(400);
            for hint in ["access_token", "refresh_token", "saml", ""] {
                let body = format!("token=nothing&token_type_hint={hint}");
                shop.call(path, body).await.expect(200);
            }
        }
        shop.userinfo(token).await.expect(200);
    });
}

/// Proves
#[test]
fn a_grant_withdrawn_while_it_is_renewed_is_over() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = Arc::new(shop(world).await);
        let tokens = granted(&shop, &mut owner, &[]).await;
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..50 {
            let (shop, token) = (Arc::clone(&shop), tokens.refresh.clone());
            tasks.spawn(async move {
                if number % 2 == 0 { shop.refresh(&token, &[]).await } else { shop.revoke(&token).await }
            });
        }
        for answer in tasks.join_all().await {
            assert!([200, 400].contains(&answer.status.as_u16()), "{}", answer.text());
            if let Some(access) = answer.text().contains("access_token").then(|| answer.string("access_token")) {
                shop.userinfo(&access).await.expect(401);
                refused(&shop, &answer.string("refresh_token"), "invalid_grant").await;
            }
        }
        assert_eq!(gone(world).await, (1, 0));
    });
}

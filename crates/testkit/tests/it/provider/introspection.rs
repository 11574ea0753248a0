//! Services and applications ask what a token is.

use doorward_model::time::SECOND_MS;
use doorward_testkit::world::{PUBLIC_URL, Request};
use doorward_testkit::{World, both, both_with};
use http::{Method, header};
use serde_json::{Value, json};

use super::algorithms::{all, keep_keys};
use super::relying_party::{RelyingParty, header_of};
use super::renewal::{API, FILES, granted, refused, renewing, shop};
use super::signed_in;
use crate::credentials::count_events;
use crate::people::{HOME, OWNER, PASSWORD};
use crate::wrong_kinds::forgeries;

/// A service that is registered for nothing but asking.
async fn service(world: &World, resource: &str) -> RelyingParty {
    let fields = json!({ "served_resources": [resource], "grant_types": [], "redirect_uris": [] });
    RelyingParty::register(world, fields).await
}

/// Proves: A-109, V10.3.2
#[test]
fn a_service_learns_about_tokens_for_itself_and_of_no_other() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let (shop, other) = (shop(world).await, RelyingParty::register(world, renewing(&json!({}))).await);
        let (api, files) = (service(world, API).await, service(world, FILES).await);
        let asked = [("scope", "openid orders"), ("resource", API)];
        let tokens = granted(&shop, &mut owner, &asked).await;
        let issued = shop.verify(&tokens.access).await;
        for asker in [&api, &shop] {
            let told = asker.introspect(&tokens.access).await;
            assert_eq!((&told["active"], &told["token_type"]), (&json!(true), &json!("Bearer")));
            for same in ["iss", "sub", "aud", "client_id", "jti", "scope", "iat", "exp", "sid", "auth_time", "acr"] {
                assert_eq!(told[same], issued[same], "{same}");
            }
            assert_eq!(told.get("grant_id"), None);
        }
        for asker in [&files, &other] {
            assert_eq!(asker.introspect(&tokens.access).await, json!({ "active": false }));
        }
        // A resource it may ask tokens for is not one it is.
        assert_eq!(other.introspect(&tokens.access).await["active"], false);
        let own = granted(&shop, &mut owner, &[]).await;
        assert_eq!(api.introspect(&own.access).await["active"], false, "a token for UserInfo is for nobody else");
        // A refresh token is the business of whoever holds it.
        let told = shop.introspect(&tokens.refresh).await;
        assert_eq!(
            (&told["active"], &told["scope"], &told["sub"]),
            (&json!(true), &json!("openid orders"), &issued["sub"])
        );
        assert!(told["exp"].as_i64().unwrap() > issued["exp"].as_i64().unwrap(), "{told}");
        for asker in [&api, &other] {
            assert_eq!(asker.introspect(&tokens.refresh).await["active"], false);
        }
        let public = json!({ "token_endpoint_auth_method": "none" });
        let public = RelyingParty::register(world, renewing(&public)).await;
        let theirs = granted(&public, &mut owner, &[]).await;
        let answer = public.call("/oauth2/introspect", public.about(&theirs.access)).await.expect(401);
        assert_eq!(answer.string("error"), "invalid_client");
    });
}

/// Proves, V10.3.2
#[test]
fn a_token_is_active_as_long_as_everything_it_came_from() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let api = service(world, API).await;
        let user = world.operator().find_user(OWNER).await.unwrap();
        for end in ["time", "withdrawn", "grant", "client", "sign-out", "disabled"] {
            let shop = shop(world).await;
            if end == "disabled" {
                owner.sign_in(OWNER, PASSWORD).await.expect(200);
            }
            let tokens = granted(&shop, &mut owner, &[("scope", "openid orders"), ("resource", API)]).await;
            assert_eq!(api.introspect(&tokens.access).await["active"], true, "{end}");
            match end {
                "time" => world.advance(600 * SECOND_MS),
                "withdrawn" => _ = shop.revoke(&tokens.access).await.expect(200),
                "grant" => _ = shop.revoke(&tokens.refresh).await.expect(200),
                "client" => {
                    let op = world.operator().op();
                    assert!(world.app().delete_client(&op, &shop.client_id).await.unwrap());
                }
                "sign-out" => _ = owner.fetch(Method::POST, "/api/v1/logout", None).await.expect(204),
                _ => world.operator().disable(user).await,
            }
            assert_eq!(api.introspect(&tokens.access).await, json!({ "active": false }), "{end}");
            if !["client", "time", "withdrawn"].contains(&end) {
                assert_eq!(shop.introspect(&tokens.refresh).await, json!({ "active": false }), "{end}");
            }
        }
    });
}

#[test]
fn asking_about_a_refresh_token_uses_nothing_up_and_ends_nothing() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = shop(world).await;
        let first = granted(&shop, &mut owner, &[]).await;
        let second = shop.renew(&first.refresh).await;
        assert_eq!(shop.introspect(&first.refresh).await["active"], true, "it is answered once more");
        world.advance(10 * SECOND_MS);
        for _ in 0..3 {
            assert_eq!(shop.introspect(&first.refresh).await["active"], false);
            assert_eq!(shop.introspect(&second).await["active"], true);
        }
        let third = shop.renew(&second).await;
        assert_eq!(shop.introspect(&first.refresh).await["active"], false);
        assert_eq!(count_events(world, "token.reused").await, 0);
        refused(&shop, &first.refresh, "invalid_grant").await;
        assert_eq!(shop.introspect(&third).await["active"], false);
    });
}

/// Whoever knows which grant it is of makes no refresh token of it, and learns nothing by trying.
///
/// Proves
#[test]
fn a_forged_refresh_token_is_not_active_withdraws_nothing_and_renews_nothing() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = shop(world).await;
        let tokens = granted(&shop, &mut owner, &[]).await;
        let text = &tokens.refresh;
        // Any of its characters changed, from the last of the prefix on: family, number and signature.
        for at in (4..text.len()).step_by(3).chain([text.len() - 2]) {
            let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
            let forged = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            assert_eq!(shop.introspect(&forged).await, json!({ "active": false }), "{at}");
            shop.revoke(&forged).await.expect(200);
            refused(&shop, &forged, "invalid_grant").await;
        }
        assert_eq!(count_events(world, "grant.revoked").await, 0);
        assert_eq!(count_events(world, "token.reused").await, 0);
        assert_eq!(shop.introspect(text).await["active"], true);
        shop.userinfo(&tokens.access).await.expect(200);
        shop.renew(text).await;
    });
}

/// Proves
#[test]
fn what_is_no_access_token_of_an_application_is_not_active() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = shop(world).await;
        let tokens = granted(&shop, &mut owner, &[]).await;
        let first_party = owner.fetch(Method::POST, "/api/v1/token", None).await.expect(200).string("access_token");
        let body = json!({ "email": OWNER, "password": PASSWORD, "mode": "token" });
        let refresh = world.api(HOME).post("/api/v1/login", &body).await.expect(200).string("refresh_token");
        let cookie = owner.session_cookie().unwrap().to_owned();
        let secret = shop.secret.clone().unwrap();
        let long = "A".repeat(20_000);
        for text in [
            &first_party,
            &refresh,
            &cookie,
            &secret,
            &tokens.id_token,
            &long,
            "dwr_",
            "e30.e30.e30",
            "\u{1f511}",
            "\0",
        ] {
            assert_eq!(shop.introspect(text).await, json!({ "active": false }), "{text:.60}");
        }
        let keys = world.send(Request::new(Method::GET, "/.well-known/jwks.json", HOME)).await.expect(200).json();
        let kid = header_of(&tokens.access)["kid"].clone();
        let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid).unwrap();
        for (name, text) in forgeries(&tokens.access, key) {
            assert_eq!(shop.introspect(&text).await, json!({ "active": false }), "{name}");
        }
        assert_eq!(shop.introspect(&tokens.access).await["active"], true);
    });
}

/// Proves
#[test]
fn a_signed_answer_is_for_whoever_asked_and_is_no_token() {
    both_with(&all(), async |world| {
        keep_keys(world).await;
        let mut owner = signed_in(world).await;
        let shop = shop(world).await;
        let tokens = granted(&shop, &mut owner, &[("resource", API)]).await;
        for (fields, algorithm) in
            [(json!({}), "RS256"), (json!({"introspection_signed_response_alg": "ES256"}), "ES256")]
        {
            let mut registered = json!({ "served_resources": [API], "grant_types": [], "redirect_uris": [] });
            registered.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            let api = RelyingParty::register(world, registered).await;
            for (token, active) in [(tokens.access.as_str(), true), ("x", false)] {
                let request = Request::new(Method::POST, "/oauth2/introspect", HOME);
                let request =
                    request.header(header::ACCEPT, "application/json;q=0.5, application/token-introspection+jwt");
                let answer = api.send(request, api.about(token)).await.expect(200);
                assert_eq!(answer.header(header::CONTENT_TYPE), Some("application/token-introspection+jwt"));
                assert_eq!(answer.header(header::CACHE_CONTROL), Some("no-store"));
                let kind = header_of(answer.text());
                assert_eq!((&kind["typ"], &kind["alg"]), (&json!("token-introspection+jwt"), &json!(algorithm)));
                let claims: Value = api.verify(answer.text()).await;
                assert_eq!((&claims["iss"], &claims["aud"]), (&json!(PUBLIC_URL), &json!(api.client_id)));
                assert_eq!(claims["iat"], json!(world.now().as_seconds()));
                assert_eq!(claims["token_introspection"], api.introspect(token).await);
                assert_eq!(claims["token_introspection"]["active"], active);
                for elsewhere in ["sub", "exp", "client_id", "scope"] {
                    assert_eq!(claims.get(elsewhere), None, "{elsewhere}");
                }
                shop.userinfo(answer.text()).await.expect(401);
                assert_eq!(shop.introspect(answer.text()).await["active"], false);
            }
            // Refusals stay JSON.
            let request = Request::new(Method::POST, "/oauth2/introspect", HOME);
            let request = request.header(header::ACCEPT, "application/token-introspection+jwt");
            assert_eq!(api.send(request, String::new()).await.expect(400).string("error"), "invalid_request");
        }
    });
}

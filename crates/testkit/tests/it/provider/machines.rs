//! Applications and services that act for themselves, without a person.

use doorward_testkit::world::Request;
use doorward_testkit::{World, both};
use http::{Method, header};
use serde_json::{Value, json};

use super::relying_party::{RelyingParty, header_of};
use super::renewal::{API, FILES, renewing};
use super::signed_in;
use crate::credentials::{bare, with_bearer};
use crate::people::HOME;

const CREDENTIALS: &str = "grant_type=client_credentials";

/// An application without people, with these fields changed.
pub(crate) async fn machine(world: &World, more: &Value) -> RelyingParty {
    let mut fields = json!({
        "grant_types": ["client_credentials"],
        "redirect_uris": [],
        "scope": "orders reports openid email",
        "resources": [API, FILES],
    });
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    RelyingParty::register(world, fields).await
}

async fn token(machine: &RelyingParty, more: &str) -> String {
    machine.ask(format!("{CREDENTIALS}{more}")).await.expect(200).string("access_token")
}

/// Proves: A-89, V10.4.4, V9.2.4
#[test]
fn a_machine_gets_a_token_for_itself_and_for_the_services_it_is_registered_for() {
    both(async |world| {
        let job = machine(world, &json!({})).await;
        let before = world.actions().await.len();
        for (asked, scope, audience) in [
            ("", "orders reports", json!([API, FILES])),
            ("&scope=orders", "orders", json!([API, FILES])),
            ("&scope=orders&resource=https://api.example", "orders", json!([API])),
        ] {
            let answer = job.ask(format!("{CREDENTIALS}{asked}")).await.expect(200);
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert_eq!((answer.string("scope"), answer.string("token_type")), (scope.to_owned(), "Bearer".to_owned()));
            for absent in ["refresh_token", "id_token", "issued_token_type"] {
                assert_eq!(answer.json().get(absent), None, "{absent}");
            }
            let access = answer.string("access_token");
            assert_eq!(header_of(&access)["typ"], "at+jwt");
            let claims = job.verify(&access).await;
            assert_eq!((&claims["sub"], &claims["client_id"]), (&json!(job.client_id), &json!(job.client_id)));
            assert_eq!((&claims["aud"], &claims["scope"]), (&audience, &json!(scope)));
            for personal in ["auth_time", "acr", "amr", "sid", "grant_id", "act"] {
                assert_eq!(claims.get(personal), None, "{personal}");
            }
        }
        // One without any scope of its own gets a token that says who it is, and nothing more.
        let bare = machine(world, &json!({ "scope": "openid" })).await;
        let answer = bare.ask(CREDENTIALS.to_owned()).await.expect(200);
        assert_eq!(answer.json().get("scope"), None);
        assert_eq!(bare.verify(&answer.string("access_token")).await.get("scope"), None);
        assert_eq!(world.actions().await.len(), before + 1, "the registration; nothing is written for a token");
    });
}

/// Proves, V10.4.4
#[test]
fn what_a_machine_may_not_have_it_does_not_get() {
    both(async |world| {
        let job = machine(world, &json!({})).await;
        for (more, error) in [
            ("&scope=admin", "invalid_scope"),
            ("&scope=openid", "invalid_scope"),
            ("&scope=email", "invalid_scope"),
            ("&scope=offline_access", "invalid_scope"),
            ("&scope=orders++reports", "invalid_scope"),
            ("&scope=ORDERS", "invalid_scope"),
            ("&scope=*", "invalid_scope"),
            ("&scope=orders&scope=reports", "invalid_request"),
            ("&resource=https://evil.example", "invalid_target"),
            ("&resource=https://auth.example.test/oauth2/userinfo", "invalid_target"),
            ("&resource=https://auth.example.test", "invalid_target"),
            ("&resource=https://API.example", "invalid_target"),
        ] {
            let answer = job.ask(format!("{CREDENTIALS}{more}")).await.expect(400);
            assert_eq!(answer.string("error"), error, "{more}");
        }
        let shop = RelyingParty::register(world, renewing(&json!({}))).await;
        assert_eq!(shop.ask(CREDENTIALS.to_owned()).await.expect(400).string("error"), "unauthorized_client");
        let public = json!({ "token_endpoint_auth_method": "none" });
        let public = RelyingParty::register(world, renewing(&public)).await;
        let answer = public.ask(format!("{CREDENTIALS}&client_id={}", public.client_id)).await.expect(400);
        assert_eq!(answer.string("error"), "unauthorized_client");
        let nobody = RelyingParty { world: world.clone(), client_id: job.client_id.clone(), secret: None };
        let answer = nobody.ask(format!("{CREDENTIALS}&client_id={}", job.client_id)).await.expect(401);
        assert_eq!(answer.string("error"), "invalid_client");
        // None can be registered without a secret, or for no service.
        for wrong in [
            json!({"token_endpoint_auth_method": "none", "grant_types": ["client_credentials"], "resources": [API]}),
            json!({"grant_types": ["client_credentials"]}),
        ] {
            let fields = wrong.as_object().unwrap().clone();
            assert!(world.app().create_client(&world.operator().op(), fields).await.is_err(), "{wrong}");
        }
    });
}

/// Proves: A-121, V9.2.2, V9.2.3
#[test]
fn a_machines_token_is_nothing_where_people_are_meant() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let job = machine(world, &json!({})).await;
        let fields = json!({ "grant_types": [], "redirect_uris": [], "served_resources": [API] });
        let api = RelyingParty::register(world, fields).await;
        let token = token(&job, "").await;
        let answer = job.userinfo(&token).await.expect(401);
        assert_eq!(answer.string("error"), "invalid_token");
        for path in ["/api/v1/me", "/api/v1/sessions"] {
            world.send(with_bearer(bare(&Method::GET, path), &token)).await.expect_problem(401, "invalid_token");
        }
        let hint = [("prompt", "none"), ("id_token_hint", token.as_str())];
        let shop = RelyingParty::register(world, renewing(&json!({}))).await;
        owner.open(&shop.start(&hint)).await.expect(303);
        assert_eq!(RelyingParty::error(&owner), "login_required");
        // Services learn about it like about every other.
        let told = api.introspect(&token).await;
        assert_eq!((&told["active"], &told["sub"]), (&json!(true), &json!(job.client_id)));
        assert_eq!(shop.introspect(&token).await["active"], false);
        shop.revoke(&token).await.expect(200);
        assert_eq!(api.introspect(&token).await["active"], true);
        job.revoke(&token).await.expect(200);
        assert_eq!(api.introspect(&token).await["active"], false);
        let next = self::token(&job, "").await;
        assert_eq!(api.introspect(&next).await["active"], true);
        assert!(world.app().delete_client(&world.operator().op(), &job.client_id).await.unwrap());
        assert_eq!(api.introspect(&next).await["active"], false);
        let request = Request::new(Method::GET, "/oauth2/userinfo", HOME);
        world.send(request.header(header::AUTHORIZATION, &format!("Bearer {next}"))).await.expect(401);
    });
}

//! A token for a token: with less in it, or for a service that acts for the person.

use doorward_model::time::SECOND_MS;
use doorward_testkit::world::Request;
use doorward_testkit::{Answer, Browser, World, both};
use http::{Method, header};
use serde_json::{Value, json};

use super::machines::machine;
use super::relying_party::{RelyingParty, form};
use super::renewal::{API, FILES, granted, renewing};
use super::signed_in;
use crate::credentials::{bare, execute, with_bearer};
use crate::people::HOME;

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
const MAIL: &str = "https://mail.example";

/// A service that is the API and may act for people at other services.
async fn service(world: &World, served: &str, more: &Value) -> RelyingParty {
    let mut fields = json!({
        "grant_types": [EXCHANGE, "client_credentials"],
        "redirect_uris": [],
        "served_resources": [served],
        "resources": [FILES, MAIL],
        "scope": "orders reports",
    });
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    RelyingParty::register(world, fields).await
}

async fn exchange(party: &RelyingParty, token: &str, changes: &[(&str, &str)]) -> Answer {
    let fields = vec![("grant_type", EXCHANGE), ("subject_token", token), ("subject_token_type", ACCESS)];
    party.ask(form(fields, changes)).await
}

async fn given(party: &RelyingParty, token: &str, changes: &[(&str, &str)]) -> (String, Value) {
    let answer = exchange(party, token, changes).await.expect(200);
    assert_eq!(
        (answer.string("issued_token_type"), answer.string("token_type")),
        (ACCESS.to_owned(), "Bearer".to_owned())
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    for absent in ["refresh_token", "id_token"] {
        assert_eq!(answer.json().get(absent), None, "{absent}");
    }
    let access = answer.string("access_token");
    party.world.canaries().add(&access);
    let claims = party.verify(&access).await;
    (access, claims)
}

/// An application that may narrow, and a token that its owner gave it.
async fn shop(world: &World, owner: &mut Browser) -> (RelyingParty, String) {
    let grants = json!({ "grant_types": ["authorization_code", "refresh_token", EXCHANGE] });
    let shop = RelyingParty::register(world, renewing(&grants)).await;
    let asked = [("scope", "openid email orders"), ("resource", API), ("resource", FILES)];
    let tokens = granted(&shop, owner, &asked).await;
    (shop, tokens.access)
}

/// Proves: A-113, V9.2.4
#[test]
fn an_application_gives_away_a_token_with_less_in_it() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let (shop, token) = shop(world, &mut owner).await;
        let whole = shop.verify(&token).await;
        world.advance(60 * SECOND_MS);
        let (_, claims) = given(&shop, &token, &[]).await;
        assert_eq!((&claims["aud"], &claims["scope"]), (&json!([API, FILES]), &json!("email orders")));
        let (narrow, claims) = given(&shop, &token, &[("resource", API), ("scope", "orders")]).await;
        assert_eq!((&claims["aud"], &claims["scope"]), (&json!([API]), &json!("orders")));
        for same in ["iss", "sub", "client_id", "sid", "grant_id", "auth_time", "acr", "amr", "exp"] {
            assert_eq!(claims[same], whole[same], "{same}");
        }
        assert_ne!(claims["jti"], whole["jti"]);
        assert_eq!(claims.get("act"), None, "nobody acts for anybody");
        shop.userinfo(&narrow).await.expect(401);
        // Back to more is no way.
        for (name, value, error) in [
            ("scope", "orders email", "invalid_scope"),
            ("scope", "openid", "invalid_scope"),
            ("scope", "offline_access", "invalid_scope"),
            ("resource", FILES, "invalid_target"),
            ("audience", FILES, "invalid_target"),
            ("resource", "https://evil.example", "invalid_target"),
            ("resource", "https://auth.example.test/oauth2/userinfo", "invalid_target"),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token", "invalid_request"),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token", "invalid_request"),
            ("subject_token_type", "", "invalid_request"),
            ("subject_token", "", "invalid_request"),
        ] {
            let answer = exchange(&shop, &narrow, &[(name, value)]).await.expect(400);
            assert_eq!(answer.string("error"), error, "{name} {value}");
        }
        // One that is for UserInfo alone is good nowhere else.
        let plain = granted(&shop, &mut owner, &[]).await;
        assert_eq!(exchange(&shop, &plain.access, &[]).await.expect(400).string("error"), "invalid_target");
    });
}

/// Proves: A-113
#[test]
fn a_service_acts_for_a_person_under_its_own_name() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let (shop, token) = shop(world, &mut owner).await;
        let api = service(world, API, &json!({})).await;
        let files = service(world, FILES, &json!({ "resources": [MAIL] })).await;
        let mail = service(world, MAIL, &json!({})).await;
        let whole = shop.verify(&token).await;
        let (for_files, claims) = given(&api, &token, &[("resource", FILES)]).await;
        assert_eq!((&claims["sub"], &claims["client_id"]), (&whole["sub"], &json!(api.client_id)));
        assert_eq!((&claims["aud"], &claims["scope"]), (&json!([FILES]), &json!("orders")));
        assert_eq!(claims["act"], json!({ "sub": api.client_id }));
        assert_eq!((&claims["exp"], &claims["sid"]), (&whole["exp"], &whole["sid"]));
        let (for_mail, claims) = given(&files, &for_files, &[("audience", MAIL)]).await;
        assert_eq!(claims["act"], json!({ "sub": files.client_id, "act": { "sub": api.client_id } }));
        assert_eq!(mail.introspect(&for_mail).await["act"], claims["act"]);
        assert_eq!(mail.introspect(&for_mail).await["active"], true);
        assert_eq!(files.introspect(&for_files).await["active"], true);
        assert_eq!(shop.introspect(&for_mail).await["active"], false, "it is not the application's");
        // The client's own token says who acts, and so it may say itself.
        let own = api.ask("grant_type=client_credentials".to_owned()).await.expect(200).string("access_token");
        let actor = [("resource", MAIL), ("actor_token", own.as_str()), ("actor_token_type", ACCESS)];
        let (_, claims) = given(&api, &token, &actor).await;
        assert_eq!(claims["act"], json!({ "sub": api.client_id }));
        for text in [&for_files, &for_mail] {
            api.userinfo(text).await.expect(401);
            world.send(with_bearer(bare(&Method::GET, "/api/v1/me"), text)).await.expect_problem(401, "invalid_token");
        }
        // All of them end with what the person gave.
        owner.fetch(Method::POST, "/api/v1/logout", None).await.expect(204);
        for (asker, text) in [(&mail, &for_mail), (&files, &for_files)] {
            assert_eq!(asker.introspect(text).await["active"], false);
        }
        assert_eq!(exchange(&api, &token, &[("resource", FILES)]).await.expect(400).string("error"), "invalid_request");
    });
}

/// Proves
#[test]
fn a_service_acts_no_longer_than_the_application_that_let_it() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let (shop, token) = shop(world, &mut owner).await;
        let api = service(world, API, &json!({})).await;
        let files = service(world, FILES, &json!({ "resources": [MAIL] })).await;
        let (for_files, _) = given(&api, &token, &[("resource", FILES)]).await;
        assert_eq!(files.introspect(&for_files).await["active"], true);
        let kept_out = "UPDATE clients SET disabled_at = 1 WHERE metadata LIKE '%callback%'";
        assert_eq!(execute(world, kept_out).await, 1);
        assert_eq!(files.introspect(&for_files).await, json!({ "active": false }));
        for (asker, text, target) in [(&files, &for_files, MAIL), (&api, &token, FILES)] {
            let answer = exchange(asker, text, &[("resource", target)]).await.expect(400);
            assert_eq!(answer.string("error"), "invalid_request");
        }
        assert_eq!(execute(world, "UPDATE clients SET disabled_at = NULL WHERE disabled_at = 1").await, 1);
        assert_eq!(files.introspect(&for_files).await["active"], true);
        assert!(world.app().delete_client(&world.operator().op(), &shop.client_id).await.unwrap());
        assert_eq!(files.introspect(&for_files).await, json!({ "active": false }));
    });
}

/// Proves
#[test]
fn whoever_may_not_act_for_a_person_does_not() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let (shop, token) = shop(world, &mut owner).await;
        let api = service(world, API, &json!({})).await;
        let stranger = service(world, MAIL, &json!({})).await;
        let machine = machine(world, &json!({ "grant_types": ["client_credentials", EXCHANGE] })).await;
        let plain = RelyingParty::register(world, renewing(&json!({}))).await;
        assert_eq!(exchange(&plain, &token, &[]).await.expect(400).string("error"), "unauthorized_client");
        // A service the token is not for, and an application it was not given to.
        for asker in [&stranger, &machine] {
            let answer = exchange(asker, &token, &[("resource", FILES)]).await.expect(400);
            assert_eq!(answer.string("error"), "invalid_request");
        }
        // Services name what they want, of what they are registered for.
        assert_eq!(exchange(&api, &token, &[]).await.expect(400).string("error"), "invalid_target");
        for target in [API, "https://evil.example", "https://auth.example.test/oauth2/userinfo"] {
            let answer = exchange(&api, &token, &[("resource", target)]).await.expect(400);
            assert_eq!(answer.string("error"), "invalid_target", "{target}");
        }
        assert_eq!(
            exchange(&api, &token, &[("resource", FILES), ("scope", "orders reports")])
                .await
                .expect(400)
                .string("error"),
            "invalid_scope",
            "the person gave no reports"
        );
        let own = async |party: &RelyingParty| {
            party.ask("grant_type=client_credentials".to_owned()).await.expect(200).string("access_token")
        };
        let theirs = own(&machine).await;
        let first_party = owner.fetch(Method::POST, "/api/v1/token", None).await.expect(200).string("access_token");
        let id_token = granted(&shop, &mut owner, &[]).await.id_token;
        // Nobody acts in another one's name, and a machine is no person.
        for actor in [&theirs, &token, &first_party, &id_token, "x"] {
            let actor = [("resource", FILES), ("actor_token", actor), ("actor_token_type", ACCESS)];
            assert_eq!(exchange(&api, &token, &actor).await.expect(400).string("error"), "invalid_request");
        }
        for subject in [&theirs, &own(&api).await, &first_party, &id_token, "e30.e30.e30", "dwr_", &"A".repeat(20_000)]
        {
            for asker in [&api, &machine, &shop] {
                let answer = exchange(asker, subject, &[("resource", FILES)]).await.expect(400);
                assert_eq!(answer.string("error"), "invalid_request", "{subject:.40}");
            }
        }
        let twice = format!("grant_type={EXCHANGE}&subject_token={token}&subject_token={token}");
        assert_eq!(api.ask(twice).await.expect(400).string("error"), "invalid_request");
        // Withdrawn, it is nothing to exchange; over neither.
        let before = given(&api, &token, &[("resource", FILES)]).await.0;
        shop.revoke(&token).await.expect(200);
        assert_eq!(exchange(&api, &token, &[("resource", FILES)]).await.expect(400).string("error"), "invalid_request");
        world.advance(600 * SECOND_MS);
        assert_eq!(exchange(&api, &before, &[]).await.expect(400).string("error"), "invalid_request");
        let request = Request::new(Method::GET, "/oauth2/userinfo", HOME);
        world.send(request.header(header::AUTHORIZATION, &format!("Bearer {before}"))).await.expect(401);
    });
}

/// Proves: A-113
#[test]
fn a_chain_of_services_has_an_end() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let (_, mut token) = shop(world, &mut owner).await;
        let (api, files) = (
            service(world, API, &json!({"resources": [FILES]})).await,
            service(world, FILES, &json!({"resources": [API]})).await,
        );
        for depth in 0..4 {
            let (asker, target) = if depth % 2 == 0 { (&api, FILES) } else { (&files, API) };
            token = given(asker, &token, &[("resource", target)]).await.0;
        }
        let answer = exchange(&api, &token, &[("resource", FILES)]).await.expect(400);
        assert_eq!(answer.string("error"), "invalid_request");
        assert!(answer.string("error_description").contains("too many"), "{}", answer.text());
    });
}

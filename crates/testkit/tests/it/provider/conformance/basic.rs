//! Basic OP and Form Post OP.

use doorward_testkit::world::Request;
use doorward_testkit::{Answer, Browser, both};
use http::{Method, header};
use serde_json::{Value, json};

use crate::people::{AWAY, OWNER};
use crate::provider::relying_party::{CALLBACK, FORM, NONCE, RelyingParty, SERVER, browser};
use crate::provider::{code, signed_in};

/// The characters of an error's description (RFC 6749 section 5.2).
fn is_description(text: &str) -> bool {
    text.chars().all(|letter| matches!(letter, '\x20'..='\x7e') && !matches!(letter, '"' | '\\'))
}

fn printable(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| matches!(letter, '\x21'..='\x7e'))
}

/// As an error of the token endpoint must be: its form, and its words.
fn refused_by_json(answer: &Answer, error: &str) {
    assert_eq!((answer.status.as_u16(), answer.string("error").as_str()), (400, error));
    assert_eq!(answer.header(header::CONTENT_TYPE), Some("application/json"));
    assert!(is_description(&answer.string("error_description")), "{}", answer.text());
}

/// Somebody with a name.
async fn named(owner: &mut Browser) {
    owner.fetch(Method::PATCH, "/api/v1/me", Some(&json!({"name": "Tester"}))).await.expect(200);
}

/// `oidcc-server`, `oidcc-server-client-secret-post`, `oidcc-ensure-request-with-valid-pkce-succeeds`.
#[test]
fn what_a_code_gives_has_the_form_that_is_checked() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        for method in ["client_secret_basic", "client_secret_post"] {
            let shop = RelyingParty::register(world, json!({"token_endpoint_auth_method": method})).await;
            let mine = code(&shop, &mut owner).await;
            assert!(printable(&mine) && mine.len() >= 22, "{mine}");
            let secret = shop.secret.clone().unwrap();
            let nobody = RelyingParty { secret: None, ..shop.clone() };
            let answer = match method {
                "client_secret_post" => nobody.exchange(&mine, &[("client_secret", &secret)]).await,
                _ => shop.exchange(&mine, &[]).await,
            }
            .expect(200);
            assert_eq!(answer.header(header::CONTENT_TYPE), Some("application/json"));
            assert_eq!(answer.header(header::CACHE_CONTROL), Some("no-store"));
            assert_eq!(answer.string("token_type"), "Bearer");
            assert!(answer.json()["expires_in"].as_u64().is_some_and(|seconds| seconds > 0), "{}", answer.text());
            assert!(printable(&answer.string("access_token")) && printable(&answer.string("id_token")));
            let claims = shop.verify(&answer.string("id_token")).await;
            assert_eq!(claims["nonce"], NONCE);
            assert!(["iat", "exp", "auth_time"].iter().all(|name| claims[name].is_u64()), "{claims}");
            shop.userinfo(&answer.string("access_token")).await.expect(200);
        }
    });
}

/// `oidcc-display-page`, `oidcc-display-popup`, `oidcc-claims-locales`, `oidcc-ensure-request-with-unknown-parameter-succeeds`,
/// `oidcc-ensure-other-scope-order-succeeds`, `oidcc-ensure-request-with-acr-values-succeeds`.
#[test]
fn what_is_asked_in_passing_is_no_error() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({})).await;
        for more in [
            &[("display", "page")][..],
            &[("display", "popup")],
            &[("claims_locales", "se")],
            &[("ui_locales", "se")],
            &[("extra", "foobar")],
            &[("acr_values", "urn:mace:incommon:iap:silver 1 2")],
            &[("scope", "email profile openid")],
        ] {
            owner.open(&shop.start(more)).await.expect(303);
            let mine = shop.code(&owner);
            shop.tokens(&mine).await;
        }
    });
}

/// `oidcc-userinfo-get`, `oidcc-userinfo-post-header`, `oidcc-userinfo-post-body`, `oidcc-scope-profile`,
/// `oidcc-scope-email`: what is asked for is at `UserInfo` and not in the ID token, whichever way it is fetched.
#[test]
fn userinfo_tells_the_claims_of_the_scope_by_get_and_by_post() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        named(&mut owner).await;
        let shop = RelyingParty::register(world, json!({})).await;
        for (scope, claims) in [
            ("openid", &[][..]),
            ("openid email", &["email", "email_verified"]),
            ("openid profile", &["name", "updated_at"]),
        ] {
            owner.open(&shop.start(&[("scope", scope)])).await.expect(303);
            let mine = shop.code(&owner);
            let tokens = shop.tokens(&mine).await;
            for method in [Method::GET, Method::POST] {
                let request = Request::new(method, "/oauth2/userinfo", SERVER);
                let request = request.header(header::AUTHORIZATION, &format!("Bearer {}", tokens.access));
                let answer = world.send(request).await.expect(200);
                assert_eq!(answer.header(header::CONTENT_TYPE), Some("application/json"));
                let told = answer.json();
                assert_eq!(told["sub"], tokens.claims["sub"]);
                for name in ["email", "email_verified", "name", "updated_at"] {
                    assert_eq!(told.get(name).is_some(), claims.contains(&name), "{scope}: {told}");
                    assert_eq!(tokens.claims.get(name), None, "{scope}: {}", tokens.claims);
                }
                assert!(told.get("updated_at").is_none_or(Value::is_u64), "{told}");
            }
            // The standard lets servers refuse a token in the body, with an error and a challenge.
            let request = Request::new(Method::POST, "/oauth2/userinfo", SERVER).header(header::CONTENT_TYPE, FORM);
            let answer = world.send(request.body(format!("access_token={}", tokens.access))).await.expect(401);
            assert_eq!(answer.header(header::WWW_AUTHENTICATE), Some("Bearer"));
        }
    });
}

/// `oidcc-claims-essential`: with `openid` alone, a claim that is asked for by name is at `UserInfo`, and people have been
/// asked for its scope; `fapi2-security-profile-final-test-claims-parameter-identity-claims` asks for each in both places.
#[test]
fn a_claim_that_is_asked_for_by_name_is_there_when_the_person_allows_it() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        named(&mut owner).await;
        let shop = RelyingParty::register(world, json!({"consent": "ask"})).await;
        let name = [("scope", "openid"), ("claims", r#"{"userinfo":{"name":{"essential":true}}}"#)];
        let page = owner.open(&shop.start(&name)).await.expect(200);
        assert!(page.text().contains("see your name"), "{}", page.text());
        assert!(!page.text().contains("see your e-mail address") && owner.has_form("/oauth2/consent"));
        owner.submit("/oauth2/consent", &[("decision", "allow")]).await.expect(303);
        let mine = shop.code(&owner);
        let tokens = shop.tokens(&mine).await;
        assert_eq!(shop.userinfo(&tokens.access).await.expect(200).json()["name"], "Tester");
        assert_eq!(tokens.claims.get("name"), None, "it was asked for at UserInfo");
        assert_eq!(shop.verify(&tokens.access).await["scope"], "openid profile", "the application is told");
        // In the ID token, where it was asked for; the address was not allowed yet, so the person is asked again.
        let both =
            r#"{"id_token":{"name":null,"email":{"essential":true}},"userinfo":{"email":null,"phone_number":null}}"#;
        owner.open(&shop.start(&[("scope", "openid"), ("claims", both)])).await.expect(200);
        owner.submit("/oauth2/consent", &[("decision", "allow")]).await.expect(303);
        let mine = shop.code(&owner);
        let tokens = shop.tokens(&mine).await;
        assert_eq!((&tokens.claims["name"], &tokens.claims["email"]), (&json!("Tester"), &json!(OWNER)));
        assert_eq!(shop.userinfo(&tokens.access).await.expect(200).json()["email"], OWNER);
        // What the application is not registered for it does not get, and it is no error.
        let humble = RelyingParty::register(world, json!({"scope": "openid"})).await;
        owner.open(&humble.start(&name)).await.expect(303);
        let mine = humble.code(&owner);
        let tokens = humble.tokens(&mine).await;
        let told = humble.userinfo(&tokens.access).await.expect(200).json();
        assert_eq!(told.as_object().unwrap().len(), 1, "{told}");
    });
}

/// `oidcc-max-age-10000`, `oidcc-prompt-none-logged-in`, `oidcc-id-token-hint`: nobody signs in again, and the ID token
/// says when they did.
#[test]
fn a_request_that_needs_no_new_sign_in_says_when_the_last_one_was() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({})).await;
        let mine = code(&shop, &mut owner).await;
        let first = shop.tokens(&mine).await;
        world.advance(5_000);
        for more in [
            &[("max_age", "10000")][..],
            &[("prompt", "none")],
            &[("prompt", "none"), ("id_token_hint", &first.id_token)],
        ] {
            owner.open(&shop.start(more)).await.expect(303);
            let mine = shop.code(&owner);
            let again = shop.tokens(&mine).await;
            assert_eq!(
                (&again.claims["sub"], &again.claims["auth_time"]),
                (&first.claims["sub"], &first.claims["auth_time"])
            );
            assert!(again.claims["iat"].as_u64() > first.claims["iat"].as_u64());
        }
    });
}

/// `oidcc-codereuse`, `oidcc-codereuse-30seconds`.
#[test]
fn a_code_that_comes_again_after_half_a_minute_ends_what_it_gave() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({})).await;
        let mine = code(&shop, &mut owner).await;
        let tokens = shop.tokens(&mine).await;
        shop.userinfo(&tokens.access).await.expect(200);
        world.advance(30_000);
        refused_by_json(&shop.exchange(&mine, &[]).await, "invalid_grant");
        shop.userinfo(&tokens.access).await.expect(401);
    });
}

/// `oidcc-refresh-token`: with the scope that was asked for and without, and for the application alone that it was given to.
#[test]
fn a_refresh_token_is_renewed_for_its_own_application() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let fields = json!({"grant_types": ["authorization_code", "refresh_token"], "scope": "openid offline_access"});
        let shop = RelyingParty::register(world, fields.clone()).await;
        let other = RelyingParty::register(world, fields).await;
        let scope = ("scope", "openid offline_access");
        owner.open(&shop.start(&[scope, ("prompt", "consent")])).await.expect(200);
        owner.submit("/oauth2/consent", &[("decision", "allow")]).await.expect(303);
        let mine = shop.code(&owner);
        let first = shop.tokens(&mine).await;
        assert!(printable(&first.refresh), "{}", first.refresh);
        world.advance(1_000);
        let answer = shop.refresh(&first.refresh, &[scope]).await.expect(200);
        assert_eq!(answer.header(header::CACHE_CONTROL), Some("no-store"));
        assert_eq!(answer.header(header::CONTENT_TYPE), Some("application/json"));
        assert_ne!(answer.string("access_token"), first.access);
        let second = answer.string("refresh_token");
        refused_by_json(&other.refresh(&second, &[]).await, "invalid_grant");
        shop.refresh(&second, &[]).await.expect(200);
    });
}

/// Form Post OP, `oidcc-prompt-none-not-logged-in` and every other module whose answer is an error: it goes by the form as
/// well, with the state and the issuer, and nothing of it in an address.
#[test]
fn an_error_goes_by_the_form_where_the_answer_is_to() {
    both(async |world| {
        let shop = RelyingParty::register(world, json!({})).await;
        let mut nobody = browser(world, AWAY);
        for (more, error) in
            [(("prompt", "none"), "login_required"), (("response_type", "token"), "unsupported_response_type")]
        {
            let page = nobody.open(&shop.start(&[("response_mode", "form_post"), more])).await.expect(200);
            assert!(page.header(header::LOCATION).is_none());
            assert_eq!(page.header(header::CACHE_CONTROL), Some("no-store"));
            assert!(nobody.has_form(CALLBACK));
            let text = page.text();
            for field in [&format!("name=\"error\" value=\"{error}\""), "name=\"state\"", "name=\"iss\""] {
                assert!(text.contains(field), "{field}: {text}");
            }
            assert!(!text.contains("name=\"code\""), "{text}");
        }
    });
}

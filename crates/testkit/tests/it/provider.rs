//! Applications sign people in: the authorization code flow from end to end, and everything that must not work.

mod addresses;
mod algorithms;
mod announced;
mod applications;
mod attacks;
mod codes;
mod conformance;
mod consent;
mod device;
mod discovery;
mod dpop;
mod exchange;
mod frames;
mod introspection;
mod kinds;
mod lists;
mod logout;
pub(crate) mod machines;
mod own_keys;
mod private_key_jwt;
mod prompts;
mod pushed;
mod registration;
pub(crate) mod relying_party;
pub(crate) mod renewal;
mod revocation;
mod scripts;
mod subjects;

use doorward_testkit::world::Request;
use doorward_testkit::{Browser, Setup, World, both, both_with};
use http::{Method, header};
use serde_json::json;

use crate::people::{AWAY, HOME, OWNER, PASSWORD};
use relying_party::{CALLBACK, FORM, RelyingParty, browser};

pub(crate) const TYPED: [(&str, &str); 2] = [("email", OWNER), ("password", PASSWORD)];

pub(crate) async fn signed_in(world: &World) -> Browser {
    world.operator().create_user(OWNER, PASSWORD).await;
    let mut owner = browser(world, HOME);
    owner.sign_in(OWNER, PASSWORD).await.expect(200);
    owner
}

/// A fresh code for the person who is signed in.
pub(crate) async fn code(shop: &RelyingParty, owner: &mut Browser) -> String {
    owner.open(&shop.start(&[])).await.expect(303);
    shop.code(owner)
}

/// Proves, V10.4.1
#[test]
fn a_person_signs_in_to_an_application() {
    both(async |world| {
        let user = world.operator().create_user(OWNER, PASSWORD).await;
        let shop = RelyingParty::register(world, json!({})).await;
        let mut owner = browser(world, HOME);
        owner.open(&shop.start(&[])).await.expect(200);
        assert!(owner.location.starts_with("/login?flow="), "{}", owner.location);
        let policy = owner.page.as_ref().unwrap().header("content-security-policy").unwrap().to_owned();
        assert!(policy.contains("form-action 'self' https://shop.example;"), "{policy}");
        // A wrong password, a reload and another tab do not lose the way.
        owner.submit("/login", &[("email", OWNER), ("password", "wrong wrong wrong wrong")]).await.expect(422);
        let place = owner.location.clone();
        let mut second = owner.clone();
        second.open(&shop.start(&[("nonce", "other")])).await.expect(200);
        assert!(place.starts_with("/login"), "{place}");
        owner.open(&shop.start(&[])).await.expect(200);
        let reloaded = owner.location.clone();
        owner.open(&reloaded).await.expect(200);
        owner.submit("/login", &TYPED).await.expect(303);
        let tokens = shop.tokens(&shop.code(&owner)).await;
        assert_eq!(tokens.claims["sub"], json!(user));
        assert_eq!(tokens.claims.get("email"), None, "that is at the UserInfo endpoint");
        let access = shop.verify(&tokens.access).await;
        assert_eq!((&access["scope"], &access["client_id"]), (&json!("openid email"), &json!(shop.client_id)));
        let info = shop.userinfo(&tokens.access).await.expect(200).json();
        assert_eq!(info, json!({"sub": user, "email": OWNER, "email_verified": true}));
        // Now that they are signed in, nothing is asked.
        let again = code(&shop, &mut owner).await;
        assert_eq!(shop.tokens(&again).await.claims["sub"], json!(user));
        let actions = world.actions().await;
        assert_eq!(actions.iter().filter(|found| *found == "grant.created").count(), 2, "{actions:?}");
    });
}

/// Proves: A-83, V10.4.2
#[test]
fn of_fifty_exchanges_at_once_one_succeeds_and_its_tokens_end() {
    let mut setup = Setup::default();
    setup.edge.limit_scale = 10.0;
    both_with(&setup, async |world| {
        let mut owner = signed_in(world).await;
        let shop = std::sync::Arc::new(RelyingParty::register(world, json!({})).await);
        let code = code(&shop, &mut owner).await;
        let mut asked = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let (shop, code) = (std::sync::Arc::clone(&shop), code.clone());
            asked.spawn(async move { shop.exchange(&code, &[]).await });
        }
        let answers = asked.join_all().await;
        let (given, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!((given.len(), refused.len()), (1, 49));
        for answer in refused {
            assert_eq!(answer.expect(400).string("error"), "invalid_grant");
        }
        shop.userinfo(&given[0].string("access_token")).await.expect(401);
        assert_eq!(world.actions().await.iter().filter(|action| *action == "grant.code_reused").count(), 1);
    });
}

/// Proves, V10.4.2
#[test]
fn a_code_is_good_for_whom_it_was_issued_to_and_for_a_minute() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({})).await;
        let other = RelyingParty::register(world, json!({})).await;
        let first = code(&shop, &mut owner).await;
        let wrong = "a".repeat(43);
        for changes in [
            &[("code_verifier", wrong.as_str())][..],
            &[("code_verifier", "")],
            &[("code_verifier", "short")],
            &[("redirect_uri", "https://shop.example/callback/")],
            &[("code", "dwac_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")],
            &[("code", "nothing")],
        ] {
            let answer = shop.exchange(&first, changes).await.expect(400);
            assert_eq!(answer.string("error"), "invalid_grant", "{changes:?}");
        }
        assert_eq!(other.exchange(&first, &[]).await.expect(400).string("error"), "invalid_grant");
        let tokens = shop.tokens(&first).await;
        // Whoever lacks something ends nothing; whoever has everything is a second holder.
        shop.exchange(&first, &[("code_verifier", wrong.as_str())]).await.expect(400);
        other.exchange(&first, &[]).await.expect(400);
        shop.userinfo(&tokens.access).await.expect(200);
        shop.exchange(&first, &[]).await.expect(400);
        shop.userinfo(&tokens.access).await.expect(401);
        let late = code(&shop, &mut owner).await;
        world.advance(60_000);
        assert_eq!(shop.exchange(&late, &[]).await.expect(400).string("error"), "invalid_grant");
        let unused = code(&shop, &mut owner).await;
        let used = code(&shop, &mut owner).await;
        let alive = shop.tokens(&used).await;
        let id = world.operator().find_user(OWNER).await.unwrap();
        world.operator().disable(id).await;
        assert_eq!(shop.exchange(&unused, &[]).await.expect(400).string("error"), "invalid_grant");
        shop.userinfo(&alive.access).await.expect(401);
    });
}

/// Proves, V10.4.1
#[test]
fn hostile_requests_lead_nowhere_they_should_not() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({})).await;
        let before = world.actions().await.len();
        for changes in [
            ("client_id", "client_01h455vb4pex5vsknk084sn02q"),
            ("client_id", "../x"),
            ("client_id", ""),
            ("redirect_uri", ""),
            ("redirect_uri", "https://shop.example/callback/"),
            ("redirect_uri", "https://shop.example/callback?x=1"),
            ("redirect_uri", "https://shop.example.evil.example/callback"),
            ("redirect_uri", "https://shop.example@evil.example/callback"),
            ("redirect_uri", "http://shop.example/callback"),
            ("redirect_uri", "https://shop.example/callback#x"),
            ("redirect_uri", "https://SHOP.example/callback"),
            ("redirect_uri", "javascript:alert(1)"),
        ] {
            let answer = owner.open(&shop.start(&[changes])).await.expect(400);
            assert!(answer.header(header::LOCATION).is_none(), "{changes:?}");
            assert!(answer.header("content-type").unwrap().starts_with("text/html"), "{changes:?}");
        }
        for (changes, error) in [
            (("response_type", "token"), "unsupported_response_type"),
            (("response_type", "code token"), "unsupported_response_type"),
            (("response_type", ""), "invalid_request"),
            (("response_mode", "fragment"), "invalid_request"),
            (("code_challenge", ""), "invalid_request"),
            (("code_challenge_method", "plain"), "invalid_request"),
            (("code_challenge_method", ""), "invalid_request"),
            (("scope", "openid admin"), "invalid_scope"),
            (("scope", ""), "invalid_scope"),
            (("prompt", "none login"), "invalid_request"),
            (("prompt", "create none"), "invalid_request"),
            (("max_age", "-1"), "invalid_request"),
            (("claims", "[]"), "invalid_request"),
            (("request", "e30.e30.e30"), "invalid_request_object"),
            (("request_uri", "urn:ietf:params:oauth:request_uri:made-up"), "invalid_request_uri"),
            (("request_uri", "https://shop.example/request"), "request_uri_not_supported"),
            (("registration", "{}"), "registration_not_supported"),
            (("resource", "https://api.example"), "invalid_target"),
            (("id_token_hint", "e30.e30.e30"), "login_required"),
        ] {
            let more: &[(&str, &str)] = if changes.0 == "id_token_hint" { &[("prompt", "none")] } else { &[] };
            owner.open(&shop.start(&[&[changes], more].concat())).await.expect(303);
            assert_eq!(RelyingParty::error(&owner), error, "{changes:?}");
        }
        let twice = format!("{}&scope=openid", shop.start(&[]));
        owner.open(&twice).await.expect(303);
        assert_eq!(RelyingParty::error(&owner), "invalid_request");
        for query in ["%ff=1", "a=%zz", "client_id=a&client_id=b", "flow=forged", "flow="] {
            owner.open(&format!("/oauth2/authorize?{query}")).await.expect(400);
        }
        assert_eq!(world.actions().await.len(), before, "nothing was written");
    });
}

/// Proves: A-97, V10.4.1
#[test]
fn what_may_be_shown_and_how_fresh_a_sign_in_is_are_the_clients_to_say() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({})).await;
        let mut stranger = browser(world, AWAY);
        stranger.open(&shop.start(&[("prompt", "none")])).await.expect(303);
        assert_eq!(RelyingParty::error(&stranger), "login_required");
        owner.open(&shop.start(&[("prompt", "none")])).await.expect(303);
        let first = shop.tokens(&shop.code(&owner)).await;
        let hint = [("prompt", "none"), ("id_token_hint", first.id_token.as_str())];
        owner.open(&shop.start(&hint)).await.expect(303);
        shop.code(&owner);
        world.advance(10_000);
        for changes in [("prompt", "login"), ("prompt", "login select_account"), ("max_age", "5"), ("max_age", "0")] {
            owner.open(&shop.start(&[changes])).await.expect(200);
            assert!(owner.location.starts_with("/login?flow="), "{changes:?}: {}", owner.location);
            owner.submit("/login", &TYPED).await.expect(303);
            let again = shop.tokens(&shop.code(&owner)).await;
            assert_eq!(again.claims["auth_time"], json!(world.now().as_seconds()), "{changes:?}");
            assert_ne!(again.claims["auth_time"], first.claims["auth_time"], "{changes:?}");
            world.advance(10_000);
        }
        owner.open(&shop.start(&[("max_age", "5"), ("prompt", "none")])).await.expect(303);
        assert_eq!(RelyingParty::error(&owner), "login_required");
        owner.open(&shop.start(&[("max_age", "60"), ("prompt", "none")])).await.expect(303);
        shop.code(&owner);
    });
}

/// Proves: V9.2.2, V9.2.3
#[test]
fn a_clients_token_is_nothing_to_the_api_and_an_id_token_opens_nothing() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({"resources": ["https://auth.example.test"]})).await;
        let resource = [("resource", "https://auth.example.test")];
        owner.open(&shop.start(&resource)).await.expect(303);
        let tokens = shop.tokens(&shop.code(&owner)).await;
        for token in [&tokens.access, &tokens.id_token] {
            let request = Request::new(Method::GET, "/api/v1/me", HOME);
            let request = request.header(header::AUTHORIZATION, &format!("Bearer {token}"));
            world.send(request).await.expect_problem(401, "invalid_token");
        }
        shop.userinfo(&tokens.id_token).await.expect(401);
        let mine = owner.fetch(Method::POST, "/api/v1/token", None).await.expect(200).string("access_token");
        let answer = shop.userinfo(&mine).await.expect(401);
        assert!(answer.header(header::WWW_AUTHENTICATE).unwrap().contains("invalid_token"));
        let bare = world.send(Request::new(Method::GET, "/oauth2/userinfo", HOME)).await.expect(401);
        assert_eq!(bare.header(header::WWW_AUTHENTICATE), Some("Bearer"));
    });
}

#[test]
fn asking_for_more_than_was_granted_uses_no_code_up() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let (granted, other) = ("https://api.example", "https://other.example");
        let shop = RelyingParty::register(world, json!({"resources": [granted, other]})).await;
        owner.open(&shop.start(&[("resource", granted)])).await.expect(303);
        let code = shop.code(&owner);
        let refused = shop.exchange(&code, &[("resource", other)]).await.expect(400);
        assert_eq!(refused.string("error"), "invalid_target");
        assert!(!world.actions().await.contains(&"grant.created".to_owned()), "nothing was granted");
        let tokens = shop.exchange(&code, &[("resource", granted)]).await.expect(200);
        let audience = shop.verify(&tokens.string("access_token")).await["aud"].clone();
        assert_eq!(audience, json!([granted, "https://auth.example.test/oauth2/userinfo"]));
    });
}

/// Proves
#[test]
fn the_token_endpoint_says_what_is_wrong_in_the_standards_form() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({})).await;
        let public = RelyingParty::register(world, json!({"token_endpoint_auth_method": "none"})).await;
        let code = code(&shop, &mut owner).await;
        let wrong = RelyingParty {
            secret: Some(format!("dwcs_{}", "A".repeat(43))),
            ..RelyingParty::register(world, json!({})).await
        };
        let answer = wrong.exchange(&code, &[]).await.expect(401);
        assert_eq!(answer.string("error"), "invalid_client");
        assert!(answer.header(header::WWW_AUTHENTICATE).unwrap().starts_with("Basic "));
        let secret = shop.secret.clone().unwrap();
        for (body, status, error) in [
            ("", 400, "invalid_request"),
            ("grant_type=password", 400, "unsupported_grant_type"),
            ("grant_type=client_credentials", 400, "unauthorized_client"),
            ("grant_type=refresh_token&refresh_token=x", 400, "unauthorized_client"),
            ("grant_type=authorization_code", 400, "invalid_request"),
            ("grant_type=authorization_code&code=a&code=b", 400, "invalid_request"),
            ("grant_type=%ff", 400, "invalid_request"),
            (&format!("grant_type=authorization_code&code=a&client_secret={secret}"), 400, "invalid_request"),
            (&format!("grant_type=authorization_code&code=a&client_id={}", public.client_id), 400, "invalid_request"),
        ] {
            let answer = shop.ask(body.to_owned()).await.expect(status);
            assert_eq!(answer.string("error"), error, "{body}");
            assert_eq!(answer.header("content-type"), Some("application/json"), "{body}");
        }
        let nobody = RelyingParty { secret: None, ..RelyingParty::register(world, json!({})).await };
        assert_eq!(nobody.exchange(&code, &[]).await.expect(401).string("error"), "invalid_client");
        for (method, content_type, status) in
            [(Method::GET, FORM, 405), (Method::POST, "application/json", 415), (Method::POST, "", 415)]
        {
            let request = Request::new(method, "/oauth2/token", HOME).header(header::CONTENT_TYPE, content_type);
            let answer = world.send(request.body("{}".to_owned())).await.expect(status);
            assert_eq!(answer.string("error"), "invalid_request", "{content_type}");
        }
        let secret_in_address = format!("/oauth2/token?client_id={}&client_secret={secret}", shop.client_id);
        let request = Request::new(Method::POST, &secret_in_address, HOME).header(header::CONTENT_TYPE, FORM);
        world.send(request.body("grant_type=authorization_code".to_owned())).await.expect(400);
        owner.open(&public.start(&[])).await.expect(303);
        let mine = public.code(&owner);
        public.exchange(&mine, &[]).await.expect(200);
        shop.tokens(&code).await;
    });
}

#[test]
fn a_request_by_post_and_an_answer_by_post_lose_nothing() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({})).await;
        let start = shop.start(&[("response_mode", "form_post")]);
        let query = start.split_once('?').unwrap().1;
        // Another site's form: no cookie comes along.
        let request = Request::new(Method::POST, "/oauth2/authorize", HOME)
            .header("sec-fetch-site", "cross-site")
            .header("origin", "https://shop.example")
            .header(header::CONTENT_TYPE, FORM);
        let answer = world.send(request.body(query.to_owned())).await.expect(303);
        let location = answer.header(header::LOCATION).unwrap().to_owned();
        assert!(location.starts_with("/oauth2/authorize?response_type=code&"), "{location}");
        let page = owner.open(&location).await.expect(200);
        assert!(page.header("content-security-policy").unwrap().contains("form-action 'self' https://shop.example;"));
        assert!(owner.has_form(CALLBACK));
        for field in ["name=\"code\" value=\"dwac_", "name=\"iss\"", "name=\"state\" value=\"state &#38; co\""] {
            assert!(page.text().contains(field), "{field}: {}", page.text());
        }
    });
}

//! What somebody tries who has a client's address, a visitor's browser, a token, or a lot of time.

use doorward_testkit::world::Request;
use doorward_testkit::{Setup, World, both, both_with};
use http::{Method, header};
use serde_json::json;

use super::relying_party::{CALLBACK, FORM, RelyingParty, browser};
use super::{TYPED, code, signed_in};
use crate::credentials::{bare, with_bearer, with_cookie};
use crate::people::{AWAY, HOME, OWNER, PASSWORD};
use crate::wrong_kinds::forgeries;

const OTHER_PASSWORD: &str = "quiet granite lantern orbit";

fn with_true_limits() -> Setup {
    let mut setup = Setup::default();
    setup.edge.limit_scale = 1.0;
    setup
}

/// Somebody who says to be `shop`, and presents this.
fn thief(shop: &RelyingParty, secret: Option<&str>) -> RelyingParty {
    let secret = secret.map(str::to_owned);
    RelyingParty { world: shop.world.clone(), client_id: shop.client_id.clone(), secret }
}

/// Proves: A-90
#[test]
fn whoever_tries_secrets_of_clients_is_stopped_and_whoever_brings_bad_codes_is_not() {
    both_with(&with_true_limits(), async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({})).await;
        let code = code(&shop, &mut owner).await;
        // A visitor may bring a client as many codes as they can make up: it does not lock the client out.
        for _ in 0..70 {
            let made_up = [("code", "dwac_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")];
            assert_eq!(shop.exchange(&code, &made_up).await.expect(400).string("error"), "invalid_grant");
            shop.userinfo("made-up").await.expect(401);
        }
        let wrong = format!("dwcs_{}", "A".repeat(43));
        let guesses = [thief(&shop, Some(&wrong)), thief(&shop, Some("x")), thief(&shop, None)];
        let mut refused = 0;
        let stopped = loop {
            let answer = guesses[refused % guesses.len()].exchange(&code, &[]).await;
            if answer.status == 429 {
                break answer;
            }
            assert_eq!(answer.expect(401).string("error"), "invalid_client");
            refused += 1;
            assert!(refused <= 61, "nobody is stopped");
        };
        assert_eq!(refused, 60);
        assert_eq!(stopped.string("error"), "temporarily_unavailable");
        assert_eq!(stopped.header(header::RETRY_AFTER), Some("2"));
        // The right one is not looked at either.
        shop.exchange(&code, &[]).await.expect(429);
        world.advance(2_000);
        shop.tokens(&code).await;
    });
}

#[test]
fn asking_for_a_resource_that_was_not_granted_leaves_the_code_as_it_is() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let resources = json!(["https://api.example", "https://files.example"]);
        let shop = RelyingParty::register(world, json!({ "resources": resources })).await;
        owner.open(&shop.start(&[("resource", "https://api.example")])).await.expect(303);
        let code = shop.code(&owner);
        for wrong in ["https://files.example", "https://evil.example"] {
            let answer = shop.exchange(&code, &[("resource", wrong)]).await.expect(400);
            assert_eq!(answer.string("error"), "invalid_target", "{wrong}");
        }
        let answer = shop.exchange(&code, &[("resource", "https://api.example")]).await.expect(200);
        let access = shop.verify(&answer.string("access_token")).await;
        assert_eq!(access["aud"], json!(["https://api.example", "https://auth.example.test/oauth2/userinfo"]));
        // Used up, it is what it was: a second holder ends the tokens, whatever they ask for.
        let again = shop.exchange(&code, &[("resource", "https://files.example")]).await.expect(400);
        assert_eq!(again.string("error"), "invalid_grant");
        shop.userinfo(&answer.string("access_token")).await.expect(401);
    });
}

/// Proves: A-97
#[test]
fn the_way_back_from_a_sign_in_is_walked_with_a_fresh_sign_in_only() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({})).await;
        for (name, value) in [("prompt", "login"), ("max_age", "5"), ("prompt", "login select_account")] {
            world.advance(10_000);
            owner.open(&shop.start(&[(name, value)])).await.expect(200);
            let way = owner.location.replacen("/login?", "/oauth2/authorize?", 1);
            // Whoever is signed in, but not anew, does not come past it.
            owner.open(&way).await.expect(200);
            assert!(owner.location.starts_with("/login?flow="), "{name}: {}", owner.location);
            owner.submit("/login", &TYPED).await.expect(303);
            shop.code(&owner);
            // A reload is answered; the address from the history of the browser is not, hours later.
            owner.open(&way).await.expect(303);
            shop.code(&owner);
            world.advance(3_600_000);
            owner.open(&way).await.expect(200);
            assert!(owner.location.starts_with("/login?flow="), "{name}: {}", owner.location);
        }
        // It is nothing to another browser, signed in or not.
        owner.open(&shop.start(&[("prompt", "login")])).await.expect(200);
        let way = owner.location.replacen("/login?", "/oauth2/authorize?", 1);
        let mut thief = browser(world, AWAY);
        thief.open(&way).await.expect(400);
        thief.sign_in(OWNER, PASSWORD).await.expect(200);
        thief.open(&way).await.expect(400);
        thief.open(&format!("{way}&prompt=none")).await.expect(400);
    });
}

#[test]
fn a_request_is_carried_through_the_sign_in_or_refused_before_it() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let shop = RelyingParty::register(world, json!({})).await;
        let filled = |length: usize, with: &str| {
            let start = shop.start(&[]);
            let missing = length - start.split_once('?').unwrap().1.len() - "&x=".len();
            format!("{start}&x={}", with.repeat(missing))
        };
        // The length is the one that the manual promises.
        for path in [filled(2_800, "a"), filled(1_000, "\\")] {
            let mut owner = browser(world, HOME);
            owner.open(&path).await.expect(200);
            assert!(owner.location.starts_with("/login?flow="), "{}", owner.location);
            owner.submit("/login", &TYPED).await.expect(303);
            shop.code(&owner);
            // Whoever is signed in needs no way back.
            owner.open(&filled(7_000, "a")).await.expect(303);
            shop.code(&owner);
        }
        let mut stranger = browser(world, AWAY);
        for path in [filled(3_100, "a"), filled(2_900, "\\")] {
            let page = stranger.open(&path).await.expect(400);
            assert!(page.text().contains("the request is too long"), "{}", page.text());
        }
    });
}

#[test]
fn a_sign_in_may_lead_to_an_application_on_the_device_and_nowhere_else() {
    both(async |world| {
        let user = world.operator().create_user(OWNER, PASSWORD).await;
        let callback = "com.example.app:/callback";
        let changes = json!({ "redirect_uris": [callback], "application_type": "native" });
        let app = RelyingParty::register(world, changes).await;
        let mut owner = browser(world, HOME);
        owner.applications.push(callback.to_owned());
        let page = owner.open(&app.start(&[("redirect_uri", callback)])).await.expect(200);
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("form-action 'self' com.example.app:;"), "{policy}");
        owner.submit("/login", &TYPED).await.expect(303);
        let location = owner.page.as_ref().unwrap().header(header::LOCATION).unwrap().to_owned();
        let query = location.strip_prefix("com.example.app:/callback?").unwrap();
        let (_, code) = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "code").unwrap();
        world.canaries().add(&code);
        let answer = app.exchange(&code, &[("redirect_uri", callback)]).await.expect(200);
        assert_eq!(app.verify(&answer.string("id_token")).await["sub"], json!(user));
    });
}

/// Proves
#[test]
fn codes_and_tokens_end_with_the_session_they_came_from() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({})).await;
        let mut away = browser(world, AWAY);
        for end in ["sign-out", "password change", "reset"] {
            away.sign_in(OWNER, if end == "reset" { OTHER_PASSWORD } else { PASSWORD }).await.expect(200);
            let used = code(&shop, &mut away).await;
            let tokens = shop.tokens(&used).await;
            let unused = code(&shop, &mut away).await;
            match end {
                "sign-out" => {
                    away.fetch(Method::POST, "/api/v1/logout", None).await.expect(204);
                }
                "password change" => {
                    let body = json!({ "current_password": PASSWORD, "new_password": OTHER_PASSWORD });
                    owner.fetch(Method::POST, "/api/v1/password/change", Some(&body)).await.expect(204);
                }
                _ => {
                    let api = world.api(HOME);
                    let token = api.reset_token(OWNER).await;
                    api.reset(&token, "harbour thistle comet velvet").await.expect(204);
                }
            }
            assert_eq!(shop.exchange(&unused, &[]).await.expect(400).string("error"), "invalid_grant", "{end}");
            shop.userinfo(&tokens.access).await.expect(401);
            // As a hint of whom to sign in it stays what it is: a hint.
            let hint = [("prompt", "none"), ("id_token_hint", tokens.id_token.as_str())];
            away.open(&shop.start(&hint)).await.expect(303);
            assert_eq!(RelyingParty::error(&away), "login_required", "{end}");
        }
    });
}

/// Proves: A-121, S-29, V9.2.2, V9.2.3
#[test]
fn every_credential_is_good_at_its_own_place_and_at_no_other() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({})).await;
        let public = RelyingParty::register(world, json!({"token_endpoint_auth_method": "none"})).await;
        let used = code(&shop, &mut owner).await;
        let tokens = shop.tokens(&used).await;
        let fresh = code(&shop, &mut owner).await;
        let first_party = owner.fetch(Method::POST, "/api/v1/token", None).await.expect(200).string("access_token");
        let body = json!({ "email": OWNER, "password": PASSWORD, "mode": "token" });
        let held = world.api(HOME).post("/api/v1/login", &body).await.expect(200);
        let reset = world.api(HOME).reset_token(OWNER).await;
        let cookie = owner.session_cookie().unwrap().to_owned();
        let csrf = owner.csrf_token().await.unwrap();
        let refresh = held.string("refresh_token");
        let secret = shop.secret.clone().unwrap();
        let kinds = [
            ("first-party access token", first_party.as_str()),
            ("client's access token", &tokens.access),
            ("ID token", &tokens.id_token),
            ("session cookie", &cookie),
            ("refresh token", &refresh),
            ("code", &fresh),
            ("client secret", &secret),
            ("one-time token", &reset),
            ("csrf token", &csrf),
        ];
        for (name, text) in kinds {
            let is = |wanted: &str| name == wanted;
            let me = world.send(with_bearer(bare(&Method::GET, "/api/v1/me"), text)).await;
            assert_eq!(me.status == 200, is("first-party access token"), "{name} at the API");
            let me = world.send(with_cookie(bare(&Method::GET, "/api/v1/me"), text)).await;
            assert_eq!(me.status == 200, is("session cookie"), "{name} as cookie");
            let info = shop.userinfo(text).await;
            assert_eq!(info.status == 200, is("client's access token"), "{name} at UserInfo");
            let asked = thief(&shop, Some(text)).exchange("x", &[]).await;
            assert_eq!(asked.string("error") == "invalid_grant", is("client secret"), "{name} as secret");
            let asked = public.exchange(text, &[]).await.expect(400);
            assert_eq!(asked.string("error"), "invalid_grant", "{name} as a code of another client");
            if !is("code") {
                assert_eq!(shop.exchange(text, &[]).await.expect(400).string("error"), "invalid_grant", "{name}");
            }
            if !is("refresh token") {
                let body = json!({ "refresh_token": text });
                world.api(HOME).post("/api/v1/token", &body).await.expect_problem(401, "invalid_token");
            }
            if !is("one-time token") {
                let body = json!({ "token": text, "password": OTHER_PASSWORD });
                world.api(HOME).post("/api/v1/password/reset", &body).await.expect_problem(400, "invalid_token");
            }
            owner.open(&shop.start(&[("prompt", "none"), ("id_token_hint", text)])).await.expect(303);
            if is("ID token") {
                shop.code(&owner);
            } else {
                assert_eq!(RelyingParty::error(&owner), "login_required", "{name} as a hint");
            }
        }
        // Nothing was used up.
        shop.tokens(&fresh).await;
        world.api(HOME).post("/api/v1/token", &json!({ "refresh_token": refresh })).await.expect(200);
        world.api(HOME).reset(&reset, OTHER_PASSWORD).await.expect(204);
    });
}

/// Proves, V9.1.1, V9.1.2, V9.1.3
#[test]
fn no_forged_token_is_taken_at_userinfo_or_as_a_hint() {
    both(async |world: &World| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({})).await;
        let mine = code(&shop, &mut owner).await;
        let tokens = shop.tokens(&mine).await;
        let request = Request::new(Method::GET, "/.well-known/jwks.json", HOME);
        let keys = world.send(request).await.expect(200).json();
        for (name, text) in forgeries(&tokens.access, &keys["keys"][0]) {
            let answer = shop.userinfo(&text).await.expect(401);
            assert_eq!(answer.string("error"), "invalid_token", "{name}");
        }
        for (name, text) in forgeries(&tokens.id_token, &keys["keys"][0]) {
            owner.open(&shop.start(&[("prompt", "none"), ("id_token_hint", &text)])).await.expect(303);
            let location = owner.page.as_ref().unwrap().header(header::LOCATION).unwrap();
            assert!(location.contains("error="), "{name}: {location}");
            RelyingParty::error(&owner);
        }
        shop.userinfo(&tokens.access).await.expect(200);
    });
}

/// Proves
#[test]
fn a_form_of_another_site_changes_nothing_in_the_browser_that_sends_it() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({})).await;
        owner.open(&shop.start(&[])).await.expect(303);
        let start = shop.start(&[]);
        let query = start.split_once('?').unwrap().1;
        let before = world.actions().await.len();
        let long = format!("{query}&x={}", "a".repeat(20_000));
        for (path, content_type, body) in [
            ("/oauth2/authorize", FORM, query),
            ("/oauth2/authorize", FORM, "%zz"),
            ("/oauth2/authorize", FORM, &long),
            ("/oauth2/authorize", "text/plain", query),
            ("/oauth2/authorize", "multipart/form-data; boundary=x", query),
            ("/oauth2/authorize?client_id=x", FORM, query),
            ("/oauth2/token", FORM, "grant_type=authorization_code"),
            ("/oauth2/userinfo", FORM, "access_token=x"),
        ] {
            let request = Request::new(Method::POST, path, HOME)
                .header("sec-fetch-site", "cross-site")
                .header("sec-fetch-mode", "navigate")
                .header("origin", "https://evil.example")
                .header(header::CONTENT_TYPE, content_type)
                .body(body.to_owned());
            let answer = world.send(request).await;
            // A cookie set here would replace the one that a sign-in under way is bound to.
            assert!(answer.cookies().is_empty(), "{path} {content_type}: {:?}", answer.headers);
            if let Some(location) = answer.header(header::LOCATION) {
                assert!(location.starts_with("/oauth2/authorize?"), "{location}");
            }
        }
        assert_eq!(world.actions().await.len(), before);
        assert!(owner.applications.iter().any(|uri| uri == CALLBACK));
    });
}

/// Proves: A-91
#[test]
fn what_a_client_may_not_have_any_more_a_code_on_its_way_does_not_give() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let (api, files) = ("https://api.example", "https://files.example");
        let shop = RelyingParty::register(world, json!({"resources": [api, files]})).await;
        let op = world.operator().op();
        let change = async |fields: serde_json::Value| {
            let fields = fields.as_object().unwrap().clone();
            world.app().update_client(&op, &shop.client_id, fields).await.unwrap().unwrap();
        };
        let asked = shop.start(&[("resource", api), ("resource", files)]);
        owner.open(&asked).await.expect(303);
        let first = shop.code(&owner);
        change(json!({"scope": "openid profile", "resources": [files]})).await;
        let answer = shop.exchange(&first, &[]).await.expect(200);
        assert_eq!(answer.string("scope"), "openid");
        let audience = crate::credentials::claim(&answer.string("access_token"), "aud");
        assert!(!audience.to_string().contains(api) && audience.to_string().contains(files), "{audience}");
        // With nothing left there is nothing to give, and nothing is used up.
        owner.open(&shop.start(&[("scope", "openid")])).await.expect(303);
        let second = shop.code(&owner);
        change(json!({"scope": "profile"})).await;
        assert_eq!(shop.exchange(&second, &[]).await.expect(400).string("error"), "invalid_scope");
        change(json!({"scope": "openid"})).await;
        shop.exchange(&second, &[]).await.expect(200);
    });
}

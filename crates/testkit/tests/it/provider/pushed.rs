//! Requests that are pushed beforehand (RFC 9126) or signed (RFC 9101).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_testkit::world::{PUBLIC_URL, Request};
use doorward_testkit::{Answer, Browser, Setup, World, both, both_with};
use http::{Method, header};
use serde_json::{Value, json};

use super::own_keys::OwnKey;
use super::relying_party::{CALLBACK, FORM, NONCE, RelyingParty, STATE, browser};
use super::{TYPED, signed_in};
use crate::people::{AWAY, HOME, OWNER, PASSWORD};

const PUSH: &str = "/oauth2/par";

/// The parameters of an honest request, with these changed; an empty value leaves one out.
pub(super) fn form(shop: &RelyingParty, changes: &[(&str, &str)]) -> String {
    shop.start(changes).split_once('?').unwrap().1.to_owned()
}

pub(super) async fn push(shop: &RelyingParty, body: String) -> Answer {
    let mut request = Request::new(Method::POST, PUSH, HOME).header(header::CONTENT_TYPE, FORM);
    if let Some(secret) = &shop.secret {
        let basic = STANDARD.encode(format!("{}:{secret}", shop.client_id));
        request = request.header(header::AUTHORIZATION, &format!("Basic {basic}"));
    }
    shop.world.send(request.body(body)).await
}

/// Pushes an honest request with these changes, and gives the address to send people to.
async fn pushed(shop: &RelyingParty, changes: &[(&str, &str)]) -> String {
    let answer = push(shop, form(shop, changes)).await.expect(201);
    assert_eq!(answer.json()["expires_in"], 90);
    assert_eq!(answer.header(header::CACHE_CONTROL), Some("no-store"));
    address(shop, &answer.string("request_uri"))
}

fn address(shop: &RelyingParty, request_uri: &str) -> String {
    let fields = [("client_id", shop.client_id.as_str()), ("request_uri", request_uri)];
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    format!("/oauth2/authorize?{query}")
}

/// What the request says on a page of ours, where it leads nowhere.
async fn refused_on_a_page(owner: &mut Browser, path: &str) {
    let page = owner.open(path).await.expect(400);
    assert!(page.header(header::LOCATION).is_none(), "{path}");
}

/// Proves
#[test]
fn a_pushed_request_is_answered_once_and_nothing_outside_counts() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({})).await;
        let other = RelyingParty::register(world, json!({})).await;
        let path = pushed(&shop, &[]).await;
        assert!(path.contains("request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3A"), "{path}");
        // Another application cannot use it.
        let taken = path.replace(&shop.client_id, &other.client_id);
        refused_on_a_page(&mut owner, &taken).await;
        let outside = form(&other, &[]);
        owner.open(&format!("{taken}&{}", outside.replace("client_id=", "x="))).await.expect(303);
        assert_eq!(RelyingParty::error(&owner), "invalid_request_uri", "to it there is no such request");
        let more = "&scope=openid+profile+admin&redirect_uri=https%3A%2F%2Fevil.example&state=x&nonce=y&code_challenge=z\
                    &code_challenge_method=plain&prompt=login&max_age=0";
        owner.open(&format!("{path}{more}")).await.expect(303);
        let tokens = shop.tokens(&shop.code(&owner)).await;
        assert_eq!(shop.verify(&tokens.access).await["scope"], json!("openid email"));
        refused_on_a_page(&mut owner, &path).await;
        // A response type that contradicts what was pushed is a mix of two requests.
        let path = pushed(&shop, &[]).await;
        refused_on_a_page(&mut owner, &format!("{path}&response_type=token")).await;
        for (path, code) in [
            (address(&shop, "urn:ietf:params:oauth:request_uri:made-up"), "unknown"),
            (address(&shop, "urn:ietf:params:oauth:request_uri:"), "empty"),
            (address(&shop, "https://shop.example/request"), "fetched"),
            (address(&shop, "http://169.254.169.254/"), "fetched"),
            (format!("{path}&request_uri=urn%3Aother"), "twice"),
            (format!("{path}&request=e30.e30.e30"), "both"),
        ] {
            let page = owner.open(&path).await.expect(400);
            assert!(page.header(header::LOCATION).is_none(), "{code}");
        }
        world.advance(89_000);
        owner.open(&path).await.expect(303);
        shop.code(&owner);
        let late = pushed(&shop, &[]).await;
        world.advance(90_000);
        refused_on_a_page(&mut owner, &late).await;
    });
}

/// Proves: A-98
#[test]
fn a_visitor_who_came_in_time_may_take_an_hour_to_sign_in() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let shop = RelyingParty::register(world, json!({ "consent": "ask" })).await;
        let path = pushed(&shop, &[("response_mode", "form_post")]).await;
        let mut owner = browser(world, AWAY);
        owner.open(&path).await.expect(200);
        assert!(owner.location.starts_with("/login?flow="), "{}", owner.location);
        world.advance(10 * 60_000);
        // Whoever has only the address comes too late.
        refused_on_a_page(&mut browser(world, HOME), &path).await;
        owner.submit("/login", &TYPED).await.expect(200);
        assert!(owner.has_form("/oauth2/consent"), "{}", owner.page.as_ref().unwrap().text());
        world.advance(60_000);
        let page = owner.submit("/oauth2/consent", &[("decision", "allow")]).await.expect(200);
        assert!(page.text().contains("dwac_"), "{}", page.text());
        // What was answered is not answered again, by a reload or from the history.
        let way = owner.location.clone();
        assert!(way.starts_with("/oauth2/authorize?flow="), "{way}");
        refused_on_a_page(&mut owner, &way).await;
    });
}

/// Proves
#[test]
fn of_fifty_who_open_a_pushed_request_at_once_one_gets_a_code() {
    let mut setup = Setup::default();
    setup.edge.limit_scale = 1_000.0;
    both_with(&setup, async |world| {
        let owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({})).await;
        let path = pushed(&shop, &[]).await;
        let mut opened = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let (mut owner, path) = (owner.clone(), path.clone());
            opened.spawn(async move {
                let answer = owner.open(&path).await;
                answer.header(header::LOCATION).is_some_and(|location| location.contains("code=dwac_"))
            });
        }
        assert_eq!(opened.join_all().await.into_iter().filter(|has_code| *has_code).count(), 1);
        assert_eq!(world.actions().await.iter().filter(|action| *action == "client.authorized").count(), 1);
    });
}

/// Proves, V10.4.10
#[test]
fn what_is_wrong_with_a_request_is_said_when_it_is_pushed() {
    both(async |world| {
        let shop = RelyingParty::register(world, json!({})).await;
        let other = RelyingParty::register(world, json!({})).await;
        for (changes, error) in [
            (("redirect_uri", "https://evil.example/cb"), "invalid_request"),
            (("response_type", "token"), "unsupported_response_type"),
            (("code_challenge", ""), "invalid_request"),
            (("code_challenge_method", "plain"), "invalid_request"),
            (("scope", "openid admin"), "invalid_scope"),
            (("prompt", "none login"), "invalid_request"),
            (("request_uri", "urn:ietf:params:oauth:request_uri:x"), "invalid_request"),
            (("request_uri", "https://shop.example/request"), "invalid_request"),
            (("client_id", other.client_id.as_str()), "invalid_request"),
            (("resource", "https://api.example"), "invalid_target"),
            (("request", "e30.e30.e30"), "invalid_request_object"),
        ] {
            let answer = push(&shop, form(&shop, &[changes])).await.expect(400);
            assert_eq!(answer.string("error"), error, "{changes:?}");
        }
        let twice = format!("{}&scope=openid", form(&shop, &[]));
        assert_eq!(push(&shop, twice).await.expect(400).string("error"), "invalid_request");
        for body in [String::new(), "%ff".to_owned(), "a=%zz".to_owned()] {
            push(&shop, body).await.expect(400);
        }
        let wrong = format!("dwcs_{}", "A".repeat(43));
        for secret in [None, Some(wrong)] {
            let nobody = RelyingParty { world: world.clone(), client_id: shop.client_id.clone(), secret };
            let answer = push(&nobody, form(&shop, &[])).await.expect(401);
            assert_eq!(answer.string("error"), "invalid_client");
        }
        for (method, content_type, status) in
            [(Method::GET, FORM, 405), (Method::POST, "application/json", 415), (Method::POST, "", 415)]
        {
            let request = Request::new(method, PUSH, HOME).header(header::CONTENT_TYPE, content_type);
            world.send(request.body("{}".to_owned())).await.expect(status);
        }
        // A public client says who it is, and no secret is kept.
        let public = RelyingParty::register(world, json!({ "token_endpoint_auth_method": "none" })).await;
        push(&public, form(&public, &[])).await.expect(201);
        let posted = RelyingParty::register(world, json!({ "token_endpoint_auth_method": "client_secret_post" })).await;
        let secret = posted.secret.clone().unwrap();
        let bare = RelyingParty { world: world.clone(), client_id: posted.client_id.clone(), secret: None };
        push(&bare, format!("{}&client_secret={secret}", form(&posted, &[]))).await.expect(201);
    });
}

/// Proves: A-98
#[test]
fn where_requests_must_be_pushed_no_other_is_taken() {
    for is_global in [false, true] {
        let mut setup = Setup::default();
        setup.settings.pushed_only = is_global;
        both_with(&setup, async |world| {
            let mut owner = signed_in(world).await;
            let required = json!({ "require_pushed_authorization_requests": !is_global });
            let shop = RelyingParty::register(world, required).await;
            owner.open(&shop.start(&[])).await.expect(303);
            assert_eq!(RelyingParty::error(&owner), "invalid_request");
            owner.open(&pushed(&shop, &[]).await).await.expect(303);
            shop.tokens(&shop.code(&owner)).await;
            let request = Request::new(Method::GET, "/.well-known/openid-configuration", HOME);
            let document = world.send(request).await.expect(200).json();
            assert_eq!(document["require_pushed_authorization_requests"], json!(is_global));
            assert_eq!(document["pushed_authorization_request_endpoint"], json!(format!("{PUBLIC_URL}{PUSH}")));
        });
    }
}

/// The claims of a signed request.
pub(super) fn claims(shop: &RelyingParty, changes: &Value) -> Value {
    let now = shop.world.now().as_seconds();
    let start = form(shop, &[]);
    let mut claims = json!({ "iss": shop.client_id, "aud": PUBLIC_URL, "exp": now + 300, "iat": now });
    for (name, value) in url::form_urlencoded::parse(start.as_bytes()) {
        claims[name.as_ref()] = json!(value);
    }
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    claims
}

pub(super) fn signed(shop: &RelyingParty, object: &str, more: &[(&str, &str)]) -> String {
    let mut fields = vec![("client_id", shop.client_id.as_str()), ("request", object)];
    fields.extend(more);
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    format!("/oauth2/authorize?{query}")
}

pub(super) async fn with_key(world: &World, key: &OwnKey, changes: Value) -> RelyingParty {
    let mut members = json!({ "jwks": key.set() });
    members.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    RelyingParty::register(world, members).await
}

/// Proves, V9.1.1, V9.1.2, V9.1.3
#[test]
fn a_signed_request_is_what_the_client_signed() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let (key, other) = (OwnKey::new("ES256"), OwnKey::new("ES256"));
        let shop = with_key(world, &key, json!({})).await;
        let head = json!({ "alg": "ES256", "typ": "oauth-authz-req+jwt" });
        let good = key.sign(&head, &claims(&shop, &json!({})));
        let outside = [("scope", "openid profile"), ("state", "x"), ("redirect_uri", CALLBACK)];
        owner.open(&signed(&shop, &good, &outside)).await.expect(303);
        let tokens = shop.tokens(&shop.code(&owner)).await;
        assert_eq!(shop.verify(&tokens.access).await["scope"], json!("openid email"));
        let answer = push(&shop, format!("request={good}")).await.expect(201);
        owner.open(&address(&shop, &answer.string("request_uri"))).await.expect(303);
        shop.code(&owner);
        let now = world.now().as_seconds();
        let mut wrong = vec![
            ("another key", other.sign(&head, &claims(&shop, &json!({})))),
            ("no signature", format!("{}.", good.rsplit_once('.').unwrap().0)),
        ];
        for (name, header) in [
            ("alg none", json!({ "alg": "none" })),
            ("alg HS256", json!({ "alg": "HS256" })),
            ("alg RS256", json!({ "alg": "RS256" })),
            ("typ at+jwt", json!({ "alg": "ES256", "typ": "at+jwt" })),
            ("typ dpop+jwt", json!({ "alg": "ES256", "typ": "dpop+jwt" })),
            ("typ assertion", json!({ "alg": "ES256", "typ": "client-authentication+jwt" })),
            ("jku", json!({ "alg": "ES256", "jku": "https://evil.example/jwks" })),
            ("jwk", json!({ "alg": "ES256", "jwk": key.jwk() })),
        ] {
            wrong.push((name, key.sign(&header, &claims(&shop, &json!({})))));
        }
        for (name, changes) in [
            ("iss", json!({ "iss": "other" })),
            ("aud", json!({ "aud": "https://other.example" })),
            ("aud missing", json!({ "aud": null })),
            ("exp over", json!({ "exp": now })),
            ("exp far", json!({ "exp": now + 7_200 })),
            ("exp missing", json!({ "exp": null })),
            ("nbf", json!({ "nbf": now + 300 })),
            ("sub", json!({ "sub": shop.client_id })),
            ("client_id", json!({ "client_id": "other" })),
            ("request inside", json!({ "request": "e30.e30.e30" })),
        ] {
            wrong.push((name, key.sign(&head, &claims(&shop, &changes))));
        }
        for (name, object) in wrong {
            refused_on_a_page(&mut owner, &signed(&shop, &object, &[])).await;
            // Told where the outside says, if that is the client's own.
            let outside = [("redirect_uri", CALLBACK), ("state", STATE), ("nonce", NONCE)];
            owner.open(&signed(&shop, &object, &outside)).await.expect(303);
            assert_eq!(RelyingParty::error(&owner), "invalid_request_object", "{name}");
            let answer = push(&shop, format!("request={object}")).await.expect(400);
            assert_eq!(answer.string("error"), "invalid_request_object", "{name}");
        }
    });
}

/// Proves: A-99
#[test]
fn a_signed_request_with_an_id_is_answered_once() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let key = OwnKey::new("ES256");
        let shop = with_key(world, &key, json!({})).await;
        let named = |shop: &RelyingParty, id: &str| {
            key.sign(&json!({ "alg": "ES256", "typ": "oauth-authz-req+jwt" }), &claims(shop, &json!({ "jti": id })))
        };
        let outside = [("redirect_uri", CALLBACK), ("state", STATE)];
        let one = named(&shop, "one");
        // Somebody opens it in two tabs, signs in in one, and goes on in the other.
        let mut stranger = browser(world, AWAY);
        stranger.open(&signed(&shop, &one, &[])).await.expect(200);
        let mut second = stranger.clone();
        stranger.submit("/login", &TYPED).await.expect(303);
        shop.tokens(&shop.code(&stranger)).await;
        second.submit("/login", &TYPED).await.expect(400);
        let other = named(&shop, "one");
        for again in [&one, &other] {
            refused_on_a_page(&mut owner, &signed(&shop, again, &[])).await;
            owner.open(&signed(&shop, again, &outside)).await.expect(303);
            assert_eq!(RelyingParty::error(&owner), "invalid_request_object");
            let answer = push(&shop, format!("request={again}")).await.expect(400);
            assert_eq!(answer.string("error"), "invalid_request_object");
        }
        // Pushed, it is answered under its new name and no other.
        let two = named(&shop, "two");
        let answer = push(&shop, format!("request={two}")).await.expect(201);
        push(&shop, format!("request={two}")).await.expect(400);
        refused_on_a_page(&mut owner, &signed(&shop, &two, &[])).await;
        owner.open(&address(&shop, &answer.string("request_uri"))).await.expect(303);
        shop.code(&owner);
        // What was refused is not used up, and ids belong to their clients.
        let three = named(&shop, "three");
        stranger = browser(world, HOME);
        let error = claims(&shop, &json!({ "jti": "three", "prompt": "none" }));
        stranger.open(&signed(&shop, &key.sign(&json!({ "alg": "ES256" }), &error), &[])).await.expect(303);
        assert_eq!(RelyingParty::error(&stranger), "login_required");
        owner.open(&signed(&shop, &three, &[])).await.expect(303);
        shop.code(&owner);
        let neighbour = with_key(world, &key, json!({})).await;
        owner.open(&signed(&neighbour, &named(&neighbour, "one"), &[])).await.expect(303);
        neighbour.code(&owner);
        // It is remembered until nobody takes it any more.
        world.advance(299_000);
        world.app().purge(&world.operator().op(), "tests").await.unwrap();
        refused_on_a_page(&mut owner, &signed(&shop, &three, &[])).await;
    });
}

/// A visitor who came in time may take an hour to sign in, in every tab that they came with.
///
/// Proves: A-99
#[test]
fn a_signed_request_stays_answered_as_long_as_a_tab_of_its_visitor_may_come_back() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let key = OwnKey::new("ES256");
        let shop = with_key(world, &key, json!({})).await;
        let named = |id: &str| {
            let object = key.sign(&json!({ "alg": "ES256" }), &claims(&shop, &json!({ "jti": id })));
            signed(&shop, &object, &[])
        };
        for (id, wait_ms, is_answered) in [("one", 0, false), ("one more", 1_800_000, false), ("two", 1_800_000, true)]
        {
            let mut first = browser(world, AWAY);
            first.open(&named(id)).await.expect(200);
            let mut second = first.clone();
            if is_answered {
                first.submit("/login", &TYPED).await.expect(303);
                shop.code(&first);
            }
            world.advance(wait_ms);
            world.app().purge(&world.operator().op(), "tests").await.unwrap();
            let status = if is_answered { 400 } else { 303 };
            let answer = second.submit("/login", &TYPED).await.expect(status);
            assert_eq!(answer.header(header::LOCATION).is_some(), !is_answered, "{id}");
        }
    });
}

/// Proves
#[test]
fn of_fifty_who_open_a_signed_request_at_once_one_gets_a_code() {
    let mut setup = Setup::default();
    setup.edge.limit_scale = 1_000.0;
    both_with(&setup, async |world| {
        let owner = signed_in(world).await;
        let key = OwnKey::new("ES256");
        let shop = with_key(world, &key, json!({})).await;
        let object = key.sign(&json!({ "alg": "ES256" }), &claims(&shop, &json!({ "jti": "one" })));
        let path = signed(&shop, &object, &[]);
        let mut opened = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let (mut owner, path) = (owner.clone(), path.clone());
            opened.spawn(async move {
                let answer = owner.open(&path).await;
                answer.header(header::LOCATION).is_some_and(|location| location.contains("code=dwac_"))
            });
        }
        assert_eq!(opened.join_all().await.into_iter().filter(|has_code| *has_code).count(), 1);
    });
}

/// Proves: A-99
#[test]
fn where_requests_must_be_signed_no_other_is_taken() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let key = OwnKey::new("EdDSA");
        let strict = json!({ "require_signed_request_object": true, "request_object_signing_alg": "EdDSA" });
        let shop = with_key(world, &key, strict).await;
        owner.open(&shop.start(&[])).await.expect(303);
        assert_eq!(RelyingParty::error(&owner), "invalid_request");
        assert_eq!(push(&shop, form(&shop, &[])).await.expect(400).string("error"), "invalid_request");
        let good = key.sign(&json!({ "alg": "EdDSA" }), &claims(&shop, &json!({})));
        owner.open(&signed(&shop, &good, &[])).await.expect(303);
        shop.code(&owner);
        let answer = push(&shop, format!("request={good}")).await.expect(201);
        owner.open(&address(&shop, &answer.string("request_uri"))).await.expect(303);
        shop.tokens(&shop.code(&owner)).await;
        // Another key of the client's own set does not do, where it is registered for one algorithm.
        let second = OwnKey::new("ES256");
        let both_keys = json!({ "keys": [key.jwk(), second.jwk()] });
        let chosen = json!({ "jwks": both_keys, "request_object_signing_alg": "EdDSA" });
        for (fields, is_taken) in [(chosen, false), (json!({ "jwks": both_keys }), true)] {
            let shop = RelyingParty::register(world, fields).await;
            let outside = [("redirect_uri", CALLBACK), ("state", STATE)];
            let object = second.sign(&json!({ "alg": "ES256" }), &claims(&shop, &json!({})));
            owner.open(&signed(&shop, &object, &outside)).await.expect(303);
            if is_taken {
                shop.code(&owner);
            } else {
                assert_eq!(RelyingParty::error(&owner), "invalid_request_object");
                let answer = push(&shop, format!("request={object}")).await.expect(400);
                assert_eq!(answer.string("error"), "invalid_request_object");
            }
        }
        // A client without keys signs nothing.
        let plain = RelyingParty::register(world, json!({})).await;
        owner.open(&signed(&plain, &good, &[("redirect_uri", CALLBACK), ("state", STATE)])).await.expect(303);
        assert_eq!(RelyingParty::error(&owner), "invalid_request_object");
    });
}

//! Requests that the application signs (RFC 9101).

use doorward_testkit::world::PUBLIC_URL;
use doorward_testkit::{Setup, World, both, both_with};
use http::header;
use serde_json::{Value, json};

use super::{address, form, push, refused_on_a_page};
use crate::people::{AWAY, HOME, OWNER, PASSWORD};
use crate::provider::own_keys::OwnKey;
use crate::provider::relying_party::{CALLBACK, NONCE, RelyingParty, STATE, browser};
use crate::provider::{TYPED, signed_in};

/// The claims of a signed request.
pub(in crate::provider) fn claims(shop: &RelyingParty, changes: &Value) -> Value {
    let now = shop.world.now().as_seconds();
    let start = form(shop, &[]);
    let mut claims = json!({ "iss": shop.client_id, "aud": PUBLIC_URL, "exp": now + 300, "iat": now });
    for (name, value) in url::form_urlencoded::parse(start.as_bytes()) {
        claims[name.as_ref()] = json!(value);
    }
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    claims
}

pub(in crate::provider) fn signed(shop: &RelyingParty, object: &str, more: &[(&str, &str)]) -> String {
    let mut fields = vec![("client_id", shop.client_id.as_str()), ("request", object)];
    fields.extend(more);
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    format!("/oauth2/authorize?{query}")
}

async fn with_key(world: &World, key: &OwnKey, changes: Value) -> RelyingParty {
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

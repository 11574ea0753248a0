//! Applications that prove who they are with a key of their own (RFC 7523, OpenID Connect Core 9).

use std::sync::Arc;

use doorward_app::clients::ClientError;
use doorward_testkit::world::PUBLIC_URL;
use doorward_testkit::{Answer, Setup, World, both, both_with};
use serde_json::{Value, json};

use super::own_keys::{Documents, OwnKey};
use super::relying_party::RelyingParty;
use super::{code, signed_in};

pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const JWKS: &str = "https://shop.example/jwks.json";

async fn registered(world: &World, keys: Value) -> RelyingParty {
    let mut members = json!({ "token_endpoint_auth_method": "private_key_jwt" });
    members.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    let shop = RelyingParty::register(world, members).await;
    assert_eq!(shop.secret, None, "whoever has a key needs no secret");
    shop
}

/// What an honest assertion says, with an id of its own.
pub(super) fn claims(shop: &RelyingParty, id: &str) -> Value {
    let now = shop.world.now().as_seconds();
    json!({ "iss": shop.client_id, "sub": shop.client_id, "aud": PUBLIC_URL, "jti": id, "iat": now, "exp": now + 60 })
}

pub(super) fn assertion(shop: &RelyingParty, key: &OwnKey, id: &str) -> String {
    key.sign(&json!({ "alg": key.algorithm, "typ": "JWT" }), &claims(shop, id))
}

async fn exchange(shop: &RelyingParty, code: &str, assertion: &str) -> Answer {
    shop.exchange(code, &[("client_assertion", assertion), ("client_assertion_type", TYPE)]).await
}

/// A made-up code tells a proved client from one that is not: it is wrong for the one, and not looked at for the other.
async fn is_proved(shop: &RelyingParty, assertion: &str) -> bool {
    let answer = exchange(shop, "dwac_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", assertion).await;
    if answer.status == 401 {
        assert_eq!(answer.string("error"), "invalid_client");
        return false;
    }
    assert_eq!(answer.expect(400).string("error"), "invalid_grant");
    true
}

/// Proves: V10.4.16, A-90
#[test]
fn an_application_proves_itself_with_a_key_of_any_kind() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        for algorithm in ["ES256", "EdDSA", "RS256", "PS256"] {
            let key = OwnKey::new(algorithm);
            let shop = registered(world, json!({ "jwks": key.set() })).await;
            let mine = code(&shop, &mut owner).await;
            let answer = exchange(&shop, &mine, &assertion(&shop, &key, "one")).await.expect(200);
            shop.userinfo(&answer.string("access_token")).await.expect(200);
            // Nothing but the registered way counts.
            assert_eq!(shop.exchange(&mine, &[]).await.expect(401).string("error"), "invalid_client");
            for (kind, wrong) in [("urn:ietf:params:oauth:client-assertion-type:saml2-bearer", "two"), ("", "three")] {
                let fields =
                    [("client_assertion", assertion(&shop, &key, wrong)), ("client_assertion_type", kind.to_owned())];
                let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
                shop.exchange(&mine, &fields).await.expect(401);
            }
        }
    });
}

/// Proves: A-90, V10.4.16
#[test]
fn an_assertion_counts_once_on_all_nodes_and_of_fifty_at_once_one() {
    let mut setup = Setup::default();
    setup.edge.limit_scale = 10.0;
    both_with(&setup, async |world| {
        let key = OwnKey::new("ES256");
        let shop = Arc::new(registered(world, json!({ "jwks": key.set() })).await);
        let mut other = Setup { seed: 2, ..Setup::default() };
        other.edge.limit_scale = 10.0;
        let other = world.restarted(other).await;
        let there = RelyingParty { world: other, client_id: shop.client_id.clone(), secret: None };
        let first = assertion(&shop, &key, "one");
        assert!(is_proved(&shop, &first).await);
        assert!(!is_proved(&there, &first).await, "another node knows it too");
        assert!(is_proved(&there, &assertion(&shop, &key, "two")).await);
        // The same id of another client is another one.
        let neighbour = registered(world, json!({ "jwks": key.set() })).await;
        assert!(is_proved(&neighbour, &assertion(&neighbour, &key, "one")).await);
        let same = assertion(&shop, &key, "three");
        let mut asked = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let (shop, same) = (Arc::clone(&shop), same.clone());
            asked.spawn(async move { is_proved(&shop, &same).await });
        }
        assert_eq!(asked.join_all().await.into_iter().filter(|is_proved| *is_proved).count(), 1);
        // It is forgotten when nobody takes it any more, and not before.
        let op = world.operator().op();
        world.app().purge(&op, "tests").await.unwrap();
        assert!(!is_proved(&shop, &same).await);
        world.advance(3 * 60_000);
        assert!(!is_proved(&shop, &same).await, "it is over");
        let removed = world.app().purge(&world.operator().op(), "tests").await.unwrap().unwrap();
        assert!(removed >= 4, "{removed}");
    });
}

/// Assertions that say something else than they must, each signed by the right key.
fn wrong_claims(shop: &RelyingParty, neighbour: &RelyingParty, key: &OwnKey) -> Vec<(String, String)> {
    let (now, mut wrong) = (shop.world.now().as_seconds(), Vec::new());
    for (name, value) in [
        ("aud", json!(format!("{PUBLIC_URL}/oauth2/token"))),
        ("aud", json!([PUBLIC_URL])),
        ("aud", json!([PUBLIC_URL, "https://other.example"])),
        ("aud", json!("https://other.example")),
        ("aud", json!(format!("{PUBLIC_URL}/"))),
        ("aud", Value::Null),
        ("iss", json!(neighbour.client_id)),
        ("iss", json!("")),
        ("sub", json!(neighbour.client_id)),
        ("sub", json!([shop.client_id])),
        ("exp", json!(now + 3_600)),
        ("exp", json!(now)),
        ("exp", json!(now - 61)),
        ("exp", json!((now + 60).to_string())),
        ("exp", json!(1e30)),
        ("exp", Value::Null),
        ("nbf", json!(now + 300)),
        ("iat", json!(now + 120)),
        ("jti", json!("")),
        ("jti", json!(7)),
        ("jti", json!("x".repeat(300))),
        ("jti", Value::Null),
    ] {
        let mut changed = claims(shop, &format!("{name} {value}"));
        changed[name] = value;
        wrong
            .push((format!("{name}: {}", changed[name]), key.sign(&json!({ "alg": "ES256", "typ": "JWT" }), &changed)));
    }
    wrong
}

/// Assertions whose header asks to be read otherwise, each signed by the right key.
fn wrong_headers(shop: &RelyingParty, key: &OwnKey) -> Vec<(String, String)> {
    let mut wrong = Vec::new();
    let kid = json!({ "alg": "ES256", "typ": "JWT", "kid": "../../dev/null" });
    for header in [
        json!({ "alg": "none" }),
        json!({ "alg": "None" }),
        json!({ "alg": "HS256" }),
        json!({ "alg": "RS256" }),
        json!({ "alg": "EdDSA" }),
        json!({ "typ": "JWT" }),
        json!({ "alg": "ES256", "typ": "at+jwt" }),
        json!({ "alg": "ES256", "typ": "dpop+jwt" }),
        json!({ "alg": "ES256", "typ": "oauth-authz-req+jwt" }),
        json!({ "alg": "ES256", "jku": "https://evil.example/jwks" }),
        json!({ "alg": "ES256", "x5u": "https://evil.example/x" }),
        json!({ "alg": "ES256", "jwk": key.jwk() }),
        json!({ "alg": "ES256", "crit": ["exp"] }),
        kid,
    ] {
        wrong.push((header.to_string(), key.sign(&header, &claims(shop, &header.to_string()))));
    }
    wrong
}

/// Proves, V9.1.1, V9.1.2, V9.1.3
#[test]
fn no_other_assertion_is_taken() {
    let documents = Arc::new(Documents::default());
    let mut setup = documents.setup();
    setup.edge.limit_scale = 10.0;
    both_with(&setup, async |world| {
        let (key, other) = (OwnKey::new("ES256"), OwnKey::new("ES256"));
        let shop = registered(world, json!({ "jwks": key.set() })).await;
        let neighbour = registered(world, json!({ "jwks": other.set() })).await;
        let good = json!({ "alg": "ES256", "typ": "JWT" });
        let mut wrong = [wrong_claims(&shop, &neighbour, &key), wrong_headers(&shop, &key)].concat();
        let honest = key.sign(&good, &claims(&shop, "stripped"));
        let (input, signature) = honest.rsplit_once('.').unwrap();
        for (name, text) in [
            ("another key", other.sign(&good, &claims(&shop, "another key"))),
            ("another client's", other.sign(&good, &claims(&neighbour, "another client's"))),
            ("no signature", format!("{input}.")),
            ("two parts", input.to_owned()),
            ("five parts", format!("{input}.{signature}.x.y")),
            ("changed", format!("{input}.{}", signature.chars().rev().collect::<String>())),
            ("nothing", "x".to_owned()),
        ] {
            wrong.push((name.to_owned(), text));
        }
        for (name, text) in wrong {
            let answer = exchange(&shop, "x", &text).await;
            // What names another client beside the client_id is a request that contradicts itself.
            assert!(matches!(answer.status.as_u16(), 400 | 401), "{name}: {}", answer.status);
            let error = if answer.status == 401 { "invalid_client" } else { "invalid_request" };
            assert_eq!(answer.string("error"), error, "{name}");
        }
        assert!(is_proved(&shop, &honest).await, "the way these tests sign is right");
        // The one registered algorithm is the only one.
        let both_keys = json!({ "keys": [key.jwk(), OwnKey::new("EdDSA").jwk()] });
        let strict = registered(world, json!({ "jwks": both_keys, "token_endpoint_auth_signing_alg": "EdDSA" })).await;
        assert!(!is_proved(&strict, &assertion(&strict, &key, "one")).await);
        assert_eq!(documents.take_asked(), 0, "nothing of a header is followed");
    });
}

/// Proves
#[test]
fn keys_at_an_address_are_read_once_and_again_when_they_change() {
    let documents = Arc::new(Documents::default());
    let mut setup = documents.setup();
    setup.edge.limit_scale = 10.0;
    both_with(&setup, async |world| {
        let (first, second) = (OwnKey::new("ES256"), OwnKey::new("EdDSA"));
        documents.put(JWKS, Some(&first.set()));
        let shop = Arc::new(registered(world, json!({ "jwks_uri": JWKS })).await);
        assert_eq!(documents.take_asked(), 0, "a registration asks nobody");
        let mut asked = tokio::task::JoinSet::new();
        for index in 0..50 {
            let (shop, text) = (Arc::clone(&shop), assertion(&shop, &first, &format!("at once {index}")));
            asked.spawn(async move { is_proved(&shop, &text).await });
        }
        assert!(asked.join_all().await.into_iter().all(|is_proved| is_proved));
        assert_eq!(documents.take_asked(), 1, "fifty at once wait for one answer");
        // A new key is found, though not at every stranger's word.
        documents.put(JWKS, Some(&second.set()));
        assert!(!is_proved(&shop, &assertion(&shop, &second, "too soon")).await);
        assert_eq!(documents.take_asked(), 0);
        world.advance(30_000);
        assert!(is_proved(&shop, &assertion(&shop, &second, "new key")).await);
        assert_eq!(documents.take_asked(), 1);
        assert!(!is_proved(&shop, &assertion(&shop, &first, "removed")).await, "the old one is gone");
        // The client's server is down: what it said last holds for an hour.
        documents.put(JWKS, None);
        world.advance(6 * 60_000);
        for index in 0..5 {
            assert!(is_proved(&shop, &assertion(&shop, &second, &format!("down {index}"))).await);
        }
        assert_eq!(documents.take_asked(), 1, "it is left alone for a while");
        world.advance(60 * 60_000);
        assert!(!is_proved(&shop, &assertion(&shop, &second, "too long")).await);
        documents.put(JWKS, Some(&json!({ "keys": [{ "kty": "oct", "k": "AA" }] })));
        world.advance(30_000);
        assert!(!is_proved(&shop, &assertion(&shop, &second, "nonsense")).await);
        documents.put(JWKS, Some(&second.set()));
        world.advance(30_000);
        assert!(is_proved(&shop, &assertion(&shop, &second, "up again")).await);
        documents.take_asked();
    });
}

/// Proves: A-157, V1.3.6
#[test]
fn a_registration_with_an_address_inside_or_without_keys_is_refused() {
    let documents = Arc::new(Documents::default());
    both_with(&documents.setup(), async |world| {
        for (changes, field) in [
            (json!({ "jwks_uri": "https://127.0.0.1/jwks" }), "jwks_uri"),
            (json!({ "jwks_uri": "http://shop.example/jwks" }), "jwks_uri"),
            (json!({ "jwks_uri": JWKS, "jwks": OwnKey::new("ES256").set() }), "jwks"),
            (json!({ "jwks": { "keys": [{ "kty": "oct", "k": "c2VjcmV0" }] } }), "jwks"),
            (json!({}), "jwks"),
        ] {
            let mut members = json!({
                "client_name": "Shop", "redirect_uris": ["https://shop.example/cb"], "consent": "skip",
                "token_endpoint_auth_method": "private_key_jwt",
            });
            members.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            let Value::Object(members) = members else { unreachable!() };
            let refused = world.app().create_client(&world.operator().op(), members).await.map(drop);
            let Err(ClientError::Refused(problems)) = refused else { unreachable!("{changes} was registered") };
            assert!(problems.iter().any(|problem| problem.field == field), "{changes}: {problems:?}");
        }
    });
}

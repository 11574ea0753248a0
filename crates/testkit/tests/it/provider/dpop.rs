//! Tokens that only the holder of a key can use (RFC 9449).

mod devices;
mod feed;
mod grants;
mod kept;

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_testkit::world::{PUBLIC_URL, Request};
use doorward_testkit::{Answer, Setup, World, both, both_with};
use http::{Method, header};
use serde_json::{Value, json};

use super::own_keys::OwnKey;
use super::relying_party::{CALLBACK, FORM, RelyingParty, VERIFIER};
use super::{code, signed_in};
use crate::people::HOME;

const TOKEN: &str = "/oauth2/token";
const USERINFO: &str = "/oauth2/userinfo";

/// The name of a key (RFC 7638), computed from its own members.
fn thumbprint(key: &OwnKey) -> String {
    let jwk = key.jwk();
    let text = |name: &str| jwk[name].as_str().unwrap().to_owned();
    let canonical = if jwk["kty"] == "EC" {
        format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, text("x"), text("y"))
    } else if jwk["kty"] == "OKP" {
        format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, text("x"))
    } else {
        format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, text("e"), text("n"))
    };
    URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()))
}

/// A client with a key and a nonce.
struct Holder<'a> {
    world: &'a World,
    key: &'a OwnKey,
    nonce: String,
}

impl<'a> Holder<'a> {
    /// Learns the nonce as clients do: by being refused once.
    async fn new(shop: &'a RelyingParty, key: &'a OwnKey) -> Self {
        let mut holder = Self { world: &shop.world, key, nonce: String::new() };
        let proof = holder.proof("POST", TOKEN, None, "no nonce yet");
        let answer = token(shop, &body("x", &shop.client_id), &[&proof]).await.expect(400);
        assert_eq!(answer.string("error"), "use_dpop_nonce");
        answer.header("dpop-nonce").unwrap().clone_into(&mut holder.nonce);
        assert!(!holder.nonce.is_empty());
        holder
    }

    fn claims(&self, method: &str, path: &str, access: Option<&str>, id: &str) -> Value {
        let mut claims = json!({
            "jti": id, "htm": method, "htu": format!("{PUBLIC_URL}{path}"), "iat": self.world.now().as_seconds(),
            "nonce": self.nonce,
        });
        if let Some(access) = access {
            claims["ath"] = json!(URL_SAFE_NO_PAD.encode(digest(&SHA256, access.as_bytes())));
        }
        claims
    }

    fn header(&self) -> Value {
        json!({ "typ": "dpop+jwt", "alg": self.key.algorithm, "jwk": self.key.jwk() })
    }

    fn proof(&self, method: &str, path: &str, access: Option<&str>, id: &str) -> String {
        self.key.sign(&self.header(), &self.claims(method, path, access, id))
    }
}

fn body(code: &str, client_id: &str) -> String {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("client_id", client_id),
    ];
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Asks the token endpoint with these proofs.
async fn token(shop: &RelyingParty, body: &str, proofs: &[&str]) -> Answer {
    let mut request = Request::new(Method::POST, TOKEN, HOME).header(header::CONTENT_TYPE, FORM);
    if let Some(secret) = &shop.secret {
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("{}:{secret}", shop.client_id));
        request = request.header(header::AUTHORIZATION, &format!("Basic {basic}"));
    }
    for proof in proofs {
        request = request.header("dpop", proof);
    }
    shop.world.send(request.body(body.to_owned())).await
}

async fn userinfo(world: &World, scheme: &str, access: &str, proofs: &[&str]) -> Answer {
    let mut request =
        Request::new(Method::GET, USERINFO, HOME).header(header::AUTHORIZATION, &format!("{scheme} {access}"));
    for proof in proofs {
        request = request.header("dpop", proof);
    }
    world.send(request).await
}

async fn public(world: &World, changes: Value) -> RelyingParty {
    let mut members = json!({ "token_endpoint_auth_method": "none" });
    members.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    RelyingParty::register(world, members).await
}

/// Proves: V10.3.5, V10.4.14, A-110
#[test]
fn a_token_is_bound_to_the_key_it_was_asked_for_with() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        for algorithm in ["ES256", "EdDSA", "PS256"] {
            let (key, other) = (OwnKey::new(algorithm), OwnKey::new("ES256"));
            let shop = public(world, json!({ "dpop_bound_access_tokens": true })).await;
            let mine = code(&shop, &mut owner).await;
            let refused = token(&shop, &body(&mine, &shop.client_id), &[]).await.expect(400);
            assert_eq!(refused.string("error"), "invalid_dpop_proof", "the client is registered for it");
            let holder = Holder::new(&shop, &key).await;
            let proof = holder.proof("POST", TOKEN, None, "one");
            let answer = token(&shop, &body(&mine, &shop.client_id), &[&proof]).await.expect(200);
            assert_eq!(answer.string("token_type"), "DPoP");
            assert!(answer.header("dpop-nonce").is_some());
            let access = answer.string("access_token");
            assert_eq!(shop.verify(&access).await["cnf"], json!({ "jkt": thumbprint(&key) }));
            let good = holder.proof("GET", USERINFO, Some(&access), "two");
            userinfo(world, "DPoP", &access, &[&good]).await.expect(200);
            // Whoever has only the token has nothing.
            let thief = Holder { world, key: &other, nonce: holder.nonce.clone() };
            let stolen = thief.proof("GET", USERINFO, Some(&access), "three");
            for (name, scheme, proofs) in [
                ("as a bearer token", "Bearer", vec![]),
                ("as a bearer token with a proof", "Bearer", vec![&good]),
                ("without a proof", "DPoP", vec![]),
                ("with another key", "DPoP", vec![&stolen]),
                ("with a proof that was used", "DPoP", vec![&good]),
            ] {
                let proofs: Vec<&str> = proofs.into_iter().map(String::as_str).collect();
                let answer = userinfo(world, scheme, &access, &proofs).await.expect(401);
                let challenge = answer.header(header::WWW_AUTHENTICATE).unwrap();
                assert!(challenge.starts_with(&format!("{scheme} error=\"invalid_")), "{name}: {challenge}");
                assert_eq!(
                    challenge.ends_with(", algs=\"PS256 ES256 EdDSA\""),
                    scheme == "DPoP",
                    "{name}: {challenge}"
                );
                assert_eq!(challenge.contains("algs="), scheme == "DPoP", "{name}: {challenge}");
            }
        }
    });
}

/// Proves: A-110, A-116, A-117, A-119, A-121, V9.1.1, V9.1.2, V9.1.3, V10.3.5
#[test]
fn no_other_proof_is_taken() {
    let mut setup = Setup::default();
    setup.edge.limit_scale = 1_000.0;
    both_with(&setup, async |world| {
        let mut owner = signed_in(world).await;
        let key = OwnKey::new("ES256");
        let shop = public(world, json!({})).await;
        let holder = Holder::new(&shop, &key).await;
        let mine = code(&shop, &mut owner).await;
        let form = body(&mine, &shop.client_id);
        for (name, proof) in wrong_proofs(&holder, "POST", TOKEN, None) {
            let answer = token(&shop, &form, &[&proof]).await.expect(400);
            let expected = if name.starts_with("nonce") { "use_dpop_nonce" } else { "invalid_dpop_proof" };
            assert_eq!(answer.string("error"), expected, "{name}");
        }
        let (one, two) = (holder.proof("POST", TOKEN, None, "a"), holder.proof("POST", TOKEN, None, "b"));
        assert_eq!(token(&shop, &form, &[&one, &two]).await.expect(400).string("error"), "invalid_dpop_proof");
        // Nothing was used up by any of them; query and fragment do not count.
        let mut claims = holder.claims("POST", TOKEN, None, "good");
        claims["htu"] = json!(format!("{PUBLIC_URL}{TOKEN}?x=1#y"));
        let answer = token(&shop, &form, &[&key.sign(&holder.header(), &claims)]).await.expect(200);
        let access = answer.string("access_token");
        for (name, proof) in wrong_proofs(&holder, "GET", USERINFO, Some(&access)) {
            let answer = userinfo(world, "DPoP", &access, &[&proof]).await.expect(401);
            let expected = if name.starts_with("nonce") { "use_dpop_nonce" } else { "invalid_dpop_proof" };
            assert_eq!(answer.string("error"), expected, "{name}");
            assert!(answer.header("dpop-nonce").is_some(), "{name}");
        }
        for wrong in [None, Some("other")] {
            let proof = holder.proof("GET", USERINFO, wrong, &format!("ath {wrong:?}"));
            userinfo(world, "DPoP", &access, &[&proof]).await.expect(401);
        }
        let good = holder.proof("GET", USERINFO, Some(&access), "good too");
        userinfo(world, "DPoP", &access, &[&good]).await.expect(200);
    });
}

/// Proofs that lack one thing each.
fn wrong_proofs(holder: &Holder<'_>, method: &str, path: &str, access: Option<&str>) -> Vec<(String, String)> {
    let (now, key) = (holder.world.now().as_seconds(), holder.key);
    let mut wrong = Vec::new();
    for (name, value) in [
        ("htm", json!("PUT")),
        ("htm", json!(method.to_lowercase())),
        ("htm", Value::Null),
        ("htu", json!(format!("{PUBLIC_URL}/oauth2/other"))),
        ("htu", json!("https://other.example/oauth2/token")),
        ("htu", json!(format!("http://auth.example.test{path}"))),
        ("htu", json!(format!("{PUBLIC_URL}{path}/"))),
        ("htu", Value::Null),
        ("iat", json!(now - 300)),
        ("iat", json!(now + 300)),
        ("iat", json!(now.to_string())),
        ("iat", Value::Null),
        ("jti", json!("")),
        ("jti", json!("x".repeat(300))),
        ("jti", Value::Null),
        ("exp", json!(now - 1)),
        ("nbf", json!(now + 300)),
        ("nonce", json!("made up")),
        ("nonce", json!(7)),
        ("nonce", Value::Null),
    ] {
        let mut claims = holder.claims(method, path, access, &format!("{name} {value} {path}"));
        claims[name] = value;
        wrong.push((format!("{name}: {}", claims[name]), key.sign(&holder.header(), &claims)));
    }
    let private = json!({ "kty": "EC", "crv": "P-256", "x": key.jwk()["x"], "y": key.jwk()["y"], "d": "AA" });
    for (name, value) in [
        ("typ", json!("JWT")),
        ("typ", json!("at+jwt")),
        ("typ", Value::Null),
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("alg", json!("RS256")),
        ("jwk", private),
        ("jwk", OwnKey::new("ES256").jwk()),
        ("jwk", OwnKey::new("EdDSA").jwk()),
        ("jwk", json!({ "kty": "oct", "k": "c2VjcmV0" })),
        ("jwk", Value::Null),
        ("jku", json!("https://evil.example/jwks")),
        ("crit", json!(["exp"])),
    ] {
        let mut header = holder.header();
        if value.is_null() {
            header.as_object_mut().unwrap().remove(name);
        } else {
            header[name] = value.clone();
        }
        let id = format!("header {name} {value} {path}");
        wrong.push((id.clone(), key.sign(&header, &holder.claims(method, path, access, &id))));
    }
    // FAPI 2.0 section 5.4.1, and the discovery document: a good signature of a kind that is not offered.
    let rsa = OwnKey::new("RS256");
    let other = Holder { world: holder.world, key: &rsa, nonce: holder.nonce.clone() };
    wrong.push(("RS256".to_owned(), other.proof(method, path, access, &format!("RS256 {path}"))));
    let good = holder.proof(method, path, access, &format!("stripped {path}"));
    wrong.push(("no signature".to_owned(), format!("{}.", good.rsplit_once('.').unwrap().0)));
    wrong.push(("nonsense".to_owned(), "x".to_owned()));
    wrong
}

/// Proves: A-110, A-183
#[test]
fn a_proof_counts_once_on_all_nodes_and_of_fifty_at_once_one() {
    let mut setup = Setup::default();
    setup.edge.limit_scale = 1_000.0;
    both_with(&setup, async |world| {
        let mut owner = signed_in(world).await;
        let key = Arc::new(OwnKey::new("ES256"));
        let shop = public(world, json!({})).await;
        let holder = Holder::new(&shop, &key).await;
        let mine = code(&shop, &mut owner).await;
        let proof = holder.proof("POST", TOKEN, None, "one");
        let answer = token(&shop, &body(&mine, &shop.client_id), &[&proof]).await.expect(200);
        let access = answer.string("access_token");
        let mut other = Setup { seed: 2, ..Setup::default() };
        other.edge.limit_scale = 1_000.0;
        let other = world.restarted(other).await;
        let good = holder.proof("GET", USERINFO, Some(&access), "two");
        // Another node gives out and knows the same nonces, and knows what was shown here.
        userinfo(&other, "DPoP", &access, &[&good]).await.expect(200);
        userinfo(world, "DPoP", &access, &[&good]).await.expect(401);
        let mut asked = tokio::task::JoinSet::new();
        let same = holder.proof("GET", USERINFO, Some(&access), "three");
        for index in 0..50 {
            let world = if index % 2 == 0 { world.clone() } else { other.clone() };
            let (access, same) = (access.clone(), same.clone());
            asked.spawn(async move { userinfo(&world, "DPoP", &access, &[&same]).await.status.as_u16() });
        }
        let answers = asked.join_all().await;
        assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
        assert_eq!(answers.iter().filter(|status| **status == 401).count(), 49, "{answers:?}");
        // A nonce is good for its time and the next, and the answer brings the one of now.
        world.advance(2 * 60_000);
        let still = holder.proof("GET", USERINFO, Some(&access), "four");
        userinfo(world, "DPoP", &access, &[&still]).await.expect(200);
        world.advance(2 * 60_000);
        let stale = holder.proof("GET", USERINFO, Some(&access), "five");
        let answer = userinfo(world, "DPoP", &access, &[&stale]).await.expect(401);
        assert_eq!(answer.string("error"), "use_dpop_nonce");
        let fresh = Holder { nonce: answer.header("dpop-nonce").unwrap().to_owned(), ..holder };
        let again = fresh.proof("GET", USERINFO, Some(&access), "six");
        userinfo(world, "DPoP", &access, &[&again]).await.expect(200);
    });
}

/// Proves: A-95, A-110
#[test]
fn codes_and_refresh_tokens_are_bound_to_the_key() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let (key, other) = (OwnKey::new("ES256"), OwnKey::new("ES256"));
        let grants = json!({ "grant_types": ["authorization_code", "refresh_token"] });
        let shop = public(world, grants.clone()).await;
        let (holder, thief) = (Holder::new(&shop, &key).await, Holder::new(&shop, &other).await);
        let jkt = thumbprint(&key);
        owner.open(&shop.start(&[("dpop_jkt", &jkt)])).await.expect(303);
        let mine = shop.code(&owner);
        let form = body(&mine, &shop.client_id);
        for proofs in [vec![], vec![thief.proof("POST", TOKEN, None, "stolen code")]] {
            let proofs: Vec<&str> = proofs.iter().map(String::as_str).collect();
            let answer = token(&shop, &form, &proofs).await.expect(400);
            assert_eq!(answer.string("error"), "invalid_grant", "{proofs:?}");
        }
        let answer = token(&shop, &form, &[&holder.proof("POST", TOKEN, None, "own code")]).await.expect(200);
        let refresh = answer.string("refresh_token");
        world.canaries().add(&refresh);
        let renewal =
            |refresh: &str| format!("grant_type=refresh_token&refresh_token={refresh}&client_id={}", shop.client_id);
        for proofs in [vec![], vec![thief.proof("POST", TOKEN, None, "stolen refresh token")]] {
            let proofs: Vec<&str> = proofs.iter().map(String::as_str).collect();
            let answer = token(&shop, &renewal(&refresh), &proofs).await.expect(400);
            assert_eq!(answer.string("error"), "invalid_grant", "{proofs:?}");
        }
        // Nothing was used up and nothing ended.
        let renewed =
            token(&shop, &renewal(&refresh), &[&holder.proof("POST", TOKEN, None, "own refresh")]).await.expect(200);
        assert_eq!(renewed.string("token_type"), "DPoP");
        let access = renewed.string("access_token");
        assert_eq!(shop.verify(&access).await["cnf"]["jkt"], json!(jkt));
        let good = holder.proof("GET", USERINFO, Some(&access), "userinfo");
        userinfo(world, "DPoP", &access, &[&good]).await.expect(200);
        // A thumbprint that is none is refused before anybody signs in.
        owner.open(&shop.start(&[("dpop_jkt", "short")])).await.expect(303);
        assert_eq!(RelyingParty::error(&owner), "invalid_request");
        // Without a proof nothing is bound, and a token that is not bound is none for the scheme.
        let mine = code(&shop, &mut owner).await;
        let answer = token(&shop, &body(&mine, &shop.client_id), &[]).await.expect(200);
        assert_eq!(answer.string("token_type"), "Bearer");
        let access = answer.string("access_token");
        let proof = holder.proof("GET", USERINFO, Some(&access), "unbound");
        userinfo(world, "DPoP", &access, &[&proof]).await.expect(401);
        userinfo(world, "Bearer", &access, &[]).await.expect(200);
    });
}

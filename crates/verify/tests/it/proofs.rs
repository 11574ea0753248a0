//! Tokens that are bound to a key (RFC 9449).

use aws_lc_rs::digest::{SHA256, digest};
use doorward_verify::{MemoryReplays, Reason, Refusal, Unavailable, Verifier};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use serde_json::{Value, json};

use crate::issuer::{Key, NOW, ScriptedIssuer, claims, claims_with, encode, our_issuer};

const DPOP: HeaderName = HeaderName::from_static("dpop");

/// A client with a key and a token that is bound to it.
struct Client {
    key: Key,
    token: String,
}

/// The thumbprint of a key of P-256 (RFC 7638).
fn thumbprint(key: &Key) -> String {
    let jwk = public(key);
    let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, jwk["x"], jwk["y"]);
    encode(digest(&SHA256, canonical.as_bytes()))
}

impl Client {
    fn new(issuer: &ScriptedIssuer) -> Self {
        Self::with(issuer, claims())
    }

    /// With a token that has these claims.
    fn with(issuer: &ScriptedIssuer, mut claims: Value) -> Self {
        let key = Key::p256("client");
        claims["cnf"] = json!({ "jkt": thumbprint(&key) });
        Self { token: issuer.key.access_token(&claims), key }
    }

    /// A good proof, some of its claims changed.
    fn proof(&self, id: &str, changes: &[(&str, Value)]) -> String {
        let mut claims = json!({
            "jti": id, "htm": "GET", "htu": "https://orders.example.com/v1/notes", "iat": NOW,
            "ath": encode(digest(&SHA256, self.token.as_bytes())),
        });
        for (name, value) in changes {
            claims[*name] = value.clone();
        }
        self.key.sign(&json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": public(&self.key)}), &claims)
    }
}

fn public(key: &Key) -> Value {
    let jwk = key.jwk();
    json!({"kty": jwk["kty"], "crv": jwk["crv"], "x": jwk["x"], "y": jwk["y"]})
}

async fn ask(verifier: &Verifier, scheme: &str, token: &str, proofs: &[&str]) -> Result<(), Refusal> {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("{scheme} {token}")).unwrap());
    for proof in proofs {
        headers.append(DPOP, HeaderValue::from_str(proof).unwrap());
    }
    verifier.verify_request(&Method::GET, &Uri::from_static("/notes?page=2"), &headers).await.map(drop)
}

/// A service that is known under a path of its own.
fn verifier(issuer: &ScriptedIssuer) -> Verifier {
    issuer.builder().issuer(our_issuer()).public_url("https://orders.example.com/v1/").build().unwrap()
}

/// Proves: V10.3.5, A-110
#[tokio::test]
async fn a_bound_token_is_good_with_a_proof_once() {
    let issuer = ScriptedIssuer::new();
    let (verifier, client) = (verifier(&issuer), Client::new(&issuer));
    let proof = client.proof("first", &[]);
    ask(&verifier, "DPoP", &client.token, &[&proof]).await.unwrap();
    assert_eq!(ask(&verifier, "DPoP", &client.token, &[&proof]).await, Err(Reason::Proof.into()));
    ask(&verifier, "dpop", &client.token, &[&client.proof("second", &[])]).await.unwrap();
}

/// Proves: V10.3.5, A-110
#[tokio::test]
async fn a_bound_token_is_nothing_without_its_own_proof() {
    let issuer = ScriptedIssuer::new();
    let (verifier, client, other) = (verifier(&issuer), Client::new(&issuer), Client::new(&issuer));
    let good = client.proof("good", &[]);
    let refused = Err(Refusal::Token(Reason::Proof));
    assert_eq!(ask(&verifier, "Bearer", &client.token, &[&good]).await, refused);
    assert_eq!(ask(&verifier, "Bearer", &client.token, &[]).await, refused);
    assert_eq!(ask(&verifier, "DPoP", &client.token, &[]).await, refused);
    assert_eq!(ask(&verifier, "DPoP", &client.token, &[&good, &client.proof("two", &[])]).await, refused);
    assert_eq!(ask(&verifier, "DPoP", &client.token, &[&other.proof("other", &[])]).await, refused);
    let another = |name: &'static str, value: Value| client.proof("changed", &[(name, value)]);
    let bad = [
        another("htm", json!("POST")),
        another("htu", json!("https://orders.example.com/notes")),
        another("htu", json!("https://evil.example/v1/notes")),
        another("iat", json!(NOW - 301)),
        another("iat", json!(NOW + 6)),
        another("ath", json!(encode(digest(&SHA256, other.token.as_bytes())))),
        another("ath", Value::Null),
        another("jti", Value::Null),
        String::new(),
        client.token.clone(),
    ];
    for proof in bad {
        assert_eq!(ask(&verifier, "DPoP", &client.token, &[&proof]).await, refused, "{proof}");
    }
    // None of them used up the good one.
    ask(&verifier, "DPoP", &client.token, &[&good]).await.unwrap();
    // A token that is bound to nothing is no DPoP token (RFC 9449 section 7.1).
    let unbound = issuer.key.access_token(&claims());
    assert_eq!(ask(&verifier, "DPoP", &unbound, &[&client.proof("unbound", &[])]).await, refused);
    ask(&verifier, "Bearer", &unbound, &[]).await.unwrap();
}

/// Proves: V10.3.5
#[tokio::test]
async fn a_bound_token_is_no_bearer_token() {
    let issuer = ScriptedIssuer::new();
    for confirmation in [json!({"jkt": "thumbprint"}), json!({"x5t#S256": "certificate"}), json!("x"), json!({})] {
        let token = issuer.key.access_token(&claims_with("cnf", confirmation));
        assert_eq!(issuer.verifier().verify(&token).await.unwrap_err(), Reason::Proof.into());
    }
    // Who does not know its own address cannot check a proof.
    let client = Client::new(&issuer);
    let proof = client.proof("first", &[]);
    assert_eq!(ask(&issuer.verifier(), "DPoP", &client.token, &[&proof]).await, Err(Reason::Proof.into()));
}

/// Proves: V10.3.5
#[tokio::test]
async fn a_service_can_take_bound_tokens_only() {
    let issuer = ScriptedIssuer::new();
    let builder = issuer.builder().issuer(our_issuer().only_with_proof()).public_url("https://orders.example.com/v1");
    let (verifier, client) = (builder.build().unwrap(), Client::new(&issuer));
    let unbound = issuer.key.access_token(&claims());
    assert_eq!(ask(&verifier, "Bearer", &unbound, &[]).await, Err(Reason::Proof.into()));
    assert_eq!(verifier.verify(&unbound).await.unwrap_err(), Reason::Proof.into());
    ask(&verifier, "DPoP", &client.token, &[&client.proof("first", &[])]).await.unwrap();
}

/// A flood of proofs makes nobody forget one that could come again, and takes up the room of nobody else.
/// Proves: A-110
#[tokio::test]
async fn whoever_floods_the_store_is_refused_alone() {
    let issuer = ScriptedIssuer::new();
    let builder = issuer.builder().issuer(our_issuer()).public_url("https://orders.example.com/v1");
    let verifier = builder.replay_store(MemoryReplays::new(8)).build().unwrap();
    let client = Client::new(&issuer);
    let send = async |client: &Client, id: &str| ask(&verifier, "DPoP", &client.token, &[&client.proof(id, &[])]).await;
    for id in ["first", "second", "third", "fourth"] {
        send(&client, id).await.unwrap();
    }
    let full = Err(Refusal::Unavailable(Unavailable::Proofs));
    assert_eq!(send(&client, "fifth").await, full);
    assert_eq!(send(&client, "first").await, Err(Reason::Proof.into()));
    // Another key does not make somebody else of it; another person, or another client, is one.
    assert_eq!(send(&Client::new(&issuer), "first").await, full);
    for (name, value) in [("sub", json!("another")), ("client_id", json!("another"))] {
        send(&Client::with(&issuer, claims_with(name, value)), "first").await.unwrap();
    }
    // Where no token says who it is, keys are counted.
    let nameless = || Client::with(&issuer, claims_with("client_id", Value::Null));
    let (one, two) = (nameless(), nameless());
    send(&one, "first").await.unwrap();
    assert_eq!(send(&one, "second").await, full);
    send(&two, "first").await.unwrap();
}

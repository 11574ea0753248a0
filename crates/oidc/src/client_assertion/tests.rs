use serde_json::{Value, json};

use super::*;
use crate::jose::test_keys::TestKey;

const NOW: i64 = 1_700_000_000;

fn expectation() -> Expectation<'static> {
    let now = Timestamp::from_ms(NOW * 1_000);
    Expectation { client_id: "shop", issuer: "https://id.example", algorithm: None, now }
}

fn claims() -> Value {
    json!({"iss": "shop", "sub": "shop", "aud": "https://id.example", "exp": NOW + 60, "iat": NOW, "jti": "one"})
}

fn check(key: &TestKey, claims: &Value) -> Result<Assertion, AssertionError> {
    verify(&key.sign(&json!({"alg": key.algorithm.as_str()}), claims), &key.set(), &expectation())
}

#[test]
fn an_honest_assertion_holds() {
    for algorithm in Algorithm::ALL {
        let held = check(&TestKey::new(algorithm), &claims()).unwrap();
        assert_eq!(held, Assertion { id: "one".to_owned(), remember_until: Timestamp::from_ms((NOW + 60) * 1_000) });
    }
}

/// Proves: A-90, V10.4.16, A-122
#[test]
fn what_is_wrong_with_the_claims_is_refused() {
    let key = TestKey::new(Algorithm::Es256);
    let missing = json!("missing");
    for (name, value, error) in [
        ("iss", json!("other"), AssertionError::Client),
        ("iss", missing.clone(), AssertionError::Client),
        ("sub", json!("other"), AssertionError::Client),
        ("sub", json!(["shop"]), AssertionError::Client),
        ("aud", json!("https://id.example/"), AssertionError::Audience),
        ("aud", json!("https://id.example/oauth/token"), AssertionError::Audience),
        ("aud", json!("https://ID.example"), AssertionError::Audience),
        ("aud", json!(["https://id.example"]), AssertionError::Audience),
        ("aud", json!(["https://id.example", "https://other.example"]), AssertionError::Audience),
        ("aud", json!([]), AssertionError::Audience),
        ("aud", missing.clone(), AssertionError::Audience),
        ("exp", json!(NOW), AssertionError::Time),
        ("exp", json!(NOW - 61), AssertionError::Time),
        ("exp", json!(NOW + 331), AssertionError::Time),
        ("exp", json!(NOW + 3_600), AssertionError::Time),
        ("exp", json!((NOW + 60).to_string()), AssertionError::Time),
        ("exp", json!([NOW + 60]), AssertionError::Time),
        ("exp", json!(1e30), AssertionError::Time),
        ("exp", json!(-1), AssertionError::Time),
        ("exp", json!(1_700_000_060.5), AssertionError::Time),
        ("exp", json!(i64::MAX), AssertionError::Time),
        ("exp", missing.clone(), AssertionError::Time),
        ("nbf", json!(NOW + 61), AssertionError::Time),
        ("nbf", json!("now"), AssertionError::Time),
        ("iat", json!(NOW + 61), AssertionError::Time),
        ("iat", json!(null), AssertionError::Time),
        ("jti", json!(""), AssertionError::Id),
        ("jti", json!(1), AssertionError::Id),
        ("jti", json!("x".repeat(257)), AssertionError::Id),
        ("jti", missing.clone(), AssertionError::Id),
    ] {
        let mut changed = claims();
        if value == missing {
            changed.as_object_mut().unwrap().remove(name);
        } else {
            changed[name] = value.clone();
        }
        assert_eq!(check(&key, &changed), Err(error), "{name}: {value}");
    }
}

#[test]
fn a_clock_ten_seconds_ahead_is_accepted() {
    let key = TestKey::new(Algorithm::Es256);
    let mut ahead = claims();
    (ahead["iat"], ahead["nbf"], ahead["exp"]) = (json!(NOW + 10), json!(NOW + 10), json!(NOW + 310));
    assert!(check(&key, &ahead).is_ok());
    ahead.as_object_mut().unwrap().remove("iat");
    assert!(check(&key, &ahead).is_ok());
}

/// Proves: A-90, V10.4.16, A-121
#[test]
fn another_key_algorithm_or_type_is_refused() {
    let (key, other) = (TestKey::new(Algorithm::Es256), TestKey::new(Algorithm::Es256));
    let signed = |key: &TestKey, header: Value| key.sign(&header, &claims());
    let foreign = signed(&other, json!({"alg": "ES256"}));
    assert_eq!(verify(&foreign, &key.set(), &expectation()), Err(AssertionError::Signature(SignatureError::Signature)));
    for typ in ["at+jwt", "dpop+jwt", "oauth-authz-req+jwt", "logout+jwt", "secevent+jwt"] {
        let text = signed(&key, json!({"alg": "ES256", "typ": typ}));
        let refused = Err(AssertionError::Signature(SignatureError::Type));
        assert_eq!(verify(&text, &key.set(), &expectation()), refused, "{typ}");
    }
    for typ in ["JWT", "client-authentication+jwt", "application/client-authentication+jwt"] {
        assert!(
            verify(&signed(&key, json!({"alg": "ES256", "typ": typ})), &key.set(), &expectation()).is_ok(),
            "{typ}"
        );
    }
    let registered = Expectation { algorithm: Some(Algorithm::EdDsa), ..expectation() };
    let refused = verify(&signed(&key, json!({"alg": "ES256"})), &key.set(), &registered);
    assert_eq!(refused, Err(AssertionError::Signature(SignatureError::Algorithm)));
}

#[test]
fn the_claimed_client_is_read_without_a_key() {
    let text = TestKey::new(Algorithm::Es256).sign(&json!({"alg": "ES256"}), &claims());
    assert_eq!(claimed_client_id(&text).as_deref(), Some("shop"));
    assert_eq!(claimed_client_id("a.b.c"), None);
}

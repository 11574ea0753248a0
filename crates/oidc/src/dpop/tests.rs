use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::jose::test_keys::TestKey;

const NOW: i64 = 1_700_000_000;
const ADDRESS: &str = "https://id.example/oauth/token";

fn expectation() -> Expectation<'static> {
    let now = Timestamp::from_ms(NOW * 1_000);
    Expectation { method: "POST", address: ADDRESS, access_token: None, nonce: NonceRule::NotAsked, now }
}

fn header(key: &TestKey) -> Value {
    json!({"alg": key.algorithm.as_str(), "typ": "dpop+jwt", "jwk": key.jwk()})
}

fn claims() -> Value {
    json!({"jti": "one", "htm": "POST", "htu": ADDRESS, "iat": NOW})
}

fn check(key: &TestKey, claims: &Value) -> Result<Proof, ProofError> {
    verify(&key.sign(&header(key), claims), &expectation())
}

#[test]
fn an_honest_proof_holds_and_names_its_key() {
    for algorithm in ALGORITHMS {
        let key = TestKey::new(algorithm);
        let proof = check(&key, &claims()).unwrap();
        assert_eq!((proof.thumbprint, proof.id.as_str()), (key.public().thumbprint(), "one"));
    }
}

/// Proves: A-110, V9.1.2
#[test]
fn a_proof_with_an_algorithm_that_is_not_offered_is_refused() {
    let key = TestKey::new(Algorithm::Rs256);
    assert_eq!(check(&key, &claims()), Err(SignatureError::Algorithm.into()));
}

#[test]
fn the_example_of_the_standard_holds() {
    // RFC 9449 section 4.1.
    let text = concat!(
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0Rs",
        "cEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2",
        "In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2V",
        "uIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xR",
        "ZT3Lg"
    );
    let now = Timestamp::from_ms(1_562_262_616_000);
    let expected = Expectation { address: "https://server.example.com/token", now, ..expectation() };
    let proof = verify(text, &expected).unwrap();
    assert_eq!(proof.thumbprint.to_string(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
}

/// Proves: A-110, V10.3.5
#[test]
fn what_is_wrong_with_the_claims_is_refused() {
    let key = TestKey::new(Algorithm::Es256);
    for (name, value, error) in [
        ("jti", json!(null), ProofError::Id),
        ("jti", json!(""), ProofError::Id),
        ("jti", json!("x".repeat(257)), ProofError::Id),
        ("htm", json!("GET"), ProofError::Method),
        ("htm", json!("post"), ProofError::Method),
        ("htm", json!(null), ProofError::Method),
        ("htu", json!("https://id.example/oauth/token/"), ProofError::Address),
        ("htu", json!("https://id.example/oauth/introspect"), ProofError::Address),
        ("htu", json!("http://id.example/oauth/token"), ProofError::Address),
        ("htu", json!("https://id.example.evil/oauth/token"), ProofError::Address),
        ("htu", json!("https://id.example/oauth/Token"), ProofError::Address),
        ("htu", json!("/oauth/token"), ProofError::Address),
        ("htu", json!(null), ProofError::Address),
        ("iat", json!(NOW - 61), ProofError::Time),
        ("iat", json!(NOW - 300), ProofError::Time),
        ("iat", json!(NOW + 31), ProofError::Time),
        ("iat", json!(NOW + 300), ProofError::Time),
        ("iat", json!(NOW.to_string()), ProofError::Time),
        ("iat", json!(null), ProofError::Time),
        ("nbf", json!(NOW + 300), ProofError::Time),
        ("exp", json!(NOW), ProofError::Time),
        ("exp", json!("never"), ProofError::Time),
    ] {
        let mut changed = claims();
        changed[name] = value.clone();
        assert_eq!(check(&key, &changed), Err(error), "{name}: {value}");
    }
}

/// Proves
#[test]
fn what_is_wrong_with_the_header_is_refused() {
    let (key, other) = (TestKey::new(Algorithm::Es256), TestKey::new(Algorithm::Es256));
    let mut with_private = key.jwk();
    with_private["d"] = json!("AAAA");
    for (name, value) in [
        ("typ", json!("JWT")),
        ("typ", json!("at+jwt")),
        ("typ", json!("")),
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("alg", json!("EdDSA")),
        ("jwk", other.jwk()),
        ("jwk", with_private),
        ("jwk", json!({"kty": "oct", "k": "AAAA"})),
        ("jwk", json!(null)),
        ("jwk", json!("{}")),
        ("jku", json!("https://evil.example")),
        ("crit", json!(["jti"])),
    ] {
        let mut changed = header(&key);
        changed[name] = value.clone();
        let result = verify(&key.sign(&changed, &claims()), &expectation());
        assert!(matches!(result, Err(ProofError::Signature(_))), "{name}: {value}: {result:?}");
    }
    let without_key = key.sign(&json!({"alg": "ES256", "typ": "dpop+jwt"}), &claims());
    assert!(verify(&without_key, &expectation()).is_err());
}

/// Proves: A-110
#[test]
fn query_case_and_default_port_of_the_address_do_not_count() {
    let key = TestKey::new(Algorithm::Es256);
    for htu in
        ["https://id.example/oauth/token?a=b", "https://id.example/oauth/token#f", "HTTPS://ID.example:443/oauth/token"]
    {
        let mut changed = claims();
        changed["htu"] = json!(htu);
        assert!(check(&key, &changed).is_ok(), "{htu}");
    }
    for (address, expected) in [
        ("https://a.example", Some("https://a.example/")),
        ("http://a.example:80/x?y", Some("http://a.example/x")),
        ("http://a.example:443/x", Some("http://a.example:443/x")),
        ("ftp://a.example", None),
        ("a.example", None),
    ] {
        assert_eq!(normalized(address).as_deref(), expected, "{address}");
    }
}

/// Proves: A-110, V10.3.5
#[test]
fn a_proof_for_a_resource_is_bound_to_the_access_token() {
    let key = TestKey::new(Algorithm::Es256);
    let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, b"token"));
    let at_resource = Expectation { access_token: Some("token"), ..expectation() };
    for (ath, accepted) in [(json!(hash), true), (json!("x"), false), (json!(null), false), (json!(hash[1..]), false)] {
        let mut changed = claims();
        changed["ath"] = ath.clone();
        let result = verify(&key.sign(&header(&key), &changed), &at_resource);
        assert_eq!(result.is_ok(), accepted, "{ath}");
    }
    let without = verify(&key.sign(&header(&key), &claims()), &at_resource);
    assert_eq!(without, Err(ProofError::AccessToken));
}

/// Proves: A-110
#[test]
fn a_missing_or_old_nonce_is_answered_with_use_dpop_nonce() {
    let key = TestKey::new(Algorithm::Es256);
    let is_fresh = |nonce: &str| nonce == "fresh";
    let asking = Expectation { nonce: NonceRule::Required(&is_fresh), ..expectation() };
    for (nonce, expected) in
        [(json!("fresh"), None), (json!("old"), Some(ProofError::Nonce)), (json!(1), Some(ProofError::Nonce))]
    {
        let mut changed = claims();
        changed["nonce"] = nonce.clone();
        assert_eq!(verify(&key.sign(&header(&key), &changed), &asking).err(), expected, "{nonce}");
    }
    let error = verify(&key.sign(&header(&key), &claims()), &asking).unwrap_err();
    assert_eq!(OAuthError::from(error).code, ErrorCode::UseDpopNonce);
    assert_eq!(OAuthError::from(ProofError::Time).code, ErrorCode::InvalidDpopProof);
}

/// Proves: A-110
#[test]
fn only_one_header_is_read() {
    assert_eq!(single(["a"].into_iter()), Ok(Some("a")));
    assert_eq!(single([].into_iter()), Ok(None));
    assert_eq!(single(["a", "a"].into_iter()), Err(ProofError::Repeated));
    assert!(verify(&"a".repeat(MAX_PROOF_BYTES + 1), &expectation()).is_err());
}

proptest! {
    #[test]
    fn a_normalized_address_has_no_query_and_no_fragment(address in "https?://[a-zA-Z.:0-9]{0,12}(/[a-z/?#]{0,6})?") {
        if let Some(normalized) = normalized(&address) {
            prop_assert!(!normalized.contains(['?', '#']));
        }
    }
}

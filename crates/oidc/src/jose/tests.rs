use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{EncodingKey, Header as JwtHeader};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::test_keys::TestKey;
use super::*;

fn parse(text: &str) -> Result<Unverified<'_>, SignatureError> {
    Unverified::parse(text, EmbeddedKey::Refused, &["", "jwt"])
}

fn verify(text: &str, keys: &KeySet) -> Result<Claims, SignatureError> {
    parse(text)?.verify(keys, &Algorithm::ALL)
}

fn key_of(jwk: &Value) -> Result<PublicKey, KeyError> {
    PublicKey::from_jwk(jwk.as_object().unwrap())
}

#[test]
fn every_algorithm_verifies_with_its_own_key_only() {
    let keys: Vec<TestKey> = Algorithm::ALL.into_iter().map(TestKey::new).collect();
    for (index, key) in keys.iter().enumerate() {
        let text = key.sign(&json!({"alg": key.algorithm.as_str()}), &json!({"a": 1}));
        for (other_index, other) in keys.iter().enumerate() {
            let result = verify(&text, &other.set());
            if index == other_index {
                assert_eq!(result.unwrap().members()["a"], 1, "{:?}", key.algorithm);
            } else {
                assert_eq!(result, Err(SignatureError::Signature), "{:?} {:?}", key.algorithm, other.algorithm);
            }
        }
    }
}

/// Proves: V9.1.2, A-116
#[test]
fn an_algorithm_that_is_missing_unknown_or_none_is_refused() {
    let key = TestKey::new(Algorithm::Es256);
    for alg in [
        json!("none"),
        json!("None"),
        json!("nOnE"),
        json!("NONE"),
        json!(""),
        json!(null),
        json!(["ES256"]),
        json!("es256"),
        json!("HS256"),
        json!("ES384"),
        json!("RS512"),
    ] {
        let text = key.sign(&json!({"alg": alg}), &json!({}));
        assert!(verify(&text, &key.set()).is_err(), "{alg}");
    }
    assert_eq!(verify(&key.sign(&json!({}), &json!({})), &key.set()), Err(SignatureError::Algorithm));
    let signed = key.sign(&json!({"alg": "ES256"}), &json!({}));
    let without_signature = format!("{}.", signed.rsplit_once('.').unwrap().0);
    assert_eq!(verify(&without_signature, &key.set()), Err(SignatureError::Malformed));
}

/// Proves: V9.1.2, A-117
#[test]
fn a_public_key_is_no_shared_secret_and_another_algorithm_is_refused() {
    let rsa = TestKey::new(Algorithm::Rs256);
    let jwk = rsa.jwk();
    for secret in [jwk.to_string(), jwk["n"].as_str().unwrap().to_owned()] {
        let encoding = EncodingKey::from_secret(secret.as_bytes());
        let text = jsonwebtoken::encode(&JwtHeader::default(), &json!({"a": 1}), &encoding).unwrap();
        assert!(matches!(verify(&text, &rsa.set()), Err(SignatureError::Algorithm)));
    }
    // RS256 is not PS256, neither in the header nor when the key says which it is for.
    let as_pss = rsa.sign(&json!({"alg": "PS256"}), &json!({}));
    assert_eq!(verify(&as_pss, &rsa.set()), Err(SignatureError::Signature));
    let honest = rsa.sign(&json!({"alg": "RS256"}), &json!({}));
    let mut for_pss = jwk;
    for_pss["alg"] = json!("PS256");
    let set = KeySet::parse(json!({"keys": [for_pss]}).to_string().as_bytes()).unwrap();
    assert_eq!(verify(&honest, &set), Err(SignatureError::Signature));
    // An algorithm that fits the key but is not on the list.
    let listed = parse(&honest).unwrap().verify(&rsa.set(), &[Algorithm::Es256]);
    assert_eq!(listed, Err(SignatureError::Algorithm));
}

/// Proves: V9.1.3, A-119
#[test]
fn a_key_or_an_address_of_one_in_the_header_is_refused() {
    let key = TestKey::new(Algorithm::Es256);
    for (name, value) in [
        ("jku", json!("https://evil.example/jwks")),
        ("x5u", json!("https://evil.example/cert")),
        ("x5c", json!(["MII"])),
        ("x5t", json!("abc")),
        ("x5t#S256", json!("abc")),
        ("jwk", key.jwk()),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
    ] {
        let text = key.sign(&json!({"alg": "ES256", name: value}), &json!({}));
        assert_eq!(verify(&text, &key.set()), Err(SignatureError::HeaderMember), "{name}");
    }
}

/// Proves: A-118
#[test]
fn a_key_id_chooses_among_the_keys_and_does_nothing_else() {
    let (key, other) = (TestKey::new(Algorithm::Es256), TestKey::new(Algorithm::Es256));
    let named = |key: &TestKey, kid: &str| {
        let mut jwk = key.jwk();
        jwk["kid"] = json!(kid);
        jwk
    };
    let keys = json!({"keys": [named(&other, "a"), named(&key, "b"), named(&other, "b")]});
    let keys = KeySet::parse(keys.to_string().as_bytes()).unwrap();
    for (kid, accepted) in [
        (json!("b"), true),
        (json!("a"), false),
        (json!(""), false),
        (json!("B"), false),
        (json!("../../dev/null"), false),
        (json!("' UNION SELECT 'k"), false),
        (json!("\u{e4}\u{202e}"), false),
        (json!(["b"]), false),
        (json!(null), false),
        (json!("b".repeat(1_000)), false),
    ] {
        let text = key.sign(&json!({"alg": "ES256", "kid": kid}), &json!({}));
        assert_eq!(verify(&text, &keys).is_ok(), accepted, "{kid}");
    }
    assert!(verify(&key.sign(&json!({"alg": "ES256"}), &json!({})), &keys).is_ok());
}

/// Proves: V9.1.1
#[test]
fn each_changed_letter_breaks_a_signature() {
    let key = TestKey::new(Algorithm::Es256);
    let text = key.sign(&json!({"alg": "ES256"}), &json!({"sub": "a"}));
    assert!(verify(&text, &key.set()).is_ok());
    for at in 0..text.len() {
        let mut changed = text.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert!(verify(std::str::from_utf8(&changed).unwrap(), &key.set()).is_err(), "{at}");
    }
}

/// Proves: V9.2.2, A-121
#[test]
fn only_the_expected_kinds_are_read() {
    let key = TestKey::new(Algorithm::Es256);
    for (typ, accepted) in [
        (json!("JWT"), true),
        (json!("application/jwt"), true),
        (json!("at+jwt"), false),
        (json!("dpop+jwt"), false),
        (json!("logout+jwt"), false),
        (json!(""), true),
        (json!(1), false),
        (json!(null), false),
    ] {
        let text = key.sign(&json!({"alg": "ES256", "typ": typ}), &json!({}));
        assert_eq!(verify(&text, &key.set()).is_ok(), accepted, "{typ}");
    }
}

/// Proves: A-122
#[test]
fn repeated_members_are_refused() {
    let key = TestKey::new(Algorithm::Es256);
    let header = r#"{"alg":"ES256"}"#;
    assert!(verify(&key.sign_text(header, "{\"a\":1}"), &key.set()).is_ok());
    for (header, payload) in [
        (r#"{"alg":"none","alg":"ES256"}"#, "{}"),
        (r#"{"alg":"ES256","\u0061lg":"none"}"#, "{}"),
        (header, r#"{"sub":"a","sub":"b"}"#),
        (header, r#"{"act":{"sub":"a","sub":"b"}}"#),
        (header, "[]"),
        (header, "null"),
    ] {
        assert!(verify(&key.sign_text(header, payload), &key.set()).is_err(), "{header} {payload}");
    }
}

/// Proves: A-115
#[test]
fn keys_with_secrets_or_of_another_kind_are_refused() {
    let ec = TestKey::new(Algorithm::Es256).jwk();
    let rsa = TestKey::new(Algorithm::Rs256).jwk();
    let with = |jwk: &Value, name: &str, value: Value| {
        let mut jwk = jwk.clone();
        jwk[name] = value;
        jwk
    };
    let zeros = URL_SAFE_NO_PAD.encode([0; 32]);
    let short = URL_SAFE_NO_PAD.encode([0xff; 255]);
    let low = URL_SAFE_NO_PAD.encode([&[0x7f][..], &[0xff; 255]].concat());
    let long = URL_SAFE_NO_PAD.encode([0xff; 1025]);
    let padded = URL_SAFE_NO_PAD.encode([&[0][..], &[0xff; 256]].concat());
    for (jwk, error) in [
        (with(&ec, "d", json!("x")), KeyError::Secret),
        (with(&rsa, "p", json!(null)), KeyError::Secret),
        (json!({"kty": "oct", "k": "AAAA"}), KeyError::Secret),
        (json!({"kty": "oct"}), KeyError::Unsupported),
        (with(&ec, "crv", json!("P-384")), KeyError::Unsupported),
        (with(&ec, "crv", json!("secp256k1")), KeyError::Unsupported),
        (with(&ec, "use", json!("enc")), KeyError::Unsupported),
        (with(&ec, "key_ops", json!(["sign"])), KeyError::Unsupported),
        (with(&ec, "alg", json!("ES384")), KeyError::Unsupported),
        (with(&ec, "alg", json!("RS256")), KeyError::Unsupported),
        (with(&ec, "x", json!(zeros)), KeyError::Malformed),
        (with(&ec, "x", json!("AA")), KeyError::Malformed),
        (with(&ec, "x", json!(1)), KeyError::Malformed),
        (with(&ec, "kid", json!(["a"])), KeyError::Malformed),
        (with(&ec, "kid", json!("")), KeyError::Malformed),
        (with(&ec, "kty", json!(null)), KeyError::Malformed),
        (with(&rsa, "n", json!(short)), KeyError::Size),
        (with(&rsa, "n", json!(low)), KeyError::Size),
        (with(&rsa, "n", json!(long)), KeyError::Size),
        (with(&rsa, "n", json!(padded)), KeyError::Malformed),
        (with(&rsa, "e", json!("AQ")), KeyError::Size),
        (with(&rsa, "e", json!("AQAA")), KeyError::Size),
        (with(&rsa, "e", json!("_____w8")), KeyError::Size),
        (with(&rsa, "e", json!("")), KeyError::Malformed),
        (with(&rsa, "e", json!("AAEAAQ")), KeyError::Malformed),
        (json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}), KeyError::Malformed),
        (json!({"kty": "OKP", "crv": "X25519", "x": zeros}), KeyError::Unsupported),
    ] {
        assert_eq!(key_of(&jwk), Err(error), "{jwk}");
    }
}

#[test]
fn a_set_skips_what_it_does_not_know_and_refuses_what_is_wrong() {
    let ec = TestKey::new(Algorithm::Es256).jwk();
    let parse = |value: Value| KeySet::parse(value.to_string().as_bytes());
    let mixed = parse(json!({"keys": [{"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"}, ec], "other": 1})).unwrap();
    assert_eq!(mixed.keys().len(), 1);
    assert_eq!(parse(mixed.to_json()), Ok(mixed));
    assert_eq!(parse(json!({"keys": []})), Err(KeySetError::Empty));
    assert_eq!(parse(json!({"keys": [{"kty": "oct"}]})), Err(KeySetError::Empty));
    assert_eq!(parse(json!({"keys": [ec, {"kty": "oct", "k": "AA"}]})), Err(KeySetError::Key(KeyError::Secret)));
    assert_eq!(parse(json!({"keys": vec![ec; MAX_KEYS + 1]})), Err(KeySetError::TooLarge));
    for value in [json!({}), json!([]), json!({"keys": {}}), json!({"keys": [1]})] {
        assert_eq!(parse(value.clone()), Err(KeySetError::Malformed), "{value}");
    }
    assert_eq!(KeySet::parse(&vec![b' '; MAX_SET_BYTES + 1]), Err(KeySetError::TooLarge));
}

#[test]
fn thumbprints_are_those_of_the_standards() {
    // RFC 7638 section 3.1.
    let rsa = json!({"kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29", "n": concat!(
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3",
        "oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZ",
        "Hzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-k",
        "EgU8awapJzKnqDKgw")});
    assert_eq!(key_of(&rsa).unwrap().thumbprint().to_string(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    // RFC 8037 appendix A.3.
    let ed25519 = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    assert_eq!(key_of(&ed25519).unwrap().thumbprint().to_string(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    // RFC 9449 section 6.1.
    let ec = json!({"kty": "EC", "crv": "P-256", "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
        "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"});
    let thumbprint = key_of(&ec).unwrap().thumbprint();
    assert_eq!(thumbprint.to_string(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    assert_eq!(Thumbprint::parse(&thumbprint.to_string()), Some(thumbprint));
}

proptest! {
    #[test]
    fn no_text_makes_the_readers_panic(text in "[A-Za-z0-9_{}\":,.-]{0,80}") {
        let _ = parse(&text);
        let _ = KeySet::parse(text.as_bytes());
        if let Ok(members) = serde_json::from_str::<Map<String, Value>>(&text) {
            let _ = PublicKey::from_jwk(&members);
        }
    }
}
